// Lines over time, in SVG, with a legend that says the newest values.

const NAMESPACE = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM, RIGHT] = [720, 260, 54, 12, 28, 18];
const SHOWN = 60; // seconds
const COLOURS = 8;

export const shown = (value) => value.toFixed(2).replace("-", "−");

function svg(name, attributes, text) {
  const element = document.createElementNS(NAMESPACE, name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  if (text !== undefined) element.textContent = text;
  return element;
}

function html(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

// A step of 1, 2 or 5 times a power of ten, so that there are about five of them.
function stepOf(length) {
  const power = 10 ** Math.floor(Math.log10(length / 5));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => length / step <= 6);
}

function ticks(from, to) {
  const step = stepOf(to - from);
  const first = Math.ceil(from / step - 1e-9);
  return Array.from({ length: Math.floor(to / step + 1e-9) - first + 1 }, (_, k) => (first + k) * step);
}

export class Chart {
  // `probabilities`: values are in [0, 1], and their legend has meters; else the scale grows with them.
  constructor(element, legend, names, probabilities) {
    this.element = element;
    this.names = names;
    this.probabilities = probabilities;
    this.points = [];
    this.range = probabilities ? [0, 1] : [-1, 1];
    this.end = 10; // seconds of the time axis, at least
    this.cursor = null;
    this.entries = names.map((name, k) => this.entry(name, k));
    legend.replaceChildren(...this.entries.map(({ item }) => item));
    this.draw();
  }

  entry(name, k) {
    const [item, value] = [html("li"), html("span", "value", "–")];
    const line = svg("svg", { viewBox: "0 0 32 12", "aria-hidden": "true" });
    line.append(svg("line", { x1: 0, y1: 6, x2: 32, y2: 6, class: `series s${k % COLOURS}` }));
    item.append(line, html("span", "", name));
    let meter = null;
    if (this.probabilities) {
      meter = html("meter");
      meter.setAttribute("aria-label", name);
      item.append(meter);
    }
    item.append(value);
    return { item, value, meter };
  }

  add(points) {
    this.points.push(...points);
    for (const { values } of points) {
      this.range = [Math.min(this.range[0], ...values), Math.max(this.range[1], ...values)];
    }
    const newest = this.points.at(-1);
    newest?.values.forEach((value, k) => {
      this.entries[k].value.textContent = shown(value);
      if (this.entries[k].meter) this.entries[k].meter.value = value;
    });
    this.draw();
  }

  // Where the sound is now, in seconds.
  at(seconds) {
    this.cursor = seconds;
    this.draw();
  }

  draw() {
    if (this.drawn) return;
    this.drawn = requestAnimationFrame(() => {
      this.drawn = null;
      this.element.replaceChildren(...this.parts());
    });
  }

  parts() {
    const newest = Math.max(this.points.at(-1)?.time ?? 0, this.cursor ?? 0);
    const from = Math.max(0, newest - SHOWN);
    const to = Math.max(Math.min(this.end, from + SHOWN), newest, from + 1);
    const [low, high] = this.range;
    const x = (time) => LEFT + ((time - from) / (to - from)) * (WIDTH - LEFT - RIGHT);
    const y = (value) => TOP + ((high - value) / (high - low)) * (HEIGHT - TOP - BOTTOM);
    const parts = [];
    for (const tick of ticks(low, high)) {
      parts.push(svg("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) }));
      const place = { x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" };
      parts.push(svg("text", place, String(Number(tick.toPrecision(6))).replace("-", "−")));
    }
    for (const tick of ticks(from, to)) {
      parts.push(svg("text", { x: x(tick), y: HEIGHT - 8, "text-anchor": "middle" }, `${Number(tick.toPrecision(6))} s`));
    }
    const visible = this.points.filter(({ time }) => time >= from);
    this.names.forEach((_, k) => {
      const points = visible.map(({ time, values }) => `${x(time).toFixed(1)},${y(values[k]).toFixed(1)}`).join(" ");
      parts.push(svg("polyline", { class: `series s${k % COLOURS}`, points }));
    });
    if (this.cursor !== null) {
      parts.push(svg("line", { class: "cursor", x1: x(this.cursor), x2: x(this.cursor), y1: TOP, y2: HEIGHT - BOTTOM }));
    }
    return parts;
  }

  // Rows of a table: the last values of each half second, and its end.
  rows() {
    const found = new Map();
    for (const { time, values } of this.points) found.set(Math.floor(2 * time + 1e-6) / 2 + 0.5, values);
    return [...found];
  }
}
