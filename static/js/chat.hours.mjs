// What the head of the chat says of this hour. It is asked for again when the hour is over, and when the server names another one.
import { fetchFragment } from "./core.html.mjs";

const SPREAD_MS = 3_000; // the hour is over for everybody at once: not everybody asks at once
const AGAIN_MS = 15_000;
const LONGEST_MS = 2 ** 31 - 1; // what a timer can hold

export class Hours {
  #timer = 0;

  /** `changed(facts)`: what the line carries (waits, rules, writes, sentence), and in `says` its words if the posture is another. */
  constructor(line, path, changed) {
    Object.assign(this, { line, path, changed });
    this.#waitFor(Number(line?.dataset.left) * 1_000);
  }

  /** What stands beside words that wait for a moderator. */
  get waits() {
    return this.line?.dataset.waits ?? "";
  }

  /** `word`: the hour as the server names it now. */
  learn(word) {
    if (this.line && word !== undefined && word !== this.line.dataset.hours) this.#ask();
  }

  #waitFor(ms) {
    clearTimeout(this.#timer);
    if (ms) this.#timer = setTimeout(() => this.#ask(), Math.min(ms + SPREAD_MS * Math.random(), LONGEST_MS));
  }

  async #ask() {
    try {
      const made = (await fetchFragment(`${this.path}/hours`)).querySelector("[data-hours]");
      const another = made.className !== this.line.className;
      this.line.replaceWith(made);
      this.line = made;
      this.changed({ ...made.dataset, says: another ? made.textContent.trim() : "" });
      this.#waitFor(Number(made.dataset.left) * 1_000);
    } catch (error) {
      if (![403, 404].includes(error.status)) this.#waitFor(AGAIN_MS); // the room is lost: its screen says so by itself
    }
  }
}
