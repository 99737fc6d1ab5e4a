"""Compile all kernels for the GPU that is here, as many at once as there are processors, into the cache."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time


def _compile(asked):
    from sparsebench.ops.gpu import compiler

    file, expression, arch = asked
    begin = time.perf_counter()
    try:
        compiler.compiled(file, (expression,), arch)
    except compiler.CompileError as error:
        return f"{file} {expression}: {error}"
    return f"{time.perf_counter() - begin:6.1f} s  {file} {expression}"


def main():
    """Compile for the architecture that is named, or that of the GPU."""
    from sparsebench.ops.gpu.instances import INSTANCES

    if len(sys.argv) > 1:
        arch = sys.argv[1]
    else:
        import cupy

        arch = f"sm_{cupy.cuda.Device().compute_capability}"
    asked = [(file, expression, arch) for file, expressions in INSTANCES for expression in expressions]
    begin = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(len(os.sched_getaffinity(0))) as pool:
        for told in pool.imap_unordered(_compile, asked):
            sys.stdout.write(f"{told}\n")
    sys.stdout.write(f"{len(asked)} kernels in {time.perf_counter() - begin:.0f} s\n")


if __name__ == "__main__":
    main()
