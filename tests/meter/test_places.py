"""What the harness does with an engine beside calls: arrays of its own, and what was not read."""

from __future__ import annotations

import numpy as np
import pytest

from sparsebench.errors import RefusedError
from sparsebench.meter import Engine
from sparsebench.meter.engine.loads import as_seen


def test_an_array_of_the_harness_lasts_as_long_as_the_batch():
    engine = Engine()
    engine.begin(np.zeros((1, 2)), inputs=1)
    array = np.arange(3)
    told = engine.place(array)
    array[0] = 9
    assert (told.dtype, told.shape) == ("int64", (3,))
    engine.free([told.handle.number])
    assert engine.value(told.handle).tolist() == [0, 1, 2]
    assert not engine.value(told.handle).flags.writeable
    engine.begin(np.zeros((1, 2)), inputs=1)
    with pytest.raises(RefusedError, match="earlier call"):
        engine.value(told.handle)


def test_what_was_not_read_is_told():
    engine = Engine()
    told = engine.add_parameters({"w": np.arange(6.0).reshape(2, 3)})
    assert engine.parameters == told
    engine.begin(np.zeros((1, 2)), inputs=1)
    engine.loads.active = True
    row = engine.call("getitem", (told["w"].handle, 1), {})
    engine.call("add", (row.handle, 1.0), {})
    unread = engine.loads.unread(engine.value(told["w"].handle))
    assert unread.tolist() == [[True] * 3, [False] * 3]


def test_a_look_is_the_same_at_another_array():
    array, other = np.arange(24.0).reshape(4, 6), np.arange(24, dtype=np.int16).reshape(4, 6)
    for view in (array, array[1:, ::2], array.T[::-1], np.broadcast_to(array[2], (3, 6)), array[1, 1, ...]):
        np.testing.assert_array_equal(as_seen(view, other), view)
