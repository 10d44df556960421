// Elements, made and found. Text goes in as text and never as markup.

export const at = (id) => document.getElementById(id);

/** A new element: `text` is its text, `on*` are listeners, everything else is an attribute. */
export function make(tag, { text, ...rest } = {}, ...children) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(rest)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** What went wrong, and below it what helps; null takes it away. */
export function showProblem(element, error) {
  element.hidden = !error;
  element.replaceChildren();
  if (!error) return;
  element.append(error.message);
  if (error.hint) element.append(make("small", { text: error.hint }));
}
