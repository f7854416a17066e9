// A row of buttons that are one choice: a click or an arrow key chooses, Tab goes past all of them.
export default function ({ data, parentElement, setTriggerValue }) {
  const row = parentElement.querySelector(".row");
  const { chosen, digits } = data;
  while (row.children.length > digits.length) row.lastChild.remove();
  while (row.children.length < digits.length) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("role", "radio");
    button.append(
      Object.assign(document.createElement("img"), { alt: "", width: 56, height: 56 }),
      document.createElement("strong"),
      document.createElement("small"),
    );
    row.append(button);
  }
  const buttons = [...row.children];
  const choose = (index) => {
    mark(index);
    buttons[index].focus();
    setTriggerValue("chosen", index);
  };
  const mark = (index) =>
    buttons.forEach((button, i) => {
      button.setAttribute("aria-checked", String(i === index));
      button.tabIndex = i === index ? 0 : -1;
    });

  buttons.forEach((button, index) => {
    const { image, answer, confidence, words } = digits[index];
    const [picture, big, small] = button.children;
    picture.src = `data:image/png;base64,${image}`;
    big.textContent = answer;
    small.textContent = confidence;
    button.setAttribute("aria-label", words);
    button.title = words;
    button.onclick = () => choose(index);
    button.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      choose((index + step + buttons.length) % buttons.length);
    };
  });
  mark(chosen);
}
