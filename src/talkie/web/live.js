// Live: a button, and what is said appears. Joins the microphone to the line and shows both.

import { addActions } from "./actions.js";
import { at, showProblem } from "./dom.js";
import { clock } from "./formats.js";
import { askForKey } from "./key.js";
import { Line } from "./line.js";
import { Microphone, whyNoMicrophone } from "./microphone.js";
import { say } from "./say.js";
import { Transcript } from "./transcript.js";

const SILENT_PEAK = 0.0005;
const SILENT_S = 6;
const BEHIND_S = 3;
const LOUD_DB = 50; // the meter's range

export class Live {
  #settings;
  #state = "idle";
  #transcript = new Transcript(at("live-transcript"));
  #microphone = null;
  #line = null;
  #round = 0;
  #before = 0; // seconds heard in earlier rounds
  #behind = 0;
  #quietSince = 0;
  #language = "";
  #screen = null;

  constructor(settings) {
    this.#settings = settings;
    at("microphone").addEventListener("click", () => this.#press());
    addActions(at("live-actions"), { transcript: () => this.#whole(), name: () => `talkie-${today()}` });
    this.#addClear();
    addEventListener("beforeunload", (event) => this.#state !== "idle" && event.preventDefault());
    const problem = whyNoMicrophone();
    if (problem) {
      at("microphone").disabled = true;
      showProblem(at("live-problem"), problem);
    }
    this.#show();
  }

  #press() {
    if (this.#state === "idle") this.#start();
    else if (this.#state === "finishing" || this.#state === "starting") this.#stop(null);
    else this.#finish();
  }

  async #start() {
    const round = (this.#round += 1);
    showProblem(at("live-problem"), null);
    this.#enter("starting");
    let microphone;
    try {
      microphone = await Microphone.open({
        piece: (pcm) => round === this.#round && this.#line?.send(pcm),
        level: (peak) => round === this.#round && this.#showLevel(peak),
        lost: () => round === this.#round && this.#lostMicrophone(),
      });
    } catch (problem) {
      if (round === this.#round) this.#stop(problem);
      return;
    }
    if (round !== this.#round) return void microphone.close(); // given up while the browser asked
    this.#microphone = microphone;
    this.#quietSince = performance.now();
    this.#line = new Line(microphone.rate, this.#settings.asked(), this.#listener(round));
    this.#enter("connecting");
    this.#line.open();
    this.#stayAwake();
  }

  #listener(round) {
    const mine = (work) => (...values) => round === this.#round && work(...values);
    return {
      state: mine((name) => this.#lineIs(name)),
      event: mine((message, offset) => this.#hear(message, offset)),
      ended: mine((error) => this.#stop(error)),
    };
  }

  #lineIs(name) {
    if (name === "broken") this.#transcript.keepHeard();
    if (this.#state !== "finishing") this.#enter({ ready: "listening", slow: "slow", broken: "reconnecting" }[name]);
  }

  #hear(message, offset) {
    const at_s = this.#before + offset;
    const { utterance, text = "", start = 0, end = 0 } = message;
    if (message.type === "partial") {
      this.#behind = this.#line.seconds - offset - end;
      this.#transcript.hear(utterance, { ...message, start: at_s + start, end: at_s + end });
    } else if (message.type === "final") {
      this.#transcript.forget(utterance);
      if (text) this.#transcript.add({ start: at_s + start, end: at_s + end, text });
      this.#language = message.language || this.#language;
      this.#behind = 0;
    } else if (message.type === "warning") {
      showProblem(at("live-problem"), message);
    }
    this.#show();
  }

  async #finish() {
    this.#enter("finishing");
    const [microphone, line] = [this.#microphone, this.#line];
    await microphone?.close(); // what it still holds is sent before the end is
    line?.finish();
  }

  /** The end, by whatever reason. */
  #stop(problem) {
    this.#round += 1;
    this.#before += this.#line?.seconds ?? 0;
    this.#line?.close();
    this.#microphone?.close();
    this.#screen?.release();
    this.#line = this.#microphone = this.#screen = null;
    this.#behind = 0;
    this.#transcript.keepHeard();
    showProblem(at("live-problem"), problem);
    this.#enter("idle");
    if (problem?.status === 401) askForKey(problem).then((opened) => opened && this.#start());
  }

  #lostMicrophone() {
    this.#finish();
    showProblem(at("live-problem"), { message: say("micLost"), hint: "" });
  }

  async #stayAwake() {
    try {
      const screen = await navigator.wakeLock?.request("screen");
      if (this.#line) this.#screen = screen;
      else screen?.release();
    } catch {
      // a wish, no more: low batteries refuse it
    }
  }

  #showLevel(peak) {
    const db = 20 * Math.log10(Math.max(peak, 1e-6));
    const reach = Math.max(0, Math.min(1, 1 + db / LOUD_DB));
    at("live").style.setProperty("--reach", reach.toFixed(2));
    at("level").setAttribute("aria-valuenow", String(Math.round(reach * 100)));
    if (peak > SILENT_PEAK) this.#quietSince = performance.now();
    if (this.#state === "listening") this.#show();
  }

  #enter(state) {
    this.#state = state;
    this.#settings.lock(state !== "idle");
    if (state === "idle" || state === "finishing") at("live").style.setProperty("--reach", "0");
    this.#show();
  }

  #show() {
    at("live").dataset.state = this.#state;
    write(at("live-state"), this.#sentence());
    const labels = { idle: "start", finishing: "leave", starting: "leave" };
    write(at("microphone-label"), say(labels[this.#state] ?? "stop"));
    at("live-actions").hidden = this.#state !== "idle" || this.#transcript.empty;
  }

  #sentence() {
    if (this.#state === "idle") return at("microphone").disabled ? "" : say("idle");
    if (this.#state !== "listening") return say(this.#state);
    if ((performance.now() - this.#quietSince) / 1000 > SILENT_S) return say("silent");
    return this.#behind > BEHIND_S ? say("behind", { time: clock(this.#behind) }) : say("listening");
  }

  #whole() {
    const segments = this.#transcript.segments;
    const text = segments.map((segment) => segment.text).join("\n");
    return { text, language: this.#language, duration: this.#before, segments };
  }

  #addClear() {
    const gap = document.createElement("span");
    gap.className = "gap";
    const clear = document.createElement("button");
    clear.type = "button";
    clear.className = "plain";
    clear.textContent = say("clear");
    clear.addEventListener("click", () => {
      this.#transcript.clear();
      this.#before = 0;
      this.#show();
      at("microphone").focus();
    });
    at("live-actions").append(gap, clear);
  }
}

/** Only when it is news, so that nothing is read out twice. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function today() {
  const now = new Date();
  return new Date(now - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 16).replace(/[:T]/g, "-");
}
