// Prices by place: reads the table that `talkie cost` reads, whose values are written as in JSON.

/** `{name: {title, prices, values}}`, in the order of the file. */
export function parsed(text) {
  const presets = {};
  let values = null;
  for (const line of text.split("\n").map((one) => one.trim())) {
    const name = /^\[([\w-]+)\]$/.exec(line)?.[1];
    const [, key, value] = /^(\w+) = (.+)$/.exec(line) ?? [];
    if (name) presets[name] = values = {};
    else if (key) values[key] = JSON.parse(value);
    else if (line && !line.startsWith("#")) throw new Error(`not a line of presets: ${line}`);
  }
  return Object.fromEntries(Object.entries(presets).map(([name, { title, prices, ...rest }]) => [name, { title, prices, values: rest }]));
}

export async function load() {
  const answer = await fetch("web/cost-presets.toml");
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return parsed(await answer.text());
}
