// Messages as they stand on the screen. Words go in as text only, never as markup.
import { localise } from "./core.time.mjs";
import { answersLine, menu, quoteLine } from "./chat.menu.mjs";
import { element } from "./chat.parts.mjs";

const CLOSE_TOGETHER_MS = 5 * 60_000;
const STATES = {
  held: "Waiting for a moderator. Only you see this.",
  hidden: "Hidden by a moderator. Only you see this; the reasons are in your notifications.",
  sending: "Sending …",
  waiting: "Not sent yet. It is sent as soon as the connection is back.",
};

export { element };

const COVERED = "Others see a part of this covered until they choose to look.";
const MUTED = "You muted words in this";

/** Words with some of their spans covered until a reader ticks. Spans count code points, as the server does. */
function covering(bubble, body, covers) {
  const chars = [...body];
  let at = 0;
  for (const [start, end] of covers) {
    bubble.append(chars.slice(at, start).join(""), cover(chars.slice(start, end).join("")));
    at = end;
  }
  bubble.append(chars.slice(at).join(""));
}

// The markup of core.text.COVER.
function cover(words) {
  const made = element("span", "cover");
  const box = element("input");
  Object.assign(box, { type: "checkbox", autocomplete: "off" });
  box.setAttribute("aria-label", "Show the covered words");
  const says = element("span", "cover-says", "covered");
  says.setAttribute("aria-hidden", "true");
  made.append(box, says, element("span", "cover-words", words));
  return made;
}

/** What somebody wrote, without what stands on it. */
function wordsOf(bubble) {
  const plain = bubble.cloneNode(true);
  for (const says of plain.querySelectorAll(".cover-says")) says.remove();
  return plain.textContent;
}

/** The messages that the server wrote into the page. */
export function readLines(list) {
  const read = [];
  for (const line of list.querySelectorAll(".message")) {
    const { seq, author, at, state = "visible", covers = "[]", more } = line.dataset;
    const before = read.at(-1);
    const same = line.classList.contains("follows");
    read.push({
      seq: Number(seq),
      id: Number(line.id.replace("message-", "")),
      author_id: Number(author),
      author: same ? before.author : line.querySelector(".who").textContent,
      hue: same ? before.hue : Number(line.querySelector(".avatar")?.className.match(/hue-(\d)/)?.[1] ?? 0),
      body: state === "muted" ? "" : wordsOf(line.querySelector(".bubble")),
      ...JSON.parse(more),
      covers: JSON.parse(covers),
      at,
      state,
    });
  }
  return read;
}

/** Makes `list` show these messages, then these entries, in place: what already stands right is not touched. */
export class Lines {
  /** `mutes(body)`: whether the reader muted words in it. */
  constructor(list, me, actions, mutes = () => false, { ledger = null, editMs = 0, hours = null, since = Infinity } = {}) {
    Object.assign(this, { list, me, actions, mutes, ledger, editMs, hours, since }); // `since`: new is what comes after this number
    this.cards = new Map();
    this.sent = new Set();
    this.shown = new Map();
    for (const line of list.querySelectorAll(".message")) this.shown.set(`m${line.dataset.seq}`, line);
    for (const line of list.querySelectorAll(".day, .new-since")) line.remove();
  }

  show(messages, entries) {
    const wanted = [...this.#withDays(messages), ...entries.map((entry) => this.#entry(entry))];
    const keys = new Set(wanted.map((item) => item.key));
    for (const [key, node] of this.shown) {
      if (!keys.has(key)) {
        node.remove();
        this.shown.delete(key);
      }
    }
    let place = this.list.querySelector(".message, .day, .new-since, .card-slot");
    for (const item of wanted) {
      let node = this.shown.get(item.key);
      if (!node || (node.dataset.look && node.dataset.look !== item.look) || (!node.dataset.look && !item.asServed(node))) {
        const made = item.make();
        if (place === node && node) place = node.nextElementSibling;
        node?.remove();
        node = made;
        this.shown.set(item.key, node);
      }
      node.dataset.look = item.look;
      if (place === node) place = place.nextElementSibling;
      else this.list.insertBefore(node, place);
    }
  }

  #withDays(messages) {
    const items = [];
    const news = messages.find(({ seq, author_id, state }) => seq > this.since && author_id !== this.me && state === "visible");
    let before;
    for (const message of messages) {
      const day = new Date(message.at).toDateString();
      const newDay = !before || new Date(before.at).toDateString() !== day;
      if (newDay) items.push({ key: `d${day}`, look: "day", asServed: () => false, make: () => dayLine(message.at) });
      if (message === news) items.push({ key: `n${news.seq}`, look: "news", asServed: () => false, make: newsLine });
      const follows = !newDay && before.author_id === message.author_id && new Date(message.at) - new Date(before.at) < CLOSE_TOGETHER_MS;
      items.push(this.#message(message, follows));
      const card = this.cards.get(message.seq);
      if (card) items.push({ key: `c${message.seq}`, look: "card", asServed: () => true, make: () => card });
      before = message;
    }
    return items;
  }

  #message(message, follows) {
    const mine = message.author_id === this.me;
    const sent = mine && this.sent.has(message.seq) && message.state === "visible";
    const waits = message.state === "held" ? (this.hours?.waits ?? "") : "";
    const state = sent ? "Sent" : [STATES[message.state] ?? "", waits].join(" ").trim();
    const given = this.ledger?.mine(message.seq) ?? [];
    const quote = message.reply_to ? (this.ledger?.quote(message.reply_to) ?? null) : undefined;
    const editable = mine && Date.now() - new Date(message.at) < this.editMs;
    return {
      key: `m${message.seq}`,
      look: JSON.stringify([state, message.state, follows, sent, message.version, message.body, message.reactions, given, quote]),
      asServed: (node) => !sent && node.classList.contains("follows") === follows && (node.dataset.state ?? "visible") === message.state,
      make: () => {
        const line = messageLine({ ...message, mine, follows, state, given, quote, editable, muted: !mine && this.mutes(message.body), shown: message.state });
        line.id = `message-${message.id}`;
        line.dataset.seq = message.seq;
        if (["held", "hidden"].includes(message.state)) line.classList.add("is-held");
        return line;
      },
    };
  }

