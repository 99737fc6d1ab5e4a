"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const one = (selector, within = document) => within.querySelector(selector);
  const make = (name, text, attributes = {}, ...children) => {
    const svg = ["svg", "rect", "path", "circle", "g", "text"].includes(name);
    const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
    if (text !== null && text !== undefined) element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children.filter(Boolean));
    return element;
  };
  const drawer = one("#drawer");
  const hint = one("#hint");
  const sections = all("section[data-task]");
  const entries = new Map(); // name -> kind
  const names = new Map(); // the number of an entry's parts in the document -> its name
  for (const row of sections.flatMap((section) => all("tr[data-name]", section))) {
    entries.set(row.dataset.name, row.dataset.kind);
    names.set(row.dataset.e, row.dataset.name);
  }
  for (const section of sections) section.removeAttribute("id"); // else a link with a task's name would jump to it

  // State: every choice is in the address, so that a link shows what its sender sees. --------------------------

  const DEFAULTS = { task: sections[0]?.dataset.task ?? "", price: "all", sort: "", variants: "", q: "", kind: "", entry: "", vs: "" };
  let state = { ...DEFAULTS };
  const ELSEWHERE = { sort: "", variants: "", entry: "", vs: "" }; // what another task does not take over
  let hash = location.hash;
  const read = () => {
    const given = new URLSearchParams(hash.slice(1));
    const known = { ...DEFAULTS };
    for (const key of Object.keys(known)) if (given.has(key)) known[key] = given.get(key);
    if (!sections.some((section) => section.dataset.task === known.task)) known.task = DEFAULTS.task;
    if (!entries.has(known.entry)) known.entry = "";
    if (!entries.has(known.vs)) known.vs = "";
    if (!["all", "free"].includes(known.price)) known.price = "all";
    if (known.vs === known.entry) known.vs = "";
    if (!all("#kind option").some((option) => option.value === known.kind)) known.kind = "";
    return known;
  };
  const address = (change) => {
    const parts = Object.entries({ ...state, ...change }).filter(([key, value]) => value !== DEFAULTS[key]);
    return "#" + new URLSearchParams(parts).toString();
  };
  const enter = (change, replace) => {
    hash = address(change);
    try {
      history[replace ? "replaceState" : "pushState"](null, "", hash);
    } catch (error) { // in a frame without an address of its own, the choice is kept all the same
      if (error.name !== "SecurityError") throw error;
    }
  };
  const go = (change, { replace = false } = {}) => {
    enter(change, replace);
    show(read());
  };

  const show = (wanted) => {
    const before = state;
    state = wanted;
    for (const section of sections) section.hidden = section.dataset.task !== state.task;
    for (const link of all("nav a")) {
      if (link.dataset.task === state.task) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
      link.href = address({ ...ELSEWHERE, task: link.dataset.task });
    }
    one("#search").value = state.q;
    one("#kind").value = state.kind;
    one(`input[name=price][value=${state.price}]`).checked = true;
    slide();
    sortTables();
    filter();
    if (state.entry) openDrawer();
    else if (drawer.open) drawer.close();
    if (before.task !== state.task) light(null);
  };

  // The two prices --------------------------------------------------------------------------------------------

  const slide = () => {
    if (root.dataset.price === state.price) return;
    root.dataset.price = state.price;
    for (const mark of all(".marks a[data-x]")) {
      const here = Number(mark.firstElementChild.getAttribute("x"));
      mark.style.transform = state.price === "free" ? `translateX(${Number(mark.dataset.x) - here}px)` : "";
    }
    for (const cell of all("td[data-free]")) {
      cell.dataset.all ??= cell.textContent;
      cell.textContent = cell.dataset[state.price];
    }
  };

  // Tables ----------------------------------------------------------------------------------------------------

  // What a cell is sorted by: of a ratio, on how many instances it is, since one on few of them flatters.
  const number = (cell) => {
    const text = cell.textContent;
    const found = /-?[\d,]*\.?\d+(e[-+]?\d+)?/.exec(text);
    const on = / on (\d+)\/\d+$/.exec(text);
    return [on ? Number(on[1]) : 0, found ? Number(found[0].replaceAll(",", "")) : -Infinity];
  };
  const original = new Map(all("tbody").map((body) => [body, all("tr", body)]));
  const standard = (table) => { // the order without a choice, which also decides between equals
    const rows = original.get(one("tbody", table));
    if (state.price === "all") return rows;
    const place = (row) => Number(row.dataset.f ?? rows.length);
    return [...rows].sort((a, b) => place(a) - place(b));
  };
  const sortTable = (table, asked) => {
    const heads = all("thead th", table);
    const [, digits, letter] = /^(\d+)([ad])$/.exec(asked) ?? [];
    const column = Number(digits ?? -1);
    const way = letter === "d" ? -1 : 1;
    const rows = standard(table);
    heads.forEach((head, place) => {
      if (place === column) head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    if (!(column in heads)) return one("tbody", table).append(...rows);
    const words = heads[column].classList.contains("w");
    const key = (row) => (words ? [row.cells[column].textContent.toLowerCase()] : number(row.cells[column]));
    const keyed = rows.map((row) => [key(row), row]);
    const compare = (a, b) => {
      const n = a.findIndex((value, place) => value !== b[place]);
      return n < 0 ? 0 : a[n] < b[n] ? -way : way;
    };
    one("tbody", table).append(...keyed.sort(([a], [b]) => compare(a, b)).map(([, row]) => row));
  };
  const orders = new Map();
  const sortTables = () => {
    const section = sections.find((each) => each.dataset.task === state.task);
    for (const [kind, asked] of [["scores", state.sort], ["variants", state.variants]]) {
      const table = one(`table.${kind}`, section);
      const wanted = `${asked} ${state.price}`;
      if (!table || (orders.get(table) ?? " all") === wanted) continue; // rows that are moved lose the focus
      orders.set(table, wanted);
      sortTable(table, asked);
    }
  };
  for (const table of all("table")) {
    all("thead th", table).forEach((head, column) => {
      const button = make("button", head.textContent, { type: "button" });
      button.addEventListener("click", () => {
        const current = head.getAttribute("aria-sort");
        const up = current ? current !== "ascending" : head.classList.contains("w") || button.textContent === "rank";
        const sort = table.classList.contains("scores") ? "sort" : "variants";
        go({ [sort]: `${column}${up ? "a" : "d"}` }, { replace: true });
      });
      head.replaceChildren(button);
    });
  }

  const filter = () => {
    const sought = state.q.trim().toLowerCase();
    const fits = (name) =>
      (!sought || name.toLowerCase().includes(sought)) && (!state.kind || entries.get(name) === state.kind);
    const section = sections.find((each) => each.dataset.task === state.task); // the others are not seen
    for (const part of all("[data-e]", section)) {
      const leaves = !fits(names.get(part.dataset.e));
      if (part.localName === "tr") part.hidden = leaves;
      else part.classList.toggle("off", leaves);
    }
  };

  // What belongs together lights up: rows, marks, lines, labels ---------------------------------------------------

  let lit = null;
  const light = (entry) => {
    if (entry === lit) return;
    lit = entry;
    for (const part of all(".on")) part.classList.remove("on");
    root.classList.toggle("lit", entry !== null);
    if (entry === null) return void hint.replaceChildren();
    const section = sections.find((each) => each.dataset.task === state.task);
    for (const part of all(`[data-e="${entry}"]`, section)) part.classList.add("on");
  };
  const say = (part) => {
    if (!part.matches(".marks a")) return hint.replaceChildren();
    const box = part.getBoundingClientRect();
    hint.textContent = part.getAttribute("aria-label");
    hint.style.left = `${Math.max(4, Math.min(scrollX + box.right + 8, scrollX + innerWidth - 330))}px`;
    hint.style.top = `${scrollY + box.top - 8}px`;
  };
  const found = (event) => event.target.closest?.("section [data-e]");
  for (const type of ["pointerover", "focusin"]) {
    document.addEventListener(type, (event) => {
      const part = found(event);
      light(part ? part.dataset.e : null);
      if (part) say(part);
    });
  }
  document.addEventListener("keydown", (event) => event.key === "Escape" && light(null));

  // The drawer ----------------------------------------------------------------------------------------------------

  let details = null;
  const unpacked = async () => {
    if (details) return details;
    if (typeof DecompressionStream === "undefined") return null;
    const bytes = Uint8Array.from(atob(one("#details").textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    details = JSON.parse(await new Response(stream).text());
    return details;
  };
  const plain = (value, digits = 4) =>
    value === null || value === undefined ? "-" : Number(value).toLocaleString("en-US", { maximumSignificantDigits: digits });
  const table = (caption, heads, rows) => {
    const head = make("tr", null, {}, ...heads.map((text, place) => make("th", text, { scope: "col", class: place ? "" : "w" })));
    const lines = rows.map((cells) =>
      make("tr", null, {}, ...cells.map((cell, place) =>
        cell instanceof Node ? make("td", null, { class: "w" }, cell) : make(place ? "td" : "th", cell, place ? {} : { scope: "row" }))));
    const element = make("table", null, {}, make("caption", caption), make("thead", null, {}, head), make("tbody", null, {}, ...lines));
    return make("div", null, { class: "wide", tabindex: "0", role: "region", "aria-label": caption }, element);
  };
  const bars = (parts, label) => {
    const total = parts.reduce((sum, [, size]) => sum + size, 0) || 1;
    const picture = make("svg", null, { class: "bar", viewBox: "0 0 300 16", width: "300", height: "16", role: "img", "aria-label": label });
    let at = 0;
    parts.forEach(([, size, colour], place) => {
      const width = (300 * size) / total;
      picture.append(make("rect", null, { x: at, width, height: 16, class: colour ?? `s${place % 8}`, fill: "currentColor" }));
      at += width;
    });
    return picture;
  };
  const note = (text, x, y, side) => make("text", text, { x, y, class: `tick ${side}` });
  const histogram = (bins, label) => {
    const most = Math.max(...bins.map(([, inputs]) => inputs), 1);
    const [low, high] = [bins[0][0], bins.at(-1)[0]];
    const width = Math.max(14 * (high - low + 1), 48);
    const picture = make("svg", null, { viewBox: `0 0 ${width} 54`, width, height: 54, role: "img", "aria-label": label });
    for (const [power, inputs] of bins) {
      const height = (38 * inputs) / most;
      picture.append(make("rect", null, { x: 14 * (power - low), y: 40 - height, width: 12, height, class: "s0", fill: "currentColor" }));
    }
    picture.append(note(plain(2 ** low, 21), 0, 52, "first"), high > low ? note(plain(2 ** high, 21), width, 52, "last") : "");
    return picture;
  };
  const dots = (values, label) => {
    const picture = make("svg", null, { viewBox: "0 0 200 16", width: "200", height: "16", role: "img", "aria-label": label });
    const [low, high] = [Math.min(...values), Math.max(...values)];
    for (const value of values) {
      picture.append(make("circle", null, { cx: 8 + (184 * (value - low)) / (high - low || 1), cy: 8, r: 4, class: "s0", fill: "currentColor", opacity: ".6" }));
    }
    return picture;
  };
  const heat = (map, label) => {
    const [side, left, below] = [14, 40, 16];
    const [width, height] = [left + side * map.domains.length, side * map.experts.length + below];
    const picture = make("svg", null, { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
    map.shades.forEach((row, y) => {
      picture.append(note(map.experts[y], left - 4, side * y + 11, "last"));
      [...row].forEach((shade, x) => picture.append(make("rect", null, {
        x: left + side * x, y: side * y, width: side - 1, height: side - 1, class: "s0", fill: "currentColor", opacity: 0.06 + 0.104 * shade })));
    });
    const ends = new Set([0, map.domains.length - 1]);
    for (const x of ends) picture.append(note(map.domains[x], left + side * x + 6, height - 4, "x"));
    return picture;
  };
  const PHASES = { router: "s1", dispatch: "s4", experts: "s0", merge: "s2" };
  const work = (variant) => Object.entries(variant.work).flatMap(([phase, kinds]) =>
    Object.entries(kinds).map(([kind, amount]) => [`${phase}: ${kind}`, amount, PHASES[phase] ?? "s3"]));

  const onTask = (told, name, ref) => {
    const of = told.entries[name].tasks[ref];
    const parts = [make("h3", ref)];
    const seeds = `pseudo-value of each seed, whose mean is the score: ${of.seeds.map((value) => plain(value)).join(", ")}`;
    parts.push(make("p", `Score ${of.score}`));
    parts.push(make("p", null, {}, make("span", "Seeds "), dots(of.seeds, seeds), make("span", ` ${seeds}`, { class: "note" })));
    const rows = Object.entries(of.variants).map(([variant, v]) => [
      variant, v.cells, plain(v.p50), plain(v.p95), plain(v.max), plain(v.loaded), plain(v.stored), plain(v.fit, 3),
      v.costs.length ? histogram(v.costs, `inputs by log2 of operations: ${v.costs.map(([p, n]) => `${p}: ${n}`).join(", ")}`) : "-",
    ]);
    const heads = ["variant", "cells", "p50", "p95", "max", "loaded parameters", "stored", "fit, s", "cost per input"];
    parts.push(table("Variants: operations per input, and parameters", heads, rows));
    for (const [variant, v] of Object.entries(of.variants)) {
      const kinds = work(v);
      if (!kinds.length) continue;
      const text = kinds.map(([kind, amount]) => `${kind} ${plain(amount)}`).join(", ");
      parts.push(make("div", null, {}, bars(kinds, `${variant}: ${text}`), make("span", ` ${variant}: ${text}`, { class: "note" })));
      for (const [instance, map] of Object.entries(v.routes)) {
        const label = `${variant} on ${instance}: ${map.experts.length < map.of ? `the ${map.experts.length} busiest of ${map.of} experts` : `all ${map.of} experts`} that are used (down) by ${map.domains.length} domains (across), seed ${map.seed}`;
        parts.push(make("figure", null, {}, heat(map, label), make("figcaption", label)));
      }
    }
    const places = told.tasks.find((task) => task.ref === ref).instances;
    parts.push(table("Area on each instance", ["instance", "area"], places.map((instance, n) => [instance, plain(of.areas[n])])));
    const profiles = told.profiles[ref]?.[name] ?? {};
    parts.push(table("Score by price list", ["price list", "score"], Object.entries(profiles).map(([list, score]) => [`${list}: ${told.counted[list]}`, plain(score)])));
    return parts;
  };
  const chance = (p) => (p === null ? "" : p < 0.001 ? ", Holm-adjusted p below 0.001" : `, Holm-adjusted p ${plain(p, 2)}`);
  const compared = (told, first, second) => {
    const parts = [make("h3", `${first} and ${second}`)];
    for (const { ref, instances } of told.tasks) {
      const [a, b] = [first, second].map((name) => told.entries[name].tasks[ref]);
      if (!a || !b) continue;
      const pair = told.pairs[ref].find(([x, y]) => (x === first && y === second) || (x === second && y === first));
      const verdict = !pair ? "not ranked together" : pair[3] ? `${pair[3]} is ahead${chance(pair[2])}` : `not told apart${chance(pair[2])}`;
      const wins = instances.filter((_, n) => a.areas[n] > b.areas[n]).length;
      const losses = instances.filter((_, n) => a.areas[n] < b.areas[n]).length;
      const ratios = told.qualities.map((quality, q) => {
        const both = instances.map((_, n) => [a.reach[q][n], b.reach[q][n]]).filter(([x, y]) => x !== null && y !== null);
        const mean = both.reduce((sum, [x, y]) => sum + y - x, 0) / (both.length || 1);
        return [`operations of ${second} over those of ${first} at ${quality}`, both.length ? `${plain(2 ** mean, 3)} on ${both.length}/${instances.length}` : "-"];
      });
      parts.push(table(ref, ["what", "which"], [[`score of ${first}`, a.score], [`score of ${second}`, b.score], ["Welch's test", verdict], [`larger area: ${first}`, `${wins}/${instances.length}`], [`larger area: ${second}`, `${losses}/${instances.length}`], ...ratios]));
    }
    if (parts.length === 1) parts.push(make("p", "There is no task that both enter."));
    return parts;
  };
  const openDrawer = async () => {
    const told = await unpacked();
    const name = state.entry;
    if (!name) return;
    const close = make("button", "Close", { type: "button", class: "close" });
    close.addEventListener("click", () => go({ entry: "", vs: "" }));
    const open = (...parts) => {
      drawer.replaceChildren(close, make("h2", name), ...parts.filter(Boolean));
      drawer.setAttribute("aria-label", `About ${name}`);
      if (!drawer.open) { drawer.showModal(); drawer.scrollTop = 0; }
    };
    if (!told) return open(make("p", "This browser cannot unpack what the page holds of an entry (DecompressionStream)."));
    const of = told.entries[name];
    const choice = make("select", null, { id: "versus" }, make("option", "nobody", { value: "" }),
      ...told.order.filter((other) => other !== name).map((other) => make("option", other, { value: other })));
    choice.value = state.vs;
    const beside = make("div");
    const compare = () => beside.replaceChildren(...(state.vs ? compared(told, name, state.vs) : []));
    choice.addEventListener("change", () => { // without building the drawer anew, which would lose the focus
      enter({ vs: choice.value }, true);
      state = read();
      compare();
    });
    compare();
    const made = of.made;
    const audits = Object.entries(made.audits).map(([audit, verdicts]) => [audit, Object.entries(verdicts).map(([verdict, many]) => `${many} ${verdict}`).join(", ")]);
    const facts = [["folder", made.folder.join(", ")], ["harness", made.harness.join(", ")], ["Python", made.python.join(", ")],
      ["packages", Object.entries(made.packages).map(([p, v]) => `${p} ${v}`).join(", ")], ["BLAS", made.blas.join(", ")],
      ["processor", made.processor.join(", ")], ["sandbox", made.sandbox.join(", ")], ["rows", `${made.rows}, ${made.first} to ${made.last}`]];
    const order = [state.task, ...told.tasks.map((task) => task.ref).filter((ref) => ref !== state.task)];
    open(
      make("p", [of.title, of.kind, of.authors.join(", "), of.licence].filter(Boolean).join(" · ")),
      of.reference && make("p", of.reference),
      make("label", "Compare with ", { class: "tool" }, choice),
      beside,
      ...order.filter((ref) => of.tasks[ref]).flatMap((ref) => onTask(told, name, ref)),
      make("h3", of.is_shipped ? "Evaluate it again" : "Check a row: the folder is not the one of that name that is shipped"), make("pre", of.commands.join("\n")),
      table("Audits", ["audit", "verdicts"], audits), table("Made with", ["what", "which"], facts),
      of.readme && make("h3", "README"), of.readme && make("pre", of.readme),
    );
  };
  drawer.addEventListener("cancel", (event) => { event.preventDefault(); go({ entry: "", vs: "" }); });

  // Downloads -----------------------------------------------------------------------------------------------------

  const save = (text, type, name) => {
    const link = make("a", null, { href: URL.createObjectURL(new Blob([text], { type })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const csv = () => {
    const section = sections.find((each) => each.dataset.task === state.task);
    // As for_csv in Python: what a spreadsheet would run begins with an apostrophe, after a semicolon as well.
    const runs = (part) => /^[ "]*[=+\-@\u2212]/.test(part.normalize("NFKC"));
    const inert = (text) => (/^-[\d.]*$/.test(text) ? text : text.split(";").map((part) => (runs(part) ? `'${part}` : part)).join(";"));
    const quoted = (text) => `"${inert(text).replaceAll('"', '""')}"`;
    const lines = all("table.scores tr", section).filter((row) => !row.hidden).map((row) => [...row.cells].map((cell) => quoted(cell.textContent)).join(","));
    save(lines.join("\n") + "\n", "text/csv", `${state.task}.csv`);
  };
  const button = make("button", "this table as CSV", { type: "button" });
  button.addEventListener("click", csv);
  one("#downloads").append(button);

  // Events --------------------------------------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const skip = event.target.closest?.(".skip");
    const mark = event.target.closest?.(".marks a");
    if (skip || mark) { // the address keeps what was chosen
      event.preventDefault();
      const aim = skip ? one("#tasks") : one(mark.getAttribute("href")).closest("tr");
      if (mark) aim.closest("details").open = true;
      aim.tabIndex = -1;
      aim.focus();
      return;
    }
    const opener = event.target.closest?.("[data-open]");
    if (!opener || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    go({ entry: opener.dataset.open });
  });
  for (const link of all("nav a")) link.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    go({ ...ELSEWHERE, task: link.dataset.task });
  });
  for (const radio of all("input[name=price]")) radio.addEventListener("change", () => go({ price: radio.value }));
  one("#search").addEventListener("input", (event) => go({ q: event.target.value }, { replace: true }));
  one("#kind").addEventListener("change", (event) => go({ kind: event.target.value }, { replace: true }));
  const follow = () => {
    hash = location.hash;
    const mark = hash.slice(1);
    const row = /^v\d+-\d+$/.test(mark) ? one(`#${mark}`) : null; // a mark's row, from a link of this page
    show(row ? { ...DEFAULTS, task: row.closest("section").dataset.task } : read());
  };
  addEventListener("popstate", follow);
  if (sections.length) follow();
})();
