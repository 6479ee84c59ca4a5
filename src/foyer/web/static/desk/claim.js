// The others see that a request is being read, for as long as a page about it is open.

const MINUTES = 4;

/** Claim the request whose acts are at `address`; `back` is the link that lets go of it. */
export function claim(address, token, back) {
  const body = () => new URLSearchParams({ csrfmiddlewaretoken: token });
  const take = () =>
    fetch(`${address}/claim`, { method: "POST", headers: { "X-Foyer-Script": "yes" }, body: body() }).catch(() => {});

  take();
  window.setInterval(take, MINUTES * 60 * 1000);
  // Whoever goes on to decide is not done with it: only the way back lets go.
  back?.addEventListener("click", () => navigator.sendBeacon(`${address}/release`, body()));
}
