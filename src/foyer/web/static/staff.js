// Passkeys: the browser's own question, between a press of the button and the form. The server checks it all again.

const BINARY = ["challenge", "id"];

function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (sign) => sign.codePointAt(0));
}

function text(buffer) {
  const plain = String.fromCodePoint(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Return what the server sent as the browser takes it: bytes where the specification has bytes. */
function readable(value, name = "") {
  if (Array.isArray(value)) {
    return value.map((one) => readable(one));
  }
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, readable(inner, key)]));
  }
  return BINARY.includes(name) && typeof value === "string" ? bytes(value) : value;
}

/** Return what the browser gave as the server takes it. */
function sendable(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) {
      response[name] = text(credential.response[name]);
    }
  }
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

async function question(form) {
  if (form.dataset.options) {
    return JSON.parse(form.dataset.options).request_options ?? JSON.parse(form.dataset.options).creation_options;
  }
  const answer = await fetch(form.dataset.ask, { headers: { Accept: "application/json" } });
  if (!answer.ok) {
    throw new Error(`asked for a question, and got ${answer.status}`);
  }
  return answer.json();
}

function withBytes(publicKey) {
  // The id of the site is a name; every other id is bytes.
  const { rp, ...rest } = publicKey;
  return rp ? { rp, ...readable(rest) } : readable(rest);
}

async function ask(form) {
  const { publicKey } = await question(form);
  const options = withBytes(publicKey);
  if (form.dataset.passkey === "get") {
    return navigator.credentials.get({ publicKey: options });
  }
  const alone = form.elements.passwordless.checked;
  options.authenticatorSelection = {
    ...options.authenticatorSelection,
    residentKey: alone ? "required" : "discouraged",
    requireResidentKey: alone,
    userVerification: alone ? "required" : "preferred",
  };
  return navigator.credentials.create({ publicKey: options });
}

function watch(form) {
  const button = form.querySelector("button");
  const said = form.querySelector("[data-passkey-status]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.dataset.busy) {
      return;
    }
    form.dataset.busy = "yes";
    button.setAttribute("aria-disabled", "true");
    said.textContent = form.dataset.waiting;
    try {
      form.elements.credential.value = JSON.stringify(sendable(await ask(form)));
      form.submit();
    } catch (error) {
      said.textContent = error.name === "InvalidStateError" ? form.dataset.known : form.dataset.failed;
      delete form.dataset.busy;
      button.removeAttribute("aria-disabled");
    }
  });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  // Without scripts, or in a browser that has no passkeys, the form is not shown.
  if (window.PublicKeyCredential) {
    form.hidden = false;
    watch(form);
  }
}
document.querySelector("[data-focus]")?.focus();
