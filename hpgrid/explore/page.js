"use strict";
/* The page: its state, what it computes of a state, and what it shows. ``explorer.compute`` touches no element. */

const NEAR = 1.01; // near-optimal: at most 1% more than the least risk
const PATIENCE = 2e6; // cells of a bound without structure that are compared for one picture: some tenths of a second

const explorer = (() => {
  const bound = JSON.parse(document.getElementById("data").textContent);
  const engine = makeEngine(bound), { axes } = engine, hyper = bound.hyper, budget = bound.budget;
  const slow = bound.terms === null || bound.walls.length > 0;
  const laws = Object.fromEntries(Object.entries(bound.regimes).map(([key, regime]) => [key, regime.why ? regime :
    regime.map((form) => ({ ...form, laws: compiledLaws(form.laws), starts: compiledLaws(form.starts) }))]));

  function compiledLaws(all) {
    return Object.fromEntries(Object.entries(all).map(([name, law]) => [name, law && { ...law, worth: compiled(law.value) }]));
  }

  const opened = () => ({
    at: Math.round(0.7 * (axes[budget].length - 1)), tuned: [...bound.tuned], held: { ...bound.held }, c: { ...bound.constants },
    cap: {}, floor: {}, across: budget, up: bound.tuned.includes("b") ? "b" : bound.tuned[0],
  });

  /** The laws of what is tuned at a state: of each quantity its value at any budget; from which budget on. */
  function lawOf(state, tuned) {
    const forms = laws[tuned.join()];
    if (forms.why) return { why: forms.why };
    // What tends to a constant may be on a bound or inside: of the forms whose constants lie within, that of the least risk.
    const feasible = forms.map((form) => formAt(state, tuned, form)).filter((form) => form.inside);
    if (!feasible.length) return { why: "its form at these constants is none of those that the page knows" };
    const size = (form) => (form.laws.risk && Number.isFinite(form.laws.risk.constant) ? form.laws.risk.constant * (1 + 1e-12 * Object.keys(form.regime.active).length) : Infinity);
    return feasible.reduce((one, other) => (size(other) < size(one) ? other : one));
  }

  function formAt(state, tuned, regime) {
    const v = state.held, free = { ...state, cap: {}, floor: {} };
    // What was computed, and has no closed form, is a number of the constants and held values of the export alone.
    const moved = Object.keys(state.c).some((k) => state.c[k] !== bound.constants[k]) ||
      hyper.some((k) => !tuned.includes(k) && state.held[k] !== bound.held[k]);
    const value = (law) => (law && !(law.computed && moved) ? law.worth(state.c, v) : NaN);
    const found = {};
    for (const [name, law] of Object.entries(regime.laws)) {
      const constant = value(law);
      found[name] = { constant, exponent: law ? law.exponent : NaN, at: (T) => constant * Math.pow(T, law ? law.exponent : NaN) };
    }
    const starts = Object.fromEntries(Object.entries(regime.starts).map(([name, law]) => [name, value(law)]));
    const inside = tuned.every((name) => {
      const own = found[name], [low, high] = engine.ends(free, name), most = Math.min(high, bound.high[name] ?? Infinity);
      return !own || own.exponent !== 0 || !Number.isFinite(own.constant) || (own.constant >= low * (1 - 1e-12) && own.constant <= most * (1 + 1e-12));
    });
    return { regime, laws: found, starts, moved, inside };
  }

  /** All that the page shows of a state, as numbers. */
  function compute(state) {
    const tuned = hyper.filter((v) => state.tuned.includes(v)), T = axes[budget], at = { [budget]: state.at };
    const p = engine.prepare(state, [...tuned, budget]);
    const now = engine.optimum(p, tuned, at);
    const near = {};
    for (const v of tuned) {
      const profile = v === now.row ? now.rows : engine.rows(p, v, tuned.filter((w) => w !== v), at);
      const inside = [...profile.risk.keys()].filter((k) => profile.risk[k] <= NEAR * now.risk);
      near[v] = inside.length ? [inside[0], inside.at(-1)] : [-1, -1];
    }
    const cells = tuned.reduce((n, v) => n * axes[v].length, 1);
    const stride = slow ? Math.ceil((cells * T.length) / PATIENCE) : 1;
    const curve = [...T.keys()].filter((k) => (k - state.at) % stride === 0)
      .map((k) => ({ k, ...(k === state.at ? now : engine.optimum(p, tuned, { [budget]: k })) }));
    const law = lawOf(state, tuned), start = Math.max(T[0], ...Object.values(law.starts || {}).filter(Number.isFinite));
    return { tuned, now, near, curve, law, start, stride, slopes: slopes(tuned, curve, start), contour: contour(state, tuned, curve), regimes: regimes(state) };
  }

  /** Least-squares slopes of the curves over the budgets from a start on, without those on the border of the box. */
  function slopes(tuned, curve, start) {
    const found = {}, T = axes[budget];
    for (const name of ["risk", ...tuned]) {
      const points = curve.filter((c) => T[c.k] >= start && c.risk < Infinity && (name === "risk" ? tuned : [name]).every((v) => !onEdge(v, c)))
        .map((c) => [Math.log(T[c.k]), Math.log(name === "risk" ? c.risk : axes[name][c.index[name]]), T[c.k]]);
      if (points.length < 5) { found[name] = { slope: NaN, from: NaN, to: NaN }; continue; }
      const mean = (k) => points.reduce((s, p) => s + p[k], 0) / points.length, [x, y] = [mean(0), mean(1)];
      const slope = points.reduce((s, p) => s + (p[0] - x) * (p[1] - y), 0) / points.reduce((s, p) => s + (p[0] - x) ** 2, 0);
      found[name] = { slope, from: points[0][2], to: points.at(-1)[2] };
    }
    return found;
  }

  const onEdge = (v, cell) => cell.index[v] <= 0 || cell.index[v] >= axes[v].length - 1;

  /** The best risk over two variables, and where along the second it is least. */
  function contour(state, tuned, curve) {
    const [x, y] = [state.across, state.up], least = (risk) => risk.reduce((k, r, j) => (r < Infinity && (k < 0 || r < risk[k]) ? j : k), -1);
    if (x === budget && curve.length === axes[x].length && curve[0].row === y) { // the curves went over the same cells
      const z = curve.map((c) => c.rows.risk);
      return { x, y, z, best: z.map(least) };
    }
    const others = hyper.filter((v) => state.tuned.includes(v) && v !== x && v !== y);
    const free = hyper.filter((v) => others.includes(v) || v === x || v === y);
    const p = engine.prepare(state, [...free, budget]), z = [], best = [], n = axes[x].length;
    const cells = [...others, y].reduce((size, v) => size * axes[v].length, n), stride = slow ? Math.ceil(cells / PATIENCE) : 1;
    for (let i = 0; i < n; i++) {
      const outside = x !== budget && (i < p.lo[x] || i > p.hi[x]);
      if (outside || (stride > 1 && i % stride)) { z.push(null); best.push(-1); continue; }
      const risk = engine.rows(p, y, others, { [budget]: state.at, [x]: i }).risk;
      z.push(risk); best.push(least(risk));
    }
    return { x, y, z, best };
  }

  /** The optimum of each regime at the budget of a state: what is tuned, one subset after the other. */
  function regimes(state) {
    return Object.keys(laws).map((key) => {
      const tuned = key.split(","), law = lawOf(state, tuned);
      const cells = tuned.reduce((n, v) => n * axes[v].length, 1);
      if (cells > (slow ? PATIENCE / 20 : 5e7)) return { tuned, law, now: null };
      return { tuned, law, now: engine.optimum(engine.prepare(state, [...tuned, budget]), tuned, { [budget]: state.at }) };
    });
  }

  // --- the state in a link ---

  function toHash(state) {
    const found = new URLSearchParams(), first = opened();
    found.set("at", state.at);
    found.set("tuned", state.tuned.join());
    for (const [kind, own] of [["held", state.held], ["c", state.c], ["cap", state.cap], ["floor", state.floor]]) {
      for (const [name, x] of Object.entries(own)) if (!(first[kind][name] === x)) found.set(`${kind}.${name}`, x);
    }
    found.set("over", `${state.across},${state.up}`);
    return found.toString();
  }

  /** The state of a link; what it says that this bound can't have is left out. */
  function fromHash(text) {
    const state = opened(), given = new URLSearchParams(text.replace(/^#/, ""));
    const tuned = (given.get("tuned") || "").split(",").filter((v) => hyper.includes(v));
    if (tuned.length) state.tuned = hyper.filter((v) => tuned.includes(v));
    const at = Number(given.get("at") ?? state.at);
    if (Number.isInteger(at) && at >= 0 && at < axes[budget].length) state.at = at;
    for (const [key, value] of given) {
      const [kind, name] = key.split("."), x = Number(value);
      const known = kind === "c" ? name in bound.constants : ["held", "cap", "floor"].includes(kind) && hyper.includes(name);
      if (known && x > 0 && Number.isFinite(x)) state[kind][name] = x;
    }
    const [across, up] = (given.get("over") || "").split(","), may = [...hyper, budget];
    if (may.includes(across) && hyper.includes(up) && across !== up) Object.assign(state, { across, up });
    else if (!state.tuned.includes(state.up)) state.up = state.tuned[0];
    return state;
  }

  return { bound, axes, hyper, budget, engine, opened, compute, lawOf, toHash, fromHash, onEdge };
})();

(() => {
  const { bound, axes, hyper, budget, engine } = explorer;
  const $ = (id) => document.getElementById(id), symbol = (name) => bound.symbols[name] || escaped(name);
  const unit = { T: " tokens", K: " iterations" }[budget] || "";
  let state = explorer.fromHash(location.hash), pending = false;

  const named = (v) => (bound.words[v] ? `${v}, ${bound.words[v]}` : v);
  const valued = (v, x) => (bound.complements[v] ? `${shown(x)} (${bound.complements[v]} = ${complement(x)})` : shown(x));
  const complement = (x) => String(Number((1 - x).toPrecision(x < 1e-2 ? Math.min(12, 2 - Math.floor(Math.log10(x))) : 4)));
  const span = (v) => [Math.log10(axes[v][0]), Math.log10(axes[v].at(-1))];

  // --- controls: made once, then set from the state ---

  const setters = [];
  function element(tag, attributes = {}, html = "") {
    const made = document.createElement(tag);
    for (const [name, x] of Object.entries(attributes)) made.setAttribute(name, x);
    made.innerHTML = html;
    return made;
  }

  /** A slider in decades with its value beside it: read() gives the value, NaN for none; write(x) changes the state. */
  function slider(label, heading, [lo, hi], step, read, write, said = shown) {
    const row = element("label", { class: "slide" }, `<span>${heading}</span>`);
    const input = element("input", { type: "range", min: lo, max: hi, step, "aria-label": label }), out = element("output", { "aria-hidden": "true" });
    input.addEventListener("input", () => { write(Number(input.value)); changed(); });
    row.append(input, out);
    let was;
    setters.push(() => { const x = read(); if (x !== was) input.value = was = x; fit(out, said(x)); setAll(input, { "aria-valuetext": said(x) }); });
    return row;
  }

  /** A number that is typed; what is no positive number is marked, and leaves the state as it was. */
  function typed(label, read, write) {
    const input = element("input", { type: "text", inputmode: "decimal", "aria-label": label, autocomplete: "off" });
    input.addEventListener("change", () => {
      const x = Number(input.value), good = input.value.trim() !== "" && x > 0 && Number.isFinite(x);
      input.setAttribute("aria-invalid", String(!good));
      if (good) { write(x); changed(); }
    });
    setters.push(() => { if (document.activeElement !== input) { input.value = String(Number(read().toPrecision(6))); input.setAttribute("aria-invalid", "false"); } });
    return input;
  }

  function controls() {
    const last = axes[budget].length - 1;
    $("budget").append(slider(`Budget ${named(budget)}`, symbol(budget), [0, last], 1, () => state.at, (k) => { state.at = k; }, (k) => shown(axes[budget][k])));
    for (const v of hyper) {
      const box = element("div", { class: "control", role: "group", "aria-label": named(v) }), head = element("div", { class: "head" });
      head.append(element("span", {}, `<strong>${symbol(v)}</strong> <span class="small">${escaped(bound.words[v] || "")}</span>`));
      const choose = element("select", { "aria-label": `${v} is` }, "<option value='tuned'>tuned</option><option value='held'>held</option>");
      choose.addEventListener("change", () => {
        state.tuned = hyper.filter((w) => (w === v ? choose.value === "tuned" : state.tuned.includes(w)));
        if (!state.tuned.length) state.tuned = [hyper.find((w) => w !== v) || v]; // something is tuned
        changed();
      });
      head.append(choose);
      const range = span(v), held = slider(`${v} is held at`, "at", range, 0.01, () => Math.log10(state.held[v]), (e) => { state.held[v] = 10 ** e; }, (e) => shown(10 ** e));
      held.lastChild.replaceWith(typed(`${v} is held at`, () => state.held[v], (x) => { state.held[v] = x; }));
      const limits = element("details", {}, `<summary>floor and cap of ${escaped(v)}</summary>`);
      limits.append(
        slider(`Floor of ${v}`, "floor", range, 0.01, () => Math.log10(state.floor[v] ?? axes[v][0]), (e) => limit("floor", v, e, range[0]), () => (v in state.floor ? shown(state.floor[v]) : "none")),
        slider(`Cap of ${v}`, "cap", range, 0.01, () => Math.log10(state.cap[v] ?? axes[v].at(-1)), (e) => limit("cap", v, e, range[1]), () => (v in state.cap ? shown(state.cap[v]) : "none")));
      box.append(head, held, limits);
      setters.push(() => {
        const tuned = state.tuned.includes(v);
        choose.value = tuned ? "tuned" : "held";
        held.hidden = tuned;
        limits.hidden = !tuned;
      });
      $("hyper").append(box);
    }
    for (const [name, x] of Object.entries(bound.constants)) {
      const middle = Math.log10(x || 1);
      const row = slider(`Constant ${name}`, symbol(name), [middle - 4, middle + 4], 0.01, () => Math.log10(state.c[name]), (e) => { state.c[name] = e === middle ? x : 10 ** e; }, (e) => shown(10 ** e));
      $("constants").append(row);
    }
    if (!Object.keys(bound.constants).length) $("constants").remove();
    for (const [id, options] of [["across", [budget, ...hyper]], ["up", hyper]]) {
      $(id).innerHTML = options.map((v) => `<option>${escaped(v)}</option>`).join("");
      $(id).addEventListener("change", () => {
        state[id] = $(id).value;
        if (state.across === state.up) { if (id === "up") state.across = budget; else state.up = hyper.find((v) => v !== state.across) || state.up; }
        if (state.across === state.up) state.across = budget;
        changed();
      });
      setters.push(() => { $(id).value = state[id]; });
    }
    $("reset").addEventListener("click", () => { state = explorer.opened(); changed(); });
    $("copy").addEventListener("click", async () => {
      link();
      try { await navigator.clipboard.writeText(location.href); $("copied").textContent = "Copied."; }
      catch { $("copied").textContent = "The link stands in the address line."; }
    });
    $("skip").addEventListener("click", (event) => { event.preventDefault(); $("answer").focus(); $("answer").scrollIntoView(); });
    window.addEventListener("hashchange", () => {
      if (location.hash.slice(1) !== explorer.toHash(state)) { state = explorer.fromHash(location.hash); changed(); }
    });
  }

  function limit(kind, v, e, none) {
    if (Math.abs(e - none) < 1e-9) delete state[kind][v]; else state[kind][v] = 10 ** e;
  }

  // --- what is shown ---

  const shownIn = {};
  /** Put text into an element, and values where it has data-v, each unless it is there: mathematics is laid out once. */
  function put(id, html, values = []) {
    if (shownIn[id]?.html !== html) {
      $(id).innerHTML = html;
      shownIn[id] = { html, slots: [...$(id).querySelectorAll("[data-v]")], values: [] };
    }
    const { slots, values: before } = shownIn[id];
    values.forEach((x, k) => { if (x !== before[k]) { if (/[<&]/.test(x)) slots[k].innerHTML = x; else fit(slots[k], x); } });
    shownIn[id].values = values;
  }

  let linking;
  /** Keep the state in the address, once it stays: a browser takes its time for that, and but so many in a row. */
  function link() {
    clearTimeout(linking);
    history.replaceState(null, "", `#${explorer.toHash(state)}`);
  }

  function show() {
    pending = false;
    const begun = performance.now();
    // Sizes are read before anything is written: the browser then lays the page out once.
    const width = $("contours").clientWidth, rgb = getComputedStyle(document.documentElement).getPropertyValue("--wash").split(",").map(Number);
    setters.forEach((set) => set());
    const found = explorer.compute(state), T = axes[budget][state.at];
    answer(found, T);
    curves(found);
    lawText(found);
    contours(found.contour, width, rgb);
    regimeTable(found.regimes);
    clearTimeout(linking);
    linking = setTimeout(link, 150);
    explorer.took = performance.now() - begun;
    fit($("took"), `${explorer.took.toFixed(0)} ms for this state.`);
  }

  const exponentText = (law, name) => (law.regime && law.regime.exponents[name] ? law.regime.exponents[name][1].replace("-", "−") : "");

  function answer({ tuned, now, near, law, slopes }, T) {
    if (!(now.risk < Infinity)) {
      fit($("said"), "No cell of the grid lies within these caps, floors and the bound's domain.");
      put("optimum", "");
      return;
    }
    const best = tuned.map((v) => `${v} = ${valued(v, axes[v][now.index[v]])}`).join(", ");
    fit($("said"), `At ${budget} = ${shown(T)}${unit} the least risk is ${shown(now.risk)}, at ${best}.`);
    const row = (name, x, set, edge) => {
      const own = law.laws && law.laws[name], at = own ? own.at(T) : NaN, s = slopes[name];
      return [`${shown(x)}${edge ? " (on the border)" : ""}`, set, Number.isFinite(at) ? shown(at) : "none", Number.isFinite(s.slope) ? s.slope.toFixed(3).replace("-", "−") : "none", exponentText(law, name) || "none"];
    };
    const range = (v) => (near[v][0] < 0 ? "" : `${shown(axes[v][near[v][0]])} to ${shown(axes[v][near[v][1]])}`);
    const heads = ["risk", ...tuned].map((v) => `<tr><th scope="row">${v === "risk" ? v : symbol(v)}</th>${"<td data-v></td>".repeat(5)}</tr>`);
    put("optimum", `<thead><tr><td></td><th scope="col">best on the grid</th><th scope="col">costs at most 1% more</th><th scope="col">exact law here</th><th scope="col">slope</th><th scope="col">exponent</th></tr></thead><tbody>${heads.join("")}</tbody>`,
      [...row("risk", now.risk, `up to ${shown(NEAR * now.risk)}`, false), ...tuned.flatMap((v) => row(v, axes[v][now.index[v]], range(v), explorer.onEdge(v, now)))]);
  }

  function curves({ tuned, now, near, curve, law, start, slopes }) {
    const T = axes[budget], ends = [T[0], T.at(-1)];
    const panels = ["risk", ...tuned].flatMap((name) => {
      const value = (c) => (name === "risk" ? c.risk : c.index[name] < 0 ? NaN : axes[name][c.index[name]]);
      const finite = curve.map(value).filter((y) => y > 0 && Number.isFinite(y));
      if (!finite.length) return [];
      const lo = Math.min(...finite), hi = Math.max(...finite), pad = Math.max(1.6, (hi / lo) ** 0.06);
      const f = frame(320, 210, ends, [lo / pad, hi * pad]);
      const upright = (kind, x, y1 = 0, y2 = 300) => ["path", { class: kind, d: `M${rounded(f.X(x))} ${rounded(y1)}V${rounded(y2)}` }];
      const through = (kind, points) => ["path", { class: kind, d: path(points) }];
      const inside = [upright("now", T[state.at])], own = law.laws && law.laws[name];
      if (start > T[0]) inside.push(upright("start", start));
      inside.push(through("curve", curve.map((c) => [f.X(T[c.k]), f.Y(value(c))])));
      if (own && Number.isFinite(own.constant)) inside.push(through("law", ends.map((t) => [f.X(t), f.Y(own.at(t))])));
      if (name !== "risk") {
        const edges = curve.filter((c) => c.index[name] >= 0 && explorer.onEdge(name, c)).map((c) => [f.X(T[c.k]), f.Y(value(c))]);
        inside.push(dots("edge", edges), dots("hole", edges));
        if (near[name][0] >= 0) inside.push(upright("near", T[state.at], ...near[name].map((k) => f.Y(axes[name][k]))));
      }
      const s = slopes[name], exact = exponentText(law, name);
      const said = Number.isFinite(s.slope) ? `slope ${s.slope.toFixed(3).replace("-", "−")} from ${shown(s.from, 2)} to ${shown(s.to, 2)}` : "too few budgets for a slope";
      const label = `${name} against ${budget}: ${said}${exact ? `; the law's exponent ${exact}` : ""}`;
      const head = `<strong>${name === "risk" ? "risk" : symbol(name)}</strong> against ${symbol(budget)}`;
      return { head, caption: `${said}${exact ? `; law ${exact}` : ""}`, draw: (svg) => picture(svg, f, inside, [], label) };
    });
    put("curves", panels.map(({ head }) => `<figure><svg class="plot" role="img"></svg><figcaption>${head}: <span data-v></span></figcaption></figure>`).join(""), panels.map(({ caption }) => caption));
    panels.forEach(({ draw }, k) => draw($("curves").children[k].firstChild));
  }

  function lawText({ tuned, law, start }) {
    const parts = [], numbers = [];
    if (law.why !== undefined) parts.push(`<p class="note">No exact law with ${escaped(tuned.join(", "))} tuned: ${escaped(law.why)}.</p>`);
    else {
      for (const [name, own] of Object.entries(law.regime.laws)) {
        if (!own) continue;
        const x = law.laws[name].constant, e = own.exponent;
        const [number, power] = Number.isFinite(x) ? [`here ${shown(x)}`, e ? ` ${escaped(budget)}<sup>${exponentText(law, name)}</sup>` : ""] : ["its constant was computed for the page's first state, and moves with this one", ""];
        const text = own.computed && !Number.isFinite(x) ? `<strong>${name === "risk" ? "risk" : symbol(name)}</strong> ~ ${escaped(budget)}<sup>${exponentText(law, name)}</sup>` : own.math;
        parts.push(`<div class="law-line">${text} <span class="small${power && " number"}">&ensp;<span data-v></span>${power}</span></div>`);
        numbers.push(number);
      }
      for (const [name, direction] of Object.entries(law.regime.unbounded)) parts.push(`<p class="note">${symbol(name)} has no optimum: the risk falls as it goes to ${direction > 0 ? "infinity" : "0"}.</p>`);
      for (const name of law.regime.flat) parts.push(`<p class="note">${symbol(name)} stays undetermined: the leading terms are flat along it.</p>`);
      for (const [name, x] of Object.entries(law.starts)) if (x > axes[budget][0]) {
        parts.push(`<p class="small">${symbol(name)} leaves its bound at ${symbol(budget)} = <span data-v></span>: slopes are fitted from there on (dash-dotted lines).</p>`);
        numbers.push(shown(x));
      }
      if (Object.keys(state.cap).length + Object.keys(state.floor).length) parts.push(`<p class="small">The law knows nothing of the caps and floors that are set here.</p>`);
    }
    put("laws", parts.join(""), numbers);
  }

  function contours({ x, y, z, best }, width, rgb) {
    const columns = z.map((own, i) => [own, i]).filter(([own]) => own), wide = Math.min(680, Math.max(300, width)), f = frame(wide, wide * 0.66, [axes[x][0], axes[x].at(-1)], [axes[y][0], axes[y].at(-1)], 52);
    const logs = columns.map(([own]) => own.map((r) => (r > 0 && r < Infinity ? Math.log10(r) : NaN)));
    const every = new Float64Array(columns.length * axes[y].length);
    let many = 0;
    // A tenth of the cells tells as well where levels go as all of them, which take a millisecond to sort.
    logs.forEach((own, i) => { for (let j = i % 10; j < own.length; j += 10) if (Number.isFinite(own[j])) every[many++] = own[j]; });
    every.subarray(0, many).sort();
    if (!many || columns.length < 2) { put("contours", "<p class='note'>No cell of the grid lies within these caps and floors.</p>"); return; }
    // Even in log risk up to four fifths of the cells: walls beyond would take all levels.
    const lo = every[0], hi = every[Math.floor(0.8 * (many - 1))], step = nice((hi - lo) / 10) || 1, first = Math.ceil(lo / step);
    const xs = columns.map(([, i]) => f.X(axes[x][i])), ys = [...axes[y]].map((t) => f.Y(t));
    const [levels, points] = isolines(logs, xs, ys, step, first, Math.floor(hi / step + 1e-9)), over = [];
    const within = (t, from, to) => Math.round(Math.min(Math.max(t, from), to));
    points.forEach((own, n) => {
      if (!own.length) return;
      const [left, top] = own[Math.floor((0.35 + 0.3 * (n % 2)) * own.length)];
      over.push(["text", { class: "level-label", "text-anchor": "middle", x: within(left, f.left + 20, f.left + f.w - 20), y: within(top, f.top + 12, f.top + f.h - 4) }, shown(10 ** (step * (first + n)), 2)]);
    });
    // Near-optimal: at each budget, or over both variables.
    const alone = Math.min(...columns.map(([own, i]) => (best[i] < 0 ? Infinity : own[best[i]])));
    let strokes = "";
    columns.forEach(([own, i], n) => {
      if (best[i] < 0) return;
      const most = NEAR * (x === explorer.budget ? own[best[i]] : alone);
      const from = own.findIndex((r) => r <= most), to = own.findLastIndex((r) => r <= most);
      if (from >= 0) strokes += `M${rounded(xs[n])} ${rounded(ys[from] + 1.5)}V${rounded(ys[to] - 1.5)}`;
    });
    const inside = [["path", { class: "level", d: levels }], ["path", { class: "hatch", d: strokes }],
      dots("best", columns.map(([, i], n) => [xs[n], ys[best[i]]]).filter(([, at]) => at !== undefined))];
    if (x === explorer.budget) inside.push(["path", { class: "now", d: `M${rounded(f.X(axes[x][state.at]))} 0V500` }]);
    put("contours", '<figure><canvas aria-hidden="true"></canvas><svg class="plot" role="img"></svg></figure>');
    const [canvas, svg] = $("contours").firstChild.children;
    wash(canvas, f, xs, logs, lo, hi, rgb);
    picture(svg, f, inside, over, `Contours of the best risk: ${x} across, ${y} up`);
    const rest = hyper.filter((v) => state.tuned.includes(v) && v !== x && v !== y), at = x === explorer.budget ? "" : ` at ${budget} = ${shown(axes[budget][state.at])}`;
    fit($("contour-note"), `${x} across, ${y} up${at}${rest.length ? `, ${rest.join(" and ")} tuned` : ""}. Lines are labelled with the risk; dots: the best ${y} for each ${x}; strokes: what costs at most 1% more than the least ${x === explorer.budget ? "at that budget" : "of all"}.`);
  }

  const nice = (size) => { const e = 10 ** Math.floor(Math.log10(size)); return [1, 2, 5, 10].map((k) => k * e).find((k) => k >= size) || size; };

  /** The risk as a wash behind the lines: a picture of one pixel a cell. */
  function wash(canvas, f, xs, logs, lo, hi, [red, green, blue]) {
    const n = logs.length, m = logs[0].length, part = (t, of) => `${(100 * t) / of}%`;
    setAll(canvas, { width: n, height: m, style: `left: ${part(xs[0], f.width)}; top: ${part(f.top, f.height)}; width: ${part(xs.at(-1) - xs[0], f.width)}; height: ${part(f.h, f.height)}` });
    const context = canvas.getContext("2d", { willReadFrequently: true }), image = context.createImageData(n, m);
    const cells = new Uint32Array(image.data.buffer), colour = red | (green << 8) | (blue << 16); // bytes are red first
    for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) {
      const share = 1 - (logs[i][j] - lo) / (hi - lo || 1);
      cells[(m - 1 - j) * n + i] = colour | ((share > 0 ? 130 * share : 0) << 24);
    }
    context.putImageData(image, 0, 0);
  }

  function regimeTable(all) {
    const head = ["tuned", "least risk", ...hyper.map(symbol), "risk ~", ...hyper.map((v) => `${symbol(v)} ~`)];
    const values = [], body = all.map(({ tuned, now, law }) => {
      const here = tuned.join() === hyper.filter((v) => state.tuned.includes(v)).join();
      const power = (name) => { const text = exponentText(law, name); return !text ? "none" : text === "0" ? "constant" : `${escaped(budget)}<sup>${text}</sup>`; };
      const at = hyper.map((v) => (tuned.includes(v) ? (now && now.index[v] >= 0 ? shown(axes[v][now.index[v]]) : "") : `<span class="small">held ${shown(state.held[v])}</span>`));
      const cells = [now ? shown(now.risk) : "not computed", ...at, power("risk"), ...hyper.map((v) => (tuned.includes(v) ? power(v) : ""))];
      values.push(...cells);
      return `<tr class="${here ? "here" : ""}"><th scope="row">${tuned.map(symbol).join(", ")}${here ? " (shown)" : ""}</th>${"<td data-v></td>".repeat(cells.length)}</tr>`;
    });
    put("regimes", `<thead><tr>${head.map((h) => `<th scope="col">${h}</th>`).join("")}</tr></thead><tbody>${body.join("")}</tbody>`, values);
  }

  function changed() {
    if (!pending) { pending = true; requestAnimationFrame(show); }
  }

  $("about").textContent = bound.about;
  $("formula").innerHTML = bound.formula;
  $("domain").textContent = bound.beside;
  $("structure").textContent = bound.structure.replace(/\.?$/, ".");
  controls();
  Object.assign(explorer, { show, state: () => state });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  show();
})();
