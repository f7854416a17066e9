"""Files given to whole pages, under made-up names: the pages stand, and all of it stays text."""

import random
import re
from xml.sax.saxutils import escape, quoteattr

import pytest
from streamlit.testing.v1 import AppTest

from tests.harness import ROOT
from tests.hostile import test_uploaded_networks as networks
from tests.hostile import test_uploaded_pictures as pictures
from tests.hostile import test_uploaded_workbooks as workbooks
from tests.hostile.guard import guard
from tests.hostile.made_up import MARKUP, PLACES, drawn
from tests.hostile.test_addresses import made_something_of

CASES = {"workbook": 30, "mnist": 20, "sketch": 30}


def of_words(rng: random.Random) -> bytes:
    """A faulty workbook whose sheets and headings have other names."""
    parts = workbooks.members(workbooks.made()[1])
    texts = parts["xl/sharedStrings.xml"].decode()
    words = list(re.finditer(r"(?<=>)[^<]+(?=</t>)", texts))
    for word in sorted(rng.sample(words, rng.choice([1, 9, len(words)])), key=lambda m: -m.start()):
        texts = f"{texts[: word.end()]} {escape(rng.choice(MARKUP))}{texts[word.end() :]}"
    book = parts["xl/workbook.xml"].decode()
    name = quoteattr(rng.choice(MARKUP))
    book = re.sub(r'(?<=<sheet name=)"[^"]*"', lambda _: name, book, count=1)
    parts["xl/workbook.xml"] = book.encode()
    parts["xl/sharedStrings.xml"] = texts.encode()
    return workbooks.packed(parts.items())


MAKERS = {
    "workbook": [of_words, of_words, of_words, workbooks.of_formulas, workbooks.of_table],
    "mnist": [networks.of_bytes, networks.of_tensors, networks.of_record],
    "sketch": [pictures.of_bytes, pictures.of_bytes, pictures.of_parts],
}
QUERIES = {"workbook": {}, "mnist": {}, "sketch": {"source": "upload"}}


@pytest.fixture(autouse=True)
def _own_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNS_ROOT", str(tmp_path / "runs"))


@pytest.mark.parametrize("page", CASES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
def test_a_page_stands_whatever_file_it_is_given(page):
    rng = drawn(f"files {page}")
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).run()
    app.query_params.update(QUERIES[page])
    app.switch_page(f"pages/{page}.py").run()
    said = set()
    with guard() as case:
        for n in range(CASES[page]):
            name = rng.choice([*MARKUP, *PLACES, "file.xlsx", "~$x.xlsx"])
            given = name, rng.choice(MAKERS[page])(rng), "application/octet-stream"
            with case((n, name)):
                door = app.get("file_uploader")[0]
                door.set_value([given] if door.accept_multiple_files else given)
                app.run()
                assert not app.exception
                assert not made_something_of(app)
                kinds = (app.error, app.warning, app.success)
                said |= {alert.value[-60:] for kind in kinds for alert in kind}
    assert len(said) > 1
