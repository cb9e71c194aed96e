// The open case: its claim goes on while somebody looks at it, and they are told when it changed meanwhile. Who may not see it any
// more is left with what they typed, and with nothing of the case.
import { onChanges } from "./moderation.desk.mjs";
import { say } from "./core.say.mjs";

const RENEW_MS = 60_000;
const SELDOM_MS = 30_000;
const page = document.querySelector("[data-case-open]");
const id = page.dataset.caseOpen;
const token = page.querySelector("[name=csrf_token]")?.value ?? document.querySelector("[name=csrf_token]").value;
const ours = { "X-Requested-With": "kith" };
const all = (what) => [...page.querySelectorAll(`[data-${what}]`)]; // at the top, and again where one decides
const isShown = (what) => all(what).some((one) => !one.hidden);
const watched = page.hasAttribute("data-watched");
let gone = false;
let looked = 0;

async function renew() {
  if (document.hidden || gone || isShown("claim-ended")) return;
  const answer = await fetch(`/desk/cases/${id}/renew`, { method: "POST", headers: { ...ours, "X-CSRFToken": token } });
  const said = await answer.json();
  if (answer.ok) {
    const until = page.querySelector("[data-until]");
    until.dateTime = said.until;
    until.textContent = new Intl.DateTimeFormat(navigator.language, { hour: "2-digit", minute: "2-digit" }).format(new Date(said.until));
    return;
  }
  if (await look()) return;
  for (const ended of all("claim-ended")) {
    ended.textContent = said.error;
    ended.hidden = false;
  }
  say(said.error);
}

function attempt() {
  renew().catch((problem) => console.warn("the claim is renewed at the next turn:", problem));
}

if (page.hasAttribute("data-holding")) {
  for (const part of all("goes-on")) part.hidden = false;
  setInterval(attempt, RENEW_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) attempt(); });
}

/** Whether the case changed, or may not be seen any more; the page then says so. */
async function look() {
  if (gone) return true;
  looked = Date.now();
  const answer = await fetch(`/desk/cases/${id}/version`, { headers: ours });
  if (answer.status === 401) return clear("You are signed out, so this case is not shown any more.");
  if ([403, 404].includes(answer.status)) return clear("You cannot see this case any more: your certificate, your rooms or your role changed.");
  if (!answer.ok || isShown("changed")) return isShown("changed"); // out of reach: the next poll asks again
  if (String((await answer.json()).version) === page.dataset.version) return false;
  if (!watched) return false;
  for (const changed of all("changed")) changed.hidden = false;
  say("This case changed while you were looking at it.");
  return true;
}

function clear(why) {
  gone = true;
  const typed = [...page.querySelectorAll("textarea")].map((box) => box.value.trim()).filter(Boolean);
  const sentence = Object.assign(document.createElement("p"), { className: "notice notice-warn", textContent: why });
  const link = Object.assign(document.createElement("a"), { className: "btn", href: "/desk", textContent: "To the desk" });
  const way = document.createElement("p");
  way.append(link);
  page.replaceChildren(sentence, ...typed.flatMap(kept), way);
  document.querySelector(".skip-case")?.remove();
  document.title = document.title.replace(/Case \d+/, "Desk");
  page.removeAttribute("aria-labelledby");
  say(why);
  return true;
}

function kept(words) {
  const head = Object.assign(document.createElement("h1"), { textContent: "What you wrote" });
  const box = Object.assign(document.createElement("div"), { className: "sheet words-inline", dir: "auto", textContent: words });
  return [head, box];
}

onChanges((cases, there) => {
  if (gone || !(cases.includes(Number(id)) || (there && !there.has(Number(id))))) return;
  if ((!watched || isShown("changed")) && Date.now() - looked < SELDOM_MS) return; // only whether it may still be seen
  look().catch((problem) => console.warn("the case is looked at again in a moment:", problem));
});
