"""New inputs of the standard tasks: as the test split is, labelled as it is, and never a stored row."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, ks_2samp

from sparsebench.errors import UsageError
from sparsebench.tasks import Instance, Split, list_tasks, load_task
from sparsebench.tasks.authoring.sealing import seal_instance
from sparsebench.tasks.fresh import fresh_stream, label_again
from sparsebench.tasks.generation import stream
from sparsebench.tasks.importing import imported_generator
from sparsebench.tasks.records import SPLITS
from tasks import lipschitz_instances, routed_tokens
from tasks.lipschitz_instances import GENERATE

N, SEED = 4096, 20
CHANCE = 1e-3  # that an instance would fail by chance; seeds are fixed, so it does or does not
TASKS = {task.ref: task for task in list_tasks()}
SPECS = {(task.ref, name): spec for task in TASKS.values() for name, spec in task.own.items()}
LIKE_ANOTHER = "tokens-8-half"  # tokens-8 but for its weights, and as large: its time is saved
FRESH = [key for key, spec in SPECS.items() if spec.fresh and key[1] != LIKE_ANOTHER]
EXACT = [key for key in FRESH if SPECS[key].facts.get("bayes_accuracy") == 1]
NOISY = [key for key in FRESH if SPECS[key].classes and key not in EXACT]
FEW = [key for key in FRESH if key[0] == "cube@1" and key[1].endswith("-n12")]
"""Instances of which 1,024 inputs are in no split: `test_cube` says how they are drawn."""
CURVED = [
    key for key in FRESH if key[1].startswith("curved")
]  # x tells the latent point but for its rounding
SMALL = [("lipschitz-regression@1", "distance-2d"), ("routed-classification@1", "synthetic-4")]
every_fresh = pytest.mark.parametrize(("ref", "name"), FRESH)


@functools.cache
def stored(ref, name):
    """An instance; what is made on first use is made here, in no cache."""
    task, spec = TASKS[ref], SPECS[ref, name]
    if not spec.generated:
        return task.load(name)
    if ref == "lipschitz-regression@2":
        with imported_generator(task.folder) as generator:
            files = generator.build(spec)
    else:
        files = (routed_tokens if ref == "routed-classification@2" else lipschitz_instances).built(name)
    splits = {split: Split(**files[spec.splits[split]]) for split in SPLITS}
    return Instance(task=ref, name=name, hash=spec.hash, small=spec.small, **splits)


@functools.cache
def drawn(ref, name, seed=SEED, n=N):
    return TASKS[ref].fresh(stored(ref, name), seed, n)


def labels(ref, name, x):
    with imported_generator(TASKS[ref].folder) as generator:
        return generator.label(SPECS[ref, name], x)


def rows(x):
    return {row.tobytes() for row in x.reshape(len(x), -1)}


def test_which_instances_have_new_inputs():
    without = {key for key, spec in SPECS.items() if spec.public_test}
    assert without == {
        (ref, name)
        for (ref, name), spec in SPECS.items()
        if spec.source or ref.startswith("memorization@") or name in {"ackley", "rastrigin"}
    }
    board = [name for (ref, name), spec in SPECS.items() if spec.board and (ref, name) in without]
    assert board == [
        *("etopo5", "n256-r4", "n4096-r4", "n65536-r4", "n4096-r32", "n4096-r4-classes10", "n4096-r4-close"),
        *("jitter-1024", "jitter-4096", "fashion", "sensors"),
    ]


@every_fresh
def test_columns_are_those_of_the_test_split(ref, name):
    got, test = drawn(ref, name), stored(ref, name).test
    assert list(got.columns) == list(test.columns)
    for column, values in got.columns.items():
        like = test.columns[column]
        assert (values.dtype, values.shape[1:]) == (like.dtype, like.shape[1:])
        assert len(values) == N
        assert not values.flags.writeable
    assert np.isfinite(got.x).all()
    assert np.isfinite(got.y).all()
    np.testing.assert_array_equal(got.id, np.arange(N))


@every_fresh
def test_every_coordinate_label_and_tag_is_distributed_as_in_the_test_split(ref, name):
    got, test = drawn(ref, name), stored(ref, name).test
    pairs = list(zip(got.x.reshape(N, -1).T, test.x.reshape(len(test), -1).T, strict=True))
    pairs += [(got.columns[c], test.columns[c]) for c in ("y", "tag") if c in got.columns]
    least = min(ks_2samp(here, there, method="asymp").pvalue for here, there in pairs)
    assert least > CHANCE / len(pairs)


@every_fresh
def test_labels_of_stored_rows_come_out(ref, name):
    test = stored(ref, name).test
    again = labels(ref, name, test.x)
    if (ref, name) in NOISY:
        right, best = int((again == test.y).sum()), SPECS[ref, name].facts["bayes_accuracy"]
        assert binomtest(right, len(test), best).pvalue > CHANCE
    elif (ref, name) in CURVED:
        np.testing.assert_allclose(again, test.y, rtol=0, atol=2.0**-22)
    else:
        np.testing.assert_array_equal(again, test.y)
        assert again.dtype == test.y.dtype


@every_fresh
def test_new_labels_are_of_the_same_target(ref, name):
    got = drawn(ref, name)
    again = labels(ref, name, got.x)
    if (ref, name) in NOISY:
        right, best = int((again == got.y).sum()), SPECS[ref, name].facts["bayes_accuracy"]
        assert binomtest(right, N, best).pvalue > CHANCE
    elif (ref, name) in CURVED:
        np.testing.assert_allclose(again, got.y, rtol=0, atol=2.0**-22)
    else:
        np.testing.assert_array_equal(again, got.y)


@every_fresh
def test_no_new_input_is_stored_and_none_comes_twice(ref, name):
    mine, instance = rows(drawn(ref, name).x), stored(ref, name)
    assert len(mine) == (1024 if (ref, name) in FEW else N)
    for split in SPLITS:
        assert not mine & rows(getattr(instance, split).x)


@every_fresh
def test_a_seed_says_which_inputs(ref, name):
    one, again, other = (TASKS[ref].fresh(stored(ref, name), seed, 64) for seed in (1 << 200, 1 << 200, 0))
    for column, values in one.columns.items():
        np.testing.assert_array_equal(values, again.columns[column])
    assert (one.x != other.x).any()
    assert len(rows(one.x) & rows(other.x)) <= (16 if (ref, name) in FEW else 0)


@pytest.mark.parametrize(("ref", "name"), NOISY)
def test_domains_are_as_frequent_as_in_the_test_split(ref, name):
    got, domains = drawn(ref, name), len(SPECS[ref, name].domains)
    assert (np.bincount(got.tag) == N // domains).all()
    assert (np.bincount(stored(ref, name).test.tag) == len(stored(ref, name).test) // domains).all()
    assert (got.tag[:-1] != got.tag[1:]).mean() > 0.5, "in random order"


@pytest.mark.parametrize(("ref", "name"), [key for key in NOISY if key[1].startswith("synthetic")])
def test_domains_of_the_synthetic_family_are_told_by_the_input(ref, name):
    got = drawn(ref, name)
    with imported_generator(TASKS[ref].folder) as generator:
        rules = generator.importlib.import_module("synthetic").family(name, SPECS[ref, name].seed)
    np.testing.assert_array_equal(rules.oracle(got.x), got.tag)


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(SMALL), st.integers(), st.integers(1, 300))
def test_any_seed_and_any_number_of_rows_will_do(key, seed, n):
    got = TASKS[key[0]].fresh(stored(*key), seed, n)
    assert len(got) == n
    assert got.x.shape == (n, *SPECS[key].input_shape)


@settings(deadline=None)
@given(st.integers(), st.sampled_from(["x", "y", "target", "frame", "tags", "content", "context", "noise"]))
def test_no_stream_of_stored_data_is_that_of_new_inputs(seed, purpose):
    for ref, name in SMALL:
        mine = fresh_stream(TASKS[ref], name, seed).integers(1 << 63, size=4)
        for other in (stream(ref, name, SPECS[ref, name].seed, purpose), stream(ref, name, seed, purpose)):
            assert not np.array_equal(mine, other.integers(1 << 63, size=4))


def test_the_points_of_rough_1d_that_no_split_has_are_all_that_can_be_drawn():
    ref, name = "lipschitz-regression@1", "rough-1d"
    instance = stored(ref, name)
    left = (1 << 18) - sum(len(getattr(instance, split)) for split in SPLITS)
    every = drawn(ref, name, n=left)
    assert len(np.unique(every.x)) == left
    whole = np.concatenate([every.x, *(getattr(instance, split).x for split in SPLITS)])
    np.testing.assert_array_equal(np.sort(whole[:, 0]), np.arange(1 << 18, dtype=np.float32) / (1 << 18))


@pytest.mark.parametrize(
    ("ref", "name"),
    [key for key, spec in SPECS.items() if spec.public_test and not (spec.generated or spec.streamed)],
)
def test_public_tests_have_no_new_inputs(ref, name):
    assert TASKS[ref].fresh(TASKS[ref].load(name), SEED, 16) is None


def test_generators_say_so_themselves():
    rng, task = stream("a test"), TASKS["lipschitz-regression@1"]
    for name in ("ackley", "rastrigin", "etopo5", "sst"):
        assert GENERATE.fresh(task.instances[name], rng, 16) is None
    for name in ("etopo5", "sst"):
        assert GENERATE.label(task.instances[name], np.zeros((1, 2), np.float32)) is None
    routed = TASKS["routed-classification@1"]
    with imported_generator(routed.folder) as generator:
        for name in ("fashion", "language-id", "sensors"):
            assert generator.fresh(routed.instances[name], rng, 16) is None
            assert generator.label(routed.instances[name], np.zeros((1, 2), np.float32)) is None
    with imported_generator(TASKS["memorization@1"].folder) as generator:
        assert not hasattr(generator, "fresh")


def test_grids_are_labelled_again_though_there_is_nothing_new_on_them():
    for name in ("ackley", "rastrigin"):
        test = stored("lipschitz-regression@1", name).test
        np.testing.assert_array_equal(labels("lipschitz-regression@1", name, test.x), test.y)


def test_a_sealed_instance_has_new_inputs_for_whoever_has_its_seed(tmp_path):
    task = TASKS["lipschitz-regression@1"]
    seal_instance(task, "distance-2d", tmp_path / "seed", tmp_path / "sealed")
    sealed = load_task(tmp_path / "sealed")
    instance = sealed.load(*sealed.instances)
    assert not sealed.spec(instance.name).public_test, "nobody has seen it"
    assert sealed.fresh(instance, SEED, 16) is None
    got = sealed.fresh(instance, SEED, N, seed_file=tmp_path / "seed")
    own = sealed.fresh(instance, SEED, N, seed_file=tmp_path / "seed", drawn_from=task)
    np.testing.assert_array_equal(got.y, own.y)
    assert ks_2samp(got.y, instance.test.y).pvalue > CHANCE
    assert not np.array_equal(got.y, drawn("lipschitz-regression@1", "distance-2d").y), "another target"
    (tmp_path / "lie").write_text("some other seed of enough bytes")
    with pytest.raises(UsageError, match="lie: expected the seed sha256"):
        sealed.fresh(instance, SEED, 16, seed_file=tmp_path / "lie")


def test_a_sealed_instance_of_an_unknown_task_needs_that_task(tmp_path):
    task = TASKS["memorization@1"]
    seal_instance(task, "n256-r4", tmp_path / "seed", tmp_path / "sealed")
    sealed = load_task(tmp_path / "sealed")
    instance = sealed.load(*sealed.instances)
    assert sealed.fresh(instance, SEED, 16, seed_file=tmp_path / "seed") is None
    with pytest.raises(UsageError, match="no standard task 'memorization@1' with an instance 'n256-r4'"):
        sealed.fresh(
            instance, SEED, 16, seed_file=tmp_path / "seed", drawn_from=TASKS["routed-classification@1"]
        )


@pytest.mark.parametrize("n", [0, -1])
def test_no_rows_are_refused(n):
    with pytest.raises(UsageError, match=f"n: expected at least 1, got {n}"):
        TASKS[SMALL[0][0]].fresh(stored(*SMALL[0]), SEED, n)


def test_how_well_labels_come_out_is_told():
    task, instance = TASKS[SMALL[0][0]], stored(*SMALL[0])
    told = label_again(task, task.spec(instance.name), "test", instance.test, 0.1)
    assert told == "labels of 4096 test inputs come out to within 0"
