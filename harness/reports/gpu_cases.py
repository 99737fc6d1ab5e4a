"""What is compared on a GPU: every case makes its inputs and yields the contestants of the same work."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reports import gpu_chains as chains
from reports.gpu_arrays import (
    cupy_of,
    drawn,
    drawn_layers,
    grouped_reference,
    merged_reference,
    relative_error,
    sample_of,
    torch_of,
)
from reports.gpu_clock import CupyClock, TorchClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LIMITS = {"float32": 1e-5, "bfloat16": 2e-2}
_MOST_GROUPS = 1023  # of grouped_mm on its fast path


@dataclass
class Contestant:
    """One implementation of a case's work."""

    name: str
    run: Callable[[], Any]
    clock: Any
    error: Callable[[Any], float]
    """From what ``run`` gave to its relative error, on a sample; NaN where anything is not a number."""
    limit: float
    """The largest error with which it counts as right."""
    note: str = ""


@dataclass
class Case:
    """A piece of work."""

    title: str
    contestants: Iterator[Contestant]
    bytes_floor: float = 0.0
    """Bytes that must be moved, at the copy's rate: the first floor."""
    floor_told: str = ""
    flops: float = 0.0
    kind: str = "float32"
    gathers: float = 0.0
    """Random reads of 4 bytes that miss the second-level cache, at their own rate."""
    facts: dict[str, Any] = field(default_factory=dict)


def _checked(x, index, layers):
    """Make the check of a grouped perceptron on a sample of rows."""
    import torch

    chosen = sample_of(x.shape[0])
    wanted = grouped_reference(x, index, layers, chosen)

    def error(made):
        tensor = made if isinstance(made, torch.Tensor) else torch_of(made)
        return relative_error(tensor[chosen], wanted) if tensor.isfinite().all() else float("nan")

    return error


def _hash_error(x, planes):
    """Make the check of a hash: the share of bits that are wrong and not within rounding of 0."""
    import torch

    chosen = sample_of(x.shape[0])
    dots = x[chosen].double() @ planes.double().T
    within = dots.abs() < 1e-5 * x[chosen].double().norm(dim=1, keepdim=True) * planes.double().norm(dim=1)
    shifts = torch.arange(planes.shape[0] - 1, -1, -1, device="cuda")

    def error(made):
        bits = (torch_of(made)[chosen][:, None] >> shifts) & 1
        return float((((bits == 1) != (dots > 0)) & ~within).double().mean())

    return error


def routed(kind, *, quick):
    """Send 2^20 rows of 64 by 10 hyperplanes to 1,024 experts of two layers."""
    from sparsebench import ops

    n, d, experts = 1 << (14 if quick else 20), 64, 1024
    x, planes = drawn((n, d), kind), drawn((10, d), kind, seed=50)
    layers = drawn_layers(experts, (d, d, d), kind)
    ours = [cupy_of(part) for part in (x, planes, *layers)]
    codes = ops.hyperplane_hash(*ours[:2])
    index = torch_of(codes)
    size = x.element_size()
    weights = sum(part.numel() for part in layers) * size
    # Routing and layers are two kernels: x is read twice, what comes out and the addresses are written once.
    floor = 3 * n * d * size + weights + 16 * n
    counts = index.bincount(minlength=experts)
    facts = {"rows of an expert, least and most": [int(counts.min()), int(counts.max())]}
    return Case(
        f"{n:,} rows, d = h = 64, 1,024 experts by 10 hyperplanes, two layers, {kind}",
        _routed_contestants(kind, (x, planes, layers, index), ours),
        floor,
        "x twice, results, weights and addresses once, at the copy's rate",
        flops=n * (4 * d * d + 20 * d),
        kind=kind,
        facts=facts,
    )


