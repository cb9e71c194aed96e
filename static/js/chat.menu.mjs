// What can be done with one message: one small menu each, the same as the page's own (templates/chat/_menu.html).
import { element } from "./chat.parts.mjs";

export const KINDS = { "with-you": "With you", thanks: "Thank you", hug: "A hug", same: "Same here" };

/** `about`: { id, seq, author, author_id, mine (own message), given (own kind answers), editable, staff, state } */
export function menu(about) {
  const made = element("details", "message-menu");
  const opens = element("summary", "", "…");
  opens.setAttribute("aria-label", about.mine ? "More for your words" : `More for the words of ${about.author}`);
  const inside = element("div", "message-menu-list");
  if (["visible", "muted"].includes(about.state)) {
    inside.append(link("Reply", `?reply=${about.seq}`, "message-reply"), link("Link", `?at=${about.seq}#message-${about.id}`, "message-link"));
  }
  if (!about.mine && about.state === "visible") inside.append(...kinds(about));
  if (about.mine && about.editable) inside.append(link("Edit", `/messages/${about.id}/edit`));
  if (about.mine && about.state !== "hidden") inside.append(button("Take back", "message-take-back"));
  if (!about.mine) {
    inside.append(link("Report", `/report/message/${about.id}`, "message-report"), link("Mute or block", `/people/${about.author_id}/apart`));
  }
  made.append(opens, inside);
  return made;
}

function kinds({ given }) {
  return Object.entries(KINDS).map(([kind, words]) => {
    const made = button(words, "message-kind");
    made.dataset.kind = kind;
    made.setAttribute("aria-pressed", String(given.includes(kind)));
    return made;
  });
}

/** How many gave which kind answer; one's own are marked. */
export function answersLine(reactions, given) {
  const found = Object.entries(KINDS).filter(([kind]) => reactions[kind]);
  if (!found.length) return null;
  const line = element("p", "message-kinds");
  for (const [kind, words] of found) {
    const chip = element("span", given.includes(kind) ? "kind is-own" : "kind", `${words} ${Number(reactions[kind])}`);
    if (given.includes(kind)) chip.append(element("span", "visually-hidden", ", yours too"));
    line.append(chip);
  }
  return line;
}

/** The quiet line above an answer. */
export function quoteLine(quote) {
  if (!quote) return element("p", "quote", "Answers a message that is no longer here");
  const made = element("a", "quote");
  made.href = `?at=${Number(quote.seq)}#message-${Number(quote.id)}`;
  made.dataset.seq = quote.seq;
  made.append(element("span", "visually-hidden", "Answers "), element("b", "", quote.author), ` ${quote.words}`);
  made.dir = "auto";
  return made;
}

function link(words, href, name = "") {
  const made = element("a", name, words);
  made.href = href;
  return made;
}

function button(words, name) {
  const made = element("button", name, words);
  made.type = "button";
  return made;
}

/** One menu is open at a time; Escape and a click elsewhere close it. */
export function oneMenu(list) {
  list.addEventListener("toggle", ({ target }) => {
    if (!target.open || !target.matches(".message-menu")) return;
    for (const other of list.querySelectorAll(".message-menu[open]")) if (other !== target) other.open = false;
    target.closest(".message").scrollIntoView({ block: "nearest" }); // the list grows upwards: the words stay with their menu
  }, true);
  document.addEventListener("click", ({ target }) => {
    for (const open of list.querySelectorAll(".message-menu[open]")) if (!open.contains(target)) open.open = false;
  });
  list.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && event.target.closest(".message-menu[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
}
