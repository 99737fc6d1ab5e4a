"""Calls that CUDA backends answer as the reference does: on a GPU (test_on_gpu), and without (test_cases).

Every ``specimens.py`` in a folder of ``tests/ops`` may have a list ``CASES``; all of them are found.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cuda.backends import as_tuple, on_gpu, reference
from sparsebench import ops

if TYPE_CHECKING:
    from cuda.case import Case

_CLOSE = {"float64": 1e-12, "float32": 1e-5, "float16": 2e-2, "bfloat16": 2e-2}
_TESTS = Path(__file__).parents[1]


def specimens_of(what: str) -> list[Any]:
    """Collect what the specimens of all families have under a name."""
    paths = sorted(_TESTS.glob("ops/*/specimens.py"))
    modules = [importlib.import_module(f"ops.{path.parent.name}.specimens") for path in paths]
    return [getattr(module, what) for module in modules if hasattr(module, what)]


def all_cases() -> list[Case]:
    """Find the cases of all families."""
    return [found for cases in specimens_of("CASES") for found in cases]


def by_primitive(what: str) -> dict[str, Any]:
    """Collect tables of all families that are keyed by primitives' names."""
    return {name: found for table in specimens_of(what) for name, found in table.items()}


def run_on(device: Any, found: Case, args: tuple[Any, ...]) -> Any:
    """Run the CUDA backend of a case's primitive on a device."""
    return on_gpu(ops.PRIMITIVES[found.primitive], device, *args, **found.options)


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
