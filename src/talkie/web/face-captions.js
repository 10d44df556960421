// What is being said, below the face: a line of words, the one that is heard now set apart. Knows nothing of sound.

import { make } from "./dom.js";

const LINE_CHARS = 70;

export class Captions {
  #element;
  #words = []; // {text, start_s, end_s} of the utterance
  #now_s = () => 0;
  #shown = "";
  #request = 0;

  constructor(element) {
    this.#element = element;
  }

  /** A new utterance, whose words come with `add`. `now_s()` is the time that they are shown by. */
  begin(now_s) {
    this.clear();
    this.#now_s = now_s;
    this.#request = requestAnimationFrame(() => this.#follow());
  }

  add(words) {
    this.#words.push(...words);
  }

  /** A text without times. */
  plain(text) {
    this.clear();
    this.#element.textContent = text.length > 2 * LINE_CHARS ? `${text.slice(0, 2 * LINE_CHARS)} …` : text;
  }

  clear() {
    cancelAnimationFrame(this.#request);
    this.#words = [];
    this.#shown = "";
    this.#element.replaceChildren();
  }

  #follow() {
    this.#request = requestAnimationFrame(() => this.#follow());
    const now_s = this.#now_s();
    const at = this.#words.findLastIndex(({ start_s }) => start_s <= now_s);
    const [from, to] = this.#line(Math.max(0, at));
    const shown = `${from} ${to} ${at}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    const spans = this.#words.slice(from, to).map(({ text, end_s }, one) => {
      const when = from + one > at ? "later" : from + one === at && now_s < end_s + 0.3 ? "now" : "spoken";
      return make("span", { text: one ? ` ${text}` : text, class: when });
    });
    this.#element.replaceChildren(...spans);
  }

  /** The line that word `at` stands in: lines are filled from the first word, so that no word ever moves. */
  #line(at) {
    let [from, length] = [0, 0];
    for (let one = 0; one < this.#words.length; one += 1) {
      const more = this.#words[one].text.length + 1;
      if (length + more > LINE_CHARS && length > 0) {
        if (one > at) return [from, one];
        [from, length] = [one, 0];
      }
      length += more;
    }
    return [from, this.#words.length];
  }
}
