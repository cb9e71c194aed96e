// Keeps the desk's lists as the database has them. The socket is a courtesy: it says which case changed. The poll is the
// promise: it runs all the time, so a lost event costs seconds. Cards come from the server, which checks who may see them.
import { io } from "../vendor/socket.io.esm.min.js";
import { countOneMore } from "./core.badge.mjs";
import { fetchFragment } from "./core.html.mjs";
import { released } from "./core.press.mjs";
import { say } from "./core.say.mjs";

const POLL_MS = 4_000;
const REORDER_MS = 30_000;
const MANY = 6;
const desk = document.querySelector("[data-desk]");
const open = desk.dataset.open ?? "";
const aPage = desk.hasAttribute("data-page"); // further down one lane: nothing moves under the reader's hand
const listeners = [];

/** The open case listens here: called with the ids that changed, and with all that are there (or null). */
export function onChanges(act) {
  listeners.push(act);
}

const lists = () => desk.querySelector("[data-lanes]");
const cards = () => [...desk.querySelectorAll("[data-case]")];
const cardOf = (id) => desk.querySelector(`[data-case="${Number(id)}"]`);

// ---- order, as in desk.py: graver first, then overdue, then the second signal, then due earlier, then older

const isLate = (card) => Date.parse(card.dataset.due) <= Date.now();

function goesBefore(one, other) {
  return (
    other.dataset.rank - one.dataset.rank ||
    isLate(other) - isLate(one) ||
    other.dataset.score - one.dataset.score ||
    Date.parse(one.dataset.due) - Date.parse(other.dataset.due) ||
    one.dataset.case - other.dataset.case
  );
}

function place(card) {
  const lane = desk.querySelector(`section[data-lane="${card.dataset.lane}"]`);
  if (!lane) return card.remove();
  const list = lane.querySelector("ol");
  const next = [...list.children].find((other) => other !== card && goesBefore(card, other) < 0) ?? null;
  if (card.parentElement !== list || card.nextElementSibling !== next) list.insertBefore(card, next);
}

let counts = null; // as the last poll told them; a lane whose end is not on the page cannot count itself

function settle() {
  for (const lane of desk.querySelectorAll("section[data-lane]")) {
    const list = lane.querySelector("ol");
    const here = list.children.length;
    const rest = lane.querySelector("[data-rest]");
    const all = rest ? (counts?.[lane.dataset.lane] ?? Number(rest.dataset.rest) + here) : here;
    lane.querySelector("[data-count]").textContent = all;
    if (rest) rest.dataset.rest = Math.max(all - here, 0);
    if (rest) rest.textContent = `${rest.dataset.rest} more, less urgent`;
    if (rest) rest.parentElement.hidden = all <= here;
    list.hidden = here === 0;
    lane.querySelector("[data-none]").hidden = here > 0;
    if (["mine", "appeals"].includes(lane.dataset.lane)) lane.hidden = here === 0;
  }
  const waiting = Number(desk.querySelector('section[data-lane="urgent"] [data-count]')?.textContent ?? 0);
  document.title = document.title.replace(/^(\(\d+\) )?/, waiting ? `(${waiting}) ` : "");
}

function markOverdue() {
  for (const card of cards()) {
    const due = card.querySelector(".due:not(.overdue)");
    if (!due || "held" in card.dataset || Date.parse(card.dataset.due) > Date.now()) continue;
    due.classList.add("overdue");
    due.firstChild.textContent = "Overdue, was due ";
  }
}

// ---- one card, or all of them

async function renew(id) {
  const old = cardOf(id);
  let fresh;
  try {
    fresh = (await fetchFragment(`/desk/cases/${id}/card?open=${open}`)).querySelector("[data-case]");
  } catch (problem) {
    if (problem.status !== 404) throw problem;
    remove(old);
    return;
  }
  if (old && old.dataset.version === fresh.dataset.version && old.dataset.lane === fresh.dataset.lane) return;
  await released();
  keepingFocus(() => {
    old?.remove();
    place(fresh);
  });
  if (!old) tell(fresh);
}

