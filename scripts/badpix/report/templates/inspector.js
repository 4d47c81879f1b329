// The controls of the map and the pixel inspector. All data are in the page itself.
(async function () {
  "use strict";
  const page = JSON.parse(document.getElementById("page-data").textContent);
  const $ = (id) => document.getElementById(id);
  const NO = 0, YES = 1;

  // ------------------------------------------------------------ numbers of the pixels
  async function unpack() {
    const text = atob($("pixel-pack").textContent.trim());
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const buffer = await new Response(stream).arrayBuffer();
    $("pixel-pack").remove();
    const arrays = {};
    for (const [name, part] of Object.entries(page.manifest)) {
      arrays[name] = new window[part.type](buffer, part.start, part.count);
    }
    return arrays;
  }

  function ready() {
    return new Promise((resolve) => {
      const look = () => (window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle ? resolve()
        : requestAnimationFrame(look));
      look();
    });
  }

  const arrays = await unpack();
  await ready();
  const model = (name) => Bokeh.documents[0].get_model_by_name(name);
  const map = model("map");

  function search(sorted, value) {
    let low = 0, high = sorted.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (sorted[middle] === value) return middle;
      if (sorted[middle] < value) low = middle + 1; else high = middle - 1;
    }
    return -1;
  }
  // The row of a pixel in all arrays, -1 for a pixel that is not listed.
  function rowOf(index) {
    const found = search(arrays.index, index);
    return found < 0 ? -1 : arrays.rank[found];
  }
  function values(name, row) {
    const part = page.manifest[name];
    return arrays[name].subarray(row * part.columns, (row + 1) * part.columns);
  }
  const has = (bits, bit) => ((bits >>> bit) & 1) === 1;

  // ------------------------------------------------------------ texts and numbers
  // Three significant digits, and all digits before the decimal point.
  function shown(value) {
    if (Number.isNaN(value)) return "–";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
    const text = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
    return String(text).replace("-", "−");
  }
  function element(tag, text, attributes = {}) {
    const made = document.createElement(tag);
    if (text !== null && text !== undefined) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }
  function mark(name) {
    const look = page.looks[name];
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "-6 -6 12 12");
    svg.setAttribute("class", "mark");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", look.outline);
    path.setAttribute("stroke", look.color);
    svg.append(path);
    return svg;
  }

  // ------------------------------------------------------------ the map
  const layers = [...document.querySelectorAll(".layer")];
  function setLayer(button, on) {
    button.setAttribute("aria-pressed", String(on));
    model(`layer-${button.dataset.layer}`).visible = on;
    sizeMarks();
  }
  // A mark is nearly as wide as a pixel, or larger while all marks in view cover at most this part of the array. The
  // shape of a small mark is not visible, so small marks are filled.
  const COVERED = 0.15, SMALLEST = 1.5, LARGEST = 9, SHAPE_VISIBLE = 5;
  let sizing = false;
  function sizeMarks() {
    if (sizing) return;
    sizing = true;
    requestAnimationFrame(() => {
      sizing = false;
      const on = layers.map((button) => model(`layer-${button.dataset.layer}`)).filter((layer) => layer.visible);
      const { x_range: across, y_range: up, inner_width: width, inner_height: height } = map;
      let inView = 0;
      for (const layer of on) {
        const { x, y } = layer.data_source.data;
        for (let i = 0; i < x.length; i++) {
          if (x[i] >= across.start && x[i] <= across.end && y[i] >= up.start && y[i] <= up.end) inView++;
        }
      }
      const wide = 0.9 * width / (across.end - across.start);
      const seen = (range, n) => Math.max(0, Math.min(range.end, n - 0.5) - Math.max(range.start, -0.5)) / (range.end - range.start);
      const area = width * height * seen(across, page.nx) * seen(up, page.ny);
      const fitting = Math.sqrt(COVERED * area / Math.max(1, inView));
      const size = Math.round(2 * Math.min(LARGEST, Math.max(SMALLEST, wide, fitting))) / 2;
      const look = { size, line_width: Math.min(1.6, Math.max(0.6, size / 5)), fill_alpha: size < SHAPE_VISIBLE ? 0.8 : 0.15 };
      const changed = Object.fromEntries(Object.entries(look).map(([key, value]) => [key, { value }]));
      for (const layer of on) {
        const solid = page.looks[layer.name.replace("layer-", "")]?.solid;
        if (layer.glyph.size.value !== size) layer.glyph.setv(solid ? { ...changed, fill_alpha: { value: 1 } } : changed);
      }
    });
  }
  for (const button of layers) {
    button.addEventListener("click", () => setLayer(button, button.getAttribute("aria-pressed") !== "true"));
  }
  $("all-layers").addEventListener("click", () => layers.forEach((button) => setLayer(button, true)));
  $("no-layers").addEventListener("click", () => layers.forEach((button) => setLayer(button, false)));
  if ($("background")) {
    $("background").addEventListener("change", (event) => {
      for (const name of page.images) model(`background-${name}`).visible = name === event.target.value;
    });
  }
  function setRange(range, start, end) { range.setv({ start, end }); }
  function zoom(factor) {
    const x = (map.x_range.end - map.x_range.start) * factor, y = (map.y_range.end - map.y_range.start) * factor;
    const cx = chosen ? chosen.x : (map.x_range.start + map.x_range.end) / 2;
    const cy = chosen ? chosen.y : (map.y_range.start + map.y_range.end) / 2;
    setRange(map.x_range, cx - x / 2, cx + x / 2);
    setRange(map.y_range, cy - y / 2, cy + y / 2);
  }
  // Shows the whole array with square pixels, whatever the shape of the plot.
  function showWhole(plot) {
    const { inner_width: width, inner_height: height } = plot;
    if (!width || !height) return;
    const scale = 1.04 * Math.max(page.nx / width, page.ny / height);
    for (const [range, n, side] of [[plot.x_range, page.nx, width], [plot.y_range, page.ny, height]]) {
      const start = (n - 1 - scale * side) / 2, end = (n - 1 + scale * side) / 2;
      range.setv({ start, end, reset_start: start, reset_end: end });
    }
  }
  const arrayPlots = ["map", ...page.images.map((image) => `image-${image}`)].map(model);
  const zoomAll = () => showWhole(map);
  let windowWidth = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === windowWidth) return;
    windowWidth = window.innerWidth;
    setTimeout(() => arrayPlots.forEach(showWhole), 300);  // after Bokeh's new layout
  });
  $("zoom-in").addEventListener("click", () => zoom(0.5));
  $("zoom-out").addEventListener("click", () => zoom(2));
  $("zoom-all").addEventListener("click", zoomAll);
  function keepInView(x, y) {
    for (const [range, value] of [[map.x_range, x], [map.y_range, y]]) {
      if (value < range.start || value > range.end) {
        const half = (range.end - range.start) / 2;
        setRange(range, value - half, value + half);
      }
    }
  }

  // Bokeh's canvases take the focus, each in its own shadow tree, and have no label for a screen reader.
  function name(container, title) {
    const trees = [container];
    while (trees.length) {
      for (const part of trees.pop().querySelectorAll("*")) {
        if (part.shadowRoot) trees.push(part.shadowRoot);
        if (part.matches(".bk-events")) part.setAttribute("aria-label", `Plot: ${title}`);
      }
    }
  }
  for (const root of Bokeh.documents[0].roots()) {
    const container = document.querySelector(`[data-root-id="${root.id}"]`);
    if (container) name(container, page.titles[root.name]);
  }

  // ------------------------------------------------------------ plots that are drawn when they come into view
  const plots = JSON.parse($("plots").textContent);
  const drawing = {};
  function draw(container) {
    drawing[container.id] ||= Bokeh.embed.embed_item(plots[container.id])
      .then(() => name(container, page.titles[container.id]));
    return drawing[container.id];
  }
  const lazy = [...document.querySelectorAll(".lazy")];
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) { seen.unobserve(entry.target); draw(entry.target); }
  }, { rootMargin: "600px" });
  for (const container of lazy) seen.observe(container);
  // The plots out of view are drawn while the reader is idle: print shows all plots.
  async function drawAll() {
    for (const container of lazy) {
      await new Promise((resolve) => (window.requestIdleCallback || setTimeout)(resolve));
      await draw(container);
    }
    document.documentElement.dataset.drawn = "true";
  }

  // ------------------------------------------------------------ the selected pixel
  let chosen = null;

  function select(x, y) {
    x = Math.min(page.nx - 1, Math.max(0, Math.round(x)));
    y = Math.min(page.ny - 1, Math.max(0, Math.round(y)));
    chosen = { x, y, index: y * page.nx + x };
    chosen.row = rowOf(chosen.index);
    $("pixel-x").value = x;
    $("pixel-y").value = y;
    model("cursor").data = { x: [x], y: [y] };
    keepInView(x, y);
    describe();
    votes();
    panels();
    ramps();
  }

  function describe() {
    const { x, y, row } = chosen;
    const onDetector = page.x0 || page.y0 ? ` (${x + page.x0}, ${y + page.y0} on the detector)` : "";
    $("h-pixel").textContent = `Pixel x ${x}, y ${y}${onDetector}`;
    const types = $("pixel-types"), data = $("pixel-data");
    types.replaceChildren();
    data.replaceChildren();
    if (row < 0) {
      types.textContent = page.n_listed < page.n_candidates
        ? "Not on this page, because it has too many bad pixels; see the evidence file."
        : "Not flagged: no type found, not intermittent. The votes are in the evidence file.";
      return;
    }
    const kinds = [["found", ""], ["intermittent", " (intermittent)"], ["insufficient", " (not classified)"]];
    for (const [name, words] of kinds) {
      for (const type of page.types) {
        if (!has(arrays[name][row], type.bit)) continue;
        const chip = element("span", null, { class: name === "found" ? "chip" : "chip off" });
        chip.append(mark(type.name), page.looks[type.name].label + words);
        types.append(chip);
      }
    }
    if (!types.childNodes.length) types.append("No type found.");
    const flags = page.flags.filter((flag) => has(arrays.dq[row], flag.bit)).map((flag) => flag.name);
    const list = [["Flags in the mask", flags.join(", ") || "none"]];
    for (const [name, label] of page.measured) if (arrays[name]) list.push([label, shown(arrays[name][row])]);
    const source = arrays.IPC_SOURCE ? arrays.IPC_SOURCE[row] : -1;
    if (source >= 0) list.push(["Halo of the pixel", `x ${source % page.nx}, y ${Math.floor(source / page.nx)}`]);
    for (const [label, value] of list) {
      const group = element("div");
      group.append(element("dt", label), element("dd", value));
      data.append(group);
    }
  }

  // ------------------------------------------------------------ the votes
  function result(test, row, k, n) {
    if (n < Math.max(1, test.min_valid || 1)) return ["not classified", false];
    if (k < test.needed[n]) return ["no", false];
    if (arrays[`m_${test.name}`] && row < page.n_detailed) {
      const mean = arrays[`m_${test.name}`][row], limit = arrays[`l_${test.name}`][row];
      if (!(test.mean_side === "above" ? mean > limit : mean < limit)) return ["enough votes, but not the mean", false];
    }
    return ["yes", true];
  }

  function limitsOf(test, row) {
    const words = [];
    for (const limit of test.limits) {
      const unit = limit.unit ? ` ${limit.unit}` : "";
      const measured = arrays[limit.quantity] && row < arrays[limit.quantity].length
        ? `${shown(arrays[limit.quantity][row])}${unit}; ` : "";
      words.push(`${limit.label}: ${measured}${limit.side} ${shown(limit.value)}${unit} required`);
    }
    if (test.name === "jumps_down" && row < page.n_detailed) {
      const up = arrays.N_JUMP_UP[row];
      words.push(`${arrays.JUMPS_DOWN[row]} downward jumps, at most ${2 * up + 1} allowed (2 × ${up} upward jumps + 1)`);
    }
    if (arrays[`m_${test.name}`] && row < page.n_detailed) {
      const mean = arrays[`m_${test.name}`][row], limit = arrays[`l_${test.name}`][row];
      const unit = test.mean_unit ? ` ${test.mean_unit}` : "";
      words.push(`mean deviation: ${shown(mean)}${unit}; ${test.mean_side} ${shown(limit)}${unit} required`);
    }
    return words.join(" · ");
  }

  // Marks of the votes, grouped by exposure.
  function marks(test, row) {
    const cell = element("td", null, { class: "votes" });
    if (!arrays[`b_${test.name}`] || row >= page.n_detailed) return cell;
    const each = [...values(`b_${test.name}`, row)];
    const groups = test.unit === "integrations" ? page.integrations : each.map(() => 1);
    let start = 0;
    const text = groups.map((count) => each.slice(start, (start += count))
      .map((b) => (b === YES ? "■" : b === NO ? "□" : "·")).join("")).join(test.unit === "integrations" ? " " : "");
    cell.append(element("span", text, { "aria-hidden": "true", class: each.length > 12 ? "" : "short" }));
    const words = each.map((b) => (b === YES ? "yes" : b === NO ? "no" : "abstained")).join(", ");
    cell.append(element("span", words, { class: "unseen" }));
    return cell;
  }

  function voteLines(test, row) {
    const k = arrays[`k_${test.name}`][row], n = arrays[`n_${test.name}`][row];
    let [outcome, positive] = result(test, row, k, n);
    const found = page.types.filter((type) => test.types.includes(type.name)).some((type) => has(arrays.found[row], type.bit));
    if (positive && !found) outcome = "yes, not flagged";
    const line = element("tr", null, { "data-test": test.name, "data-k": k, "data-n": n });
    const name = element("th", `${test.label} `, { scope: "row" });
    name.append(element("code", test.types.join(", ")));
    line.append(name, marks(test, row), element("td", `${k} of ${n}`, { class: "n" }));
    line.append(element("td", test.fraction === null ? "" : `${test.needed[n]} ${test.unit}`, { class: "n" }));
    line.append(element("td", outcome, { class: positive ? "yes" : "no" }));
    const limits = limitsOf(test, row);
    if (!limits) return { positive, lines: [line] };
    line.classList.add("has-sub");
    const sub = element("tr", null, { class: "sub" });
    sub.append(element("td", limits, { colspan: "5" }));
    return { positive, lines: [line, sub] };
  }

  function voteTable(caption) {
    const table = element("table");
    table.append(element("caption", caption));
    const head = element("tr");
    for (const [name, kind] of [["Test and types", ""], ["Votes", ""], ["Yes", "n"], ["Required", "n"], ["Result", ""]]) {
      head.append(element("th", name, { scope: "col", class: kind }));
    }
    table.append(element("thead"), element("tbody"));
    table.tHead.append(head);
    return table;
  }

  // Positive tests are shown, negative tests are folded.
  function votes() {
    const row = chosen.row, more = $("more-votes");
    $("votes").replaceChildren();
    more.classList.toggle("hidden", row < 0);
    if (row < 0) return;
    const positives = voteTable("Votes: ■ yes, □ no, · no valid value, in the order of the exposures");
    const negatives = voteTable("");
    let count = 0;
    for (const test of page.tests) {
      if (!test.counted) continue;
      const { positive, lines } = voteLines(test, row);
      if (!positive) count += 1;
      (positive ? positives : negatives).tBodies[0].append(...lines);
    }
    if (positives.tBodies[0].rows.length) $("votes").append(positives);
    more.querySelector("summary").textContent = `${count} negative tests`;
    more.querySelector("div").replaceChildren(negatives);
  }

  // ------------------------------------------------------------ measurements per integration
  // All finite values in view, with a margin.
  function fit(range, numbers) {
    const finite = numbers.filter(Number.isFinite);
    const low = finite.length ? Math.min(...finite) : 0, high = finite.length ? Math.max(...finite) : 1;
    const margin = (high - low) * 0.08 || Math.abs(high) * 0.1 || 1;
    range.setv({ start: low - margin, end: high + margin });
  }

  function panels() {
    const row = chosen.row, there = row >= 0 && row < page.n_detailed;
    $("panels").classList.toggle("hidden", !there);
    if (!there) return;
    const region = arrays.region ? arrays.region[row] : 0;
    for (const panel of page.panels) {
      const measured = [...values(panel.array, row)];
      const x = measured.map((_, i) => i + 1);
      model(`${panel.figure}-points`).data = {
        x, y: measured.map((v) => (Number.isFinite(v) ? v : NaN)),
        label: measured.map((v, i) => `${panel.columns[i]}: ${shown(v)} ${panel.unit}`),
      };
      const limits = { x: [], y: [], start: [], end: [], dash: [], label: [] };
      for (const line of panel.lines) {
        (line.values[region] || line.values[0] || []).forEach((value, i) => {
          if (value === null) return;
          limits.x.push(i + 1);
          limits.y.push(value);
          limits.start.push(i + 0.6);
          limits.end.push(i + 1.4);
          limits.dash.push(line.dash);
          limits.label.push(`${line.label}: ${line.side} ${shown(value)} ${panel.unit}`);
        });
      }
      model(`${panel.figure}-limits`).data = limits;
      fit(model(`${panel.figure}-range`), [...measured, ...limits.y]);
    }
  }

  // ------------------------------------------------------------ ramps
  const COLORS = ["#0b5c8f", "#D55E00", "#009E73", "#B0478A", "#5B4BA8", "#7A6A00"];
  const DASHES = ["solid", "dashed", "dotted", "dotdash"];
  const ramp = $("ramp-exposure");
  if (ramp) {
    page.ramps.forEach((entry, i) => ramp.append(element("option", `${entry.exposure} (${entry.kind})`, { value: i })));
    ramp.addEventListener("change", () => chosen && ramps());
  }

  function nearestSampled() {
    const own = chosen.row < 0 ? 0 : arrays.found[chosen.row];
    let best = -1, least = Infinity;
    for (const index of arrays.ramp_index) {
      const row = rowOf(index);
      if (row < 0 || (own && !(arrays.found[row] & own))) continue;
      const dx = (index % page.nx) - chosen.x, dy = Math.floor(index / page.nx) - chosen.y;
      if (dx * dx + dy * dy < least) { least = dx * dx + dy * dy; best = index; }
    }
    return best;
  }

  function ramps() {
    if (!ramp) return;
    const sampled = search(arrays.ramp_index, chosen.index);
    const figure = $("ramps").querySelector("[data-root-id]");
    const note = $("ramp-note");
    note.replaceChildren();
    figure.classList.toggle("hidden", sampled < 0);
    if (sampled < 0) {
      note.append(`This page has the ramps of ${arrays.ramp_index.length} pixels, a sample of each type. `);
      const near = nearestSampled();
      if (near >= 0) {
        const x = near % page.nx, y = Math.floor(near / page.nx);
        const button = element("button", `Nearest pixel with ramps: x ${x}, y ${y}`, { type: "button", class: "plain" });
        button.addEventListener("click", () => select(x, y));
        note.append(button);
      }
      return;
    }
    const entry = page.ramps[Number(ramp.value)];
    const signal = values(`ramp_${ramp.value}`, sampled);
    const flags = entry.flags ? values(`ramp_flags_${ramp.value}`, sampled) : null;
    const lines = { x: [], y: [], color: [], dash: [] };
    const points = { x: [], y: [], color: [], marker: [], size: [], label: [] };
    for (let i = 0; i < entry.integrations; i++) {
      const color = COLORS[i % COLORS.length], xs = [], ys = [];
      for (let g = 0; g < entry.groups; g++) {
        const at = i * entry.groups + g, value = signal[at], flag = flags ? flags[at] : 0;
        xs.push(g * entry.group_time);
        ys.push(Number.isFinite(value) ? value : NaN);
        points.x.push(g * entry.group_time);
        points.y.push(Number.isFinite(value) ? value : NaN);
        points.color.push(color);
        points.marker.push(flag & 1 ? "triangle" : flag & 2 ? "x" : flag & 4 ? "cross" : "circle");
        points.size.push(flag ? 9 : 4);
        const words = [flag & 1 ? "jump" : "", flag & 2 ? "saturated" : "", flag & 4 ? "do not use" : ""];
        points.label.push(`integration ${i + 1}, group ${g + 1}: ${shown(value)} DN ${words.filter(Boolean).join(", ")}`);
      }
      lines.x.push(xs);
      lines.y.push(ys);
      lines.color.push(color);
      lines.dash.push(DASHES[i % DASHES.length]);
    }
    model("ramp-lines").data = lines;
    model("ramp-points").data = points;
    fit(model("ramp-x"), points.x);
    fit(model("ramp-y"), points.y);
    note.textContent = `Ramps of ${entry.exposure} (${entry.kind}), a colour per integration. ` + (entry.source === "uncal"
      ? "From the raw file (uncal), without any correction: the jump file was not kept."
      : "From the jump file (output of the jump step): ▲ jump, × saturated, + do not use.");
  }

  // ------------------------------------------------------------ steps and keys
  function step(direction) {
    const name = $("step-type").value;
    const type = page.types.find((entry) => entry.name === name);
    const wanted = (row) => (type ? has(arrays.found[row], type.bit) : arrays.found[row] !== 0);
    const n = arrays.index.length;
    let position = -1;
    if (chosen) {
      let low = 0, high = n;
      while (low < high) { const m = (low + high) >> 1; if (arrays.index[m] < chosen.index) low = m + 1; else high = m; }
      position = direction > 0 && arrays.index[low] !== chosen.index ? low - 1 : low;
    } else if (direction < 0) position = 0;
    for (let count = 0; count < n; count++) {
      position = (position + direction + n) % n;
      if (wanted(arrays.rank[position])) {
        const index = arrays.index[position];
        select(index % page.nx, Math.floor(index / page.nx));
        return;
      }
    }
  }
  $("next").addEventListener("click", () => step(1));
  $("previous").addEventListener("click", () => step(-1));
  $("goto").addEventListener("submit", (event) => {
    event.preventDefault();
    select(Number($("pixel-x").value), Number($("pixel-y").value));
  });
  const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  $("map-frame").addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = MOVES[event.key];
    const here = chosen || { x: Math.floor(page.nx / 2), y: Math.floor(page.ny / 2) };
    const reach = event.shiftKey ? 10 : 1;
    if (move) select(here.x + reach * move[0], here.y + reach * move[1]);
    else if (event.key === "n") step(1);
    else if (event.key === "p") step(-1);
    else if (event.key === "+" || event.key === "=") zoom(0.5);
    else if (event.key === "-") zoom(2);
    else if (event.key === "0") zoomAll();
    else return;
    event.preventDefault();
  });

  // A link can select a pixel: page.html#pixel=120,45
  const linked = /^#pixel=(\d+),(\d+)$/.exec(location.hash);
  window.badpix = { tapped: select, sizeMarks, arrays, page };
  arrayPlots.forEach(showWhole);
  sizeMarks();
  // Else the page opens on a bad pixel with ramps, of the first type in the list: its ramps show the defect.
  const lowestBit = (index) => { const bits = arrays.found[rowOf(index)]; return (bits & -bits) >>> 0; };
  const [first] = [...(arrays.ramp_index || [])].filter((index) => rowOf(index) >= 0)
    .sort((a, b) => lowestBit(a) - lowestBit(b));
  if (linked) select(Number(linked[1]), Number(linked[2]));
  else if (first !== undefined) select(first % page.nx, Math.floor(first / page.nx));
  else step(1);
  document.documentElement.dataset.ready = "true";
  drawAll();
})();
