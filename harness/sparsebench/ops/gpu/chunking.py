"""What does not fit the memory of a GPU at once is done in parts, a half of the rows after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.ops.core.call import Call
    from sparsebench.ops.core.primitive import Primitive
    from sparsebench.ops.gpu.device import Device

__all__ = ["in_parts"]


def in_parts(primitive: Primitive, run: Callable[..., Any], device: Device, call: Call) -> Any:
    """Run a CUDA backend; where memory does not suffice, halve its rows until it does.

    Parameters
    ----------
    primitive
        What is run. The arguments that have a row for every row of the results, as its annotations say, are
        cut.
    run
        Its CUDA backend.
    device, call
        What that is called with.

    Returns
    -------
    array or tuple of arrays
        What the backend gives, or ``NotImplemented``.

    Raises
    ------
    MemoryError
        Or the device's own error, if a single row does not fit.
    """
    cut = [name for name in primitive.parser.by_rows if getattr(call, name) is not None]
    rows = getattr(call, cut[0]).shape[0] if cut and getattr(call, cut[0]).ndim else 0
    try:
        return run(device, call)
    except device.memory_errors:
        if rows < 2:  # noqa: PLR2004 - one row cannot be halved
            raise
    device.release()
    made = [
        in_parts(primitive, run, device, primitive.parser.part(call, cut, part))
        for part in (slice(0, rows // 2), slice(rows // 2, rows))
    ]
    if isinstance(made[0], tuple):
        return tuple(map(device.joined, map(list, zip(*made, strict=True))))
    return device.joined(made)
