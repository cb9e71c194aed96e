// Who is here: a number that follows the room, and names that are fetched while their list is open.
import { fetchFragment } from "./core.html.mjs";

const MORE_THAN = 50;

export class Here {
  #says; #wanted = 0; #shown = -1;

  constructor(place, path) {
    Object.assign(this, { place, path });
    this.#says = place?.querySelector("[data-here-says]");
    place?.addEventListener("toggle", () => { if (place.open) this.#list(); });
    place?.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !place.open) return;
      place.open = false;
      place.querySelector("summary").focus();
    });
    document.addEventListener("click", ({ target }) => { if (place?.open && !place.contains(target)) place.open = false; });
  }

  /** `count`: at most one more than is named. Nothing is read aloud. */
  show(count) {
    if (!this.place || count === undefined) return;
    if (count !== this.#shown) this.#says.textContent = hereWords(count);
    this.#shown = count;
    if (this.place.open) this.#list();
  }

  /** The newest answer counts; without one the old names stand. */
  async #list() {
    const wanted = ++this.#wanted;
    const names = await fetchFragment(`${this.path}/here`).catch(() => null);
    const old = this.place.querySelector(".here-list");
    if (names && wanted === this.#wanted && !old.contains(document.activeElement)) old.replaceWith(names.querySelector(".here-list"));
  }
}

export function hereWords(count) {
  if (count > MORE_THAN) return `more than ${MORE_THAN} here`;
  return count === 0 ? "nobody here" : `${count} here`;
}
