// The user name: typed in small letters, shown as the whole address, and asked for while the typing pauses.

import { sayError } from "./form.js";

const PAUSE = 350;

/** Return the name that was meant: `@Maria:example.org` is `maria`, as the server reads it too. */
function meant(text, server) {
  const name = text.trim().toLowerCase().replace(/^@/, "");
  return name.endsWith(`:${server.toLowerCase()}`) ? name.slice(0, -server.length - 1) : name;
}

export function watchName(field) {
  const input = field.querySelector("input");
  const status = field.querySelector("[data-status]");
  const picks = field.querySelector("[data-picks]");
  const preview = field.querySelector("[data-localpart]");
  const placeholder = preview.dataset.placeholder;
  const words = field.dataset;
  let timer = 0;
  let asking = null;

  function say(text, state) {
    status.textContent = text;
    status.dataset.state = state;
  }

  function offer(names) {
    picks.hidden = names.length === 0;
    picks.replaceChildren(
      ...names.map((name) => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "pick";
        button.dataset.pick = name;
        button.textContent = name;
        return button;
      }),
    );
  }

  function show(answer) {
    if (answer.available) {
      say(words.free, "free");
      offer([]);
      return;
    }
    say(answer.suggestions.length ? words.instead : "", "taken");
    words.taken = "yes";
    sayError(input, answer.sentence);
    offer(answer.suggestions);
  }

  async function ask(name) {
    asking = new AbortController();
    say(words.checking, "waiting");
    const query = new URLSearchParams({ token: words.code, username: name });
    try {
      const response = await fetch(`${words.available}?${query}`, { signal: asking.signal });
      if (response.ok) {
        show(await response.json());
      } else {
        say("", "");
      }
    } catch (error) {
      // Offline, or overtaken by the next letter: the form itself will tell.
      if (error.name !== "AbortError") {
        say("", "");
      }
    }
  }

  function typed() {
    const name = meant(input.value, words.server);
    preview.textContent = name || placeholder;
    window.clearTimeout(timer);
    asking?.abort();
    delete words.taken;
    sayError(input, "");
    say("", "");
    offer([]);
    // Nobody may ask before their email is confirmed.
    if (name && words.available) {
      timer = window.setTimeout(() => ask(name), PAUSE);
    }
  }

  input.addEventListener("input", () => {
    const lower = input.value.toLowerCase();
    if (lower !== input.value) {
      const caret = input.selectionStart;
      input.value = lower;
      input.setSelectionRange(caret, caret);
    }
    typed();
  });

  input.addEventListener("change", () => {
    const name = meant(input.value, words.server);
    if (name !== input.value) {
      input.value = name;
    }
  });

  picks.addEventListener("click", (event) => {
    const pick = event.target.closest("[data-pick]");
    if (pick) {
      input.value = pick.dataset.pick;
      typed();
      input.focus();
    }
  });
}
