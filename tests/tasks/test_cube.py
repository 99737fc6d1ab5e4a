"""cube@1: targets against formulas written out here, rows, oracles under the meter, and Fourier weights."""

from __future__ import annotations

import functools
import importlib
import math
from fractions import Fraction
from itertools import chain, combinations
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sparsebench as sb
from reports import cube_figures
from sparsebench.tasks import list_tasks, load_task
from sparsebench.tasks.importing import imported_generator
from sparsebench.tasks.records import SPLITS
from sparsebench.tasks.streams import stream

TASK = load_task("cube@1")
SPECS = TASK.instances
NAMES = list(SPECS)
SMALL = ["parity-k2-n12", "address-k2-n12"]
ADDRESSES = ["address-k2-n12", "address-k3-n20"]
ROWS = {"train": 16384, "valid": 2048, "test": 4096}
FEW = {"train": 1792, "valid": 256, "test": 1024}
OPERATIONS = {
    "parity-k2-n12": 1,
    "parity-k3-n20": 2,
    "parity-k5-n32": 4,
    "address-k2-n12": 2 + 1 + 2 + 1,
    "address-k3-n20": 2 + 1 + 3 + 2,
    "conjunction-k6-n32": 4 + 1,
    "dnf-t8-k4-n32": 8 * 3 + 7,
    "junta-k6-n64": 6 + 5 + 1,
}
with imported_generator(TASK.folder) as GENERATE:
    TARGETS, INPUTS, ORACLE, FOURIER = map(importlib.import_module, ("targets", "rows", "oracle", "fourier"))

every_instance = pytest.mark.parametrize("name", NAMES)


def width(name):
    return int(name.rpartition("-n")[2])


def target(name, seed=None):
    return TARGETS.DRAWS[name](stream("cube@1", name, SPECS[name].seed if seed is None else seed, "target"))


@functools.cache
def stored(name):
    return TASK.load(name)


@functools.cache
def whole(name):
    """All rows of an instance: inputs, labels, and tags or zeros."""
    splits = [getattr(stored(name), split) for split in SPLITS]
    tags = [np.zeros(len(split), np.int64) if split.tag is None else split.tag for split in splits]
    return (*(np.concatenate([getattr(split, column) for split in splits]) for column in "xy"),
            np.concatenate(tags))  # fmt: skip


def every_input(n):
    """The whole cube: ``(2^n, n)`` float32."""
    return (2 * ((np.arange(1 << n)[:, None] >> np.arange(n)) & 1) - 1).astype(np.float32)


def by_hand(name, x, function):
    """Label inputs from what they are called, and from what was drawn for them."""
    kind = name.partition("-")[0]
    if kind == "parity":
        return x[:, function.places].prod(axis=1) == -1
    if kind == "address":
        high, low = (x[:, place] == 1 for place in function.address)
        products = np.stack([x[:, places].prod(axis=1) for places in function.places])
        return products[2 * high + low, np.arange(len(x))] == -1
    if kind == "junta":
        rows = ["".join("01"[int(bit == 1)] for bit in row) for row in x[:, function.places]]
        return function.table[[int(row, 2) for row in rows]] == 1
    wanted = 2 * function.values - 1
    return np.any([(x[:, p] == w).all(axis=1) for p, w in zip(function.places, wanted, strict=True)], axis=0)


@every_instance
def test_files_are_as_the_manifest_says(name):
    spec = SPECS[name]
    assert spec.input_shape == (width(name),)
    start = 0
    for split, rows in (FEW if width(name) == 12 else ROWS).items():
        columns = getattr(stored(name), split).columns
        ids = getattr(stored(name), split).id
        np.testing.assert_array_equal(ids, np.arange(start, start + rows))
        assert columns["x"].shape == (rows, width(name))
        assert set(np.unique(columns["x"])) == {-1, 1}
        assert (columns["x"].dtype, columns["y"].dtype) == (np.float32, np.int64)
        assert ("tag" in columns) is bool(spec.domains) is (name in ADDRESSES)
        # The best constant is right for half of the rows, in every domain.
        kinds = 2 * columns.get("tag", np.zeros(rows, np.int64)) + columns["y"]
        assert np.bincount(kinds).tolist() == [rows // (8 if spec.domains else 2)] * (
            8 if spec.domains else 2
        )
        assert (kinds[:-1] != kinds[1:]).mean() > 0.3, "in random order"
        start += rows


