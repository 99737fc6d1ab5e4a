from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tasks.lipschitz_instances import GENERATE, gradients, problem, sampled, streams

CONVAC = GENERATE.convac


def test_the_circuit_in_tensors():
    """The same circuit with Einstein sums over all positions at once, windows cut off at the end."""
    circuit = CONVAC.draw_circuit(streams("convac")("target"))
    x = np.random.default_rng(14).uniform(-1, 1, (300, 16))
    representation = np.stack([np.ones_like(x), x], axis=2)
    weights = np.stack([np.ones((3, 4)), np.array(circuit.slopes)], axis=2)
    state = np.ones((300, 16, 4))
    for place in range(3):
        factors = np.einsum("npm,cm->npc", representation, weights[place])
        state[:, : 16 - place] *= factors[:, place:]
    for pair in np.array(circuit.pairs):
        state = np.einsum("npc,dc->npd", state[:, 0::2], pair[0]) * np.einsum(
            "npc,dc->npd", state[:, 1::2], pair[1]
        )
    assert state.shape == (300, 1, 4)
    np.testing.assert_array_equal(state[:, 0, 0], 1)
    expected = state[:, 0] @ circuit.readout
    np.testing.assert_allclose(problem("convac").function(x), expected, atol=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_the_bound_of_a_circuit_holds(seed):
    circuit = CONVAC.draw_circuit(np.random.default_rng(seed))
    rng = np.random.default_rng(100 + seed)
    x = np.concatenate([rng.uniform(-1, 1, (2000, 16)), rng.choice([-1.0, 1.0], (4000, 16))])
    slopes = gradients(lambda z: CONVAC.evaluate(circuit, list(z.T)), x, 1e-5)
    steepest = np.sqrt((slopes**2).sum(axis=1)).max()
    bound = CONVAC.circuit_lipschitz(circuit)
    assert steepest < bound < 1000 * steepest, "certain, and of some use"


def test_corners_of_a_block_enclose_it():
    """With inputs in common, a block and its derivatives stay within what its corners say."""
    circuit = CONVAC.draw_circuit(np.random.default_rng(21))
    x = np.random.default_rng(22).uniform(-1, 1, (500, 16))
    for start in (0, 12):
        corners = CONVAC._corners(circuit, range(start, start + 4))

        def block(z, start=start):
            leaves = [CONVAC._leaf(circuit, list(z.T)[p : p + 3]) for p in range(start, start + 4)]
            return np.stack(CONVAC._climb(leaves, circuit.pairs[:2])[0][1:])

        values = block(x)
        low, high = corners[1:].min(axis=2), corners[1:].max(axis=2)
        assert (low[:, 0] <= values.min(axis=1) + 1e-12).all()
        assert (values.max(axis=1) <= high[:, 0] + 1e-12).all()
        for i in range(16):
            step = 1e-5 * np.eye(16)[i]
            slopes = (block(x + step) - block(x - step)) / 2e-5
            assert (low[:, i + 1] - 1e-8 <= slopes.min(axis=1)).all()
            assert (slopes.max(axis=1) <= high[:, i + 1] + 1e-8).all()
        unused = [i for i in range(16) if not start <= i < start + 6]
        np.testing.assert_array_equal(corners[:, np.array(unused) + 1], 0)


@settings(max_examples=60, deadline=None)
@given(
    ends=hnp.arrays(np.float64, (4, 3), elements=st.floats(-5, 5)),
    parts=hnp.arrays(np.float64, (2, 3), elements=st.floats(0, 1)),
    weight=st.floats(-3, 3),
)
def test_enclosures_enclose_sums_products_and_multiples(ends, parts, weight):
    """Entry 0 is a value, the rest its derivatives: those of f g are f g' + g f'."""
    lows, highs = np.minimum(ends[:2], ends[2:]), np.maximum(ends[:2], ends[2:])
    one, two = (GENERATE.intervals.Enclosure(low, high) for low, high in zip(lows, highs, strict=True))
    f, g = np.clip(lows + parts * (highs - lows), lows, highs)
    product = f[0] * g + g[0] * f
    product[0] = f[0] * g[0]
    for enclosure, entries in ((one + two, f + g), (one * two, product), (weight * one, weight * f)):
        assert (enclosure.low <= entries).all()
        assert (entries <= enclosure.high).all()
    assert one.steepness() >= math.sqrt((f[1:] ** 2).sum()) * (1 - 1e-15)


def test_the_circuit_can_be_learned_and_not_by_a_line():
    """256 random ReLU features and ridge explain most of it; an affine function does not."""
    x, y = sampled("convac")
    x = x.astype(np.float64)
    rng, train = np.random.default_rng(15), slice(0, 16384)
    hidden = np.maximum(x @ rng.normal(size=(16, 256)) / 2 + rng.normal(size=256), 0)
    shares = []
    for features in (x, hidden):
        design = np.column_stack([features, np.ones(len(x))])
        gram = design[train].T @ design[train] + 0.1 * np.eye(design.shape[1])
        readout = np.linalg.solve(gram, design[train].T @ y[train])
        rest = (design[16384:] @ readout - y[16384:]).var()
        shares.append(1 - rest / y[16384:].var())
    affine, features = shares
    assert affine < 0.7
    assert 0.7 < features < 0.95
