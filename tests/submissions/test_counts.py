"""Every variant of every shipped submission costs what its formula says, and answers what NumPy answers."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from sparsebench.models import find_submission, shipped_names
from sparsebench.tasks import Split, load_task
from submissions.formulas import FORMULAS, Sizes, expected
from submissions.shipped import NAMES, ROOT, SMALL, Metered, answers, columns, make, metered

BATCH = 64
MOST_TRAIN = 2048  # enough for every fit to be regular, few enough to be quick
CASES = [
    pytest.param(name, ref, variant.name, id=f"{name}-{variant.name}-{ref.partition('@')[0]}")
    for name in NAMES
    for folder in [find_submission(str(ROOT / name))]
    for ref in folder.manifest.tasks
    for variant in folder.variants()
]


@functools.cache
def instance(ref: str) -> tuple[Split, Split]:
    loaded = load_task(ref).load(SMALL[ref])
    return part(loaded.train, slice(MOST_TRAIN)), loaded.test


def part(rows: Split, which: slice) -> Split:
    return Split(**{name: values[which] for name, values in rows.columns.items()})


def settings_of(name: str, variant: str) -> dict[str, object]:
    return find_submission(str(ROOT / name)).variants((variant,))[0].settings


@functools.cache
def fitted(name: str, ref: str, variant: str) -> dict[str, np.ndarray]:
    train, _ = instance(ref)
    info = load_task(ref).info[SMALL[ref]]
    return make(name, info, **settings_of(name, variant)).fit(train, train, np.random.default_rng(0))


def run(name: str, ref: str, variant: str, rows: slice) -> Metered:
    """Meter a submission that has never been fitted: the parameters are the whole model."""
    unfitted = make(name, load_task(ref).info[SMALL[ref]], **settings_of(name, variant))
    shown = part(instance(ref)[1], rows)
    return metered(unfitted, fitted(name, ref, variant), shown.x, shown.tag)


def by_hand(name: str, ref: str, variant: str) -> dict[str, int]:
    train, info = instance(ref)[0], load_task(ref).info[SMALL[ref]]
    positions = info.input_shape[0] if len(info.input_shape) > 1 else 0
    sizes = Sizes(len(train), train.x[0].size, info.classes or 0, info.domains or 0, positions)
    return expected(name, settings_of(name, variant), sizes)


def test_every_shipped_submission_has_a_formula():
    assert sorted(FORMULAS) == NAMES == shipped_names()


@pytest.mark.parametrize(("name", "ref", "variant"), CASES)
def test_one_input_costs_what_the_formula_says(name, ref, variant):
    assert columns(run(name, ref, variant, slice(0, 1))) == by_hand(name, ref, variant)


@pytest.mark.parametrize(("name", "ref", "variant"), CASES)
def test_a_batch_costs_as_much_per_input_as_one_input(name, ref, variant):
    counted = columns(run(name, ref, variant, slice(0, BATCH)))
    once = by_hand(name, ref, variant)
    for batch_independent in ("stored_parameters", "loaded_parameters"):
        del once[batch_independent], counted[batch_independent]
    assert counted == {column: BATCH * count for column, count in once.items()}


@pytest.mark.parametrize(("name", "ref", "variant"), CASES)
def test_metered_answers_equal_plain_ones(name, ref, variant):
    unfitted = make(name, load_task(ref).info[SMALL[ref]], **settings_of(name, variant))
    plain = answers(unfitted, fitted(name, ref, variant), part(instance(ref)[1], slice(BATCH)))
    told = run(name, ref, variant, slice(0, BATCH)).answers
    assert plain.shape == told.shape == (BATCH,)
    assert plain.dtype == told.dtype
    np.testing.assert_allclose(told, plain, rtol=1e-12, atol=rounding(name, ref, variant))


@pytest.mark.parametrize(("name", "ref", "variant"), CASES)
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
