"""What the expert primitives charge is what a scalar program does; what their tiled kernels do is more."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import shim
from counting import charged, counted, device
from faces import quarters, reference

from sparsebench import ops
from sparsebench.ops.elementary.cuda_activations import ACTIVATIONS
from sparsebench.ops.gpu import compiler, nvrtc
from sparsebench.ops.grouped import cuda_layers as layers
from sparsebench.ops.grouped.layers import Layer
from sparsebench.ops.polynomial.on_cuda import _recipe

on_the_processor = pytest.mark.skipif(shim.MISSING is not None, reason=str(shim.MISSING))

FILE = "scalar_experts.cu"
KERNELS = (
    "grouped_mlp",
    "merged_mlp",
    "segment_combine",
    "gather_constant",
    "grouped_polynomial",
    "top_k_mask_linear",
    "convac_layer",
)


def run(kernel, n, before, shape, rooms, after, sizes):
    """Run a counting kernel: arguments before the result, rooms to work in and arguments behind it."""
    on = device()
    out = on.empty(shape, np.float32)
    made = [on.empty(room, dtype) for room, dtype in rooms]
    lengths = [size if isinstance(size, np.generic) else np.int32(size) for size in sizes]
    counts = counted(
        on,
        FILE,
        f"scalar_{kernel}<float>",
        n,
        lambda totals: (*before, out, *made, totals, np.int64(n), *lengths, *after),
    )
    return out, counts


def agree(primitive, found, *args, **kwargs):
    """Compare values and counts with a primitive's."""
    out, counts = found
    expected = reference(primitive, *args, **kwargs)
    np.testing.assert_allclose(out.reshape(expected.shape), expected, rtol=1e-5, atol=1e-6)
    assert counts == charged(primitive.cost(*args, **kwargs))


def tables(rng, experts, widths, biased):
    for place, (d, h) in enumerate(itertools.pairwise(widths)):
        yield quarters(rng, (experts, h, d), limit=4)
        yield quarters(rng, (experts, h), limit=4) if biased[place] else None


def six(given):
    return (*given, *[None] * (6 - len(given)))


def widths_of(widths):
    return (*widths, *[0] * (4 - len(widths)))


@on_the_processor
@pytest.mark.parametrize("activation", ["relu", "prelu", "swish", "k_tanh"])
@pytest.mark.parametrize(
    ("widths", "biased", "k"),
    [((5, 4, 3), (True, False), 2), ((6, 3), (True,), 1), ((3, 7, 2, 4), (True, True, True), 3)],
)
def test_grouped_mlp(activation, widths, biased, k):
    rng = np.random.default_rng(k)
    n, experts, slope = 150, 6, -0.5
    x, index = quarters(rng, (n, widths[0])), rng.integers(0, experts, (n, k))
    given = tuple(tables(rng, experts, widths, biased))
    sizes = (k, *widths_of(widths), len(biased), max(widths), ACTIVATIONS[activation])
    found = run(
        "grouped_mlp",
        n,
        (x, index, *six(given)),
        (n, k, widths[-1]),
        [((n, 2, max(widths)), np.float32)],
        (np.float32(slope),),
        sizes,
    )
    agree(ops.grouped_mlp, found, x, index, *given, activation=activation, slope=slope)
    if len(biased) == 1:
        agree(ops.grouped_linear, found, x, index, *given)


@on_the_processor
def test_gather_matmul():
    rng = np.random.default_rng(4)
    x, index, weights = quarters(rng, (90, 5)), rng.integers(0, 4, (90, 2)), quarters(rng, (4, 3, 5))
    sizes = (2, 5, 3, 0, 0, 1, 5, ACTIVATIONS["relu"])
    room = [((90, 2, 5), np.float32)]
    found = run("grouped_mlp", 90, (x, index, *six((weights,))), (90, 2, 3), room, (np.float32(0),), sizes)
    agree(ops.gather_matmul, found, x, index, weights)


@on_the_processor
@pytest.mark.parametrize(
    ("widths", "biased", "positions", "activation"),
    [
        ((4, 3), (True,), 1, "relu"),
        ((5, 4, 2), (False, True), 3, "prelu"),
        ((2, 3, 3, 1), (True,) * 3, 2, "swish"),
    ],
)
def test_merged(widths, biased, positions, activation):
    rng = np.random.default_rng(positions)
    n, experts, slope = 40, 3, 0.25
    x, gates = quarters(rng, (n, positions, widths[0]), limit=4), quarters(rng, (n, experts), limit=4)
    given = tuple(tables(rng, experts, widths, biased))
    largest = max(h * d + h for d, h in itertools.pairwise(widths))
    sizes = (
        positions,
        experts,
        *widths_of(widths),
        len(biased),
        largest,
        max(widths),
        ACTIVATIONS[activation],
    )
    rooms = [((n, largest), np.float32), ((n, 2, positions * max(widths)), np.float32)]
    before, after = (x, gates, *six(given)), (np.float32(slope),)
    found = run("merged_mlp", n, before, (n, positions, widths[-1]), rooms, after, sizes)
    agree(ops.merged_mlp, found, x, gates, *given, activation=activation, slope=slope)
    if len(biased) == 1:
        agree(ops.merge_linear, found, x, gates, *given)


