"""The trainer of the shipped classifiers: what it learns, what it keeps, and that it repeats itself."""

import numpy as np
import pytest

from classifiers import apply_mlp, fit_mlp, flatten


def blobs(n, seed, *, classes=3, scale=1.0, shift=0.0):
    """Well separated clusters in the plane, one per class."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    angle = 2 * np.pi * y / classes
    centres = 4 * np.column_stack([np.cos(angle), np.sin(angle)])
    x = (centres + rng.uniform(-1, 1, (n, 2))) * scale + shift
    return x.astype(np.float32), y


def parity(n, seed):
    """The class is whether two signs agree: no linear map tells."""
    x = np.random.default_rng(seed).uniform(-1, 1, (n, 2)).astype(np.float32)
    return x, (x[:, 0] * x[:, 1] > 0).astype(np.int64)


def right(params, x, y):
    return np.mean(np.argmax(apply_mlp(params, x), axis=1) == y)


def fit(data, seed=0, **settings):
    settings = {"classes": 3, "hidden": 0, **settings}
    return fit_mlp(*data, rng=np.random.default_rng(seed), **settings)


@pytest.mark.parametrize("hidden", [0, 8])
@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (1e-4, 0), (1, 1e3), (1e4, -1e4)])
def test_separable_classes_are_learnt_whatever_their_scale(hidden, scale, shift):
    params = fit(blobs(2000, 0, scale=scale, shift=shift), hidden=hidden)
    assert right(params, *blobs(1000, 1, scale=scale, shift=shift)) == 1.0


def test_a_hidden_layer_learns_what_a_linear_map_cannot():
    train, test = parity(4000, 0), parity(2000, 1)
    assert right(fit(train, classes=2), *test) < 0.6
    assert right(fit(train, classes=2, hidden=16), *test) > 0.97


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_arguments_give_the_same_digits_and_leave_the_data_alone(dtype):
    train, valid = parity(500, 0), parity(100, 1)
    before = [array.tobytes() for array in (*train, *valid)]
    first, second = (fit(train, hidden=5, valid=valid, dtype=dtype, epochs=3) for _ in range(2))
    assert [array.tobytes() for array in (*train, *valid)] == before
    assert first.keys() == second.keys()
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)
    other = fit(train, seed=1, hidden=5, valid=valid, dtype=dtype, epochs=3)
    assert not np.array_equal(other["weights"], first["weights"])


def test_the_epoch_that_is_best_on_valid_is_kept():
    train, valid = parity(300, 0), parity(200, 1)
    valid = valid[0], 1 - valid[1]  # what is right for train is wrong here: the less is learnt, the better
    settings = {"classes": 2, "hidden": 16, "epochs": 30, "rate": 3e-3}
    assert right(fit(train, **settings), *valid) < 0.1
    assert right(fit(train, valid=valid, **settings), *valid) > 0.3


def test_the_weight_decay_that_is_best_on_valid_is_kept():
    train, valid = parity(300, 0), parity(200, 1)
    settings = {"classes": 2, "hidden": 16, "valid": valid, "epochs": 10}
    both = fit(train, decays=(60.0, 0.01), **settings)  # the first one leaves nothing of the weights
    first = fit(train, decays=(60.0,), **settings)
    assert right(first, *valid) < 0.8 < right(both, *valid)
    turned = fit(train, decays=(0.01, 60.0), **settings)
    alone = fit(train, decays=(0.01,), **settings)
    assert all(np.array_equal(turned[name], alone[name]) for name in alone)


def test_no_valid_samples_are_as_good_as_none():
    train = blobs(100, 0)
    empty = train[0][:0], train[1][:0]
    first, second = fit(train, hidden=4), fit(train, hidden=4, valid=empty)
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_shapes_and_dtypes_are_as_promised():
    shapes = {name: array.shape for name, array in fit(blobs(50, 0), hidden=4, epochs=1).items()}
    assert shapes == {
        "hidden_weights": (4, 2),
        "hidden_biases": (4,),
        "weights": (3, 4),
        "biases": (3,),
    }
    linear = fit(blobs(50, 0), epochs=1)
    assert {name: array.shape for name, array in linear.items()} == {"weights": (3, 2), "biases": (3,)}
    assert {array.dtype for array in linear.values()} == {np.dtype(np.float64)}


@pytest.mark.parametrize("hidden", [0, 3])
def test_one_sample_and_features_that_never_vary_are_no_trouble(hidden):
    params = fit((np.ones((1, 2), np.float32), np.array([2])), hidden=hidden, epochs=200)
    assert right(params, np.ones((1, 2), np.float32), np.array([2])) == 1.0
    x, y = blobs(300, 0)
    constant = np.column_stack([x, np.full(300, 7.0, np.float32)])
    assert right(fit((constant, y), hidden=hidden, epochs=100), constant, y) == 1.0


@pytest.mark.parametrize("labels", [[], [0, 3], [-1, 0]])
def test_labels_that_are_no_classes_are_refused(labels):
    x = np.zeros((len(labels), 2), np.float32)
    with pytest.raises(
        ValueError, match=rf"expected samples with labels in \[0, 3\), got {len(labels)} samples"
    ):
        fit((x, np.array(labels, dtype=np.int64)))


def test_flatten_gives_rows_also_of_no_inputs():
    x = np.arange(24).reshape(2, 3, 4)
    np.testing.assert_array_equal(flatten(x), np.arange(24).reshape(2, 12))
    assert flatten(x[:0]).shape == (0, 12)
