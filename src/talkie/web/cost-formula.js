// What weights in the image, on a volume or in an artifact cost a month. The formula of `talkie cost`, number by number;
// a test holds the two together. Pure: a plan by the names of the planner's inputs in, figures out.

export const TERMS = ["pulls", "gpu", "storage", "losses"];
const NEVER = 1e9;
const SAME = 1e-9;

/** A plan in which nothing is left open: what is null becomes what is usual. */
export function filled(plan) {
  return {
    ...plan,
    weights_gb: plan.weights_gb ?? plan.baked_gb - plan.slim_gb,
    weights_misses: plan.weights_misses ?? plan.misses,
    baked_push_gb: plan.baked_push_gb ?? plan.baked_gb,
    slim_push_gb: plan.slim_push_gb ?? plan.slim_gb,
  };
}

/** Why a plan cannot be, as a key of the words; null if it can. */
export function impossible(plan) {
  const { slim_gb, baked_gb, weights_gb, volume_gb, first_minutes, slim_minutes } = filled(plan);
  if (slim_gb > baked_gb) return "costSlimLarger";
  if (weights_gb > volume_gb) return "costVolumeSmall";
  return first_minutes < slim_minutes ? "costFirstQuicker" : null;
}

/** The three ways, each a straight line over the starts of a month: dollars and minutes a start, a month, once. */
export function ways(open) {
  const plan = filled(open);
  return [baked(plan), volume(plan), artifact(plan)];
}

function baked(plan) {
  return {
    name: "baked",
    pulls: plan.misses * plan.baked_gb * plan.pull_usd,
    gpu: (plan.baked_minutes / 60) * plan.gpu_usd,
    ready_minutes: plan.baked_minutes,
    push: plan.baked_push_gb * plan.pull_usd,
    build_minutes: plan.baked_build_minutes,
    storage: 0,
    losses: 0,
    losses_minutes: 0,
    first: 0,
    first_minutes: 0,
  };
}

/** A lost volume is one first pull more; so is every new one. */
function volume(plan) {
  const longer = plan.first_minutes - plan.slim_minutes;
  const firstPull = plan.weights_gb * plan.pull_usd + (longer / 60) * plan.gpu_usd;
  return {
    name: "volume",
    pulls: plan.misses * plan.slim_gb * plan.pull_usd,
    gpu: (plan.slim_minutes / 60) * plan.gpu_usd,
    ready_minutes: plan.slim_minutes,
    push: plan.slim_push_gb * plan.pull_usd,
    build_minutes: plan.slim_build_minutes,
    storage: plan.instances * plan.volume_gb * plan.volume_usd,
    losses: plan.instances * plan.loss * firstPull,
    losses_minutes: plan.instances * plan.loss * longer,
    first: plan.instances * firstPull,
    first_minutes: plan.instances * longer,
  };
}

/** The weights are a layer of their own: kept by the host, as quick as a volume; not kept, as slow as the baked image. */
function artifact(plan) {
  const minutes = plan.slim_minutes + plan.weights_misses * (plan.baked_minutes - plan.slim_minutes);
  return {
    name: "artifact",
    pulls: (plan.misses * plan.slim_gb + plan.weights_misses * plan.weights_gb) * plan.pull_usd,
    gpu: (minutes / 60) * plan.gpu_usd,
    ready_minutes: minutes,
    push: (plan.slim_push_gb + plan.weights_gb) * plan.pull_usd,
    build_minutes: plan.baked_build_minutes,
    storage: 0,
    losses: 0,
    losses_minutes: 0,
    first: 0,
    first_minutes: 0,
  };
}

/** An ordinary month's dollars by what they are for. */
export function terms(way, restarts) {
  return { pulls: restarts * way.pulls, gpu: restarts * way.gpu, storage: way.storage, losses: way.losses };
}

export const monthUsd = (way, restarts) => restarts * (way.pulls + way.gpu) + (way.storage + way.losses);
export const monthMinutes = (way, restarts) => restarts * way.ready_minutes + way.losses_minutes;
export const firstMonthUsd = (way, restarts) => monthUsd(way, restarts) + way.push + way.first;
export const firstMonthMinutes = (way, restarts) => monthMinutes(way, restarts) + way.build_minutes + way.first_minutes;

/** Starts in an ordinary month from which `stored` is cheaper than `plain`; null: never. */
export function breakEven(plain, stored) {
  const saved = plain.pulls + plain.gpu - (stored.pulls + stored.gpu);
  if (saved <= 0) return null;
  const starts = Math.max(0, stored.storage + stored.losses - (plain.storage + plain.losses)) / saved;
  return starts <= NEVER ? starts : null;
}

/** The names of those with the least `value`: more than one where they are equal. */
export function least(found, value) {
  const bound = Math.min(...found.map(value));
  return found.filter((way) => value(way) - bound <= SAME * Math.max(1, Math.abs(bound))).map(({ name }) => name);
}

/** The term in which an ordinary month differs most, and by how much the baked image is dearer there; null: in none. */
export function decides(plain, stored, restarts) {
  const [theirs, ours] = [terms(plain, restarts), terms(stored, restarts)];
  const differences = TERMS.map((term) => [term, theirs[term] - ours[term]]);
  const most = differences.reduce((best, one) => (Math.abs(one[1]) > Math.abs(best[1]) ? one : best));
  return most[1] === 0 ? null : most;
}

/** All figures of a plan, by the names that `talkie cost --json` gives them. */
export function figures(plan) {
  const found = ways(plan);
  const [plain, stored] = found;
  const { restarts } = plan;
  const rows = found.map((way) => [way.name, {
    month_usd: monthUsd(way, restarts),
    month_minutes: monthMinutes(way, restarts),
    first_month_usd: firstMonthUsd(way, restarts),
    first_month_minutes: firstMonthMinutes(way, restarts),
    month_usd_by_term: terms(way, restarts),
    once_usd: { push: way.push, first_pull: way.first },
  }]);
  const decided = decides(plain, stored, restarts);
  return {
    ways: Object.fromEntries(rows),
    break_even_restarts: breakEven(plain, stored),
    cheapest: least(found, (way) => monthUsd(way, restarts)),
    quickest: least(found, (way) => monthMinutes(way, restarts)),
    decides: decided && { term: decided[0], baked_dearer_by_usd: decided[1] },
  };
}
