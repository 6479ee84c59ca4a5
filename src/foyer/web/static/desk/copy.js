// Buttons that copy a link and print the page. Where the browser lets us do neither, they stay away.

const copy = document.querySelector("[data-copy]");
const print = document.querySelector("[data-print]");

if (copy && navigator.clipboard) {
  const label = copy.textContent;
  const from = document.querySelector("[data-copy-from]");
  const said = document.querySelector("[data-copy-status]");
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(from.value.trim());
    copy.textContent = copy.dataset.copied;
    said.textContent = copy.dataset.copied;
    window.setTimeout(() => {
      copy.textContent = label;
      said.textContent = "";
    }, 3000);
  });
}

if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}
