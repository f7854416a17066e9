// A canvas to draw a digit on. The strokes live here, in the browser: drawn, taken back and kept in
// the tab's own storage. The server is sent the picture of them after each change and draws nothing
// itself, so however late it answers, it can neither bring back a stroke nor lose one.
//
//   storage ──> strokes <── pen, Undo, Clear
//                  ├──> canvas, buttons
//                  ├──> storage
//                  └──> picture ──> server: the answer
const STORED = "sketch.strokes";
const MOST = 1_000_000; // characters of stored strokes: minutes of scribbling
const FAR = 10_000; // px from the canvas that a held pen may stray
const STEP = 0.5; // px: a shorter one shows nothing
const SHARP = 2; // pixels of the screen's canvas to a pixel of the picture, for fine screens

const isPoint = (point) =>
  Array.isArray(point) && point.length === 2 && point.every((v) => Number.isFinite(v) && Math.abs(v) < FAR);
const isStroke = (stroke) =>
  stroke?.width > 0 && stroke.width < FAR && stroke.points?.length > 0 && stroke.points.every?.(isPoint);

const restored = () => {
  try {
    const text = sessionStorage.getItem(STORED) ?? "[]";
    const strokes = text.length > MOST ? [] : JSON.parse(text);
    return Array.isArray(strokes) && strokes.every(isStroke) ? strokes : [];
  } catch {
    return []; // damaged, or the browser forbids storage
  }
};

const keep = (strokes) => {
  const text = JSON.stringify(strokes);
  try {
    sessionStorage.removeItem(STORED);
    if (strokes.length && text.length <= MOST) sessionStorage.setItem(STORED, text);
  } catch {
    // Full or forbidden: a reload forgets the drawing.
  }
};

const paint = (canvas, strokes, colour, scale) => {
  const pen = canvas.getContext("2d");
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  Object.assign(pen, { lineCap: "round", lineJoin: "round", strokeStyle: colour });
  for (const { width, points } of strokes) {
    pen.lineWidth = width;
    pen.beginPath();
    pen.moveTo(...points[0]);
    // Between the middles of neighbouring points, each point bending its curve.
    for (let i = 1; i < points.length; i += 1) {
      const [[ax, ay], [bx, by]] = [points[i - 1], points[i]];
      pen.quadraticCurveTo(ax, ay, (ax + bx) / 2, (ay + by) / 2);
    }
    const [x, y] = points.at(-1);
    pen.lineTo(points.length > 1 ? x : x + 0.01, y); // a line of no length would leave no dot
    pen.stroke();
  }
};

export default function ({ data, parentElement, setStateValue }) {
  const { side, colour, width } = data;
  const root = parentElement.querySelector(".drawing");
  const canvas = root.querySelector("canvas");
  const [undo, clear] = root.querySelectorAll("button");
  const isNew = !root.drawing;
  const drawing = (root.drawing ??= { strokes: restored(), underway: null });

  const show = () => {
    const { strokes, underway } = drawing;
    paint(canvas, underway ? [...strokes, underway] : strokes, colour, SHARP);
    undo.disabled = clear.disabled = !strokes.length;
  };
  const send = () => {
    const picture = Object.assign(document.createElement("canvas"), { width: side, height: side });
    paint(picture, drawing.strokes, colour, 1);
    setStateValue("picture", drawing.strokes.length ? picture.toDataURL("image/png") : "");
  };
  const draw = (strokes) => {
    drawing.strokes = strokes;
    show();
    send();
    keep(strokes);
  };

  const extend = (event) => {
    const box = canvas.getBoundingClientRect();
    const place = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    const [x, y] = place.map((share) => Math.round(10 * side * share) / 10);
    const { points } = drawing.underway;
    const [lastX, lastY] = points.at(-1) ?? [FAR, FAR];
    if (Math.hypot(x - lastX, y - lastY) >= STEP) points.push([x, y]);
  };
  canvas.onpointerdown = (event) => {
    if (event.button !== 0 || drawing.underway) return; // a second finger draws nothing
    canvas.setPointerCapture(event.pointerId); // so the stroke may leave the canvas and come back
    drawing.underway = { id: event.pointerId, width, points: [] };
    extend(event);
    show();
  };
  canvas.onpointermove = (event) => {
    if (drawing.underway?.id !== event.pointerId) return;
    const events = event.getCoalescedEvents?.() ?? [];
    (events.length ? events : [event]).forEach(extend);
    show();
  };
  // Comes after the pen's lift, and also when the browser takes the pen away.
  canvas.onlostpointercapture = (event) => {
    if (drawing.underway?.id !== event.pointerId) return;
    const { width: drawn, points } = drawing.underway;
    drawing.underway = null;
    draw([...drawing.strokes, { width: drawn, points }]);
  };
  undo.onclick = () => draw(drawing.strokes.slice(0, -1));
  clear.onclick = () => draw([]);

  if (!isNew) return;
  canvas.width = canvas.height = SHARP * side;
  show();
  if (drawing.strokes.length || data.hasInk) send(); // what the server knows may be of another time
}
