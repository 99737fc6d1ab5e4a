"""A routed perceptron on a GPU, twice in float32 and twice in bfloat16: what a profiler looks at.

    PYTHONPATH=harness ncu -k regex:"mlp_tiles|hash_|count_experts|scan_experts|place_pairs" \\
        --launch-skip 5 python3 harness/reports/gpu_profile.py
"""

from __future__ import annotations


def main():
    import cupy
    import ml_dtypes

    from sparsebench import ops

    rows, width, experts = 2**20, 64, 1024
    rng = cupy.random.default_rng(0)

    def normal(shape, dtype):
        return rng.standard_normal(shape, dtype=cupy.float32).astype(dtype)

    for dtype in (cupy.float32, ml_dtypes.bfloat16):
        x, planes = normal((rows, width), dtype), normal((10, width), dtype)
        weights, bias = normal((experts, width, width), dtype) / 8, normal((experts, width), dtype)
        for _ in range(2):
            expert = ops.hyperplane_hash(x, planes)
            ops.grouped_mlp(x, expert, weights, bias, weights, bias)
    cupy.cuda.Device().synchronize()


if __name__ == "__main__":
    main()
