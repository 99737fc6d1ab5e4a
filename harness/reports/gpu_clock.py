"""Times on a GPU: events around single calls, and replays of captured graphs."""

from __future__ import annotations

import numpy as np

WARM_UPS, REPEATS = 4, 30


def quartiles(seconds):
    """Return the lower quartile, the median and the upper quartile."""
    return [float(part) for part in np.percentile(list(seconds), (25, 50, 75))]


class TorchClock:
    """Times calls on PyTorch's current stream."""

    name = "torch"

    def __init__(self):
        import torch

        self._torch = torch

    def calls(self, run, repeats=REPEATS):
        """Return quartiles of seconds of ``run()``, as the device sees it: gaps between launches included."""
        torch = self._torch
        for _ in range(WARM_UPS):
            run()
        torch.cuda.synchronize()
        pairs = [tuple(torch.cuda.Event(enable_timing=True) for _ in range(2)) for _ in range(repeats)]
        for begin, end in pairs:
            begin.record()
            run()
            end.record()
        torch.cuda.synchronize()
        return quartiles(begin.elapsed_time(end) / 1e3 for begin, end in pairs)

    def replays(self, run, repeats=REPEATS):
        """Return quartiles of seconds of a graph of ``run()``."""
        torch = self._torch
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            kept = run()
        found = self.calls(graph.replay, repeats)
        del kept
        return found


class CupyClock:
    """Times calls on a stream of CuPy's."""

    name = "cupy"

    def __init__(self):
        import cupy

        self._cupy = cupy
        self._stream = cupy.cuda.Stream(non_blocking=True)

    def calls(self, run, repeats=REPEATS):
        """Return quartiles of seconds of ``run()``, as the device sees it: gaps between launches included."""
        cupy = self._cupy
        cupy.cuda.Device().synchronize()
        with self._stream as stream:
            for _ in range(WARM_UPS):
                run()
            stream.synchronize()
            pairs = [(cupy.cuda.Event(), cupy.cuda.Event()) for _ in range(repeats)]
            for begin, end in pairs:
                begin.record(stream)
                run()
                end.record(stream)
            stream.synchronize()
        return quartiles(cupy.cuda.get_elapsed_time(begin, end) / 1e3 for begin, end in pairs)

    def replays(self, run, repeats=REPEATS):
        """Return quartiles of seconds of a graph of ``run()``; what it allocates comes from CuPy's pool."""
        self._cupy.cuda.Device().synchronize()
        with self._stream as stream:
            for _ in range(2):  # the pool keeps what these take, and gives it to the capture
                run()
            stream.synchronize()
            stream.begin_capture()
            try:
                kept = run()
            finally:
                graph = stream.end_capture()
        found = self.calls(lambda: graph.launch(self._stream), repeats)
        del kept
        return found
