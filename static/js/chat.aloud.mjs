// The conversation is a live region. Who listens to it can have it be silent, and that is remembered on this device.
import { say } from "./core.say.mjs";

const QUIET_MS = 700;
const STOP = "Stop reading new messages aloud";
const START = "Read new messages aloud again";

export class Aloud {
  #hushed = 0;

  /** `region` is read aloud by itself; `button` pauses it; `storage` keeps the choice under `key`. */
  constructor(region, button, storage, key) {
    Object.assign(this, { region, button, storage, key });
    this.paused = storage?.getItem(key) === "1";
    button?.addEventListener("click", () => this.#turn());
    if (button) button.parentElement.hidden = false;
    this.#settle();
  }

  /** Many lines at once are not read aloud one by one. */
  hush() {
    this.region.setAttribute("aria-live", "off");
    clearTimeout(this.#hushed);
    this.#hushed = setTimeout(() => this.#settle(), QUIET_MS);
  }

  /** Says what stands for many lines, unless the reader wants silence. */
  say(words) {
    if (!this.paused) say(words);
  }

  #turn() {
    this.paused = !this.paused;
    try {
      if (this.paused) this.storage?.setItem(this.key, "1");
      else this.storage?.removeItem(this.key);
    } catch { /* storage may be full: then the choice holds for this page */ }
    this.#settle();
    say(this.paused ? "New messages still come and are not read aloud." : "New messages are read aloud.");
  }

  #settle() {
    clearTimeout(this.#hushed);
    if (this.paused) this.region.setAttribute("aria-live", "off");
    else this.region.removeAttribute("aria-live");
    if (this.button) this.button.textContent = this.paused ? START : STOP;
  }
}
