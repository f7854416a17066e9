"""What a server lets its visitors do, and who may change a run."""

import math

import pytest

from core.mnist.policy import LEAST_TOKEN, mark, policy
from core.mnist.run_folder import RunError

SECRET = "a long secret"  # noqa: S105 (of no server)


def test_a_machine_of_ones_own_allows_everything(monkeypatch):
    for name in ("TRAINING", "AT_ONCE", "WAITING", "MINUTES", "ADMIN", "CLUSTER"):
        monkeypatch.setenv(f"RUNS_{name}", "")
    allowed = policy()
    assert allowed.training
    assert (allowed.at_once, allowed.waiting, allowed.minutes) == (1, 4, math.inf)
    assert allowed.cluster == ""
    assert allowed.may_change("", [])
    assert allowed.may_change(mark("another"), [])


def test_each_variable_is_read(monkeypatch):
    given = {"TRAINING": "OFF", "AT_ONCE": " 2", "WAITING": "0", "MINUTES": "2.5", "ADMIN": SECRET}
    given["CLUSTER"] = "tls://[fe80::1]:8786"
    for name, value in given.items():
        monkeypatch.setenv(f"RUNS_{name}", value)
    allowed = policy()
    assert not allowed.training
    assert (allowed.at_once, allowed.waiting, allowed.minutes) == (2, 0, 2.5)
    assert allowed.admin == SECRET
    assert allowed.cluster == given["CLUSTER"]


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("RUNS_TRAINING", ["no", "0", "<b>"], "“on” or “off”"),
        ("RUNS_AT_ONCE", ["two", "0", "-1", "1.5", "1000", "٣", "9" * 5000], "from 1 to 999"),
        ("RUNS_WAITING", ["many", "-1", "1e2"], "from 0 to 999"),
        (
            "RUNS_CLUSTER",
            ["on", "scheduler:8786", "http://a:1", "tcp://a", "tcp://a:b"],
            "as in tcp:",
        ),
        ("RUNS_MINUTES", ["long", "0", "-3", "nan"], "a number above 0"),
    ],
)
def test_a_wrong_value_is_a_sentence(monkeypatch, name, wrong, said):
    for value in wrong:
        monkeypatch.setenv(name, value)
        with pytest.raises(RunError) as raised:
            policy()
        assert str(raised.value).startswith(f"{name} is “{value[:30]}”; it is ")
        assert said in str(raised.value)


def test_a_token_that_can_be_guessed_is_refused_and_not_printed(monkeypatch):
    monkeypatch.setenv("RUNS_ADMIN", "s3cret")
    with pytest.raises(RunError, match=f"at least {LEAST_TOKEN} characters") as raised:
        policy()
    assert "s3cret" not in str(raised.value)


def test_a_run_is_changed_by_its_owner_or_an_administrator(monkeypatch):
    monkeypatch.setenv("RUNS_ADMIN", SECRET)
    allowed = policy()
    assert allowed.may_change(mark("mine"), ["mine"])
    assert allowed.may_change(mark("mine"), ["another", SECRET])
    assert allowed.may_change("", [SECRET])
    assert not allowed.may_change(mark("mine"), ["another", ""])
    assert not allowed.may_change("", ["", mark("")])
    assert not allowed.may_change(mark("mine"), [mark("mine")])
