// Words on their way. Each entry keeps its key for all its tries, so that trying again can never make two messages.
// Kept on this device until the server has them; signing out and seven days forget them (core.forms does that by the prefix).

const KEPT_MS = 7 * 86_400_000;
const FRESH_MS = 10 * 60_000;

export class Outbox {
  constructor(storage, name, now = () => Date.now()) {
    this.storage = storage;
    this.name = name;
    this.now = now;
    this.entries = this.#load();
  }

  /** New words, perhaps with a `note` and the number they answer (`reply_to`); `after` is the room's newest number when they were sent. */
  add(body, after, more = {}) {
    const entry = { key: newKey(), body, ...more, after, at: this.now(), state: "sending", sentence: "" };
    this.entries.push(entry);
    this.#keep();
    return entry;
  }

  update(entry, state, sentence = "") {
    Object.assign(entry, { state, sentence });
    this.#keep();
  }

  remove(entry) {
    this.entries = this.entries.filter((other) => other.key !== entry.key);
    this.#keep();
  }

  /** What should be sent now without anybody asking. */
  get waiting() {
    return this.entries.filter((entry) => entry.state === "sending" || entry.state === "waiting");
  }

  /** Entries not yet seen as a message: an event can be faster than the answer to its own sending. */
  unseen(messages) {
    const left = [...messages];
    return this.entries.filter((entry) => {
      const place = left.findIndex((message) => message.seq > entry.after && message.body === entry.body);
      if (place >= 0) left.splice(place, 1);
      return place < 0;
    });
  }

  #load() {
    try {
      const kept = JSON.parse(this.storage?.getItem(this.name))?.entries ?? [];
      const young = kept.filter((entry) => typeof entry.key === "string" && this.now() - entry.at < KEPT_MS);
      return young.map((entry) => ({ ...entry, ...this.#restored(entry) }));
    } catch { return []; }
  }

  // A page reloaded in the middle goes on by itself; after a longer while the writer decides.
  #restored(entry) {
    if (entry.state === "failed") return {};
    if (this.now() - entry.at < FRESH_MS) return { state: "waiting" };
    return { state: "failed", sentence: "This was not sent." };
  }

  // Storage may be forbidden or full: then nothing is kept across a reload, and writing goes on.
  #keep() {
    try {
      if (this.entries.length) this.storage?.setItem(this.name, JSON.stringify({ at: this.now(), entries: this.entries }));
      else this.storage?.removeItem(this.name);
    } catch { /* see above */ }
  }
}

// randomUUID exists on secure pages only; a community in a home network may be served without TLS.
function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
