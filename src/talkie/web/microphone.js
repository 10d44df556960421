// The microphone as pieces of 16-bit mono sound. Knows nothing of where they go.

import { say } from "./say.js";

const FLUSH_MS = 1000;

/** Why there is no microphone here, or null. Browsers give one to pages they trust only. */
export function whyNoMicrophone() {
  if (!window.isSecureContext) return { message: say("insecure"), hint: say("insecureHint") };
  if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) return { message: say("noAudio"), hint: "" };
  return null;
}

export class Microphone {
  #stream;
  #context;
  #node;
  #flushed;

  /** Ask for it. `piece(pcm)` and `level(0..1)` are called as sound comes, `lost()` when it ends by itself.
   * Throws {message, hint}. */
  static async open(handlers) {
    const microphone = new Microphone();
    try {
      await microphone.#open(handlers);
      return microphone;
    } catch (error) {
      await microphone.close();
      throw explain(error);
    }
  }

  get rate() {
    return this.#context.sampleRate;
  }

  /** Send what is left, and let go of the device. */
  async close() {
    if (this.#node) {
      const patience = new Promise((resolve) => setTimeout(resolve, FLUSH_MS));
      this.#node.port.postMessage("flush");
      await Promise.race([this.#flushed, patience]);
    }
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    if (this.#context && this.#context.state !== "closed") await this.#context.close();
  }

  async #open({ piece, level, lost }) {
    this.#context = new AudioContext({ latencyHint: "interactive" });
    const resumed = this.#context.resume(); // now, while the press of the button still counts
    const audio = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: true };
    this.#stream = await navigator.mediaDevices.getUserMedia({ audio });
    await this.#context.audioWorklet.addModule(new URL("capture.js", import.meta.url).href);
    await resumed;
    const node = new AudioWorkletNode(this.#context, "capture");
    this.#flushed = new Promise((resolve) => {
      node.port.onmessage = ({ data }) => {
        if (data.flushed) return resolve();
        piece(data.pcm);
        level(data.peak);
      };
    });
    this.#node = node;
    this.#context.createMediaStreamSource(this.#stream).connect(node);
    node.connect(this.#context.destination); // silence; some browsers let nothing run that leads nowhere
    for (const track of this.#stream.getAudioTracks()) track.addEventListener("ended", () => lost());
  }
}

function explain(error) {
  const known = { NotAllowedError: "micDenied", NotFoundError: "micNone", NotReadableError: "micTaken" };
  const key = known[error.name];
  if (key) return { message: say(key), hint: say(`${key}Hint`) };
  return { message: say("micFailed"), hint: `${error.name}: ${error.message}` };
}
