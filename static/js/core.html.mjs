// The only place where a string becomes markup. The page's policy lets no other
// script do it, so this is where to look when something unescaped turns up.
import { localise } from "./core.time.mjs";

const policy = window.trustedTypes?.createPolicy("kith", { createHTML: (html) => html });

/** Server-rendered HTML of this site as a DocumentFragment. Never give it words a person typed. */
export function fragment(html) {
  const template = document.createElement("template");
  template.innerHTML = policy ? policy.createHTML(html) : html;
  const nodes = document.importNode(template.content, true);
  localise(nodes);
  return nodes;
}

/** Fetches a fragment from this site. Throws when the answer is no fragment (signed out, gone, refused). */
export async function fetchFragment(path, options = {}) {
  const url = new URL(path, location.href);
  if (url.origin !== location.origin) throw new Error(`Not of this site: ${url.origin}`);
  const answer = await fetch(url, { ...options, headers: { "X-Requested-With": "kith", ...options.headers } });
  if (!answer.ok || answer.redirected) {
    throw Object.assign(new Error(`No fragment at ${url.pathname}: ${answer.status}`), { status: answer.status });
  }
  return fragment(await answer.text());
}
