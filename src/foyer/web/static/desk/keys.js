// Single keys, as long as nobody is typing. They can be switched off: some people steer by voice.

const STORE = "foyer.desk.keys";

export function keysAreOn() {
  try {
    return window.localStorage.getItem(STORE) !== "off";
  } catch {
    return true;
  }
}

export function switchKeys(on) {
  try {
    window.localStorage.setItem(STORE, on ? "on" : "off");
  } catch {
    // Storage is closed here: the switch holds for this page only.
  }
}

function isTyping(target) {
  return target.matches("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])");
}

/** Call `deeds[key](event)` for a key without Ctrl, Alt or Meta. */
export function onKeys(deeds) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || isTyping(event.target) || !keysAreOn()) {
      return;
    }
    const deed = Object.hasOwn(deeds, event.key) ? deeds[event.key] : null;
    if (deed) {
      event.preventDefault();
      deed(event);
    }
  });
}

/** Follow the link or press the button that a selector finds, if there is one. */
export function press(within, selector) {
  within?.querySelector(selector)?.click();
}
