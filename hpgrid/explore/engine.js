"use strict";
/* The search: a bound's exact minima on a grid, index for index those of hpgrid.grid_search.

   A bound is a sum of terms, each a coefficient and a factor for each variable, or one function. A line of cells along
   one variable is minimised by its closed form where that is A/x^p + B*x^q + C, by a walk downhill where it is convex in
   the logs, and by comparing all of it otherwise. Where the bound is submodular in three variables, the best places of
   the second rise, or fall, with the third: divide and conquer then leaves out nearly all of the plane. Ties go to the
   first cell in row-major order over the variables, in their order. */

const SLACK = 16 * Number.EPSILON; // rounding of a sum of some ten products: places that are so near may both be best

/** Factors of a term: powers, rounded as hpgrid rounds them, and 1 + x, 1 - x. */
function factorOf(factor, x) {
  if (factor === "one_plus") return 1 + x;
  if (factor === "one_minus") return 1 - x;
  if (factor === 1) return x;
  if (factor === -1) return 1 / x;
  if (factor === 0.5) return Math.sqrt(x);
  return factor === 0 ? 1 : Math.pow(x, factor);
}

/** The largest float below a number > 0: what a strict inequality leaves. */
function below(x) {
  if (!Number.isFinite(x)) return x;
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, x);
  bits.setBigInt64(0, bits.getBigInt64(0) - 1n);
  return bits.getFloat64(0);
}

/** What the text of an expression computes of constants c and variables v; hpgrid wrote it from a checked formula. */
const compiled = (text) => new Function("below", `"use strict"; return (c, v) => ${text};`)(below);

