"""Known answers: new inputs of an instance with labels from its generator, which no submission can store.

A task's ``generate.py`` may have two more functions than ``build``:

``fresh(spec, rng, n)``
    Draws n inputs that are in no split, distributed as those of the test split, and labels them by the same
    target. Gives columns ``x`` and ``y``, and ``tag`` where there are domains.
``label(spec, x)``
    Labels inputs again; if labels are noisy, gives the best labels given x. Optional.

The hash of a task covers its data, not its generator. So each use checks that the generator agrees with the
data: it must give stored rows their stored labels, label fresh rows by the same function, and draw no stored
input.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import IntegrityError, SparsebenchError, UsageError
from sparsebench.tasks.importing import imported_generator
from sparsebench.tasks.records import SPLITS, Split
from sparsebench.tasks.streams import stream

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from sparsebench.tasks.records import Instance, InstanceSpec, TaskSpec

__all__ = ["draw_fresh", "fresh_stream", "label_again"]

_RELABELLED = 256  # rows of the test split that are labelled again each time
_ROOM = 1e-5  # of the labels' standard deviation: the effect of rounding x to float32, which no quality shows
_SIGMAS = 5.0  # standard errors of the share of labels that noise leaves: fewer match once in 3 million times


def fresh_stream(task: TaskSpec, instance: str, seed: int) -> np.random.Generator:
    """Return the stream of fresh inputs. No stream that makes data has its first label.

    Parameters
    ----------
    task
        The task.
    instance
        The instance's name.
    seed
        A whole number. Anybody who knows it can draw the same inputs.
    """
    return stream("sparsebench fresh 1", task.ref, instance, seed)


def draw_fresh(task: TaskSpec, spec: InstanceSpec, instance: Instance, seed: int, n: int) -> Split:
    """Draw fresh inputs of an instance whose generator can: see `Task.fresh`.

    Parameters
    ----------
    task
        The task whose generator draws.
    spec
        The declaration of the draw, with its seed.
    instance
        The stored rows, with which the draw must agree.
    seed
        The seed of the inputs.
    n
        The number of rows.

    Raises
    ------
    UsageError
        If the number of rows is below 1.
    IntegrityError
        If the generator gives other columns than declared, stored inputs, or other labels than the stored
        ones.
    SparsebenchError
        If the generator fails.
    """
    if n < 1:
        raise UsageError(f"n: expected at least 1, got {n}", help="say how many inputs to draw")
    with imported_generator(task.folder) as module:
        columns = _called(task, module, "fresh", spec, fresh_stream(task, spec.name, seed), n)
        if wrong := _columns_fault(columns, spec, n) or _stored_fault(columns["x"], instance):
            raise _disagrees(task, spec, wrong)
        given = {name: np.ascontiguousarray(values) for name, values in columns.items()}
        drawn = Split(np.arange(n, dtype=np.int64), **given)
        spread = float(np.std(instance.test.y, dtype=np.float64))
        label_again(task, spec, "stored", instance.test, spread, rows=_RELABELLED)
        label_again(task, spec, "fresh", drawn, spread)
    for values in drawn.columns.values():
        values.setflags(write=False)
    return drawn


def label_again(
    task: TaskSpec, spec: InstanceSpec, what: str, split: Split, spread: float, *, rows: int | None = None
) -> str:
    """Let the generator label inputs again, if it can, and compare the labels.

    Parameters
    ----------
    task, spec
        As for `draw_fresh`.
    what
        What to call these inputs in errors.
    split
        Inputs and labels.
    spread
        The standard deviation of the test labels.
    rows
        The number of rows, from the first; all if None.

    Returns
    -------
    str
        How well they agree; empty where the generator has no ``label``, or does not label these.

    Raises
    ------
    IntegrityError
        If they do not agree.
    SparsebenchError
        If the generator fails.
    """
    x, y = split.x[:rows], split.y[:rows]
    with imported_generator(task.folder) as module:
        got = _called(task, module, "label", spec, x) if hasattr(module, "label") else None
    if got is None:
        return ""
    if not isinstance(got, np.ndarray) or (got.shape, got.dtype) != (y.shape, y.dtype):
        raise _disagrees(task, spec, f"label: expected {y.dtype} of shape {y.shape}, got {_kind(got)}")
    if spec.classes is None:
        apart = float(np.max(np.abs(got.astype(np.float64) - y.astype(np.float64))))
        ok, expected = apart <= _ROOM * spread, f"{_ROOM * spread:.3g} at most"
        told = f"labels of {len(y)} {what} inputs come out to within {apart:.3g}"
    else:
        # Labels may be noisy, as often as the facts declare.
        best, share = spec.facts.get("bayes_accuracy", 1.0), float(np.mean(got == y))
        ok = share >= best - _SIGMAS * math.sqrt(best * (1.0 - best) / len(y))
        told, expected = f"{share:.2%} of the labels of {len(y)} {what} inputs come out", f"{best:.2%}"
    if not ok:
        raise _disagrees(task, spec, f"{told}, expected {expected}")
    return told


def _disagrees(task: TaskSpec, spec: InstanceSpec, what: str) -> IntegrityError:
    return IntegrityError(
        f"{task.folder / 'generate.py'}: fresh inputs of {task.ref}/{spec.name}: {what}",
        help="restore generate.py, or mend it if it is your own",
    )


def _called(task: TaskSpec, module: ModuleType, name: str, *arguments: object) -> Any:
    """Call a function of a generator, and report any error as the generator's fault."""
    script, function = task.folder / "generate.py", getattr(module, name, None)
    if not callable(function):
        raise SparsebenchError(
            f"{script}: expected a function {name}, got none",
            help="write it, or take `fresh = true` out of task.toml",
        )
    try:
        return function(*arguments)
    except SparsebenchError:
        raise
    except Exception as error:
        first = str(error).partition("\n")[0]
        raise SparsebenchError(
            f"{script}: {name}: expected arrays, got {type(error).__name__}: {first}",
            help="mend the function; the traceback of its error is above this one's",
        ) from error


