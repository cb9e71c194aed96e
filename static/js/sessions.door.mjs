// Waiting at the door of a session: this page follows by itself, into the session or to the news that it will not be.
import { io } from "../vendor/socket.io.esm.min.js";
import { countOneMore } from "./core.badge.mjs";

const ASK_MS = 5_000;
const session = document.querySelector("[data-waiting]").dataset.waiting;

async function ask() {
  try {
    const answer = await fetch(`/sessions/${session}/place`, { headers: { "X-Requested-With": "kith" } });
    const to = answer.ok && (await answer.json()).to;
    if (to === location.pathname) location.reload();
    else if (to) location.href = to;
  } catch { /* offline: it asks again */ }
}

io({ transports: ["websocket"] }).on("notification_added", () => {
  countOneMore();
  ask();
});
setInterval(ask, ASK_MS);