function remove(card) {
  if (!card) return;
  const hadFocus = card.contains(document.activeElement);
  const next = card.nextElementSibling ?? card.previousElementSibling;
  card.remove();
  if (hadFocus) (next?.querySelector("a") ?? document.getElementById("content")).focus({ preventScroll: true });
}

function keepingFocus(act) {
  const held = document.activeElement?.closest?.("[data-case]")?.dataset.case;
  const list = lists();
  const scrolled = list?.scrollTop;
  act();
  if (held && !document.activeElement?.closest?.("[data-case]")) cardOf(held)?.querySelector("a")?.focus({ preventScroll: true });
  if (list) list.scrollTop = scrolled;
}

function tell(card) {
  say(`New ${card.dataset.severity} case in ${card.dataset.room}`);
  card.classList.add("is-new");
}

async function renewAll() {
  const fresh = await fetchFragment(`/desk?open=${open}`);
  await released();
  const before = new Set(cards().map((card) => card.dataset.case));
  const opened = fresh.querySelector("[data-lanes]");
  if (!lists()) return location.reload(); // the desk was closed when this page was made
  if ("nothing" in opened.dataset && !open) return location.reload(); // and now it is closed: the page says why
  keepingFocus(() => lists().replaceWith(opened));
  desk.dataset.beat = opened.dataset.beat;
  const news = cards().filter((card) => !before.has(card.dataset.case));
  if (news.length === 1) tell(news[0]);
  else if (news.length) say(`${news.length} new cases`);
}

// ---- what changed: from the socket at once, from the poll in any case

let queue = Promise.resolve();
function next(act) {
  queue = queue.then(act).catch((problem) => console.warn("the desk asks again in a moment:", problem)).then(settle);
  return queue;
}

let since = desk.dataset.now;

async function poll() {
  const answer = await fetch(`/desk/changes?since=${encodeURIComponent(since)}`, { headers: { "X-Requested-With": "kith" } });
  if ([401, 403, 404].includes(answer.status)) return shut();
  if (!answer.ok) throw new Error(`changes: ${answer.status}`);
  const { now, cases, here, beat, lanes } = await answer.json();
  since = now;
  const there = new Set(here);
  if (beat !== desk.dataset.beat) await renewAll();
  if (!aPage) {
    for (const card of cards()) if (!there.has(Number(card.dataset.case))) keepingFocus(() => remove(card));
    if (cases.length > MANY) await renewAll();
    else for (const id of cases) await renew(id);
  }
  counts = aPage ? null : lanes;
  for (const act of listeners) act(cases, there);
}

/** Nobody on the team any more, or suspended: nothing of the desk stays on the screen. */
function shut() {
  if (!open) return location.reload();
  lists()?.replaceChildren();
  for (const act of listeners) act([], new Set());
}

function beat() {
  next(poll).finally(() => setTimeout(beat, POLL_MS * (document.hidden ? 3 : 1)));
}

const line = { transports: ["websocket"], reconnectionDelay: 500, reconnectionDelayMax: 10_000 };
const socket = io("/desk", line);
io("/", line).on("notification_added", countOneMore); // over the same connection
socket.on("case_changed", ({ case: id }) => {
  if (!aPage && lists()) next(() => renew(id));
  for (const act of listeners) act([id], null);
});
socket.on("desk_changed", () => next(renewAll));
socket.on("connect", () => next(poll));
socket.on("disconnect", (reason) => {
  if (reason !== "io server disconnect") return;
  next(poll); // authority may have ended
  setTimeout(() => socket.connect(), 5_000);
});

setInterval(() => {
  if (document.hidden || aPage) return;
  markOverdue();
}, REORDER_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden) next(poll); });
if (lists()) settle();
setTimeout(beat, POLL_MS);
