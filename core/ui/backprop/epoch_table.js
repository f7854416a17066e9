// Only the rows in view exist; scrolling and new numbers refill them in place.
const ROW = 26; // px, as in epoch_table.css
const SPARE = 2; // rows drawn above and below the view
const REST = 250; // ms

const short = (v) => {
  const size = Math.abs(v);
  return v && (size < 1e-4 || size >= 1e6) ? v.toExponential(4) : String(Number(v.toPrecision(6)));
};
const cell = (tag, className = "") => Object.assign(document.createElement(tag), { className });

export default function ({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector(".epoch-table");
  const [table, head, body] = ["table", "thead", "tbody"].map((tag) => box.querySelector(tag));
  const { rows, tinted, chosen, full } = data;
  const count = rows.numRows;
  const values = rows.schema.fields.map((_, i) => rows.getChildAt(i).toArray());
  const largest = values.map((v, i) => (i < tinted ? 1 : v.reduce((most, x) => Math.max(most, Math.abs(x)), 0) || 1));
  table.classList.toggle("full", full);
  table.setAttribute("aria-rowcount", count + 2);

  // The columns in view at once, the others when the numbers rest: a drag changes what is seen first.
  const inView = () => {
    const width = head.lastChild.lastChild.offsetWidth || 1;
    const first = Math.max(0, Math.floor(box.scrollLeft / width) - 1);
    return [first, Math.min(values.length, first + Math.ceil(box.clientWidth / width) + 2)];
  };
  const fill = () => {
    const room = Math.ceil(box.clientHeight / ROW) + 2 * SPARE;
    const first = Math.max(0, Math.min(Math.floor(box.scrollTop / ROW) - SPARE, count - room));
    const shown = Math.min(room, count);
    while (body.childElementCount < shown) {
      const row = cell("tr");
      row.append(Object.assign(cell("th", "pin"), { scope: "row" }));
      for (const _ of values) row.insertCell().append(cell("span"));
      row.onclick = () => box.choose(Number(row.firstChild.textContent));
      body.append(row);
    }
    while (body.childElementCount > shown) body.lastChild.remove();
    box.style.setProperty("--above", `${first * ROW}px`);
    box.style.setProperty("--below", `${(count - first - shown) * ROW}px`);
    for (let i = 0; i < shown; i++) {
      const row = body.children[i];
      const epoch = first + i + 1;
      if (row.firstChild.textContent !== String(epoch)) row.firstChild.textContent = epoch;
      row.setAttribute("aria-rowindex", epoch + 2);
      row.classList.toggle("chosen", epoch === chosen);
      row.setAttribute("aria-current", epoch === chosen);
    }
    const write = (from, to) => {
      for (let c = from; c < to; c++) {
        for (let i = 0; i < shown; i++) {
          const v = values[c][first + i];
          const span = body.children[i].children[c + 1].firstChild;
          const text = full ? String(v) : short(v);
          if (span.textContent !== text) span.textContent = text;
          if (c < tinted) continue;
          const share = Math.round((45 * Math.abs(v)) / largest[c]);
          span.style.background = `color-mix(in srgb, var(--${v > 0 ? "up" : "down"}) ${share}%, transparent)`;
        }
      }
    };
    const [from, to] = inView();
    write(from, to);
    clearTimeout(box.later);
    box.later = setTimeout(() => { write(0, from); write(to, values.length); }, REST);
  };

  box.choose = (epoch) => setTriggerValue("choose", epoch);
  box.onscroll = fill;
  fill();
  if (box.chosen !== chosen) {
    box.chosen = chosen;
    const top = (chosen - 1) * ROW;
    const room = box.clientHeight - head.offsetHeight - ROW;
    if (room > 0 && (top < box.scrollTop || top > box.scrollTop + room)) box.scrollTop = top - room / 2;
  }
}
