// Paper to draw on, and what the model says of it.

import { ask, newestOnly, told, whenThere } from "./look.js";

const PEN = 20;
const STEP = 7;

class Drawing {
  constructor(root) {
    this.root = root;
    this.paper = root.querySelector("#paper");
    this.pen = { at: [140, 140], down: false };
    [this.channels, this.height, this.width] = JSON.parse(root.dataset.shape);
    this.context = this.paper.getContext("2d", { willReadFrequently: true });
    this.judges = newestOnly(() => this.judge());
    this.clear();
    this.listens();
  }

  clear() {
    this.context.fillStyle = "#000000";
    this.context.fillRect(0, 0, this.paper.width, this.paper.height);
    this.empty = true;
  }

  line(from, to) {
    Object.assign(this.context, { strokeStyle: "#ffffff", lineWidth: PEN, lineCap: "round", lineJoin: "round" });
    this.context.beginPath();
    this.context.moveTo(...from);
    this.context.lineTo(to[0] + 0.01, to[1]);
    this.context.stroke();
    this.empty = false;
    this.judges();
  }

  listens() {
    const { paper, pen } = this;
    const at = (event) => {
      const box = paper.getBoundingClientRect();
      return [((event.clientX - box.left) * paper.width) / box.width, ((event.clientY - box.top) * paper.height) / box.height];
    };
    paper.addEventListener("pointerdown", (event) => {
      paper.setPointerCapture(event.pointerId);
      pen.at = at(event);
      this.line(pen.at, pen.at);
    });
    paper.addEventListener("pointermove", (event) => {
      if (!paper.hasPointerCapture(event.pointerId)) return;
      const to = at(event);
      this.line(pen.at, to);
      pen.at = to;
    });
    paper.addEventListener("keydown", (event) => this.key(event));
    this.root.querySelector("#clear").addEventListener("click", () => {
      this.clear();
      this.root.querySelector("#verdict").innerHTML = '<p class="hint">Nothing is drawn yet.</p>';
      this.root.querySelector("#reconstruction").removeAttribute("src");
      this.root.querySelector("#sent").getContext("2d").clearRect(0, 0, this.width, this.height);
    });
    this.root.querySelector("#file").addEventListener("change", (event) => this.load(event.target.files[0]));
    for (const field of this.root.querySelectorAll("#centred, [data-condition]")) {
      field.addEventListener("change", () => this.empty || this.judges());
    }
  }

  key(event) {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const { pen } = this;
    if (event.key === " ") {
      pen.down = !pen.down;
      if (pen.down) this.line(pen.at, pen.at);
    } else if (ways[event.key]) {
      const to = pen.at.map((value, k) => Math.min(280, Math.max(0, value + STEP * ways[event.key][k])));
      if (pen.down) this.line(pen.at, to);
      pen.at = to;
    } else return;
    event.preventDefault();
  }

  async load(file) {
    if (!file) return;
    const picture = await createImageBitmap(file).catch(() => null);
    if (!picture) return;
    this.clear();
    const scale = Math.min(this.paper.width / picture.width, this.paper.height / picture.height);
    const [width, height] = [picture.width * scale, picture.height * scale];
    this.context.drawImage(picture, (this.paper.width - width) / 2, (this.paper.height - height) / 2, width, height);
    this.root.querySelector("#centred").checked = false;
    this.empty = false;
    this.judges();
  }

  // The paper in the size of the model's images; what was drawn is centred as data like MNIST is:
  // its box within 20/28 of the side, its centre of mass in the middle.
  shown() {
    const small = this.root.querySelector("#sent");
    const context = small.getContext("2d", { willReadFrequently: true });
    Object.assign(context, { fillStyle: "#000000", imageSmoothingEnabled: true, imageSmoothingQuality: "high" });
    context.fillRect(0, 0, this.width, this.height);
    const box = this.root.querySelector("#centred").checked ? this.ink() : null;
    if (!box) {
      context.drawImage(this.paper, 0, 0, this.width, this.height);
    } else {
      const scale = (20 / 28) * Math.min(this.width / box.width, this.height / box.height);
      const left = this.width / 2 - (box.centre[0] - box.left) * scale;
      const top = this.height / 2 - (box.centre[1] - box.top) * scale;
      context.drawImage(this.paper, box.left, box.top, box.width, box.height, left, top, box.width * scale, box.height * scale);
    }
    return context.getImageData(0, 0, this.width, this.height).data;
  }

