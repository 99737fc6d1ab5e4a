"""Softmax experts: each is fitted on its own samples, and one is run for an input."""

import numpy as np
import pytest

import sparsebench as sb
from classifiers import apply_mlp, fit_mlp
from softmax_experts import RoutedClassifier, SoftmaxExperts, members
from sparsebench.errors import ContractError
from sparsebench.tasks import TaskInfo, load_task
from submissions.shipped import make

INFO = TaskInfo("routed-classification@1", "accuracy", (2, 2), "int64", 3, 4)


def split(n, seed):
    """Four domains; the class is which of three features is largest, numbered otherwise in each domain."""
    rng = np.random.default_rng(seed)
    x, tag = rng.uniform(-1, 1, (n, 2, 2)).astype(np.float32), rng.integers(0, 4, n)
    orders = np.array([[0, 1, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
    content = x.reshape(n, 4)[:, :3]
    return sb.Split(np.arange(n), x, np.argmax(content[np.arange(n)[:, None], orders[tag]], axis=1), tag)


def routes(tag):
    return sb.Routes(tag[:, None])


class ByTag(sb.Router):
    uses_tags = True

    def route(self, params, x, tag):
        return routes(tag)


class AllToOne(sb.Router):
    def fit(self, train, valid, rng):
        return {"expert": np.array([2])}

    def route(self, params, x):
        xp = x.__array_namespace__()
        return sb.Routes(xp.broadcast_to(params["expert"][:, None], (x.shape[0], 1)))


@pytest.mark.parametrize("hidden", [0, 5])
def test_every_expert_is_the_classifier_of_its_own_samples(hidden):
    train, valid = split(600, 0), split(100, 1)
    experts = SoftmaxExperts(4, 3, hidden, epochs=3)
    settings = (train, valid, np.random.default_rng(3), routes(train.tag), routes(valid.tag))
    params = experts.fit(*settings)
    rng = np.random.default_rng(3)
    answers = experts.apply(params, train.x, routes(train.tag))
    for own in range(4):
        (rows, checks) = (np.flatnonzero(part.tag == own) for part in (train, valid))
        alone = fit_mlp(
            train.x[rows].reshape(-1, 4),
            train.y[rows],
            classes=3,
            hidden=hidden,
            rng=rng,
            valid=(valid.x[checks].reshape(-1, 4), valid.y[checks]),
            epochs=3,
        )
        assert all(np.array_equal(params[f"expert_{name}"][own], alone[name]) for name in alone)
        logits = apply_mlp(alone, train.x[rows].reshape(-1, 4))
        np.testing.assert_array_equal(answers[rows], np.argmax(logits, axis=1))
    assert answers.dtype == np.int64


@pytest.mark.parametrize("hidden", [0, 16])
def test_experts_by_domain_learn_what_one_for_all_cannot(hidden):
    train, valid, test = split(6000, 0), split(500, 1), split(2000, 2)
    right = []
    for router in (ByTag(), AllToOne()):
        routed = RoutedClassifier(router, INFO, hidden=hidden)
        params = routed.fit(train, valid, np.random.default_rng(0))
        right.append(np.mean(routed.predict(params, test.x, test.tag) == test.y))
    assert right[0] > 0.95
    assert right[1] < 0.6


def test_an_expert_without_samples_is_fitted_on_all_of_them():
    train, valid = split(400, 0), split(50, 1)
    routed = RoutedClassifier(AllToOne(), INFO, hidden=0, epochs=4)
    params = routed.fit(train, valid, np.random.default_rng(0))
    assert params["expert_weights"].shape == (4, 3, 4)
    assert all(np.any(weights != 0) for weights in params["expert_weights"])


def test_validation_samples_of_an_expert_choose_its_epoch():
    train, valid = split(400, 0), split(100, 1)
    experts = SoftmaxExperts(4, 3, 0, epochs=5)
    last, chosen = (
        experts.fit(train, valid, np.random.default_rng(0), routes(train.tag), checks)
        for checks in (None, routes(np.maximum(valid.tag, 1)))
    )
    same = [np.array_equal(last["expert_weights"][own], chosen["expert_weights"][own]) for own in range(4)]
    assert same[0], "it has no samples to choose by"
    assert not all(same)


def test_a_routed_classifier_takes_over_whether_its_router_uses_tags():
    assert RoutedClassifier(ByTag(), INFO, hidden=0).uses_tags
    assert not RoutedClassifier(AllToOne(), INFO, hidden=0).uses_tags


@pytest.mark.parametrize("lacking", [{"classes": None}, {"domains": None}])
def test_a_task_without_classes_or_domains_is_refused(lacking):
    facts = {"classes": 3, "domains": 4, **lacking}
    info = TaskInfo("memorization@1", "recall", (4,), "float32", **facts)
    with pytest.raises(ContractError, match="expected a task with classes and domains, got memorization@1"):
        RoutedClassifier(AllToOne(), info, hidden=0)


def test_members_are_the_samples_of_every_expert():
    own = members(np.array([2, 0, 2, 0, 4]), 6)
    assert [rows.tolist() for rows in own] == [[1, 3], [], [0, 2], [], [4], []]


def test_attention_goes_to_the_nearest_key_and_more_dimensions_find_the_domain_more_often():
    task = load_task("routed-classification@1")
    instance, info = task.load("synthetic-4"), task.info["synthetic-4"]
    found = []
    for dimensions in (2, 8, 32):
        router = make("attention-router", info, dimensions=dimensions).router
        params = router.fit(instance.train, instance.valid, np.random.default_rng(0))
        routes = router.route(params, instance.test.x).experts[:, 0]
        x = instance.test.x.reshape(len(instance.test.x), -1).astype(np.float64)
        query = x @ params["projection"].T
        nearest = np.argmin(np.sum((query[:, None] - params["keys"]) ** 2, axis=2), axis=1)
        np.testing.assert_array_equal(routes, nearest)
        found.append(np.mean(routes == instance.test.tag))
    assert found[0] < found[1] < found[2]
