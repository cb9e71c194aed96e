// What a screen knows of one room. No page, no socket: only messages and numbers, so that it can be tested alone.
//
// The server numbers the messages of a room 1, 2, 3 … and every answer says from where (`start`) to where (`through`) it is
// complete. Live events are hints: they may come twice, late, in any order, or never. The screen is right once `through`
// has reached the last number, and from then on as long as each new number follows it.

export class Ledger {
  #messages = new Map();
  #asked = new Set();

  constructor(start = 1, through = 0) {
    this.start = start;
    this.through = through;
    this.newest = through;
  }

  /** All known messages in the order of their numbers. */
  get messages() {
    return [...this.#messages.values()].sort((one, other) => one.seq - other.seq);
  }

  get(seq) {
    return this.#messages.get(seq);
  }

  /** Something is known to be missing between what is complete and the newest number heard of. */
  get gap() {
    return this.newest > this.through;
  }

  /** The room has come this far, as an answer or an event said. */
  reaches(seq) {
    this.newest = Math.max(this.newest, seq);
  }

  /** A live event or the answer to one's own message. True when the screen has to change. */
  hear(message) {
    if (message.seq < this.start) return false;
    this.#touch(message.seq);
    return this.#put(message);
  }

  /** `message_hidden`: it is not to be seen any more. True when it was on the screen. */
  hide(seq) {
    this.#touch(seq);
    return this.#messages.delete(seq);
  }

  /** Call before a question; give what it returns to `settle`. Events that come meanwhile are newer than the answer. */
  asking() {
    const touched = new Set();
    this.#asked.add(touched);
    return touched;
  }

  /** An answer complete from `start` to `through`: what it does not hold in between is gone. True when something changed. */
  settle({ messages, start, through }, touched = new Set()) {
    this.#asked.delete(touched);
    const held = new Set(messages.map((message) => message.seq));
    let changed = false;
    for (const seq of this.#messages.keys()) {
      const gone = seq >= start && seq <= through && !held.has(seq) && !touched.has(seq);
      if (gone) changed = this.#messages.delete(seq) || changed;
    }
    for (const message of messages) if (!touched.has(message.seq)) changed = this.#put(message) || changed;
    if (start <= this.through + 1) this.through = Math.max(this.through, through);
    if (through >= this.start - 1) this.start = Math.min(this.start, start);
    this.reaches(through);
    return changed;
  }

  #put(message) {
    const known = this.#messages.get(message.seq);
    if (known && known.state === message.state && known.body === message.body) return false;
    this.#messages.set(message.seq, message);
    return true;
  }

  #touch(seq) {
    this.reaches(seq);
    if (seq === this.through + 1) this.through = seq;
    for (const touched of this.#asked) touched.add(seq);
  }
}