  // Where something is drawn: its box, and its centre of mass.
  ink() {
    const side = this.paper.width;
    const { data } = this.context.getImageData(0, 0, side, this.paper.height);
    let [left, top, right, bottom, mass, mx, my] = [side, side, -1, -1, 0, 0, 0];
    for (let i = 0; i < data.length; i += 4) {
      if (!data[i]) continue;
      const [x, y] = [(i / 4) % side, Math.floor(i / 4 / side)];
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
      [mass, mx, my] = [mass + data[i], mx + data[i] * x, my + data[i] * y];
    }
    if (!mass) return null;
    const larger = Math.max(right - left, bottom - top) + 1;
    return { left, top, width: Math.max(right - left + 1, larger / 4), height: Math.max(bottom - top + 1, larger / 4), centre: [mx / mass, my / mass] };
  }

  // Raw values: channels, then rows, then columns.
  values() {
    const data = this.shown();
    const [low, high] = [Number(this.root.dataset.low), Number(this.root.dataset.high)];
    const raw = (channel) => (_, i) => {
      const [r, g, b] = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
      const level = this.channels === 1 ? 0.299 * r + 0.587 * g + 0.114 * b : [r, g, b][channel % 3];
      const value = low + ((high - low) * level) / 255;
      return this.root.dataset.whole ? Math.round(value) : value;
    };
    const rows = (flat) => Array.from({ length: this.height }, (_, y) => flat.slice(y * this.width, (y + 1) * this.width));
    return Array.from({ length: this.channels }, (_, channel) => rows(Array.from({ length: this.width * this.height }, raw(channel))));
  }

  async judge() {
    const body = { x: this.values(), condition: told(this.root) };
    const response = await ask(`/look/pages/${this.root.dataset.name}/judge`, body);
    const found = await response?.json();
    if (!found || this.empty) return; // it may have been cleared meanwhile
    this.root.querySelector("#reconstruction").src = found.reconstruction;
    this.root.querySelector("#verdict").replaceChildren(...verdict(found));
  }
}

function verdict({ scores, unusual, split, examples }) {
  const said = document.createElement("p");
  const strong = document.createElement("strong");
  strong.textContent = unusual.length ? "Unusual." : "Not unusual.";
  strong.className = unusual.length ? "bad" : "good";
  const held = `${examples.toLocaleString("en")} held-out examples (${split})`;
  const which = unusual.length
    ? ` Of ${held}, fewer than one in a hundred has such a ${unusual.join(" or such a ")}.`
    : ` None of its scores is rarer than one in a hundred among ${held}.`;
  said.append(strong, which);
  const table = document.createElement("table");
  table.createCaption().textContent = "Scores; how many held-out examples lie below";
  const head = table.createTHead().insertRow();
  for (const title of ["Score", "Value", "Below"]) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = title;
    head.append(cell);
  }
  const body = table.createTBody();
  for (const { name, value, unit, level } of scores) {
    const row = body.insertRow();
    const first = document.createElement("th");
    first.scope = "row";
    first.textContent = name;
    row.append(first);
    row.insertCell().textContent = value === null ? "no number" : `${value.toPrecision(4)} ${unit}`;
    row.insertCell().textContent = level === null ? "–" : `${(100 * level).toFixed(1)} %`;
  }
  const box = document.createElement("div");
  box.className = "scroll";
  box.append(table);
  return [said, box];
}

whenThere("draw", (root) => new Drawing(root));
