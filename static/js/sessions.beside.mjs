// Beside the chat of a session: the panel follows what happens, and its buttons work without leaving the page.
import { fetchFragment } from "./core.html.mjs";
import { say } from "./core.say.mjs";

const STEP_MS = 30_000; // the plan's current step moves with the clock
const room = document.querySelector(".chat[data-room]")?.dataset.room;
let session = document.querySelector("[data-beside] h2 a")?.getAttribute("href").split("/").pop();

async function fresh() {
  if (!room) return;
  try {
    const made = (await fetchFragment(`/sessions/of-room/${room}/beside`)).querySelector("[data-beside]");
    const shown = document.querySelector("[data-beside]");
    const says = document.querySelector("[data-session-says]");
    const sentence = made.querySelector("[data-says]");
    if (says.textContent.trim() !== sentence.textContent.trim()) says.replaceChildren(...sentence.cloneNode(true).childNodes);
    if (!shown.contains(document.activeElement) || document.activeElement.tagName !== "INPUT") keepingFocus(shown, made);
  } catch (error) {
    if (error.status === 404) location.href = `/sessions/${session}`;
  }
}

/** The same button has the focus afterwards, if it is still there. */
function keepingFocus(shown, made) {
  const held = shown.contains(document.activeElement) ? document.activeElement : null;
  const action = held?.form?.getAttribute("action");
  const open = [...shown.querySelectorAll("details[open] > summary")].map((each) => each.textContent);
  for (const summary of made.querySelectorAll("details > summary")) summary.parentElement.open = open.includes(summary.textContent);
  shown.replaceWith(made);
  const same = [...made.querySelectorAll("form")].find((form) => form.getAttribute("action") === action);
  if (held) same?.querySelector("button")?.focus();
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-session-act]");
  if (!form || !room) return;
  event.preventDefault();
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "X-Requested-With": "kith" } });
    const { ok, error } = await answer.json();
    if (!ok) say(error);
    await fresh();
  } catch { say("No answer came. Please try again in a moment."); }
});
document.addEventListener("kith:session-changed", ({ detail }) => {
  session = detail.session;
  fresh();
});
setInterval(fresh, STEP_MS);
