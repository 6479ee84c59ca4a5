// Moments come in UTC; here they are told by the reader's own clock, in the page's language.

const page = document.documentElement.lang;
const own = navigator.languages.find((tag) => tag.split("-")[0] === page.split("-")[0]);
const words = new Intl.DateTimeFormat(own ?? page, { dateStyle: "long", timeStyle: "short" });

for (const moment of document.querySelectorAll("time[data-moment]")) {
  moment.textContent = words.format(new Date(moment.dateTime));
}
