// The pages of an application, put together.

import { watchForm } from "./form.js";
import { watchName } from "./name.js";
import { watchPassword } from "./password.js";
import { watchWait } from "./wait.js";

for (const form of document.querySelectorAll("[data-form]")) {
  const name = form.querySelector("[data-name]");
  const password = form.querySelector("[data-password]");
  if (name) {
    watchName(name);
  }
  if (password) {
    watchPassword(password);
  }
  watchForm(form);
  for (const line of form.querySelectorAll("[data-wait]")) {
    watchWait(line);
  }
}
document.querySelector("[data-focus]")?.focus();
