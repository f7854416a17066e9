// What the drawable canvas lacks: room to shrink, an Undo that is never late, and a memory.
//
// The canvas is another's component, in a shadow root of its own. From outside, its style can be
// changed and its buttons pressed; and the server gives it the strokes to begin with, its base.
//
//   Undo, Clear ──> strokes since the base: the canvas's own buttons, at once
//              └──> strokes of the base: request ──> server ──> a smaller base
//   a reload ─────> strokes in storage:  request ──> server ──> the base
//
// A new base wipes the canvas. So until the canvas has shown it, and the server has seen that,
// whatever else the hand does waits, and is done then in its order.
const STORED = "sketch.strokes";
const MOST = 1_000_000; // characters of stored strokes: minutes of scribbling
const LOST = 10_000; // ms after which no answer will come
const [SEND, UNDO, CLEAR] = ["Update the app with this drawing", "Undo", "Reset canvas & history"];
const STYLE = `
  .dc-root { width: 100%; max-width: 320px; }
  .dc-container { width: 100% !important; height: auto !important; aspect-ratio: 1; }
  .canvas-container, canvas { width: 100% !important; height: 100% !important; }
  .dc-toolbar { visibility: hidden; } /* a stroke may begin where it lies; scripts can press it */
`;
const KINDS = {
  mousedown: "mousedown", mousemove: "mousemove", mouseup: "mouseup",
  touchstart: "mousedown", touchmove: "mousemove", touchend: "mouseup", touchcancel: "mouseup",
};

const canvas = () =>
  [...document.querySelectorAll(".st-key-canvas *")].find((e) => e.shadowRoot)?.shadowRoot;
const button = (name) => canvas()?.querySelector(`.dc-toolbar [aria-label="${name}"]`);
const press = (name) => button(name)?.click();
const aWhile = () => new Promise((done) => setTimeout(done));

const stored = () => {
  try {
    const text = sessionStorage.getItem(STORED) ?? "";
    return text.length <= MOST ? text : "";
  } catch {
    return ""; // the browser forbids storage
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

const mount = (link) => {
  const later = []; // what waits, each a function
  let isDown = false; // the pen
  let isHeld = false; // the pen's events wait, or did when it came down: the canvas gets copies
  let isBusy = false;

  const isWaiting = () =>
    link.sent > link.data.answered && performance.now() - link.at < LOST;
  const request = (wish) => {
    Object.assign(link, { sent: link.sent + 1, at: performance.now() });
    link.set("request", { number: link.sent, ...wish });
    setTimeout(link.drain, LOST + 1);
  };
  link.restore = (text) => request({ restore: text });

  // Strokes since the base are those that the canvas itself can take back.
  const hasOwn = () => button(UNDO)?.disabled === false;
  const show = () => {
    const isEmpty = !hasOwn() && !link.data.base && !later.length;
    link.buttons.forEach((one) => { one.disabled = isEmpty; });
  };
  const undo = () => {
    if (hasOwn()) press(UNDO);
    else if (link.data.base) request({ left: link.data.base - 1 });
  };
  const clear = () => {
    if (link.data.base) request({ left: 0 });
    else press(CLEAR);
  };
  const sendSoon = async () => {
    await aWhile(); // the stroke is in the canvas then
    press(SEND); // of itself the canvas would send 200 ms after a stroke
    show();
  };

  link.drain = async () => {
    if (isBusy) return;
    isBusy = true;
    while (later.length && !isWaiting() && (isHeld || !isDown)) await later.shift()();
    isBusy = false;
    if (!later.length && !isDown) isHeld = false;
    show();
  };
  const afterStroke = async () => {
    isBusy = true;
    await sendSoon();
    isBusy = false;
    link.drain();
  };
  const doNext = (step) => {
    later.push(step);
    link.drain();
  };
  link.buttons.forEach((one, i) => {
    one.onclick = () => doNext(() => {
      [undo, clear][i]();
      return aWhile(); // the canvas draws anew
    });
  });

  const copy = (kind, { clientX, clientY }) => async () => {
    const target = canvas()?.querySelector(".upper-canvas");
    const buttons = kind === "mouseup" ? 0 : 1;
    target?.dispatchEvent(
      new MouseEvent(kind, { clientX, clientY, buttons, bubbles: true, composed: true, cancelable: true, view: window }),
    );
    if (kind === "mouseup") await sendSoon();
  };
  const pen = (event) => {
    const kind = KINDS[event.type];
    if (!event.isTrusted) return;
    if (kind === "mousedown" && (event.touches?.length ?? 1) === 1) {
      if (event.button > 0 || !event.composedPath().includes(canvas())) return;
      isDown = true;
      isHeld = isBusy || isWaiting() || later.length > 0;
    }
    if (!isDown) return;
    if (isHeld) {
      event.stopImmediatePropagation();
      if (event.cancelable) event.preventDefault();
      later.push(copy(kind, event.touches?.[0] ?? event.changedTouches?.[0] ?? event));
    }
    if (kind === "mouseup" && !event.touches?.length) isDown = false;
    if (isHeld) link.drain();
    else if (!isDown) afterStroke();
  };
  for (const kind of Object.keys(KINDS)) {
    addEventListener(kind, pen, { capture: true, passive: false, signal: link.end.signal });
  }

  link.show = show;
};

// The canvas may come after the tools, and anew.
const dress = (link) => {
  const own = button(UNDO);
  if (link.end.signal.aborted || (own && own === link.own)) return;
  if (!own) {
    requestAnimationFrame(() => dress(link));
    return;
  }
  canvas().append(Object.assign(document.createElement("style"), { textContent: STYLE }));
  link.own = own;
  link.watch?.disconnect();
  link.watch = new MutationObserver(link.show);
  link.watch.observe(own, { attributeFilter: ["disabled"] });
  if (link.data.base) setTimeout(() => press(SEND)); // what the server knows may be older
  link.show();
};

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".tools");
  const isNew = !root.link;
  const link = (root.link ??= {
    sent: data.answered,
    at: 0,
    end: new AbortController(),
    buttons: root.querySelectorAll("button"),
  });
  const isOther = !isNew && data.number !== link.data.number;
  Object.assign(link, { data, set: setStateValue });
  if (isNew) mount(link);
  dress(link);
  link.show();
  if (isOther) requestAnimationFrame(() => press(SEND)); // a base that came first is not sent
  link.drain();

  if (data.strokes) keep(data.strokes);
  else if (!link.isAsked && stored()) link.restore(stored());
  link.isAsked = true;
  return () => {
    link.end.abort();
    link.watch?.disconnect();
  };
}
