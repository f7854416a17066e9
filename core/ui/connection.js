// What a hand does while the connection is lost stays in the browser: Streamlit keeps the values,
// sends none, and when the connection is back asks for the page anew only in some cases. A server
// that was started meanwhile knows nothing of the session at all. So the page is always asked for
// anew, and with it goes all that the browser holds.
const [APP, STATE] = ["[data-testid=stApp]", "data-test-connection-state"];

export default function ({ parentElement, setStateValue }) {
  const root = parentElement.querySelector("i");
  root.ask = setStateValue;
  const app = document.querySelector(APP);
  if (root.watch || !app) return;
  const isThere = () => app.getAttribute(STATE) === "CONNECTED";
  let wasThere = isThere();
  root.watch = new MutationObserver(() => {
    const isBack = !wasThere && isThere();
    wasThere = isThere();
    if (isBack) setTimeout(() => root.ask("back", performance.now()));
  });
  root.watch.observe(app, { attributeFilter: [STATE] });
  return () => {
    root.watch.disconnect();
    root.watch = null;
  };
}
