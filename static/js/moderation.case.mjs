// The open case: its claim goes on while somebody looks at it, and they are told when it changed meanwhile.
import { onChanges } from "./moderation.desk.mjs";
import { fetchFragment } from "./core.html.mjs";
import { say } from "./core.say.mjs";

const RENEW_MS = 60_000;
const page = document.querySelector("[data-case-open]");
const id = page.dataset.caseOpen;
const token = page.querySelector("[name=csrf_token]")?.value ?? document.querySelector("[name=csrf_token]").value;
const changed = page.querySelector("[data-changed]");
const ended = page.querySelector("[data-claim-ended]");
const until = page.querySelector("[data-until]");

async function renew() {
  if (document.hidden || !ended.hidden) return;
  const answer = await fetch(`/desk/cases/${id}/renew`, {
    method: "POST",
    headers: { "X-Requested-With": "kith", "X-CSRFToken": token },
  });
  const said = await answer.json();
  if (answer.ok) {
    until.dateTime = said.until;
    until.textContent = new Intl.DateTimeFormat(navigator.language, { hour: "2-digit", minute: "2-digit" }).format(new Date(said.until));
    return;
  }
  ended.textContent = said.error;
  ended.hidden = false;
  say(said.error);
}

function attempt() {
  renew().catch((problem) => console.warn("the claim is renewed at the next turn:", problem));
}

if (page.hasAttribute("data-holding")) {
  setInterval(attempt, RENEW_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) attempt(); });
}

async function look() {
  if (!changed.hidden) return;
  let version = "";
  try {
    version = (await fetchFragment(`/desk/cases/${id}/card`)).querySelector("[data-case]").dataset.version;
  } catch (problem) {
    if (problem.status !== 404) return; // out of reach: the next poll asks again
  }
  if (version === page.dataset.version) return;
  changed.hidden = false;
  say("This case changed while you were looking at it.");
}

if (page.hasAttribute("data-watched")) {
  onChanges((cases, there) => {
    if (cases.includes(Number(id)) || (there && !there.has(Number(id)))) look();
  });
}