function makeEngine(bound) {
  const hyper = bound.hyper, budget = bound.budget;
  const axes = {}, logs = {}, all = [...hyper, budget], number = Object.fromEntries(all.map((name, k) => [name, k]));
  const NONE = new Int32Array(all.length);
  for (const name of Object.keys(bound.axes)) {
    axes[name] = Float64Array.from(bound.axes[name]);
    logs[name] = axes[name].map(Math.log);
  }
  const terms = (bound.terms || []).map((t) => ({ worth: compiled(t.worth), factors: t.factors }));
  const whole = bound.function && compiled(bound.function);
  const walls = bound.walls.map(compiled);
  const caps = Object.fromEntries(Object.entries(bound.caps).map(([v, all]) => [v, all.map(compiled)]));

  /** The largest and smallest value that a variable may take: the bound's own ends, those that were set. */
  function ends(state, name) {
    const own = (caps[name] || []).map((f) => f(state.c, {}));
    const low = Math.max(state.floor[name] ?? 0, bound.low[name] ?? 0);
    return [low, Math.min(state.cap[name] ?? Infinity, ...own)];
  }

  /** The state in numbers: windows and tables of each free variable, coefficients with what is held folded in.
      free: the variables that have an axis here, in canonical order, the budget last. */
  function prepare(state, free) {
    const at = (name) => state.held[name];
    const lo = {}, hi = {};
    for (const name of free) {
      const axis = axes[name], [low, high] = ends(state, name);
      let first = 0, last = axis.length - 1;
      while (first < axis.length && axis[first] < low) first++;
      while (last >= 0 && axis[last] > high) last--;
      lo[name] = first; hi[name] = last;
    }
    const table = (factor, name) => axes[name].map((x) => factorOf(factor, x));
    const made = terms.map((t) => {
      let k = t.worth(state.c);
      const on = {};
      for (const [name, factor] of Object.entries(t.factors)) {
        if (free.includes(name)) { if (factor !== 0) on[name] = table(factor, name); }
        else k *= factorOf(factor, at(name));
      }
      return { k, on, factors: t.factors };
    }).filter((t) => t.k !== 0);
    const v = {};
    for (const name of [...hyper, budget]) v[name] = at(name);
    return { state, free, lo, hi, terms: made, v, lines: {} };
  }

  /** How a line along a variable is minimised: its factors, and whether it has a closed form or is convex. */
  function lineOf(p, name) {
    return (p.lines[name] ??= whole || walls.length ? { kind: "scan" } : groupsOf(p, name));
  }

  function groupsOf(p, name) {
    const groups = new Map();
    for (const t of p.terms) {
      const factor = t.on[name] ? t.factors[name] : 0;
      if (!groups.has(factor)) groups.set(factor, { factor, table: t.on[name], terms: [] });
      groups.get(factor).terms.push(t);
    }
    const all = [...groups.values()], moving = all.filter((g) => g.factor !== 0);
    const powers = moving.every((g) => typeof g.factor === "number");
    const plus = moving.length === 1 && moving[0].factor === "one_plus";
    const two = powers && moving.length === 2 && moving[0].factor * moving[1].factor < 0;
    const evenly = Math.abs(logs[name][1] - logs[name][0] - stepOf(name)) < 1e-9;
    const pair = two && evenly ? [...moving].sort((g, h) => g.factor - h.factor).map((g) => moving.indexOf(g)) : null;
    return { kind: powers || plus ? "walk" : "scan", moving, rest: groups.get(0), pair };
  }

  const stepOf = (name) => (logs[name].at(-1) - logs[name][0]) / (logs[name].length - 1);
  const best = { risk: Infinity, line: -1 }; // the answer of the last line: one object, so that nothing is allocated
  const written = new Map(); // searches by their text: what differs between two of one structure are numbers

  /** A search over line at the places of the others: fills ``best``; and the risk at one place of line.
      It is written out for the bound's terms, and compiled: loops over terms and factors take most of the time else. */
  function searcher(p, line, at) {
    if (whole || walls.length) return scanner(p, line, at);
    const how = lineOf(p, line), lo = p.lo[line], hi = p.hi[line], K = [], X = [], used = new Set();
    const product = (t) => {
      let text = `K[${K.push(t.k) - 1}]`;
      for (const v in t.on) if (v !== line) { used.add(number[v]); text += ` * X${X.push(t.on[v]) - 1}[i${number[v]}]`; }
      return text;
    };
    const sum = (terms) => terms.map(product).join(" + ") || "0";
    const worths = how.moving.map((g, n) => `w${n} = ${sum(g.terms)};`).join(" "), rest = sum(how.rest ? how.rest.terms : []);
    // Of what moves along the line alone, as hpgrid compares it: beside a large rest its last digits would be lost.
    const value = how.moving.map((g, n) => `w${n} * Y${n}[k]`).join(" + ") || "0", Y = how.moving.map((g) => g.table);
    const first = how.moving[0], [down, up] = how.pair || [];
    const start = how.pair
      ? `Math.floor((Math.log(w${down} * ${-how.moving[down].factor} / (w${up} * ${how.moving[up].factor})) / ${how.moving[up].factor - how.moving[down].factor} - begin) / step)`
      : how.moving.length !== 1 ? "warm" : first.factor < 0 ? "hi" : "lo";
    const look = how.kind === "scan"
      ? "for (let k = lo; k <= hi; k++) { const f = value(k); if (f < best.risk) { best.risk = f; best.line = k; } } best.risk += base;"
      : `let k = ${start}, next; if (!(k >= lo)) k = lo; if (k > hi) k = hi; let f = value(k);
        while (k < hi && (next = value(k + 1)) < f) { f = next; k++; }
        while (k > lo && (next = value(k - 1)) <= f) { f = next; k--; }
        warm = k; best.risk = f + base; best.line = k;`;
    const text = `"use strict"; const ${[...X.keys()].map((n) => `X${n} = X[${n}], `).join("")}${Y.map((_, n) => `Y${n} = Y[${n}], `).join("")}end = hi;
      let warm = lo, base = 0${how.moving.map((_, n) => `, w${n} = 0`).join("")};
      const value = (k) => ${value}, set = () => { ${[...used].map((n) => `const i${n} = at[${n}];`).join(" ")} base = ${rest}; ${worths} };
      return [() => { set(); best.risk = Infinity; best.line = -1; if (lo > end) return; ${look} }, (k) => { set(); return value(k) + base; }];`;
    if (!written.has(text)) written.set(text, new Function("best", "at", "lo", "hi", "begin", "step", "K", "X", "Y", text));
    return written.get(text)(best, at, lo, hi, logs[line][0], stepOf(line), Float64Array.from(K), X, Y);
  }

  /** The same where the bound is a function, or its domain no box: every cell of the line is compared. */
  function scanner(p, line, at) {
    const v = p.v, c = p.state.c, names = p.free, lo = p.lo[line], hi = p.hi[line], axis = axes[line];
    const plain = p.terms;
    const risk = whole ? () => whole(c, v) : () => {
      let total = 0;
      for (const t of plain) {
        let x = t.k;
        for (const name in t.on) x *= t.on[name][at[number[name]]];
        total += x;
      }
      return total;
    };
    const fewest = bound.min_K && compiled(bound.min_K);
    const search = (lo, hi) => {
      best.risk = Infinity; best.line = -1;
      for (const name of names) v[name] = axes[name][at[number[name]]];
      for (let k = lo; k <= hi; k++) {
        v[line] = axis[k]; at[number[line]] = k;
        if (fewest && !(fewest(c, v) >= 1)) continue;
        if (walls.length && !walls.every((w) => w(c, v))) continue;
        const f = risk();
        if (f < best.risk) { best.risk = f; best.line = k; }
      }
    };
    return [() => search(lo, hi), (k) => { search(k, k); return best.risk; }];
  }

  /** Places by name as an array of them. */
  function places(at) {
    const found = NONE.slice();
    for (const [name, k] of Object.entries(at)) found[number[name]] = k;
    return found;
  }

  /** For each place of row the least risk over the other free variables, and where it is.
      at: the places of the budget and of what else stays where it is. */
  function rows(p, row, others, at) {
    const n = axes[row].length, risk = new Float64Array(n).fill(Infinity);
    const where = Object.fromEntries(others.map((v) => [v, new Int32Array(n).fill(-1)]));
    const from = p.lo[row], to = p.hi[row];
    if (others.length === 0) {
      const [, value] = searcher(p, row, places(at));
      for (let i = from; i <= to; i++) risk[i] = value(i);
      return { risk, where };
    }
    const line = pickLine(p, others), col = others.find((v) => v !== line), more = others.filter((v) => v !== line && v !== col);
    const place = places(at), [search] = searcher(p, line, place);
    const R = number[row], C = number[col], lines = where[line], cols = where[col];
    const rank = (v, i, j, k) => (v === row ? i : v === col ? j : v === line ? k : place[number[v]]);
    const order = hyper.filter((v) => others.includes(v) || v === row);
    const before = (i, j, k) => { // whether a cell comes before the best of its row: the same place of row
      for (const v of order) {
        const mine = rank(v, i, j, k), best_ = v === row ? i : where[v][i];
        if (mine !== best_) return mine < best_;
      }
      return false;
    };
    const keep = (i, j) => {
      const f = best.risk;
      if (f < risk[i] || (f === risk[i] && f < Infinity && before(i, j, best.line))) {
        risk[i] = f; lines[i] = best.line;
        if (col) cols[i] = j;
        for (const v of more) where[v][i] = place[number[v]];
      }
      return f;
    };
    const once = () => {
      if (!col) {
        for (let i = from; i <= to; i++) { place[R] = i; search(); keep(i, 0); }
        return;
      }
      const lo = p.lo[col], hi = p.hi[col];
      const flips = whole || walls.length ? null : bound.flips[[row, col, line].sort().join()];
      if (!flips) {
        for (let i = from; i <= to; i++) for (let j = lo; j <= hi; j++) { place[R] = i; place[C] = j; search(); keep(i, j); }
        return;
      }
      // Read backwards where one of the two is: the best place of col then never falls as row rises.
      const back = flips[row] * flips[col] < 0, m = hi - lo + 1, seen = new Float64Array(Math.max(m, 0));
      const pending = [[from, to, 0, m - 1]];
      while (pending.length) {
        const [r0, r1, c0, c1] = pending.pop();
        if (r0 > r1) continue;
        const i = (r0 + r1) >> 1;
        let least = Infinity;
        place[R] = i;
        for (let t = c0; t <= c1; t++) {
          const j = back ? hi - t : lo + t;
          place[C] = j; search();
          seen[t] = keep(i, j);
          if (seen[t] < least) least = seen[t];
        }
        // Rounding may have made a later place the least: the windows of the others keep all that are as good.
        let first = c0, last = c1;
        if (least < Infinity) {
          const most = least + SLACK * Math.abs(least);
          while (seen[first] > most) first++;
          while (seen[last] > most) last--;
        }
        pending.push([r0, i - 1, c0, last], [i + 1, r1, first, c1]);
      }
    };
    // What is left beside row, col and line is compared whole.
    const each = (k) => {
      if (k === more.length) return once();
      for (let j = p.lo[more[k]]; j <= p.hi[more[k]]; j++) { place[number[more[k]]] = j; each(k + 1); }
    };
    each(0);
    return { risk, where };
  }

  /** Along which variable lines are minimised: that with the fewest factors, as hpgrid's; the first of several. */
  function pickLine(p, others) {
    const many = others.map((v) => lineOf(p, v).moving?.length ?? 0);
    return others[many.indexOf(Math.min(...many))];
  }

  /** The best cell at one budget: {risk, index}; index[v] is -1 where no cell is feasible. */
  function optimum(p, tuned, at) {
    const [row, ...others] = rowFirst(p, tuned), found = rows(p, row, others, at);
    let i = -1;
    const less = (x, y) => { // row-major order over the variables
      for (const v of hyper) if (tuned.includes(v)) {
        const [a, b] = [x, y].map((k) => (v === row ? k : found.where[v][k]));
        if (a !== b) return a < b;
      }
      return false;
    };
    if (!others.length) { // a line by itself: what it is beside a large rest is seen before that is added
      searcher(p, row, places(at))[0]();
      i = best.line;
    }
    for (let k = 0; others.length && k < found.risk.length; k++) {
      const f = found.risk[k];
      if (f < Infinity && (i < 0 || f < found.risk[i] || (f === found.risk[i] && less(k, i)))) i = k;
    }
    const index = Object.fromEntries(tuned.map((v) => [v, i < 0 ? -1 : v === row ? i : found.where[v][i]]));
    return { risk: i < 0 ? Infinity : found.risk[i], index, rows: found, row };
  }

  /** Tuned variables, one first whose rows are searched: not the one with lines in closed form. */
  function rowFirst(p, tuned) {
    const line = tuned.length > 1 ? pickLine(p, tuned) : "";
    return [...tuned.filter((v) => v !== line), ...(line ? [line] : [])];
  }

  return { axes, ends, prepare, rows, optimum };
}
