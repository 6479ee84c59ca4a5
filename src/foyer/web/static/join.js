// The join page, put together.

import { watchForm } from "./form.js";
import { watchName } from "./name.js";
import { watchPassword } from "./password.js";

const form = document.querySelector("form.join");
const name = form.querySelector("[data-name]");

if (!name.querySelector("input").readOnly) {
  watchName(name);
}
watchPassword(form.querySelector("[data-password]"));
watchForm(form);
document.querySelector("[data-focus]")?.focus();
