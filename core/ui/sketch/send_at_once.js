// The canvas waits 200 ms after a stroke before it sends. Its own button sends at once, so press it.
const SEND = "button[aria-label='Update the app with this drawing']";
const root = () =>
  [...document.querySelectorAll(".st-key-canvas *")].find((e) => e.shadowRoot)?.shadowRoot;

export default function () {
  let isDrawing = false;
  const down = (event) => {
    isDrawing = event.composedPath().some((e) => e === root());
  };
  const up = () => {
    if (isDrawing) setTimeout(() => root()?.querySelector(SEND)?.click()); // once the stroke is in
    isDrawing = false;
  };
  const listeners = { mousedown: down, touchstart: down, mouseup: up, touchend: up };
  for (const [kind, listen] of Object.entries(listeners)) addEventListener(kind, listen, true);
  return () => {
    for (const [kind, listen] of Object.entries(listeners)) removeEventListener(kind, listen, true);
  };
}
