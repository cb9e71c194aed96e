// Beside the chat of a session: the panel follows what happens, and its buttons work without leaving the page.
import { fetchFragment } from "./core.html.mjs";
import { released } from "./core.press.mjs";
import { say } from "./core.say.mjs";

const STEP_MS = 15_000; // the plan's current step moves with the clock; a facilitator's screen that asks is there
const HERD_MS = 400; // everybody hears of a change at once, so not everybody asks at once
const room = document.querySelector(".chat[data-room]")?.dataset.room;
const panel = document.querySelector("[data-session-side]");
let soon = 0;

async function fresh() {
  soon = 0;
  try {
    const made = (await fetchFragment(`/sessions/of-room/${room}/beside`)).querySelector("[data-session-side]");
    await released();
    take(made);
  } catch (error) {
    if (error.status === 404) await goOn();
  }
}

/** This room is over for this person: to everybody, or to the session's page, which says what happened. */
async function goOn() {
  const answer = await fetch(`/sessions/${panel.dataset.sessionSide}/place`, { headers: { "X-Requested-With": "kith" } });
  location.href = (answer.ok && (await answer.json()).to) || `/sessions/${panel.dataset.sessionSide}`;
}

function take(made) {
  const says = document.querySelector("[data-session-says]");
  const sentence = made.querySelector("[data-says]");
  if (says.textContent.trim() !== sentence.textContent.trim()) says.replaceChildren(...sentence.cloneNode(true).childNodes);
  const { calls } = made.dataset;
  if (calls && calls !== panel.dataset.calls) say(calls);
  panel.dataset.calls = calls;
  const mark = document.querySelector(".to-side .count");
  mark.textContent = made.dataset.count;
  mark.hidden = made.dataset.count === "0";
  const typing = panel.contains(document.activeElement) && document.activeElement.tagName === "INPUT";
  if (!typing) keepingPlace(made);
}

/** What was open stays open, and the same button has the focus, if it is still there. */
function keepingPlace(made) {
  const held = panel.contains(document.activeElement) ? document.activeElement : null;
  const action = held?.form?.getAttribute("action");
  const open = [...panel.querySelectorAll("details[open] > summary")].map((each) => each.textContent);
  for (const summary of made.querySelectorAll("details > summary")) summary.parentElement.open = open.includes(summary.textContent);
  const top = panel.scrollTop;
  panel.replaceChildren(...made.childNodes);
  panel.scrollTop = top;
  if (!held) return;
  const same = [...panel.querySelectorAll("form")].find((form) => form.getAttribute("action") === action);
  (same?.querySelector("button") ?? panel).focus();
}

function refused(sentence) {
  const place = panel.querySelector("[data-refused]");
  place.textContent = sentence;
  place.hidden = false;
  place.scrollIntoView({ block: "nearest" });
  say(sentence);
}

panel.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-session-act]");
  if (!form || !room) return;
  event.preventDefault();
  if (form.dataset.sent) return; // two presses are one act
  form.dataset.sent = "1";
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "X-Requested-With": "kith" } });
    const { ok, error } = await answer.json();
    await fresh();
    if (!ok) refused(error);
  } catch {
    refused("No answer came. Please try again in a moment.");
  } finally { delete form.dataset.sent; }
});

document.addEventListener("kith:session-changed", ({ detail }) => {
  if (String(detail.session) === panel.dataset.sessionSide) soon ||= setTimeout(fresh, HERD_MS * Math.random());
});
if (room) setInterval(fresh, STEP_MS);
