// The number beside "Notifications" in the header.

/** One more waits; pages that hear `notification_added` call this. */
export function countOneMore() {
  const link = document.querySelector('.site-nav a[href^="/notifications"]');
  if (!link) return;
  let badge = link.querySelector(".count");
  if (!badge) {
    badge = document.createElement("span");
    badge.className = "count";
    const word = document.createElement("span");
    word.className = "visually-hidden";
    word.textContent = " unread";
    badge.append("0", word);
    link.append(" ", badge);
  }
  const number = badge.firstChild;
  const count = Number.parseInt(number.textContent, 10) + 1;
  number.textContent = count < 100 && !number.textContent.includes("+") ? String(count) : "99+";
}
