// Forms work without this. It saves words from being sent twice, cut off or lost.
import { say } from "./core.say.mjs";

const PREFIX = "kith:draft:";
const KEPT_DAYS = 7;
const person = document.body.dataset.person ?? "";
const sizesItself = CSS.supports("field-sizing", "content");

// Storage may be forbidden or full: then drafts are not kept, and writing goes on.
function store(action) {
  try { return action(); } catch { return undefined; }
}

function release(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[aria-disabled=true]")) button.removeAttribute("aria-disabled");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "1";
  event.submitter?.setAttribute("aria-disabled", "true");
  setTimeout(release, 15_000, form);
  if (form.hasAttribute("data-sign-out")) {
    keeping = false;
    forgetDrafts();
  } else if (form.dataset.draft) {
    keep(form);
    store(() => sessionStorage.setItem("kith:sent", keyOf(form)));
  }
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));

// ---- drafts

const keyOf = (form) => `${PREFIX}${person}:${form.dataset.draft}`;
const WORDS = "textarea, input[type=text], input:not([type])";
const CHOICES = "select, input[type=checkbox], input[type=radio], input[type=date], input[type=datetime-local], input[type=number]";
const ticked = "[type=checkbox], [type=radio]";
const fieldsOf = (form, kind = WORDS) => [...form.elements].filter((field) => field.name && field.matches(kind));
const nameOf = (choice) => (choice.matches(ticked) ? `${choice.name}=${choice.value}` : choice.name);
const chosen = (choice) => (choice.matches(ticked) ? choice.checked : choice.value);

function usual(choice) {
  if (choice.matches(ticked)) return choice.defaultChecked;
  if (!choice.options) return choice.defaultValue;
  return ([...choice.options].find((option) => option.defaultSelected) ?? choice.options[0])?.value;
}

function choose(choice, state) {
  choice[choice.matches(ticked) ? "checked" : "value"] = state;
  for (const type of ["input", "change"]) choice.dispatchEvent(new Event(type, { bubbles: true }));
}

let keeping = true;

function keep(form) {
  if (!keeping) return;
  const words = Object.fromEntries(fieldsOf(form).map((field) => [field.name, field.value]));
  const made = fieldsOf(form, CHOICES).filter((choice) => chosen(choice) !== usual(choice));
  const choices = Object.fromEntries(made.map((choice) => [nameOf(choice), chosen(choice)]));
  const key = keyOf(form);
  store(() => {
    if (Object.values(words).some((value) => value.trim())) {
      localStorage.setItem(key, JSON.stringify({ at: Date.now(), words, choices }));
    } else localStorage.removeItem(key);
  });
}

/** Page code that sends a form itself calls this once the server has the words. */
export function forgetDraft(form) {
  clearTimeout(timers.get(form));
  store(() => localStorage.removeItem(keyOf(form)));
}

// Devices are shared: nothing unsent stays behind after signing out.
function forgetDrafts(older = Infinity) {
  store(() => {
    for (const key of Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))) {
      const at = store(() => JSON.parse(localStorage.getItem(key)).at) ?? 0;
      if (at < older) localStorage.removeItem(key);
    }
  });
}

function restore(form) {
  const kept = store(() => JSON.parse(localStorage.getItem(keyOf(form))));
  if (!kept?.words) return;
  const empty = fieldsOf(form).filter((field) => !field.value && kept.words[field.name]);
  if (!empty.length) return;
  for (const field of empty) {
    field.value = kept.words[field.name];
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  const changed = fieldsOf(form, CHOICES).filter((choice) => nameOf(choice) in (kept.choices ?? {}));
  for (const choice of changed) choose(choice, kept.choices[nameOf(choice)]);
  const note = document.createElement("p");
  note.className = "hint row";
  const drop = document.createElement("button");
  drop.type = "button";
  drop.className = "btn btn-quiet";
  drop.textContent = "Throw away";
  drop.addEventListener("click", () => {
    for (const field of empty) {
      field.value = "";
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    for (const choice of changed) choose(choice, usual(choice));
    forgetDraft(form);
    note.remove();
    empty[0].focus();
  });
  note.append(`These are your unsent words${changed.length ? " and choices" : ""}, kept on this device only.`, drop);
  form.prepend(note);
}

// Sent words are forgotten only when the server said so: it redirected to a good page of the same person.
// An error page, a refused form, a lost connection or a sign-in page on the way keep them.
function settleSent() {
  const key = store(() => sessionStorage.getItem("kith:sent"));
  if (!key) return;
  store(() => sessionStorage.removeItem("kith:sent"));
  const [visit] = performance.getEntriesByType("navigation");
  const stored = visit?.type === "navigate" && visit.redirectCount > 0 && key.startsWith(`${PREFIX}${person}:`);
  if (stored && !document.querySelector(".errors, .error-page, .notice-error, [aria-invalid=true]")) {
    store(() => localStorage.removeItem(key));
  }
}

// ---- size and length of what is written

function measure(area) {
  if (!sizesItself && area.matches("textarea")) {
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight + 4}px`;
  }
  if (!area.dataset.max) return;
  const most = Number(area.dataset.max);
  const left = most - [...area.value].length;
  let counter = area.nextElementSibling;
  if (!counter?.classList.contains("counter")) {
    counter = document.createElement("p");
    counter.className = "counter";
    area.after(counter);
  }
  const over = left < 0;
  if (over && !counter.classList.contains("is-over")) say(`Too long by ${-left}. Nothing is cut off.`);
  counter.classList.toggle("is-over", over);
  counter.textContent = over ? `${-left} too many` : left <= most / 5 ? `${left} left` : "";
}

const timers = new WeakMap();
document.addEventListener("input", ({ target }) => {
  if (!target.matches?.("textarea, input, select")) return;
  if (!target.options) measure(target);
  const form = target.form;
  if (!form?.dataset.draft) return;
  clearTimeout(timers.get(form));
  timers.set(form, setTimeout(keep, 400, form));
});
addEventListener("pagehide", () => {
  for (const form of document.querySelectorAll("form[data-draft]:not([data-sent])")) if (timers.has(form)) keep(form);
});

settleSent();
forgetDrafts(Date.now() - KEPT_DAYS * 86_400_000);
for (const form of document.querySelectorAll("form[data-draft]")) {
  if (fieldsOf(form).some((field) => field.value !== field.defaultValue)) timers.set(form, setTimeout(keep, 400, form)); // typed before this ran
  restore(form);
}
for (const area of document.querySelectorAll("textarea")) measure(area);
