"""The pages of the app, the one door to all of them, and the ways between them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.ui.settings import query_of

_HERE = Path(__file__).parent
ICON = _HERE / "icon.png"  # a file of ours: Streamlit fetches emoji from a host of others
PAGES = {
    "home": "Home",
    "backprop": "Backpropagation",
    "workbook": "Workbooks",
    "mnist": "MNIST",
    "sketch": "Sketch",
}


_check_address, _watch_connection = (
    st.components.v2.component(
        name, html="<i></i>", js=(_HERE / f"{name}.js").read_text(encoding="utf-8")
    )
    for name in ("address", "connection")
)


def routes() -> list[Route]:
    """What the server answers beside Streamlit: an address below a page leads to the page.

    Streamlit has no such pages, and sends a document there whose scripts cannot be found.
    """
    base = "/".join(["", *filter(None, st.get_option("server.baseUrlPath").split("/"))])

    def way_up(page: str) -> Route:
        def redirect(request: Request) -> Response:
            # Streamlit's own scripts look below a page for a server, and must find none.
            if "text/html" not in request.headers.get("accept", ""):
                return Response(status_code=404)
            # Not from the root: the app may lie below one that the server does not know.
            steps = "../" * (request.path_params["below"].count("/") + 1)
            query = request.url.query
            return RedirectResponse(f"{steps}{page}{query and '?'}{query}")

        return Route(f"{base}/{page}/{{below:path}}", redirect)

    return [way_up(page) for page in PAGES]


def navigation() -> Any:
    """Declare the pages to Streamlit and draw the menu; the result is the page to run.

    The menu is ours because Streamlit's leads to a page without its query, and the query is the
    page's state. Its pages have no icons: Streamlit fetches a page's icon from a host of others.
    """
    st.session_state.entered = True
    st.html(_HERE / "site.css")
    if st.context.theme.type == "dark":
        st.html(_HERE / "print_dark.css")
    pages = [
        st.Page(f"pages/{name}.py", title=title, default=name == "home")
        for name, title in PAGES.items()
    ]
    here = st.navigation(pages, position="hidden")
    _arrive(here.url_path)
    _watch_connection(key="connection", on_back_change=lambda: None)
    with st.container(key="menu", horizontal=True):
        for name, title in PAGES.items():
            if title == here.title:
                # Streamlit's link cannot say that it leads to where one is.
                st.html(
                    f'<a role="link" aria-disabled="true" aria-current="page">{title}</a>',
                    width="content",
                )
            else:
                link(name, title)
    return here


def _arrive(path: str) -> None:
    """Note for `Settings.open` whether the page is another than before, and check its address."""
    state = st.session_state
    state.arrived = state.get("here", path) != path
    state.here = path
    state.arrivals = state.get("arrivals", 0) + state.arrived
    query = urlencode(st.query_params.to_dict())
    _check_address(
        key="address",
        data={"arrival": state.arrivals, "path": path, "pages": [*PAGES], "query": query},
    )


def link(page: str, label: str, **options: Any) -> None:
    """A link to a page as it was left; options: of `st.page_link`.

    query_params among them change what it says of these settings.
    """
    query = query_of(page) | options.pop("query_params", {})
    st.page_link(f"pages/{page}.py", label=label, query_params=query, **options)


def enter() -> None:
    """Make sure the page runs inside the app; every page calls it first.

    Where the server did not start with the `app` of `streamlit_app.py`, Streamlit takes the folder
    `pages/` for the app's navigation until the first `st.navigation`, and runs the first page that
    is linked alone: no title, no layout, another menu. Declaring the pages and running again mends
    that.
    """
    if not st.session_state.get("entered"):
        navigation()
        st.rerun()


def redraw(*fragments: str) -> None:
    """Have a callback rerun these fragments alone, by their keys; none: what it would anyway.

    In a run of the whole page the callback changes nothing: all will be drawn, and perhaps for
    another page, if a link was clicked while the message was under way. A message that was under
    way when its page was left finds no fragment, and is of no use then.
    """
    run = get_script_run_ctx()
    if not fragments or run is None or not run.fragment_ids_this_run:
        return
    try:
        st.rerun(list(fragments))
    except StreamlitAPIException:
        return


def picture(page: str, alt: str) -> None:
    """Show what a page looks like, in the light or the dark of the person's theme."""
    scheme = "dark" if st.context.theme.type == "dark" else "light"
    st.image(_HERE / "pictures" / f"{page}-{scheme}.png", width="stretch", alt=alt)
