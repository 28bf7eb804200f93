// What is wrong with the page for somebody who does not see it, does not point at it, or sees it small: one sentence each.
// Rules: https://www.w3.org/TR/WCAG22/ (1.3.1, 1.4.3, 1.4.10, 2.4.1, 2.4.2, 2.5.8, 3.1.1, 3.3.2, 4.1.2). Returns a list; empty is good.
const wrong = [];
const isSeen = (one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true });
const dialog = document.querySelector("dialog:modal");
const scope = dialog || document;
const called = (one) => {
  const shown = (one.innerText || "").trim().replace(/\s+/g, " ").slice(0, 40);
  return `<${one.nodeName.toLowerCase()}${one.id ? ` #${one.id}` : ""}${one.dataset.testid ? ` ${one.dataset.testid}` : ""}${shown ? ` “${shown}”` : ""}>`;
};

// ---- The page as a whole.
if (document.documentElement.lang !== "en") wrong.push("the page's language is not told");
if (!document.title.trim()) wrong.push("the page has no title");
if (!dialog) {
  const headings = [...document.querySelectorAll("h1")].filter(isSeen);
  if (headings.length !== 1) wrong.push(`${headings.length} h1: ${headings.map(called)}`);
  const mains = [...document.querySelectorAll("main")].filter(isSeen);
  if (mains.length !== 1) wrong.push(`${mains.length} main`);
  let level = 0;
  for (const heading of [...document.querySelectorAll("main :is(h1, h2, h3, h4)")].filter(isSeen)) {
    const next = Number(heading.nodeName[1]);
    if (next > level + 1) wrong.push(`${called(heading)} skips a level`);
    level = next;
  }
  const skip = document.querySelector("a[href^='#']");
  if (!skip || !document.querySelector(skip.getAttribute("href"))) wrong.push("there is no way to skip to the content");
}
const navs = [...scope.querySelectorAll("nav")].filter(isSeen).map((nav) => nav.ariaLabel || "");
if (navs.some((name) => !name)) wrong.push("a nav without a name");
if (new Set(navs).size !== navs.length) wrong.push(`two nav of the same name: ${navs}`);

// ---- Ids and what points at them.
const ids = new Map();
for (const one of document.querySelectorAll("[id]")) ids.set(one.id, (ids.get(one.id) || 0) + 1);
for (const [id, count] of ids) if (count > 1) wrong.push(`${count} elements have the id ${id}`);
for (const name of ["for", "aria-labelledby", "aria-describedby", "aria-controls", "form", "list"]) {
  for (const one of document.querySelectorAll(`[${name}]`)) {
    for (const id of one.getAttribute(name).split(/\s+/)) if (!ids.has(id)) wrong.push(`${called(one)}: ${name} points at ${id}, which is not there`);
  }
}

// ---- Controls: a name, a size.
const text = (one) => {
  if (one.nodeType === 3) return one.nodeValue;
  if (one.nodeType !== 1 || one.ariaHidden === "true" || one.hidden) return "";
  if (one.nodeName === "IMG" || one.role === "img") return one.alt || one.ariaLabel || "";
  return [...one.childNodes].map(text).join(" ");
};
const nameOf = (one) => {
  const by = (one.getAttribute("aria-labelledby") || "").split(/\s+/).map((id) => document.getElementById(id)).filter(Boolean).map(text).join(" ");
  const labels = [...(one.labels || [])].map(text).join(" ");
  const own = /^(INPUT|SELECT|TEXTAREA)$/.test(one.nodeName) ? "" : text(one);
  return (by || one.ariaLabel || labels || own || one.title || "").trim();
};
const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0'], [role=option], [role=button]";
const controls = [...scope.querySelectorAll(CONTROLS)].filter((one) => isSeen(one) && !one.closest(".visually-hidden, .skip") && one.ariaHidden !== "true");
for (const one of controls) if (!nameOf(one)) wrong.push(`${called(one)} has no name`);
// A link within a sentence is as high as its line: 2.5.8 lets it be.
const isInText = (one) => one.nodeName === "A" && getComputedStyle(one).display === "inline" && one.parentElement.innerText.trim() !== one.innerText.trim();
const boxes = controls.filter((one) => one.matches("a[href], button, input, select, textarea, summary") && !isInText(one)).map((one) => {
  const label = one.matches("[type=checkbox], [type=radio]") && one.closest("label");
  return [one, (label || one).getBoundingClientRect()];
});
// 2.5.8 also lets be what stands alone: a circle of 24 px around it touches no other target.
const isAlone = (one, box) => boxes.every(([other, there]) => {
  if (other === one || other.contains(one) || one.contains(other)) return true;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const [dx, dy] = [Math.max(there.left - x, 0, x - there.right), Math.max(there.top - y, 0, y - there.bottom)];
  return Math.hypot(dx, dy) >= 12;
});
for (const [one, box] of boxes) {
  if ((box.width < 24 || box.height < 24) && !isAlone(one, box)) wrong.push(`${called(one)} is ${Math.round(box.width)} × ${Math.round(box.height)} px`);
}
for (const picture of scope.querySelectorAll("img:not([alt])")) wrong.push(`${called(picture)} has no words`);

// ---- Contrast.
const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
const rgba = (colour) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
};
const over = (top, below) => [0, 1, 2].map((at) => top[at] * top[3] + below[at] * (1 - top[3])).concat(1);
const light = (colour) => {
  const [r, g, b] = colour.slice(0, 3).map((part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (one) => {
  const layers = [];
  for (let at = one; at; at = at.parentElement) {
    const colour = rgba(getComputedStyle(at).backgroundColor);
    if (colour[3] > 0) layers.push(colour);
    if (colour[3] === 1) break;
  }
  const page = matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
  return layers.reverse().reduce((below, top) => over(top, below), page);
};
const told = new Set();
for (const one of scope.querySelectorAll("*")) {
  const hasText = [...one.childNodes].some((node) => node.nodeType === 3 && node.nodeValue.trim()) || (one.matches("input, textarea") && (one.value || one.placeholder));
  if (!hasText || !isSeen(one) || one.disabled || one.closest(".visually-hidden, .skip, svg, option, noscript")) continue;
  const style = getComputedStyle(one);
  const below = behind(one);
  const isPlaceholder = one.matches("input, textarea") && !one.value;
  let above = rgba(isPlaceholder ? getComputedStyle(one, "::placeholder").color : style.color);
  for (let at = one; at; at = at.parentElement) above[3] *= Number(getComputedStyle(at).opacity);
  above = over(above, below);
  const [high, low] = [light(above), light(below)].sort((a, b) => b - a);
  const ratio = (high + 0.05) / (low + 0.05);
  const size = parseFloat(style.fontSize);
  const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  const sentence = `${called(one)}: contrast ${ratio.toFixed(2)}, ${above.slice(0, 3).map(Math.round)} on ${below.slice(0, 3).map(Math.round)}`;
  if (ratio < (isLarge ? 3 : 4.5) && !told.has(sentence)) { told.add(sentence); wrong.push(sentence); }
}

// ---- Nothing is wider than the window.
const width = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth > width) {
  const wide = [...document.querySelectorAll("body *")].filter((one) => isSeen(one) && one.getBoundingClientRect().right > width + 1);
  wrong.push(`the page is ${document.documentElement.scrollWidth} px wide in a window of ${width}: ${wide.slice(0, 3).map(called).join(", ")}`);
}

// ---- Nothing moves for those who asked for that.
const moving = document.getAnimations().filter((animation) => animation.playState === "running");
if (moving.length) wrong.push(`${moving.length} animations run although less motion was asked for`);
return wrong;
