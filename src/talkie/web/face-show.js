// The face and the buttons below it: which way it is shown in, what it is told, what it tells.
//
// The ways, the best first: a call (WebRTC), a socket (WebCodecs), a film for each text. One that does not lead there
// makes room for the next. A face wakes when somebody begins to write, and sleeps when nobody has wanted it for a while.

import { Captions } from "./face-captions.js";
import { Call } from "./face-call.js";
import { Film } from "./face-film.js";
import { Line } from "./face-socket.js";
import { at, showProblem } from "./dom.js";
import { askForKey } from "./key.js";
import { whyNoMicrophone } from "./microphone.js";
import { say } from "./say.js";
import { ServerError, ask } from "./server.js";

const WAYS = { webrtc: Call, socket: Line, film: Film };
const SLEEP_MS = 120_000;
const ELSEWHERE = new Set(["", "engine_unavailable"]); // errors after which another way may still lead there
const SENTENCES = {
  idle: "faceIdle",
  connecting: "faceConnecting",
  ready: "faceReady",
  thinking: "faceThinking",
  talking: "faceTalking",
  hearing: "faceHearing",
};

export class Show {
  #settings;
  #captions = new Captions(at("captions"));
  #state = "idle";
  #way = null;
  #opening = null;
  #given = new Set(); // ways that did not lead there
  #sleep = 0;

  constructor(settings) {
    this.#settings = settings;
    settings.listen((name) => this.#wanted(name));
    at("say-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#say();
    });
    at("text").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#say();
    });
    at("text").addEventListener("input", () => this.#wake().catch(() => {}), { once: true });
    at("stop").addEventListener("click", () => this.#stop());
    at("hear").addEventListener("click", () => this.#hear());
    addEventListener("pagehide", () => this.#close());
    this.#enter("idle");
  }

  async #say() {
    const text = at("text").value.trim();
    if (!text) return at("text").focus();
    await this.#with(async (way) => {
      if (this.#state === "hearing") await way.hear(false);
      at("text").select();
      this.#enter("thinking");
      if (!way.ear) this.#captions.plain(text);
      way.say(text);
    });
    return undefined;
  }

  #stop() {
    if (this.#state === "hearing") this.#hear();
    else this.#way?.interrupt();
  }

  async #hear() {
    if (this.#state === "hearing") {
      await this.#way?.hear(false);
      this.#enter("ready");
      return;
    }
    const problem = whyNoMicrophone();
    if (problem) return void showProblem(at("face-problem"), problem);
    await this.#with(async (way) => {
      await way.hear(true);
      this.#captions.clear();
      this.#enter("hearing");
    });
  }

  /** Do it with a face that is awake; what goes wrong is shown. */
  async #with(work) {
    showProblem(at("face-problem"), null);
    try {
      const way = await this.#wake();
      await way.play();
      await work(way);
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error) {
    const denied = { NotAllowedError: "micDenied", NotFoundError: "micNone", NotReadableError: "micTaken" }[error.name];
    const problem = denied ? { message: say(denied), hint: say(`${denied}Hint`) } : error;
    showProblem(at("face-problem"), problem);
    if (this.#state === "connecting" || this.#state === "thinking") this.#enter(this.#way ? "ready" : "idle");
    if (error.status === 401) askForKey(error).then((opened) => opened && this.#say());
  }

  /** The way that is open; opens one where there is none. Throws `ServerError`. */
  #wake() {
    clearTimeout(this.#sleep);
    this.#sleep = setTimeout(() => this.#rest(), SLEEP_MS);
    if (this.#way) return Promise.resolve(this.#way);
    this.#opening ??= this.#open().finally(() => (this.#opening = null));
    return this.#opening;
  }

  async #open() {
    this.#enter("connecting");
    for (const [name, Way] of asked()) {
      if (!Way.can() || this.#given.has(name)) continue;
      const way = this.#make(Way);
      try {
        await way.open(this.#settings.avatar, this.#settings.asked());
        this.#way = way;
        at("face").dataset.way = way.name;
        if (way.name === "mjpeg") showProblem(at("face-problem"), { message: say("faceSilent"), hint: "" });
        this.#enter("ready");
        return way;
      } catch (error) {
        way.close();
        if (error instanceof ServerError && !ELSEWHERE.has(error.code)) {
          this.#enter("idle");
          throw error;
        }
        this.#given.add(name);
      }
    }
    this.#enter("idle");
    throw new ServerError({ message: say("faceNoWay"), hint: say("faceNoWayHint") });
  }

  #make(Way) {
    const mine = (work) => (value) => (way === this.#way || !this.#way) && work(value);
    const way = new Way(
      { video: at("video"), canvas: at("canvas") },
      { event: mine((message) => this.#told(message)), ended: mine((error) => this.#ended(error)) },
    );
    return way;
  }

  #told(message) {
    if (message.type === "utterance.started") {
      this.#enter("talking");
      if (this.#way.ear) this.#captions.begin(() => this.#way?.now_s ?? 0);
    } else if (message.type === "words") {
      this.#captions.add(message.words);
    } else if (message.type === "utterance.done") {
      if (this.#state === "talking" || this.#state === "thinking") this.#enter("ready");
    } else if (message.type === "interrupted") {
      this.#interrupted(message);
    } else if (message.type === "error") {
      this.#failed(message.error instanceof Error ? message.error : new ServerError(message.error));
      if (this.#state === "talking") this.#enter("ready");
    }
  }

  #interrupted({ generation, text }) {
    this.#captions.clear();
    if (this.#state !== "talking") return;
    this.#enter("ready");
    if (generation && text) write(at("face-state"), say("faceStopped", { text }));
  }

  #ended(error) {
    this.#close();
    if (error) showProblem(at("face-problem"), error);
  }

  /** Another face or mood is another session, another voice as well; the next word is said by it. */
  #wanted(name) {
    this.#close();
    if (name === "avatar") this.#drawRest();
  }

  #rest() {
    if (this.#state === "ready") this.#close();
    else if (this.#way) this.#sleep = setTimeout(() => this.#rest(), SLEEP_MS);
  }

  #close() {
    const way = this.#way;
    this.#way = null;
    way?.close();
    clearTimeout(this.#sleep);
    this.#captions.clear();
    this.#enter("idle");
  }

  async #drawRest() {
    if (!this.#settings.picture) return;
    try {
      const answer = await ask(this.#settings.picture);
      const picture = await createImageBitmap(await answer.blob());
      Object.assign(at("canvas"), { width: picture.width, height: picture.height });
      at("canvas").getContext("2d", { alpha: false }).drawImage(picture, 0, 0);
      picture.close();
    } catch {
      // the face shows itself when it wakes
    }
  }

  #enter(state) {
    this.#state = state;
    at("face").dataset.state = state;
    write(at("face-state"), say(SENTENCES[state]));
    at("stop").disabled = !["talking", "thinking", "hearing"].includes(state);
    at("hear").setAttribute("aria-pressed", String(state === "hearing"));
  }
}

/** All ways in their order, or the one that the address names: `?by=socket`. */
function asked() {
  const by = new URLSearchParams(location.search).get("by");
  return Object.entries(WAYS).filter(([name]) => !by || name === by);
}

/** Only when it is news, so that nothing is read out twice. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
