"""Calls that fail: by shape a submission may catch it, by value it ends the cell."""

from __future__ import annotations

import math

import pytest

from meter.metered import assert_no_value, furnished
from meter.watched import Watched
from sparsebench import ops
from sparsebench.errors import FailedError


@pytest.fixture
def meter():
    return furnished()


ILL_SHAPED = {
    "add": lambda m: m.x + m.params["w"],
    "matmul": lambda m: m.params["w"] @ m.params["w"],
    "matmul-0d": lambda m: m.xp.matmul(m.x[0], m.x),
    "vecdot": lambda m: m.xp.vecdot(m.x, m.x, axis=0),
    "axis": lambda m: m.xp.sum(m.x, axis=1),
    "axes": lambda m: m.xp.sum(m.params["w"], axis=(0, 0)),
    "max-of-nothing": lambda m: m.xp.max(m.x[:0]),
    "argmax-of-nothing": lambda m: m.xp.argmax(m.x[:0]),
    "position": lambda m: m.x[9],
    "too-many": lambda m: m.x[0, 0],
    "two-dots": lambda m: m.x[..., ...],
    "mask": lambda m: m.x[m.b[:2]],
    "take": lambda m: m.xp.take(m.params["w"], m.n),
    "along": lambda m: m.xp.take_along_axis(m.params["w"], m.n[None, :2], axis=2),
    "nonzero": lambda m: m.xp.nonzero(m.b[0]),
    "write-parameter": lambda m: m.params["w"].__setitem__(0, 1.0),
    "write-input": lambda m: m.x.__setitem__(0, 1.0),
    "write-broadcast": lambda m: m.xp.broadcast_to(m.xp.zeros(1), (3,)).__setitem__(0, 1.0),
    "broadcast": lambda m: m.xp.broadcast_to(m.x, (3,)),
    "broadcast-to-less": lambda m: m.xp.broadcast_to(m.params["w"], (3,)),
    "transpose": lambda m: m.xp.matrix_transpose(m.x),
    "T": lambda m: m.x.T,
    "moveaxis": lambda m: m.xp.moveaxis(m.params["w"], (0, 1), 0),
    "permute": lambda m: m.xp.permute_dims(m.params["w"], (0,)),
    "reshape": lambda m: m.xp.reshape(m.x, (3,)),
    "reshape-two": lambda m: m.xp.reshape(m.x, (-1, -1)),
    "reshape-zero": lambda m: m.xp.reshape(m.x, (0, -1)),
    "reshape-copy": lambda m: m.xp.reshape(m.params["w"].T, 6, copy=False),
    "squeeze": lambda m: m.xp.squeeze(m.x, axis=0),
    "roll": lambda m: m.xp.roll(m.x, (1, 1), axis=0),
    "repeat": lambda m: m.xp.repeat(m.x, 2, axis=3),
    "concat": lambda m: m.xp.concat([m.params["w"], m.params["w"][:1]], axis=1),
    "stack": lambda m: m.xp.stack([m.x, m.x[:2]]),
    "arange": lambda m: m.xp.arange(0, 3, 0),
    "arange-endless": lambda m: m.xp.arange(math.inf),
    "searchsorted": lambda m: m.xp.searchsorted(m.params["w"], m.x),
    "gather-tables": lambda m: ops.gather(m.n, m.x, m.params["w"]),
    "gather-0d": lambda m: ops.gather(m.n, m.x[0]),
    "tree": lambda m: ops.tree_route(m.x, m.x),
    "hash": lambda m: ops.hyperplane_hash(m.params["w"], m.params["w"][:, :2]),
    "hash-offsets": lambda m: ops.hyperplane_hash(m.params["w"], m.params["w"], m.x),
    "hash-many": lambda m: ops.hyperplane_hash(m.params["w"], m.xp.zeros((63, 3))),
    "prototype": lambda m: ops.nearest_prototype(m.x, m.params["w"]),
    "grouped": lambda m: ops.grouped_linear(m.params["w"], m.n, m.params["w"]),
    "top-k": lambda m: ops.top_k(m.x, 5),
    "no-levels": lambda m: ops.quantize(m.x, levels=0),
    "bool": lambda m: bool(m.x),
    "to-device": lambda m: m.x.to_device("gpu"),
}


@pytest.mark.parametrize("attack", ILL_SHAPED.values(), ids=ILL_SHAPED.keys())
def test_ill_shaped_calls_may_be_caught_and_charge_nothing(meter, attack):
    meter.xp.transport = Watched(meter.xp.transport)
    looked_up = meter.charges()
    with pytest.raises((ValueError, IndexError, OverflowError)):
        attack(meter)
    assert_no_value(meter.xp.transport.told)
    assert meter.charges() == looked_up
    assert meter.get(meter.x + 1.0) is not None  # the cell goes on


VALUE_DEPENDENT = {
    "getitem": lambda m: m.x[m.n + 9],
    "setitem": lambda m: (m.x + 1.0).__setitem__(m.n + 9, 0.0),
    "take": lambda m: m.xp.take(m.x, m.n + 9),
    "along": lambda m: m.xp.take_along_axis(m.x, m.n + 9),
    "gather-below": lambda m: ops.gather(m.n - 1, m.x),
    "grouped": lambda m: ops.grouped_linear(m.x[:, None], m.n + 9, m.x[:, None, None]),
    "integer-power": lambda m: m.n ** (m.n - 2),
    # lengths that depend on values
    "add": lambda m: m.secret + m.x,
    "matmul": lambda m: m.secret @ m.x,
    "position": lambda m: m.secret[3],
    "max-of-nothing": lambda m: m.xp.max(m.x[m.x > 9.0]),
    "argmax-of-nothing": lambda m: m.xp.argmax(m.x[m.x > 9.0]),
    "reshape": lambda m: m.xp.reshape(m.secret, (2, 2)),
    "broadcast": lambda m: m.xp.broadcast_to(m.secret, (4,)),
    "squeeze": lambda m: m.xp.squeeze(m.secret, axis=0),
    "stack": lambda m: m.xp.stack([m.secret, m.x]),
    "concat": lambda m: m.xp.concat([m.secret[None], m.x[None]]),
    "setitem-length": lambda m: (m.x + 1.0).__setitem__(slice(None), m.secret),
    "mask-length": lambda m: m.secret[m.b],
    "top-k": lambda m: ops.top_k(m.secret, 4),
    "tree": lambda m: ops.tree_route(m.x, m.x[m.x > 1.0][:2]),
    "bool": lambda m: bool(m.secret),
    "where": lambda m: m.xp.where(m.b, m.secret, m.x),
    "negative-length": lambda m: m.xp.vecdot(m.secret, m.x),
}


@pytest.mark.parametrize("attack", VALUE_DEPENDENT.values(), ids=VALUE_DEPENDENT.keys())
def test_what_depends_on_values_ends_the_cell(meter, attack):
    with pytest.raises(FailedError) as caught:
        attack(meter)
    text = caught.value.what + caught.value.help
    assert_no_value([text])
    assert "(3,)" not in text  # the length of the selection
    assert caught.value.help
