"""Grouped layers, on every backend."""

from __future__ import annotations

import itertools
import os
import threading

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuda import shim
from cuda.backends import on_all_schedules, on_gpu, on_the_processor, reference
from cuda.case import layers, quarters
from cuda.cases import agree
from cuda.counting import agrees, run_experts
from ops.alike import near, random, same
from ops.layered import ACTIVATIONS, drawn_layers, pairs_of, six, tables, through, wide, widths_of
from ops.on_cpu import EACH, NUMBA, agrees_with, check, using
from ops.refusals import each, told_by_all
from sparsebench import ops
from sparsebench.ops import backends
from sparsebench.ops.charges import Charge
from sparsebench.ops.core.layers import Layer
from sparsebench.ops.gpu import layers as on_tiles
from sparsebench.ops.gpu.activations import ACTIVATIONS as CODES
from sparsebench.timing import WORKLOADS

SEEDS = st.integers(0, 2**32 - 1)
DTYPES = st.sampled_from([np.float32, np.float64])
BF16 = ml_dtypes.bfloat16
FEW = np.array([[1.0, -2.0], [0.5, 4.0], [-1.0, 0.0]], dtype=np.float32)
ADDRESS, TABLE = np.array([0, 1, 1]), np.ones((2, 4, 2))


def test_grouped_linear():
    weights = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    index = np.array([0, 1, 1])
    assert ops.grouped_linear(FEW, index, weights)[:, 0].tolist() == [1.0, 4.0, 0.0]
    assert ops.grouped_linear(FEW, index, weights, np.array([[10.0], [20.0]]))[:, 0].tolist() == [
        11.0,
        24.0,
        20.0,
    ]
    with pytest.raises(IndexError):
        ops.grouped_linear(FEW, index + 1, weights)
    with pytest.raises(ValueError, match="grouped_linear"):
        ops.grouped_linear(FEW, index, weights, np.zeros((2, 2)))


@settings(max_examples=60)
@given(
    data=st.data(),
    seed=st.integers(0, 2**30),
    dtype=DTYPES,
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    n=st.integers(0, 6),
    k=st.sampled_from([None, 0, 1, 3]),
    index_dtype=st.sampled_from([np.int64, np.int32, np.uint8]),
)
def test_grouped_mlp(data, seed, dtype, activation, n, k, index_dtype):
    x = random(seed + 9, (n, 4), dtype)
    stack = drawn_layers(data, seed, 3, 4, dtype)
    index = np.random.default_rng(seed).integers(0, 3, (n,) if k is None else (n, k)).astype(index_dtype)
    got = ops.grouped_mlp(x, index, *stack, activation=activation)
    wide = [[None if t is None else t.astype(np.float64)[index] for t in pair] for pair in pairs_of(stack)]
    h = x.astype(np.float64) if k is None else np.repeat(x.astype(np.float64)[:, None], k, axis=1)
    want = through(h, wide, "...d,...hd->...h", activation)
    if activation == "k_tanh":  # one step of its mantissa is 1/128, and rounding may decide on it
        assert (got.dtype, got.shape) == (dtype, want.shape)
        np.testing.assert_allclose(got, want, atol=0.5)
    else:
        near(got, want, x)


def test_grouped_mlp_of_one_layer_is_grouped_linear():
    x, weights, bias = random(0, (5, 3)), random(1, (4, 2, 3)), random(2, (4, 2))
    index = np.array([[0, 3], [3, 3], [1, 0], [2, 2], [0, 1]])
    np.testing.assert_array_equal(
        ops.grouped_mlp.on_numpy_steadily(x, index, weights, bias),
        ops.grouped_linear.on_numpy_steadily(x, index, weights, bias),
    )
    slopes = [
        ops.grouped_mlp.on_numpy_steadily(x, index, weights, None, weights[:, :, :2], slope=s)
        for s in (0.25, 0.5)
    ]
    np.testing.assert_array_equal(*slopes)  # relu has none
    slopes = [
        ops.grouped_mlp(x, index, weights, None, weights[:, :, :2], activation="prelu", slope=s)
        for s in (0.0, 0.5)
    ]
    assert (slopes[0] != slopes[1]).any()


