// The latent space: a plane to drag a point in, a slider for each dimension, a way between examples.

import { ask, newestOnly, told, whenThere } from "./look.js";

const COLOURS = ["#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#edc948", "#b07aa1", "#ff9da7", "#9c755f", "#7f7f7f"];
const FEW = 12;

class Explorer {
  constructor(root, map) {
    this.root = root;
    this.map = map;
    this.canvas = root.querySelector("#map");
    this.image = root.querySelector("#decoded");
    this.z = [...map.start];
    this.view = square(map);
    this.shows = newestOnly((z) => this.decode(z));
    this.caption();
    this.drags();
    this.dimensions();
    this.walks();
    root.querySelector("#home").addEventListener("click", () => this.go([...map.mean]));
    for (const field of root.querySelectorAll("#told [data-condition]")) {
      field.addEventListener("change", () => this.go(this.z));
    }
    this.go(this.z);
  }

  // Everything that moves the point ends here.
  go(z) {
    this.z = z;
    this.paint();
    for (const slider of this.sliders ?? []) {
      slider.value = z[slider.dataset.dimension];
      slider.nextElementSibling.textContent = z[slider.dataset.dimension].toFixed(2);
    }
    this.shows(z);
  }

  async decode(z) {
    const body = { z, condition: told(this.root) };
    const response = await ask(`/look/pages/${this.root.dataset.name}/decode`, body);
    if (!response) return;
    const old = this.image.src;
    this.image.src = URL.createObjectURL(await response.blob());
    if (old) URL.revokeObjectURL(old);
    await this.image.decode().catch(() => {});
  }

  caption() {
    const { points, share, latent_dim: size } = this.map;
    const plane = size <= 2 ? "Held-out codes" : `Held-out codes in the plane of their two largest principal components (${Math.round(100 * share)} % of their variance)`;
    const colours = this.map.labels.length ? "; colours are classes" : "";
    const what = points.length ? `${plane}${colours}` : "The artifact holds no examples: the cross is the mean of held-out codes";
    this.root.querySelector("#map-caption").textContent = `${what}. Drag the ring, or use the arrow keys.`;
    const classes = [...new Set(this.map.labels)].sort((a, b) => a - b);
    this.root.querySelector("#classes").replaceChildren(...classes.slice(0, 20).map(legend));
  }

  // -- the plane -------------------------------------------------------------------------------

  inPlane(z) {
    const { origin, axes } = this.map;
    return axes.map((axis) => axis.reduce((sum, a, i) => sum + a * (z[i] - origin[i]), 0));
  }

  // The point moved in the plane; what it has outside of it stays.
  moved(z, to) {
    const here = this.inPlane(z);
    return z.map((value, i) => value + this.map.axes.reduce((sum, axis, k) => sum + axis[i] * (to[k] - here[k]), 0));
  }

  toPixel([a, b]) {
    const { low, size } = this.view;
    const side = this.canvas.width;
    return [((a - low[0]) / size) * side, side - ((b - low[1]) / size) * side];
  }

  toPlane(event) {
    const box = this.canvas.getBoundingClientRect();
    const { low, size } = this.view;
    return [low[0] + (size * (event.clientX - box.left)) / box.width, low[1] + size * (1 - (event.clientY - box.top) / box.height)];
  }

