// The line to `/v1/listen`: sound out, events in. It comes back by itself when the connection breaks. Knows nothing of
// microphones or of what is shown.

import { ServerError, refusal, socket } from "./server.js";
import { say } from "./say.js";

const PATH = "v1/listen";
const WAITING_S = 10; // sound that is kept while there is no connection; older sound goes
const BUFFERED_S = 4; // sound that the network has not taken yet; past it, no more is sent
const AGAIN_MS = [500, 1000, 2000, 4000, 8000];
const TRY_AGAIN = new Set(["shutting_down"]);

export class Line {
  #query;
  #rate;
  #tell;
  #socket = null;
  #ready = false;
  #waiting = [];
  #waitingSamples = 0;
  #captured = 0;
  #left = 0; // samples that this session was not sent
  #offset = 0; // when this session began, in samples since the line was opened
  #tries = 0;
  #timer = 0;
  #finishing = false;
  #ended = false;

  /** `tell.state(name)`: ready, slow or broken. `tell.event(message, offset_s)`. `tell.ended(error or null)`: once. */
  constructor(rate, query, tell) {
    this.#rate = rate;
    this.#query = { ...query, sample_rate: String(rate), encoding: "pcm16", interim_results: "true", client: "page" };
    this.#tell = tell;
  }

  /** Seconds of sound so far. */
  get seconds() {
    return this.#captured / this.#rate;
  }

  open() {
    let opened = false;
    let line;
    try {
      line = socket(PATH, this.#query);
    } catch (error) {
      this.#end(error);
      return;
    }
    line.binaryType = "arraybuffer";
    line.onopen = () => (opened = true);
    line.onmessage = ({ data }) => this.#hear(line, JSON.parse(data));
    line.onclose = ({ code }) => this.#closed(line, opened, code);
    this.#socket = line;
  }

  /** A piece of 16-bit mono sound. */
  send(pcm) {
    if (this.#ended) return;
    const samples = pcm.byteLength / 2;
    this.#captured += samples;
    if (this.#ready) this.#pass(pcm, samples);
    else this.#keep(pcm, samples);
  }

  /** No more sound comes: hear the rest, then end. */
  finish() {
    this.#finishing = true;
    if (this.#ready) this.#socket.send(JSON.stringify({ type: "close" }));
  }

  /** End now. */
  close() {
    this.#end(null);
  }

  #pass(pcm, samples) {
    const full = this.#socket.bufferedAmount > BUFFERED_S * this.#rate * 2;
    this.#tell.state(full ? "slow" : "ready");
    if (full) this.#left += samples;
    else this.#socket.send(pcm);
  }

  #keep(pcm, samples) {
    this.#waiting.push(pcm);
    this.#waitingSamples += samples;
    while (this.#waitingSamples > WAITING_S * this.#rate) this.#waitingSamples -= this.#waiting.shift().byteLength / 2;
  }

  #hear(line, message) {
    if (this.#ended || line !== this.#socket) return;
    if (message.type === "ready") this.#begin();
    else if (message.type === "done") this.#end(null);
    else if (message.type === "error") this.#refused(line, message.error);
    else this.#tell.event(message, (this.#offset + this.#left) / this.#rate);
  }

  #begin() {
    this.#ready = true;
    this.#tries = 0;
    this.#left = 0;
    this.#offset = this.#captured - this.#waitingSamples;
    for (const pcm of this.#waiting) this.#socket.send(pcm);
    this.#waiting = [];
    this.#waitingSamples = 0;
    this.#tell.state("ready");
    if (this.#finishing) this.finish();
  }

  #refused(line, words) {
    const error = new ServerError(words);
    if (TRY_AGAIN.has(error.code)) line.close();
    else this.#end(error);
  }

  async #closed(line, opened, code) {
    if (this.#ended || line !== this.#socket) return;
    this.#ready = false;
    this.#socket = null;
    if (!opened) {
      const error = await refusal(PATH);
      if (this.#ended) return;
      if (error) return this.#end(error);
    }
    if (this.#tries === AGAIN_MS.length) {
      return this.#end(new ServerError({ message: say("lost"), hint: say("lostHint", { code }) }));
    }
    this.#tell.state("broken");
    this.#timer = setTimeout(() => this.open(), AGAIN_MS[this.#tries]);
    this.#tries += 1;
  }

  #end(error) {
    if (this.#ended) return;
    this.#ended = true;
    this.#ready = false;
    clearTimeout(this.#timer);
    this.#waiting = [];
    this.#socket?.close();
    this.#tell.ended(error);
  }
}