@every_instance
def test_labels_and_domains_follow_from_the_formula(name):
    x, y, tag = whole(name)
    function = target(name)
    np.testing.assert_array_equal(by_hand(name, x, function), y == 1)
    if name in ADDRESSES:
        high, low = function.address
        np.testing.assert_array_equal(tag, 2 * (x[:, high] == 1) + (x[:, low] == 1))
        domains = ["-".join(("minus", "plus")[bit] for bit in divmod(number, 2)) for number in range(4)]
        assert list(SPECS[name].domains) == domains


@every_instance
def test_other_bits_do_not_matter_and_each_of_these_does(name):
    x, y, _ = whole(name)
    function = target(name)
    others = np.setdiff1d(np.arange(width(name)), function.relevant)
    flipped = x.copy()
    flipped[:, others] *= np.random.default_rng(0).choice([-1, 1], (len(x), len(others)))
    np.testing.assert_array_equal(GENERATE.label(SPECS[name], flipped), y)
    for place in function.relevant:
        flipped = x.copy()
        flipped[:, place] *= -1
        assert (GENERATE.label(SPECS[name], flipped) != y).any()


@every_instance
def test_what_is_read_is_drawn(name):
    function = target(name)
    assert function.relevant.tolist() != list(range(len(function.relevant))), "not the first ones"
    drawn = {tuple(target(name, seed).places.ravel().tolist()) for seed in range(20)}
    assert len(drawn) > 10
    if name == "junta-k6-n64":
        assert np.bincount(function.table).tolist() == [32, 32]
    if name in ADDRESSES:
        assert len(function.relevant) == 2 + function.places.size, "no bit is shared"
    if hasattr(function, "values"):
        assert (2 * function.values.sum(axis=1) == function.values.shape[1]).all()
        assert all(len(set(places)) == len(places) for places in function.places.tolist())


@every_instance
def test_no_input_is_there_twice(name):
    x, _, _ = whole(name)
    assert len(np.unique(INPUTS.codes_of(x))) == len(np.unique(x, axis=0)) == len(x)


@every_instance
def test_bits_that_do_not_matter_are_fair_and_independent_of_the_class(name):
    x, y, _ = whole(name)
    others = np.setdiff1d(np.arange(width(name)), target(name).relevant)
    bound = 5 / math.sqrt(len(x))  # one such bit is out of bounds once in a million times
    assert np.abs(x[:, others].mean(axis=0)).max() < bound
    assert np.abs((x[:, others] * (2 * y - 1)[:, None]).mean(axis=0)).max() < bound


def test_building_is_a_function_of_the_seed():
    name = "address-k3-n20"
    spec = SPECS[name]
    files = GENERATE.build(spec)
    other = GENERATE.build(SimpleNamespace(name=name, seed=99, input_shape=(20,), domains=spec.domains))
    for split in SPLITS:
        for column, values in getattr(stored(name), split).columns.items():
            np.testing.assert_array_equal(files[spec.splits[split]][column], values)
        assert (other[spec.splits[split]]["x"] != files[spec.splits[split]]["x"]).any()


@settings(max_examples=30)
@given(st.integers(1, 64), st.integers(0, 2**32))
def test_codes_and_inputs_are_the_same_thing(n, seed):
    codes = np.random.default_rng(seed).integers(0, (1 << n) - 1, 50, dtype=np.uint64, endpoint=True)
    x = INPUTS.inputs_of(codes, n)
    assert (x.shape, x.dtype) == ((50, n), np.float32)
    np.testing.assert_array_equal(INPUTS.codes_of(x), codes)
    assert [sum(1 << j for j in range(n) if row[j] == 1) for row in x] == codes.tolist()


# New inputs


@pytest.mark.parametrize("name", SMALL)
def test_the_inputs_of_12_bits_that_no_split_has_are_all_that_can_be_drawn(name):
    new = TASK.fresh(stored(name), 7, 1024)
    together = np.concatenate([INPUTS.codes_of(new.x), INPUTS.codes_of(whole(name)[0])])
    np.testing.assert_array_equal(np.sort(together), np.arange(4096))
    more = TASK.fresh(stored(name), 8, 3000)
    times = np.unique(INPUTS.codes_of(more.x), return_counts=True)[1]
    assert (len(times), times.min(), times.max()) == (1024, 2, 3)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(NAMES), st.integers(), st.integers(1, 100))
def test_new_inputs_are_as_many_of_each_kind(name, seed, n):
    new = TASK.fresh(stored(name), seed, n)
    kinds = 8 if name in ADDRESSES else 2
    counts = np.bincount(new.y if new.tag is None else 2 * new.tag + new.y, minlength=kinds)
    assert counts.max() - counts.min() <= 1
    np.testing.assert_array_equal(by_hand(name, new.x, target(name)), new.y == 1)


# Oracles


