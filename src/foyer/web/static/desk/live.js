// Figures that keep themselves up to date, who is reading what, and the minute in which the last deed can be undone.

const SECONDS = 15;
const desk = document.querySelector("[data-counts]");

function show(counts) {
  for (const figure of document.querySelectorAll("[data-count]")) {
    const count = counts[figure.dataset.count];
    if (count !== undefined) {
      figure.textContent = count;
      figure.hidden = count === 0 && figure.dataset.zero === undefined;
    }
  }
  const fresh = document.querySelector("[data-fresh]");
  if (fresh && fresh.dataset.known !== "") {
    fresh.hidden = Number(fresh.dataset.known) === counts[fresh.dataset.tab];
  }
}

function showReaders(reading) {
  for (const line of document.querySelectorAll("[data-card] [data-reading]")) {
    const words = reading[line.closest("[data-card]").dataset.card] ?? "";
    line.textContent = words;
    line.hidden = words === "";
  }
}

async function refresh() {
  if (document.hidden) {
    return;
  }
  try {
    const answer = await fetch(desk.dataset.counts, { headers: { Accept: "application/json" } });
    if (answer.ok) {
      const said = await answer.json();
      show(said.counts);
      showReaders(said.reading);
    }
  } catch {
    // The server cannot be reached: the figures stay as they are until it can.
  }
}

function watchDeed(deed) {
  const left = deed.querySelector("[data-left]");
  const until = Date.now() + Number(deed.dataset.deed) * 1000;
  const tell = () => {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    if (seconds > 0) {
      left.textContent = `(${seconds})`;
    } else {
      window.clearInterval(timer);
      deed.remove();
    }
  };
  const timer = window.setInterval(tell, 1000);
  // Read out once, and not every second.
  left.setAttribute("aria-hidden", "true");
  tell();
}

window.setInterval(refresh, SECONDS * 1000);
document.addEventListener("visibilitychange", refresh);
const deed = document.querySelector("[data-deed]");
if (deed) {
  watchDeed(deed);
}
