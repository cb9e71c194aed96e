// How far a chat was read, on every page of it: told to the server now and then and when the page is left. Links to messages.
import { say } from "./core.say.mjs";

const AT_END_PX = 60;
const FIRST_MS = 4_000;
const LATER_MS = 30_000; // a busy room has many readers, and each telling is a write

const chat = document.querySelector(".chat[data-read]");
const scroller = chat.querySelector(".messages");
const list = chat.querySelector(".message-list");
const lastShown = () => Number([...list.querySelectorAll(".message[data-seq]")].at(-1)?.dataset.seq ?? 0);

// ---- what has been seen

let told = Number(chat.dataset.since ?? -1); // -1: never here before; then even an empty chat is told
let seen = told;
let timer = 0;
let pause = FIRST_MS;

/** Seen is what stands above the end of the list while somebody looks at it. */
function look() {
  if (document.hidden || Math.abs(scroller.scrollTop) > AT_END_PX) return;
  seen = Math.max(seen, lastShown(), Number(chat.dataset.shown));
  if (seen > told) timer ||= setTimeout(tell, pause);
}

function fields() {
  const made = new FormData();
  made.set("csrf_token", document.querySelector("[data-sign-out] [name=csrf_token]").value);
  made.set("seq", seen);
  return made;
}

async function tell() {
  const seq = seen;
  pause = LATER_MS * (0.8 + Math.random() / 2.5);
  try {
    const answer = await fetch(chat.dataset.read, { method: "POST", body: fields(), headers: { "X-Requested-With": "kith" }, redirect: "error" });
    if (answer.status < 500 && answer.status !== 429) told = Math.max(told, seq); // refused for good: not asked again
    if (answer.ok) showUnread((await answer.json()).unread);
  } catch { /* no connection: leaving the page, or the next turn, tells it */ }
  timer = 0;
  look();
}

function showUnread(number) {
  const badge = document.querySelector(".site-nav [data-unread]");
  if (number) badge?.firstChild.replaceWith(number < 100 ? String(number) : "99+");
  else badge?.remove();
}

/** The page may never run again. */
function leave() {
  if (seen > told) {
    told = seen;
    if (!navigator.sendBeacon?.(chat.dataset.read, fields())) {
      fetch(chat.dataset.read, { method: "POST", body: fields(), keepalive: true }).catch(() => { told = -1; });
    }
  }
  if (seen >= lastShown()) document.dispatchEvent(new CustomEvent("kith:left-off", { detail: seen }));
}

document.addEventListener("visibilitychange", () => (document.hidden ? leave() : look()));
addEventListener("pagehide", leave);
scroller.addEventListener("scroll", look, { passive: true });
new MutationObserver(look).observe(list, { childList: true });
look();

// ---- the way to the first unread message

const way = chat.querySelector(".first-unread");
const newsLine = () => document.getElementById("new-since");

if (way) {
  const sight = new IntersectionObserver(([line]) => {
    way.hidden = line.isIntersecting || line.boundingClientRect.top > line.rootBounds?.top;
    if (line.isIntersecting) sight.disconnect(); // found once, it is in the way
  }, { root: scroller });
  requestAnimationFrame(() => { if (newsLine()) sight.observe(newsLine()); });
  way.addEventListener("click", (event) => {
    if (!newsLine()) return;
    event.preventDefault();
    goTo(newsLine(), "start");
    way.hidden = true;
  });
}

// ---- links to messages

/** Focus moves because the reader asked for this place. */
function goTo(node, block) {
  node.tabIndex = -1;
  node.focus({ preventScroll: true });
  node.scrollIntoView({ block });
}

list.addEventListener("click", async (event) => {
  const link = event.target.closest(".message-link");
  if (!link || !navigator.clipboard) return; // then it is followed, and the address is the link
  event.preventDefault();
  try {
    await navigator.clipboard.writeText(link.href);
    link.textContent = "Link copied";
    say("Link copied");
  } catch { location.href = link.href; }
});

const target = /^#(message-\d+|new-since)$/.test(location.hash) && document.getElementById(location.hash.slice(1));
if (target) requestAnimationFrame(() => goTo(document.getElementById(target.id) ?? target, target.id === "new-since" ? "start" : "center"));
