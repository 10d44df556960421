// The page with the face, put together.

import { at, showProblem } from "./dom.js";
import { FaceSettings } from "./face-settings.js";
import { Show } from "./face-show.js";
import { askForKey } from "./key.js";
import { translate } from "./say.js";

translate(document);
const settings = new FaceSettings();
new Show(settings);
at("key-button").addEventListener("click", async () => (await askForKey()) && load());
await load();

/** What the server has. It may want a key first. */
async function load() {
  try {
    await settings.load();
  } catch (error) {
    if (error.status === 401 && (await askForKey(error))) return load();
    if (error.status !== 401) showProblem(at("face-problem"), error);
  }
  return undefined;
}
