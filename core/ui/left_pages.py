"""Messages of a page that its person has left, which must not reach the server.

A page that plays, or is redrawn by a clock, sends once more while the next page is on its way. In
Streamlit such a message starts a run of the page that was left, the browser takes that for a change
of the page, and what the next one has drawn is thrown away: a blank page.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState


class LeftPages:
    """ASGI middleware: of each browser, drops runs of fragments that belong to another page.

    Runs of a whole page pass, and say which page it is: a click in the menu is one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on everything but the messages of left pages."""
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        page = ""  # of the last run of a whole page; empty where the browser knows its path alone

        async def receive_current() -> Message:
            nonlocal page
            while True:
                message = await receive()
                run = _run_in(message)
                if run is None:
                    return message
                if not run.fragment_id:
                    page = run.page_script_hash
                    return message
                if page in ("", run.page_script_hash):
                    return message

        await self.app(scope, receive_current, send)


def _run_in(message: Message) -> ClientState | None:
    """What a message asks to run, if it does."""
    content = message.get("bytes")
    if message["type"] != "websocket.receive" or not content:
        return None
    asked = BackMsg()
    try:
        asked.ParseFromString(content)
    except DecodeError:  # the server's own answer to that is better than one from here
        return None
    return asked.rerun_script if asked.HasField("rerun_script") else None
