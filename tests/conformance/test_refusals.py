"""The list of what may fail in the conformance suite says why, and says nothing that is not so."""

from __future__ import annotations

import operator
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from conformance.open_meter import PARTLY
from meter.metered import furnished
from sparsebench.errors import UncountedOperationError
from sparsebench.meter.rules import REFUSED

FILE = Path(__file__).with_name("refusals.txt")
REFUSES = "# refuses: "
TEST = re.compile(r"array_api_tests/(test_\w+\.py)::(test_\w+)(\[.+\])?")


class Group(NamedTuple):
    reason: str
    calls: list[str]
    tests: list[str]


def _group(block):
    lines = block.splitlines()
    calls = [line.removeprefix(REFUSES) for line in lines if line.startswith(REFUSES)]
    reason = [line for line in lines if line.startswith("#") and not line.startswith(REFUSES)]
    tests = [line for line in lines if not line.startswith("#")]
    assert lines == reason + [REFUSES + call for call in calls] + tests
    return Group("\n".join(reason), calls, tests)


HEAD, *BLOCKS = FILE.read_text(encoding="utf-8").strip().split("\n\n")
GROUPS = [_group(block) for block in BLOCKS]


def _tested(test):
    """The word by which a test's operation is known: in brackets, or at the end of the test's name."""
    _, name, case = TEST.fullmatch(test).groups()
    word = re.match(r"\[(\w+)", case)[1] if case else name
    return word.strip("_").removeprefix("test_").removeprefix("dunder_").removeprefix("from_")


def test_the_head_is_a_comment():
    assert all(line.startswith("# ") for line in HEAD.splitlines())


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.calls[0])
def test_every_group_has_a_reason_and_well_formed_tests(group):
    assert "docs/cost-model.md" in group.reason
    assert "Instead: " in group.reason
    assert group.calls
    assert group.tests
    assert all(TEST.fullmatch(test) for test in group.tests)
    assert group.tests == sorted(group.tests)


def test_no_test_is_listed_twice():
    tests = [test for group in GROUPS for test in group.tests]
    assert len(set(tests)) == len(tests)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.calls[0])
def test_a_group_lists_tests_of_what_it_refuses_alone(group):
    words = {word.strip("_") for call in group.calls for word in re.findall(r"\w+", call)}
    assert {_tested(test) for test in group.tests} <= words


@pytest.mark.parametrize("call", [call for group in GROUPS for call in group.calls])
def test_what_is_listed_is_refused(call):
    meter = furnished()
    with pytest.raises(UncountedOperationError) as caught:
        eval(call, {"operator": operator, "xp": meter.xp, "x": meter.x, "n": meter.n})
    assert caught.value.help


def test_what_is_refused_altogether_is_listed():
    listed = " ".join(call for group in GROUPS for call in group.calls)
    assert [name for name in REFUSED if f"xp.{name}(" not in listed] == ["astype-integer"]


PARTS = {
    "astype": [(("x", "int64"), {}), (("x", "uint8"), {"copy": False})],
    "linalg.matrix_norm": [(("w",), {"ord": order}) for order in (2, -2, "nuc")],
    "repeat": [(("x", "n"), {}), (("x", "n"), {"axis": 0})],
}
PRICED = {
    "astype": [(("x", "float64"), {}), (("n", "int8"), {}), (("x", "bool"), {})],
    "linalg.matrix_norm": [(("w",), {}), *((("w",), {"ord": order}) for order in (1, -1, "fro"))],
    "repeat": [(("x", 2), {}), (("x", 2), {"axis": 0})],
}


def _arguments(meter, names):
    arrays = {"x": meter.x, "n": meter.n, "w": meter.params["w"]}
    return [arrays.get(name, name) for name in names]


@pytest.mark.parametrize("name", PARTLY)
def test_what_the_suite_may_not_draw_is_what_is_refused(name):
    meter = furnished()
    for names, keywords in PARTS[name]:
        arguments = _arguments(meter, names)
        assert PARTLY[name](*arguments, **keywords)
        with pytest.raises((UncountedOperationError, TypeError)):
            meter.xp.call(name, *arguments, **keywords)
    for names, keywords in PRICED[name]:
        arguments = _arguments(meter, names)
        assert not PARTLY[name](*arguments, **keywords)
        assert meter.xp.call(name, *arguments, **keywords) is not None
