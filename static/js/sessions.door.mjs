// Waiting at the door of a session: this page goes in by itself when there is a place.
import { io } from "../vendor/socket.io.esm.min.js";
import { countOneMore } from "./core.badge.mjs";

const ASK_MS = 5_000;
const session = document.querySelector("[data-waiting]").dataset.waiting;

async function ask() {
  try {
    const answer = await fetch(`/sessions/${session}/place`, { headers: { "X-Requested-With": "kith" } });
    if (answer.ok && (await answer.json()).inside) location.reload();
  } catch { /* offline: it asks again */ }
}

io({ transports: ["websocket"] }).on("notification_added", () => {
  countOneMore();
  ask();
});
setInterval(ask, ASK_MS);
