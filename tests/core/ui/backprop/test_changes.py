import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ui.backprop.schedule import _applied
from core.ui.backprop.settings import settings

CHANGES = settings.spec("changes")
EPOCHS, RATES = st.integers(1, 10_000), st.floats(0, 1000)


@given(st.dictionaries(EPOCHS, RATES, max_size=50))
def test_changes_survive_the_address_to_the_last_digit(found):
    changes = tuple(sorted(found.items()))
    assert CHANGES.parse(CHANGES.format(changes)) == changes


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("20", "“20” is no change. Enter epoch=η, as in 20=0.5, separated by spaces."),
        ("20=x", "“x” is not a number. Enter a number from 0 to 1000."),
        ("20=1e308", "1e308 is out of range."),
        ("0=1", "0 is out of range. Enter a whole number from 1 to 10000."),
        ("2.5=1", "“2.5” is not a whole number."),
        (" ".join(f"{k}=1" for k in range(1, 52)), "Enter at most 50 changes; found 51."),
    ],
)
def test_what_is_no_change_is_answered_with_a_sentence(text, sentence):
    values, (complaint,) = settings.read({"changes": text, "w2": "0.75"})
    assert values["changes"] == ()
    assert values["w2"] == 0.75
    assert sentence in complaint


def edits(edited=None, added=(), deleted=()):
    return {"edited_rows": edited or {}, "added_rows": list(added), "deleted_rows": list(deleted)}


def test_a_person_s_edits_are_applied_to_the_rows_they_were_made_on():
    began = ((5, 0.5), (9, 0.1))
    assert _applied(began, edits()) == (began, 0)
    assert _applied(began, edits({1: {"η": 2}}))[0] == ((5, 0.5), (9, 2.0))
    assert _applied(began, edits({0: {"from epoch": 20}}))[0] == ((9, 0.1), (20, 0.5))
    assert _applied(began, edits(deleted=[0])) == (((9, 0.1),), 0)
    added = edits(added=[{"from epoch": 7, "η": 3}])
    assert _applied(began, added) == (((5, 0.5), (7, 3.0), (9, 0.1)), 0)


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"from epoch": 7},
        {"η": 1.0},
        {"from epoch": None, "η": 1.0},
        {"from epoch": 0, "η": 1},
        {"from epoch": 7, "η": -1},
        {"from epoch": 7, "η": float("nan")},
    ],
)
def test_a_row_that_is_not_whole_or_out_of_range_changes_nothing(row):
    assert _applied(((5, 0.5),), edits(added=[row])) == (((5, 0.5),), 0)


def test_of_two_at_one_epoch_the_later_counts():
    assert _applied(((5, 0.5),), edits(added=[{"from epoch": 5, "η": 2}])) == (((5, 2.0),), 1)


def test_a_row_too_many_is_the_one_left_out():
    began = tuple((epoch, 1.0) for epoch in range(2, 52))
    assert _applied(began, edits(added=[{"from epoch": 1, "η": 2}])) == (began, 1)
