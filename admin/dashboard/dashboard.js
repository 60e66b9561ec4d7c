/*
 * dashboard.js - what a run is doing, once a second.
 *
 *     /api/v1/topology (once) --> which boxes there are
 *     /api/v1/explain, ledger, health  --> numbers, levels, the bottleneck, tables
 *
 * Whatever came from a message or a configuration is set as text, never as
 * markup; the page's policy forbids everything else as well.
 */
"use strict";

const INTERVAL_MS = 1000;
const SVG = "http://www.w3.org/2000/svg";
const narrow = window.matchMedia("(max-width: 44rem)");
const state = { topology: null, before: null, isHeld: false };

const byId = (id) => document.getElementById(id);

function element(name, options = {}, ...children) {
  const made = document.createElement(name);
  if (options.className) made.className = options.className;
  if (options.text !== undefined) made.textContent = options.text;
  made.append(...children);
  return made;
}

function drawn(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function count(value) {
  return value === null ? "unknown" : Math.round(value).toLocaleString("en");
}

function span(seconds) {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

function sum(list) {
  return list.reduce((all, value) => all + value, 0);
}

function clockTime(ms) {
  return ms === null ? "" : new Date(ms).toISOString().slice(11, 19);
}

/* 0 to 1: the fullest of its limits. */
function fill(box) {
  const parts = [[box.messages, box.max_messages], [box.batches, box.max_batches],
    [box.bytes, box.max_bytes]];
  return Math.min(1, Math.max(0, ...parts.map(([is, most]) => (most ? is / most : 0))));
}

function rates(ledger, now) {
  const before = state.before;
  const seconds = before ? (now - before.at) / 1000 : 0;
  const rate = (name) => (seconds > 0 ? Math.max(0, (ledger[name] - before.ledger[name]) / seconds) : 0);
  state.before = { ledger, at: now };
  return { received: rate("received"), done: rate("done"), rejected: rate("rejected") };
}

/* ---- the picture ---- */

const sinksOf = (snapshot) => snapshot.workers.filter((one) => one.stage === "sink");

/* Who waits for whom: the rightmost stage before which everything is full. */
function bottleneck(snapshot) {
  const down = sinksOf(snapshot).find((sink) => !sink.is_connected && !sink.is_over);
  if (down) return { key: `sink:${down.batcher}`, why: `the destination of ${down.batcher} is not there` };
  const full = snapshot.mailboxes.filter((box) => box.has_waiting_writers || fill(box) >= 0.9).pop();
  if (!full) return null;
  const key = full.to === "processors" ? "processors" : `${full.to}:${full.batcher}`;
  return { key, why: `${count(full.messages)} messages wait for the ${full.to}${full.batcher ? ` of ${full.batcher}` : ""}` };
}

function levelOf(snapshot, to, batcher) {
  const boxes = snapshot.mailboxes.filter((box) => box.to === to && (!batcher || box.batcher === batcher));
  return Math.max(0, ...boxes.map(fill));
}

function stageBoxes(topology, snapshot, rate) {
  const first = snapshot.producers.find((one) => one.limit);
  const producer = {
    key: "producer", title: `${topology.producer.connector} ×${topology.producer.concurrency}`,
    lines: [`${count(rate.received)} in/s`, first ? `held: ${first.limit}` : "reads"],
    isDown: snapshot.producers.some((one) => !one.is_connected && !one.is_at_end), level: null,
  };
  const workers = snapshot.workers.filter((one) => one.stage === "processors");
  const busy = workers.filter((one) => one.callback).length;
  const processor = {
    key: "processors", title: `${topology.processors.handler} ×${topology.processors.concurrency}`,
    lines: [`${busy} of ${workers.length} busy`,
      `${count(sum(workers.map((one) => one.in_hand)))} in hand`],
    level: levelOf(snapshot, "processors"),
  };
  const ways = topology.batchers.map((batcher) => {
    const now = snapshot.batchers.find((one) => one.name === batcher.name);
    const sinks = sinksOf(snapshot).filter((one) => one.batcher === batcher.name);
    return [
      { key: `batcher:${batcher.name}`, title: batcher.name, level: levelOf(snapshot, "batcher", batcher.name),
        lines: [`${count(now ? now.open_messages : 0)} in ${count(now ? now.open_batches : 0)} open`,
          now && now.is_blocked ? "blocked" : `up to ${count(batcher.batch_size)}`] },
      { key: `sink:${batcher.name}`, title: `${batcher.sink.connector} ×${batcher.sink.concurrency}`,
        isDown: sinks.some((one) => !one.is_connected && !one.is_over),
        level: levelOf(snapshot, "sink", batcher.name),
        lines: [`${count(sum(sinks.map((one) => one.in_hand)))} in hand`,
          `${count(sum(sinks.map((one) => one.retrying)))} retrying`] },
    ];
  });
  return { producer, processor, ways };
}

const WIDTH = 190, HEIGHT = 96, GAP = 56, ROW = 24;

function drawBox(box, x, y, worst) {
  const isWorst = worst && worst.key === box.key;
  const group = drawn("g", { class: [isWorst ? "bottleneck" : "", box.isDown ? "down" : ""].join(" ") });
  group.append(drawn("rect", { class: "box", x, y, width: WIDTH, height: HEIGHT, rx: 8 }));
  const title = box.title.length > 21 ? `${box.title.slice(0, 20)}…` : box.title;
  group.append(drawn("text", { class: "title", x: x + 10, y: y + 22 }, title));
  box.lines.forEach((line, i) => {
    group.append(drawn("text", { class: "faint", x: x + 10, y: y + 43 + 18 * i }, line));
  });
  if (box.level !== null) {
    group.append(drawn("rect", { class: "track", x: x + 10, y: y + HEIGHT - 18, width: WIDTH - 20, height: 8, rx: 4 }));
    group.append(drawn("rect", { class: "level", x: x + 10, y: y + HEIGHT - 18,
      width: Math.round((WIDTH - 20) * box.level), height: 8, rx: 4 }));
  }
  if (isWorst || box.isDown)
    group.append(drawn("text", { class: "mark", x: x + WIDTH - 10, y: y + 43, "text-anchor": "end" },
      box.isDown ? "down" : "bottleneck"));
  return group;
}

function drawEdge(from, to) {
  const path = narrow.matches
    ? `M${from.x + WIDTH / 2} ${from.y + HEIGHT} V${to.y - 12} H${to.x + WIDTH / 2} V${to.y}`
    : `M${from.x + WIDTH} ${from.y + HEIGHT / 2} H${to.x - GAP / 2} V${to.y + HEIGHT / 2} H${to.x}`;
  return drawn("path", { class: "edge", d: path });
}

/* From left to right; where there is no room, from top to bottom. */
function places(ways) {
  const rows = Math.max(1, ways.length);
  if (narrow.matches) {
    const step = HEIGHT + ROW;
    return { first: [{ x: 0, y: 0 }, { x: 0, y: step }],
      way: (i, j) => ({ x: (WIDTH + 10) * j, y: step * (2 + i) }),
      width: 2 * WIDTH + 10, height: step * (2 + ways.length) };
  }
  const middle = ((rows - 1) * (HEIGHT + ROW)) / 2;
  return { first: [{ x: 2, y: middle + 2 }, { x: 2 + WIDTH + GAP, y: middle + 2 }],
    way: (i, j) => ({ x: 2 + (WIDTH + GAP) * (2 + j), y: 2 + i * (HEIGHT + ROW) }),
    width: 4 * WIDTH + 3 * GAP + 4, height: rows * (HEIGHT + ROW) };
}

function showPicture(topology, snapshot, rate) {
  const worst = bottleneck(snapshot);
  const boxes = stageBoxes(topology, snapshot, rate);
  const place = places(boxes.ways);
  const svg = drawn("svg", { viewBox: `-4 -4 ${place.width + 8} ${place.height + 4}`, role: "img" });
  const [source, handler] = place.first;
  const said = [boxes.producer, boxes.processor, ...boxes.ways.flat()]
    .map((box) => `${box.title}: ${box.lines.join(", ")}${box.isDown ? ", down" : ""}`).join("; ");
  svg.setAttribute("aria-label", said);
  svg.append(drawEdge(source, handler));
  boxes.ways.forEach((way, i) => {
    const [batcher, sink] = [place.way(i, 0), place.way(i, 1)];
    svg.append(drawEdge(handler, batcher));
    svg.append(narrow.matches
      ? drawn("path", { class: "edge", d: `M${batcher.x + WIDTH} ${batcher.y + HEIGHT / 2} H${sink.x}` })
      : drawEdge(batcher, sink));
    svg.append(drawBox(way[0], batcher.x, batcher.y, worst), drawBox(way[1], sink.x, sink.y, worst));
  });
  svg.append(drawBox(boxes.producer, source.x, source.y, worst),
    drawBox(boxes.processor, handler.x, handler.y, worst));
  byId("picture").replaceChildren(svg);
  byId("bottleneck").textContent = worst
    ? `Bottleneck: ${worst.why}.`
    : "No bottleneck: nothing waits for a stage that is full.";
}

/* ---- the rest ---- */

function showHealth(health) {
  const badge = byId("state");
  badge.textContent = health.ready ? "ready" : "not ready";
  badge.className = `badge ${health.ready ? "good" : "bad"}`;
  const lines = health.reasons.map((reason) => `${reason.code}: ${reason.text}`);
  const text = lines.join("\n");
  if (byId("health").dataset.text === text) return; /* a screen reader hears changes only */
  byId("health").dataset.text = text;
  byId("health").replaceChildren(lines.length === 0
    ? element("p", { className: "none", text: "Nothing is in the way of messages." })
    : element("ul", {}, ...lines.map((line) => element("li", { text: line }))));
}

function showLedger(ledger, rate) {
  const rows = [["received", `${count(ledger.received)}`], ["done", count(ledger.done)],
    ["rejected", count(ledger.rejected)], ["abandoned", count(ledger.abandoned)],
    ["in flight", count(ledger.in_flight)], ["waiting at the broker", count(ledger.lag)],
    ["in per second", count(rate.received)], ["done per second", count(rate.done)],
    ["rejected per second", count(rate.rejected)]];
  byId("ledger").replaceChildren(...rows.map(([name, value]) => element("div", {},
    element("dt", { text: name }), element("dd", { text: value }))));
}

function table(columns, rows, caption) {
  if (rows.length === 0) return element("p", { className: "none", text: caption });
  const cell = (name) => (text, i) => element(name, { text, className: columns[i][1] });
  const head = element("tr", {}, ...columns.map(([name], i) => cell("th")(name, i)));
  for (const th of head.children) th.scope = "col";
  return element("table", {}, element("thead", {}, head), element("tbody", {},
    ...rows.map((row) => element("tr", {}, ...row.map(cell("td"))))));
}

function place(source, partition) {
  return partition === null ? source : `${source}[${partition}]`;
}

function oldestOf(source) {
  const { oldest } = source;
  if (!oldest) return "nothing is open";
  const why = oldest.why ? `; last error: ${oldest.why}` : "";
  return `${oldest.position === null ? "a message" : oldest.position} in ${oldest.where} for ${span(oldest.there_ms / 1000)}${why}`;
}

function showSources(sources) {
  const columns = [["source", ""], ["lag", "number"], ["open", "number"], ["committed", "number"],
    ["position", "number"], ["reading", ""], ["oldest open message", "text"]];
  const known = (value) => (value === null ? "–" : count(value));
  byId("sources").replaceChildren(table(columns, sources.map((one) => [
    place(one.name, one.partition), known(one.lag), count(one.open), known(one.committed),
    known(one.position), one.hold === null ? "goes on" : `stopped: ${one.hold}`, oldestOf(one)]),
  "There is none yet."));
}

function showFailures(failures) {
  const columns = [["when", ""], ["message", ""], ["stage", ""], ["attempt", "number"],
    ["code", ""], ["reason", "text"]];
  byId("failures").replaceChildren(table(columns, failures.map((one) => [
    clockTime(one.at_ms), `${place(one.name, one.partition)}${one.position === null ? "" : `@${one.position}`}`,
    one.stage, count(one.attempt), one.code, one.reason]), "No message has failed."));
}

/* ---- once a second ---- */

async function ask(path) {
  const answer = await fetch(path, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

async function look() {
  if (!state.topology) state.topology = await ask("api/v1/topology");
  const [snapshot, ledger, health] = await Promise.all(
    ["api/v1/explain", "api/v1/ledger", "api/v1/health"].map(ask));
  const rate = rates(ledger, Date.now());
  byId("name").textContent = snapshot.pipeline;
  document.title = `${health.ready ? "" : "! "}${snapshot.pipeline} – weir`;
  byId("when").textContent = `as of ${clockTime(snapshot.at_ms)} UTC`;
  showHealth(health);
  showPicture(state.topology, snapshot, rate);
  showLedger(ledger, rate);
  showSources(snapshot.sources);
  showFailures(snapshot.failures);
  document.body.dataset.looks = String(Number(document.body.dataset.looks || 0) + 1);
}

function showLost(error) {
  const badge = byId("state");
  badge.textContent = "no answer";
  badge.className = "badge bad";
  byId("when").textContent = error.message;
  state.topology = null; /* another run may answer next */
  state.before = null;
}

async function goOn() {
  if (!state.isHeld && !document.hidden) await look().catch(showLost);
  setTimeout(goOn, INTERVAL_MS);
}

byId("hold").addEventListener("click", () => {
  state.isHeld = !state.isHeld;
  byId("hold").setAttribute("aria-pressed", String(state.isHeld));
});
goOn();
