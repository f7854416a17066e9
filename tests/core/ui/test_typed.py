import pytest

from core.ui.settings import Numbers
from core.ui.typed import numbers_in, typed_number

RATES = Numbers("rates", (1.0,), 0, 1000, most=12)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5", 0.5),
        ("0,5", 0.5),
        ("−0.5", -0.5),
        ("–0,5", -0.5),
        ("+.5", 0.5),
        ("1/2", 0.5),
        ("1 / 3", 1 / 3),
        ("½", 0.5),
        ("1e-3", 0.001),
        ("1E−3", 0.001),
        ("\N{NO-BREAK SPACE}5 ", 5.0),
        ("٠٫٥", 0.5),
        ("۱۲", 12.0),
        ("०.५", 0.5),
        ("－０．５", -0.5),
        ("\u200e7\u200f", 7.0),
        ("0.12345678901234567", 0.12345678901234567),
    ],
)
def test_a_number_is_taken_as_people_write_it(text, value):
    assert typed_number(text) == value


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "abc", "1.000,5", "1,000,000", "2²", "1½", "1_000", "0x10", "nan", "inf"),
        *("--1", "1/0", "1/2/3", "1 2", "5 %", "0,5a", "1e", "π"),
    ],
)
def test_what_is_no_number_is_none_of_it(text):
    assert typed_number(text) is None


def test_a_whole_number_is_whole_and_has_no_comma_that_could_part_thousands():
    assert typed_number("１２", whole=True) == 12
    assert isinstance(typed_number("100/4", whole=True), int)
    for text in ("1,000", "2,5", "2.5", "1/3"):
        assert typed_number(text, whole=True) is None


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("0,5", (0.5,)),
        ("1,5 2,5", (1.5, 2.5)),
        ("0.1, 0.2; 0.5", (0.1, 0.2, 0.5)),
        ("0.1,0.2,0.5", (0.1, 0.2, 0.5)),
        ("0,1; 0,2", (0.1, 0.2)),
        ("0,1, 0,2", (0.1, 0.2)),
        ("1,2,5", (1.0, 2.0, 5.0)),
        ("1/2 1 / 4", (0.25, 0.5)),
        ("٠٫١، ٠٫٢", (0.1, 0.2)),
    ],
)
def test_a_list_of_rates_is_taken_as_people_write_it(text, rates):
    assert RATES.parse(text) == rates
    assert RATES.parse(RATES.format(rates)) == rates


def test_a_comma_before_nothing_is_no_number():
    assert numbers_in("1, ; 2,") == ["1", "2"]
