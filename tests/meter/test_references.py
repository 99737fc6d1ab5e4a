"""A primitive's price is the price of its reference, and its answers are its reference's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meter.metered import Meter, unwrap
from meter.programs.annotated import DRAWS
from meter.programs.draws import Draws
from ops.specimen import having
from sparsebench import ops
from sparsebench.ops import PRIMITIVES


class Plain(Draws):
    """Draws NumPy arrays: numbers that are exact in every order of addition, in one of several layouts."""

    most = 6
    highest = 4

    def kind(self, kinds):
        """Also narrow integers."""
        dtype = super().kind(kinds)
        return self.choose([dtype, "int16", "int8"]) if dtype == "int32" else dtype

    def values(self, shape, dtype, low=-8, high=9):
        if np.dtype(dtype).kind != "f":
            return super().values(shape, dtype, low, high)
        seed = self.integer(0, 2**32 - 1)
        return (np.random.default_rng(seed).integers(low, high, shape) / 4).astype(dtype)

    def addresses(self, shape, rows, *, negative=False):
        """All rows are taken, or one alone."""
        return super().addresses(shape, rows if self.flag() else min(rows, 1), negative=negative)

    def partner(self, x, kinds="fbiu"):
        """Also one that has an axis more."""
        return self.array(kinds, shape=(2, *x.shape)) if self.flag() else super().partner(x, kinds)

    def put(self, array):
        array = np.asarray(array)
        layout = self.choose(["C", "F", "strided", "backwards"]) if array.ndim else "C"
        if layout == "F":
            return np.asfortranarray(array)
        if layout == "strided":
            return np.repeat(array, 2, axis=0)[::2]
        return array[::-1].copy()[::-1] if layout == "backwards" else array


ROUNDED, SORTS = having("rounded"), having("sorts")


def put(meter, argument, of_model):
    if not isinstance(argument, np.ndarray):
        return argument
    return meter.put_constant(argument) if of_model else meter.put(argument)


def agree(name, got, want):
    several = isinstance(want, tuple)
    for one, other in zip(got, want, strict=True) if several else [(got, want)]:
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        tolerance = 3e-6 if name in ROUNDED else 0
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


DERIVED = [name for name, primitive in PRIMITIVES.items() if not primitive.base]


@pytest.mark.no_cover
@pytest.mark.parametrize("name", DERIVED)
@settings(max_examples=60)
@given(data=st.data())
def test_price_is_the_price_of_the_reference(name, data):
    arguments, keywords = DRAWS[name](Plain(data))
    primitive = PRIMITIVES[name]
    answers, charges = {}, {}
    ways = [*range(len(arguments)), *keywords]
    of_model = data.draw(st.sets(st.sampled_from(ways)), label="arguments of the model's")
    for way in ("one call", "reference"):
        meter = Meter()
        meter.begin(np.zeros((1, 1)))
        held = [put(meter, argument, place in of_model) for place, argument in enumerate(arguments)]
        named = {key: put(meter, argument, key in of_model) for key, argument in keywords.items()}
        made = (primitive if way == "one call" else primitive.definition)(*held, **named)
        answers[way], charges[way] = unwrap(meter, made), meter.charges()
    assert charges["one call"] == charges["reference"]
    agree(name, answers["one call"], answers["reference"])


@pytest.mark.no_cover
@pytest.mark.parametrize("name", PRIMITIVES)
@settings(max_examples=60)
@given(data=st.data())
def test_the_steady_backend_does_what_the_reference_does(name, data):
    arguments, keywords = DRAWS[name](Plain(data))
    primitive = PRIMITIVES[name]
    got, want = (
        primitive.on_numpy_steadily(*arguments, **keywords),
        primitive.reference(*arguments, **keywords),
    )
    agree(name, *((got[0], want[0]) if name in SORTS else (got, want)))


def test_formulas_of_the_design():
    """A balanced tree of n leaves, k planes in R^d, and a layer d -> h, for one input."""
    meter = Meter()
    meter.begin(np.zeros((1, 1), np.float32))
    f = np.float32
    d, h, k, n = 7, 5, 11, 64

    def kinds(made):
        del made
        counted = {}
        for _, kind, _, amount in meter.engine.ledger:
            counted[kind] = counted.get(kind, 0) + amount
        meter.begin(np.zeros((1, 1), f))
        return counted

    tree = kinds(ops.tree_route(meter.put(np.zeros(1, f)), meter.put(np.zeros(n - 1, f))))
    assert (tree["lookup"], tree["cmp"], tree["address"]) == (6, 6, 5)
    x, planes = meter.put(np.zeros((1, d), f)), meter.put(np.zeros((k, d), f))
    hashed = kinds(ops.hyperplane_hash(x, planes))
    assert hashed["mul"] + hashed["add"] + hashed["cmp"] == k * (2 * d - 1) + k
    assert hashed["address"] == k - 1
    x, index = meter.put(np.zeros((1, d), f)), meter.put(np.zeros(1, np.int64))
    weights, bias = meter.put_constant(np.zeros((9, h, d), f)), meter.put_constant(np.zeros((9, h), f))
    layer = kinds(ops.grouped_linear(x, index, weights, bias))
    assert (layer["lookup"], layer["mul"] + layer["add"]) == (1, h * (2 * d - 1) + h)
