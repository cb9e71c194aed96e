// The folding of community/safety, for words that arrive on a live screen. A test compares the two character by character.
import { ACCENTS, FOLDED, LOOKALIKES, MASKS } from "./chat.fold.table.mjs";

const known = new Map();
for (const [folded, chars] of Object.entries(FOLDED)) for (const char of chars) known.set(char, folded);
const letter = /[\p{L}\p{N}\p{Mn}\p{Mc}]/u;
const spaced = / (?:[\p{L}\p{N}] ){2,}[\p{L}\p{N}](?= )/gu;
const unspaced = /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u{20000}-\u{3ffff}]/u;

const isAccent = (char) => ACCENTS.some(([low, high]) => low <= char.codePointAt(0) && char.codePointAt(0) <= high);

function byRule(char) {
  const plain = char.normalize("NFKD");
  if (/\p{Lo}/u.test(char) && (plain === char || /[\uac00-\ud7a3]/.test(char))) return char;
  const kept = [...plain.toLowerCase()].filter((each) => MASKS.includes(each) || (letter.test(each) && !isAccent(each))).join("");
  if (kept) return kept;
  if (/\p{Cf}/u.test(char) || isAccent(char)) return "";
  return /\p{So}/u.test(char) && char.codePointAt(0) > 0x2190 ? ` ${char} ` : " ";
}

/** What one character contributes to a word. */
export function foldChar(char) {
  if (!known.has(char)) known.set(char, byRule(char));
  return known.get(char);
}

// A word that mixes scripts, with its look-alike letters exchanged for Latin ones.
function straighten(word) {
  return /[a-z]/i.test(word) ? [...word].map((char) => LOOKALIKES[char] ?? char).join("") : word;
}

/** Folded words joined by one space. */
export function fold(text) {
  const words = [...text].map(foldChar).join("").split(/\s+/);
  const parts = words.flatMap((word) => straighten([...word].map((char) => (MASKS.includes(char) ? " " : char)).join("")).split(" "));
  return parts.filter(Boolean).join(" ");
}

function needle(key) {
  const bare = key.replace(/\*$/, "");
  if (unspaced.test(bare)) return bare;
  return bare === key ? ` ${bare} ` : ` ${bare}`;
}

/** A function that says whether a text holds one of the muted words. `keys` are as the server folded them. */
export function muting(keys) {
  const needles = keys.map(needle);
  const held = (folded) => needles.some((each) => folded.includes(each));
  if (!needles.length) return () => false;
  return (text) => {
    const folded = ` ${fold(text)} `;
    return held(folded) || held(folded.replace(spaced, (apart) => ` ${apart.replaceAll(" ", "")}`));
  };
}
