// The face by WebSocket: encoded pictures and sound, decoded here by WebCodecs and shown on one clock.

import { FaceClock } from "./face-clock.js";
import { Microphone } from "./microphone.js";
import { ServerError, refusal, socket } from "./server.js";
import { say } from "./say.js";

const HEADER = 24;
const VIDEO = 1;
const KEY = 1;
const MICROPHONE_HZ = 16_000;
const SEEN_MS = 250;
const WAITING_CHUNKS = 60; // that the decoder has not taken: it cannot keep up

export class Line {
  name = "socket";
  ear = true;
  #clock;
  #tell;
  #socket = null;
  #decoder = null;
  #generations = new Map(); // of pictures that are being decoded, by their time
  #whole = false; // whether the pictures before the next one were all decoded
  #microphone = null;
  #timer = 0;
  #last = null;
  #closed = false;

  static can() {
    return "VideoDecoder" in window && "AudioContext" in window;
  }

  constructor({ canvas }, tell) {
    this.#clock = new FaceClock(canvas);
    this.#tell = tell;
  }

  /** Throws `ServerError`; anything else means that this way does not lead there. */
  async open(avatar, options) {
    const video = await codec();
    const path = `v1/video/avatars/${encodeURIComponent(avatar)}/live`;
    const line = (this.#socket = socket(path, { ...options, video, audio: "pcm16", client: "page" }));
    line.binaryType = "arraybuffer";
    await new Promise((resolve, reject) => {
      let opened = false;
      line.onopen = () => (opened = true);
      line.onmessage = ({ data }) => this.#take(data, resolve);
      line.onclose = async () => {
        reject(this.#last ?? (opened ? null : await refusal(`v1/video/avatars/${encodeURIComponent(avatar)}`)));
        this.#end();
      };
    });
    this.#timer = setInterval(() => this.#send({ type: "shown", at_s: this.#clock.now_s }), SEEN_MS);
  }

  get now_s() {
    return this.#clock.now_s;
  }

  say(text) {
    this.#send({ type: "text", text });
  }

  interrupt() {
    this.#send({ type: "interrupt" });
  }

  async hear(on) {
    const before = this.#microphone;
    this.#microphone = null;
    await before?.close();
    if (!on) return;
    const microphone = await Microphone.open({
      piece: (pcm) => this.#socket?.readyState === WebSocket.OPEN && this.#socket.send(slower(pcm, microphone.rate)),
      level: () => {},
      lost: () => this.hear(false),
    });
    if (this.#closed) await microphone.close();
    else this.#microphone = microphone;
  }

  async play() {
    await this.#clock.resume();
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#microphone?.close();
    this.#socket?.close();
    if (this.#decoder && this.#decoder.state !== "closed") this.#decoder.close();
    this.#clock.close();
  }

  #take(data, ready) {
    if (this.#closed) return;
    if (data instanceof ArrayBuffer) return this.#packet(data);
    const message = JSON.parse(data);
    if (message.type === "session.created") {
      this.#begin(message);
      ready();
    }
    if (message.type === "error" && !message.generation) this.#last = new ServerError(message.error);
    if (message.type === "interrupted") this.#clock.drop(message.generation);
    this.#tell.event(message);
  }

  #begin({ codec: { video }, width, height, sample_rate }) {
    this.#clock.begin(width, height, sample_rate);
    this.#decoder = new VideoDecoder({
      output: (frame) => {
        this.#clock.picture(frame, this.#generations.get(frame.timestamp) ?? 0);
        this.#generations.delete(frame.timestamp);
      },
      error: () => this.#end(new ServerError({ message: say("faceBroken") })),
    });
    this.#decoder.configure({ codec: video, codedWidth: width, codedHeight: height, optimizeForLatency: true });
  }

  #packet(data) {
    const view = new DataView(data);
    const [kind, flags, generation] = [view.getUint8(0), view.getUint8(1), view.getUint32(4)];
    const [pts_us, duration] = [Number(view.getBigInt64(12)), view.getUint32(20)];
    if (kind !== VIDEO) return this.#clock.sound(new Int16Array(data.slice(HEADER)), pts_us / 1e6, generation);
    const key = Boolean(flags & KEY);
    if (this.#decoder.decodeQueueSize > WAITING_CHUNKS) this.#whole = false;
    if (!key && !this.#whole) return undefined;
    this.#whole = true;
    this.#generations.set(pts_us, generation);
    const chunk = { type: key ? "key" : "delta", timestamp: pts_us, duration, data: new Uint8Array(data, HEADER) };
    return this.#decoder.decode(new EncodedVideoChunk(chunk));
  }

  #end(error = null) {
    if (this.#closed) return;
    this.close();
    this.#tell.ended(error ?? this.#last ?? new ServerError({ message: say("lost") }));
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}

/** H.264 where it is to be had, else VP8, which every WebCodecs has. */
async function codec() {
  const wanted = { codec: "avc1.42E01F", codedWidth: 512, codedHeight: 512 };
  const { supported } = await VideoDecoder.isConfigSupported(wanted).catch(() => ({ supported: false }));
  return supported ? "h264" : "vp8";
}

/** 16-bit sound at 16 kHz: each sample the mean of those that it stands for. It is for lips and not for ears. */
function slower(pcm, rate) {
  const [samples, step] = [new Int16Array(pcm), rate / MICROPHONE_HZ];
  const out = new Int16Array(Math.floor(samples.length / step));
  for (let at = 0; at < out.length; at += 1) {
    const [from, to] = [Math.floor(at * step), Math.max(Math.floor(at * step) + 1, Math.floor((at + 1) * step))];
    let sum = 0;
    for (let one = from; one < to; one += 1) sum += samples[one];
    out[at] = sum / (to - from);
  }
  return out.buffer;
}
