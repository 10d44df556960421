// Sound and pictures with times, shown together: the sound card is the clock, and the pictures follow it. Knows nothing
// of where they come from.

const AHEAD_S = 0.12; // between the first sound that came and its turn: what the network may be late
const LATE_S = 0.005;
const PICTURES = 50;

export class FaceClock {
  #canvas;
  #drawn;
  #context = new AudioContext({ latencyHint: "interactive" });
  #rate = 48_000;
  #begins = null; // the context's time at which session time 0 is
  #pictures = [];
  #sounds = new Set();
  #request = 0;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#drawn = canvas.getContext("2d", { alpha: false });
  }

  /** Session time that is being heard now, in seconds. */
  get now_s() {
    if (this.#begins === null) return 0;
    return Math.max(0, this.#context.currentTime - this.#latency - this.#begins);
  }

  get #latency() {
    return this.#context.outputLatency || this.#context.baseLatency || 0;
  }

  begin(width, height, rate) {
    Object.assign(this.#canvas, { width, height });
    this.#rate = rate;
    this.#request = requestAnimationFrame(() => this.#draw());
  }

  async resume() {
    await this.#context.resume();
  }

  /** 16-bit mono. What comes too late moves everything after it, sound and pictures alike. */
  sound(samples, at_s, generation) {
    const now = this.#context.currentTime;
    if (this.#begins === null || this.#begins + at_s < now + LATE_S) this.#begins = now + AHEAD_S - at_s;
    const buffer = this.#context.createBuffer(1, samples.length, this.#rate);
    const values = buffer.getChannelData(0);
    for (let at = 0; at < samples.length; at += 1) values[at] = samples[at] / 32768;
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#context.destination);
    source.start(this.#begins + at_s);
    const playing = { source, generation };
    this.#sounds.add(playing);
    source.onended = () => this.#sounds.delete(playing);
  }

  /** A decoded picture, which this closes. */
  picture(frame, generation) {
    this.#pictures.push({ frame, generation });
    while (this.#pictures.length > PICTURES) this.#pictures.shift().frame.close();
  }

  /** Nothing of this utterance or of one before it is heard or seen any more. */
  drop(generation) {
    const old = (item) => item.generation > 0 && item.generation <= generation;
    for (const playing of this.#sounds) if (old(playing)) playing.source.stop();
    for (const { frame } of this.#pictures.filter(old)) frame.close();
    this.#pictures = this.#pictures.filter((item) => !old(item));
  }

  close() {
    cancelAnimationFrame(this.#request);
    for (const { frame } of this.#pictures) frame.close();
    this.#pictures = [];
    this.#context.close();
  }

  /** The latest picture whose time has come. While no sound runs, whatever came last. */
  #draw() {
    this.#request = requestAnimationFrame(() => this.#draw());
    const until_us = this.#context.state === "running" ? this.now_s * 1e6 : Infinity;
    let shown = null;
    while (this.#pictures.length && this.#pictures[0].frame.timestamp <= until_us) {
      shown?.close();
      shown = this.#pictures.shift().frame;
    }
    if (!shown) return;
    this.#drawn.drawImage(shown, 0, 0, this.#canvas.width, this.#canvas.height);
    shown.close();
  }
}
