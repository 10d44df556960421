// Copy and download: the row of buttons below a transcript.

import { make } from "./dom.js";
import { FORMATS } from "./formats.js";
import { say } from "./say.js";

const SAID_FOR_MS = 2000;

/** Fills `row`. `transcript()` gives {text, language, duration, segments}, `name()` the files' name without its end. */
export function addActions(row, { transcript, name }) {
  const copy = make("button", { type: "button", text: say("copy") });
  copy.addEventListener("click", async () => {
    const done = await copyText(transcript().text);
    copy.textContent = say(done ? "copied" : "copyFailed");
    setTimeout(() => (copy.textContent = say("copy")), SAID_FOR_MS);
  });
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", say("save"));
  row.replaceChildren(copy);
  for (const [format, { type, write }] of Object.entries(FORMATS)) {
    const button = make("button", { type: "button", text: format, "aria-label": say("download", { format }) });
    button.addEventListener("click", () => save(`${name()}.${format}`, type, write(transcript())));
    row.append(button);
  }
}

function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = make("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), SAID_FOR_MS);
}

/** Whether it worked. Without a secure context there is no clipboard but the old way. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = make("textarea", { class: "unseen", "aria-hidden": "true", tabindex: "-1" });
    area.value = text;
    const before = document.activeElement;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    before?.focus();
    return done;
  }
}
