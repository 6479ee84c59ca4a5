// The mail as it is being written, how long it is, and one press of the button.

import { claim } from "./claim.js";

const form = document.querySelector("[data-decide]");
const message = form?.querySelector("[data-message]");

function watchMessage() {
  const length = form.querySelector("[data-length]");
  const letter = document.querySelector("[data-letter]");
  const silent = form.querySelector("[data-silent]");
  let timer = 0;
  let turn = 0;

  const tell = () => {
    length.textContent = length.dataset.words.replace("#", message.value.length);
  };

  async function look() {
    const mine = ++turn;
    const body = new URLSearchParams(new FormData(form));
    body.set("preview", "yes");
    try {
      const answer = await fetch(form.action, { method: "POST", headers: { "X-Foyer-Fragment": "letter" }, body });
      if (answer.ok && mine === turn) {
        const unfolded = letter.querySelector("details")?.open ?? false;
        letter.innerHTML = await answer.text();
        const fold = letter.querySelector("details");
        if (fold) {
          fold.open = unfolded;
        }
      }
    } catch {
      // The server cannot be reached: the button "Show the mail" comes back.
      form.querySelector("[data-preview]").hidden = false;
    }
  }

  const lookSoon = () => {
    tell();
    window.clearTimeout(timer);
    timer = window.setTimeout(look, 300);
  };

  form.querySelector("[data-preview]").hidden = true;
  message.addEventListener("input", lookSoon);
  silent?.addEventListener("change", look);
  for (const wording of form.querySelectorAll("[data-wording]")) {
    wording.addEventListener("click", (event) => {
      event.preventDefault();
      message.value = wording.dataset.wording;
      message.focus();
      tell();
      look();
    });
  }
  tell();
}

if (message) {
  watchMessage();
  if (form.dataset.claim) {
    claim(form.dataset.claim, form.elements.csrfmiddlewaretoken.value, document.querySelector("[data-back]"));
  }
  const main = form.querySelector("[data-main]");
  // With nothing to write, Enter is the second and last key of a decision.
  (message.required || form.querySelector('[aria-invalid="true"]') ? message : main).focus();

  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
    }
    form.dataset.sent = "yes";
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(main);
    }
  });
  window.addEventListener("pageshow", () => {
    delete form.dataset.sent;
  });
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    document.querySelector("[data-back]")?.click();
  }
});
