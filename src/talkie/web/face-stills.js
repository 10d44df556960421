// Pictures that come one after another in one answer (`multipart/x-mixed-replace`), each drawn when it has come.

const MOST = 16_000_000; // bytes of one picture

export class FaceStills {
  #canvas;
  #drawn;
  #held = new Uint8Array(0);

  constructor(canvas) {
    this.#canvas = canvas;
    this.#drawn = canvas.getContext("2d", { alpha: false });
  }

  /** To the end of the answer. */
  async show(reader) {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      this.#held = joined(this.#held, read.value);
      for (let part = this.#part(); part; part = this.#part()) await this.#draw(part);
    }
  }

  /** The next whole picture, or null. */
  #part() {
    const head = new TextDecoder("latin1").decode(this.#held.subarray(0, 512));
    const found = /Content-Length: (\d{1,8})\r\n\r\n/i.exec(head);
    if (!found) return null;
    const [begin, length] = [found.index + found[0].length, Number(found[1])];
    if (length > MOST) throw new Error("a picture is too large");
    if (this.#held.length < begin + length) return null;
    const part = this.#held.slice(begin, begin + length);
    this.#held = this.#held.slice(begin + length);
    return part;
  }

  async #draw(part) {
    const picture = await createImageBitmap(new Blob([part], { type: "image/jpeg" }));
    if (this.#canvas.width !== picture.width || this.#canvas.height !== picture.height) {
      Object.assign(this.#canvas, { width: picture.width, height: picture.height });
    }
    this.#drawn.drawImage(picture, 0, 0);
    picture.close();
  }
}

function joined(one, other) {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
