// What walker.py asks of a page: ask("list"), ask("find", kind, label, which), ask("focused"),
// ask("form"), ask("look"). Shadow roots are looked into as if they were not there.
(ask, kind, label, which) => {
  const all = (root, found = []) => {
    for (const element of root.querySelectorAll("*")) {
      found.push(element);
      if (element.shadowRoot) all(element.shadowRoot, found);
    }
    return found;
  };
  const tidy = (text) => (text ?? "").replace(/\s+/g, " ").trim().slice(0, 60);
  const isSeen = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getBoundingClientRect().width > 0;
  const widgetLabel = (e) =>
    tidy(e.closest("[data-testid=stSelectbox],[data-testid=stMultiSelect],[data-testid=stSlider]")
      ?.querySelector("[data-testid=stWidgetLabel] p")?.textContent);
  const words = (e) => tidy(e.querySelector("[data-testid=stMarkdownContainer]")?.textContent || e.textContent);

  const kindOf = (e) => {
    if (e.matches("[data-testid=stHeader] *, [data-testid=stMainMenu] *, a[href^='#']")) return "";
    if (e.matches("input[type=file]")) return "file";
    if (e.matches(".upper-canvas, .drawing canvas")) return "canvas";
    if (!isSeen(e) || e.matches(":disabled, [aria-disabled=true]")) return "";
    if (e.matches("[role=radio], input[type=radio]")) return "radio";
    if (e.matches("[role=tab]")) return "tab";
    if (e.matches("[role=option]")) return "option";
    if (e.matches("[role=combobox], [role=combobox] *")) return e.matches("input") ? "list" : "";
    if (e.matches("input[type=range], [role=slider]")) return "slider";
    if (e.matches("input[type=text], input[type=number], textarea")) return "field";
    if (e.matches("summary")) return "expander";
    if (e.matches(".maps button")) return "map";
    if (e.matches("[data-testid=stElementToolbar] button")) return "tool";
    if (e.matches("button, [role=button]")) return "button";
    if (e.matches(".epoch-table tbody tr")) return "row";
    if (e.matches("a[href]")) return new URL(e.href).origin === location.origin ? "link" : "";
    if (e.matches("[data-testid=stVegaLiteChart], [data-testid=stDataFrame]")) return "picture";
    return "";
  };
  const labelOf = (e, kind) => {
    if (kind === "file" || kind === "canvas") return kind;
    if (kind === "list" || kind === "slider") return widgetLabel(e) || tidy(e.ariaLabel);
    if (kind === "row") return tidy(e.firstChild.textContent);
    if (kind === "picture") return tidy(e.querySelector(".role-title-text, .role-title")?.textContent || e.ariaLabel || e.dataset.testid);
    if (kind === "field") return tidy(e.ariaLabel || e.labels?.[0]?.textContent || e.placeholder);
    return words(e) || tidy(e.ariaLabel || e.title);
  };
  const things = () => {
    const found = [];
    // What fills the screen hides all else.
    const full = document.querySelector("[data-testid=stElementToolbar] [aria-label^='Close fullscreen']")
      ?.closest("[data-testid=stFullScreenFrame]");
    const counts = new Map();
    for (const element of all(full ?? document)) {
      if (element instanceof SVGElement) continue; // thousands, and a picture is used as a whole
      const kind = kindOf(element);
      if (!kind) continue;
      const label = labelOf(element, kind);
      const name = `${kind} ${label}`;
      const which = counts.get(name) ?? 0;
      counts.set(name, which + 1);
      found.push({ element, kind, label, which });
    }
    return found;
  };

  if (ask === "list") return things().map((t) => [t.kind, t.label, t.which]);
  if (ask === "find") {
    return things().find((t) => t.kind === kind && t.label === label && t.which === which)?.element ?? null;
  }
  if (ask === "focused") {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    return element?.matches("button") ? words(element) : "";
  }
  if (ask === "form") {
    const list = [...document.querySelectorAll("[data-testid=stSelectbox]")]
      .find((e) => e.querySelector("[data-testid=stWidgetLabel]")?.textContent.includes("Digits"));
    const epochs = document.querySelector("input[aria-label=Epochs]");
    return { Digits: (list?.textContent ?? "") + (list?.querySelector("input")?.value ?? ""), Epochs: epochs?.value ?? "" };
  }

  // look
  const ODD = /\b(undefined|NaN|nan|null|Infinity)\b|\bNone\b(?![.:])|\[object Object\]/;
  const odd = [];
  const note = (place, text) => { if (text && ODD.test(text)) odd.push([place, tidy(text)]); };
  for (const element of all(document)) {
    if (element.matches("input, textarea")) note(`field ${tidy(element.ariaLabel || element.id)}`, element.value);
    else if (element.matches("script, style, pre, code, [data-testid=stAlert] *, [data-testid=stException] *, [role=alert]")) continue;
    else {
      for (const node of element.childNodes) {
        if (node.nodeType === Node.TEXT_NODE) note(`text in ${element.tagName.toLowerCase()}.${element.className?.baseVal ?? element.className}`, node.data);
      }
    }
    note(`description of ${element.tagName.toLowerCase()}`, element.getAttribute("aria-valuetext"));
  }
  return {
    exceptions: [...document.querySelectorAll("[data-testid=stException]")].map((e) => e.innerText),
    heading: Boolean(document.querySelector("h1")),
    stale: Boolean(document.querySelector("[data-stale=true]")),
    text: tidy(document.body?.innerText),
    odd,
  };
}
