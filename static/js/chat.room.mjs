// A room's chat, live. The page works without this: it then shows the newest messages and sends a form.
import { fetchFragment } from "./core.html.mjs";
import { forgetDraft } from "./core.forms.mjs";
import { say } from "./core.say.mjs";
import { countOneMore } from "./core.badge.mjs";
import { Aloud } from "./chat.aloud.mjs";
import { Here } from "./chat.here.mjs";
import { Ledger } from "./chat.ledger.mjs";
import { Lines, element, readLines } from "./chat.lines.mjs";
import { Link } from "./chat.link.mjs";
import { oneMenu, quoteLine } from "./chat.menu.mjs";
import { muting } from "./chat.fold.mjs";
import { Hours } from "./chat.hours.mjs";
import { Outbox } from "./chat.outbox.mjs";
import { Typing } from "./chat.typing.mjs";

const AT_END_PX = 60;
const MANY = 4;
const SHOWN_AGAIN = 50;
const TRY_AGAIN_MS = 3_000;
const DOWN_MS = 1_500;

const chat = document.querySelector(".chat[data-room]");
const scroller = chat.querySelector(".messages");
const list = chat.querySelector(".message-list");
const connection = chat.querySelector(".connection");
const composer = chat.querySelector("form.composer[data-draft]");
const box = composer?.elements.body;
const jump = chat.querySelector(".jump");
const room = Number(chat.dataset.room);
const me = Number(chat.dataset.me);

const ledger = new Ledger(Number(chat.dataset.start), Number(chat.dataset.through));
ledger.settle({ messages: readLines(list), start: ledger.start, through: ledger.through, ...JSON.parse(chat.dataset.beside) });
const outbox = new Outbox(safely(() => localStorage), `kith:draft:${document.body.dataset.person}:outbox-${room}`);
const hours = new Hours(chat.querySelector("[data-hours]"), chat.dataset.path ?? location.pathname, hourChanged);
const lines = new Lines(list, me, { again, takeBack }, muting(JSON.parse(chat.dataset.muted ?? "[]")), {
  ledger, hours, editMs: Number(chat.dataset.edit) * 60_000, since: Number(chat.dataset.since ?? Infinity),
});
const path = chat.dataset.path ?? location.pathname;
const aloud = new Aloud(scroller, chat.querySelector(".aloud button"), safely(() => localStorage), `kith:quiet:${document.body.dataset.person}`);
const here = new Here(chat.querySelector("[data-here]"), path);
const typing = new Typing("typing" in chat.dataset ? chat.querySelector(".typing") : null, box, chat.dataset.typing && (() => link.typing()));
const inFlight = new Set();
let unread = 0;

function safely(act) {
  try { return act(); } catch { return undefined; }
}

// ---- the screen

/** Changes the list so that what is being read stays where it is, and the end stays the end. */
function change(act, { quiet = false } = {}) {
  const end = atEnd();
  const held = end ? null : [...list.querySelectorAll(".message")].find((line) => bottom(line) > top(scroller));
  const was = held ? top(held) : 0;
  if (quiet) aloud.hush();
  act();
  if (end) toEnd();
  else if (held?.isConnected) scroller.scrollTop += top(held) - was;
}

const top = (node) => node.getBoundingClientRect().top;
const bottom = (node) => node.getBoundingClientRect().bottom;
const atEnd = () => Math.abs(scroller.scrollTop) < AT_END_PX;

function toEnd() {
  scroller.scrollTop = 0; // the list grows upwards from its end
}

function show(options) {
  change(() => {
    const messages = ledger.messages;
    lines.show(messages, outbox.unseen(messages.filter((message) => message.author_id === me)));
    if (messages.length || outbox.entries.length) list.querySelector(".nothing-yet")?.remove();
  }, options);
}

function countUnread(more) {
  if (atEnd()) more = unread = 0;
  unread += more;
  if (!jump) return;
  jump.hidden = unread === 0;
  jump.textContent = unread === 1 ? "1 new message" : `${unread} new messages`;
}

jump?.addEventListener("click", () => {
  toEnd();
  countUnread(0);
  scroller.focus({ preventScroll: true });
});
scroller.addEventListener("scroll", () => { if (unread) countUnread(0); }, { passive: true });