def _routed_contestants(kind, tensors, ours):

    from sparsebench import ops

    x, planes, layers, index = tensors
    there, limit, codes = CupyClock(), _LIMITS[kind], cupy_of(index)
    error = _checked(x, index, layers)

    def whole():
        return ops.grouped_mlp(ours[0], ops.hyperplane_hash(*ours[:2]), *ours[2:])

    yield Contestant("ours: hyperplane_hash + grouped_mlp", whole, there, error, limit)
    yield Contestant(
        "ours: grouped_mlp, index given",
        lambda: ops.grouped_mlp(ours[0], codes, *ours[2:]),
        *(there, error, limit),
    )
    yield Contestant(
        "ours: hyperplane_hash alone",
        lambda: ops.hyperplane_hash(*ours[:2]),
        *(there, _hash_error(x, planes), 0.0),
        note="error: share of bits that differ where the product is not within rounding of 0",
    )
    here = TorchClock()
    if kind == "bfloat16":
        fewer, some = index % _MOST_GROUPS, [part[:_MOST_GROUPS].contiguous() for part in layers]
        yield Contestant(
            "PyTorch: sort, gather, grouped_mm, ..., scatter; index given",
            lambda: chains.grouped_mm_chain(x, fewer, some),
            *(here, _checked(x, fewer, some), limit),
            note="1,023 experts: its fast path takes no more",
        )
    else:
        capacity = int(index.bincount().max())
        padded = capacity * layers[0].shape[0] / x.shape[0]
        yield Contestant(
            "PyTorch: sort, padded batched product, scatter; index given",
            lambda: chains.padded_chain(x, index, layers, capacity),
            *(here, error, limit),
            note=f"{padded:.1f} times as many rows as there are; the capacity is told to it",
        )
    yield _torch_hash(x, planes, kind)
    for precision in ("ieee",) if kind == "bfloat16" else ("tf32x3", "ieee"):
        yield from _triton_contestants((x, index, layers), precision, error, limit)


def _torch_hash(x, planes, kind):
    import torch

    powers = (2 ** torch.arange(planes.shape[0] - 1, -1, -1, device="cuda")).to(torch.float32)
    error = _hash_error(x, planes)

    def run():
        bits = (x @ planes.T) > 0
        return (bits.float() @ powers).long()

    return Contestant(
        "PyTorch: the hash alone",
        run,
        *(TorchClock(), lambda made: error(cupy_of(made)), 1e-3),
        note="bfloat16 products are rounded before the comparison" if kind == "bfloat16" else "",
    )


def _triton_contestants(tensors, precision, error, limit):
    from reports.triton_grouped import BLOCKS

    for block_m in BLOCKS:
        told = "" if tensors[0].element_size() == 2 else f", {precision}"
        yield Contestant(
            f"Triton: sort, gather, products, scatter; index given{told}, {block_m} rows a tile",
            lambda block_m=block_m: chains.triton_chain(*tensors, precision, block_m),
            *(TorchClock(), error, limit),
        )


def large_experts(kind="bfloat16", *, quick):
    """Send 65,536 rows to 8 experts 1,024 -> 4,096 -> 1,024."""
    import torch

    from sparsebench import ops

    n, d, h, experts = (2048, 256, 512, 8) if quick else (65_536, 1024, 4096, 8)
    x, layers = drawn((n, d), kind), drawn_layers(experts, (d, h, d), kind)
    generator = torch.Generator("cuda").manual_seed(7)
    index = torch.randint(experts, (n,), generator=generator, device="cuda")
    ours, codes = [cupy_of(part) for part in (x, *layers)], cupy_of(index)
    error, limit = _checked(x, index, layers), _LIMITS[kind]

    def contestants():
        yield Contestant(
            "ours: grouped_mlp",
            lambda: ops.grouped_mlp(ours[0], codes, *ours[1:]),
            *(CupyClock(), error, limit),
        )
        yield Contestant(
            "PyTorch: sort, gather, grouped_mm, ..., scatter",
            lambda: chains.grouped_mm_chain(x, index, layers),
            *(TorchClock(), error, limit),
        )
        yield from _triton_contestants((x, index, layers), "ieee", error, limit)

    moved = 2 * n * d * 2 + sum(part.numel() for part in layers) * 2
    return Case(
        f"{n:,} rows, 8 experts {d:,} -> {h:,} -> {d:,}, {kind}",
        contestants(),
        *(moved, "the larger of arithmetic at the product's rate and bytes at the copy's"),
        flops=4 * n * d * h,
        kind=kind,
    )


