"""Calls that every face must answer as the reference does: on a GPU (test_on_gpu), and without (test_cases).

A module ``cases_*.py`` of this folder has a list ``CASES``; all of them are found.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from faces import as_tuple, reference

from sparsebench import ops
from sparsebench.ops import backends

if TYPE_CHECKING:
    from collections.abc import Callable

_CLOSE = {"float64": 1e-12, "float32": 1e-5, "float16": 2e-2, "bfloat16": 2e-2}


@dataclass(frozen=True)
class Case:
    """A call of a primitive."""

    primitive: str
    make: Callable[[np.random.Generator, int], tuple[Any, ...]]
    """Gives the arguments, NumPy arrays, from random numbers and a number of rows."""
    options: dict[str, Any]
    """Keyword arguments."""
    note: str = ""
    """Tells cases of one primitive apart."""

    def __str__(self) -> str:
        return f"{self.primitive}-{self.note}" if self.note else self.primitive


def case(primitive: str, make: Any, note: str = "", **options: Any) -> Case:
    """Make a case."""
    return Case(primitive, make, options, note)


def all_cases() -> list[Case]:
    """Find the cases of all modules beside this one."""
    here = Path(__file__).parent
    return [
        found
        for path in sorted(here.glob("cases_*.py"))
        for found in importlib.import_module(path.stem).CASES
    ]


def face_of(found: Case) -> Any:
    """Give the CUDA face of a case's primitive."""
    primitive = ops.PRIMITIVES[found.primitive]
    face = backends.face("cuda", primitive.family, primitive.name)
    assert face is not None, f"{found.primitive} has no CUDA face"
    return face


def expected(found: Case, args: tuple[Any, ...]) -> Any:
    """Run the reference; 16-bit numbers are computed with as 64."""
    wide = [part.astype(np.float64) if _is_short(part) else part for part in args]
    return reference(ops.PRIMITIVES[found.primitive], *wide, **found.options)


def _is_short(part: Any) -> bool:
    return isinstance(part, np.ndarray) and part.dtype.name in ("float16", "bfloat16")


def agree(made: Any, wanted: Any) -> None:
    """Compare: integers must be equal, real numbers close to the norm of all."""
    for got, right in zip(as_tuple(made), as_tuple(wanted), strict=True):
        assert got.shape == right.shape
        if right.dtype.kind in "iub":
            assert got.dtype == right.dtype
            np.testing.assert_array_equal(got, right)
        else:
            given, should = got.astype(np.float64), right.astype(np.float64)
            np.testing.assert_array_equal(np.isnan(given), np.isnan(should))
            error = np.linalg.norm(np.nan_to_num(given - should))
            assert error <= _CLOSE[got.dtype.name] * max(np.linalg.norm(np.nan_to_num(should)), 1e-30)
