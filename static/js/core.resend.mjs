// A form that came back because the sign-in had ended. Whoever signs in on another page and returns sends it with one press.
import { fetchFragment } from "./core.html.mjs";

const token = document.querySelector("form[data-resend] [name=csrf_token]");

async function renew() {
  if (document.hidden) return;
  try {
    token.value = (await fetchFragment("/me")).querySelector("[name=csrf_token]").value;
  } catch { /* not signed in yet, or out of reach: the form says so when it is sent */ }
}

document.addEventListener("visibilitychange", renew);
addEventListener("focus", renew);
