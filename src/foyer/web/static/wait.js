// A wait that can be seen going by. The button rests until it is over; whoever presses it then is told by the server too.

/** Return seconds as `1:05`. */
function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function watchWait(line) {
  const shown = line.querySelector("[data-left]");
  const button = line.closest("form").querySelector("[data-submit]");
  const until = Date.now() + Number(line.dataset.wait) * 1000;
  button.disabled = true;

  const timer = window.setInterval(() => {
    const left = Math.ceil((until - Date.now()) / 1000);
    if (left > 0) {
      shown.textContent = clock(left);
      return;
    }
    window.clearInterval(timer);
    button.disabled = false;
    line.setAttribute("role", "status");
    line.textContent = line.dataset.now;
  }, 1000);
}
