// One request by keyboard. The others see that it is being read, for as long as this page is open.

import { onKeys, press } from "./keys.js";

const MINUTES = 4;

onKeys({
  a: () => press(document, '[data-act="approve"]'),
  d: () => press(document, '[data-act="deny"]'),
  q: () => press(document, '[data-act="ask"]'),
  u: () => press(document, "[data-back]"),
  z: () => press(document, "[data-deed] button"),
});

function send(address, token) {
  return fetch(address, {
    method: "POST",
    headers: { "X-Foyer-Script": "yes" },
    body: new URLSearchParams({ csrfmiddlewaretoken: token }),
  });
}

const claim = document.querySelector("[data-claim]");
const form = claim?.querySelector("form");
if (form) {
  const token = form.elements.csrfmiddlewaretoken.value;
  const address = claim.dataset.claim;
  const take = () => send(`${address}/claim`, token).catch(() => {});
  take();
  window.setInterval(take, MINUTES * 60 * 1000);
  // Whoever goes on to decide is not done with it: only the way back lets go.
  document.querySelector("[data-back]").addEventListener("click", () => {
    navigator.sendBeacon(`${address}/release`, new URLSearchParams({ csrfmiddlewaretoken: token }));
  });
  form.hidden = true;
}
