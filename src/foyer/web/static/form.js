// The form as a whole: errors beside their fields before anything is sent, one press of the button, and what it is doing.
// Everything here is a help; the server checks it all again, and works with none of it.

/** Write an error beside a field, or take it away with an empty text. */
export function sayError(input, text) {
  const line = document.getElementById(`${input.id}-error`);
  line.textContent = text;
  if (text) {
    input.setAttribute("aria-invalid", "true");
  } else {
    input.removeAttribute("aria-invalid");
  }
}

function problemOf(input) {
  const words = input.closest("[data-missing]").dataset;
  if (input.validity.valueMissing) {
    return words.missing;
  }
  if (input.validity.typeMismatch) {
    return words.malformed;
  }
  return input.value.length < input.minLength ? words.short : "";
}

function firstProblem(inputs) {
  let first = null;
  for (const input of inputs) {
    const problem = problemOf(input);
    // That a name is taken stays said, and stops nobody: it may be taken by the very person who presses again.
    if (problem || !input.closest("[data-taken]")) {
      sayError(input, problem);
    }
    first ??= problem ? input : null;
  }
  return first;
}

export function watchForm(form) {
  const button = form.querySelector("[data-submit]");
  const progress = form.querySelector("[data-progress]");
  const label = button.textContent;
  const inputs = [...form.querySelectorAll("[data-missing] :is(input, textarea)[required]")];
  form.noValidate = true;

  function rest() {
    delete form.dataset.sent;
    button.removeAttribute("aria-disabled");
    button.textContent = label;
    progress.textContent = "";
  }

  function work() {
    form.dataset.sent = "yes";
    button.setAttribute("aria-disabled", "true");
    const turning = document.createElement("span");
    turning.className = "turning";
    turning.setAttribute("aria-hidden", "true");
    button.replaceChildren(turning, button.dataset.busy);
    progress.textContent = button.dataset.busy;
  }

  for (const input of inputs) {
    // An error goes away when it is mended, and never comes while somebody is still typing.
    input.addEventListener("input", () => {
      if (input.hasAttribute("aria-invalid") && !problemOf(input)) {
        sayError(input, "");
      }
    });
  }

  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    // Going back needs nothing to be right.
    if (event.submitter?.hasAttribute("data-go")) {
      return;
    }
    const wrong = firstProblem(inputs);
    if (wrong) {
      event.preventDefault();
      wrong.focus();
      return;
    }
    work();
  });

  // The browser's Back brings the page as it was left, busy button and all.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) {
      rest();
    }
  });
}
