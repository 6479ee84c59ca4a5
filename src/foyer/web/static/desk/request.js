// One request by keyboard. The others see that it is being read, for as long as this page is open.

import { claim } from "./claim.js";
import { onKeys, press } from "./keys.js";

onKeys({
  a: () => press(document, '[data-act="approve"]'),
  d: () => press(document, '[data-act="deny"]'),
  q: () => press(document, '[data-act="ask"]'),
  u: () => press(document, "[data-back]"),
  z: () => press(document, "[data-deed] button"),
});

const reading = document.querySelector("[data-claim]");
const form = reading?.querySelector("form");
if (form) {
  claim(reading.dataset.claim, form.elements.csrfmiddlewaretoken.value, document.querySelector("[data-back]"));
  form.hidden = true;
}
