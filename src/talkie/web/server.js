// The server as the page sees it: its addresses, its errors, and the key that opens it.

import { say } from "./say.js";

const KEPT_AS = "talkie.key";
const PROTOCOL = "talkie";
const PROTOCOL_KEY = "openai-insecure-api-key."; // a browser cannot set a header on a WebSocket
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** What a server says is wrong. `status` is 0 where there was no answer. */
export class ServerError extends Error {
  constructor({ message, hint = "", code = "" }, status = 0) {
    super(message);
    this.hint = hint;
    this.code = code;
    this.status = status;
  }
}

export const unreachable = () => new ServerError({ message: say("unreachable"), hint: say("unreachableHint") });

/** The error of an answer's status and body. */
export function errorOf(status, body) {
  try {
    return new ServerError(JSON.parse(body).error, status);
  } catch {
    return new ServerError({ message: say("status", { status }) }, status);
  }
}

/** The key, for as long as the tab is open and in no other place. */
export const key = {
  get: () => sessionStorage.getItem(KEPT_AS) ?? "",
  set: (value) => (value ? sessionStorage.setItem(KEPT_AS, value) : sessionStorage.removeItem(KEPT_AS)),
};

export const address = (path) => new URL(path, document.baseURI);

export function headers() {
  return key.get() ? { Authorization: `Bearer ${key.get()}` } : {};
}

/** The models that are here: {id, languages}. */
export async function models() {
  const answer = await ask("v1/models");
  return (await answer.json()).data;
}

/** A WebSocket with the key on it. Throws `ServerError`. */
export function socket(path, query) {
  const url = address(path);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  for (const [name, value] of Object.entries(query)) if (value !== "") url.searchParams.set(name, value);
  const shown = key.get();
  if (shown && !TOKEN.test(shown)) throw new ServerError({ message: say("keyOdd"), hint: say("keyOddHint") });
  return shown ? new WebSocket(url, [PROTOCOL, PROTOCOL_KEY + shown]) : new WebSocket(url);
}

/** Why a WebSocket was not let in, which a browser does not tell: null where the server cannot be reached at all. */
export async function refusal(path) {
  try {
    await ask(path);
  } catch (error) {
    if (error.status === 0) return null;
    if (error.status !== 404) return error;
  }
  return new ServerError({ message: say("refused"), hint: say("refusedHint") }, 403);
}

/** An answer that is well; `json` is sent where it is given. Throws `ServerError`, and what `signal` aborts with. */
export async function ask(path, { json, ...rest } = {}) {
  const sent = json && { method: "POST", body: JSON.stringify(json) };
  const type = json && { "Content-Type": "application/json" };
  let answer;
  try {
    answer = await fetch(address(path), { ...sent, ...rest, headers: { ...headers(), ...type } });
  } catch (error) {
    throw error.name === "AbortError" ? error : unreachable();
  }
  if (!answer.ok) throw errorOf(answer.status, await answer.text());
  return answer;
}
