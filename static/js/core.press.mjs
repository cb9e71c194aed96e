// Whatever is replaced under a pressed finger or button loses the click. Who replaces something that can be pressed waits for this.
const LONGEST_MS = 2_000; // a press that nobody saw the end of
let pressed = false;
let waiting = [];

function letGo() {
  pressed = false;
  for (const go of waiting) go();
  waiting = [];
}

addEventListener("pointerdown", () => { pressed = true; }, true);
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(letGo), true); // the click comes first

/** Done at once, or when the press that is under way has become a click. */
export function released() {
  if (!pressed) return Promise.resolve();
  setTimeout(letGo, LONGEST_MS);
  return new Promise((go) => waiting.push(go));
}
