"""Arguments of the wrong kind: told as a TypeError before anything runs, without a value."""

from __future__ import annotations

import pytest

from meter.metered import assert_no_value, furnished
from meter.watched import Watched
from sparsebench import ops


@pytest.fixture
def meter():
    return furnished()


ILL_TYPED = {
    # an array where a plain number belongs would tell its value by a shape, or compute for nothing
    "arange": lambda m: m.xp.arange(m.zero),
    "arange-stop": lambda m: m.xp.arange(0, m.zero),
    "linspace": lambda m: m.xp.linspace(0.0, 1.0, m.zero),
    "linspace-start": lambda m: m.xp.linspace(m.x[0], 1.0, 5),
    "zeros": lambda m: m.xp.zeros(m.zero),
    "zeros-tuple": lambda m: m.xp.zeros((m.zero, 2)),
    "full-shape": lambda m: m.xp.full(m.zero, 1.0),
    "full-value": lambda m: m.xp.full(3, m.x[0], dtype="int64"),
    "full-like": lambda m: m.xp.full_like(m.n, m.x[0]),
    "eye": lambda m: m.xp.eye(m.zero),
    "repeat": lambda m: m.xp.repeat(m.x, m.zero),
    "repeat-array": lambda m: m.xp.repeat(m.x, m.n),
    "tile": lambda m: m.xp.tile(m.x, m.zero),
    "roll": lambda m: m.xp.roll(m.x, m.zero),
    "reshape": lambda m: m.xp.reshape(m.x, (m.zero, 2)),
    "broadcast": lambda m: m.xp.broadcast_to(m.x[0], (m.zero,)),
    "axis": lambda m: m.xp.sum(m.params["w"], axis=m.zero),
    "take-axis": lambda m: m.xp.take(m.params["w"], m.n[:1], axis=m.zero),
    "top-k": lambda m: ops.top_k(m.x, m.zero),
    "levels": lambda m: ops.quantize(m.x, levels=m.zero),
    "keepdims": lambda m: m.xp.sum(m.x, keepdims=m.b[0]),
    "descending": lambda m: m.xp.sort(m.x, descending=m.b[0]),
    "squeeze-all": lambda m: m.xp.squeeze(m.secret[None], axis=None),
    # strange numbers and dtypes
    "text": lambda m: m.xp.equal(m.x, "0.6"),
    "huge": lambda m: m.xp.add(m.n, 10**30),
    "none": lambda m: m.xp.add(m.x, None),
    "float16": lambda m: m.xp.astype(m.x, "float16"),
    "object": lambda m: m.xp.astype(m.x, "object"),
    "big-endian": lambda m: m.xp.call("astype", m.x, ">f4"),
    "no-dtype": lambda m: m.xp.call("astype", m.x, "no such thing"),
    "dtype-none": lambda m: m.xp.call("astype", m.x, None),
    "datetime": lambda m: m.xp.call("astype", m.n, "datetime64[s]"),
    "constant-object": lambda m: m.xp.asarray([None]),
    "exp-of-int8": lambda m: m.xp.exp(m.xp.astype(m.n, "int8")),
    "exp-of-bool": lambda m: m.xp.exp(m.b),
    "reciprocal-of-int": lambda m: m.xp.reciprocal(m.n),
    "negative-bool": lambda m: -m.b,
    "and-of-reals": lambda m: m.x & m.x,
    "logical-of-reals": lambda m: m.xp.logical_not(m.x),
    "logical-of-ints": lambda m: m.xp.logical_and(m.n, 1),
    "where-real": lambda m: m.xp.where(m.x, m.x, m.x),
    "mask-real": lambda m: m.x[m.x],
    "index-bool": lambda m: m.x[True],
    "index-float": lambda m: m.x[1.0],
    "index-nested": lambda m: m.x[((0,),)],
    "two-masks": lambda m: m.params["w"][m.b[:2], m.b[:3]],
    "mask-and-integer": lambda m: m.params["w"][0, m.b[:3]],
    "take-real": lambda m: m.xp.take(m.x, m.x),
    "along-real": lambda m: m.xp.take_along_axis(m.x, m.x),
    "gather-real": lambda m: ops.gather(m.x, m.x),
    "gather-nothing": lambda m: ops.gather(m.n),
    "pack-real": lambda m: ops.pack_bits(m.x),
    "side": lambda m: m.xp.searchsorted(m.x, m.x, side="middle"),
    "missing": lambda m: m.xp.add(m.x),
    "concat-nothing": lambda m: m.xp.concat([]),
    "concat-number": lambda m: m.xp.concat([m.x, 1.0]),
    "sum-int-bool": lambda m: m.xp.sum(m.n, dtype="bool"),
}


@pytest.mark.parametrize("attack", ILL_TYPED.values(), ids=ILL_TYPED.keys())
def test_ill_typed_calls_say_so_before_anything_runs(meter, attack):
    meter.xp.transport = Watched(meter.xp.transport)
    with pytest.raises(TypeError):
        attack(meter)
    assert_no_value(meter.xp.transport.told)
