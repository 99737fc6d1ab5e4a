"""The calls of ``cases``, with few rows, on the device that needs no GPU."""

from __future__ import annotations

import numpy as np
import pytest

from cuda import shim
from cuda.cases import agree, all_cases, expected, run_on

pytestmark = pytest.mark.skipif(shim.MISSING is not None, reason=str(shim.MISSING))


@pytest.mark.parametrize("found", all_cases(), ids=str)
def test_a_case_agrees_with_the_reference(found):
    for n in (0, 70):
        args = found.make(np.random.default_rng(n), n)
        made = run_on(shim.ShimDevice(2), found, args)
        assert made is not NotImplemented
        agree(made, expected(found, args))