def _columns_fault(columns: object, spec: InstanceSpec, n: int) -> str:
    """Return what is wrong with a generator's columns; empty if nothing is."""
    wanted = {"x": ((n, *spec.input_shape), "float32"), "y": ((n,), spec.target_dtype)}
    if spec.domains:
        wanted["tag"] = ((n,), "int64")
    if not isinstance(columns, dict) or set(columns) != set(wanted):
        got = ", ".join(map(str, columns)) if isinstance(columns, dict) else _kind(columns)
        return f"expected columns {', '.join(wanted)}, got {got}"
    counts = {"y": spec.classes, "tag": len(spec.domains) or None}
    for name, (shape, dtype) in wanted.items():
        values, count = columns[name], counts.get(name)
        if not isinstance(values, np.ndarray) or (values.shape, values.dtype.name) != (shape, dtype):
            return f"{name}: expected {dtype} of shape {shape}, got {_kind(values)}"
        if not np.isfinite(values).all():
            return f"{name}: expected finite values, got NaN or infinities"
        if count is not None and not 0 <= values.min() <= values.max() < count:
            return f"{name}: expected numbers from 0 to {count - 1}, got {values.min()} to {values.max()}"
    return ""


def _stored_fault(x: NDArray[np.float32], instance: Instance) -> str:
    """Return the fault that fresh inputs are stored ones; empty if none is."""
    mine = set(_rows(x))
    for split in SPLITS:
        stored = len(mine.intersection(_rows(getattr(instance, split).x)))
        if stored:
            return f"expected inputs that are in no split, got {stored} of {len(x)} that are in {split}"
    return ""


def _rows(x: NDArray[np.float32]) -> list[bytes]:
    """Return the bytes of each row ``(n, ...)``; equal rows have equal bytes."""
    flat = np.ascontiguousarray(x.reshape(len(x), -1) + np.float32(0))  # -0.0 becomes 0.0
    rows: list[bytes] = flat.view(f"V{flat.shape[1] * flat.itemsize}").reshape(-1).tolist()
    return rows


def _kind(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return "nothing" if value is None else f"a {type(value).__name__}"
