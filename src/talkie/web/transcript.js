// What was said, as it grows: finals that stay, and below them what is still being heard. Knows nothing of servers.

import { make } from "./dom.js";
import { clock } from "./formats.js";
import { say } from "./say.js";

const NEAR_THE_END_PX = 48;

export class Transcript {
  #segments = [];
  #hearing = new Map();

  /** `seek(seconds)`: once it is set, every time is a button that plays from there. */
  seek = null;

  /** Fills `root`. */
  constructor(root) {
    this.root = root;
    this.finals = make("div", { role: "log", "aria-live": "polite", "aria-relevant": "additions" });
    this.finals.setAttribute("aria-label", say("transcript"));
    this.partials = make("div");
    root.classList.add("transcript");
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", say("transcript"));
    root.replaceChildren();
  }

  get segments() {
    return this.#segments;
  }

  get empty() {
    return this.#segments.length === 0 && this.#hearing.size === 0;
  }

  /** Words that will not change any more. */
  add(segment) {
    this.#segments.push(segment);
    this.#follow(() => this.finals.append(this.#line(segment.start, make("span", { text: segment.text }))));
  }

  /** What an utterance says so far: `committed` stays, the rest of `text` may change. */
  hear(utterance, { start, end, text, committed }) {
    const known = this.#hearing.get(utterance);
    const tentative = text.startsWith(committed) ? text.slice(committed.length) : text;
    const words = [
      make("span", { text: text.startsWith(committed) ? committed : "", class: "committed" }),
      make("span", { text: tentative, class: "tentative" }),
    ];
    this.#follow(() => {
      const line = this.#line(start, ...words);
      if (known) known.line.replaceWith(line);
      else this.partials.append(line);
      this.#hearing.set(utterance, { line, start, end, text });
    });
  }

  /** The utterance is not being heard any more. */
  forget(utterance) {
    this.#hearing.get(utterance)?.line.remove();
    this.#hearing.delete(utterance);
  }

  /** Whoever heard it went away: what there is of each utterance stays, rather than being lost. */
  keepHeard() {
    for (const [utterance, { start, end, text }] of [...this.#hearing]) {
      this.forget(utterance);
      if (text) this.add({ start, end, text });
    }
  }

  clear() {
    this.#segments = [];
    this.#hearing.clear();
    this.finals.replaceChildren();
    this.partials.replaceChildren();
    this.root.replaceChildren();
    this.root.removeAttribute("tabindex");
  }

  #line(start, ...words) {
    const time = this.seek
      ? make("button", { type: "button", class: "when", text: clock(start), onclick: () => this.seek(start) })
      : make("span", { class: "when", text: clock(start) });
    if (this.seek) time.setAttribute("aria-label", say("playFrom", { time: clock(start) }));
    return make("div", { class: "said" }, time, make("p", { dir: "auto" }, ...words));
  }

  /** Do something, and stay at the end if the reader was there. */
  #follow(change) {
    if (!this.root.firstChild) this.root.append(this.finals, this.partials);
    const { scrollHeight, scrollTop, clientHeight } = this.root;
    const follows = scrollHeight - scrollTop - clientHeight < NEAR_THE_END_PX;
    change();
    if (this.root.scrollHeight > this.root.clientHeight) this.root.tabIndex = 0; // so that keys can scroll it
    if (follows) this.root.scrollTop = this.root.scrollHeight;
  }
}
