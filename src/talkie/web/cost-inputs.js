// The planner's inputs as sliders, each with a box for the exact number. Knows their names and how far a slider goes,
// and nothing of the formula.

import { make } from "./dom.js";
import { say } from "./say.js";

/** By group: name, and the slider's least, most and step. Without a slider, an empty box means what is usual. */
export const GROUPS = {
  costUse: [["restarts", 0, 200, 1], ["instances", 1, 20, 1]],
  costPrices: [["gpu_usd", 0, 10, 0.01], ["volume_usd", 0, 0.5, 0.01], ["pull_usd", 0, 0.2, 0.005]],
  costSizes: [["baked_gb", 0, 40, 0.1], ["slim_gb", 0, 40, 0.1], ["volume_gb", 1, 200, 1]],
  costTimes: [["baked_minutes", 0, 60, 0.5], ["slim_minutes", 0, 60, 0.5], ["first_minutes", 0, 60, 0.5]],
  costChances: [["misses", 0, 1, 0.05], ["loss", 0, 1, 0.01]],
  costMore: [["weights_gb"], ["weights_misses"], ["baked_push_gb"], ["slim_push_gb"], ["baked_build_minutes"], ["slim_build_minutes"]],
};
const SHARES = new Set(["misses", "weights_misses", "loss"]);
const MOST = 1e6;

export class Inputs {
  /** Puts the groups into `place`; `changed` is called whenever somebody moves or writes something. */
  constructor(place, changed) {
    this.changed = changed;
    this.boxes = {};
    this.sliders = {};
    for (const [group, rows] of Object.entries(GROUPS)) place.append(this.#group(group, rows));
  }

  set(values) {
    for (const [name, box] of Object.entries(this.boxes)) {
      box.value = values[name] ?? "";
      this.#follow(name);
    }
  }

  /** The plan as it stands, or null while a box holds no number that can be. An empty box without a slider is null. */
  plan() {
    const values = {};
    for (const [name, box] of Object.entries(this.boxes)) {
      const [text, bad] = [box.value.trim(), box.validity.badInput || !box.validity.valid];
      box.setAttribute("aria-invalid", String(bad));
      if (bad) return null;
      values[name] = text === "" ? null : Number(text);
    }
    return values;
  }

  /** Shows in empty boxes what is reckoned with. */
  hint(values) {
    for (const [name, box] of Object.entries(this.boxes)) {
      box.placeholder = values[name] === undefined ? "" : String(Math.round(values[name] * 1000) / 1000);
    }
  }

  #group(group, rows) {
    const fields = rows.map(([name, ...range]) => this.#row(name, range));
    if (group === "costMore") return make("details", { class: "inputs" }, make("summary", { text: say(group) }), ...fields);
    return make("fieldset", { class: "inputs" }, make("legend", { text: say(group) }), ...fields);
  }

  #row(name, [least, most, step]) {
    const label = say(`cost_${name}`);
    const required = least !== undefined || name.endsWith("build_minutes");
    const box = make("input", {
      type: "number", id: `cost-${name}`, autocomplete: "off", inputmode: "decimal", step: name === "instances" ? 1 : "any",
      min: name === "instances" ? 1 : 0, max: SHARES.has(name) ? 1 : MOST, required, oninput: () => this.#written(name),
    });
    this.boxes[name] = box;
    const parts = [make("label", { for: box.id, text: label }), box];
    if (least !== undefined) {
      this.sliders[name] = make("input", {
        type: "range", min: least, max: most, step, "aria-label": label, oninput: () => this.#moved(name),
      });
      parts.push(this.sliders[name]);
    }
    return make("div", { class: "input" }, ...parts);
  }

  #written(name) {
    this.#follow(name);
    this.changed();
  }

  #moved(name) {
    this.boxes[name].value = this.sliders[name].value;
    this.changed();
  }

  #follow(name) {
    if (this.sliders[name] && this.boxes[name].value !== "") this.sliders[name].value = this.boxes[name].value;
  }
}
