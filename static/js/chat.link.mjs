// Two roads to the room: the socket, and the page when the socket is down. Both give the same answers:
// { ok: true, … } or { ok: false, code, error }. A road that gives no answer throws, and the asker tries again.
import { io } from "../vendor/socket.io.esm.min.js";

const ANSWER_MS = 8_000;
const POLL_MS = 4_500;
const QUIET_MS = 25_000;

export class Link {
  #timer = 0;
  #retry = 2_000;

  /** `on`: up(entered), down(), refused(answer), check(), changed(), and one function per event by its name in `on.events`. */
  constructor(room, path, form, on) {
    Object.assign(this, { room, path, form, on });
    this.entered = false;
    this.live = true; // false while the server does not hear its other processes: then it may miss what they tell
    this.shut = false; // set by the page while the room is closed to this person: then there is no hurry to ask
    this.socket = io({ transports: ["websocket"], timeout: ANSWER_MS, reconnectionDelay: 500, reconnectionDelayMax: 10_000, randomizationFactor: 0.7 });
    this.socket.on("connect", () => this.#enter());
    this.socket.on("connect_error", () => this.#lost());
    this.socket.on("disconnect", () => this.#lost());
    for (const [name, act] of Object.entries(on.events)) {
      this.socket.on(name, (payload) => { if (this.live) this.#rest(); act(payload); });
    }
    this.socket.on("hints_changed", ({ live }) => {
      this.live = live;
      setTimeout(() => this.on.changed(), 1_000 * Math.random()); // everybody hears it at once
      this.#rest();
    });
    this.#rest();
    for (const [target, name] of [[document, "visibilitychange"], [window, "online"], [window, "pageshow"]]) {
      target.addEventListener(name, () => { if (!document.hidden) this.wake(); });
    }
  }

  /** The page is looked at again: ask how far the room is, and whether what is shown still stands. */
  wake() {
    if (this.socket.connected) this.#enter();
    else this.socket.connect();
    this.on.check();
    this.#rest();
  }

  /** Asks for the room again, over the socket. */
  enter() {
    if (this.socket.connected) this.#enter();
  }

  /** A socket that does not answer may be half dead; the page is asked then. The key makes both one message. */
  async write({ key, body, note = "", reply_to = null }) {
    if (this.entered) {
      try {
        return await this.#ask("write_message", { room: this.room, key, body, note, reply_to });
      } catch { /* no answer: the other road */ }
    }
    return this.#post({ key, body, note, reply_to: reply_to ?? "" });
  }

  async react(message, kind, on) {
    if (this.entered) {
      try {
        return await this.#ask("react", { message, kind, on });
      } catch { /* no answer: the other road */ }
    }
    const fields = new FormData(this.form);
    fields.set(on ? "give" : "take", kind);
    return this.#fetch(`/messages/${message}/react`, { method: "POST", body: fields });
  }

  /** The beginning of a message older than what is shown; nothing without a socket, until the next reading. */
  async readQuote(seq) {
    if (!this.entered) return { ok: false };
    return this.#ask("read_quote", { room: this.room, seq });
  }

  /** A hint that may be lost. */
  typing() {
    if (this.entered) this.socket.volatile.emit("typing", { room: this.room });
  }

  async withdraw(message) {
    if (this.entered) {
      try {
        return await this.#ask("withdraw_message", { message });
      } catch { /* no answer: the other road */ }
    }
    return this.#fetch(`/messages/${message}/withdraw`, { method: "POST", body: new FormData(this.form) });
  }

  /** Sends one of the page's own forms. */
  send(form) {
    return this.#fetch(form.action, { method: "POST", body: new FormData(form) });
  }

  readAfter(seq) {
    return this.entered ? this.#ask("read_after", { room: this.room, seq }) : this.#get(`after=${seq}`);
  }

  readBefore(seq) {
    return this.#get(`before=${seq}`);
  }

  async #enter() {
    try {
      const answer = await this.#ask("enter_room", { room: this.room });
      this.entered = answer.ok;
      if (answer.ok) {
        this.live = answer.live;
        this.#retry = 2_000;
        this.on.up(answer);
      } else this.on.refused(answer);
    } catch { this.#lost(); }
    this.#rest();
  }

  #lost() {
    const was = this.entered;
    this.entered = false;
    this.on.down();
    if (was) this.#rest(); // tries to come back must not put off the asking
    // The library does not come back by itself after the server ended the connection. The page knows why it did.
    if (!this.socket.active) {
      if (was) setTimeout(() => this.on.check(), 500 * Math.random());
      setTimeout(() => this.socket.connect(), this.#retry * (1 + Math.random()));
      this.#retry = Math.min(this.#retry * 2, 60_000);
    }
  }

  // Down, or not told everything: poll. Up but silent: one light question, because events can be lost without anybody noticing.
  #rest() {
    clearTimeout(this.#timer);
    const told = this.entered && this.live;
    const pause = (told || this.shut ? QUIET_MS : POLL_MS) * (0.9 + Math.random() / 5);
    this.#timer = setTimeout(() => {
      if (told) this.#enter();
      else this.on.check();
      this.#rest();
    }, pause);
  }

  #ask(name, payload) {
    return this.socket.timeout(ANSWER_MS).emitWithAck(name, payload);
  }

  #get(query) {
    return this.#fetch(`${this.path}/messages?${query}`, {});
  }

  #post(words) {
    const fields = new FormData(this.form);
    for (const [name, value] of Object.entries(words)) fields.set(name, value);
    return this.#fetch(this.path, { method: "POST", body: fields });
  }

  async #fetch(path, options) {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const answer = await fetch(path, { ...options, headers: { "X-Requested-With": "kith" }, redirect: "error", signal });
    if (answer.status >= 500) throw new Error(`No answer from ${path}: ${answer.status}`);
    return { status: answer.status, ...await answer.json() };
  }
}
