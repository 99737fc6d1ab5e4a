"""Random programs: the meter's ledger against the slow counter, which really does every operation."""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meter.metered import Meter
from meter.programs import annotated, elementwise, indexing, products, reductions, rows, shapes
from meter.programs.program import Program
from meter.slow.table import SLOW
from ops.specimen import Specimen, specimen_files
from sparsebench import ops
from sparsebench.meter.rules import RULES

TOPICS = (annotated, elementwise, indexing, products, reductions, shapes)
DRAWS = {name: draw for topic in TOPICS for name, draw in topic.DRAWS.items()}
"""How the arguments of a rule are drawn."""

_FACTORIZATIONS = "counted as executed by test_factorization_counts.py"
_TRANSFORMS = "a formula of N log N, held against transforms by test_fft.py"
EXCUSED = {
    **{f"linalg.{name}": _FACTORIZATIONS for name in ("cholesky", "det", "inv", "qr", "slogdet", "solve")},
    **{f"fft.{name}fft": _TRANSFORMS for name in ("", "i", "r", "ir", "h", "ih")},
    **{f"fft.{name}fftn": _TRANSFORMS for name in ("", "i", "r", "ir")},
    "imag": "of complex numbers alone, which test_complex.py counts",
}
"""Rules that programs do not draw, and why."""

NAMES = sorted(DRAWS)

pytestmark = pytest.mark.no_cover  # what chance reaches covers nothing, and tracing takes most of the time


def test_the_slow_counter_is_on_its_own():
    """A mistake in the rule table cannot hide in what it is held against."""
    here = Path(__file__).parent
    beside = (here / "scalars.py", here / "operands.py", Path(inspect.getfile(Specimen)))
    for file in (*beside, *(here / "slow").glob("*.py"), *specimen_files()):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [getattr(node, "module", ""), *(alias.name for alias in node.names)]
                assert not any(name.startswith("sparsebench") for name in names), file


def test_every_rule_has_a_slow_count_or_an_excuse():
    assert DRAWS.keys() == SLOW.keys()
    assert not DRAWS.keys() & EXCUSED.keys()
    assert DRAWS.keys() | EXCUSED.keys() == RULES.keys(), "an operation needs a slow count"


def _step(program, name):
    args, kwargs = DRAWS[name](program)
    return program.call(name, *args, **kwargs)


def _steer(program):
    """``if xp.any(x)``: one of two operations, by a bit that leaves the meter."""
    asked = program.call(program.choose(["any", "all"]), program.array())
    names = program.choose(NAMES), program.choose(NAMES)
    _step(program, names[program.bit(asked)])


def _ask(program):
    program.tell_shape(program.array())


def _run(data, steps):
    program = Program(data)
    try:
        with np.errstate(all="ignore"):
            for step in steps:
                step(program)
            program.check()
    except Exception as error:
        error.add_note("\n".join(["the program:", *program.lines]))
        raise


_VIEWS = ("flip", "getitem", "matrix_transpose", "permute_dims")
"""What makes looks at memory that lies otherwise: drawn more often."""
_KINDS_OF_STEPS = (
    *[lambda program: _step(program, program.choose(NAMES))] * 8,
    lambda program: _step(program, program.choose(_VIEWS)),
    lambda program: _step(program, program.choose(("getitem", "setitem"))),
    _steer,
    _ask,
)


def _drawn_step(program):
    program.choose(_KINDS_OF_STEPS)(program)


@settings(max_examples=300)
@given(data=st.data(), length=st.integers(1, 8))
def test_programs_cost_what_their_numbers_cost(data, length):
    _run(data, [_drawn_step] * length)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=10)
@given(data=st.data())
def test_operations_cost_what_their_numbers_cost(name, data):
    """Every operation is drawn, twice in a row: the second works on results too."""
    _run(data, [lambda program: _step(program, name)] * 2)


@settings(max_examples=1)
@given(data=st.data())
def test_narrow_numbers_round_on_the_way_to_wide_ones(data):
    """An activation of float32 under a bias of float64."""
    narrow = np.array([[3.5], [1.5]]), np.zeros((1, 3, 0)), np.array([[3.5, 1.5, 0.5]]), [[[2.5, 4.5, -2.0]]]
    program = Program(data)
    gates, *layers = (program.put(np.asarray(array, np.float32)) for array in narrow)
    x, bias = program.put(np.zeros((2, 0), np.float32)), program.put(np.array([[3.5]]))
    program.call(ops.merged_mlp.name, x, gates, *layers, bias, activation="swish")
    program.check()


def _answers(meter, x, program):
    """Charges and answers of a batch."""
    state = rows.Rows(meter, x)
    for name in program:
        rows.step(state, name)
    return Counter(meter.charges()), [meter.get(answer).copy() for answer in state.answers()]


@settings(max_examples=150)
@given(
    program=st.lists(st.sampled_from(rows.STEPS), min_size=1, max_size=8),
    n=st.integers(0, 20),
    wide=st.booleans(),
    seed=st.integers(0, 999),
)
def test_batches_agree(program, n, wide, seed):
    """Inputs one by one, in sevens and all at once: the same counts, and the same bits."""
    x = np.random.default_rng(seed).standard_normal((n, rows.D)).astype(np.float64 if wide else np.float32)
    meter = Meter(rows.PARAMETERS)
    whole, together = _answers(meter, x, program)
    for size in (1, 7):
        parts = [_answers(meter, x[start : start + size], program) for start in range(0, n, size)]
        assert sum((charges for charges, _ in parts), Counter()) == whole
        for place, answer in enumerate(together):
            apart = [answers[place] for _, answers in parts]
            np.testing.assert_array_equal(np.concatenate([answer[:0], *apart]), answer)


@pytest.mark.parametrize("name", rows.STEPS)
def test_every_step_of_rows_runs_alone(name):
    x = np.random.default_rng(1).standard_normal((3, rows.D))
    charges, (answer, *_) = _answers(Meter(rows.PARAMETERS), x, [name, "abs"])
    assert charges
    assert answer.shape == x.shape
