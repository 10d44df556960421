// The cost of a month over its starts: a line a way, where they cross, and where one stands. Drawn in the pixels that
// there are, so that its words can be read on a phone. Colours and dashes are the style sheet's.

const NAMES = "http://www.w3.org/2000/svg";
const HEIGHT = 260;
const EDGE = { left: 52, right: 14, top: 22, bottom: 30 };

/** `found` is `[{name, at(restarts)}]`; `money` and `count` write figures; `crossing` may be null. */
export function draw(svg, { found, restarts, crossing, title, money, count }) {
  const width = Math.max(260, svg.clientWidth);
  const last = step(Math.max(restarts, Math.min(crossing ?? 0, 20 * Math.max(restarts, 10)), 5) * 1.3, 8) * 8;
  const most = Math.max(...found.map(({ at }) => at(last)), 1e-9);
  const x = (starts) => EDGE.left + ((width - EDGE.left - EDGE.right) * starts) / last;
  const y = (usd) => HEIGHT - EDGE.bottom - ((HEIGHT - EDGE.top - EDGE.bottom) * usd) / most;
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  svg.setAttribute("aria-label", title);
  const parts = [...ticks(most, 5).map((usd) => rule(usd, x(0), x(last), y(usd), money(usd)))];
  for (const starts of ticks(last, width < 480 ? 4 : 8)) {
    parts.push([node("text", { x: x(starts), y: HEIGHT - 10, "text-anchor": "middle" }, count(starts))]);
  }
  if (crossing !== null && crossing <= last) parts.push(mark("crossing", x(crossing), count(crossing)));
  for (const { name, at } of found) {
    parts.push([
      node("path", { class: `way ${name}`, d: `M${x(0)} ${y(at(0))}L${x(last)} ${y(at(last))}` }),
      node("circle", { class: `way ${name}`, cx: x(restarts), cy: y(at(restarts)), r: 4.5 }),
    ]);
  }
  svg.replaceChildren(...parts.flat());
}

function rule(usd, left, right, height, said) {
  return [
    node("path", { class: "grid", d: `M${left} ${height}H${right}` }),
    node("text", { x: left - 6, y: height + 4, "text-anchor": "end" }, said),
  ];
}

function mark(kind, at, said) {
  return [
    node("path", { class: kind, d: `M${at} ${EDGE.top}V${HEIGHT - EDGE.bottom}` }),
    node("text", { class: kind, x: at, y: EDGE.top - 8, "text-anchor": "middle" }, said),
  ];
}

/** Zero and round numbers up to `most`. */
function ticks(most, wanted) {
  const size = step(most, wanted);
  return Array.from({ length: Math.floor(most / size + 1e-9) + 1 }, (_, place) => place * size);
}

/** The round number of which `wanted` reach `most`. */
function step(most, wanted) {
  const rough = most / wanted;
  const unit = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((part) => part * unit).find((size) => size >= rough * (1 - 1e-9));
}

function node(tag, attributes, text) {
  const element = document.createElementNS(NAMES, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}