/** `onward`: the words of a link and where it leads. */
function tell(sentence, onward) {
  if ((connection.firstChild?.data ?? "") === sentence) return; // said once
  connection.textContent = sentence;
  if (onward) connection.append(" ", linkTo(...onward));
}

function linkTo(words, href) {
  const made = element("a", "", words);
  made.href = href;
  return made;
}

// ---- reading

// Whoever comes back to this page finds a line above what came meanwhile.
document.addEventListener("kith:left-off", ({ detail: seq }) => {
  lines.since = seq;
  show({ quiet: true });
});

const known = () => new Set(ledger.messages.map((message) => message.seq));

/** Runs `act`, shows what it brought, and says how much of it is new. */
async function bring(act) {
  const before = known();
  await act();
  const fresh = ledger.messages.filter((message) => !before.has(message.seq) && message.author_id !== me);
  show({ quiet: fresh.length >= MANY });
  if (fresh.length >= MANY) aloud.say(`${fresh.length} new messages`);
  countUnread(fresh.length);
}

let catching = null;
/** Asks for everything after `from` until nothing is missing. One question at a time. */
function catchUp(from = ledger.asksFrom) {
  catching ??= bring(() => readOn(from)).then(() => reach(true), () => reach(false)).finally(() => {
    catching = null;
    if (link.entered && ledger.gap) catchUp();
  });
  return catching;
}

async function readOn(from) {
  for (let more = true; more;) {
    const touched = ledger.asking();
    const answer = await link.readAfter(from);
    if (!answer.ok) return refused(answer);
    ledger.settle(answer, touched);
    ({ through: from, more } = answer);
  }
  if (!link.entered && connection.dataset.refused) allowedAgain();
}

const GONE = "This room is not open to you any more. It was archived, or you are no longer in it.";

function refused(answer) {
  if (answer.code === "too-many") return;
  clearTimeout(downTimer);
  connection.dataset.refused = "1";
  if (answer.status === 404 || answer.code === "not-found") shut(GONE, ["To the rooms", "/"]);
  else if (answer.status === 403) shut(answer.error, ["Why, until when, and how to appeal", "/suspended"]);
  else if (answer.status === 401 || answer.code === "sign-in") {
    tell(answer.error, ["Sign in", `/sign-in?next=${encodeURIComponent(location.pathname)}`]);
  } else tell(answer.error);
}

/** The room is closed to this person. What was typed stays in the box, to be copied. */
function shut(sentence, onward) {
  tell(sentence, onward);
  if (link.shut) return;
  link.shut = true;
  standing({ may_write: false, sentence: "Nothing can be sent here now." });
}

list.addEventListener("click", async (event) => {
  const earlier = event.target.closest(".earlier a");
  const close = event.target.closest(".card-slot .btn-quiet[href]");
  if (!earlier && !close) return;
  event.preventDefault();
  if (close) return closeCard(close.closest(".support"));
  earlier.setAttribute("aria-disabled", "true");
  try {
    const touched = ledger.asking();
    const answer = await link.readBefore(ledger.start);
    if (!answer.ok) return refused(answer);
    ledger.settle(answer, touched);
    show({ quiet: true });
    say(`${answer.messages.length} earlier messages`);
    if (answer.more) return;
    change(() => earlier.parentElement.remove());
    scroller.focus({ preventScroll: true });
  } catch {
    location.href = earlier.href;
  } finally {
    earlier.removeAttribute("aria-disabled");
  }
});

list.addEventListener("submit", (event) => {
  const card = event.target.closest(".advice");
  if (!card) return;
  event.preventDefault();
  if (event.target.matches("[data-take-out]")) takeOut(card, Number(event.target.action.match(/messages\/(\d+)/)[1]));
  else link.send(event.target).then(() => closeCard(card), () => tell("No answer came. Please try again in a moment."));
});

