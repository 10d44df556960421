// The page in the reader's language. Knows nothing of what is said when.

import { COST_WORDS } from "./words-cost.js";
import { FACE_WORDS } from "./words-face.js";
import { WORDS } from "./words.js";

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

export const LANGUAGE = pick(navigator.languages ?? []);

/** The words for `key`, with `{name}` filled from `values`. */
export function say(key, values = {}) {
  const words = WORDS[LANGUAGE][key] ?? FACE_WORDS[LANGUAGE][key] ?? COST_WORDS[LANGUAGE][key];
  if (words === undefined) throw new Error(`no words for ${key}`);
  return words.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** Put the words into a document that was written in English. */
export function translate(root) {
  document.documentElement.lang = LANGUAGE;
  for (const element of root.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const element of root.querySelectorAll("[data-say-placeholder]")) element.placeholder = say(element.dataset.sayPlaceholder);
  for (const element of root.querySelectorAll("[data-say-label]")) {
    element.setAttribute("aria-label", say(element.dataset.sayLabel));
  }
}

/** What a language is called here: `de` is German, Deutsch, alemán. */
export function languageName(code) {
  try {
    const name = new Intl.DisplayNames([LANGUAGE], { type: "language" }).of(code === "jw" ? "jv" : code) ?? code;
    return name.charAt(0).toLocaleUpperCase(LANGUAGE) + name.slice(1);
  } catch {
    return code;
  }
}

/** The code of a language's English name (`german`: de); the name itself where none is known. */
export function languageCode(name) {
  const names = new Intl.DisplayNames(["en"], { type: "language", fallback: "none" });
  for (const one of LETTERS) {
    for (const two of LETTERS) if (names.of(one + two)?.toLowerCase() === name) return one + two;
  }
  return name;
}

function pick(wanted) {
  for (const name of wanted) {
    const code = name.slice(0, 2).toLowerCase();
    if (code in WORDS) return code;
  }
  return "en";
}
