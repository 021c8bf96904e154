"use strict";
/* Pictures: SVG as nested [tag, attributes, inside]. Nothing here knows what a bound is. */

const SUPERSCRIPT = { "-": "⁻", ...Object.fromEntries([..."0123456789"].map((d, k) => [d, "⁰¹²³⁴⁵⁶⁷⁸⁹"[k]])) };
const decade = (e) => (e === 0 ? "1" : "10" + [...String(e)].map((d) => SUPERSCRIPT[d]).join(""));

/** A number for people: three digits; 1.07e3 beyond a thousand, as hpgrid writes it. */
function shown(x, digits = 3) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "none" : x > 0 ? "no end" : "-no end";
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size >= 1e-3 && size < 1e5) return String(Number(x.toPrecision(digits)));
  return Number(x).toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e");
}

/** Set attributes, those that differ: what is written is laid out and painted anew. */
function setAll(element, attributes) {
  for (const [name, x] of Object.entries(attributes)) if (element.getAttribute(name) !== String(x)) element.setAttribute(name, x);
}

/** Make what is inside an element what is wanted, a text or nodes; what is there is kept, and what differs is written. */
function fit(parent, inside) {
  if (typeof inside === "string") { if (parent.textContent !== inside) parent.textContent = inside; return; }
  inside.forEach(([tag, attributes, within = []], k) => {
    let child = parent.children[k];
    if (child?.localName !== tag) {
      const made = document.createElementNS(parent.namespaceURI, tag);
      if (child) child.replaceWith(made); else parent.append(made);
      child = made;
    }
    for (const name of child.getAttributeNames()) if (!(name in attributes)) child.removeAttribute(name);
    setAll(child, attributes);
    fit(child, within);
  });
  while (parent.children.length > inside.length) parent.lastChild.remove();
}

/** A log-log frame: from values to pixels, and its border, ticks and their numbers as nodes. */
function frame(width, height, [x0, x1], [y0, y1], left = 46) {
  const right = 10, top = 8, bottom = 26;
  const [a0, a1, b0, b1] = [x0, x1, y0, y1].map(Math.log10), w = width - left - right, h = height - top - bottom;
  const X = (x) => left + ((Math.log10(x) - a0) / (a1 - a0)) * w, Y = (y) => top + h - ((Math.log10(y) - b0) / (b1 - b0)) * h;
  const ticks = (lo, hi, most) => {
    const step = Math.max(1, Math.ceil((hi - lo) / most)), found = [];
    for (let e = Math.ceil(lo / step - 1e-9) * step; e <= hi + 1e-9; e += step) found.push(e);
    return found;
  };
  let d = `M${left} ${top}v${h}h${w}v${-h}z`;
  const numbers = [];
  for (const e of ticks(a0, a1, 6)) {
    const x = rounded(X(10 ** e));
    d += `M${x} ${top + h}v4`;
    numbers.push(["text", { x, y: top + h + 18, "text-anchor": "middle" }, decade(e)]);
  }
  for (const e of ticks(b0, b1, 6)) {
    const y = rounded(Y(10 ** e));
    d += `M${left} ${y}h-4`;
    numbers.push(["text", { x: left - 7, y: y + 4, "text-anchor": "end" }, decade(e)]);
  }
  return { X, Y, nodes: [["path", { class: "frame", d }], ...numbers], left, top, w, h, width, height };
}

/** Draw a picture of what is inside a frame, cut off at its border, and what is over it. */
function picture(svg, f, inside, over, label) {
  setAll(svg, { viewBox: `0 0 ${f.width} ${f.height}`, "aria-label": label });
  const cut = { x: f.left, y: f.top, width: f.w, height: f.h, viewBox: `${f.left} ${f.top} ${f.w} ${f.h}` };
  fit(svg, [["g", {}, f.nodes], ["svg", cut, inside], ["g", {}, over]]);
}

const rounded = (t) => Math.round(10 * t) / 10; // toFixed takes five times as long

const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** A path through the finite ones of some points. */
function path(points) {
  let text = "", open = false;
  for (const [x, y] of points) {
    if (Number.isFinite(x) && Number.isFinite(y)) { text += `${open ? "L" : "M"}${rounded(x)} ${rounded(y)}`; open = true; }
    else open = false;
  }
  return text;
}

/** Points as one element: strokes of no length with round ends. */
const dots = (kind, points) => ["path", { class: kind, d: points.map(([x, y]) => `M${rounded(x)} ${rounded(y)}h0`).join("") }];

/** Which sides a line crosses, two and two, by which corners are above its level; sides and corners go round from below. */
const CROSSED = [[], [3, 0], [0, 1], [3, 1], [1, 2], [3, 2, 0, 1], [0, 2], [3, 2], [2, 3], [0, 2], [3, 0, 2, 1], [1, 2], [3, 1], [0, 1], [3, 0], []];

/** Lines of the levels step * e, whole numbers e from first to last, over a table z[i][j] at pixels xs[i], ys[j], by
    marching squares: all of them as one path's text, and the points of each. */
function isolines(z, xs, ys, step, first, last) {
  const points = Array.from({ length: Math.max(0, last - first + 1) }, () => []);
  let text = "";
  for (let i = 0; i + 1 < xs.length; i++) {
    for (let j = 0; j + 1 < ys.length; j++) {
      const a = z[i][j], b = z[i + 1][j], c = z[i + 1][j + 1], d = z[i][j + 1];
      if (!Number.isFinite(a + b + c + d)) continue;
      const to = Math.min(last, Math.floor(Math.max(a, b, c, d) / step));
      for (let e = Math.max(first, Math.ceil(Math.min(a, b, c, d) / step)); e <= to; e++) {
        const level = step * e, between = (p, q, u, v) => p + ((level - u) / (v - u)) * (q - p);
        const sides = CROSSED[(a > level) | ((b > level) << 1) | ((c > level) << 2) | ((d > level) << 3)].map((side) =>
          side === 0 ? [between(xs[i], xs[i + 1], a, b), ys[j]] : side === 1 ? [xs[i + 1], between(ys[j], ys[j + 1], b, c)]
            : side === 2 ? [between(xs[i], xs[i + 1], d, c), ys[j + 1]] : [xs[i], between(ys[j], ys[j + 1], a, d)]);
        for (let k = 0; k < sides.length; k += 2) {
          text += `M${rounded(sides[k][0])} ${rounded(sides[k][1])}L${rounded(sides[k + 1][0])} ${rounded(sides[k + 1][1])}`;
          points[e - first].push(sides[k]);
        }
      }
    }
  }
  return [text, points];
}
