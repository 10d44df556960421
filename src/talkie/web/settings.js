// Which model and which language: filled from what the server has, and remembered by the browser.

import { at, make } from "./dom.js";
import { models } from "./server.js";
import { languageName, say } from "./say.js";

const KEPT_AS = "talkie.";

export class Settings {
  #models = [];

  constructor() {
    this.#fill();
    at("model").addEventListener("change", () => {
      keep("model", at("model").value);
      this.#fillLanguages();
    });
    at("language").addEventListener("change", () => keep("language", at("language").value));
  }

  /** Ask the server what there is. Throws `ServerError`. */
  async load() {
    this.#models = (await models()).filter(({ kind }) => kind !== "synthesizer");
    this.#fill();
  }

  /** What is wished for; empty values mean that the server chooses. */
  asked() {
    return { model: at("model").value, language: at("language").value };
  }

  lock(locked) {
    if (at("settings").disabled !== locked) at("settings").disabled = locked;
  }

  #fill() {
    const options = this.#models.map(({ id }) => option(id, id));
    at("model").replaceChildren(option("", say("automatic")), ...options);
    choose(at("model"), kept("model"));
    this.#fillLanguages();
  }

  /** Those of the chosen model; of all of them where the server chooses. */
  #fillLanguages() {
    const chosen = this.#models.filter(({ id }) => !at("model").value || id === at("model").value);
    const codes = [...new Set(chosen.flatMap(({ languages }) => languages ?? []))];
    const named = codes.map((code) => option(code, languageName(code)));
    named.sort((one, other) => one.textContent.localeCompare(other.textContent));
    const detect = codes.length === 1 ? [] : [option("", say("detect"))]; // with one, there is nothing to find out
    at("language").replaceChildren(...detect, ...named);
    choose(at("language"), kept("language"));
  }
}

const option = (value, text) => make("option", { value, text });

export function choose(select, value) {
  if ([...select.options].some((known) => known.value === value)) select.value = value;
}

/** A browser may refuse to remember anything; nothing depends on it. */
export function keep(name, value) {
  try {
    localStorage.setItem(KEPT_AS + name, value);
  } catch {
    return;
  }
}

export function kept(name) {
  try {
    return localStorage.getItem(KEPT_AS + name) ?? "";
  } catch {
    return "";
  }
}