  #entry(entry) {
    const failed = entry.state === "failed";
    return {
      key: `e${entry.key}`,
      look: `${entry.state} ${entry.sentence}`,
      asServed: () => false,
      make: () => {
        const at = new Date(entry.at).toISOString();
        const line = messageLine({ ...entry, at, mine: true, follows: false, state: entry.sentence || STATES[entry.state] });
        line.classList.add(failed ? "is-failed" : "is-sending");
        if (failed) line.append(this.#choices(entry));
        return line;
      },
    };
  }

  #choices(entry) {
    const row = element("div", "row");
    for (const [words, act] of [["Try again", this.actions.again], ["Put it back in the box", this.actions.takeBack]]) {
      const button = element("button", "btn btn-quiet", words);
      button.type = "button";
      button.addEventListener("click", () => act(entry));
      row.append(button);
    }
    return row;
  }
}

function messageLine({ author, hue, at, body, covers = [], note = "", id, mine, follows, state, muted = false, shown, quote, edited = false, reactions = {}, given = [], ...about }) {
  const line = element("div", `message${mine ? " is-mine" : ""}${follows ? " follows" : ""}`);
  if (!follows) {
    if (!mine) {
      const avatar = element("span", `avatar avatar-small hue-${Number(hue)}`, [...author][0].toUpperCase());
      avatar.setAttribute("aria-hidden", "true");
      line.append(avatar);
    }
    const head = element("p", "message-head");
    head.append(element("b", "who", mine ? "You" : author), " ", time(at, "time"));
    line.append(head);
  }
  const bubble = element("p", "bubble");
  covering(bubble, body, mine ? [] : covers);
  bubble.dir = "auto";
  if (shown === "muted") away(bubble, about.seq, id, author);
  const row = element("div", "message-line");
  if (quote !== undefined) line.append(quoteLine(quote));
  if (muted || note) row.append(folded(bubble, note ? `Note: ${note}` : MUTED, mine));
  else row.append(bubble);
  if (shown) row.append(menu({ id, author, mine, given, state: shown, ...about }));
  line.append(row);
  if (edited) line.append(element("p", "message-state", "Edited"));
  const answers = answersLine(reactions, given);
  if (answers) line.append(answers);
  if (mine && covers.length) line.append(element("p", "message-state", COVERED));
  if (state) line.append(element("p", "message-state", state));
  localise(line);
  return line;
}

function folded(bubble, says, open) {
  const made = element("details", "reveal");
  made.open = open;
  made.append(element("summary", "", says), bubble);
  return made;
}

/** What somebody muted wrote is not in the payload; the page opens it. */
function away(bubble, seq, id, author) {
  const link = element("a", "", "Show");
  link.href = `?at=${Number(seq)}&open=${Number(seq)}#message-${Number(id)}`;
  bubble.classList.add("soft");
  bubble.replaceChildren(`You muted ${author}. `, link);
}

function dayLine(at) {
  const line = element("p", "day");
  line.append(time(at, "date"));
  localise(line);
  return line;
}

function newsLine() {
  const line = element("p", "new-since");
  line.id = "new-since";
  line.append(element("span", "", "New since you were here"));
  return line;
}

function time(at, as) {
  const made = element("time");
  made.dateTime = at;
  made.dataset.when = as;
  return made;
}
