// In the audio thread: the microphone's sound to 16-bit mono pieces, with the loudest sample of each. "flush" sends what
// is left, so that the end of the last word is not lost.

const PIECE_S = 0.04;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.size = Math.round(sampleRate * PIECE_S);
    this.done = false;
    this.begin();
    this.port.onmessage = () => {
      if (this.used > 0) this.post();
      this.done = true;
      this.port.postMessage({ flushed: true });
    };
  }

  begin() {
    this.piece = new Int16Array(this.size);
    this.used = 0;
    this.peak = 0;
  }

  post() {
    const pcm = this.piece.slice(0, this.used).buffer;
    this.port.postMessage({ pcm, peak: this.peak }, [pcm]);
    this.begin();
  }

  process([channels]) {
    if (this.done) return false;
    const frames = channels.length ? channels[0].length : 0;
    for (let frame = 0; frame < frames; frame += 1) {
      let sum = 0;
      for (const channel of channels) sum += channel[frame];
      const sample = Math.max(-1, Math.min(1, sum / channels.length));
      this.peak = Math.max(this.peak, Math.abs(sample));
      this.piece[this.used] = Math.round(sample * 32767);
      this.used += 1;
      if (this.used === this.size) this.post();
    }
    return true;
  }
}

registerProcessor("capture", Capture);
