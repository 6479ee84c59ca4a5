// Moments come in UTC; here they are told by the reader's own clock, in the page's language.

const words = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" });

for (const moment of document.querySelectorAll("time[data-moment]")) {
  moment.textContent = words.format(new Date(moment.dateTime));
}