const events = {
  message(message) {
    if (message.room !== room) return;
    const known = ledger.get(message.seq);
    typing.stops(message.author_id);
    if (ledger.hear(message)) {
      show();
      countUnread(known || message.author_id === me ? 0 : 1);
    }
    if (message.reply_to && !ledger.knowsQuote(message.reply_to)) learnQuote(message.reply_to);
    if (ledger.gap) catchUp();
  },
  message_hidden({ room: where, seq, version }) {
    if (where !== room) return;
    if (ledger.get(seq)?.author_id === me) catchUp(seq - 1); // its author still sees it, with the reason
    else if (ledger.hide(seq, version)) show({ quiet: true });
    if (ledger.gap) catchUp();
  },
  message_reacted(told) {
    if (told.room !== room) return;
    if (ledger.react(told)) show({ quiet: true });
    if (ledger.gap) catchUp();
  },
  own_reactions(told) {
    if (told.room === room && ledger.keepOwn(told)) show({ quiet: true });
  },
  here_changed({ room: where, here: count }) { if (where === room) here.show(count); },
  typing_noticed(told) { if (told.room === room && told.author_id !== me) typing.hear(told); },
  // Two people keep apart from now on, or no longer: both read what they see again, at once.
  apart_changed() {
    typing.clear();
    link.enter();
    catchUp(ledger.start - 1);
  },
  // Everybody in a room may hear this at once, so not everybody asks at once.
  standing_changed() { setTimeout(() => link.enter(), 1_500 * Math.random()); },
  session_changed(what) {
    link.enter();
    document.dispatchEvent(new CustomEvent("kith:session-changed", { detail: what }));
  },
  notification_added: countOneMore,
};

async function learnQuote(seq) {
  const answer = await link.readQuote(seq).catch(() => ({ ok: false })); // without it the line says that nothing is there
  if (!answer.ok) return;
  ledger.learn(answer);
  show({ quiet: true });
}

// ---- what people do with a message

oneMenu(list);

list.addEventListener("click", (event) => {
  const line = event.target.closest(".message");
  const quote = event.target.closest("a.quote");
  const act = event.target.closest(".message-reply, .message-kind, .message-take-back");
  const there = quote && list.querySelector(`.message[data-seq="${quote.dataset.seq}"]`);
  if (there) {
    event.preventDefault();
    there.tabIndex = -1;
    there.focus();
    there.scrollIntoView({ block: "center" });
  }
  if (!act || !line || (act.matches(".message-reply") && !box)) return;
  event.preventDefault();
  const message = ledger.get(Number(line.dataset.seq));
  const menu = act.closest(".message-menu");
  if (menu) menu.open = false;
  if (act.matches(".message-reply")) return answering(ledger.quote(message.seq));
  if (act.matches(".message-kind")) return kindly(message, act.dataset.kind);
  takeBackShown(message);
});

async function kindly({ id, seq }, kind) {
  try {
    const answer = await link.react(id, kind, !ledger.mine(seq).includes(kind));
    if (!answer.ok) return tell(answer.error);
    ledger.react(answer);
    ledger.keepOwn(answer);
    show({ quiet: true });
    list.querySelector(`[data-seq="${seq}"] .message-menu summary`)?.focus({ preventScroll: true });
    if (ledger.gap) catchUp();
  } catch { tell("No answer came. Please try again in a moment."); }
}

async function takeBackShown({ id, seq }) {
  try {
    const answer = await link.withdraw(id);
    if (!answer.ok) return tell(answer.error);
    ledger.hide(seq);
    show();
    if (box) putBack(answer);
  } catch { tell("No answer came. Please try again in a moment."); }
}

/** The next message answers this one; nothing: it does not. */
function answering(quote) {
  composer.elements.reply_to.value = quote?.seq ?? "";
  const says = composer.querySelector(".answering");
  says.replaceChildren();
  says.hidden = !quote;
  if (!quote) return;
  const stop = element("button", "btn btn-quiet", "Not an answer");
  stop.type = "button";
  stop.addEventListener("click", () => { answering(null); box.focus(); });
  says.append(quoteLine(quote), stop);
  box.focus();
}

composer?.querySelector(".answering a[href].btn")?.addEventListener("click", (event) => {
  event.preventDefault();
  answering(null);
});

// ---- the connection

const NO_SOCKET = "There is no live connection. New messages still come every few seconds, and what you write is sent.";
const OFFLINE = "You are offline. What you write is kept and sent when the connection is back.";
let lost = false;
let reached = true; // whether the last question was answered, on whichever road
let downTimer = setTimeout(tellLost, 2 * DOWN_MS); // the first connection may never come, without any error

