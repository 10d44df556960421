// The face as a film for each text: fragmented MP4 that plays while it is made; where a browser cannot do that, the whole
// of it; and where it knows no MP4 at all, pictures one after another without sound.

import { FaceStills } from "./face-stills.js";
import { ServerError, ask } from "./server.js";
import { say } from "./say.js";

const PLAIN = "avc1.42E01F, mp4a.40.2";
const Source = window.ManagedMediaSource ?? window.MediaSource;

export class Film {
  name = "film";
  ear = false;
  #video;
  #canvas;
  #tell;
  #avatar = "";
  #options = {};
  #making = null; // what stops the one that is being made
  #generation = 0;
  #stills = null;

  static can() {
    return "fetch" in window;
  }

  constructor({ video, canvas }, tell) {
    this.#video = video;
    this.#canvas = canvas;
    this.#tell = tell;
    video.onplaying = () => this.#tell.event({ type: "utterance.started", generation: this.#generation });
    video.onended = () => this.#done();
  }

  async open(avatar, options) {
    this.#avatar = avatar;
    this.#options = options;
    if (!playable()) this.name = "mjpeg";
  }

  get now_s() {
    return this.#video.currentTime;
  }

  async say(text) {
    this.#stop();
    this.#generation += 1;
    const making = (this.#making = new AbortController());
    const mine = () => making === this.#making;
    try {
      if (playable()) await this.#film(text, making.signal);
      else await this.#show(text, making.signal);
    } catch (error) {
      if (!mine() || error.name === "AbortError") return;
      this.#stop();
      this.#tell.event({ type: "error", generation: this.#generation, error });
    }
  }

  interrupt() {
    const shown_s = this.#video.currentTime;
    this.#stop();
    this.#tell.event({ type: "interrupted", generation: this.#generation, shown_s, text: "" });
  }

  async hear() {
    throw { message: say("faceNoEar"), hint: say("faceNoEarHint") };
  }

  async play() {}

  close() {
    this.#stop();
    this.#video.onplaying = this.#video.onended = null;
  }

  async #film(text, signal) {
    const answer = await this.#ask(text, "mp4", signal);
    this.#video.muted = false;
    if (Source) await this.#stream(answer.body.getReader(), signal);
    else await this.#play(URL.createObjectURL(await answer.blob()));
  }

  async #show(text, signal) {
    this.#stills = new FaceStills(this.#canvas);
    const answer = await this.#ask(text, "mjpeg", signal);
    this.#tell.event({ type: "utterance.started", generation: this.#generation });
    await this.#stills.show(answer.body.getReader());
    this.#done();
  }

  #ask(text, response_format, signal) {
    const path = `v1/video/avatars/${encodeURIComponent(this.#avatar)}/animate`;
    return ask(path, { json: { ...this.#options, input: text, response_format }, signal });
  }

  /** Each piece is played as soon as there is room for it. */
  async #stream(reader, signal) {
    const source = new Source();
    this.#video.disableRemotePlayback = true; // ManagedMediaSource wants it
    const playing = this.#play(URL.createObjectURL(source));
    await once(source, "sourceopen", signal);
    let buffer = null;
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      buffer ??= source.addSourceBuffer(`video/mp4; codecs="${codecs(read.value)}"`);
      buffer.appendBuffer(read.value);
      await once(buffer, "updateend", signal);
    }
    if (source.readyState === "open") source.endOfStream();
    await playing;
  }

  async #play(url) {
    this.#video.src = url;
    this.#video.hidden = false;
    try {
      await this.#video.play();
    } catch (error) {
      throw error.name === "AbortError" ? error : new ServerError({ message: say("faceBroken") });
    } finally {
      URL.revokeObjectURL(url);
    }
  }

  #done() {
    this.#making = null;
    this.#tell.event({ type: "utterance.done", generation: this.#generation });
  }

  #stop() {
    this.#making?.abort();
    this.#making = null;
    this.#video.pause();
    if (this.#video.src) this.#video.removeAttribute("src");
    this.#video.load();
    this.#video.hidden = true;
  }
}

function playable() {
  return document.createElement("video").canPlayType(`video/mp4; codecs="${PLAIN}"`) !== "";
}

/** What is in the file, which its beginning says: `avcC` is a 1 and then the three bytes of the codec's name. */
function codecs(head) {
  const at = String.fromCharCode(...head.subarray(0, 4096)).indexOf("avcC");
  if (at < 0) return PLAIN;
  const name = [...head.subarray(at + 5, at + 8)].map((byte) => byte.toString(16).padStart(2, "0"));
  return `avc1.${name.join("")}, mp4a.40.2`;
}

function once(target, name, signal) {
  return new Promise((resolve, reject) => {
    target.addEventListener(name, resolve, { once: true });
    target.addEventListener("error", () => reject(new ServerError({ message: say("faceBroken") })), { once: true });
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
