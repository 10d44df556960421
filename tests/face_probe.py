"""A page's sound and picture looked at from inside: when flashes are heard and when they are seen.

Times are milliseconds of the page's clock. A picture is seen when the browser expects it on the screen. The sound of a
call is looked at where the browser takes it for its speakers, and is heard by their delay later. The sound of a film is
led through a context; the picture knows nothing of that way round, so its delay does not count.
"""

from __future__ import annotations

from playwright.sync_api import Page

WORKLET = """
class Probe extends AudioWorkletProcessor {
  constructor() { super(); this.quiet = 0; }
  process([[samples]]) {
    for (let at = 0; samples && at < samples.length; at += 1) {
      if (Math.abs(samples[at]) > 0.1) {
        if (this.quiet > sampleRate * 0.15) this.port.postMessage(currentTime + at / sampleRate);
        this.quiet = 0;
      } else this.quiet += 1;
    }
    return true;
  }
}
registerProcessor("probe", Probe);
"""
"""Tells the context's time of each sample that breaks a silence."""

WATCH = """async (worklet) => {
  const video = document.getElementById("video");
  window.flashes = {heard: [], seen: []};
  const context = new AudioContext();
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([worklet], {type: "text/javascript"})));
  await context.resume();

  const film = () => {
    const [source, probe] = [context.createMediaElementSource(video), new AudioWorkletNode(context, "probe")];
    source.connect(probe);
    source.connect(context.destination);
    probe.port.onmessage = ({data}) => {
      const {contextTime, performanceTime} = context.getOutputTimestamp();
      const delay = performanceTime + (data - contextTime) * 1000 - context.outputLatency * 1000;
      window.flashes.heard.push(delay);
    };
  };
  const call = async () => {
    const [track] = video.srcObject.getAudioTracks();
    const reader = new MediaStreamTrackProcessor({track}).readable.getReader();
    let quiet = 0;
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const [now, {sampleRate, numberOfFrames}] = [performance.now(), read.value];
      const samples = new Float32Array(numberOfFrames);
      read.value.copyTo(samples, {planeIndex: 0, format: "f32-planar"});
      read.value.close();
      samples.forEach((sample, at) => {
        const loud = Math.abs(sample) > 0.1;
        if (loud && quiet > sampleRate * 0.15) {
          window.flashes.heard.push(now + at / sampleRate * 1000 + context.outputLatency * 1000);
        }
        quiet = loud ? 0 : quiet + 1;
      });
    }
  };
  video.addEventListener("loadedmetadata", () => video.srcObject ? call() : film(), {once: true});

  const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  let lit = false;
  const look = (now, {expectedDisplayTime}) => {
    canvas.drawImage(video, 0, 0, 1, 1);
    const bright = canvas.getImageData(0, 0, 1, 1).data[1] > 110;
    if (bright && !lit) window.flashes.seen.push(expectedDisplayTime);
    lit = bright;
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
}"""
FAR_MS = 200
"""Flashes are 440 ms apart: what is farther belongs to another."""


def watch(page: Page) -> None:
    """From now on the page notes flashes. Its policy must be off: this script is not its own."""
    page.evaluate(WATCH, WORKLET)


def offsets_ms(page: Page) -> list[float]:
    """How much later each flash is seen than heard, for those since the last time. One that was only heard or only seen
    is left out."""
    found = page.evaluate(
        "() => { const {heard, seen} = flashes; flashes = {heard: [], seen: []}; return {heard, seen}; }"
    )
    pairs = [(min(found["heard"], key=lambda at: abs(at - seen), default=1e9), seen) for seen in found["seen"]]
    return [seen - heard for heard, seen in pairs if abs(seen - heard) < FAR_MS]
