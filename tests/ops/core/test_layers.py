"""Stacks of layers: pairs of weights and biases that fit each other."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.ops.core.layers import MOST_LAYERS, Layer, held, paired, stacked, tables_of

W, B = np.ones((2, 4, 3)), np.ones((2, 4))


@st.composite
def stacks(draw):
    """Experts, widths, and arrays of layers that fit."""
    experts = draw(st.integers(0, 3))
    widths = draw(st.lists(st.integers(0, 4), min_size=2, max_size=1 + MOST_LAYERS))
    arrays = []
    for d, h in itertools.pairwise(widths):
        arrays += [np.ones((experts, h, d)), np.ones((experts, h)) if draw(st.booleans()) else None]
    if arrays[-1] is None and draw(st.booleans()):
        arrays = arrays[:-1]
    return experts, widths, arrays


@given(found=stacks())
def test_layers_that_fit(found):
    experts, widths, arrays = found
    layers = stacked("made", arrays, widths[0])
    assert [layer.weights.shape for layer in layers] == [
        (experts, h, d) for d, h in itertools.pairwise(widths)
    ]
    given_ = [array for array in arrays if array is not None]
    assert all(one is other for one, other in zip(tables_of(layers), given_, strict=True))


@given(found=stacks(), data=st.data())
def test_one_axis_of_another_length_does_not_fit(found, data):
    """Features of weights, and experts and outputs of a bias, are known from what stands before."""
    _, widths, arrays = found
    given_ = [(place, one.ndim) for place, one in enumerate(arrays) if one is not None]
    known = [(place, axis) for place, axes in given_ for axis in ((2,) if axes > 2 else (0, 1))]
    place, axis = data.draw(st.sampled_from(known))
    shape = list(arrays[place].shape)
    shape[axis] += 1
    arrays[place] = np.ones(shape)
    with pytest.raises(ValueError, match=r"^made: expected layers of weights \(E, h, d\)"):
        stacked("made", arrays, widths[0])


def test_the_last_bias_may_be_left_out():
    assert paired((W, B, W)) == (Layer(W, B), Layer(W, None))
    assert paired((W, None)) == paired((W,)) == (Layer(W, None),)


@pytest.mark.parametrize("arrays", [(), (W, B) * 4, (W, B) * 3 + (W,)])
def test_one_to_three_layers(arrays):
    with pytest.raises(ValueError, match="of 1 to 3 layers, got"):
        stacked("made", arrays, 3)


@pytest.mark.parametrize("arrays", [(None,), (None, B), (W, B, None)])
def test_there_are_always_weights(arrays):
    with pytest.raises(TypeError, match="for every layer, got None"):
        stacked("made", arrays, 3)


@pytest.mark.parametrize(
    "arrays", [(W[0],), (W[None],), (np.array(1.0),), (W, B[0]), (W, B[:, :1]), (W, B[:1])]
)
def test_shapes_that_do_not_fit(arrays):
    with pytest.raises(ValueError, match="the first one of d = 3; got"):
        stacked("made", arrays, 3)


def test_what_a_row_goes_through():
    layers = (Layer(W, B), Layer(np.ones((2, 5, 4)), None))
    assert held(layers) == 12 + 4 + 20 + 7 * (4 + 5)
    assert held(layers, positions=3) == 12 + 4 + 20 + 3 * 7 * (4 + 5)
