"""Every variant of every shipped submission costs what its formula says, and answers what NumPy answers."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sparsebench.models import find_submission, shipped_names
from sparsebench.tasks import Split, load_task
from submissions.formulas import FORMULAS, expected, rows_of, varies
from submissions.shipped import NAMES, ROOT, Metered, answers, columns, make, metered, small
from submissions.sizes import Sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sparsebench.models import SubmissionFolder
    from sparsebench.tasks import TaskInfo

BATCH = 64


def cases(folder: SubmissionFolder) -> Iterator[tuple[str, str]]:
    """Give every variant on the first of its tasks; on the others the first and the last variant."""
    first, *others = folder.manifest.tasks
    names = [variant.name for variant in folder.variants()]
    yield from ((first, name) for name in names)
    yield from ((ref, name) for ref in others for name in dict.fromkeys((names[0], names[-1])))


CASES = [
    pytest.param(name, ref, variant, id=f"{name}-{variant}-{ref.partition('@')[0]}")
    for name in NAMES
    for ref, variant in cases(find_submission(str(ROOT / name)))
]
# By module: the tests of a case come one after the other, so that few workers fit it.
on_every_case = pytest.mark.parametrize(("name", "ref", "variant"), CASES, scope="module")


@functools.cache
def task_info(ref: str) -> TaskInfo:
    return load_task(ref).info[small(ref)]


@functools.cache
def instance(ref: str, rows: int) -> tuple[Split, Split]:
    loaded = load_task(ref).load(small(ref))
    return part(loaded.train, slice(rows)), loaded.test


def part(rows: Split, which: slice) -> Split:
    return Split(**{name: values[which] for name, values in rows.columns.items()})


def settings_of(name: str, variant: str) -> dict[str, object]:
    return find_submission(str(ROOT / name)).variants((variant,))[0].settings


@functools.cache
def fitted(name: str, ref: str, variant: str) -> dict[str, np.ndarray]:
    """Fit a variant, or the one whose model it takes."""
    (named,) = find_submission(str(ROOT / name)).variants((variant,))
    if named.fit is not None:
        return fitted(name, ref, named.fit)
    train, _ = instance(ref, rows_of(name))
    info = task_info(ref)
    return make(name, info, **named.settings).fit(train, train, np.random.default_rng(0))


def run(name: str, ref: str, variant: str, rows: slice) -> Metered:
    """Meter a submission that has never been fitted: the parameters are the whole model."""
    unfitted = make(name, task_info(ref), **settings_of(name, variant))
    shown = part(instance(ref, rows_of(name))[1], rows)
    return metered(unfitted, fitted(name, ref, variant), shown.x, shown.tag)


def by_hand(name: str, ref: str, variant: str, row: int = 0) -> dict[str, int]:
    """Price an input of the test split by the formula."""
    (train, test), info = instance(ref, rows_of(name)), task_info(ref)
    positions = info.input_shape[0] if len(info.input_shape) > 1 else 0
    sizes = Sizes(len(train), train.x[0].size, info.classes or 0, info.domains or 0, positions)
    given = (fitted(name, ref, variant), test.x[row]) if varies(name) else ()
    return expected(name, settings_of(name, variant), sizes, *given)


def test_every_shipped_submission_has_a_formula():
    assert sorted(FORMULAS) == NAMES == shipped_names()


@on_every_case
def test_one_input_costs_what_the_formula_says(name, ref, variant):
    assert columns(run(name, ref, variant, slice(0, 1))) == by_hand(name, ref, variant)


@on_every_case
def test_a_batch_costs_as_much_per_input_as_one_input(name, ref, variant):
    counted = columns(run(name, ref, variant, slice(0, BATCH)))
    apart = [by_hand(name, ref, variant, row) for row in range(BATCH if varies(name) else 1)]
    for batch_independent in ("stored_parameters", "loaded_parameters"):
        del counted[batch_independent]
    sums = {column: sum(once[column] for once in apart) for column in counted}
    assert counted == {column: BATCH // len(apart) * count for column, count in sums.items()}


@on_every_case
def test_metered_answers_equal_plain_ones(name, ref, variant):
    unfitted = make(name, task_info(ref), **settings_of(name, variant))
    rows = part(instance(ref, rows_of(name))[1], slice(BATCH))
    plain = answers(unfitted, fitted(name, ref, variant), rows)
    told = run(name, ref, variant, slice(0, BATCH)).answers
    assert plain.shape == told.shape == (BATCH,)
    assert plain.dtype == told.dtype
    np.testing.assert_allclose(told, plain, rtol=1e-12, atol=rounding(name, ref, variant))


@on_every_case
def test_an_answer_does_not_depend_on_the_rows_beside_it(name, ref, variant):
    together = run(name, ref, variant, slice(0, BATCH)).answers
    for row in (0, 1, BATCH - 1):
        alone = run(name, ref, variant, slice(row, row + 1)).answers
        assert alone[0] == together[row]


def rounding(name: str, ref: str, variant: str) -> float:
    """Bound the difference that another order of summation makes: 1e-12, or more where large terms cancel."""
    if name != "one-hidden-layer":
        return 1e-12
    params = fitted(name, ref, variant)
    weights = np.abs(np.concatenate([params["left_weights"], params["right_weights"]]))
    return float(np.finfo(np.float64).eps * weights.sum() * np.ptp(params["left"]) * 4)
