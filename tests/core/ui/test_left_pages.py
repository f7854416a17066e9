import asyncio
from concurrent.futures import ThreadPoolExecutor

from streamlit.proto.BackMsg_pb2 import BackMsg

from core.ui.left_pages import LeftPages


def run(page: str, fragment: str = "") -> dict:
    asked = BackMsg()
    asked.rerun_script.page_script_hash = page
    asked.rerun_script.fragment_id = fragment
    return {"type": "websocket.receive", "bytes": asked.SerializeToString()}


def passed(messages: list[dict], kind: str = "websocket") -> list[dict]:
    """What of `messages` reaches the app."""
    waiting, found = list(messages), []

    async def receive():
        return waiting.pop(0)

    async def app(scope, receive, send):
        while (message := await receive())["type"] != "websocket.disconnect":
            found.append(message)

    # In a thread of its own: the browser tests' loop may run in this one.
    with ThreadPoolExecutor() as pool:
        pool.submit(lambda: asyncio.run(LeftPages(app)({"type": kind}, receive, None))).result()
    return found


END = {"type": "websocket.disconnect"}


def test_a_fragment_of_the_page_that_was_left_is_not_run():
    messages = [run("one"), run("one", "a"), run("two"), run("one", "a"), run("two", "b")]
    assert passed([*messages, END]) == [*messages[:3], messages[4]]
    assert passed([run("two"), run("one", "a"), run("one"), run("one", "a"), END]) == [
        run("two"),
        run("one"),
        run("one", "a"),
    ]


def test_all_passes_where_the_page_is_not_known():
    messages = [run(""), run("one", "a"), run("two", "b")]
    assert passed([*messages, END]) == messages


def test_other_messages_pass():
    stop = BackMsg(stop_script=True)
    messages = [
        {"type": "websocket.connect"},
        run("one"),
        {"type": "websocket.receive", "bytes": stop.SerializeToString()},
        {"type": "websocket.receive", "bytes": b"\xff\xff no message"},
        {"type": "websocket.receive", "text": "one"},
    ]
    assert passed([*messages, END]) == messages
    assert passed([run("two"), run("one", "a"), END], kind="lifespan")[1] == run("one", "a")
