// Which face, which voice, which mood: filled from what the server has, and remembered by the browser.

import { at, make } from "./dom.js";
import { languageName, say } from "./say.js";
import { ask } from "./server.js";
import { choose, keep, kept } from "./settings.js";

const AUTO = "auto";

export class FaceSettings {
  #avatars = [];
  #voices = [];
  #listeners = [];

  constructor() {
    for (const name of ["avatar", "voice", "mood"]) {
      at(name).addEventListener("change", () => {
        keep(name, at(name).value);
        if (name === "avatar") this.#changed();
        else for (const tell of this.#listeners) tell(name);
      });
    }
    this.#fill();
  }

  /** Ask the server what there is. Throws `ServerError`. */
  async load() {
    const [avatars, voices] = await Promise.all([list("v1/video/avatars"), list("v1/audio/voices")]);
    this.#avatars = avatars.filter(({ problem }) => !problem);
    this.#voices = voices;
    this.#fill();
    this.#changed();
  }

  /** `tell(name)` is called when another avatar, voice or mood is wanted. */
  listen(tell) {
    this.#listeners.push(tell);
  }

  get avatar() {
    return at("avatar").value || AUTO;
  }

  /** The picture of the avatar at rest: its address, or empty. */
  get picture() {
    return this.#shown?.picture?.replace(/^\//, "") ?? "";
  }

  /** What is wished for; what is left out, the server chooses. */
  asked() {
    const wished = { voice: at("voice").value, mood: at("mood").value };
    return Object.fromEntries(Object.entries(wished).filter(([, value]) => value));
  }

  get #shown() {
    return this.#avatars.find(({ id }) => id === at("avatar").value) ?? this.#avatars[0];
  }

  #fill() {
    at("avatar").replaceChildren(...automatic(), ...this.#avatars.map(({ id, title }) => option(id, title || id)));
    choose(at("avatar"), kept("avatar"));
    const named = this.#voices.map(({ id, name, languages }) => option(id, voiceName(name || id, languages)));
    at("voice").replaceChildren(...automatic(), ...named);
    choose(at("voice"), kept("voice"));
    this.#fillMoods();
  }

  #fillMoods() {
    const moods = this.#shown?.moods ?? [];
    at("mood").replaceChildren(...automatic(), ...moods.map((mood) => option(mood, mood)));
    choose(at("mood"), kept("mood"));
    at("mood-label").hidden = moods.length < 2;
  }

  #changed() {
    this.#fillMoods();
    for (const tell of this.#listeners) tell("avatar");
  }
}

const option = (value, text) => make("option", { value, text });
const automatic = () => [option("", say("automatic"))];

async function list(path) {
  const answer = await ask(path);
  return (await answer.json()).data;
}

function voiceName(name, languages = []) {
  return languages.length === 1 ? `${name} (${languageName(languages[0].split("-")[0])})` : name;
}
