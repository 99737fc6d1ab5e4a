"""The calls of ``cases``, with few rows, on the device that needs no GPU."""

from __future__ import annotations

import numpy as np
import pytest
import shim
from cases import agree, all_cases, expected, face_of

pytestmark = pytest.mark.skipif(shim.MISSING is not None, reason=str(shim.MISSING))


@pytest.mark.parametrize("found", all_cases(), ids=str)
def test_a_case_agrees_with_the_reference(found):
    for n in (0, 70):
        args = found.make(np.random.default_rng(n), n)
        made = face_of(found)(shim.ShimDevice(2), *args, **found.options)
        assert made is not NotImplemented
        agree(made, expected(found, args))
