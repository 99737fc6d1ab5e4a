"""What this GPU can do at most, measured: a copy, matrix products, and random reads of single numbers."""

from __future__ import annotations

from reports.gpu_arrays import cupy_of, drawn
from reports.gpu_clock import CupyClock, TorchClock

_GATHERS = 8  # independent reads of a thread, all in flight together
_GATHER = r"""
extern "C" __global__ void gather(const float* table, float* out, unsigned mask, unsigned seed) {
  unsigned thread = blockIdx.x * blockDim.x + threadIdx.x;
  float found[8];
  #pragma unroll
  for (unsigned i = 0; i < 8; ++i) {
    unsigned at = (thread * 8u + i) * 2654435761u + seed;  // a number that looks random, of no memory traffic
    at ^= at >> 16; at *= 0x85ebca6bu; at ^= at >> 13; at *= 0xc2b2ae35u; at ^= at >> 16;
    found[i] = table[at & mask];
  }
  float total = 0.f;
  #pragma unroll
  for (unsigned i = 0; i < 8; ++i) total += found[i];
  if (total == 12345.678f) out[0] = total;  // never, but the compiler does not know
}
"""


def copy_rate(megabytes):
    """Return bytes read and written in a second by a copy from device to device."""
    import cupy

    source = cupy_of(drawn(megabytes << 18, "float32"))
    target = cupy.empty_like(source)
    return 2 * source.nbytes / CupyClock().calls(lambda: cupy.copyto(target, source))[1]


def product_rate(side, kind, *, tf32=False):
    """Return the floating-point operations in a second of a square matrix product."""
    import torch

    left, right = (torch.randn((side, side), device="cuda").to(getattr(torch, kind)) for _ in range(2))
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = tf32
    try:
        return 2 * side**3 / TorchClock().calls(lambda: left @ right, 20)[1]
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def gather_rate(megabytes, threads):
    """Return random reads of 4 bytes in a second, out of a table of so many megabytes (a power of two)."""
    import cupy

    kernel = cupy.RawKernel(_GATHER, "gather")
    table, out = cupy.ones(megabytes << 18, cupy.float32), cupy.zeros(1, cupy.float32)
    mask = cupy.uint32((megabytes << 18) - 1)
    seconds = CupyClock().calls(
        lambda: kernel((threads // 256,), (256,), (table, out, mask, cupy.uint32(12345)))
    )[1]
    return threads * _GATHERS / seconds


def ceilings(*, quick):
    """Measure all."""
    side = 2048 if quick else 8192
    return {
        "copy, bytes/s": copy_rate(64 if quick else 1024),
        "bfloat16 product, FLOP/s": product_rate(side, "bfloat16"),
        "tf32 product, FLOP/s": product_rate(side, "float32", tf32=True),
        "float32 product, FLOP/s": product_rate(side, "float32"),
        "random 4-byte reads of 512 MB, 1/s": gather_rate(512, 1 << (20 if quick else 26)),
        "random 4-byte reads of 8 MB, 1/s": gather_rate(8, 1 << (20 if quick else 26)),
    }
