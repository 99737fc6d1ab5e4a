"""A grouped matrix product in Triton over a list of tiles, as one writes it by the book: a peer of ours.

Importing this module imports Triton and PyTorch.
"""

from __future__ import annotations

import itertools

import torch
import triton
import triton.language as tl

BLOCKS = (64, 128)
"""Rows of a tile; the tile list depends on them, so they are not tuned by Triton but by who calls."""

_CONFIGS = [
    triton.Config({"block_n": n, "block_k": k}, num_warps=warps, num_stages=stages)
    for (n, k), (warps, stages) in itertools.product(
        ((64, 32), (64, 64), (128, 64), (256, 64)), ((4, 3), (8, 3))
    )
    if n < 256 or warps == 8
]


def _fitting(configs, named_args, **_):
    """Leave out tiles that are wider than the product."""
    narrow = named_args["width"] <= 64
    return [config for config in configs if not narrow or config.kwargs["block_n"] == 64]


@triton.autotune(
    configs=_CONFIGS,
    key=["depth", "width", "block_m", "precision"],
    prune_configs_by={"early_config_prune": _fitting},
)
@triton.jit
def _grouped_gemm(
    x,
    weights,
    bias,
    out,
    tile_expert,
    tile_first,
    tile_end,
    depth,
    width,
    relu: tl.constexpr,
    precision: tl.constexpr,
    block_m: tl.constexpr,
    block_n: tl.constexpr,
    block_k: tl.constexpr,
):
    """Make ``out[r] = act(weights[e] x[r] + bias[e])`` for the rows of one tile, by ``block_n`` columns."""
    tile = tl.program_id(0)
    first, end = tl.load(tile_first + tile), tl.load(tile_end + tile)
    if first >= end:
        return
    expert = tl.load(tile_expert + tile).to(tl.int64)
    row = first + tl.arange(0, block_m)
    column = tl.program_id(1) * block_n + tl.arange(0, block_n)
    part = tl.arange(0, block_k)
    there, kept = row < end, column < width
    from_x = x + row.to(tl.int64)[:, None] * depth + part[None, :]
    from_weights = weights + expert * width * depth + column[None, :] * depth + part[:, None]
    total = tl.zeros((block_m, block_n), dtype=tl.float32)
    for done in range(0, depth, block_k):
        inside = part < depth - done
        left = tl.load(from_x + done, mask=there[:, None] & inside[None, :], other=0.0)
        right = tl.load(from_weights + done, mask=inside[:, None] & kept[None, :], other=0.0)
        total = tl.dot(left, right, total, input_precision=precision)
    total += tl.load(bias + expert * width + column, mask=kept, other=0.0).to(tl.float32)[None, :]
    if relu:
        total = tl.maximum(total, 0.0)
    to = out + row.to(tl.int64)[:, None] * width + column[None, :]
    tl.store(to, total.to(out.dtype.element_ty), mask=there[:, None] & kept[None, :])


def tiles(offsets, rows, block_m):
    """List tiles of ``block_m`` rows, none of two experts: their experts, first rows, and ends.

    ``offsets`` (E,) are where experts end. The list is as long as it can be at most, so that the host need
    not ask; tiles that are not needed are empty.
    """
    first = torch.nn.functional.pad(offsets, (1, 0))[:-1]
    ends = torch.cumsum((offsets - first + block_m - 1) // block_m, 0)
    number = torch.arange(rows // block_m + len(offsets), device=offsets.device)
    expert = torch.searchsorted(ends, number, right=True).clamp_(max=len(offsets) - 1)
    before = ends - (offsets - first + block_m - 1) // block_m
    start = first[expert] + (number - before[expert]) * block_m
    end = torch.minimum(start + block_m, offsets[expert])
    return expert.to(torch.int32), start.to(torch.int32), end.to(torch.int32)


def grouped_layer(x, listed, weights, bias, *, relu, precision, block_m):
    """Send sorted rows (n, d) through the layers (E, h, d) and (E, h) of their experts."""
    experts, width, depth = weights.shape
    out = torch.empty((x.shape[0], width), dtype=x.dtype, device=x.device)
    assert bias.shape == (experts, width)

    def grid(chosen):
        return (listed[0].shape[0], triton.cdiv(width, chosen["block_n"]))

    _grouped_gemm[grid](
        *(x, weights, bias, out, *listed, depth, width), relu=relu, precision=precision, block_m=block_m
    )
    return out
