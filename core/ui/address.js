// An edit writes its page's query when the server has answered it. Where the browser has gone on to
// another page by then, Streamlit writes the query behind that page's path. So a page that has been
// arrived at checks its address, and where it is another's, mends it and has Streamlit read it again.
const EMBED = ["embed", "embed_options"]; // Streamlit's own, which the server never sees

const POLL = 50; // ms; the browser's path follows when Streamlit has drawn the page's beginning

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector("i");
  if (root.arrival === data.arrival) return;
  root.arrival = data.arrival;
  if (!data.arrival) return; // the address that a person came with
  const check = () => {
    if (!root.isConnected || root.arrival !== data.arrival) return;
    const last = location.pathname.split("/").pop();
    const isHere = data.path ? last === data.path : !data.pages.includes(last);
    if (!isHere) {
      setTimeout(check, POLL);
      return;
    }
    const found = new URLSearchParams(location.search);
    const wanted = new URLSearchParams(data.query);
    EMBED.forEach((name) => found.getAll(name).forEach((value) => wanted.append(name, value)));
    [found, wanted].forEach((query) => query.sort());
    if (String(found) === String(wanted)) return;
    history.replaceState({}, "", String(wanted) ? `${location.pathname}?${wanted}` : location.pathname);
    dispatchEvent(new PopStateEvent("popstate"));
  };
  setTimeout(check); // what pushes the path may go on to push more
}
