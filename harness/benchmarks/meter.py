"""What metering costs: per operation in a batch, and per round trip over a pipe."""

from __future__ import annotations

import os
import signal
from typing import NoReturn

import numpy as np
from threadpoolctl import threadpool_limits

from sparsebench.evaluate.host.placement import on_one_core
from sparsebench.meter import Engine, InProcess, MeteredNamespace, OverPipe, Pipe, answer

_OPERATIONS = {
    "add": lambda xp, x, w: x + x,  # noqa: ARG005 - all take the same
    "exp": lambda xp, x, w: xp.exp(x),  # noqa: ARG005
    "sum": lambda xp, x, w: xp.sum(x, axis=-1),  # noqa: ARG005
    "matmul": lambda xp, x, w: x @ w,  # noqa: ARG005
    "two layers": lambda xp, x, w: xp.maximum(xp.maximum(x @ w, 0.0) @ w, 0.0),
}


class BatchOverhead:
    """Operations on (n, 64) arrays: the meter beside plain NumPy, on one BLAS thread."""

    params = (list(_OPERATIONS), [2048, 16384], ["numpy", "metered"])
    param_names = ("operation", "n", "how")

    def setup(self, operation: str, n: int, how: str) -> None:
        """Make the arrays."""
        rng = np.random.default_rng(0)
        x, w = rng.standard_normal((n, 64)), rng.standard_normal((64, 64))
        function = _OPERATIONS[operation]
        self.threads = threadpool_limits(1)
        self.call = lambda: function(np, x, w)
        if how == "metered":
            engine = Engine()
            xp = MeteredNamespace(InProcess(engine))
            w_told = engine.add_parameters({"w": w})["w"]
            handle, parameter = xp.wrap(engine.begin(x, inputs=n)), xp.wrap(w_told)
            self.call = lambda: function(xp, handle, parameter)
        self.call()  # the first product of a shape is preceded by a trial

    def teardown(self, operation: str, n: int, how: str) -> None:  # noqa: ARG002 - asv's parameters
        """Return the threads back."""
        self.threads.restore_original_limits()

    def time_operation(self, operation: str, n: int, how: str) -> None:  # noqa: ARG002 - asv's parameters
        """Time it."""
        self.call()

    def peakmem_operation(self, operation: str, n: int, how: str) -> None:  # noqa: ARG002 - asv's parameters
        """Measure its memory."""
        self.call()


class RoundTrip:
    """One operation on one number, asked for over a pipe by this process of another one."""

    def setup(self) -> None:
        """Connect to an engine."""
        (engine_in, self.writes), (self.reads, engine_out) = os.pipe(), os.pipe()
        engine = Engine(request_limit=1 << 40)
        x = engine.begin(np.ones(1), inputs=1)
        self.engine = os.fork()
        if self.engine == 0:
            os.close(self.writes)
            os.close(self.reads)
            self._serve(engine, Pipe(engine_in, engine_out))
        os.close(engine_in)
        os.close(engine_out)
        self.place = on_one_core(self.engine)
        self.place.__enter__()
        self.x = MeteredNamespace(OverPipe(Pipe(self.reads, self.writes))).wrap(x)

    @staticmethod
    def _serve(engine: Engine, pipe: Pipe) -> NoReturn:
        try:
            while True:
                pipe.send(answer(engine, *pipe.receive()))
        finally:
            os._exit(0)

    def teardown(self) -> None:
        """End the engine."""
        self.place.__exit__(None, None, None)
        os.kill(self.engine, signal.SIGKILL)
        os.waitpid(self.engine, 0)

    def time_addition(self) -> None:
        """Time it."""
        self.x + 1.0
