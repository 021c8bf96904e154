"use strict";
/* The search: a bound's exact minima on a grid, index for index those of hpgrid.grid_search.

   A bound is a sum of terms, each a coefficient and a factor for each variable, or one function. A line of cells along
   one variable is minimised by its closed form where that is A/x^p + B*x^q + C, by a walk downhill where it is convex in
   the logs, and by comparing all of it otherwise. Where the bound is submodular in three variables, the best places of
   the second rise, or fall, with the third: divide and conquer then leaves out nearly all of the plane. Ties go to the
   first cell in row-major order over the variables, in their order. */

const SLACK = 16 * Number.EPSILON; // rounding of a sum of some ten products: places that are so near may both be best
const CLEAR = 1 + 1e-12; // a lower bound that is so far above a risk is above it however both are rounded: 4500 EPSILON

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
  const tables = {};
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
    const table = (factor, name) => (tables[name + factor] ??= axes[name].map((x) => factorOf(factor, x)));
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
    return { state, free, lo, hi, terms: made, v, lines: {}, place: new Int32Array(all.length), searchers: {}, guesses: {} };
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
  const longest = Math.max(...Object.values(axes).map((axis) => axis.length));
  const seen = new Float64Array(longest), lines = new Int32Array(longest); // the answers of the last search: it allocates nothing
  const written = new Map(); // searches by their text: what differs between two of one structure are numbers

  /** A search (from, to, limit) of a line for each place of col from..to, the others at p.place: what is least along it, in
      ``seen``, and where, in ``lines``; of a line above the limit, and above those before it, a lower bound may do. It
      returns the least of all, the limit included. And the risk at one place of a line. */
  function searcher(p, line, col) {
    return (p.searchers[[line, col]] ??= whole || walls.length ? scanner(p, line, col) : writtenOut(p, line, col));
  }

  /** It is written out for the bound's terms, and compiled: loops over terms and factors take most of the time else. */
  function writtenOut(p, line, col) {
    const how = lineOf(p, line), K = [], X = [], fixed = [];
    const product = (t) => {
      const n = K.push(t.k) - 1, factors = [`k${n}`];
      fixed.push(`k${n} = K[${n}]`);
      for (const v in t.on) if (v !== line) {
        const n = X.push(t.on[v]) - 1;
        factors.push(v === col ? `X[${n}][j]` : `x${n}`);
        if (v !== col) fixed.push(`x${n} = X[${n}][at[${number[v]}]]`);
      }
      return factors.join(" * ");
    };
    const sum = (terms) => terms.map(product).join(" + ") || "0";
    const worths = how.moving.map((g, n) => `, w${n} = ${sum(g.terms)}`).join(""), rest = sum(how.rest ? how.rest.terms : []);
    // Of what moves along the line alone, as hpgrid compares it: beside a large rest its last digits would be lost.
    const value = (k) => how.moving.map((_, n) => `w${n} * Y[${n}][${k}]`).join(" + ") || "0";
    const first = how.moving[0], [down, up] = how.pair || [];
    const [a, c] = how.pair ? [-how.moving[down].factor, how.moving[up].factor] : [];
    const start = how.pair
      ? `Math.floor((Math.log(w${down} * ${a} / (w${up} * ${c})) / ${a + c} - begin) / step)`
      : how.moving.length !== 1 ? "warm" : first.factor < 0 ? "hi" : "lo";
    // A/x^a + B*x^a is at least twice the root of A*B, and any sum at least its rest: cheaper than a search that can't win.
    const least = how.pair && a === c ? "base + 2 * Math.sqrt(w0) * Math.sqrt(w1)" : "base";
    const look = how.kind === "scan"
      ? `let k = lo, f = ${value("k")}; for (let i = lo + 1; i <= hi; i++) { const g = ${value("i")}; if (g < f) { f = g; k = i; } }`
      : `let k = ${start}, next; if (!(k >= lo)) k = lo; if (k > hi) k = hi; let f = ${value("k")};
        while (k < hi && (next = ${value("k + 1")}) < f) { f = next; k++; }
        while (k > lo && (next = ${value("k - 1")}) <= f) { f = next; k--; }
        warm = k;`;
    const set = `const base = ${rest}${worths};`, outside = `const ${[...fixed, "none = 0"].join(", ")};`;
    const text = `"use strict"; let warm = lo;
      return [(from, to, limit) => {
        if (lo > hi) { seen.fill(Infinity, from, to + 1); return limit; }
        ${outside}
        for (let j = from; j <= to; j++) {
          ${set}
          seen[j] = ${least};
          if (seen[j] > limit * ${CLEAR}) continue;
          ${look}
          seen[j] = f + base; lines[j] = k;
          if (seen[j] < limit) limit = seen[j];
        }
        return limit;
      }, (k) => { ${outside} ${set} return ${value("k")} + base; }];`;
    if (!written.has(text)) written.set(text, new Function("seen", "lines", "at", "lo", "hi", "begin", "step", "K", "X", "Y", text));
    return written.get(text)(seen, lines, p.place, p.lo[line], p.hi[line], logs[line][0], stepOf(line), Float64Array.from(K), X, how.moving.map((g) => g.table));
  }

  /** The same where the bound is a function, or its domain no box: every cell of the line is compared. */
  function scanner(p, line, col) {
    const v = p.v, at = p.place, c = p.state.c, names = p.free, axis = axes[line];
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
    const search = (lo, hi, j) => {
      seen[j] = Infinity; lines[j] = -1;
      for (const name of names) v[name] = axes[name][at[number[name]]];
      for (let k = lo; k <= hi; k++) {
        v[line] = axis[k]; at[number[line]] = k;
        if (fewest && !(fewest(c, v) >= 1)) continue;
        if (walls.length && !walls.every((w) => w(c, v))) continue;
        const f = risk();
        if (f < seen[j]) { seen[j] = f; lines[j] = k; }
      }
      return seen[j];
    };
    return [(from, to, limit) => {
      for (let j = from; j <= to; j++) { if (col) at[number[col]] = j; limit = Math.min(limit, search(p.lo[line], p.hi[line], j)); }
      return limit;
    }, (k) => search(k, k, 0)];
  }

  /** For each place of row the least risk over the other free variables, and where it is.
      at: the places of the budget and of what else stays where it is. */
  function rows(p, row, others, at) {
    const n = axes[row].length, risk = new Float64Array(n).fill(Infinity);
    const where = Object.fromEntries(others.map((v) => [v, new Int32Array(n).fill(-1)]));
    const from = p.lo[row], to = p.hi[row], place = p.place;
    for (const [name, k] of Object.entries(at)) place[number[name]] = k;
    if (others.length === 0) {
      const [, value] = searcher(p, row);
      for (let i = from; i <= to; i++) risk[i] = value(i);
      return { risk, where };
    }
    const line = pickLine(p, others), col = others.find((v) => v !== line), more = others.filter((v) => v !== line && v !== col);
    const [search] = searcher(p, line, col);
    const placeOf = (v, i, j) => (v === row ? i : v === col ? j : v === line ? lines[j] : place[number[v]]);
    const order = hyper.filter((v) => others.includes(v) || v === row);
    const before = (i, j) => { // whether a cell comes before the best of its row: the same place of row
      for (const v of order) {
        const mine = placeOf(v, i, j), best = v === row ? i : where[v][i];
        if (mine !== best) return mine < best;
      }
      return false;
    };
    /** Look at places of col in a row, where place is, and keep the first of the best. */
    const look = (i, first, last, limit) => {
      const least = search(first, last, limit);
      for (let j = first; j <= last; j++) {
        if (seen[j] !== least || !(least < risk[i] || (least === risk[i] && least < Infinity && before(i, j)))) continue;
        risk[i] = least;
        for (const v of others) where[v][i] = placeOf(v, i, j);
      }
      return least;
    };
    const flips = whole || walls.length ? null : bound.flips[[row, col, line].sort().join()];
    // Where the best was at the budget before is looked at first: most others are then seen to be above it.
    const guesses = p.guesses[[row, col]] ?? where[col];
    if (col) p.guesses[[row, col]] = where[col];
    /** Look at the middle one of some rows, then at those before and after it, where its best place of col leaves them. */
    const halve = (r0, r1, c0, c1) => {
      if (r0 > r1) return;
      const i = (r0 + r1) >> 1, guess = Math.min(Math.max(guesses[i], c0), c1);
      place[number[row]] = i;
      const least = look(i, c0, c1, search(guess, guess, Infinity));
      // Rounding may have made a later place the least: the windows of the others keep all that are as good.
      let first = c0, last = c1;
      if (least < Infinity) {
        const most = least + SLACK * Math.abs(least);
        while (seen[first] > most) first++;
        while (seen[last] > most) last--;
      }
      // The best place of col never falls as row rises; where one of the two is read backwards, it never rises.
      const rises = flips[row] * flips[col] > 0;
      halve(r0, i - 1, rises ? c0 : first, rises ? last : c1);
      halve(i + 1, r1, rises ? first : c0, rises ? c1 : last);
    };
    const once = () => {
      const lo = col ? p.lo[col] : 0, hi = col ? p.hi[col] : 0;
      if (flips && lo <= hi) halve(from, to, lo, hi);
      for (let i = from; i <= to && !flips; i++) { place[number[row]] = i; look(i, lo, hi, risk[i]); }
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
    // Not the variable with lines in closed form.
    const row = tuned.length > 1 ? tuned.find((v) => v !== pickLine(p, tuned)) : tuned[0], others = tuned.filter((v) => v !== row);
    const found = rows(p, row, others, at);
    let i = -1;
    const less = (x, y) => { // row-major order over the variables
      for (const v of hyper) if (tuned.includes(v)) {
        const [a, b] = [x, y].map((k) => (v === row ? k : found.where[v][k]));
        if (a !== b) return a < b;
      }
      return false;
    };
    // A line by itself: what it is beside a large rest is seen before that is added.
    if (!others.length && searcher(p, row)[0](0, 0, Infinity) < Infinity) i = lines[0];
    for (let k = 0; others.length && k < found.risk.length; k++) {
      const f = found.risk[k];
      if (f < Infinity && (i < 0 || f < found.risk[i] || (f === found.risk[i] && less(k, i)))) i = k;
    }
    const index = Object.fromEntries(tuned.map((v) => [v, i < 0 ? -1 : v === row ? i : found.where[v][i]]));
    return { risk: i < 0 ? Infinity : found.risk[i], index, rows: found, row };
  }

  return { axes, ends, prepare, rows, optimum };
}
