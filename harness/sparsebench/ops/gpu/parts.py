"""What does not fit the memory of a GPU at once is done in parts, a half of the rows after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.ops.gpu.device import Device

__all__ = ["BY_ROWS", "in_parts"]

BY_ROWS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("hyperplane_hash", "pstable_hash", "nearest_prototype", "nearest_in_tree"), (0,)),
    **dict.fromkeys(("tree_route", "axis_tree_route", "oblique_tree_route", "searchsorted_route"), (0,)),
    **dict.fromkeys(("top_k_gate", "top_k_mask_linear", "convac_layer"), (0,)),
    **dict.fromkeys(("grouped_linear", "gather_matmul", "grouped_mlp", "grouped_polynomial"), (0, 1)),
    **dict.fromkeys(("merge_linear", "merged_mlp", "segment_combine"), (0, 1)),
    "gather_constant": (0, 2),
}
"""The places of the arguments that have a row for every row of the results."""


def in_parts(
    face: Callable[..., Any], name: str, device: Device, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Run a face; where memory does not suffice, halve its rows until it does.

    Parameters
    ----------
    face
        The CUDA face of a primitive.
    name
        The primitive.
    device, args, kwargs
        What the face is called with. Arguments by name are not cut.

    Returns
    -------
    array or tuple of arrays
        What the face gives, or ``NotImplemented``.

    Raises
    ------
    MemoryError
        Or the device's own error, if a single row does not fit.
    """
    places = [place for place in BY_ROWS.get(name, ()) if place < len(args) and args[place] is not None]
    rows = args[0].shape[0] if places and args[0].ndim else 0
    try:
        return face(device, *args, **kwargs)
    except device.memory_errors:
        if rows < 2:  # noqa: PLR2004 - one row cannot be halved
            raise
    device.release()
    made = [
        in_parts(face, name, device, _cut(args, places, part), kwargs)
        for part in (slice(0, rows // 2), slice(rows // 2, rows))
    ]
    if isinstance(made[0], tuple):
        return tuple(device.joined(parts) for parts in zip(*made, strict=True))
    return device.joined(made)


def _cut(args: tuple[Any, ...], places: list[int], part: slice) -> tuple[Any, ...]:
    return tuple(arg[part] if place in places else arg for place, arg in enumerate(args))
