// The face by WebRTC: sound and picture as a call, text and events over its data channel. The least delay of all ways.

import { ServerError, ask } from "./server.js";
import { say } from "./say.js";

const GATHER_MS = 1000; // addresses of this machine; there are no others to wait for
const CONNECT_MS = 5000;
const PICTURE_MS = 1500;
const SOUND_HELD_MS = 60; // against the network's moods
const PICTURE_HELD_MS = 100; // as long, and for the delay of the speakers
const DELAY_S = 0.1; // from the server's clock to the eye

export class Call {
  name = "webrtc";
  ear = true;
  #video;
  #tell;
  #peer = new RTCPeerConnection();
  #channel = this.#peer.createDataChannel("talkie");
  #sound = null;
  #microphone = null;
  #last = null; // what the server said was wrong
  #created = null;
  #where = ""; // the call's address, to end it by
  #closed = false;
  #began_ms = 0;

  static can() {
    return "RTCPeerConnection" in window;
  }

  constructor({ video }, tell) {
    this.#video = video;
    this.#tell = tell;
  }

  /** Throws `ServerError`; anything else means that this way does not lead there. */
  async open(avatar, options) {
    const picture = this.#peer.addTransceiver("video", { direction: "recvonly" });
    this.#sound = this.#peer.addTransceiver("audio", { direction: "sendrecv" });
    for (const [transceiver, held_ms] of [[picture, PICTURE_HELD_MS], [this.#sound, SOUND_HELD_MS]]) {
      if ("jitterBufferTarget" in transceiver.receiver) transceiver.receiver.jitterBufferTarget = held_ms;
    }
    this.#peer.ontrack = ({ streams, track }) => this.#show(streams[0] ?? new MediaStream([track]));
    this.#channel.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    const connected = this.#until((done) => (this.#created = done), CONNECT_MS);
    connected.catch(() => {}); // it is waited for below
    await this.#peer.setLocalDescription();
    await this.#until((done) => {
      this.#peer.onicegatheringstatechange = () => this.#peer.iceGatheringState === "complete" && done();
    }, GATHER_MS).catch(() => {}); // what there is by then will do
    const path = `v1/video/avatars/${encodeURIComponent(avatar)}/webrtc`;
    const answer = await ask(path, { json: { ...options, type: "offer", sdp: this.#peer.localDescription.sdp } });
    const { id, sdp } = await answer.json();
    this.#where = `${path}/${encodeURIComponent(id)}`;
    await this.#peer.setRemoteDescription({ type: "answer", sdp });
    await connected;
    await this.#until((done) => (this.#video.onplaying = done), PICTURE_MS).catch(() => {}); // sound that came before it would be late
    this.#peer.onconnectionstatechange = () => this.#changed();
    this.#channel.onclose = () => this.#end(null);
  }

  /** Session time that is shown now, as well as can be told: a browser keeps a call's own clock to itself. */
  get now_s() {
    return (performance.now() - this.#began_ms) / 1000 - DELAY_S;
  }

  say(text) {
    this.#send({ type: "text", text });
  }

  interrupt() {
    this.#send({ type: "interrupt" });
  }

  /** Throws {name, message} of `getUserMedia`. */
  async hear(on) {
    if (on && !this.#microphone) {
      const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
      this.#microphone = await navigator.mediaDevices.getUserMedia({ audio });
      if (this.#closed) return this.#letGo();
    }
    await this.#sound.sender.replaceTrack(on ? this.#microphone.getAudioTracks()[0] : null);
    if (!on) this.#letGo();
  }

  /** Sound needs a press of a button first; a browser that has seen none shows a silent face. */
  async play() {
    this.#video.muted = false;
    try {
      await this.#video.play();
    } catch {
      this.#video.muted = true;
      await this.#video.play().catch(() => {});
    }
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#letGo();
    if (this.#where) ask(this.#where, { method: "DELETE", keepalive: true }).catch(() => {});
    this.#peer.close();
    this.#video.srcObject = null;
    this.#video.hidden = true;
  }

  #show(stream) {
    if (this.#closed || this.#video.srcObject === stream) return;
    this.#video.srcObject = stream;
    this.#video.hidden = false;
    this.play();
  }

  #hear(message) {
    if (message.type === "session.created") this.#created();
    if (message.type === "utterance.started") this.#began_ms = performance.now() - message.at_s * 1000;
    if (message.type === "error" && !message.generation) this.#last = new ServerError(message.error);
    this.#tell.event(message);
  }

  #changed() {
    if (["failed", "closed"].includes(this.#peer.connectionState)) this.#end(this.#last);
  }

  #end(error) {
    if (this.#closed) return;
    this.close();
    this.#tell.ended(error ?? this.#last ?? new ServerError({ message: say("lost") }));
  }

  #send(message) {
    if (this.#channel.readyState === "open") this.#channel.send(JSON.stringify(message));
  }

  #letGo() {
    for (const track of this.#microphone?.getTracks() ?? []) track.stop();
    this.#microphone = null;
  }

  #until(begin, patience_ms) {
    return new Promise((resolve, reject) => {
      begin(resolve);
      setTimeout(() => reject(new Error("it took too long")), patience_ms);
    });
  }
}
