// "Ana is writing": heard, shown for a moment, and forgotten. Never read aloud, and never what is written.

const SAID_EVERY_MS = 4_000;
const SHOWN_MS = 6_500; // a little more than the time between two hints

export class Typing {
  #said = -Infinity;
  #people = new Map(); // author id -> { author, timer }

  /** `line` shows it; `say` tells the room. Without a line nothing is shown, without `say` nothing is told. */
  constructor(line, box, say) {
    this.line = line;
    if (say) box?.addEventListener("input", () => this.#tell(box, say));
  }

  #tell(box, say) {
    if (!box.value.trim() || performance.now() - this.#said < SAID_EVERY_MS) return;
    this.#said = performance.now();
    say();
  }

  /** What was written is sent: the next words may be told of at once. */
  sent() {
    this.#said = -Infinity;
  }

  hear({ author_id: id, author }) {
    clearTimeout(this.#people.get(id)?.timer);
    this.#people.set(id, { author, timer: setTimeout(() => this.stops(id), SHOWN_MS) });
    this.#show();
  }

  /** Their words came, or enough time passed. */
  stops(id) {
    clearTimeout(this.#people.get(id)?.timer);
    if (this.#people.delete(id)) this.#show();
  }

  clear() {
    for (const id of [...this.#people.keys()]) this.stops(id);
  }

  #show() {
    if (!this.line) return;
    const names = [...this.#people.values()].map(({ author }) => author);
    this.line.hidden = !names.length;
    this.line.textContent = typingWords(names);
  }
}

export function typingWords(names) {
  if (names.length > 2) return "Several people are writing …";
  if (names.length === 2) return `${names[0]} and ${names[1]} are writing …`;
  return names.length ? `${names[0]} is writing …` : "";
}
