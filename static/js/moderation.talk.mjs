// "Talk to a moderator" on a support card is sent without leaving the page; the card then says that it was passed on.
import { fetchFragment } from "./core.html.mjs";
import { say } from "./core.say.mjs";

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-talk]");
  if (!form || event.defaultPrevented) return;
  event.preventDefault();
  const button = form.querySelector("button");
  if (button.hasAttribute("aria-disabled")) return;
  button.setAttribute("aria-disabled", "true");
  try {
    const card = await fetchFragment(form.action, { method: "POST", body: new FormData(form) });
    const asked = card.querySelector("[data-asked]");
    form.closest("[data-support]").replaceWith(card);
    asked.focus({ preventScroll: true });
    asked.scrollIntoView({ block: "nearest" });
    say(asked.textContent);
  } catch {
    form.submit(); // refused, or no answer: the page says why
  }
});
