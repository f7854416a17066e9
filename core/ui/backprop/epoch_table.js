// Only the rows in view exist; scrolling and new numbers refill them in place. Paper cannot scroll:
// while the page is printed, all rows stand there, their columns side by side as far as a sheet goes.
const ROW = 26; // px, as in epoch_table.css
const SPARE = 2; // rows drawn above and below the view
const REST = 250; // ms
const ABREAST = { six: 12, full: 7 }; // columns on a sheet of A4
const PIECE = 4; // columns that stay together

const short = (v) => {
  const size = Math.abs(v);
  return v && (size < 1e-4 || size >= 1e6) ? v.toExponential(4) : String(Number(v.toPrecision(6)));
};
const LOOK = 120; // ms of rest before rows that were not sent are asked for
const put = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
};
const cell = (tag, className = "") => Object.assign(document.createElement(tag), { className });

// The columns in blocks that fit a sheet, each a list of [first, end, heading of the group].
const blocks = (groups, abreast) => {
  const found = [];
  let room = 0;
  let first = 0;
  for (const group of groups) {
    for (const last = first + group.colSpan; first < last;) {
      const end = Math.min(first + PIECE, last);
      const block = found.at(-1);
      if (end - first > room) {
        found.push([[first, end, group]]);
        room = abreast;
      } else if (block.at(-1)[2] === group) block.at(-1)[1] = end;
      else block.push([first, end, group]);
      room -= end - first;
      first = end;
    }
  }
  return found;
};

// The headings, and as many columns.
const build = (table, { groups, columns }) => {
  const [cols, head, body] = ["colgroup", "thead", "tbody"].map((tag) => table.querySelector(tag));
  const heading = (properties) => Object.assign(document.createElement("th"), properties);
  const above = cell("tr");
  const names = cell("tr");
  above.append(heading({ className: "pin" }));
  names.append(heading({ className: "pin", scope: "col", textContent: "epoch" }));
  for (const { heading: textContent, hue, span } of groups) {
    const th = heading({ scope: "colgroup", colSpan: span, textContent });
    th.style.setProperty("--hue", hue);
    above.append(th);
  }
  for (const { name, formula } of columns) names.append(heading({ scope: "col", title: formula, textContent: name }));
  cols.replaceChildren(...[null, ...columns].map(() => cell("col")));
  head.replaceChildren(above, names);
  body.replaceChildren();
};

