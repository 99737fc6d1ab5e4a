"""The classifiers of routed-classification: how they route, and what that is worth."""

from __future__ import annotations

import functools
from collections import Counter

import numpy as np
import pytest

from classifiers import flatten
from sparsebench.scoring.accuracy import count_right
from sparsebench.scoring.information import normalised_mutual_information
from sparsebench.tasks import TaskInfo, load_task
from submissions.shipped import answers, make, module, split

REF = "routed-classification@1"
INSTANCES = [name for name, spec in load_task(REF).instances.items() if not spec.generated]


def info(domains, shape=(3, 4), classes=5):
    return TaskInfo(REF, "accuracy", shape, "int64", classes, domains)


def domains_of(kind, domains, n=6000):
    """Inputs (n, 3, 4) whose domain is easily told, of several makes."""
    rng = np.random.default_rng(domains)
    tag = rng.integers(0, domains, n)
    x = {
        "signs": lambda: rng.choice([-1.0, 1.0], (n, 12)) * (np.arange(12) > 0) + tag[:, None] % 2,
        "sparse": lambda: rng.choice([-1.0, 0.0, 1.0], (n, 12), p=[0.3, 0.4, 0.3]),
        "far apart": lambda: rng.uniform(-1, 1, (n, 12)) + 100.0 * tag[:, None],
        "scaled": lambda: rng.uniform(-1, 1, (n, 12)) * 0.1 ** tag[:, None],
    }[kind]()
    return split(x.reshape(n, 3, 4), rng.integers(0, 5, n), tag)


def shares(router, params, rows):
    """Count (expert, tag)."""
    experts = router.route(params, rows.x).experts
    assert experts.shape == (len(rows), 1)
    return Counter(zip(experts[:, 0].tolist(), rows.tag.tolist(), strict=True))


@pytest.mark.parametrize("domains", [2, 3, 5])
@pytest.mark.parametrize("kind", ["signs", "sparse", "far apart", "scaled"])
def test_random_routes_are_even_and_say_nothing_of_the_domain(kind, domains):
    rows = domains_of(kind, domains)
    router = make("random-router", info(domains), hidden=0).router
    joint = shares(router, router.fit(rows, rows, np.random.default_rng(0)), rows)
    loads = Counter()
    for (expert, _), often in joint.items():
        loads[expert] += often
    assert normalised_mutual_information(joint) < 0.01
    assert set(loads) == set(range(domains))
    assert max(loads.values()) < 1.2 * len(rows) / domains


@pytest.mark.parametrize("name", INSTANCES)
def test_random_routes_say_nothing_of_the_domain_on_any_instance(name):
    task = load_task(REF)
    instance = task.load(name)
    router = make("random-router", task.info[name], hidden=0).router
    for seed in range(3):
        params = router.fit(instance.train, instance.valid, np.random.default_rng(seed))
        joint = shares(router, params, instance.test)
        assert normalised_mutual_information(joint) < 0.01
        assert len({expert for expert, _ in joint}) == task.info[name].domains


def test_a_random_route_is_a_function_of_the_input():
    rows = domains_of("sparse", 5)
    router = make("random-router", info(5), hidden=0).router
    params = router.fit(rows, rows, np.random.default_rng(0))
    order = np.random.default_rng(1).permutation(len(rows))
    first = router.route(params, rows.x).experts
    np.testing.assert_array_equal(router.route(params, rows.x[order]).experts, first[order])


def test_the_prototypes_of_a_domain_are_its_means():
    rows = domains_of("far apart", 3)
    router = make("prototype-router", info(3), hidden=0).router
    params = router.fit(rows, rows, np.random.default_rng(0))
    assert params.keys() == {"prototypes_first"}
    means = [rows.x[rows.tag == tag, 0].astype(np.float64).mean(axis=0) for tag in range(3)]
    np.testing.assert_allclose(params["prototypes_first"], means)
    np.testing.assert_array_equal(router.route(params, rows.x).experts[:, 0], rows.tag)


