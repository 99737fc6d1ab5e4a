"""Where memory is short, rows are done in parts."""

from __future__ import annotations

import numpy as np
import pytest

from cuda import shim
from cuda.cases import agree, all_cases, by_primitive, expected, run_on
from sparsebench import ops
from sparsebench.ops.gpu.chunking import in_parts

pytestmark = pytest.mark.skipif(shim.MISSING is not None, reason=str(shim.MISSING))

ONE_EACH = {found.primitive: found for found in all_cases()}

BY_ROWS = by_primitive("BY_ROWS")


def cut(device, primitive, args, **options):
    """Run a CUDA backend, in parts where memory does not suffice."""
    call = primitive.parser.parse_on_gpu(args, options)
    return in_parts(primitive, primitive.backends["cuda"], device, call)


def test_annotations_say_what_can_be_cut():
    """The specimens of a family have ``BY_ROWS`` for each that has a kernel, and a call in ``CASES``."""
    kernels = {name: its for name, its in ops.PRIMITIVES.items() if "cuda" in its.backends}
    assert {name: its.parser.by_rows for name, its in kernels.items()} == BY_ROWS
    assert set(ONE_EACH) == set(BY_ROWS)


@pytest.mark.parametrize("name", sorted(BY_ROWS))
def test_parts_are_the_whole(name):
    found = ONE_EACH[name]
    args = found.make(np.random.default_rng(4), 37)
    names = ops.PRIMITIVES[name].parser.signature.bind(*args, **found.options).arguments
    rows = [names[row] for row in BY_ROWS[name] if names.get(row) is not None]
    tables = [part for part in args if part is not None and not any(part is row for row in rows)]
    made = run_on(shim.ShimDevice(), found, args)
    results = made if isinstance(made, tuple) else (made,)
    most = max(array.nbytes for array in (*rows, *results))
    device = shim.ShimDevice(memory=max(most - 1, *(8 * part.nbytes + 4096 for part in tables), 0))
    agree(cut(device, ops.PRIMITIVES[name], args, **found.options), expected(found, args))


def test_arguments_by_name_are_cut_too():
    x, planes = np.ones((64, 8), np.float32), np.ones((3, 8), np.float32)
    device = shim.ShimDevice(memory=600)
    leaves = cut(device, ops.hyperplane_hash, (), planes=planes, x=x)
    np.testing.assert_array_equal(leaves, ops.hyperplane_hash(x, planes))


def test_memory_that_is_short_is_released():
    x, planes = np.ones((64, 8), np.float32), np.ones((3, 8), np.float32)
    device = shim.ShimDevice(memory=600)
    leaves = cut(device, ops.hyperplane_hash, (x, planes))
    assert device.released == 3  # 64 rows, and twice 32
    np.testing.assert_array_equal(leaves, ops.hyperplane_hash(x, planes))


def test_a_row_that_does_not_fit_is_an_error():
    x, planes = np.ones((4, 8), np.float32), np.ones((3, 8), np.float32)
    with pytest.raises(MemoryError):
        cut(shim.ShimDevice(memory=20), ops.hyperplane_hash, (x, planes))
