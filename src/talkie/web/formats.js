// A transcript as text, subtitles or JSON. Pure: segments of {start, end, text} in seconds in, text out.
// The files are the ones that the server itself would write.

export const FORMATS = {
  txt: { type: "text/plain", write: (transcript) => (transcript.text ? `${transcript.text}\n` : "") },
  srt: { type: "application/x-subrip", write: srt },
  vtt: { type: "text/vtt", write: vtt },
  json: { type: "application/json", write: json },
};

/** `1:02:03`, or `2:03` below an hour. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const end = `${hours ? pad(minutes) : minutes}:${pad(rest)}`;
  return hours ? `${hours}:${end}` : end;
}

function srt({ segments }) {
  const cue = ({ start, end, text }, place) =>
    `${place + 1}\n${stamp(start, ",")} --> ${stamp(end, ",")}\n${text.replace(/-{2,}>/g, "->")}\n\n`;
  return cues(segments).map(cue).join("");
}

function vtt({ segments }) {
  const cue = ({ start, end, text }) => `${stamp(start, ".")} --> ${stamp(end, ".")}\n${escaped(text)}\n\n`;
  return `WEBVTT\n\n${cues(segments).map(cue).join("")}`;
}

function json({ text, language, duration, segments }) {
  const rows = segments.map(({ start, end, text: words }, id) => ({ id, start, end, text: words }));
  return `${JSON.stringify({ language, duration, text, segments: rows }, null, 2)}\n`;
}

/** In milliseconds, never running backwards, each text one line. */
function cues(segments) {
  let last = 0;
  return segments
    .map(({ start, end, text }) => ({ start, end, text: text.replace(/\s+/g, " ").trim() }))
    .filter(({ text }) => text)
    .map(({ start, end, text }) => {
      last = Math.max(Math.round(start * 1000), last);
      return { start: last, end: Math.max(Math.round(end * 1000), last + 1), text };
    });
}

function stamp(milliseconds, mark) {
  const seconds = Math.floor(milliseconds / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(pad);
  return `${parts.join(":")}${mark}${String(milliseconds % 1000).padStart(3, "0")}`;
}

const pad = (number) => String(number).padStart(2, "0");
const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
