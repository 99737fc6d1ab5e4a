"""What is run at which level of the sandbox, what is refused, and what the rows say of it."""

import json
import sys

import pytest

from evaluate.tiny import plain, write
from sparsebench.evaluate.host.levels import LEVEL_VARIABLE, Measured, mends

CELL = ("--instances", "n256-r4", "--seeds", "1")


@pytest.fixture
def _nothing_holds(monkeypatch):
    monkeypatch.setenv(LEVEL_VARIABLE, "none")


@pytest.mark.usefixtures("_nothing_holds")
def test_strangers_are_refused_where_nothing_holds_them(cli, here):
    write(here / "mine", plain())
    outcome = cli("eval", "mine", *CELL)
    assert outcome.code == 3
    assert "nothing holds a submission's code" in outcome.err
    assert "--unsafe-no-sandbox" in outcome.err
    assert "Traceback" not in outcome.err
    assert not list((here / "sparsebench-results").rglob("*.parquet"))


@pytest.mark.usefixtures("_nothing_holds")
def test_they_run_where_somebody_insists_and_the_row_says_so(cli, here):
    write(here / "mine", plain())
    outcome = cli("eval", "mine", *CELL, "--unsafe-no-sandbox", "--json")
    assert outcome.code == 0, outcome.err
    assert [row["sandbox"] for row in json.loads(outcome.out)] == ["none"]
    assert "warning: nothing held" in outcome.err


@pytest.mark.usefixtures("_nothing_holds")
def test_what_is_shipped_runs_there_with_a_word(cli):
    outcome = cli("eval", "constant", *CELL, "--json")
    assert outcome.code == 0, outcome.err
    assert [row["sandbox"] for row in json.loads(outcome.out)] == ["none"]
    assert "warning: nothing held" in outcome.err


@pytest.mark.usefixtures("_nothing_holds")
def test_a_shipped_name_is_no_pass_for_other_code(cli, here):
    write(here / "constant", plain())
    assert cli("eval", "./constant", *CELL).code == 3


@pytest.mark.usefixtures("_nothing_holds")
@pytest.mark.parametrize("level", ["restricted", "isolated"])
def test_a_level_that_is_required_is_required_of_all(cli, level):
    outcome = cli("eval", "constant", *CELL, "--require-sandbox", level, "--unsafe-no-sandbox")
    assert outcome.code == 3
    assert f"expected a sandbox of level {level}, got none" in outcome.err
    assert "sparsebench doctor" in outcome.err


@pytest.mark.skipif(sys.platform != "linux", reason="there are no walls but on Linux")
def test_the_level_can_be_held_down(cli, monkeypatch):
    monkeypatch.setenv(LEVEL_VARIABLE, "restricted")
    outcome = cli("eval", "constant", *CELL, "--json", "--require-sandbox", "restricted")
    assert outcome.code == 0, outcome.err
    assert [row["sandbox"] for row in json.loads(outcome.out)] == ["restricted"]


def test_a_level_that_there_is_not_is_a_mistake(cli, monkeypatch):
    monkeypatch.setenv(LEVEL_VARIABLE, "iron")
    outcome = cli("eval", "constant", *CELL)
    assert outcome.code == 3
    assert "expected one of none, restricted, isolated, got 'iron'" in outcome.err


@pytest.mark.parametrize("level", ["none", "restricted", "isolated"])
def test_what_would_raise_the_level_is_said(level):
    said = mends(Measured(level, {}, {"restricted": "not held: tcp"} if level == "none" else {}))
    assert bool(said) == (level != "isolated")


def test_doctor_prints_every_canary(cli):
    outcome = cli("doctor", "--json")
    told = json.loads(outcome.out)["sandbox"]
    assert told["level"] in {"none", "restricted", "isolated"}
    assert {"read-files", "udp", "keyrings", "fork-bomb"} <= told["canaries"].keys()
    if told["level"] != "none":
        assert all(
            canary[told["level"]] or canary[told["level"]] is False for canary in told["canaries"].values()
        )
        assert told["canaries"]["udp"][told["level"]] is True
    printed = cli("doctor").out
    assert f"Sandbox of submissions: {told['level']}." in printed
    assert "opens a UDP socket" in printed
