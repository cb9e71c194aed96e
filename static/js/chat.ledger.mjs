// What a screen knows of one room. No page, no socket: only messages and numbers, so that it can be tested alone.
//
// The server numbers the messages of a room 1, 2, 3 … and every answer says from where (`start`) to where (`through`) it is
// complete. Live events are hints: they may come twice, late, in any order, or never. The screen is right once `through`
// has reached the last number, and from then on as long as each new number follows it.

const QUOTED = 90;
const MUTED = "(you muted them)";

/** The beginning of a message in one line, as the server makes it. */
function quoteOf({ seq, id, author, body, note, covers }) {
  const words = note || covers.length ? `(${note || "partly covered"})` : [...body].slice(0, QUOTED * 2).join("").split(/\s+/).filter(Boolean).join(" ");
  const chars = [...words];
  return { seq, id, author, words: chars.length <= QUOTED ? words : `${chars.slice(0, QUOTED - 1).join("")}…` };
}

export class Ledger {
  #messages = new Map();
  #asked = new Set();
  #hidden = new Map(); // seq -> the version that took it away
  #quotes = new Map(); // seq -> the beginning of a message that others answer
  #own = new Map(); // seq -> { version, mine }: the reader's kind answers

  constructor(start = 1, through = 0) {
    this.start = start;
    this.through = through;
    this.newest = through;
    this.stale = Infinity; // the first message of which a change was missed
  }

  /** All known messages in the order of their numbers. */
  get messages() {
    return [...this.#messages.values()].sort((one, other) => one.seq - other.seq);
  }

  get(seq) {
    return this.#messages.get(seq);
  }

  /** Something is known to be missing between what is complete and the newest number heard of, or of what is shown. */
  get gap() {
    return this.newest > this.through || this.stale < Infinity;
  }

  /** From where to ask so that nothing is missing. */
  get asksFrom() {
    return Math.min(this.through, this.stale - 1);
  }

  /** The beginning of an answered message: of the one on the screen, or as the server told it; undefined when it is gone. */
  quote(seq) {
    const known = this.#messages.get(seq);
    if (known?.state === "muted") return { seq, id: known.id, author: known.author, words: MUTED };
    return known?.state === "visible" ? quoteOf(known) : this.#quotes.get(seq);
  }

  mine(seq) {
    return this.#own.get(seq)?.mine ?? [];
  }

  /** Whether an answer to this number can be shown, or has to be asked for first. */
  knowsQuote(seq) {
    return this.#messages.has(seq) || this.#quotes.has(seq) || this.#hidden.has(seq) || seq >= this.start;
  }

  learn({ quotes = [], own = [] }) {
    for (const quote of quotes) this.#quotes.set(quote.seq, quote);
    for (const { seq, mine } of own) this.#own.set(seq, { version: 0, mine });
  }

  /** `message_reacted`: new counts. True when the screen has to change. */
  react({ seq, version, reactions }) {
    const known = this.#messages.get(seq);
    if (!known) return this.reaches(seq) ?? false;
    if (version <= known.version) return false;
    if (version > known.version + 1) this.stale = Math.min(this.stale, seq);
    else this.#messages.set(seq, { ...known, version, reactions });
    return true;
  }

  /** `own_reactions`, or the answer to one's own. */
  keepOwn({ seq, version, mine }) {
    if (version < (this.#own.get(seq)?.version ?? 0)) return false;
    this.#own.set(seq, { version, mine });
    return true;
  }

  /** The room has come this far, as an answer or an event said. */
  reaches(seq) {
    this.newest = Math.max(this.newest, seq);
  }

  /** A live event or the answer to one's own message. True when the screen has to change. */
  hear(message) {
    if (this.#quotes.has(message.seq)) this.#quotes.set(message.seq, quoteOf(message));
    if (message.seq < this.start) return false;
    this.#touch(message.seq);
    return this.#put(message);
  }

  /** `message_hidden`: it is not to be seen any more. True when it was on the screen. */
  hide(seq, version = 0) {
    const known = this.#messages.get(seq);
    this.#touch(seq);
    if (known && version && version < known.version) return false;
    this.#hidden.set(seq, Math.max(version, this.#hidden.get(seq) ?? 0));
    this.#quotes.delete(seq);
    return this.#messages.delete(seq);
  }

  /** Call before a question; give what it returns to `settle`. Events that come meanwhile are newer than the answer. */
  asking() {
    const touched = new Set();
    this.#asked.add(touched);
    return touched;
  }

  /** An answer complete from `start` to `through`: what it does not hold in between is gone. True when something changed. */
  settle({ messages, start, through, quotes = [], own = [] }, touched = new Set()) {
    this.#asked.delete(touched);
    if (start <= this.stale) this.stale = through >= this.stale ? Infinity : this.stale;
    const told = new Map(quotes.map((quote) => [quote.seq, quote]));
    const given = new Map(own.map(({ seq, mine }) => [seq, mine]));
    for (const { seq, version, reply_to: answered } of messages) {
      if (answered && !touched.has(answered)) {
        if (told.has(answered)) this.#quotes.set(answered, told.get(answered));
        else this.#quotes.delete(answered);
      }
      if (version >= (this.#own.get(seq)?.version ?? 0)) this.#own.set(seq, { version, mine: given.get(seq) ?? [] });
    }
    const held = new Set(messages.map((message) => message.seq));
    let changed = false;
    for (const seq of this.#messages.keys()) {
      const gone = seq >= start && seq <= through && !held.has(seq) && !touched.has(seq);
      if (gone) changed = this.#messages.delete(seq) || changed;
    }
    for (const message of messages) changed = this.#put(message) || changed;
    if (start <= this.through + 1) this.through = Math.max(this.through, through);
    if (through >= this.start - 1) this.start = Math.min(this.start, start);
    this.reaches(through);
    return changed;
  }

  #put(message) {
    const known = this.#messages.get(message.seq);
    if (message.version < Math.max(known?.version ?? 0, this.#hidden.get(message.seq) ?? 0)) return false; // older than what is known
    if (known && JSON.stringify(known) === JSON.stringify(message)) return false;
    this.#messages.set(message.seq, message);
    return true;
  }

  #touch(seq) {
    this.reaches(seq);
    if (seq === this.through + 1) this.through = seq;
    for (const touched of this.#asked) touched.add(seq);
  }
}