def test_the_summary_is_the_sum_where_the_first_position_tells_nothing():
    rng = np.random.default_rng(0)
    tag = rng.integers(0, 3, 900)
    x = rng.uniform(-1, 1, (900, 3, 4))
    x[:, 2] += 9 * tag[:, None]
    rows = split(x, rng.integers(0, 5, 900), tag)
    router = make("prototype-router", info(3), hidden=0).router
    params = router.fit(rows, rows, rng)
    assert params.keys() == {"prototypes_sum"}
    np.testing.assert_array_equal(router.route(params, rows.x).experts[:, 0], tag)
    whole = make("prototype-router", info(3), hidden=0, whole=True).router
    assert whole.fit(rows, rows, rng)["prototypes_whole"].shape == (3, 12)


def test_a_domain_without_samples_gets_the_mean_of_all():
    means = make("prototype-router", info(3), hidden=0).router.means
    summaries, tags = np.array([[1.0], [2.0], [6.0]]), np.array([0, 0, 2])
    np.testing.assert_array_equal(means(summaries, tags), [[1.5], [3.0], [6.0]])


def test_the_oracle_runs_the_expert_of_the_tag():
    tag = np.array([2, 0, 1])
    oracle = make("oracle-router", info(3), hidden=0)
    np.testing.assert_array_equal(oracle.router.route({}, None, tag).experts, [[2], [0], [1]])
    constant = {
        "expert_weights": np.zeros((3, 5, 12)),
        "expert_biases": np.eye(5)[[4, 1, 3]],
    }
    np.testing.assert_array_equal(oracle.predict(constant, np.zeros((3, 3, 4), np.float32), tag), [3, 4, 1])


@pytest.mark.parametrize("hidden", [0, 4])
def test_the_dense_network_is_the_one_that_was_trained(hidden):
    rows = domains_of("sparse", 2, 300)
    dense = make("dense-mlp", info(2), hidden=hidden)
    params = dense.fit(rows, rows, np.random.default_rng(0))
    x = flatten(rows.x)
    if hidden:
        x = np.maximum(x @ params["weights_0"].T + params["biases_0"], 0)
    last = min(hidden, 1)
    logits = x @ params[f"weights_{last}"].T + params[f"biases_{last}"]
    np.testing.assert_array_equal(dense.predict(params, rows.x), np.argmax(logits, axis=1))


@functools.cache
def accuracy(name, instance="synthetic-4", **settings):
    task = load_task(REF)
    loaded = task.load(instance)
    model = make(name, task.info[instance], **settings)
    params = model.fit(loaded.train, loaded.valid, np.random.default_rng(0))
    test = loaded.test
    tally = count_right(test.y, answers(model, params, test), test.tag)
    return tally.right / tally.whole


def test_routing_by_domain_is_worth_what_the_task_promises():
    """A linear expert per domain nearly reaches the noise; no dense or randomly routed one does."""
    bayes = load_task(REF).instances["synthetic-4"].facts["bayes_accuracy"]
    ceiling = accuracy("oracle-router", hidden=0)
    assert bayes - 0.03 < ceiling < bayes + 0.01
    assert accuracy("prototype-router", hidden=0) == pytest.approx(ceiling, abs=0.01)
    for name in ("dense-mlp", "random-router"):
        assert accuracy(name, hidden=0) < 0.6
    assert 0.8 < accuracy("dense-mlp", hidden=64) < ceiling, "a dense net catches up at many times the price"


@pytest.mark.parametrize(
    ("labels", "tags", "best"),
    [
        ([0, 0, 0, 1], None, 0),
        ([2, 2, 2, 1, 1], [0, 0, 0, 0, 1], 1),
        ([3, 1], [0, 1], 1),
        ([4], [2], 4),
    ],
)
def test_the_constant_class_is_the_most_frequent_by_domain(labels, tags, best):
    tags = None if tags is None else np.array(tags)
    assert module("constant").most_frequent(np.array(labels), tags) == best


def test_no_class_is_a_better_constant():
    rng = np.random.default_rng(0)
    tag = np.repeat([0, 1, 2], [10, 100, 300])
    rows = split(np.zeros((410, 3, 4)), rng.integers(0, 5, 410) * rng.integers(0, 2, 410), tag)
    constant = make("constant", info(3))
    told = constant.predict(constant.fit(rows, rows, rng), rows.x)
    tally = count_right(rows.y, told, tag)
    assert told.dtype == np.int64
    assert tally.right == tally.constant
