"""What claims rest on, exactly: ranks, dimensions, eigenvalues, K-TanH; golden values and properties."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsebench import ops
from sparsebench.meter.prices import PROFILES
from sparsebench.scoring import counting_bound
from sparsebench.studies import attention, conditional, convacs, overlap
from sparsebench.studies.cube_kernels import eigenvalues, krawtchouk, measured_eigenvalues
from sparsebench.studies.k_tanh import all_bfloat16, largest_error
from sparsebench.studies.metered import counted, priced
from sparsebench.studies.modular import PRIMES
from sparsebench.studies.polynomial import DIMENSIONS
from sparsebench.studies.polynomial_maps import ambient, dimension, naive
from sparsebench.studies.precision import Fixed, final_errors, rounded


@pytest.mark.parametrize("prime", PRIMES)
@pytest.mark.parametrize(("n", "m", "d", "width", "rank"), overlap.OVERLAPS)
def test_ranks_of_overlapping_circuits(n, m, d, width, rank, prime):
    circuit = convacs.overlapping_first(n, m, d, width)
    found = convacs.matricization_rank(circuit, convacs.halves(n, "left"), np.random.default_rng(3), prime)
    assert found == rank == overlap.formula(n, m, d, width)


@pytest.mark.parametrize(("window", "left", "odd"), overlap.WINDOWS)
def test_ranks_of_windows(window, left, odd):
    circuit, rng = convacs.tree(8, 2, 2, window), np.random.default_rng(4)
    for how, rank in (("left", left), ("odd", odd)):
        assert convacs.matricization_rank(circuit, convacs.halves(8, how), rng, PRIMES[0]) == rank


@pytest.mark.parametrize(
    ("arguments", "weights", "macs"),
    [
        ((16, 2, 4, 1), 116, 476),
        ((16, 2, 4, 2), 148, 988),
        ((16, 2, 4, 3), 156, 1180),
        ((16, 2, 4, 5), 172, 1564),
        ((16, 2, 4, 7), 188, 1948),
        ((8, 3, 3, 1), 57, 171),
        ((8, 3, 3, 2), 75, 363),
        ((8, 3, 3, 3), 84, 459),
        ((8, 3, 3, 5), 102, 651),
    ],
)
def test_weights_and_prices_of_circuits(arguments, weights, macs):
    circuit = convacs.overlapping_first(*arguments)
    assert (convacs.parameters(circuit), convacs.macs(circuit)) == (weights, macs)


def test_a_grid_tensor_has_the_outputs_of_the_layers_that_are_shipped():
    """Windows of 2 and stride 2 over all inputs: `ops.convac_layer` in exact small integers."""
    circuit, prime = convacs.tree(4, 2, 2), PRIMES[0]

    class Small:
        def __init__(self):
            self.rng = np.random.default_rng(0)

        def integers(self, low, high, shape):
            return self.rng.integers(low, min(high, 4), shape)

    tensor = convacs.grid_tensor(circuit, Small(), prime)
    rng = Small()
    weights = [rng.integers(1, prime, (2, 2, 2)) for _ in range(2)]
    readout = rng.integers(1, prime, (2, 1))
    for inputs in itertools.product(range(2), repeat=4):
        x = np.eye(2)[list(inputs)][None]
        for weight in weights:
            x = ops.convac_layer(x, weight.transpose(0, 2, 1).astype(float), stride=2)
        assert (x[0, 0] @ readout)[0] == tensor[inputs]


@pytest.mark.parametrize("prime", PRIMES)
@pytest.mark.parametrize(("widths", "power", "expected"), DIMENSIONS)
def test_dimensions_of_polynomial_networks(widths, power, expected, prime):
    assert dimension(widths, power, np.random.default_rng(5), prime) == expected
    assert expected <= naive(widths, power) <= ambient(widths, power)


@given(st.integers(2, 4), st.integers(1, 5), st.integers(1, 2))
@settings(max_examples=20)
def test_a_linear_network_has_the_dimension_of_matrices_of_its_rank(inputs, hidden, outputs):
    """Power 1 is a product of two matrices: rank r matrices (m x n) have the dimension r (m + n - r)."""
    r = min(inputs, hidden, outputs)
    found = dimension((inputs, hidden, outputs), 1, np.random.default_rng(6), PRIMES[0])
    assert found == r * (inputs + outputs - r)


@given(st.integers(1, 6), st.floats(0.1, 2.0), st.sampled_from(["exp", "square", "cosine"]))
@settings(max_examples=30)
def test_eigenvalues_are_those_of_the_matrix(n, scale, name):
    kernel = {
        "exp": lambda z: math.exp(scale * z / n),
        "square": lambda z: (scale + z) ** 2,
        "cosine": lambda z: math.cos(scale * z),
    }[name]
    told = np.repeat(eigenvalues(kernel, n), [math.comb(n, k) for k in range(n + 1)])
    found = measured_eigenvalues(kernel, n)
    assert np.sort(told)[::-1] == pytest.approx(found, abs=1e-9 * max(1.0, np.max(np.abs(found))))


def test_the_spectrum_of_the_prototype():
    shown = (69.5, 11.48, 1.896, 0.313, 0.0517, 0.0085, 0.0014)
    assert eigenvalues(lambda z: math.exp(z / 6), 6) == pytest.approx(shown, rel=1e-2)


@given(st.integers(1, 8))
def test_krawtchouks_numbers_are_orthogonal(n):
    for a, b in itertools.combinations_with_replacement(range(n + 1), 2):
        total = sum(math.comb(n, d) * krawtchouk(a, d, n) * krawtchouk(b, d, n) for d in range(n + 1))
        assert total == (2**n * math.comb(n, a) if a == b else 0)


def test_k_tanh_over_all_bfloat16_numbers():
    x = all_bfloat16()
    assert len(x) == 2 * (255 * 128)
    error, place = largest_error()
    assert (round(error, 5), round(place, 4)) == (0.00892, 0.6211)
    y = np.asarray(ops.k_tanh(x))
    assert np.array_equal(np.asarray(ops.k_tanh(-x)), -y)
    assert np.array_equal(y[np.abs(x) < 0.25], x[np.abs(x) < 0.25])
    assert np.all(y[x > 3.75] == 1.0)
    bits = y[np.abs(x) >= 0.25].view(np.uint32)
    assert not np.any(bits & 0xFFFF)  # bfloat16 numbers themselves


def test_two_price_lists_disagree_on_k_tanh():
    one = np.full((1, 1), 0.5, dtype=np.float32)
    prices = {
        profile: [
            priced(lambda _, x: x.__array_namespace__().tanh(x), {}, one, profile),
            priced(lambda _, x: ops.k_tanh(x), {}, one, profile),
        ]
        for profile in PROFILES
    }
    assert prices["ops"][0] == 8 < prices["ops"][1]
    assert prices["bit-ops"][0] == 8 * 32 * 32 > prices["bit-ops"][1]


def test_what_one_input_takes_is_what_the_meter_says():
    model = {"w": np.ones((3, 2)), "unused": np.ones(100)}
    found = counted(lambda params, x: x @ params["w"], model, np.ones((5, 3)))
    assert (found.price(), found.loaded, found.stored) == (10, 6, 106)


@given(st.floats(-200, 200), st.integers(2, 8), st.integers(0, 10), st.integers(0, 2**32))
def test_rounding_gives_a_neighbour_or_the_nearest_limit(x, integer, fraction, seed):
    kind = Fixed(integer, fraction)
    low, high = kind.limits
    nearest = rounded(np.array([x]), kind, None)[0]
    drawn = rounded(np.array([x]), kind, np.random.default_rng(seed))[0]
    for value, most in ((nearest, kind.unit / 2), (drawn, kind.unit)):
        assert low <= value <= high
        assert float(value / kind.unit).is_integer()
        assert abs(value - min(max(x, low), high)) <= most


@given(st.floats(0.05, 0.95), st.integers(0, 8))
@settings(max_examples=20)
def test_rounding_at_random_is_unbiased(share, fraction):
    kind, many = Fixed(8, fraction), 40_000
    x = np.full(many, 1.0 + share * kind.unit)
    drawn = rounded(x, kind, np.random.default_rng(1))
    assert abs(drawn.mean() - x[0]) <= 5 * kind.unit * math.sqrt(share * (1 - share) / many)


def test_small_steps_are_lost_to_the_nearest_and_not_at_random():
    errors = [
        np.mean(final_errors(Fixed(8, 8), 0.02, stochastic=how, seeds=range(4), steps=800))
        for how in (False, True)
    ]
    assert errors[0] > 100 * errors[1]


@pytest.mark.parametrize(
    ("what", "n", "expected"),
    [
        ("tree", 16, 11),
        ("tree", 256, 15),
        ("tree", 4096, 19),
        ("synthesis", 16, 13),
        ("synthesis", 256, 17),
        ("synthesis", 4096, 21),
        ("one hidden layer", 16, 67),
        ("one hidden layer", 256, 1027),
        ("one hidden layer", 4096, 16387),
    ],
)
def test_memorizing_takes_what_the_formulas_say(what, n, expected):
    found = conditional._priced(what, n)
    assert found["add-mul-cmp"] == expected == conditional.FORMULAS[what](n)
    assert found["recall"] == 1.0
    assert expected >= counting_bound(n)


def test_counting_bounds_of_the_prototype():
    assert [math.ceil(counting_bound(n)) for n in (16, 256, 4096, 65536)] == [3, 6, 9, 13]


@pytest.mark.parametrize("n", [16, 256])
def test_a_synthesized_network_is_its_parent_on_the_whole_line(n):
    assert conditional.largest_difference(n) <= 1e-12


def test_sparse_patterns_need_more_dimensions_where_there_are_more_places():
    rng = np.random.default_rng(0)
    few, many = (np.mean([attention.least_dimension(n, rng) for _ in range(5)]) for n in (16, 128))
    assert 2 < few < many < 320
    routed = [attention.least_routing_dimension(n, rng) for n in (4, 256)]
    assert routed[0] < routed[1]