def tree(*, quick):
    """Send 10^8 keys down a tree of 27 levels."""
    import cupy
    import torch

    from sparsebench import ops

    depth, n = (20, 1 << 16) if quick else (27, 100_000_000)
    # Bits of positive floats are ordered as the floats are. A node's threshold is the float just below the
    # first key that goes right, so that the leaf is the first bits of a key, and every key has its own way.
    start, spread = 1 << 23, 30
    bits = cupy_of(torch.randint(1 << spread, (n,), dtype=torch.int32, device="cuda"))
    keys, thresholds = (bits + cupy.int32(start)).view(cupy.float32), cupy.empty((1 << depth) - 1, cupy.int32)
    for level in range(depth):
        first = (1 << level) - 1
        node = cupy.arange(1 << level, dtype=cupy.int32)
        thresholds[first : 2 * first + 1] = ((2 * node + 1) << (spread - 1 - level)) + (start - 1)
    thresholds = thresholds.view(cupy.float32)

    def wrong(leaf):
        return float((leaf != (bits >> (spread - depth))).mean())

    # Of 27 levels, 22 (16 MB) fit into 50 MB of cache beside what streams through. The 5 below are a read of
    # memory each, at a place that no other key of the time shares. A key's own reads wait for each other, but
    # keys do not: the floor is the time of 5 reads for every key at the rate of reads that wait for nothing.
    missed = max(depth - 22, 0)
    return Case(
        f"tree_route, {n:,} keys, depth {depth}, float32",
        iter(
            [
                Contestant(
                    "ours: tree_route", lambda: ops.tree_route(keys, thresholds), CupyClock(), wrong, 0.0
                )
            ]
        ),
        12.0 * n,
        f"the larger of keys and leaves at the copy's rate, and {missed} random reads a key at theirs",
        gathers=float(missed * n),
        facts={"error": "share of leaves that are not the first bits of their key"},
    )


def merged(experts, kind, *, quick):
    """Average the experts of 2,048 examples, and send 128 positions of each through them."""
    import torch

    from sparsebench import ops

    n, positions, d = (64 if quick else 2048), 128, 64
    x, layers = drawn((n, positions, d), kind), drawn_layers(experts, (d, d, d), kind)
    gates = torch.softmax(drawn((n, experts), "float32", seed=60), dim=1).to(x.dtype)
    ours = [cupy_of(part) for part in (x, gates, *layers)]
    chosen = sample_of(n)[:: max(1, min(n, 1024) // 64)]
    wanted = merged_reference(x, gates, layers, chosen)

    def error(made):
        tensor = made if isinstance(made, torch.Tensor) else torch_of(made)
        return relative_error(tensor[chosen], wanted) if tensor.isfinite().all() else float("nan")

    limit, size = _LIMITS[kind], x.element_size()
    contestants = (
        Contestant("ours: merged_mlp", lambda: ops.merged_mlp(*ours), CupyClock(), error, limit),
        Contestant(
            "PyTorch: einsum of parameters, batched products",
            lambda: chains.merged_chain(x, gates, layers),
            *(TorchClock(), error, limit),
        ),
    )
    parameters = sum(part[0].numel() for part in layers)
    return Case(
        f"merged_mlp, {n:,} examples of 128 positions, d = h = 64, {experts} experts, two layers, {kind}",
        iter(contestants),
        2 * n * positions * d * size,
        "the larger of arithmetic at the product's rate, and x and results at the copy's",
        flops=2 * n * experts * parameters + 4 * n * positions * d * d,
        kind=kind,
    )


CASES = {
    "routed-float32": lambda quick: routed("float32", quick=quick),
    "routed-bfloat16": lambda quick: routed("bfloat16", quick=quick),
    "merged-8-float32": lambda quick: merged(8, "float32", quick=quick),
    "merged-64-float32": lambda quick: merged(64, "float32", quick=quick),
    "merged-8-bfloat16": lambda quick: merged(8, "bfloat16", quick=quick),
    "merged-64-bfloat16": lambda quick: merged(64, "bfloat16", quick=quick),
    "tree": lambda quick: tree(quick=quick),
    "large-experts": lambda quick: large_experts(quick=quick),
}
"""The cases by name, in the order in which they are run."""