def test_experts_beside_the_chosen_one_are_not_read():
    """Parameters that are not numbers stay where they are."""
    weights, bias = np.full((3, 2, 4), np.nan), np.full((3, 2), np.nan)
    weights[1], bias[1] = 1.0, 0.5
    got = ops.grouped_mlp(np.ones((2, 4)), np.array([1, 1]), weights, bias)
    assert got.tolist() == [[4.5, 4.5]] * 2


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    d=st.integers(0, 70),
    n=st.integers(0, 12),
    k=st.sampled_from([(), (1,), (3,)]),
    h=st.sampled_from([(), (0,), (1,), (4,)]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_gather_matmul(seed, d, n, k, h, dtype):
    x, weights = random(seed, (n, d), dtype), random(seed + 1, (5, *h, d), dtype)
    index = np.random.default_rng(seed).integers(0, 5, (n, *k))
    got = ops.gather_matmul(x, index, weights)
    one = "nd,nhd->nh" if h else "nd,nd->n"
    several = "nd,nkhd->nkh" if h else "nd,nkd->nk"
    want = np.einsum(several if k else one, x, weights[index])
    assert (got.dtype, got.shape) == (dtype, (n, *k, *h))
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
    if h:
        same(got, ops.grouped_linear(x, index, weights))
    assert ops.gather_matmul.elements(x, index, weights) == got.size


def test_only_the_rows_at_addresses_are_read():
    assert ops.gather_matmul.touched(FEW, ADDRESS, TABLE)[0][0] is TABLE
    assert ops.gather_matmul.cost(FEW, ADDRESS, TABLE[:, 0])[:2] == (
        Charge("lookup", "int64", 3),
        Charge("load", "float64", 6),
    )


@pytest.mark.parametrize(
    ("error", "arguments"),
    [
        (IndexError, (FEW, ADDRESS + 1, TABLE)),
        (IndexError, (FEW, ADDRESS - 1, TABLE[:, 0])),
        (ValueError, (FEW, ADDRESS, TABLE[0, 0])),
        (ValueError, (FEW, ADDRESS, TABLE[None])),
        (ValueError, (FEW, ADDRESS, TABLE[..., :1])),
        (ValueError, (FEW, ADDRESS[:2], TABLE)),
        (ValueError, (FEW, ADDRESS[:, None, None], TABLE)),
        (ValueError, (FEW[0], ADDRESS, TABLE)),
        (TypeError, (FEW, ADDRESS, TABLE * 1j)),
        (TypeError, (FEW, ADDRESS / 1, TABLE)),
    ],
)
def test_gather_matmul_refuses(error, arguments):
    with pytest.raises(error, match="gather_matmul"):
        ops.gather_matmul(*arguments)


# On the processor: its fast backends ------------------------------------------------------------------


@NUMBA
@pytest.mark.parametrize("frozen", [(0,), (1,), (3,), (0, 1, 2, 3), ()])
def test_some_parameters_may_be_read_only(frozen):
    """Compiled loops once wanted all of them to be so, or none."""
    stack = [random(0, (3, 8, 5)), random(1, (3, 8)), random(2, (3, 6, 8)), random(3, (3, 6))]
    for place in frozen:
        stack[place].flags.writeable = False
    x, index = random(4, (40, 5)), np.arange(40) % 3
    check("numba", ops.grouped_mlp, (x, index, *stack), {})


@EACH
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("activation", CODES)
@settings(max_examples=8)
@given(
    seed=SEEDS,
    dtype=DTYPES,
    n=st.sampled_from([0, 1, 5, 64, 150]),
    k=st.sampled_from([(), (1,), (3,)]),
    experts=st.sampled_from([1, 4, 40, 300]),
    d=st.integers(0, 40),
    h=st.integers(0, 80),
)
def test_layers_and_activations(which, layers, activation, seed, dtype, n, k, experts, d, h):
    rng = np.random.default_rng(seed)
    x, index = quarters(rng, (n, d), dtype, 8), rng.integers(0, experts, (n, *k))
    stack = []
    for width, outputs in zip((d, h, 7)[:layers], (h, 7, 18)[:layers], strict=True):
        bias = quarters(rng, (experts, outputs), dtype, 8) if rng.integers(2) else None
        stack += [quarters(rng, (experts, outputs, width), dtype, 8) / 4, bias]
    check(which, ops.grouped_mlp, (x, index, *stack), {"activation": activation, "slope": 0.5})


@EACH
def test_nan_stays(which):
    x = np.array([[np.nan], [1.0], [-1.0], [-np.inf]] * 20)
    one = np.ones((2, 8, 1))
    with using(which):
        out = ops.grouped_mlp(x, np.arange(80) % 2, one, None, one.transpose(0, 2, 1))
    np.testing.assert_array_equal(out[:4, 0], [np.nan, 8.0, 0.0, 0.0])


def real(*shape):
    return (np.random.default_rng(len(shape)).integers(-8, 9, shape) / 4).astype(np.float32)


def large(which="numpy"):
    rng = np.random.default_rng(3)
    x, index = rng.standard_normal((3000, 24), dtype=np.float32), np.minimum(rng.zipf(1.5, (3000, 2)), 30) - 1
    with backends.use(which):  # it is worth compiled code, and threads share what a patch would set
        return ops.grouped_mlp(x, index, real(30, 40, 24), real(30, 40), real(30, 20, 40))


@EACH
def test_threads_do_not_matter(which, monkeypatch):
    monkeypatch.setenv("SPARSEBENCH_NUM_THREADS", "1")
    want = large(which)
    for threads in ("2", "5"):
        monkeypatch.setenv("SPARSEBENCH_NUM_THREADS", threads)
        np.testing.assert_array_equal(large(which), want)
    made = [None] * 3
    callers = [threading.Thread(target=lambda i=i: made.__setitem__(i, large(which))) for i in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    for got in made:
        np.testing.assert_array_equal(got, want)


@EACH
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_may_use_them_too(which, monkeypatch):
    monkeypatch.setenv("SPARSEBENCH_NUM_THREADS", "2")
    want = large(which)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:  # nothing of the parent's tests may run on here
        os.write(writing, bytes([np.array_equal(large(which), want)]))
        os._exit(0)
    os.close(writing)
    told = os.read(reading, 1)
    os.close(reading)
    assert os.waitpid(child, 0)[1] == 0
    assert told == b"\1"


@EACH
def test_other_dtypes_are_left_to_the_steady_backend(which):
    x, index, weights = np.ones((8, 2)), np.arange(8) % 2, np.ones((2, 3, 2))
    for rows, table in ((x.astype(np.float32), weights), (x.astype(np.float16), weights.astype(np.float16))):
        for primitive in (ops.grouped_linear, ops.grouped_mlp):
            with using(which) as record:
                got = primitive(rows, index, table)
            assert (primitive.name, "steady") in record
            agrees_with(primitive, got, reference(primitive, rows, index, table))


# CUDA kernels, run on the processor: the same answers in any schedule ---------------------------------


@on_the_processor
@pytest.mark.parametrize("activation", CODES)
@pytest.mark.parametrize(
    ("widths", "kernel"),
    [
        ((12, 7, 5), "mlp_tiles<float, 32>"),
        ((64, 64, 40, 64), "mlp_tiles<float, 64>"),
        ((70, 128, 3), "mlp_tiles<float, 128>"),
        ((20, 150, 6), "gemm_tiles<float, 128>"),
    ],
)
def test_layers_of_experts(activation, widths, kernel):
    rng = np.random.default_rng(sum(widths))
    x, index = rng.standard_normal((301, widths[0])).astype(np.float32), rng.integers(0, 5, 301)
    given = layers(rng, 5, widths)
    if activation == "k_tanh":  # it jumps: what is computed before it must be exact
        x, given = quarters(rng, x.shape), [quarters(rng, part.shape, limit=3) for part in given]
    made = on_all_schedules(ops.grouped_mlp, x, index, *given, activation=activation, slope=-0.5)
    agree(made, reference(ops.grouped_mlp, x, index, *given, activation=activation, slope=-0.5))
    device = shim.ShimDevice()
    on_gpu(ops.grouped_mlp, device, x, index, *given, activation=activation)
    assert kernel in device.launched


@on_the_processor
@pytest.mark.parametrize("dtype", [np.float16, BF16, np.float64])
@pytest.mark.parametrize("widths", [(17, 33, 9), (8, 200, 72)])
@pytest.mark.parametrize("k", [None, 3])
def test_layers_of_other_numbers(dtype, widths, k):
    rng = np.random.default_rng(7)
    shape = (150,) if k is None else (150, k)
    x, index = rng.standard_normal((150, widths[0])).astype(dtype), rng.integers(0, 4, shape)
    given = layers(rng, 4, widths, dtype)
    made = on_all_schedules(ops.grouped_mlp, x, index, *given, activation="swish")
    assert made.dtype == dtype
    agree(made, reference(ops.grouped_mlp, *wide([x]), index, *wide(given), activation="swish"))


@on_the_processor
@pytest.mark.parametrize("widths", [(64, 64, 64), (128, 128), (300, 40)])
def test_float32_has_its_digits(widths):
    rng = np.random.default_rng(2)
    x, index = rng.standard_normal((200, widths[0])).astype(np.float32), rng.integers(0, 3, 200)
    given = layers(rng, 3, widths)
    made = on_gpu(ops.grouped_mlp, shim.ShimDevice(), x, index, *given)
    right = reference(ops.grouped_mlp, *wide([x]), index, *wide(given))
    assert np.linalg.norm(made - right) < 1e-6 * np.linalg.norm(right)


@on_the_processor
@pytest.mark.parametrize(
    ("shared_bytes", "depth", "kernel"),
    [
        (227 << 10, 2, "mlp_tiles<float, 64>"),
        (99 << 10, 2, "mlp_tiles<float, 64>"),  # with one place for rows
        (85 << 10, 3, "gemm_tiles<float, 64>"),
    ],
)
def test_less_shared_memory_is_no_hindrance(shared_bytes, depth, kernel):
    rng = np.random.default_rng(3)
    x, index = rng.standard_normal((700, 64)).astype(np.float32), rng.integers(0, 3, 700)
    given = layers(rng, 3, (64,) * (depth + 1))
    device = shim.ShimDevice(2, shared_bytes=shared_bytes)
    agree(on_gpu(ops.grouped_mlp, device, x, index, *given), reference(ops.grouped_mlp, x, index, *given))
    assert kernel in device.launched


@on_the_processor
@pytest.mark.parametrize("dtype", [np.float32, BF16, np.float64])
@pytest.mark.parametrize("widths", [(6, 5), (6, 140, 5)])
def test_a_row_of_no_expert_is_none(dtype, widths):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((60, 6)).astype(dtype)
    index = rng.integers(0, 4, (60, 2))
    given = layers(rng, 4, widths, dtype)
    lost = [(3, 0, 4), (8, 1, -1), (9, 0, 2**40), (50, 1, -(2**31))]
    right = reference(ops.grouped_mlp, *wide([x]), index, *wide(given))
    for row, place, expert in lost:
        index[row, place] = expert
        right[row, place] = np.nan
    agree(on_gpu(ops.grouped_mlp, shim.ShimDevice(3), x, index, *given), right)


@on_the_processor
def test_all_rows_may_have_no_expert():
    made = on_gpu(ops.grouped_linear, shim.ShimDevice(), np.ones((5, 3)), np.full(5, 9), np.ones((2, 4, 3)))
    assert np.isnan(made).all()


@on_the_processor
def test_experts_need_no_weights_where_there_are_none():
    device, x = shim.ShimDevice(), np.ones((3, 4), np.float32)
    empty = on_gpu(ops.grouped_linear, device, x[:0], np.zeros(0, np.int64), np.ones((2, 5, 4), np.float32))
    assert empty.shape == (0, 5)
    assert on_gpu(ops.grouped_linear, device, x, np.zeros((3, 0), np.int64), np.ones((2, 5, 4))).shape == (
        3,
        0,
        5,
    )
    assert device.launched == []
    lost = on_gpu(ops.grouped_linear, device, x, np.zeros(3, np.int64), np.ones((0, 5, 4), np.float32))
    assert np.isnan(lost).all()
    bias = np.arange(10, dtype=np.float32).reshape(2, 5)
    made = on_gpu(
        ops.grouped_linear, device, x[:, :0], np.array([1, 0, 1]), np.ones((2, 5, 0), np.float32), bias
    )
    np.testing.assert_array_equal(made, bias[[1, 0, 1]])


@on_the_processor
def test_what_is_beside_a_row_does_not_matter():
    rng = np.random.default_rng(6)
    x, index = rng.standard_normal((400, 40)).astype(np.float32), rng.integers(0, 3, 400)
    x[5] = np.nan
    x[6] = np.inf
    given = layers(rng, 3, (40, 30, 20))
    made = on_gpu(ops.grouped_mlp, shim.ShimDevice(), x, index, *given)
    assert np.isnan(made[5]).all()
    alone = on_gpu(ops.grouped_mlp, shim.ShimDevice(), x[10:11], index[10:11], *given)
    assert alone.tobytes() == made[10:11].tobytes()


@on_the_processor
def test_what_no_kernel_takes_is_left_to_the_definition():
    device, whole, index = shim.ShimDevice(), np.ones((4, 3), np.int64), np.zeros(4, np.int64)
    assert on_gpu(ops.grouped_linear, device, whole, index, np.ones((2, 5, 3), np.int64)) is NotImplemented
    x, long = np.ones((4, 3)), np.zeros(4, np.uint64)
    assert on_gpu(ops.grouped_linear, device, x, long, np.ones((2, 5, 3))) is NotImplemented
    half, short = np.ones((4, 3), np.float16), np.ones((2, 5, 3), BF16)
    assert on_gpu(ops.grouped_linear, device, half, index, short) is NotImplemented
    assert device.launched == []


@on_the_processor
def test_an_index_of_real_numbers_is_refused():
    device, x = shim.ShimDevice(), np.ones((4, 3))
    with pytest.raises(TypeError, match="grouped_linear: expected index to be integers"):
        on_gpu(ops.grouped_linear, device, x, np.zeros(4), np.ones((2, 5, 3)))
    assert device.launched == []


# What is charged is what a scalar program does --------------------------------------------------------


@on_the_processor
@pytest.mark.parametrize("activation", CODES)
@pytest.mark.parametrize(
    ("widths", "biased", "k"),
    [((5, 4, 3), (True, False), 2), ((6, 3), (True,), 1), ((3, 7, 2, 4), (True, True, True), 3)],
)
def test_layers_are_counted(activation, widths, biased, k):
    rng = np.random.default_rng(k)
    n, experts, slope = 150, 6, -0.5
    x, index = quarters(rng, (n, widths[0])), rng.integers(0, experts, (n, k))
    given = tuple(tables(rng, experts, widths, biased))
    sizes = (k, *widths_of(widths), len(biased), max(widths), CODES[activation])
    found = run_experts(
        "scalar_layers.cu",
        "grouped_mlp",
        n,
        (x, index, *six(given)),
        (n, k, widths[-1]),
        [((n, 2, max(widths)), np.float32)],
        (np.float32(slope),),
        sizes,
    )
    agrees(ops.grouped_mlp, found, x, index, *given, activation=activation, slope=slope)
    if len(biased) == 1:
        agrees(ops.grouped_linear, found, x, index, *given)


@on_the_processor
def test_products_are_counted():
    rng = np.random.default_rng(4)
    x, index, weights = quarters(rng, (90, 5)), rng.integers(0, 4, (90, 2)), quarters(rng, (4, 3, 5))
    sizes = (2, 5, 3, 0, 0, 1, 5, CODES["relu"])
    room = [((90, 2, 5), np.float32)]
    found = run_experts(
        "scalar_layers.cu",
        "grouped_mlp",
        90,
        (x, index, *six((weights,))),
        (90, 2, 3),
        room,
        (np.float32(0),),
        sizes,
    )
    agrees(ops.gather_matmul, found, x, index, weights)


def executed(n, experts, widths, dtype):
    """Count the multiplications of the tiled kernels, by their own arithmetic: rows and widths are padded.

    Experts have n / experts rows each; ``float32`` goes through the tensor cores three times.
    """
    stack = tuple(Layer(np.empty((experts, h, d), np.int8), None) for d, h in itertools.pairwise(widths))
    kind = np.dtype(dtype)
    plan = on_tiles.plan(shim.ShimDevice(), stack, widths[0], kind)
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


# What a call needs at least --------------------------------------------------------------------------


def test_layers_of_16_bits_are_half_of_what_is_moved():
    workload = WORKLOADS["grouped_mlp"]
    made = {dtype: workload.make(0, 37, dtype) for dtype in ("float32", "bfloat16")}
    works = {dtype: workload.work(args, np.zeros(1)) for dtype, args in made.items()}
    beside = made["float32"][1].nbytes + 8
    assert works["bfloat16"].bytes - beside == (works["float32"].bytes - beside) / 2


# What does not fit ------------------------------------------------------------------------------------


ROWS, EXPERT, PAIRS = np.ones((2, 3)), np.array([0, 1]), np.array([[0, 1], [1, 1]])
WEIGHTS, BIASES = np.ones((2, 4, 3)), np.ones((2, 4))
LONG, TURNS, STACK, SHIFTS = np.ones((8, 2)), np.arange(8) % 2, np.ones((2, 3, 2)), np.ones((2, 3))
WRONG = [
    (ValueError, ops.grouped_mlp, (ROWS, EXPERT), {}),
    (ValueError, ops.grouped_mlp, (ROWS, EXPERT, *[WEIGHTS, BIASES] * 4), {}),
    (TypeError, ops.grouped_mlp, (ROWS, EXPERT, None, BIASES), {}),
    (TypeError, ops.grouped_mlp, (ROWS, EXPERT, WEIGHTS.astype(int)), {}),
    (TypeError, ops.grouped_mlp, (ROWS.astype(int), EXPERT, WEIGHTS), {}),
    (TypeError, ops.grouped_mlp, (ROWS, ROWS[:, 0], WEIGHTS), {}),
    (ValueError, ops.grouped_mlp, (ROWS, EXPERT, WEIGHTS), {"activation": "tanh"}),
    (TypeError, ops.grouped_mlp, (ROWS, EXPERT, WEIGHTS), {"slope": 1j}),
    (TypeError, ops.grouped_mlp, (ROWS, EXPERT, WEIGHTS), {"slope": np.float64(0.5)}),
    (ValueError, ops.grouped_mlp, (ROWS[:1], EXPERT, WEIGHTS), {}),
    (ValueError, ops.grouped_mlp, (WEIGHTS, EXPERT, WEIGHTS), {}),
    (ValueError, ops.grouped_mlp, (ROWS, PAIRS[None], WEIGHTS), {}),
    (ValueError, ops.grouped_mlp, (ROWS[:, :2], EXPERT, WEIGHTS), {}),
    (ValueError, ops.grouped_mlp, (ROWS, EXPERT, WEIGHTS, BIASES, WEIGHTS), {}),
    (ValueError, ops.grouped_mlp, (ROWS, EXPERT, WEIGHTS, BIASES, np.ones((3, 1, 4))), {}),
    (ValueError, ops.grouped_mlp, (ROWS, EXPERT, WEIGHTS, BIASES[:, :1]), {}),
    (ValueError, ops.grouped_mlp, (ROWS, EXPERT, WEIGHTS[0]), {}),
    (ValueError, ops.grouped_mlp, (ROWS, EXPERT, np.array(1.0)), {}),
    (IndexError, ops.grouped_mlp, (ROWS, EXPERT + 1, WEIGHTS), {}),
    (IndexError, ops.grouped_mlp, (ROWS, EXPERT - 1, WEIGHTS), {}),
    (IndexError, ops.grouped_linear, (LONG, TURNS + 1, STACK), {}),
    (TypeError, ops.grouped_linear, (LONG, TURNS / 1, STACK), {}),
    (ValueError, ops.grouped_linear, (LONG, TURNS, STACK, SHIFTS[:1]), {}),
    (IndexError, ops.gather_matmul, (LONG, TURNS - 1, SHIFTS[:, :2]), {}),
    (IndexError, ops.grouped_mlp, (LONG, TURNS + 1, STACK), {}),
    (ValueError, ops.grouped_mlp, (LONG, TURNS, STACK), {"activation": "tanh"}),
    (TypeError, ops.grouped_mlp, (LONG, TURNS, None), {}),
    (ValueError, ops.grouped_linear, (LONG, TURNS, np.ones((2, 5, 4))), {}),
    (ValueError, ops.grouped_linear, (LONG, TURNS, np.ones((2, 5, 2)), np.ones((2, 4))), {}),
    (ValueError, ops.gather_matmul, (LONG, TURNS[:3], np.ones((2, 2))), {}),
    (ValueError, ops.grouped_mlp, (LONG, TURNS), {}),
    (ValueError, ops.grouped_mlp, (LONG, TURNS, np.ones((2, 5, 2)), None), {"activation": "none"}),
]


@each(WRONG)
def test_what_does_not_fit_is_told_in_one_line(error, primitive, arguments, keywords):
    told_by_all(error, primitive, arguments, keywords)
