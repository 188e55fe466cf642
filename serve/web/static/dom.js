// Elements are built from text, never from markup: nothing a dealer or a source sends can become part of the page.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

export const number = (value, digits = 0) =>
  value === null || value === undefined ? "not known" : value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });

export const percent = (value) => (value === null || value === undefined ? "not known" : `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`);

export const words = (name) => name.replaceAll("_", " ");

export const clock = (time) => (time ? new Date(time).toISOString().slice(11, 19) : "");

export const fact = (name, value) => el("div", {}, el("dt", {}, name), el("dd", {}, value));
