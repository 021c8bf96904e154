"use strict";
/* Pictures: SVG as text. Nothing here knows what a bound is. */

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

/** A log-log frame: from values to pixels, its ticks, all of it as text. */
function frame(width, height, [x0, x1], [y0, y1], left = 46) {
  const right = 10, top = 8, bottom = 26;
  const [a0, a1, b0, b1] = [x0, x1, y0, y1].map(Math.log10), w = width - left - right, h = height - top - bottom;
  const X = (x) => left + ((Math.log10(x) - a0) / (a1 - a0)) * w, Y = (y) => top + h - ((Math.log10(y) - b0) / (b1 - b0)) * h;
  const ticks = (lo, hi, most) => {
    const step = Math.max(1, Math.ceil((hi - lo) / most)), found = [];
    for (let e = Math.ceil(lo / step - 1e-9) * step; e <= hi + 1e-9; e += step) found.push(e);
    return found;
  };
  let text = `<rect class="frame" x="${left}" y="${top}" width="${w}" height="${h}"/>`;
  for (const e of ticks(a0, a1, 6)) {
    const x = X(10 ** e).toFixed(1);
    text += `<line class="tick" x1="${x}" x2="${x}" y1="${top + h}" y2="${top + h + 4}"/><text x="${x}" y="${top + h + 18}" text-anchor="middle">${decade(e)}</text>`;
  }
  for (const e of ticks(b0, b1, 6)) {
    const y = Y(10 ** e).toFixed(1);
    text += `<line class="tick" x1="${left - 4}" x2="${left}" y1="${y}" y2="${y}"/><text x="${left - 7}" y="${+y + 4}" text-anchor="end">${decade(e)}</text>`;
  }
  return { X, Y, text, left, top, w, h, width, height };
}

let clips = 0;
/** A picture of what is inside a frame, cut off at its border. */
function picture(f, inside, over, label) {
  const id = `clip${++clips}`;
  return `<svg class="plot" viewBox="0 0 ${f.width} ${f.height}" role="img" aria-label="${escaped(label)}"><defs><clipPath id="${id}"><rect x="${f.left}" y="${f.top}" width="${f.w}" height="${f.h}"/></clipPath></defs>${f.text}<g clip-path="url(#${id})">${inside}</g>${over}</svg>`;
}

const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** A path through the finite ones of some points. */
function path(points) {
  let text = "", open = false;
  for (const [x, y] of points) {
    if (Number.isFinite(x) && Number.isFinite(y)) { text += `${open ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`; open = true; }
    else open = false;
  }
  return text;
}

/** Points as one element: strokes of no length with round ends. */
const dots = (kind, points) => `<path class="${kind}" d="${points.map(([x, y]) => `M${x.toFixed(1)} ${y.toFixed(1)}h0`).join("")}"/>`;

/** Lines of a level over a table z[i][j] at pixels xs[i], ys[j], by marching squares; and a place some share along them. */
function isoline(z, xs, ys, level, share) {
  let text = "";
  const points = [];
  const between = (p, q, a, b) => p + ((level - a) / (b - a)) * (q - p);
  for (let i = 0; i + 1 < xs.length; i++) {
    for (let j = 0; j + 1 < ys.length; j++) {
      const a = z[i][j], b = z[i + 1][j], c = z[i + 1][j + 1], d = z[i][j + 1];
      const kind = (a > level) | ((b > level) << 1) | ((c > level) << 2) | ((d > level) << 3);
      if (kind === 0 || kind === 15 || !Number.isFinite(a + b + c + d)) continue;
      const low = [between(xs[i], xs[i + 1], a, b), ys[j]], high = [between(xs[i], xs[i + 1], d, c), ys[j + 1]];
      const west = [xs[i], between(ys[j], ys[j + 1], a, d)], east = [xs[i + 1], between(ys[j], ys[j + 1], b, c)];
      const pairs = { 1: [west, low], 2: [low, east], 3: [west, east], 4: [east, high], 6: [low, high], 7: [west, high], 8: [high, west],
        9: [low, high], 11: [east, high], 12: [west, east], 13: [low, east], 14: [west, low], 5: [west, high, low, east], 10: [west, low, high, east] }[kind];
      for (let k = 0; k < pairs.length; k += 2) {
        const [x, y, u, v] = [...pairs[k], ...pairs[k + 1]].map((t) => Math.round(10 * t) / 10); // toFixed takes five times as long
        text += `M${x} ${y}L${u} ${v}`;
        points.push(pairs[k]);
      }
    }
  }
  return [text, points[Math.floor(share * points.length)]];
}
