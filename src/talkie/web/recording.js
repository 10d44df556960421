// One recording in the queue: how far it is, its text as it comes, and what can be done with it.

import { addActions } from "./actions.js";
import { at, make, showProblem } from "./dom.js";
import { clock } from "./formats.js";
import { languageCode, languageName, say } from "./say.js";
import { Transcript } from "./transcript.js";
import { Upload } from "./upload.js";

export class Recording {
  #file;
  #asked;
  #again;
  #state = "waiting";
  #upload = null;
  #result = null;
  #seconds = 0; // as the browser reads the file; 0 where it cannot

  /** `again(this)` is called when it is to wait once more. */
  constructor(file, asked, again) {
    this.#file = file;
    this.#asked = asked;
    this.#again = again;
    this.#build();
  }

  wait() {
    this.#upload = null;
    this.#result = null;
    this.transcript.clear();
    showProblem(this.problem, null);
    this.actions.hidden = true;
    this.#enter("waiting");
  }

  /** Send it and hear it; the problem, if there was one. */
  async hear() {
    if (this.#state !== "waiting") return null; // taken away while it waited
    this.#enter("sending");
    this.bar.value = 0;
    this.#upload = new Upload({ sent: (part) => this.#sent(part), heard: (segment) => this.#heard(segment) });
    try {
      this.#result = await this.#upload.send(this.#file, this.#asked);
    } catch (error) {
      this.#enter(error.code === "cancelled" ? "cancelled" : "failed");
      showProblem(this.problem, error.code === "cancelled" ? null : error);
      return error;
    }
    this.#finish();
    return null;
  }

  #sent(part) {
    if (part < 1) {
      this.bar.value = part;
      this.#say(say("sendingPart", { percent: Math.floor(part * 100) }));
    } else {
      this.bar.removeAttribute("value");
      this.#enter("hearing");
    }
  }

  #heard(segment) {
    if (this.#state !== "hearing") this.#enter("hearing"); // an answer may begin before the upload is told to be done
    if (segment.text) this.transcript.add(segment);
    if (!this.#seconds) return this.#say(say("heardUntil", { time: clock(segment.end) }));
    this.bar.value = Math.min(1, segment.end / this.#seconds);
    return this.#say(say("heardOf", { time: clock(segment.end), whole: clock(this.#seconds) }));
  }

  #finish() {
    const { text, language, duration, warnings = [] } = this.#result;
    this.#enter("done");
    const facts = [clock(duration), this.#language(language)].filter(Boolean).join(" · ");
    this.#say(text ? say("doneFacts", { facts }) : say("nothingSaid"));
    this.actions.hidden = !text;
    if (warnings.length) showProblem(this.problem, { message: warnings.map(({ message }) => message).join(" ") });
  }

  /** Servers name languages in English (`german`); here they are named as the reader does. */
  #language(name) {
    if (!name) return "";
    return languageName(this.#asked.language || languageCode(name));
  }

  #press() {
    if (this.#state === "sending" || this.#state === "hearing") this.#upload.cancel();
    else {
      URL.revokeObjectURL(this.player.src);
      this.#state = "gone";
      this.element.remove();
    }
  }

  #enter(state) {
    this.#state = state;
    const busy = state === "sending" || state === "hearing";
    this.bar.hidden = !busy;
    this.button.textContent = say(busy ? "cancel" : "remove");
    this.button.setAttribute("aria-label", say(busy ? "cancelFile" : "removeFile", { file: this.#file.name }));
    this.retry.hidden = state !== "failed" && state !== "cancelled";
    this.element.dataset.state = state;
    this.#say(say(state));
    if (state === "done" || state === "cancelled") at("files-state").textContent = `${this.#file.name}: ${say(state)}`;
  }

  #say(words) {
    if (this.status.textContent !== words) this.status.textContent = words;
  }

  #build() {
    const name = this.#file.name;
    const button = (text, onclick) => make("button", { type: "button", class: "plain", text, onclick });
    this.status = make("small");
    this.button = button("", () => this.#press());
    this.retry = button(say("again"), () => this.#again(this));
    this.retry.setAttribute("aria-label", say("againFile", { file: name }));
    this.bar = make("progress", { max: "1", "aria-label": name });
    this.problem = make("p", { class: "problem", role: "alert", hidden: true });
    this.player = make("audio", { controls: true, preload: "metadata", hidden: true, "aria-label": name });
    this.actions = make("div", { class: "actions", hidden: true });
    const text = make("div");
    this.transcript = new Transcript(text);
    addActions(this.actions, { transcript: () => this.#whole(), name: () => name.replace(/\.[^.]*$/, "") || name });
    const head = make("div", { class: "head" }, make("div", {}, make("strong", { text: name }), this.status));
    head.append(make("div", { class: "buttons" }, this.retry, this.button));
    this.element = make("li", {}, head, this.bar, this.problem, this.player, text, this.actions);
    this.#listen();
  }

  /** The browser's own player, where it can read the file. */
  #listen() {
    this.player.addEventListener("loadedmetadata", () => {
      this.#seconds = Number.isFinite(this.player.duration) ? this.player.duration : 0;
      this.player.hidden = false;
      this.transcript.seek = (seconds) => this.#play(seconds);
    });
    this.player.src = URL.createObjectURL(this.#file);
  }

  #play(seconds) {
    this.player.currentTime = seconds;
    this.player.play().catch(() => undefined); // a browser may refuse; the control is there to be pressed
  }

  #whole() {
    const { text, language, duration } = this.#result;
    return { text, language, duration, segments: this.transcript.segments };
  }
}
