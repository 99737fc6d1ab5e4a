"""What the trainers share: steps of Adam, scaled features, gradients, batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import Adam, Scaling, batches, half_cosine, linear, softmax_slopes, views


@pytest.mark.parametrize("schedule", [linear, half_cosine])
@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_steps_of_adam_are_what_the_papers_say(schedule, decay):
    start = np.array([1.0, -2.0, 3.0, 4.0, 5.0, -6.0])
    is_weight = np.array([1, 1, 1, 1, 0, 0], dtype=bool)
    flat = start.copy()
    optimizer = Adam(flat, is_weight, steps=10, rate=0.1, decay=decay, schedule=schedule)
    first, second, expected = np.zeros(6), np.zeros(6), start.copy()
    for taken, gradient in enumerate([np.arange(-3.0, 3.0), np.arange(6.0) ** 2]):
        given_away = gradient.copy()
        optimizer.step(gradient)
        np.testing.assert_array_equal(gradient, given_away)
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        corrected = [first / (1 - 0.9 ** (taken + 1)), second / (1 - 0.999 ** (taken + 1))]
        rate = 0.1 * schedule(taken / 10)
        move = corrected[0] / (np.sqrt(corrected[1]) + 1e-8) + decay * is_weight * expected
        expected = expected - rate * move
        np.testing.assert_allclose(flat, expected, rtol=1e-7, atol=1e-8)


def test_a_gradient_that_stays_zero_moves_nothing_and_leaves_no_subnormal_moments():
    flat = np.ones(3, np.float32)
    optimizer = Adam(flat, np.ones(3, bool), steps=2000, rate=0.03)
    for _ in range(2000):
        optimizer.step(np.zeros(3, np.float32))
    np.testing.assert_array_equal(flat, 1.0)
    tiny = np.finfo(np.float32).smallest_normal
    assert all(np.all(np.abs(moment) >= tiny) for moment in (optimizer.first, optimizer.second))


@pytest.mark.parametrize("schedule", [linear, half_cosine])
def test_a_schedule_falls_from_one_to_nothing(schedule):
    rates = [schedule(share) for share in np.linspace(0, 1, 11)]
    assert rates[0] == 1.0
    assert rates[5] == pytest.approx(0.5)
    assert rates[-1] == pytest.approx(0.0)
    assert rates == sorted(rates, reverse=True)


@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.integers(2, 5))
def test_the_slopes_of_softmax_are_finite_differences_of_the_cross_entropy(seed, rows, classes):
    rng = np.random.default_rng(seed)
    logits, labels = 3 * rng.standard_normal((rows, classes)), rng.integers(0, classes, rows)

    def loss(logits):
        return np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(rows), labels])

    slopes = softmax_slopes(logits, labels)
    for place in np.ndindex(logits.shape):
        step = np.zeros(logits.shape)
        step[place] = 1e-5
        assert slopes[place] == pytest.approx((loss(logits + step) - loss(logits - step)) / 2e-5, abs=1e-8)


def test_slopes_of_logits_that_are_far_apart_are_neither_nan_nor_subnormal():
    slopes = softmax_slopes(np.array([[1e4, 0.0, -1e4]], np.float32), np.array([2]))
    np.testing.assert_allclose(slopes, [[1.0, 0.0, -1.0]], atol=1e-6)
    assert np.abs(slopes[slopes != 0]).min() > np.finfo(np.float32).smallest_normal


def test_views_are_of_one_array_and_batches_of_all_numbers():
    flat, (weights, biases) = views([(2, 3), (2,)], np.dtype(np.float32))
    weights[:], biases[:] = 1.0, 2.0
    np.testing.assert_array_equal(flat, [1, 1, 1, 1, 1, 1, 2, 2])
    assert [piece.tolist() for piece in batches(np.arange(5), 2)] == [[0, 1], [2, 3], [4]]


@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_a_folded_layer_does_the_scaling_itself(seed, scale, shift):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((20, 3)) * scale + shift
    scaling, weights, biases = Scaling.of(x), rng.standard_normal((4, 3)), rng.standard_normal(4)
    folded, offsets = scaling.fold(weights, biases)
    scaled = scaling.apply(x, np.float64)
    np.testing.assert_allclose(scaled.std(axis=0), 1.0, rtol=1e-6)
    atol = 1e-10 * (1 + abs(shift) / scale)
    np.testing.assert_allclose(x @ folded.T + offsets, scaled @ weights.T + biases, rtol=0, atol=atol)


def test_features_that_hardly_vary_are_not_blown_up():
    np.testing.assert_allclose(Scaling.of(np.array([[0.0, 0.0], [2.0, 1e-6]])).scale, [1.0, 20.0])
    np.testing.assert_array_equal(Scaling.of(np.ones((5, 2))).scale, [1.0, 1.0])