@every_instance
def test_the_oracle_is_right_and_costs_what_its_formula_says(name):
    function, (x, y, _) = target(name), whole(name)
    new = TASK.fresh(stored(name), 5, 1024)
    for inputs, labels in ((x, y), (new.x, new.y), (x[:1], y[:1])):
        with sb.metered() as ledger:
            answers = ORACLE.answers(function, ORACLE.parameters(function), ledger.asarray(inputs))
        assert ledger.per_input() == OPERATIONS[name]
        np.testing.assert_array_equal(ledger.value(answers), labels)
        assert ledger.value(answers).dtype == np.int64
    facts = SPECS[name].facts
    assert facts["oracle_operations"] == ORACLE.operations(function) == OPERATIONS[name]
    assert facts["bayes_accuracy"] == 1


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(NAMES), st.integers(0, 2**32))
def test_any_target_that_could_be_drawn_has_an_oracle(name, seed):
    function, rng = target(name, seed), np.random.default_rng(seed)
    x = INPUTS.inputs_of(
        rng.integers(0, (1 << width(name)) - 1, 64, dtype=np.uint64, endpoint=True), width(name)
    )
    with sb.metered() as ledger:
        answers = ORACLE.answers(function, ORACLE.parameters(function), ledger.asarray(x))
    assert ledger.per_input() == ORACLE.operations(function)
    np.testing.assert_array_equal(ledger.value(answers) == 1, by_hand(name, x, function))


def test_what_is_no_target_has_no_oracle():
    with pytest.raises(TypeError):
        ORACLE.operations(None)
    with pytest.raises(TypeError):
        ORACLE.answers(None, {}, np.zeros((1, 1), np.float32))


# Fourier weights


@every_instance
def test_facts_are_what_the_truth_table_says(name):
    function, facts, n = target(name), SPECS[name].facts, width(name)
    weights = FOURIER.weights(function)
    assert sum(weights) == 1, "Parseval"
    assert facts["relevant_inputs"] == len(function.relevant)
    assert all(FOURIER.influences(function))
    degrees = [d for d, weight in enumerate(weights) if weight]
    assert facts["fourier_degree"] == max(degrees)
    assert facts["kernel_dimension"] == sum(math.comb(n, d) for d in degrees)
    assert facts["kernel_dimension"] == FOURIER.kernel_dimension(function, n)


def test_weights_that_are_known_in_closed_form():
    for name, k in (("parity-k2-n12", 2), ("parity-k3-n20", 3), ("parity-k5-n32", 5)):
        assert FOURIER.weights(target(name)) == [Fraction(d == k) for d in range(k + 1)]
        assert SPECS[name].facts["kernel_dimension"] == math.comb(width(name), k)
    for name, k in (("address-k2-n12", 2), ("address-k3-n20", 3)):
        # Sums over addresses of (1 ± x)/2 (1 ± x')/2 times a parity: a quarter, a half, a quarter.
        weights = dict(enumerate(FOURIER.weights(target(name))))
        assert {d: w for d, w in weights.items() if w} == {
            k: Fraction(1, 4),
            k + 1: Fraction(1, 2),
            k + 2: Fraction(1, 4),
        }
    # 1 - 2 ∏ (1 ± x)/2: every set of the six bits has the coefficient ±2/64.
    small = Fraction(2, 64)
    assert FOURIER.weights(target("conjunction-k6-n32")) == [
        (1 - small) ** 2,
        *(math.comb(6, d) * small**2 for d in range(1, 7)),
    ]
    assert FOURIER.ones(target("conjunction-k6-n32")) == Fraction(1, 64)
    assert FOURIER.ones(target("junta-k6-n64")) == Fraction(1, 2)
    assert FOURIER.weights(target("junta-k6-n64"))[0] == 0


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(["parity-k3-n20", "conjunction-k6-n32", "junta-k6-n64"]), st.integers(0, 2**32))
def test_weights_are_those_of_the_definition(name, seed):
    function = target(name, seed)
    r = len(function.relevant)
    cube = every_input(r)
    x = np.ones((len(cube), width(name)), np.float32)
    x[:, function.relevant] = cube
    values = np.where(by_hand(name, x, function), -1.0, 1.0)
    sets = chain.from_iterable(combinations(range(r), d) for d in range(r + 1))
    expected = [0.0] * (r + 1)
    for chosen in sets:
        expected[len(chosen)] += float(np.mean(values * cube[:, list(chosen)].prod(axis=1)) ** 2)
    assert [float(weight) for weight in FOURIER.weights(function)] == pytest.approx(expected, abs=1e-12)
    for j, influence in enumerate(FOURIER.influences(function)):
        other = cube.copy()
        other[:, j] *= -1
        index = (((other + 1) / 2) @ (1 << np.arange(r))).astype(int)
        assert float(influence) == pytest.approx(np.mean(values != values[index]), abs=1e-12)


