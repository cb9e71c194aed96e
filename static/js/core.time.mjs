// Puts <time datetime data-when> into the reader's zone and language. Without it the page shows UTC.
const page = document.documentElement.lang || "en";
// The reader's own kind of the page's language: someone in Leeds reads 14:05, someone in Ohio 2:05 PM.
const lang = navigator.languages.find((name) => name.startsWith(page)) ?? (page === "en" ? "en-GB" : page);
const clock = { hour: "2-digit", minute: "2-digit" };
const day = { day: "numeric", month: "short" };
const maker = (options) => new Intl.DateTimeFormat(lang, options);
const styles = {
  time: maker(clock),
  weekday: maker({ weekday: "long", ...clock }),
  dated: maker({ weekday: "long", ...day, ...clock }),
  date: maker({ weekday: "long", ...day, year: "numeric" }),
  full: maker({ ...day, year: "numeric", ...clock }),
};
const relative = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });

function ago(date, now) {
  const minutes = Math.round((date - now) / 60_000);
  if (Math.abs(minutes) < 60) return relative.format(minutes, "minute");
  if (Math.abs(minutes) < 12 * 60) return relative.format(Math.round(minutes / 60), "hour");
  return styles[Math.abs(minutes) < 6 * 24 * 60 ? "weekday" : "full"].format(date);
}

// Today needs no day, and a weekday alone is read as the nearest one.
function near(date, now) {
  const midnight = (moment) => new Date(moment).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(date) - midnight(now)) / 86_400_000);
  return styles[days === 0 ? "time" : days > 0 && days < 7 ? "weekday" : "dated"].format(date);
}

const sayings = { ago, weekday: near };

/** Localises every <time data-when> below root: "ago" is renewed each minute, the others are set once. */
export function localise(root = document, now = Date.now()) {
  for (const element of root.querySelectorAll("time[data-when]")) {
    const date = new Date(element.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    const as = element.dataset.when;
    const words = sayings[as]?.(date, now) ?? (styles[as] ?? styles.full).format(date);
    if (element.textContent !== words) element.textContent = words;
    element.title ||= styles.full.format(date);
  }
}

// A live region would read every renewed time aloud, so those stay as they were written.
setInterval(() => {
  if (document.hidden) return;
  for (const part of document.querySelectorAll("time[data-when='ago']")) {
    if (!part.closest("[role=log], [role=status], [aria-live]")) localise(part.parentElement);
  }
}, 60_000);
