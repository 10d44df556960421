// The planner's page, put together: sliders in, a sentence, a table and a picture out. Nothing is sent anywhere.

import { draw } from "./cost-chart.js";
import { breakEven, figures, filled, impossible, monthUsd, ways } from "./cost-formula.js";
import { Inputs } from "./cost-inputs.js";
import { load } from "./cost-presets.js";
import { at, make, showProblem } from "./dom.js";
import { LANGUAGE, say, translate } from "./say.js";

const USUAL = "published";
const money = new Intl.NumberFormat(LANGUAGE, { style: "currency", currency: "USD" });
const axisMoney = new Intl.NumberFormat(LANGUAGE, { style: "currency", currency: "USD", maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 1 });

translate(document);
document.title = say("costTitle");
const inputs = new Inputs(at("inputs"), () => {
  at("preset").value = "";
  show();
});
let presets = {};
try {
  presets = await load();
  for (const [name, { title, prices }] of Object.entries(presets)) {
    at("preset").append(make("option", { value: name, text: prices === "none" ? title : `${title} (${prices})` }));
  }
  choose(USUAL);
  new ResizeObserver(show).observe(at("chart"));
} catch (error) {
  showProblem(at("cost-problem"), { message: say("unreachable"), hint: error.message });
}
at("preset").addEventListener("change", ({ target }) => target.value && choose(target.value));

/** A preset is laid over the usual values, as on the command line. */
function choose(name) {
  at("preset").value = name;
  inputs.set({ ...presets[USUAL].values, ...presets[name].values });
  show();
}

function show() {
  const plan = inputs.plan();
  const problem = plan === null ? "costNoNumber" : impossible(plan);
  showProblem(at("cost-problem"), problem && { message: say(problem) });
  at("result").toggleAttribute("data-stale", Boolean(problem));
  at("headline").textContent = problem ? "" : headline(figures(plan).break_even_restarts);
  if (problem) return;
  inputs.hint(filled(plan));
  const found = figures(plan);
  at("best").textContent = say("costBest", { cheapest: names(found.cheapest), quickest: names(found.quickest) });
  at("decides").textContent = decision(found.decides);
  at("rows").replaceChildren(...Object.entries(found.ways).map(([name, figure]) => row(name, figure)));
  picture(plan);
}

function picture(plan) {
  const lines = ways(plan);
  const crossing = breakEven(lines[0], lines[1]);
  draw(at("chart"), {
    found: lines.map((way) => ({ name: way.name, at: (restarts) => monthUsd(way, restarts) })),
    restarts: plan.restarts,
    crossing,
    title: `${say("costChart")} ${headline(crossing)}`,
    money: (usd) => axisMoney.format(usd),
    count: (starts) => (starts < 10 ? fine : whole).format(starts),
  });
}

function headline(starts) {
  if (starts === null) return say("costNever");
  return starts === 0 ? say("costAlways") : say("costBreakEven", { starts: (starts < 9.95 ? fine : whole).format(starts) });
}

function decision(found) {
  if (!found) return say("costNothingDecides");
  const key = found.baked_dearer_by_usd > 0 ? "costForVolume" : "costForBaked";
  return say(key, { term: say(`cost_term_${found.term}`), usd: money.format(Math.abs(found.baked_dearer_by_usd)) });
}

function names(found) {
  return found.map((name) => say(`cost_${name}`)).join(", ");
}

function row(name, figure) {
  const cell = (text) => make("td", { text });
  return make("tr", {},
    make("th", { scope: "row" }, make("i", { class: `swatch ${name}`, "aria-hidden": "true" }), say(`cost_${name}`)),
    cell(money.format(figure.month_usd)), cell(whole.format(figure.month_minutes)),
    cell(money.format(figure.first_month_usd)), cell(whole.format(figure.first_month_minutes)));
}
