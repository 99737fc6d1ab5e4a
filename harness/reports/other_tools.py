"""The other counters, each asked in its own way: what it says of a module and some inputs."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from typing import TYPE_CHECKING, NamedTuple

import fvcore.nn
import ptflops
import thop
import torch
from neurobench.benchmarks import Benchmark
from neurobench.metrics.workload import SynapticOperations
from neurobench.models import TorchModel
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Said(NamedTuple):
    """What a tool reported."""

    reported: float | None
    """The number as the tool gives it; None if it failed."""
    macs: float | None
    """The same in multiply-accumulates per input."""
    remarks: tuple[str, ...] = ()
    """What it said of operations that it did not count, or the error that it ended with."""


def _flop_counter(model: torch.nn.Module, x: torch.Tensor) -> Said:
    with FlopCounterMode(display=False) as counter:
        model(x)
    flops = counter.get_total_flops()
    return Said(flops, flops / 2 / len(x))


def _fvcore(model: torch.nn.Module, x: torch.Tensor) -> Said:
    analysis = fvcore.nn.FlopCountAnalysis(model, x).tracer_warnings("none")
    flops = analysis.total()
    remarks = tuple(f"unsupported: {name}" for name in sorted(analysis.unsupported_ops()))
    return Said(flops, flops / len(x), remarks)


def _thop(model: torch.nn.Module, x: torch.Tensor) -> Said:
    macs, _ = thop.profile(model, inputs=(x,), verbose=False)
    return Said(macs, macs / len(x))


def _ptflops(backend: str, model: torch.nn.Module, x: torch.Tensor) -> Said:
    """Return ptflops our inputs: left to itself it makes one, of uninitialised memory."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        macs, _ = ptflops.get_model_complexity_info(
            model,
            tuple(x.shape[1:]),
            input_constructor=lambda _: x,
            backend=backend,
            as_strings=False,
            print_per_layer_stat=False,
            verbose=True,
            ost=printed,
        )
    lines = printed.getvalue().splitlines()
    if macs is None:
        return Said(None, None, (next((line for line in lines if "<class" in line), "no figure"),))
    remarks = tuple(dict.fromkeys(line for line in lines if "zero-op" in line))
    per_input = macs if backend == "pytorch" else macs / len(x)  # that backend says "mean flops per image"
    return Said(macs, float(per_input), remarks)


def _ptflops_pytorch(model: torch.nn.Module, x: torch.Tensor) -> Said:
    return _ptflops("pytorch", model, x)


def _ptflops_aten(model: torch.nn.Module, x: torch.Tensor) -> Said:
    return _ptflops("aten", model, x)


def _neurobench(figure: str, model: torch.nn.Module, x: torch.Tensor) -> Said:
    data = DataLoader(TensorDataset(x, torch.zeros(len(x))), batch_size=len(x))
    benchmark = Benchmark(TorchModel(model), data, [], [], [[], [SynapticOperations]])
    said = float(benchmark.run(quiet=True)["SynapticOperations"][figure])
    return Said(said, said)


def _neurobench_dense(model: torch.nn.Module, x: torch.Tensor) -> Said:
    return _neurobench("Dense", model, x)


def _neurobench_effective(model: torch.nn.Module, x: torch.Tensor) -> Said:
    return _neurobench("Effective_MACs", model, x)


COUNTERS: dict[str, Callable[[torch.nn.Module, torch.Tensor], Said]] = {
    "torch": _flop_counter,
    "fvcore": _fvcore,
    "thop": _thop,
    "ptflops_pytorch": _ptflops_pytorch,
    "ptflops_aten": _ptflops_aten,
    "neurobench_dense": _neurobench_dense,
    "neurobench_effective": _neurobench_effective,
}
"""Counter -> how it is asked."""


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the tools' warnings and logs from the terminal: what they say of operations is in `Said`."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def ask(counter: str, model: torch.nn.Module, x: torch.Tensor) -> Said:
    """Ask a counter what a model does on ``x``; a failure of the tool is an answer too."""
    with _quiet():
        try:
            return COUNTERS[counter](model, x)
        except Exception as error:  # noqa: BLE001 - whatever a tool ends with is what the table reports
            text = str(error).strip().splitlines() or [""]
            return Said(None, None, (f"{type(error).__name__}: {text[0]}",))
