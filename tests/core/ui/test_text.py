import pytest

from core.ui.text import cut, plain


def test_what_is_long_is_cut_and_what_is_short_is_not():
    assert cut("a" * 40) == "a" * 40
    assert cut("a" * 41) == "a" * 40 + "…"


@pytest.mark.parametrize(
    "text", ["https://e.org", "www.e.org", "a@e.org", ":smile:", ":material/x:"]
)
def test_no_run_of_letters_is_left_that_a_browser_would_make_more_of(text):
    assert text not in plain(text).replace("\\", "")
    assert plain(text).replace("\\", "").replace("\N{WORD JOINER}", "") == text


def test_lines_become_one_and_unbreakable_blanks_stay():
    assert plain("a\n\n# b") == "a \\# b"
    assert plain("w1\N{NO-BREAK SPACE}= 5") == "w1\N{NO-BREAK SPACE}= 5"
