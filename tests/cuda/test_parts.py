"""Where memory is short, rows are done in parts."""

from __future__ import annotations

import numpy as np
import pytest
import shim
from cases import agree, all_cases, expected, face_of

from sparsebench import ops
from sparsebench.ops.gpu.parts import BY_ROWS, in_parts

pytestmark = pytest.mark.skipif(shim.MISSING is not None, reason=str(shim.MISSING))

ONE_EACH = {found.primitive: found for found in all_cases()}


def test_every_face_can_be_cut():
    assert set(BY_ROWS) == set(ONE_EACH)


@pytest.mark.parametrize("name", sorted(ONE_EACH))
def test_parts_are_the_whole(name):
    found = ONE_EACH[name]
    args = found.make(np.random.default_rng(4), 37)
    rows = [args[place] for place in BY_ROWS[name] if place < len(args)]
    tables = [part for place, part in enumerate(args) if place not in BY_ROWS[name] and part is not None]
    made = face_of(found)(shim.ShimDevice(), *args, **found.options)
    results = made if isinstance(made, tuple) else (made,)
    most = max(array.nbytes for array in (*rows, *results))
    device = shim.ShimDevice(memory=max(most - 1, *(8 * part.nbytes + 4096 for part in tables), 0))
    cut = in_parts(face_of(found), name, device, args, found.options)
    agree(cut, expected(found, args))


def test_memory_that_is_short_is_released():
    x, planes = np.ones((64, 8), np.float32), np.ones((3, 8), np.float32)
    device = shim.ShimDevice(memory=600)
    leaves = in_parts(face_of(ONE_EACH["hyperplane_hash"]), "hyperplane_hash", device, (x, planes), {})
    assert device.released == 3  # 64 rows, and twice 32
    np.testing.assert_array_equal(leaves, ops.hyperplane_hash(x, planes))


def test_a_row_that_does_not_fit_is_an_error():
    x, planes = np.ones((4, 8), np.float32), np.ones((3, 8), np.float32)
    with pytest.raises(MemoryError):
        in_parts(
            face_of(ONE_EACH["hyperplane_hash"]),
            "hyperplane_hash",
            shim.ShimDevice(memory=20),
            (x, planes),
            {},
        )
