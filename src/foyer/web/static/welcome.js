// The button that copies the new address. Where the clipboard is closed to us, the button stays away.

const button = document.querySelector("[data-copy]");

if (button && navigator.clipboard) {
  const label = button.textContent;
  const address = document.querySelector("[data-address]").textContent;
  const said = document.querySelector("[data-copy-status]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(address);
    button.textContent = button.dataset.copied;
    said.textContent = button.dataset.copied;
    window.setTimeout(() => {
      button.textContent = label;
      said.textContent = "";
    }, 3000);
  });
}
