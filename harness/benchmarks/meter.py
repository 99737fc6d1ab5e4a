"""What metering costs: per operation in a batch, and per round trip over a pipe."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np

from sparsebench.meter import Engine, InProcess, MeteredNamespace, OverPipe, Pipe, answer


def _expression(xp: Any, x: Any, y: Any) -> Any:
    return xp.maximum(x * y + x, 0.0)


class BatchOverhead:
    """Three element-wise operations on arrays of n numbers: the meter beside plain NumPy."""

    params = ([10_000, 100_000, 1_000_000], ["numpy", "metered"])
    param_names = ("n", "how")

    def setup(self, n: int, how: str) -> None:
        """Make the arrays."""
        x = np.random.default_rng(0).standard_normal((n,))
        self.call = lambda: _expression(np, x, x)
        if how == "metered":
            engine = Engine()
            namespace = MeteredNamespace(InProcess(engine))
            handle = namespace.wrap(engine.begin(x, inputs=n))
            self.call = lambda: _expression(namespace, handle, handle)

    def time_expression(self, n: int, how: str) -> None:  # noqa: ARG002 - asv's parameters
        """Time it."""
        self.call()


class RoundTrip:
    """One operation on one number over a pipe, the engine in another thread."""

    def setup(self) -> None:
        """Connect a client to an engine."""
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        self.engine_side = Pipe(ours_in, ours_out)
        self.client_side = Pipe(theirs_in, theirs_out)
        engine = Engine()
        self.x = MeteredNamespace(OverPipe(self.client_side)).wrap(engine.begin(np.ones(1), inputs=1))
        threading.Thread(target=self._serve, args=(engine,), daemon=True).start()

    def _serve(self, engine: Engine) -> None:
        while True:
            try:
                self.engine_side.send(answer(engine, *self.engine_side.receive()))
            except (EOFError, OSError):
                return

    def time_addition(self) -> None:
        """Time it."""
        self.x + 1.0
