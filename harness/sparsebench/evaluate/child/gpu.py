"""The GPU for evaluation: whether there is one, and running a prediction on it.

CuPy is imported only where it is installed, and on the harness's side only to ask for the device.
"""

from __future__ import annotations

import functools
import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sparsebench.meter.model import Model

__all__ = ["gpu_name", "predict_on_gpu", "to_gpu"]


@functools.cache
def gpu_name() -> str | None:
    """Return the name of CuPy's GPU; None if there is none, or CuPy is not installed."""
    if importlib.util.find_spec("cupy") is None:
        return None
    import cupy  # noqa: PLC0415 - only where it is installed

    if not cupy.cuda.is_available():
        return None
    name = cupy.cuda.runtime.getDeviceProperties(0)["name"]
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)


def to_gpu(arrays: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, Any]:
    """Copy named arrays to the GPU, as arrays with ``__array_namespace__``."""
    import cupy  # noqa: PLC0415 - only where there is a GPU

    from sparsebench.ops.gpu.namespace import give_namespace  # noqa: PLC0415

    give_namespace()

    return {name: cupy.asarray(array) for name, array in arrays.items()}


def predict_on_gpu(
    predict: Callable[..., Any], params: Model, given: Mapping[str, np.ndarray[Any, Any]]
) -> tuple[np.ndarray[Any, Any], float]:
    """Predict on a GPU.

    Parameters
    ----------
    predict
        Takes parameters and inputs.
    params
        The model, with arrays that :func:`to_gpu` gave.
    given
        Inputs, in the order of predict's arguments.

    Returns
    -------
    tuple
        The answer as a NumPy array, and the seconds between two events on the GPU: when the inputs are there,
        and when the answer is there.
    """
    import cupy  # noqa: PLC0415 - only where there is a GPU

    inputs = to_gpu(given)
    begin, end = cupy.cuda.Event(), cupy.cuda.Event()
    begin.record()
    answer = predict(params, *inputs.values())
    end.record()
    end.synchronize()
    seconds = cupy.cuda.get_elapsed_time(begin, end) / 1000
    return np.asarray(cupy.asnumpy(answer)), float(seconds)
