"""The trainer of the dense reference: its gradient, what it learns, and that it repeats itself."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import networks
from networks import apply_network, epochs_within, fit_network, price_of
from sparsebench.tasks import TaskInfo, load_task
from submissions.shipped import make, split


@pytest.fixture
def brief(monkeypatch):
    """Spend little: these tests are about what is computed."""
    monkeypatch.setattr(networks, "BUDGET", 3e8)


def parity(n, seed):
    """The class is whether two signs agree: no linear map tells."""
    x = np.random.default_rng(seed).uniform(-1, 1, (n, 2)).astype(np.float32)
    return x, (x[:, 0] * x[:, 1] > 0).astype(np.int64)


def wave(n, seed):
    x = np.random.default_rng(seed).uniform(-1, 1, (n, 1)).astype(np.float32)
    return x, np.sin(4 * x[:, 0]).astype(np.float32)


def fit(train, valid, *, classes=None, hidden=(16,), seed=0, recall=False):
    rng = np.random.default_rng(seed)
    return fit_network(*train, classes=classes, hidden=hidden, rng=rng, valid=valid, recall=recall)


@pytest.mark.usefixtures("brief")
def test_a_hidden_layer_learns_classes_that_a_linear_map_cannot():
    train, valid = parity(2000, 0), parity(1000, 1)
    right = [
        np.mean(
            np.argmax(apply_network(fit(train, valid, classes=2, hidden=hidden), valid[0]), axis=1)
            == valid[1]
        )
        for hidden in ((), (16,), (8, 8))
    ]
    assert right[0] < 0.7
    assert min(right[1:]) > 0.95


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (1e-4, 0), (1e4, -1e4)])
def test_real_labels_are_learnt_whatever_their_scale(scale, shift):
    (x, y), valid = wave(1000, 0), wave(500, 1)
    train, valid = (x, scale * y + shift), (valid[0], scale * valid[1] + shift)
    off = apply_network(fit(train, valid), valid[0])[:, 0] - valid[1]
    assert np.sqrt(np.mean(off**2)) < 0.1 * np.std(valid[1])


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("classes", [None, 2])
def test_a_trial_that_was_better_than_the_training_after_it_is_kept(classes, monkeypatch):
    """Training with the setting that was best starts anew: here it is made to diverge."""
    train_once, budgets = networks.Trainer.train, []

    def train(self, setting, rows, budget, rng):
        budgets.append(budget)
        final = budget == (1 - networks.TRIALS) * networks.BUDGET
        return train_once(self, networks.Setting(1e3, 0.0) if final else setting, rows, budget, rng)

    monkeypatch.setattr(networks.Trainer, "train", train)
    make_data = wave if classes is None else parity
    samples, valid = make_data(2000, 0), make_data(1000, 1)
    answers = apply_network(fit(samples, valid, classes=classes, hidden=(32,)), valid[0])
    assert max(budgets) == budgets[-1]
    if classes is None:
        assert np.mean((answers[:, 0] - valid[1]) ** 2) < 0.01 * np.var(valid[1])
    else:
        assert np.mean(np.argmax(answers, axis=1) == valid[1]) > 0.95


@pytest.mark.parametrize("classes", [None, 3])
@pytest.mark.parametrize("hidden", [(), (7,), (6, 5)])
def test_the_gradient_is_that_of_the_mean_loss(classes, hidden, monkeypatch):
    monkeypatch.setattr(networks, "KIND", np.dtype(np.float64))
    rng = np.random.default_rng(5)
    x, labels = rng.standard_normal((11, 4)), rng.integers(0, 3, 11)
    loss = networks.Squares.of(labels) if classes is None else networks.Softmax(classes)
    targets = loss.targets(labels)
    network = networks.Network((4, *hidden, loss.outputs), rng, np.float64)
    network.flat[:] = rng.standard_normal(network.flat.size)

    def value(flat):
        network.flat[:] = flat
        told = network.answers(x)
        if classes is None:
            return np.mean((told - targets) ** 2) / 2
        return np.mean(np.log(np.exp(told).sum(axis=1)) - told[np.arange(11), labels])

    at, step = network.flat.copy(), 1e-6
    network.differentiate(x, targets, loss)
    gradient = network.gradient.copy()
    differences = [(value(at + one) - value(at - one)) / (2 * step) for one in step * np.eye(at.size)]
    np.testing.assert_allclose(gradient, differences, atol=1e-8)


@pytest.mark.usefixtures("brief")
def test_a_readout_that_would_learn_its_few_samples_by_heart_is_not_taken():
    rng = np.random.default_rng(0)
    x, y = wave(140, 0)
    noisy, valid = (x, y + 0.3 * rng.standard_normal(len(y))), wave(1000, 1)
    params = fit(noisy, valid, hidden=(128,))
    by_heart = networks.solved(params, *noisy, rng)
    errors = [networks.off(*valid)(own) for own in (params, by_heart)]
    assert errors[0] < 0.5 * errors[1]
    assert errors[0] < 0.5 * np.var(valid[1])


def test_the_readout_of_real_labels_is_the_best_there_is():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 1, (300, 3)).astype(np.float32), rng.normal(size=300).astype(np.float32)
    params = networks.solved(
        {
            "weights_0": rng.normal(size=(9, 3)),
            "biases_0": rng.normal(size=9),
            "weights_1": np.zeros((1, 9)),
            "biases_1": np.zeros(1),
        },
        x,
        y,
        rng,
    )
    rest = y - apply_network(params, x)[:, 0]
    seen = np.maximum(x @ params["weights_0"].T + params["biases_0"], 0.0)
    np.testing.assert_allclose(seen.T @ rest, np.zeros(9), atol=1e-6)
    assert abs(rest.sum()) < 1e-6


def test_as_many_units_as_samples_recall_every_label():
    rng = np.random.default_rng(0)
    train = rng.uniform(-1, 1, (256, 4)).astype(np.float32), rng.uniform(-1, 1, 256).astype(np.float32)
    params = fit(train, train, hidden=(256,))
    np.testing.assert_allclose(apply_network(params, train[0])[:, 0], train[1], atol=1e-6)


@pytest.mark.parametrize(("hidden", "features"), [(0, 4), (8, 2), (8, 4), (64, 2), (256, 32)])
def test_one_label_more_than_the_last_layer_sees_numbers_is_recalled(hidden, features):
    task = TaskInfo("memorization@2", "recall", (features,), "float32")
    rng = np.random.default_rng(0)
    train = split(rng.uniform(-1, 1, (500, features)), rng.uniform(-1, 1, 500))
    model = make("dense-mlp", task, hidden=hidden)
    answers = model.predict(model.fit(train, train, rng), train.x)
    assert np.sum(np.abs(answers - train.y) <= 1e-6) == (hidden or features) + 1


@pytest.mark.usefixtures("brief")
def test_classes_that_are_to_be_recalled_are_trained():
    train = parity(300, 0)
    plain, recalling = (fit(train, train, classes=2, recall=recall) for recall in (False, True))
    assert all(plain[name].tobytes() == recalling[name].tobytes() for name in plain)


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("classes", [None, 2])
def test_the_same_arguments_give_the_same_digits_and_leave_the_data_alone(classes):
    make_data = wave if classes is None else parity
    train, valid = make_data(300, 0), make_data(100, 1)
    before = [array.tobytes() for array in (*train, *valid)]
    first, second = (fit(train, valid, classes=classes) for _ in range(2))
    assert [array.tobytes() for array in (*train, *valid)] == before
    assert first.keys() == second.keys()
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)
    assert {array.dtype for array in first.values()} == {np.dtype(np.float64)}


def test_a_fit_is_bounded_by_samples_passes_and_width():
    for samples in (100, 16_384, 100_000):
        for hidden in (8, 256):
            widths = (64, hidden, 1)
            epochs = epochs_within(1e10, samples, widths)
            assert networks.FEWEST_EPOCHS <= epochs <= networks.MOST_EPOCHS
            spent = epochs * samples * price_of(widths)
            assert spent <= max(1e10, networks.FEWEST_EPOCHS * samples * price_of(widths))


@pytest.mark.parametrize(("labels", "classes"), [([], 3), ([0, 3], 3), ([-1, 0], 3), ([], None)])
def test_labels_that_are_no_classes_are_refused(labels, classes):
    x, y = np.zeros((len(labels), 2), np.float32), np.array(labels, dtype=np.int64)
    with pytest.raises(ValueError, match=rf"expected samples with .*labels.*, got {len(labels)} samples"):
        fit((x, y), (x, y), classes=classes)


@functools.cache
def rmse(name, **settings):
    task = load_task("lipschitz-regression@1")
    instance = task.load("hypercube")
    model = make(name, task.info["hypercube"], **settings)
    params = model.fit(instance.train, instance.valid, np.random.default_rng(0))
    return np.sqrt(np.mean((model.predict(params, instance.test.x) - instance.test.y) ** 2))


def test_a_trained_network_beats_random_features_at_equal_operations():
    assert rmse("dense-mlp", hidden=64) < 0.7 * rmse("dense-features", units=64)