def test_a_kernel_has_one_eigenvalue_for_each_degree_and_targets_lie_in_its_eigenspaces():
    n, cube = 12, every_input(12).astype(np.float64)
    row = np.exp(cube @ cube[0] / n)  # K(x, y) depends on x * y alone, so parities are its eigenvectors
    eigenvalues = row.copy()
    for j in range(n):
        pairs = eigenvalues.reshape(-1, 2, 1 << j)
        eigenvalues = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1).ravel()
    degree = ((np.arange(1 << n)[:, None] >> np.arange(n)) & 1).sum(axis=1)
    of_degree = [eigenvalues[degree == d] for d in range(n + 1)]
    for d, values in enumerate(of_degree):
        assert len(values) == math.comb(n, d)
        np.testing.assert_allclose(values, values[0], rtol=1e-6, atol=1e-9 * of_degree[0][0])
    assert (np.diff([values[0] for values in of_degree]) < 0).all()
    kernel = np.exp(cube @ cube.T / n)
    product = np.where(by_hand("parity-k2-n12", cube, target("parity-k2-n12")), -1.0, 1.0)
    np.testing.assert_allclose(kernel @ product, of_degree[2][0] * product, rtol=1e-9)
    # The target of the address has parts in three eigenspaces, and in no other: K reaches them alone.
    address = target("address-k2-n12")
    values = np.where(by_hand("address-k2-n12", cube, address), -1.0, 1.0)
    polynomial = values.copy()
    for d in (2, 3, 4):  # (K - λ) for each of them leaves nothing
        polynomial = kernel @ polynomial - of_degree[d][0] * polynomial
    scale = np.prod([of_degree[d][0] for d in (2, 3, 4)])
    assert np.abs(polynomial).max() < 1e-6 * scale


# What the README says


def test_certificates_in_the_readme_are_those_that_the_script_prints():
    readme = (TASK.folder.parent / "README.md").read_text()
    assert cube_figures.certificates(TASK).strip() in readme


@pytest.mark.parametrize(("n", "centres", "inside"), [(12, 3971, True), (12, 3972, False), (32, 1024, True),
                                                      (64, 956, True), (64, 957, False)])  # fmt: skip
def test_kernel_machines_that_the_box_holds(n, centres, inside):
    model = cube_figures.kernel_machine(np.zeros((centres, n)), np.ones(centres))
    assert model.cost(np.ones((16, n), np.float32)) == centres * (2 * n - 1 + 8 + 2) == centres * (2 * n + 9)
    assert (centres * (2 * n + 9) <= 2**TASK.box.log2_ops_high) is inside


def test_the_box_is_the_kernel_machine_of_its_reason():
    assert TASK.box.log2_ops_high == math.ceil(math.log2(1024 * 73)) == 17
    assert TASK.box.log2_ops_low == math.log2(min(OPERATIONS[name] for name in TASK.board)) == 0
    assert f"{math.log2(1024 * 73):.2f}" == "16.19"
    assert f"{math.log2(256 * (2 * 64 + 5) + 1):.2f}" == "15.06"


@pytest.mark.parametrize("name", SMALL)
def test_baselines_are_fitted_and_priced(name):
    instance, n = stored(name), width(name)
    line, net = (cube_figures.network(instance, hidden, 0) for hidden in (0, 64))
    assert line.cost(instance.test.x) == 2 * 2 * n + 1
    assert line.accuracy(instance.test) < 0.55, "no linear model knows anything"
    assert net.cost(instance.test.x) == 64 * (2 * n + 5) + 1
    assert net.accuracy(instance.test) > 0.85
    models = list(cube_figures.kernels(instance.train, 256, 0))
    assert max(model.accuracy(instance.valid) for model in models) > 0.8
    assert {model.cost(instance.test.x) for model in models} == {256 * (2 * n + 9)}


def test_the_board_is_six_instances():
    assert len(TASK.board) == 6
    assert set(NAMES) - set(TASK.board) == {"parity-k3-n20", "conjunction-k6-n32"}
    assert [name for name, spec in SPECS.items() if spec.small] == ["parity-k2-n12"]
    assert all(spec.fresh and not spec.public_test for spec in SPECS.values())
    assert not hasattr(TASK.info["parity-k2-n12"], "facts"), "no submission is told them"
    assert TASK.ref in [task.ref for task in list_tasks()]
