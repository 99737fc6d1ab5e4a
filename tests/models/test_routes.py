"""Routes are checked when they are made, on any arrays."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import sparsebench as sb
from meter.metered import furnished
from sparsebench.errors import ContractError

EXPERTS = "Routes: expected integer experts of shape (n, k), got"
GATES = "Routes: expected real gates of the shape of experts, (4, 2), got"
ONE_GATE = "one gate per expert, or None"

WRONG = {
    "flat": (
        np.zeros(4, np.int64),
        None,
        f"{EXPERTS} shape (4,) and dtype int64",
        "use index[:, None] for k = 1",
    ),
    "real": (
        np.zeros((4, 2), np.float32),
        None,
        f"{EXPERTS} shape (4, 2) and dtype float32",
        "choose with xp.argmax, ops.top_k or ops.quantize",
    ),
    "bits": (
        np.zeros((4, 1), bool),
        None,
        f"{EXPERTS} shape (4, 1) and dtype bool",
        "use xp.astype(bits, xp.int64)",
    ),
    "too-many-axes": (
        np.zeros((4, 1, 1), np.int32),
        None,
        f"{EXPERTS} shape (4, 1, 1) and dtype int32",
        "give every input at least one expert",
    ),
    "none-at-all": (
        np.zeros((4, 0), np.int64),
        None,
        f"{EXPERTS} shape (4, 0) and dtype int64",
        "give every input at least one expert",
    ),
    "other-gates": (
        np.zeros((4, 2), np.int64),
        np.zeros((4, 3)),
        f"{GATES} shape (4, 3) and dtype float64",
        ONE_GATE,
    ),
    "flat-gates": (
        np.zeros((4, 2), np.int64),
        np.zeros(4),
        f"{GATES} shape (4,) and dtype float64",
        ONE_GATE,
    ),
    "gates-of-bits": (
        np.zeros((4, 2), np.int64),
        np.zeros((4, 2), bool),
        f"{GATES} shape (4, 2) and dtype bool",
        ONE_GATE,
    ),
    "complex-gates": (
        np.zeros((4, 2), np.int64),
        np.zeros((4, 2), np.complex64),
        f"{GATES} shape (4, 2) and dtype complex64",
        ONE_GATE,
    ),
}


@pytest.mark.parametrize("metered", [False, True])
@pytest.mark.parametrize("fault", WRONG)
def test_what_is_wrong_is_told_with_shapes_and_dtypes(fault, metered):
    experts, gates, message, mend = WRONG[fault]
    if metered:
        meter = furnished()
        experts, gates = meter.put(experts), None if gates is None else meter.put(gates)
    with pytest.raises(ContractError) as caught:
        sb.Routes(experts, gates)
    assert caught.value.what == message
    assert caught.value.help == mend


@pytest.mark.parametrize("given", [[[0]], None, 3, "experts"])
def test_what_is_no_array_is_told(given):
    what = f"to be an array of the namespace of x, got {type(given).__name__}"
    with pytest.raises(ContractError) as caught:
        sb.Routes(given)
    assert caught.value.what == f"Routes: expected experts {what}"
    if given is not None:
        with pytest.raises(ContractError) as caught:
            sb.Routes(np.zeros((1, 1), int), given)
        assert caught.value.what == f"Routes: expected gates {what}"
    assert caught.value.help == "compute it with xp = x.__array_namespace__()"


@pytest.mark.parametrize("dtype", [np.int64, np.uint8])
@pytest.mark.parametrize("gates", [None, np.zeros((4, 2), np.float32), np.ones((4, 2), np.int64)])
def test_what_is_right_is_kept_as_it_is(dtype, gates):
    experts = np.zeros((4, 2), dtype)
    routes = sb.Routes(experts, gates)
    assert routes.experts is experts
    assert routes.gates is gates
    assert tuple(routes) == (experts, gates)
    assert isinstance(copy.copy(routes), sb.Routes)
    assert isinstance(pickle.loads(pickle.dumps(routes)), sb.Routes)


def test_nothing_is_asked_that_would_cost():
    meter = furnished()
    secret = meter.secret[:, None]
    assert secret.known_shape is None
    charges, bits = meter.charges(), meter.engine.bits_revealed
    experts = meter.xp.zeros_like(secret, dtype=meter.xp.int64)
    assert sb.Routes(experts, secret).gates is secret
    with pytest.raises(ContractError) as caught:
        sb.Routes(secret)
    assert caught.value.what == f"{EXPERTS} number of axes 2 and dtype float32"
    with pytest.raises(ContractError) as caught:
        sb.Routes(experts, meter.secret)
    assert caught.value.what == (
        "Routes: expected real gates of the shape of experts, got number of axes 1 and dtype float32"
    )
    assert meter.charges() == charges
    assert meter.engine.bits_revealed == bits
