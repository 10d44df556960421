// One recording to the server, and its text back while it is being heard. Knows nothing of what is shown.
// XMLHttpRequest, because it tells how much of an upload has gone, and lets an answer be read as it comes.

import { ServerError, address, errorOf, headers, unreachable } from "./server.js";
import { say } from "./say.js";

const PATH = "v1/audio/transcriptions";

const cut = () => new ServerError({ message: say("cut"), hint: say("unreachableHint") });

export class Upload {
  #request = new XMLHttpRequest();
  #read = 0;
  #done = null;
  #failed = null;

  /** `tell.sent(0..1)` as it goes; `tell.heard({start, end, text})` as it is heard. */
  constructor(tell) {
    this.tell = tell;
  }

  /** The whole: {text, language, duration, warnings}. Throws `ServerError`; with the code `cancelled` after `cancel()`. */
  send(file, { model, language }) {
    const form = new FormData();
    for (const [name, value] of Object.entries({ model: model || "auto", language, stream: "true" })) {
      if (value) form.append(name, value);
    }
    form.append("file", file, file.name);
    const request = this.#request;
    return new Promise((resolve, reject) => {
      request.upload.onprogress = ({ loaded, total }) => this.tell.sent(total ? loaded / total : 0);
      request.upload.onload = () => this.tell.sent(1);
      request.onprogress = () => this.#hear();
      request.onload = () => {
        try {
          this.#end(resolve, reject);
        } catch {
          reject(cut()); // what came is no answer of ours: a proxy's page, perhaps
        }
      };
      request.onerror = () => reject(unreachable());
      request.onabort = () => reject(new ServerError({ message: say("cancelled"), code: "cancelled" }));
      request.open("POST", address(PATH));
      for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
      request.send(form);
    });
  }

  /** Give up; the server stops its work on it. */
  cancel() {
    this.#request.abort();
  }

  #end(resolve, reject) {
    const { status, responseText } = this.#request;
    if (status !== 200) return reject(errorOf(status, responseText));
    this.#hear();
    if (this.#done) return resolve(this.#done);
    return reject(this.#failed ?? cut());
  }

  /** The events that have come since the last look. */
  #hear() {
    if (this.#request.status !== 200) return;
    const text = this.#request.responseText;
    for (let end = text.indexOf("\n\n", this.#read); end >= 0; end = text.indexOf("\n\n", this.#read)) {
      const lines = text.slice(this.#read, end);
      this.#read = end + 2;
      if (!lines.startsWith("data: ")) continue;
      const event = JSON.parse(lines.slice("data: ".length));
      if (event.error) this.#failed = new ServerError(event.error);
      else if (event.type === "transcript.text.done") this.#done = event;
      else this.tell.heard({ start: event.start, end: event.end, text: event.delta.trim() });
    }
  }
}
