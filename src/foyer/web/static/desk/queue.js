// The queue by keyboard, and how many are ticked.

import { keysAreOn, onKeys, press, switchKeys } from "./keys.js";

const queue = document.querySelector("[data-queue]");
const cards = [...document.querySelectorAll("[data-card]")];

function here() {
  return document.activeElement?.closest("[data-card]") ?? null;
}

function goTo(card) {
  if (card) {
    card.querySelector("[data-open]").focus({ preventScroll: true });
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    card.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  }
}

function step(by) {
  const place = cards.indexOf(here());
  goTo(place < 0 ? cards[0] : cards[Math.min(cards.length - 1, Math.max(0, place + by))]);
}

function act(name) {
  press(here() ?? cards[0], `[data-act="${name}"]`);
}

onKeys({
  j: () => step(1),
  k: () => step(-1),
  a: () => act("approve"),
  d: () => act("deny"),
  q: () => act("ask"),
  x: () => press(here(), 'input[name="id"]'),
  z: () => press(document, "[data-deed] button"),
  "/": () => document.getElementById("q").focus(),
});

function watchTicks() {
  const words = queue.querySelector("[data-chosen]");
  const unticked = words.textContent;
  const all = queue.querySelector("[data-all]");
  const ticks = [...queue.querySelectorAll('input[name="id"]')];

  const tell = () => {
    const count = ticks.filter((tick) => tick.checked).length;
    const some = count === 1 ? words.dataset.one : words.dataset.many.replace("#", count);
    words.textContent = count ? some : unticked;
    for (const tick of ticks) {
      tick.closest("[data-card]").classList.toggle("is-ticked", tick.checked);
    }
  };

  all.hidden = false;
  all.addEventListener("click", () => {
    const isFull = ticks.every((tick) => tick.checked);
    for (const tick of ticks) {
      tick.checked = !isFull;
    }
    tell();
  });
  queue.addEventListener("change", tell);
  tell();
}

if (queue?.querySelector("[data-chosen]")) {
  watchTicks();
}

const help = document.querySelector("[data-keys-help]");
if (help) {
  const on = help.querySelector("[data-keys-on]");
  help.hidden = false;
  on.checked = keysAreOn();
  on.addEventListener("change", () => switchKeys(on.checked));
}

// Back from a decision: the address leads to the request that follows, and the browser goes there. If it is gone, begin anew.
if (window.location.hash.startsWith("#address-") && !document.getElementById(window.location.hash.slice(1))) {
  goTo(cards[0]);
}
