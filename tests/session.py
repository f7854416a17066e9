"""A session as a browser holds it with the server, without the browser: messages both ways."""

from __future__ import annotations

import http
import http.client
import uuid
from collections.abc import Iterable, Iterator
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect
from websockets.typing import Subprotocol

PATIENCE = 60.0  # seconds that an answer may take


def upload(address: str, path: str, name: str, content: bytes) -> None:
    """Put a file where the server has said that it takes one; path: from the root."""
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"'
    body = f"{head}\r\n\r\n".encode() + content + f"\r\n--{boundary}--\r\n".encode()
    server = http.client.HTTPConnection(urlsplit(address).netloc)
    server.request("GET", "/_stcore/health")
    asked = server.getresponse()
    asked.read()
    token = SimpleCookie(asked.headers["Set-Cookie"])["_streamlit_xsrf"].value
    server.request(
        "PUT",
        path,
        body,
        {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Cookie": f"_streamlit_xsrf={token}",
            "X-Xsrftoken": token,
        },
    )
    status = server.getresponse().status
    if status != http.HTTPStatus.NO_CONTENT:
        raise OSError(f"{name} was answered with {status}")


def is_end(message: ForwardMsg) -> bool:
    """Whether it says that the run which was asked for is over, and not that it begins again."""
    early = ForwardMsg.ScriptFinishedStatus.FINISHED_EARLY_FOR_RERUN
    return message.WhichOneof("type") == "script_finished" and message.script_finished != early


class Session:
    """A session on a server. address: of the server; page: its path.

    page: the server's name for the page shown; fragments: those that its last runs have drawn, by
    their ids; widgets: the ids that elements on the screen send their values under.
    """

    def __init__(self, address: str, path: str = "", query: str = "") -> None:
        place = urlsplit(address)
        self.host = place.netloc
        self.socket = connect(
            f"ws://{self.host}/_stcore/stream",
            subprotocols=[Subprotocol("streamlit")],
            max_size=None,
            legacy=True,
        )
        self.page = self.id = ""
        self.query = query
        self.widgets: dict[str, str] = {}
        self.fragments: set[str] = set()
        self.exceptions: list[str] = []
        self.run(page_name=path)

    def close(self) -> None:
        """Leave, as a closed tab does."""
        self.socket.close()

    def run(
        self,
        widgets: Iterable[WidgetState] = (),
        fragment: str = "",
        page_name: str = "",
        patience: float = PATIENCE,
    ) -> int:
        """Have the page run, or a fragment of it, and wait for the end; bytes that came.

        patience: in seconds; TimeoutError after it. A fragment that is gone is never answered.
        """
        state = ClientState(
            query_string=self.query,
            page_script_hash="" if page_name else self.page,
            page_name=page_name,
            fragment_id=fragment,
        )
        state.widget_states.widgets.extend(widgets)
        state.context_info.url = f"http://{self.host}/{page_name}"
        self.send(BackMsg(rerun_script=state))
        return sum(self._hear(message) for message in self._answers(patience))

    def send(self, message: BackMsg | bytes) -> None:
        """Send without waiting."""
        content = message if isinstance(message, bytes) else message.SerializeToString()
        self.socket.send(content)

    def _answers(self, patience: float) -> Iterator[ForwardMsg]:
        while True:
            message = ForwardMsg()
            message.ParseFromString(self.socket.recv(patience))
            yield message
            if is_end(message):
                return

    def _hear(self, message: ForwardMsg) -> int:
        match message.WhichOneof("type"):
            case "navigation":
                self.page = message.navigation.page_script_hash
            case "new_session":
                if not message.metadata.run.fragment_ids:  # the whole page is drawn anew
                    self.fragments, self.widgets = set(), {}
                self.id = message.new_session.initialize.session_id or self.id
            case "delta" if message.delta.WhichOneof("type") == "new_element":
                element = message.delta.new_element
                kind = element.WhichOneof("type") or ""
                if kind == "exception":
                    self.exceptions.append(f"{element.exception.type}: {element.exception.message}")
                found = getattr(element, kind, None)
                if isinstance(own := getattr(found, "id", None), str) and own:
                    self.widgets[own] = kind
                if fragment := message.delta.fragment_id:
                    self.fragments.add(fragment)
            case "page_info_changed":
                self.query = message.page_info_changed.query_string
        return int(message.ByteSize())
