// Numbers that send while they change. An edit's way, the browser on the left:
//
//   input, change ──> waiting: the newest value of each field
//                        │ one at a time: the next leaves when the last one is answered
//                        ├── edit {name, value, does, landed, …, number} ─────> setting, on_edit
//     fields, answered ──┴<───────────────────── data.answered = number ──────── numbers drawn
//                        │ after an edit that was numberFirst
//                        ├── draw ────────────────────────────────────────────> on_draw: pictures
//                        │ RESTS ms after an edit that landed
//                        └── rest ────────────────────────────────────────────> on_rest: the slow
//
// does: "toggle", or "before" and "after" for a step past an end: the server knows what that means.
// landed: the hand has let go (change), or still moves (input). numberFirst: the edit follows a
// pause, so its number is answered before its pictures. An answer that never comes (the page was
// drawn anew, the connection was lost) is given up after LOST ms.
const LOST = 2000;
const RESTS = 200;
const PAUSE = 200; // ms without an edit: the next one follows a pause
const PACE = 100; // ms between the values that "play" walks through
const SPEEDS = { "¼×": { pace: 4 * PACE, step: 1 }, "1×": { pace: PACE, step: 1 }, "5×": { pace: PACE, step: 5 } };

const element = (tag, properties) => Object.assign(document.createElement(tag), properties);

const player = (label) => {
  const button = (kind, does) =>
    element("button", { type: "button", className: `play ${kind}`, ariaLabel: `${does}, ${label}` });
  const parts = {
    player: element("div", { className: "player" }),
    back: button("back", "One back"),
    play: button("", "Play"),
    forward: button("forward", "One forward"),
    speed: element("select", { ariaLabel: `Speed, ${label}` }),
  };
  parts.speed.append(...Object.keys(SPEEDS).map((words) => new Option(words, words, false, words === "1×")));
  parts.player.append(parts.back, parts.play, parts.forward, parts.speed);
  return parts;
};

