"use strict";
// Predictions over time, to zoom and to move in: one chart per run, with a picker of its recordings.
(() => {
  const HEIGHT = 300, LEFT = 48, RIGHT = 10, TOP = 10, BOTTOM = 40, LEAST_FRAMES = 10;

  const make = (name, attributes, parent, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  };

  const decoded = (text, gaps, low, high) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    const values = Float32Array.from({length: bytes.length / 2}, (_, k) => low + (high - low) * view.getUint16(2 * k, true) / 65535);
    for (const [first, end] of gaps) values.fill(NaN, first, end);
    return values;
  };

  const ticks = (low, high, number) => {
    const rough = (high - low) / number || 1, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((k) => k * power).find((value) => value >= rough);
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) found.push([k * step, (k * step).toFixed(digits)]);
    return found;
  };

  class Viewer {
    constructor(root) {
      this.root = root;
      this.data = JSON.parse(document.getElementById(root.dataset.series).textContent);
      this.svg = root.querySelector("svg");
      this.picker = root.querySelector("select");
      this.hidden = new Set();
      this.pointers = new Map();
      root.hidden = false;
      this.fillPicker();
      this.listen();
      this.choose(0);
    }

    fillPicker() {
      const groups = new Map();
      this.data.recordings.forEach((recording, k) => {
        if (!groups.has(recording.partition)) {
          const group = document.createElement("optgroup");
          group.label = recording.partition;
          groups.set(recording.partition, group);
          this.picker.append(group);
        }
        groups.get(recording.partition).append(new Option(recording.id, String(k)));
      });
    }

    listen() {
      this.picker.addEventListener("change", () => this.choose(Number(this.picker.value)));
      for (const button of this.root.querySelectorAll("button")) {
        button.addEventListener("click", () => this.act(button.dataset.do));
      }
      for (const box of this.root.querySelectorAll("input")) {
        box.addEventListener("change", () => {
          box.checked ? this.hidden.delete(box.value) : this.hidden.add(box.value);
          this.draw();
        });
      }
      const keys = {ArrowLeft: "left", ArrowRight: "right", "+": "in", "=": "in", "-": "out", 0: "all", Home: "all"};
      this.svg.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
        event.preventDefault();
        this.act(keys[event.key]);
      });
      this.svg.addEventListener("wheel", (event) => {
        // A page scrolls under the wheel until its reader has clicked the chart, or holds Ctrl.
        if (document.activeElement !== this.svg && !event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.timeAt(event.clientX));
      }, {passive: false});
      this.svg.addEventListener("pointerdown", (event) => {
        this.svg.setPointerCapture(event.pointerId);
        this.pointers.set(event.pointerId, event.clientX);
      });
      this.svg.addEventListener("pointermove", (event) => this.move(event));
      for (const kind of ["pointerup", "pointercancel"]) {
        this.svg.addEventListener(kind, (event) => this.pointers.delete(event.pointerId));
      }
      this.svg.addEventListener("pointerleave", () => this.point(null));
      new ResizeObserver(() => this.draw()).observe(this.svg);
    }

    choose(k) {
      const recording = this.data.recordings[k];
      const {low, high} = this.data;
      this.series = this.data.series.filter(({key}) => key in recording.values).map(({key, legend}) =>
        ({key, legend, values: decoded(recording.values[key], recording.gaps[key] ?? [], low, high)}));
      this.frames = this.series[0].values.length;
      this.first = recording.start;
      this.step = recording.step;
      this.last = this.first + (this.frames - 1) * this.step;
      this.show(this.first, this.last);
    }

    act(what) {
      const span = this.to - this.from, middle = (this.from + this.to) / 2;
      if (what === "in") this.zoom(0.5, middle);
      else if (what === "out") this.zoom(2, middle);
      else if (what === "left") this.show(this.from - span / 2, this.to - span / 2);
      else if (what === "right") this.show(this.from + span / 2, this.to + span / 2);
      else this.show(this.first, this.last);
    }

    zoom(factor, about) {
      this.show(about - (about - this.from) * factor, about + (this.to - about) * factor);
    }

    show(from, to) {
      const all = this.last - this.first || this.step, least = Math.min(all, LEAST_FRAMES * this.step);
      const span = Math.min(all, Math.max(least, to - from));
      const start = (from + to - span) / 2;
      this.from = Math.min(Math.max(start, this.first), this.first + all - span);
      this.to = this.from + span;
      this.root.querySelector(".range").textContent =
        `${this.from.toFixed(1)} to ${this.to.toFixed(1)} s of ${this.first.toFixed(1)} to ${this.last.toFixed(1)} s`;
      this.draw();
    }

    timeAt(clientX) {
      const box = this.svg.getBoundingClientRect();
      const x = (clientX - box.left) * this.width / box.width - LEFT;
      return this.from + (this.to - this.from) * x / this.inner;
    }

    move(event) {
      if (!this.pointers.has(event.pointerId)) return this.point(this.timeAt(event.clientX));
      const before = this.pointers.get(event.pointerId);
      const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, x]) => x);
      this.pointers.set(event.pointerId, event.clientX);
      if (others.length === 0) {
        const by = this.timeAt(before) - this.timeAt(event.clientX);
        this.show(this.from + by, this.to + by);
      } else if (Math.abs(event.clientX - others[0]) > 1) {
        this.zoom(Math.abs(before - others[0]) / Math.abs(event.clientX - others[0]), this.timeAt((event.clientX + others[0]) / 2));
      }
    }

    point(time) {
      const output = this.root.querySelector(".values");
      const k = Math.round((time - this.first) / this.step);
      const inside = time !== null && time >= this.from && time <= this.to && k >= 0 && k < this.frames;
      const at = inside ? this.x(this.first + k * this.step) : -10;
      this.cursor.setAttribute("x1", at);
      this.cursor.setAttribute("x2", at);
      output.textContent = inside ? `${(this.first + k * this.step).toFixed(2)} s: ` +
        this.series.map(({legend, values}) => `${legend} ${Number.isNaN(values[k]) ? "none" : values[k].toFixed(3)}`).join(", ") : "";
    }

    x(time) { return LEFT + this.inner * (time - this.from) / (this.to - this.from); }

    draw() {
      this.width = Math.max(280, Math.round(this.svg.getBoundingClientRect().width));
      this.inner = this.width - LEFT - RIGHT;
      const inner = HEIGHT - TOP - BOTTOM, pad = (this.data.high - this.data.low || 1) * 0.04;
      const low = this.data.low - pad, high = this.data.high + pad;
      const y = (value) => TOP + inner * (high - value) / (high - low);
      this.svg.replaceChildren();
      this.svg.setAttribute("viewBox", `0 0 ${this.width} ${HEIGHT}`);
      for (const [value, text] of ticks(low, high, 5)) {
        make("line", {class: "axis", x1: LEFT, x2: this.width - RIGHT, y1: y(value), y2: y(value)}, this.svg);
        make("text", {x: LEFT - 6, y: y(value) + 4, "text-anchor": "end"}, this.svg, text);
      }
      for (const [time, text] of ticks(this.from, this.to, Math.max(2, this.inner / 110))) {
        make("line", {class: "axis", x1: this.x(time), x2: this.x(time), y1: TOP, y2: TOP + inner}, this.svg);
        make("text", {x: this.x(time), y: TOP + inner + 16, "text-anchor": "middle"}, this.svg, text);
      }
      make("text", {x: LEFT + this.inner / 2, y: HEIGHT - 6, "text-anchor": "middle"}, this.svg, "time in s");
      make("text", {transform: `translate(11 ${TOP + inner / 2}) rotate(-90)`, "text-anchor": "middle"}, this.svg, this.data.label);
      const plot = make("svg", {x: LEFT, y: TOP, width: this.inner, height: inner, viewBox: `${LEFT} ${TOP} ${this.inner} ${inner}`}, this.svg);
      for (const {key, values} of this.series) {
        if (!this.hidden.has(key)) make("path", {d: this.line(values, y), "data-key": key, style: `stroke: var(--${key})`}, plot);
      }
      this.cursor = make("line", {class: "cursor", x1: -10, x2: -10, y1: TOP, y2: TOP + inner}, plot);
    }

    // All frames, or the smallest and the largest value of each pixel's frames: nothing is averaged away. Where there is
    // no value the line ends, and another one begins after it; a value alone is a dot.
    line(values, y) {
      const first = Math.max(0, Math.floor((this.from - this.first) / this.step));
      const last = Math.min(this.frames - 1, Math.ceil((this.to - this.first) / this.step));
      const lines = [[]], each = Math.max(1, (last - first + 1) / this.inner);
      const add = (k) => {
        if (Number.isNaN(values[k])) lines.push([]);
        else lines.at(-1).push(`${this.x(this.first + k * this.step).toFixed(1)} ${y(values[k]).toFixed(1)}`);
      };
      if (each <= 2) {
        for (let k = first; k <= last; k++) add(k);
      } else {
        for (let block = first; block <= last; block += each) {
          const start = Math.round(block), end = Math.min(last + 1, Math.round(block + each));
          let least = start, most = start;
          for (let k = start; k < end; k++) {
            if (values[k] < values[least] || Number.isNaN(values[least])) least = k;
            if (values[k] > values[most] || Number.isNaN(values[most])) most = k;
          }
          if (start >= end) continue;
          add(Math.min(least, most));
          if (least !== most) add(Math.max(least, most));
        }
      }
      const drawn = lines.filter((points) => points.length);
      return drawn.map((points) => `M${points.join("L")}${points.length === 1 ? "h0" : ""}`).join("");
    }
  }

  for (const root of document.querySelectorAll(".viewer")) new Viewer(root);
})();
