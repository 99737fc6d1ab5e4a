"""Every parameter of a rule says what it takes; a rule that does not is refused with the mend."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sparsebench.meter.rules import Plan, Rule, check_arguments, typed
from sparsebench.meter.rules.arguments import kinds_of
from sparsebench.meter.rules.kinds import Array, Real
from sparsebench.ops.core.kinds import ARRAY, REAL

if TYPE_CHECKING:
    from collections.abc import Sequence


def shifted(x: Array, /, *, margin: Real = 0.0) -> Any:
    return x + margin


def unsaid(x: Array, /, *, margin: float = 0.0) -> Any:
    return x + margin


def half_said(x: Array, /, *, margin: Real | None = None) -> Any:
    return x if margin is None else x + margin


def not_there(x: Array, /, *, axes: Sequence[int] = ()) -> Any:
    return np.sum(x, axis=tuple(axes))


def rule(run, **more):
    return Rule("shifted", run, lambda *_, **__: Plan((), 0), "0", "xp.shifted(x)", **more)


def test_a_parameter_takes_what_its_annotation_says():
    made = rule(shifted)
    assert [typed(made, name) for name in ("x", "margin")] == ["Array", "float"]
    check_arguments(made, (np.ones(2),), {"margin": 0.5})
    with pytest.raises(TypeError, match="shifted: expected margin to be a real Python number, got an array"):
        check_arguments(made, (np.ones(2),), {"margin": np.ones(2)})


@pytest.mark.parametrize("run", [unsaid, half_said])
def test_a_rule_whose_parameter_has_no_kind_is_refused_with_the_mend(run):
    with pytest.raises(TypeError) as refused:
        kinds_of(rule(run))
    said = str(refused.value)
    line = inspect.getsourcelines(run)[1]
    assert said.startswith("rule shifted: its parameter margin has no kind; ")
    assert f"in {Path(__file__)}, line {line}, write `margin: Array`, or what else it takes" in said
    assert "sparsebench/meter/rules/kinds.py" in said


def test_an_annotation_that_is_not_there_at_runtime_is_told():
    with pytest.raises(TypeError, match=r"rule shifted: .*'Sequence'.* import it outside `if TYPE_CHECKING`"):
        kinds_of(rule(not_there))


def test_a_rule_may_be_given_its_kinds_from_elsewhere():
    with pytest.raises(TypeError, match="margin has no kind; write one for 'margin' into its `kinds`"):
        kinds_of(rule(shifted, kinds={"x": ARRAY}))
    made = rule(unsaid, kinds={"x": ARRAY, "margin": REAL})
    assert [typed(made, name) for name in ("x", "margin")] == ["Array", "float"]