const build = ({ name, label, slider, playable, isWide }) => {
  const row = element("div", { className: slider ? "control slider" : "control" });
  const parts = {
    row,
    exact: element("input", {
      type: "text", role: "spinbutton", id: name, autocomplete: "off", autocapitalize: "off", spellcheck: false,
    }),
    range: slider && element("input", { type: "range", ariaLabel: label }),
    ...(playable && player(label)),
    reading: element("output", { className: isWide ? "wide" : "" }),
    problem: element("p", { role: "alert", id: `${name}-problem` }),
    // Tab goes from number to number; the keys of a toggle are those of its field.
    toggle: element("button", { type: "button", className: "toggle", tabIndex: -1 }),
  };
  row.append(element("label", { htmlFor: name, textContent: label }), parts.toggle);
  const below = !isWide && parts.reading;
  row.append(...[parts.exact, parts.player, parts.range, below, parts.problem].filter(Boolean));
  return parts;
};

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".controls");
  const link = (root.link ??= { answered: data.answered, sent: data.answered, waiting: new Map(), parts: {} });
  link.answered = data.answered;

  const flush = () => {
    if (!root.isConnected) return; // its page has been left: what waited is not sent on return
    const isFree = link.answered >= link.sent || performance.now() - link.at > LOST;
    if (!link.waiting.size || !isFree) return;
    const [name, { value, does, landed }] = link.waiting.entries().next().value;
    link.waiting.delete(name);
    const numberFirst = data.drawsLater && landed && performance.now() - (link.at ?? 0) > PAUSE;
    Object.assign(link, { at: performance.now(), numberFirst, landed, sent: link.sent + 1 });
    setStateValue("edit", { name, value, does, landed, numberFirst, number: link.sent });
    setTimeout(flush, LOST + 1);
  };
  const send = (name, value, landed, does = "") => {
    clearTimeout(link.rest);
    link.waiting.set(name, { value, does, landed });
    // A key fires "input" and "change" in one go: of the two only the second is sent.
    if (landed) flush();
    else setTimeout(flush);
  };
  flush();
  const isAnswered = !link.waiting.size && link.answered >= link.sent;
  if (isAnswered && link.numberFirst) {
    link.numberFirst = false;
    // The frame with the number first, then the work for the pictures.
    requestAnimationFrame(() => setTimeout(() => root.isConnected && setTriggerValue("draw", link.sent)));
  }
  if (isAnswered && link.landed) {
    link.landed = false;
    if (data.rests) link.rest = setTimeout(() => setTriggerValue("rest", link.sent), RESTS);
  }

  for (const field of data.fields) {
    const { name, slider } = field;
    const parts = (link.parts[name] ??= build(field));
    const { row, exact, range, play, reading, problem } = parts;
    if (!row.isConnected) root.append(row, ...(field.isWide ? [reading] : []));
    const show = (text) => {
      if (!parts.typing && exact.value !== text) exact.value = text;
      exact.ariaValueNow = exact.ariaValueText = text;
      if (!range) return;
      range.setAttribute("aria-valuetext", text === field.text && field.spoken || text);
      range.style.setProperty("--done", (range.value - range.min) / (range.max - range.min || 1));
    };
    if (range) Object.assign(range, { min: slider.min, max: slider.max });
    exact.setAttribute("aria-invalid", Boolean(field.problem));
    exact.setAttribute("aria-describedby", problem.id);
    if (reading.textContent !== field.reading) reading.textContent = field.reading;
    problem.textContent = field.problem;
    if (isAnswered && !parts.held && !field.problem) {
      if (range) range.value = slider.position;
      show(field.text);
    }

    parts.toggle.hidden = !field.toggle;
    if (field.toggle) {
      const { label, isOn } = field.toggle;
      Object.assign(parts.toggle, { ariaLabel: label, title: `${label} (Alt+K)`, ariaPressed: isOn });
      exact.setAttribute("aria-keyshortcuts", "Alt+K");
      parts.toggle.onclick = () => send(name, "", true, "toggle");
    }
    exact.oninput = () => {
      parts.typing = true;
      send(name, exact.value, false);
    };
    exact.onchange = () => {
      parts.typing = false;
      send(name, exact.value, true);
    };
    exact.onblur = () => { parts.typing = false; };
    exact.onkeydown = (event) => {
      if (field.toggle && event.altKey && event.code === "KeyK") {
        event.preventDefault();
        parts.toggle.click();
        return;
      }
      const up = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      const from = Number(exact.value);
      if (!up || exact.value === "" || !Number.isFinite(from)) return;
      event.preventDefault();
      exact.value = Number((from + up * field.step).toPrecision(12));
      exact.onchange();
    };
    if (!range) continue;
    const move = (landed) => {
      const value = slider.values?.[range.value] ?? Number(range.value);
      show(String(value));
      send(name, String(value), landed);
    };
    range.oninput = () => move(false);
    range.onchange = () => move(true);
    range.onpointerdown = () => { parts.held = true; };
    range.onpointerup = range.onpointercancel = () => { parts.held = false; };
    if (!play) continue;
    // One step, also past an end; from there on only when that has been answered.
    const step = (by, landed) => {
      const from = range.value;
      range.stepUp(by);
      if (range.value !== from) move(landed);
      else if (isAnswered && (by > 0 ? field.hasAfter : field.hasBefore)) send(name, "", landed, by > 0 ? "after" : "before");
    };
    Object.assign(parts, { move, step, isLast: () => range.value === range.max && !field.hasAfter });
    parts.back.onclick = () => { stop(); step(-1, true); };
    parts.forward.onclick = () => { stop(); step(1, true); };
    const stop = () => {
      clearTimeout(parts.timer);
      parts.timer = null;
      play.ariaLabel = `Play, ${field.label}`;
    };
    play.onclick = () => {
      if (parts.timer) {
        parts.move(true);
        return stop();
      }
      play.ariaLabel = `Pause, ${field.label}`;
      if (parts.isLast()) range.value = range.min;
      const walk = () => {
        if (!root.isConnected) return stop();
        const { pace, step: by } = SPEEDS[parts.speed.value];
        parts.timer = setTimeout(walk, pace);
        if (link.waiting.size) return;
        parts.step(by, false);
        if (!parts.isLast()) return;
        parts.move(true);
        stop();
      };
      parts.timer = setTimeout(walk, PACE);
    };
  }
  return () => {
    clearTimeout(link.rest);
    Object.values(link.parts).forEach(({ timer }) => clearTimeout(timer));
  };
}
