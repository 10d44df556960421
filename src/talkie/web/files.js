// Recordings: dropped or chosen, they wait in a queue and are heard one after the other.

import { at } from "./dom.js";
import { askForKey } from "./key.js";
import { Recording } from "./recording.js";

export class Files {
  #settings;
  #queue = [];
  #working = false;

  constructor(settings) {
    this.#settings = settings;
    at("choose").addEventListener("click", () => at("input").click());
    at("input").addEventListener("change", () => {
      this.#take(at("input").files);
      at("input").value = ""; // the same file may be chosen again
    });
    this.#catchDrops();
  }

  #take(files) {
    for (const file of files) {
      const recording = new Recording(file, this.#settings.asked(), (again) => this.#wait(again));
      at("queue").append(recording.element);
      this.#wait(recording);
    }
  }

  #wait(recording) {
    recording.wait();
    this.#queue.push(recording);
    this.#work();
  }

  async #work() {
    if (this.#working) return;
    this.#working = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
        const problem = await next.hear();
        if (problem?.status === 401 && (await askForKey(problem))) {
          next.wait();
          this.#queue.unshift(next);
        }
      }
    } finally {
      this.#working = false;
    }
  }

  /** The whole page catches files, so that none that misses the mark takes the reader away from it. */
  #catchDrops() {
    const carries = (event) => event.dataTransfer?.types.includes("Files");
    let inside = 0;
    const mark = () => document.body.classList.toggle("dragging", inside > 0);
    addEventListener("dragenter", (event) => carries(event) && ((inside += 1), mark()));
    addEventListener("dragleave", (event) => carries(event) && ((inside = Math.max(0, inside - 1)), mark()));
    addEventListener("dragover", (event) => carries(event) && event.preventDefault());
    addEventListener("drop", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      inside = 0;
      mark();
      this.#take(event.dataTransfer.files);
    });
  }
}
