const DRAWN = 3; // device pixels for each value of the large pictures: lines stay thin

const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};
const bytes = (text, type) => new type(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const POSITIVE = rgb(FORWARD);
const NEGATIVE = rgb(NEUTRAL);
const number = (v) => (v < 0 ? "−" : "") + Math.abs(v).toPrecision(4);
const times = (shape) => shape.join(" × ");

// Values become the hue of their sign, the stronger the larger; none is the page's own ground.
const paint = (canvas, values, height, width, most = STEPS) => {
  if (canvas.height !== height) canvas.height = height;
  if (canvas.width !== width) canvas.width = width;
  const pixels = new ImageData(width, height);
  values.forEach((v, i) => {
    const [r, g, b] = v < 0 ? NEGATIVE : POSITIVE;
    pixels.data.set([r, g, b, (255 * Math.abs(v)) / most], 4 * i);
  });
  canvas.getContext("2d").putImageData(pixels, 0, 0);
};

const legend = (most, isSigned) =>
  element(
    "span",
    { className: "legend" },
    isSigned ? number(-most) : "0",
    element("i", { className: isSigned ? "signed" : "" }),
    number(most),
  );

export default function ({ data, parentElement }) {
  const box = parentElement.querySelector(".maps");
  const [focus, list] = box.children;
  const image = bytes(data.image, Uint8Array);
  const isSigned = (layer) => layer.kernel[1] === 1; // the 1×1 convolution has no ReLU

  // The grids are built once for a network, then only painted anew.
  const plan = data.layers.map((layer) => `${layer.name} ${layer.shape}`).join();
  if (box.plan !== plan) {
    box.plan = plan;
    box.chosen = [0, 0];
    list.replaceChildren(
      ...data.layers.map((layer, l) => {
        const [count, height, width] = layer.shape;
        const grid = element("div", { className: "grid", role: "group" });
        grid.setAttribute("aria-label", `Feature maps of ${layer.name}`);
        for (let m = 0; m < count; m += 1) {
          const map = element("button", { type: "button" }, element("canvas"));
          const pick = () => box.pick(l, m);
          map.addEventListener("pointerenter", pick);
          map.addEventListener("focus", pick);
          map.addEventListener("click", pick);
          if (isSigned(layer)) map.append(element("small", { textContent: m }));
          grid.append(map);
        }
        const title = element("h4", {}, layer.name);
        const words = `${count} maps of ${height} × ${width}; receptive field ${layer.field} × ${layer.field} pixels`;
        return element("section", {}, title, element("p", {}, words, element("span")), grid);
      }),
    );
  }

  data.layers.forEach((layer, l) => {
    const [count, height, width] = layer.shape;
    const values = bytes(layer.maps, Int8Array);
    const section = list.children[l];
    section.querySelector("p span").replaceWith(legend(layer.scale, isSigned(layer)));
    for (let m = 0; m < count; m += 1) {
      const map = section.querySelector(".grid").children[m];
      paint(map.firstChild, values.subarray(m * height * width, (m + 1) * height * width), height, width);
      map.setAttribute("aria-label", `${name(layer, m)}, strongest ${number(layer.peaks[m].value)}`);
    }
  });

  function name(layer, m) {
    return isSigned(layer) ? `Score of ${m}, ${layer.name}` : `Map ${m + 1} of ${layer.shape[0]}, ${layer.name}`;
  }

  // What the chosen map comes from: the patch of the image, and the weights.
  box.pick = (l, m) => {
    const [oldLayer, oldMap] = box.chosen;
    const button = (a, b) => list.children[a]?.querySelector(".grid").children[b];
    button(oldLayer, oldMap)?.removeAttribute("aria-current");
    button(l, m).setAttribute("aria-current", "true");
    box.chosen = [l, m];
    const layer = data.layers[l];
    const { spot, value, patch } = layer.peaks[m];
    const [top, left, bottom, right] = patch;

    const whole = element("canvas", { className: "whole" });
    const side = 28;
    const large = new Uint8Array((side * DRAWN) ** 2);
    for (let y = 0; y < side * DRAWN; y += 1) {
      for (let x = 0; x < side * DRAWN; x += 1) {
        large[y * side * DRAWN + x] = image[Math.floor(y / DRAWN) * side + Math.floor(x / DRAWN)];
      }
    }
    paint(whole, large, side * DRAWN, side * DRAWN, 255);
    const pen = whole.getContext("2d");
    pen.strokeStyle = getComputedStyle(box).color;
    pen.strokeRect(left * DRAWN + 0.5, top * DRAWN + 0.5, (right - left) * DRAWN - 1, (bottom - top) * DRAWN - 1);

    const cut = [];
    for (let y = top; y < bottom; y += 1) cut.push(...image.subarray(y * side + left, y * side + right));
    const part = element("canvas", { className: "part" });
    paint(part, cut, bottom - top, right - left, 255);

    const [inputs, k] = layer.kernel;
    const weights = bytes(layer.kernels, Int8Array).subarray(m * inputs * k * k);
    const kernels = element("div", { className: inputs > 1 ? "kernels" : "kernels single" });
    for (let i = 0; i < inputs; i += 1) {
      const kernel = element("canvas");
      paint(kernel, weights.subarray(i * k * k, (i + 1) * k * k), k, k);
      kernels.append(kernel);
    }
    kernels.setAttribute("role", "img");
    kernels.setAttribute("aria-label", `${inputs} kernels of ${k} × ${k} weights`);
    const before = l ? `one square for each of the ${inputs} maps before` : "laid over the image";
    focus.replaceChildren(
      element("h4", {}, name(layer, m)),
      element(
        "div",
        { className: "origin" },
        element("figure", {}, whole, element("figcaption", {}, "the image")),
        element("figure", {}, part, element("figcaption", {}, `receptive field: ${right - left} × ${bottom - top}`)),
      ),
      element(
        "p",
        {},
        value > 0 || isSigned(layer)
          ? `Strongest at row ${spot[0]}, column ${spot[1]}: ${number(value)}. It comes from the framed pixels.`
          : "This feature map is zero everywhere.",
      ),
      element("p", {}, `Its weights, ${times(layer.kernel)}, ${before}; bias ${number(layer.bias[m])}.`, legend(layer.weight, true)),
      kernels,
    );
  };
  box.pick(...box.chosen);
}