function up(entered) {
  clearTimeout(downTimer);
  delete connection.dataset.refused;
  link.shut = false;
  reached = true;
  tell("");
  standing(entered);
  hours.learn(entered.hours);
  ledger.reaches(entered.last_seq);
  here.show(entered.here);
  if (lost) catchUp(ledger.start - 1); // what was hidden meanwhile goes as well
  else if (ledger.gap) catchUp();
  lost = false;
  flush();
}

function down() {
  if (lost) return; // each try to come back ends here as well
  lost = true;
  clearTimeout(downTimer);
  downTimer = setTimeout(tellLost, DOWN_MS);
}

function tellLost() {
  if (!connection.dataset.refused) tell(reached && navigator.onLine ? NO_SOCKET : OFFLINE);
}

function reach(answered) {
  if (answered === reached) return;
  reached = answered;
  if (lost) tellLost();
}

// A browser knows that it is offline long before its socket does.
addEventListener("offline", () => {
  lost = true;
  tellLost();
});

function allowedAgain() {
  lost = false;
  delete connection.dataset.refused;
  link.shut = false;
  down();
  link.enter();
}

function standing({ may_write, sentence }) {
  if (!composer) return;
  const says = composer.querySelector(".composer-says");
  if (may_write && box.disabled) box.disabled = false;
  box.readOnly = !may_write;
  composer.querySelector(".send").disabled = !may_write;
  if (!sentence && !("standing" in says.dataset)) return; // what it says is of the words in the box, and stays
  says.textContent = sentence;
  if (sentence && !link.shut) says.append(" ", linkTo("To the room’s page", `/rooms/${room}`));
  says.hidden = !sentence;
  says.className = "composer-says hint";
  says.toggleAttribute("data-standing", Boolean(sentence));
}

function hourChanged({ says, rules, writes, sentence }) {
  standing({ may_write: writes === "1", sentence });
  const told = composer?.querySelector(".composer-rules");
  if (told) Object.assign(told, { textContent: rules, hidden: !rules });
  show({ quiet: true });
  if (says) say(says);
}

// ---- writing

let flushing = false;
/** Sends what waits, in the order it was written. */
async function flush() {
  if (flushing) return;
  flushing = true;
  try {
    for (let entry; (entry = outbox.waiting[0]);) {
      if (!await deliver(entry)) {
        setTimeout(flush, TRY_AGAIN_MS);
        break;
      }
    }
  } finally { flushing = false; }
}

/** False when no answer came: the words wait and are sent again with the same key. */
async function deliver(entry) {
  let answer;
  inFlight.add(entry.key);
  try {
    answer = await link.write(entry);
  } catch {
    outbox.update(entry, "waiting");
    show();
    return false;
  } finally { inFlight.delete(entry.key); }
  if (answer.ok) await accepted(entry, answer);
  else {
    outbox.update(entry, "failed", answer.error);
    show();
    say(`Not sent. ${answer.error}`);
    if ([401, 404].includes(answer.status) || ["sign-in", "not-found"].includes(answer.code)) refused(answer);
  }
  return true;
}

async function accepted(entry, { message, held, support, personal }) {
  outbox.remove(entry);
  lines.sent.clear();
  lines.sent.add(message.seq);
  if (message.state === "withdrawn") ledger.hide(message.seq); // taken back in another window before this answer came
  else ledger.hear(message);
  show();
  if (held) say("Kept. A moderator reads it first; only you see it until then.");
  if (ledger.gap) catchUp();
  const cards = [];
  if (support) cards.push([`/support/${support}`, "Below your message is a private note with people you can talk to right now."]);
  if (personal) cards.push([`/personal/${personal}`, "Below your message is a private note: you may not want to share something in it."]);
  if (cards.length) await offer(message.seq, cards);
}

