// A pass at work: how far it is, asked every other second. Once it has ended the page is loaded anew, with what was found.
import { fetchFragment } from "./core.html.mjs";
import { say } from "./core.say.mjs";

const EVERY_MS = 2_000;
const place = document.querySelector("[data-pass-at]");

async function look() {
  if (document.hidden) return;
  const now = await fetchFragment(place.dataset.passAt);
  if (now.querySelector("[data-living]")) {
    place.replaceChildren(now);
    return;
  }
  say("It has ended.");
  location.reload();
}

setInterval(() => look().catch((problem) => console.warn("it is asked again at the next turn:", problem)), EVERY_MS);
