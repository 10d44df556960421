// The dialog that asks for a key. What is typed is tried at once, and kept for the tab only if it opens.

import { at, showProblem } from "./dom.js";
import { ServerError, key, models } from "./server.js";
import { say } from "./say.js";

let asking = null;

/** Ask until a key opens the server or the asker gives up: whether there is a key now. One dialog at a time. */
export function askForKey(problem = null) {
  asking ??= ask(problem).finally(() => (asking = null));
  return asking;
}

function ask(problem) {
  const [dialog, form, input] = [at("key-dialog"), at("key-form"), at("key-input")];
  input.value = "";
  showProblem(at("key-problem"), key.get() ? problem : null); // without a key, that one is missing is no news
  at("key-button").hidden = false;
  dialog.showModal();
  input.focus();
  return new Promise((resolve) => {
    form.onsubmit = async (event) => {
      event.preventDefault();
      const error = await tryKey(input.value.trim());
      showProblem(at("key-problem"), error);
      if (!error) dialog.close("opened");
      else input.select();
    };
    at("key-cancel").onclick = () => dialog.close("");
    dialog.onclose = () => {
      resolve(dialog.returnValue === "opened");
      dialog.returnValue = "";
      input.value = "";
    };
  });
}

/** Null when the key opens the server; it is kept then. A key without the right to list models opens it as well. */
async function tryKey(shown) {
  if (/[^\x21-\x7e]/.test(shown)) return new ServerError({ message: say("keyOdd"), hint: say("keyOddHint") });
  const before = key.get();
  key.set(shown);
  try {
    await models();
  } catch (error) {
    if (error.status === 403) return null;
    key.set(before);
    return error;
  }
  return null;
}