  paint() {
    const context = this.canvas.getContext("2d");
    const side = this.canvas.width;
    context.clearRect(0, 0, side, side);
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, side, side);
    this.map.points.forEach((point, i) => {
      const [x, y] = this.toPixel(point);
      context.fillStyle = this.map.labels.length ? COLOURS[this.map.labels[i] % COLOURS.length] : "#4e79a7";
      context.globalAlpha = 0.75;
      context.beginPath();
      context.arc(x, y, 4.5, 0, 2 * Math.PI);
      context.fill();
    });
    context.globalAlpha = 1;
    const at = this.inPlane(this.z);
    const [x, y] = this.toPixel(at);
    for (const [width, colour] of [[8, "#ffffff"], [3.5, "#111111"]]) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.beginPath();
      context.arc(x, y, 13, 0, 2 * Math.PI);
      context.stroke();
    }
    this.root.querySelector("#place").textContent = `(${at.map((v) => v.toFixed(2)).join(", ")})`;
  }

  drags() {
    const to = (event) => this.go(this.moved(this.z, this.toPlane(event)));
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      to(event);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (this.canvas.hasPointerCapture(event.pointerId)) to(event);
    });
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    this.canvas.addEventListener("keydown", (event) => {
      const way = ways[event.key];
      if (!way) return;
      event.preventDefault();
      const step = (this.view.size / 100) * (event.shiftKey ? 5 : 1);
      const here = this.inPlane(this.z);
      this.go(this.moved(this.z, here.map((value, k) => value + step * way[k])));
    });
  }

  // -- dimensions ------------------------------------------------------------------------------

  dimensions() {
    const { std } = this.map;
    const order = [...std.keys()].sort((a, b) => std[b] - std[a]);
    const box = this.root.querySelector("#sliders");
    const more = this.root.querySelector("#more");
    const show = (dimensions) => {
      box.replaceChildren(...dimensions.map((dimension) => this.slider(dimension)));
      this.sliders = [...box.querySelectorAll("input")];
    };
    show(order.slice(0, FEW));
    more.hidden = order.length <= FEW;
    more.textContent = `Show all ${order.length}`;
    more.addEventListener("click", () => {
      show(order);
      more.hidden = true;
      this.go(this.z);
    });
  }

  slider(dimension) {
    const { mean, std } = this.map;
    const reach = 3 * Math.max(std[dimension], 0.1);
    const label = document.createElement("label");
    const name = document.createElement("span");
    const input = document.createElement("input");
    name.textContent = `z${dimension}`;
    Object.assign(input, { type: "range", step: "any", min: mean[dimension] - reach, max: mean[dimension] + reach });
    input.dataset.dimension = dimension;
    input.addEventListener("input", () => {
      const z = [...this.z];
      z[dimension] = Number(input.value);
      this.go(z);
    });
    label.append(name, input, document.createElement("output"));
    return label;
  }

  // -- between two examples --------------------------------------------------------------------

  walks() {
    const { examples } = this.map;
    if (examples.length < 2) return;
    this.root.querySelector("#between").hidden = false;
    const way = this.root.querySelector("#way");
    const go = () => {
      const [a, b] = ["from", "to"].map((end) => examples[this.root.querySelector(`#${end} input:checked`).value].code);
      const t = Number(way.value);
      this.go(a.map((value, i) => (1 - t) * value + t * b[i]));
    };
    ["from", "to"].forEach((end, number) => {
      const box = this.root.querySelector(`#${end}`);
      examples.forEach((example, i) => box.append(choice(end, i, example, i === number)));
      box.addEventListener("change", () => {
        way.value = number;
        go();
      });
    });
    way.addEventListener("input", go);
  }
}

function choice(end, value, example, checked) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  const image = document.createElement("img");
  Object.assign(input, { type: "radio", name: end, value, checked });
  const known = example.label === null ? "" : `, class ${example.label}`;
  Object.assign(image, { src: example.image, alt: `Example ${value + 1}${known}` });
  label.append(input, image);
  return label;
}

function legend(label) {
  const item = document.createElement("li");
  const dot = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  dot.setAttribute("viewBox", "0 0 10 10");
  const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  for (const [name, value] of Object.entries({ cx: 5, cy: 5, r: 5, fill: COLOURS[label % COLOURS.length] })) circle.setAttribute(name, value);
  dot.append(circle);
  item.append(dot, String(label));
  return item;
}

// A square that holds all points, with a margin; three standard deviations where there are none.
function square({ points, std }) {
  const reach = 3 * Math.max(...std, 0.5);
  const seen = points.length ? points : [[-reach, -reach], [reach, reach]];
  const ends = [0, 1].map((k) => seen.map((p) => p[k])).map((v) => [Math.min(...v), Math.max(...v)]);
  const size = 1.15 * Math.max(...ends.map(([a, b]) => b - a), 1e-6);
  return { low: ends.map(([a, b]) => (a + b - size) / 2), size };
}

whenThere("explore", async (root) => {
  const response = await ask(`/look/pages/${root.dataset.name}/map`);
  if (response) new Explorer(root, await response.json());
});