export default function ({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector(".epoch-table");
  const [table, head, body] = ["table", "thead", "tbody"].map((tag) => box.querySelector(tag));
  // Of many epochs not all rows are sent: `sent` of `count`, from row `start` on.
  const { rows, first: start, count, tinted, chosen, full, marks } = data;
  const sent = rows.numRows;
  const values = rows.schema.fields.map((_, i) => rows.getChildAt(i).toArray());
  const largest = data.largest.map((most) => most || 1);
  const columns = JSON.stringify(data.head);
  if (box.columns !== columns) {
    box.columns = columns;
    build(table, data.head);
  }
  table.classList.toggle("full", full);

  const text = (v) => (Number.isNaN(v) ? "–" : full ? String(v) : short(v));
  // The chosen epoch in two runs, each row its heading and a number or a dash for every column.
  const beside = [];
  if (data.beside) {
    const [then, now] = data.beside.map((row) => row.map((v) => v ?? NaN));
    beside.push(
      [`${chosen} pinned`, ...then.map(text)],
      [`${chosen} now`, ...now.map(text)],
      ["difference", ...now.map((v, c) => (v > then[c] ? "+" : "") + text(v - then[c]))],
    );
  }
  const line = () => {
    const row = cell("tr");
    row.append(Object.assign(cell("th", "pin"), { scope: "row" }));
    for (const _ of values) row.insertCell().append(cell("span"));
    return row;
  };
  while (head.rows.length > 2 + beside.length) head.lastChild.remove();
  while (head.rows.length < 2 + beside.length) head.append(line());
  const besides = [...head.rows].slice(2);
  box.classList.toggle("beside", beside.length > 0);
  table.setAttribute("aria-rowcount", count + head.rows.length);

  const isTinted = (c) => c >= tinted && c < tinted + largest.length;
  const tint = (v, c) => {
    const share = Math.round((45 * Math.abs(v)) / largest[c - tinted]);
    return `color-mix(in srgb, var(--${v > 0 ? "up" : "down"}) ${share}%, transparent)`;
  };

  // The part of a cell in the step that is looked at.
  const part = (epoch, c) => {
    if (marks.computed && epoch === marks.computed[0] && c === marks.computed[1]) return "computed";
    return epoch === chosen && marks.used.includes(c) ? "used" : "";
  };

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
      const row = line();
      row.onclick = () => box.choose(Number(row.firstChild.textContent));
      body.append(row);
    }
    while (body.childElementCount > shown) body.lastChild.remove();
    box.style.setProperty("--above", `${first * ROW}px`);
    box.style.setProperty("--below", `${(count - first - shown) * ROW}px`);
    for (let i = 0; i < shown; i++) {
      const row = body.children[i];
      const epoch = first + i + 1;
      put(row.firstChild, String(epoch));
      row.setAttribute("aria-rowindex", epoch + head.rows.length);
      row.classList.toggle("chosen", epoch === chosen);
      row.setAttribute("aria-current", epoch === chosen);
    }
    besides.forEach((row, i) => put(row.firstChild, beside[i][0]));
    const write = (from, to) => {
      for (let c = from; c < to; c++) {
        besides.forEach((row, i) => put(row.children[c + 1].firstChild, beside[i][c + 1]));
        for (let i = 0; i < shown; i++) {
          const v = values[c][first + i - start];
          const td = body.children[i].children[c + 1];
          const span = td.firstChild;
          const role = part(first + i + 1, c);
          if (td.className !== role) td.className = role;
          put(span, v === undefined ? "…" : text(v));
          span.style.background = isTinted(c) && v !== undefined ? tint(v, c) : "";
        }
      }
    };
    clearTimeout(box.looking);
    if (first < start || first + shown > start + sent) {
      box.looking = setTimeout(() => setTriggerValue("look", first), LOOK);
    }
    const [from, to] = inView();
    write(from, to);
    clearTimeout(box.later);
    box.later = setTimeout(() => { write(0, from); write(to, values.length); }, REST);
  };

  const print = () => {
    const groups = [...head.rows[0].cells].slice(1);
    const names = [...head.rows[1].cells].slice(1);
    const sheets = Object.assign(cell("div", "sheets"), { ariaHidden: true });
    sheets.innerHTML = blocks(groups, full ? ABREAST.full : ABREAST.six).map((pieces) => {
      const columns = pieces.flatMap(([from, to]) => values.slice(from, to).map((v, i) => [v, from + i]));
      const heading = pieces.map(([from, to, group]) =>
        `<th colspan="${to - from}" style="${group.getAttribute("style")}">${group.textContent}</th>`);
      const tds = (row) => columns.map(([v, c]) => {
        const shade = isTinted(c) ? ` style="background: ${tint(v[row], c)}"` : "";
        return `<td${shade}>${text(v[row])}</td>`;
      });
      const above = beside.map(([name, ...texts]) =>
        `<tr class="chosen"><th>${name}</th>${columns.map(([, c]) => `<td>${texts[c]}</td>`).join("")}</tr>`);
      const trs = Array.from({ length: sent }, (_, row) =>
        `<tr${start + row + 1 === chosen ? ' class="chosen"' : ""}><th>${start + row + 1}</th>${tds(row).join("")}</tr>`);
      return `<table><thead><tr><th></th>${heading.join("")}</tr>
        <tr><th>epoch</th>${columns.map(([, c]) => `<th>${names[c].textContent}</th>`).join("")}</tr></thead>
        <tbody>${above.join("")}${trs.join("")}</tbody></table>`;
    }).join("");
    box.after(sheets);
    addEventListener("afterprint", () => sheets.remove(), { once: true });
  };
  const printing = new AbortController();
  addEventListener("beforeprint", print, { signal: printing.signal });
  box.printing?.abort(); // the numbers of before are printed no more
  box.printing = printing;

  box.choose = (epoch) => setTriggerValue("choose", epoch);
  box.onscroll = fill;
  box.fill = fill;
  if (!box.size) {
    box.size = new ResizeObserver(() => box.fill());
    box.size.observe(box);
  }
  fill();
  const last = Math.max(chosen, marks.computed?.[0] ?? 0); // an update writes the next row
  if (box.chosen !== last) {
    box.chosen = last;
    const top = (last - 1) * ROW;
    const room = box.clientHeight - head.offsetHeight - ROW;
    if (room > 0 && (top < box.scrollTop || top > box.scrollTop + room)) box.scrollTop = top - room / 2;
  }
  const marked = JSON.stringify([marks.computed?.[1], marks.used]);
  if (box.marked !== marked) {
    box.marked = marked;
    // What is computed comes into view; else what it is computed from.
    const c = marks.computed?.[1] ?? marks.used.at(-1);
    const th = head.rows[1].cells[c + 1];
    const margin = head.rows[1].cells[0].offsetWidth;
    const left = th && th.offsetLeft - margin;
    if (th && (left < box.scrollLeft || th.offsetLeft + th.offsetWidth > box.scrollLeft + box.clientWidth)) {
      box.scrollLeft = left - (box.clientWidth - margin - th.offsetWidth) / 2;
    }
  }
  return () => printing.abort();
}