@on_the_processor
@pytest.mark.parametrize(("k", "h"), [(1, 1), (3, 4)])
def test_combinations_and_constants(k, h):
    rng = np.random.default_rng(h)
    n = 130
    values, gates = quarters(rng, (n, k, h)), quarters(rng, (n, k))
    found = run("segment_combine", n, (values, gates), (n, h), [], (), (k, h))
    agree(ops.segment_combine, found, values, gates)
    index, constants = rng.integers(0, 7, (n, k)), quarters(rng, (7, h))
    for weighted in (gates, None):
        found = run("gather_constant", n, (index, constants, weighted), (n, h), [], (), (k, h))
        agree(ops.gather_constant, found, index, constants, weighted)


@on_the_processor
@pytest.mark.parametrize(("d", "degree", "h", "k"), [(3, 2, 2, 2), (4, 3, 1, 1), (2, 1, 3, 1), (3, 0, 2, 1)])
def test_grouped_polynomial(d, degree, h, k):
    rng = np.random.default_rng(d)
    n, monomials = 60, math.comb(d + degree, degree)
    x, index = quarters(rng, (n, d), limit=4), rng.integers(0, 5, (n, k))
    coefficients = quarters(rng, (5, h, monomials))
    parent, factor, _ = _recipe(d, degree)
    before, room = (x, index, coefficients, parent, factor), [((n, monomials), np.float32)]
    found = run("grouped_polynomial", n, before, (n, k, h), room, (), (d, k, h, monomials))
    agree(ops.grouped_polynomial, found, x, index, coefficients, degree=degree)


@on_the_processor
@pytest.mark.parametrize(("t", "o", "k"), [(1, 1, 1), (16, 3, 5), (64, 2, 64)])
@pytest.mark.parametrize("biased", [False, True])
def test_top_k_mask_linear(t, o, k, biased):
    rng = np.random.default_rng(t)
    n = 80
    units, readout = quarters(rng, (n, t)), quarters(rng, (t, o))
    bias = quarters(rng, o) if biased else None
    room = [((n, 2 * t), np.int32)]
    found = run("top_k_mask_linear", n, (units, readout, bias), (n, o), room, (), (t, o, k))
    agree(ops.top_k_mask_linear, found, units, readout, bias, k=k)


@on_the_processor
@pytest.mark.parametrize(
    ("positions", "m", "window", "channels", "stride"), [(7, 3, 2, 4, 2), (5, 1, 3, 2, 1)]
)
def test_convac_layer(positions, m, window, channels, stride):
    rng = np.random.default_rng(m)
    n, windows = 50, (positions - window) // stride + 1
    x, weights = quarters(rng, (n, positions, m), limit=4), quarters(rng, (window, channels, m), limit=4)
    sizes = (positions, m, window, channels, windows, stride)
    found = run("convac_layer", n, (x, weights), (n, windows, channels), [], (), sizes)
    agree(ops.convac_layer, found, x, weights, stride=stride)


@pytest.mark.skipif(
    nvrtc.find_library() is None, reason="NVRTC is not installed: pip install 'sparsebench[test]'"
)
@pytest.mark.parametrize("options", [(), ("-DCOUNTED",)], ids=["plain", "counted"])
def test_scalar_kernels_compile(options):
    names = tuple(f"scalar_{name}<float>" for name in KERNELS)
    (report,) = compiler.compile_all(("sm_90",), [(FILE, names)], (*compiler.OPTIONS, *options))
    assert report.size, report.log


def executed(n, experts, widths, dtype):
    """Count the multiplications of the tiled kernels, by their own arithmetic: rows and widths are padded.

    Experts have n / experts rows each; ``float32`` goes through the tensor cores three times.
    """
    stack = tuple(Layer(np.empty((experts, h, d), np.int8), None) for d, h in itertools.pairwise(widths))
    kind = np.dtype(dtype)
    plan = layers.plan(shim.ShimDevice(), stack, widths[0], kind)
    step = 32 // kind.itemsize if plan.width else 64 // kind.itemsize
    unit = 32 if plan.width else plan.height
    rows = experts * -(-(n // experts) // unit) * unit
    times = 3 if kind == np.float32 else 1
    made = 0
    for d, h in itertools.pairwise(widths):
        across = 32 if plan.width else 128 if h > 64 else 64
        made += rows * (-(-h // across) * across) * (-(-d // step) * step)
    return made * times


@pytest.mark.parametrize(
    ("widths", "each", "dtype", "ratio"),
    [
        ((64, 64, 64), 1024, np.float16, 1.0),
        ((64, 64, 64), 1024, np.float32, 3.0),
        ((64, 64, 64), 40, np.float16, 1.6),
        ((60, 50, 3), 32, np.float16, 1.95),
        ((1024, 4096, 1024), 128, np.float16, 1.0),
    ],
)
def test_tiled_kernels_do_more_by_what_they_pad(widths, each, dtype, ratio):
    experts = 8
    asked = each * experts * sum(d * h for d, h in itertools.pairwise(widths))
    assert executed(each * experts, experts, widths, dtype) / asked == pytest.approx(ratio, rel=0.1)
