// The page, put together.

import { at, showProblem } from "./dom.js";
import { Files } from "./files.js";
import { askForKey } from "./key.js";
import { Live } from "./live.js";
import { translate } from "./say.js";
import { Settings } from "./settings.js";

translate(document);
const settings = new Settings();
new Live(settings);
new Files(settings);
at("key-button").addEventListener("click", async () => (await askForKey()) && load());
await load();

/** What the server has. It may want a key first; a key that may not list models can still do the rest. */
async function load() {
  try {
    await settings.load();
  } catch (error) {
    if (error.status === 401 && (await askForKey(error))) return load();
    if (error.status !== 401 && error.status !== 403) showProblem(at("live-problem"), error);
  }
  return undefined;
}