/** The writer's private cards, right by their message, in this order. Nobody's focus moves. */
async function offer(seq, cards) {
  const [[path, sentence], ...rest] = cards;
  try {
    const card = await fetchFragment(path);
    const wasAtEnd = atEnd();
    const slot = lines.cards.get(seq) ?? element("div", "card-slot");
    slot.setAttribute("aria-live", "off");
    slot.append(card);
    lines.cards.set(seq, slot);
    show();
    if (wasAtEnd) list.querySelector(`[data-seq="${seq}"]`)?.scrollIntoView({ block: "start" });
    say(sentence);
  } catch (error) {
    if (error.status !== 404) return setTimeout(offer, TRY_AGAIN_MS, seq, cards);
  }
  if (rest.length) await offer(seq, rest);
}

function closeCard(card) {
  const slot = card.closest(".card-slot");
  card.remove();
  if (!slot.childElementCount) for (const [seq, kept] of lines.cards) if (kept === slot) lines.cards.delete(seq);
  show();
  box?.focus();
}

/** Takes the message back from every screen and puts its words in the box, without what was noticed. */
async function takeOut(card, id) {
  try {
    const answer = await link.withdraw(id);
    if (!answer.ok) return box ? refuse(answer.error) : tell(answer.error);
    closeCard(card);
    lines.cards.delete(answer.seq);
    if (ledger.hide(answer.seq)) show();
    if (box) putBack(answer);
  } catch { tell("No answer came. Please try again in a moment."); }
}

function putBack({ body, without }) {
  const before = box.value ? `${box.value}\n` : "";
  fill(before + without);
  const says = composer.querySelector(".composer-says");
  says.className = "composer-says hint";
  says.hidden = false;
  delete says.dataset.standing;
  says.textContent = "You took your message back. Nothing is sent until you press Send. ";
  if (without !== body) {
    const whole = element("button", "btn btn-quiet", "Put it back as it was");
    whole.type = "button";
    whole.addEventListener("click", () => { fill(before + body); whole.remove(); box.focus(); });
    says.append(whole);
  }
  box.focus();
  say("You took your message back. Its words are in the box.");
}

function again(entry) {
  outbox.update(entry, "sending");
  show();
  box?.focus();
  flush();
}

function takeBack(entry) {
  outbox.remove(entry);
  fill(box.value ? `${box.value}\n${entry.body}` : entry.body);
  show();
  box.focus();
}

function fill(words) {
  box.value = words;
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

function refuse(sentence) {
  const says = composer.querySelector(".composer-says");
  says.textContent = sentence;
  says.hidden = false;
  says.className = "composer-says error";
  delete says.dataset.standing;
  say(sentence);
}

composer?.addEventListener("submit", (event) => {
  event.preventDefault();
  const words = box.value;
  const longest = Number(chat.dataset.longest);
  if (composer.querySelector(".send").disabled || !words.trim()) return box.focus();
  if ([...words].length > longest) return refuse(`This is too long by ${[...words].length - longest} characters. Nothing is cut off: shorten it or send it in two parts.`);
  composer.querySelector(".composer-says").hidden = true;
  const { note, reply_to: answered } = composer.elements;
  outbox.add(words, ledger.newest, { note: note.value, reply_to: Number(answered.value) || null });
  fill("");
  note.value = "";
  note.closest("details").open = false;
  answering(null);
  forgetDraft(composer);
  typing.sent();
  show();
  toEnd();
  countUnread(0);
  box.focus();
  flush();
});

// Enter sends where there is a keyboard for it; on a phone it begins a new line, as people expect there.
const typesWithThumbs = matchMedia("(pointer: coarse)");
box?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || typesWithThumbs.matches) return;
  event.preventDefault();
  composer.requestSubmit();
});

// ---- begin

const served = list.querySelectorAll(".support, .advice");
if (served.length) {
  const target = document.querySelector(".message:target") ?? [...list.querySelectorAll(".message.is-mine")].at(-1);
  const slot = element("div", "card-slot");
  served[0].before(slot);
  slot.append(...served);
  if (target) lines.cards.set(Number(target.dataset.seq), slot);
}
const link = new Link(room, path, composer, {
  up, down, refused, events,
  check: () => catchUp(Math.max(ledger.start - 1, ledger.through - SHOWN_AGAIN)).then(flush),
  changed: () => catchUp(ledger.start - 1), // what was hidden meanwhile goes as well
});
show({ quiet: true });
if (!location.hash) toEnd();
flush();
