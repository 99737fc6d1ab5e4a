"""What prices are made of."""

from __future__ import annotations

import numpy as np

from sparsebench.ops.charges import KINDS, bits_to_choose, inner_product


def test_kinds_and_logarithms():
    assert [bits_to_choose(options) for options in (0, 1, 2, 3, 4, 5, 8, 9)] == [0, 0, 1, 2, 2, 3, 3, 4]
    assert inner_product(3, 0, np.dtype("float32")) == ()
    assert {charge.kind for charge in inner_product(3, 2, np.dtype("float32"))} <= set(KINDS)
