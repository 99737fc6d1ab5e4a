"""The trainer on autograd: its gradients, its steps, what it keeps, and that it repeats itself."""

import numpy as np
import pytest

pytest.importorskip(
    "autograd", reason="shipped submissions that name autograd in requires are fitted with it"
)

from descent import descend, he_normal, numpy_of_gradients, relu, softmax_loss, squared_loss


def start(rng, *widths):
    layers = zip(widths[1:], widths[:-1], strict=True)
    weights = {f"weights-{at}": he_normal(rng, *layer) for at, layer in enumerate(layers)}
    return weights | {f"biases-{at}": rng.standard_normal(width) for at, width in enumerate(widths[1:])}


def network(params, x):
    last = len(params) // 2 - 1
    for at in range(last + 1):
        x = x @ params[f"weights-{at}"].T + params[f"biases-{at}"]
        x = relu(x) if at < last else x
    return x


def classify(params, x, y):
    return softmax_loss(network(params, x), y)


def regress(params, x, y):
    return squared_loss(network(params, x)[:, 0], y)


def parity(n, seed):
    x = np.random.default_rng(seed).uniform(-1, 1, (n, 2))
    return x, (x[:, 0] * x[:, 1] > 0).astype(np.int64)


def right(params, x, y):
    return float(np.mean(np.argmax(network(params, x), axis=1) == y))


@pytest.mark.parametrize(
    ("loss", "outputs", "labels"),
    [(classify, 3, np.arange(11) % 3), (regress, 1, np.linspace(-1, 1, 11))],
)
def test_gradients_are_those_of_finite_differences(loss, outputs, labels):
    from autograd import grad

    rng = np.random.default_rng(1)
    params, x = start(rng, 4, 5, outputs), rng.standard_normal((11, 4))
    for name, slopes in grad(loss)(params, x, labels).items():
        for place in np.ndindex(slopes.shape):
            step = np.zeros(slopes.shape)
            step[place] = 1e-6
            ends = [loss(params | {name: params[name] + way * step}, x, labels) for way in (1, -1)]
            assert slopes[place] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-8)


def test_losses_are_what_they_are_called():
    rng = np.random.default_rng(2)
    logits, labels = rng.standard_normal((7, 4)) + 1000.0, rng.integers(0, 4, 7)
    shares = np.exp(logits - 1000.0) / np.exp(logits - 1000.0).sum(axis=1, keepdims=True)
    assert softmax_loss(logits, labels) == pytest.approx(-np.mean(np.log(shares[np.arange(7), labels])))
    assert squared_loss(np.array([1.0, 4.0]), np.array([0.0, 2.0])) == 2.5
    np.testing.assert_array_equal(relu(np.array([-1.0, 0.0, 2.0])), [0, 0, 2])


def test_steps_of_adam_are_what_the_papers_say():
    anp = numpy_of_gradients()
    x, w, b = np.array([[1.0, -2.0], [0.5, 3.0]]), np.array([[2.0, -1.0]]), np.array([4.0])

    def loss(params, rows):  # its gradient is the mean of the rows, and 1
        return anp.mean(rows @ params["w"].T) + anp.sum(params["b"])

    settings = {"epochs": 2, "batch": 1, "rate": 0.1, "decay": 0.5, "dtype": np.float64}
    found = descend(loss, {"w": w, "b": b}, (x,), rng=np.random.default_rng(3), **settings)
    orders = np.random.default_rng(3)
    steps = np.concatenate([orders.permutation(2), orders.permutation(2)])
    flat, first, second = np.array([2.0, -1.0, 4.0]), np.zeros(3), np.zeros(3)
    for taken, row in enumerate(steps):
        gradient = np.append(x[row], 1.0)
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        move = first / (1 - 0.9 ** (taken + 1)) / (np.sqrt(second / (1 - 0.999 ** (taken + 1))) + 1e-8)
        flat = flat - 0.1 * (1 - taken / 4) * (move + 0.5 * np.array([1, 1, 0]) * flat)
    np.testing.assert_allclose(np.append(found["w"], found["b"]), flat, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_arguments_give_the_same_digits_and_are_left_alone(dtype):
    train, params = parity(300, 0), start(np.random.default_rng(0), 2, 5, 2)
    before = [array.tobytes() for array in (*train, *params.values())]

    def fit(seed):
        return descend(classify, params, train, rng=np.random.default_rng(seed), epochs=3, dtype=dtype)

    first, second, other = fit(0), fit(0), fit(1)
    assert [array.tobytes() for array in (*train, *params.values())] == before
    assert {name: (array.shape, array.dtype) for name, array in first.items()} == {
        name: (array.shape, np.dtype(dtype)) for name, array in params.items()
    }
    assert all(np.array_equal(first[name], second[name]) for name in params)
    assert not np.array_equal(first["weights-0"], other["weights-0"])


def test_it_learns_what_a_linear_map_cannot():
    params = start(np.random.default_rng(0), 2, 16, 2)
    found = descend(classify, params, parity(4000, 0), rng=np.random.default_rng(0), epochs=30)
    assert right(found, *parity(2000, 1)) > 0.96


def test_the_epoch_that_is_judged_best_is_kept_and_the_first_of_equals():
    params, seen = start(np.random.default_rng(0), 2, 4, 2), []
    scores = iter([1.0, float("nan"), 3.0, 2.0, 3.0])

    def judge(told):
        seen.append({name: array.copy() for name, array in told.items()})
        return next(scores)

    settings = {"rng": np.random.default_rng(0), "epochs": 5, "judge": judge}
    found = descend(classify, params, parity(200, 0), **settings)
    assert len(seen) == 5
    assert all(np.array_equal(found[name], seen[2][name]) for name in params)
    assert not np.array_equal(found["weights-0"], seen[4]["weights-0"])


def test_the_last_epoch_is_kept_where_no_judge_likes_one():
    params, train = start(np.random.default_rng(0), 2, 4, 2), parity(200, 0)
    none = descend(classify, params, train, rng=np.random.default_rng(0), epochs=2)
    nan = descend(classify, params, train, rng=np.random.default_rng(0), epochs=2, judge=lambda _: np.nan)
    assert all(np.array_equal(none[name], nan[name]) for name in params)


@pytest.mark.parametrize(("rows", "epochs"), [((0, 0), 1), ((3, 2), 1), ((3, 3), 0)])
def test_nothing_to_learn_from_is_refused(rows, epochs):
    samples = [np.zeros((many, 2)) for many in rows]
    with pytest.raises(
        ValueError, match=r"descend: expected one number of rows, and at least one epoch, got"
    ):
        descend(classify, {}, samples, rng=np.random.default_rng(0), epochs=epochs)
