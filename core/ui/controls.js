// Numbers that send while they change. One value is under way at a time: the next, always a field's
// newest, leaves when the server's answer to the last one (data.seen) has reached the page.
const PATIENCE = 2000; // ms without an answer after which the last value counts as lost
const REST = 200; // ms without an edit after the last one was answered
const PAUSE = 200; // ms without an edit before one that counts as the first
const PACE = 120; // ms between the values that "play" walks through

const element = (tag, properties) => Object.assign(document.createElement(tag), properties);

const build = ({ name, label, slider, playable }) => {
  const row = element("div", { className: slider ? "control slider" : "control" });
  const parts = {
    row,
    exact: element("input", { type: "number", id: name }),
    range: slider && element("input", { type: "range", ariaLabel: label }),
    play: playable && element("button", { type: "button", className: "play", ariaLabel: "Play" }),
    reading: element("output"),
    problem: element("p", { role: "alert", id: `${name}-problem` }),
  };
  row.append(element("label", { htmlFor: name, textContent: label }));
  row.append(...[parts.exact, parts.play, parts.range, parts.reading, parts.problem].filter(Boolean));
  return parts;
};

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".controls");
  const link = (root.link ??= { seen: data.seen, sent: data.seen, next: new Map(), parts: {} });
  link.seen = data.seen;

  const flush = () => {
    const answered = link.seen >= link.sent || performance.now() - link.at > PATIENCE;
    if (!link.next.size || !answered) return;
    const [name, { value, landed }] = link.next.entries().next().value;
    link.next.delete(name);
    // The first edit after a pause is answered by its number before its pictures.
    const quick = data.quick && landed && performance.now() - (link.at ?? 0) > PAUSE;
    Object.assign(link, { at: performance.now(), quick, landed, sent: link.sent + 1 });
    setStateValue("edit", { name, value, landed, quick, seq: link.sent });
    setTimeout(flush, PATIENCE + 1);
  };
  const send = (name, value, landed) => {
    clearTimeout(link.rest);
    link.next.set(name, { value, landed });
    // A key fires "input" and "change" in one go: of the two only the second is sent.
    if (landed) flush();
    else setTimeout(flush);
  };
  flush();
  const resting = !link.next.size && link.seen >= link.sent;
  if (resting && link.quick) {
    link.quick = false;
    // The frame with the number first, then the work for the pictures.
    requestAnimationFrame(() => setTimeout(() => setTriggerValue("draw", link.sent)));
  }
  if (resting && link.landed) {
    link.landed = false;
    link.rest = setTimeout(() => setTriggerValue("rest", link.sent), REST);
  }

  for (const field of data.fields) {
    const { name, slider } = field;
    const parts = (link.parts[name] ??= build(field));
    const { row, exact, range, play, reading, problem } = parts;
    if (!row.isConnected) root.append(row);
    const show = (text) => {
      if (!parts.typing && (Number(exact.value) !== Number(text) || !exact.value)) exact.value = text;
      if (!range) return;
      range.setAttribute("aria-valuetext", text);
      range.style.setProperty("--done", (range.value - range.min) / (range.max - range.min || 1));
    };
    if (range) Object.assign(range, { min: slider.min, max: slider.max });
    exact.step = field.step;
    exact.setAttribute("aria-invalid", Boolean(field.problem));
    exact.setAttribute("aria-describedby", problem.id);
    if (reading.textContent !== field.reading) reading.textContent = field.reading;
    problem.textContent = field.problem;
    if (resting && !parts.held && !field.problem) {
      if (range) range.value = slider.position;
      show(field.text);
    }

    exact.oninput = () => {
      parts.typing = true;
      if (exact.value) send(name, exact.value, false);
    };
    exact.onchange = () => {
      parts.typing = false;
      send(name, exact.value, true);
    };
    if (!range) continue;
    const move = (landed) => {
      const value = slider.values?.[range.value] ?? Number(range.value);
      show(String(value));
      send(name, value, landed);
    };
    range.oninput = () => move(false);
    range.onchange = () => move(true);
    range.onpointerdown = () => { parts.held = true; };
    range.onpointerup = range.onpointercancel = () => { parts.held = false; };
    if (!play) continue;
    parts.move = move;
    const stop = () => {
      clearInterval(parts.timer);
      parts.timer = null;
      play.ariaLabel = "Play";
    };
    play.onclick = () => {
      if (parts.timer) {
        parts.move(true);
        return stop();
      }
      play.ariaLabel = "Pause";
      if (range.value === range.max) range.value = range.min;
      parts.timer = setInterval(() => {
        if (link.next.size) return;
        range.stepUp();
        const done = range.value === range.max;
        parts.move(done);
        if (done) stop();
      }, PACE);
    };
  }
  return () => {
    clearTimeout(link.rest);
    Object.values(link.parts).forEach(({ timer }) => clearInterval(timer));
  };
}
