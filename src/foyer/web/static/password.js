// The password: shown on demand instead of typed twice, and judged in words while the typing pauses.

const PAUSE = 300;

function watchToggle(field, input) {
  const toggle = field.querySelector("[data-toggle]");
  const said = field.querySelector("[data-visibility]");
  const words = field.dataset;

  function set(shown) {
    input.type = shown ? "text" : "password";
    toggle.textContent = shown ? words.hide : words.show;
  }

  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    const shown = input.type === "password";
    set(shown);
    said.textContent = shown ? words.shown : words.hidden;
    input.focus();
  });
  // Sent as a password, so that browsers offer to keep it.
  input.form.addEventListener("submit", () => set(false));
}

export function watchPassword(field) {
  const input = field.querySelector("input");
  const bar = field.querySelector("[data-bar]");
  const said = field.querySelector("[data-words]");
  const hint = document.getElementById(`${input.id}-hint`);
  const name = input.form.elements.username;
  let timer = 0;
  let asking = null;

  watchToggle(field, input);

  function show(found) {
    bar.hidden = !found;
    bar.dataset.score = found ? found.score : "";
    said.textContent = found ? `${found.words} ${found.advice}`.trim() : "";
    hint.hidden = Boolean(found);
  }

  async function ask() {
    asking = new AbortController();
    const body = new URLSearchParams({ password: input.value, username: name.value });
    try {
      const response = await fetch(field.dataset.strength, { method: "POST", body, signal: asking.signal });
      if (response.ok) {
        show(await response.json());
      }
    } catch (error) {
      if (error.name !== "AbortError") {
        show(null);
      }
    }
  }

  input.addEventListener("input", () => {
    window.clearTimeout(timer);
    asking?.abort();
    // Until it is long enough, the hint is all there is to say.
    if (input.value.length >= input.minLength) {
      timer = window.setTimeout(ask, PAUSE);
    } else {
      show(null);
    }
  });
}
