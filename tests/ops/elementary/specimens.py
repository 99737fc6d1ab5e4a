"""Activations, normalization, bits, segments and contractions: what tests of all primitives know of them."""

from __future__ import annotations

import math

import numpy as np

from meter.operands import EDGES, FREE, INDEX, NO_ROWS, NONE, NOWHERE, TABLE, B, F, N, X, Y, model
from meter.scalars import (
    common,
    exponential,
    fold,
    logarithm,
    maximum,
    number,
    operation,
    spend,
    square_root,
    total,
)
from meter.slow.arrays import Slow, cast, elementwise, filled, lanewise, reduced
from meter.slow.contraction import contract
from meter.slow.indexing import look_up, move
from meter.slow.primitives import halvings
from meter.slow.reductions import INDEX as WIDE
from ops import strict
from ops.specimen import Specimen

_is_finite = operation("cmp", np.isfinite)
_erf = operation("special", lambda one: one.dtype.type(math.erf(one)))
_tangent = operation("special", np.tanh)

# Slow activations -------------------------------------------------------------------------------------


def relu(x):
    return number(0, x.dtype) if x <= 0 else x


def prelu(x, slope):
    def keep(told, one, other):
        spend("select", other.dtype)
        return one.cast(other.dtype) if told else other

    below = elementwise(lambda one, other: other * one)(x, slope)
    above = elementwise(lambda one: one > 0)(x)
    return elementwise(keep)(above, x, below)


def _sigmoid(one):
    return 1.0 / (1.0 + exponential(-one))


def _swish(one):
    return one / (1.0 + exponential(-one))


def gelu(x, *, approximate="none"):
    def exact(one):
        return 0.5 * one * (1.0 + _erf(one * math.sqrt(0.5)))

    def by_tangent(one):
        inner = one * (math.sqrt(2 / math.pi) + 0.044715 * math.sqrt(2 / math.pi) * (one * one))
        return 0.5 * one * (1.0 + _tangent(inner))

    return elementwise({"none": exact, "tanh": by_tangent}[approximate])(x)


# By exponent and eighths of the mantissa: the exponent of the result, a shift and an offset.
_K_TANH = {
    -2: "125 1 1, 125 0 -4, 125 0 -6, 125 0 -7, 125 0 -10, 125 0 -12, 125 0 -15, 125 0 -18",
    -1: "125 0 112, 126 1 -4, 126 1 -1, 126 1 2, 126 1 3, 126 1 4, 126 1 4, 126 1 4",
    0: "126 0 65, 126 1 72, 126 1 73, 126 1 73, 126 2 88, 126 2 89, 126 2 89, 126 4 110",
    1: "126 2 119, 126 4 122, 126 4 123, 126 4 123, 126 6 126, 126 6 126, 126 6 126, 126 6 126",
}


def _look_up_constants(dtype, *records):
    for record in records:
        record.constant = True
    look_up(dtype, *records)


def _k_tanh(one):
    size = abs(one)
    small, negative, saturated = not size >= 0.25, one < 0.0, size > 3.75
    exponent = (1 if size >= 2.0 else 0) if size >= 1.0 else (-1 if size >= 0.5 else -2)
    spend("select", one.dtype)  # which of the two a size is compared with
    spend("address", WIDE)  # of the octave, two bits
    octave = filled([number(0, one.dtype)], (), one.dtype), filled([number(0, WIDE)], (), WIDE)
    _look_up_constants(WIDE, *octave)
    scaled = size * 2.0 ** (7 - exponent) - 128.0
    (mantissa,) = quantize(filled([scaled], (1,), one.dtype), levels=128).flat()
    address = number(8 * ((exponent + 127) & 3), WIDE) + (
        mantissa >> 4
    )  # of the record, in the paper's order
    record = _K_TANH[exponent].split(", ")[int(address.value) % 8]
    high, shift, offset = map(int, record.split())
    shift, offset, unit = (
        number(shift, WIDE),
        number(128 + offset, WIDE),
        number(2.0 ** (high - 134), one.dtype),
    )
    _look_up_constants(address.dtype, *(filled([part], (), part.dtype) for part in (shift, offset, unit)))
    tangent = ((mantissa >> shift) + offset).cast(one.dtype) * unit
    tangent = number(1, one.dtype) if saturated else tangent
    below = -tangent
    spend("select", one.dtype, 3)  # small, negative, saturated
    return one if small else below if negative else tangent


def activate(activation, slope):
    """The function of one number that experts apply between layers."""

    def sloped(one):
        above, below = one > 0, slope * one
        spend("select", below.dtype)
        return one if above else below

    return {"relu": relu, "prelu": sloped, "swish": _swish, "k_tanh": _k_tanh}[activation]


# Slow lanes -------------------------------------------------------------------------------------------


def _softmax(lane):
    largest = fold(maximum, lane, None)
    powers = [exponential(one - largest) for one in lane]
    below = total(powers, lane[0].dtype)
    return [one / below for one in powers]


def softmax(x, *, axis=-1):
    return lanewise(_softmax, x, axis)


def _logsumexp(lane):
    largest = fold(maximum, lane, None)
    spend("select", largest.dtype)
    largest = largest if _is_finite(largest) else number(0, largest.dtype)
    return logarithm(total([exponential(one - largest) for one in lane], largest.dtype)) + largest


def logsumexp(x, *, axis=-1, keepdims=False):
    return reduced(_logsumexp, x, axis, keepdims=keepdims)


def layer_norm(x, weight=None, bias=None, *, eps=1e-5):
    def normalize(lane):
        centre = total(lane, x.dtype) / len(lane)
        lane = [one - centre for one in lane]
        spread = total([one * one for one in lane], x.dtype) / len(lane)
        scale = 1.0 / square_root(spread + eps)
        lane = [one * scale for one in lane]
        if weight is not None:
            lane = [one * other for one, other in zip(lane, weight.flat(), strict=True)]
        if bias is not None:
            lane = [one + other for one, other in zip(lane, bias.flat(), strict=True)]
        return lane

    made = lanewise(normalize, Slow(x.cells, x.dtype)) if x.size else x
    return Slow(made.cells, common(*(part for part in (x, weight, bias) if part is not None)))


# Slow choices -----------------------------------------------------------------------------------------


def pack_bits(*bits):
    def pack(*parts):
        address = 0
        for place, part in enumerate(parts):
            spend("address", WIDE, int(place > 0))
            address = 2 * address + int(part.value)
        return number(address, WIDE)

    return elementwise(pack)(*bits)


def quantize(x, *, levels):
    """Halve the levels until one is left; also where the upper half holds none."""

    def decide(one):
        cell = 0
        for depth in reversed(range(halvings(levels))):
            spend("address", WIDE, int(depth < halvings(levels) - 1))
            above = cell + 2**depth
            spend("cmp", x.dtype)  # a truth is compared as it is, whatever Python's number would make of it
            cell = above if one.value >= above and above < levels else cell
        return number(cell, WIDE)

    return elementwise(decide)(x)


# Slow segments ----------------------------------------------------------------------------------------


def scatter_add(target, index, values):
    dtype = common(target, values)
    out = cast(target, dtype).cells
    for place, one in enumerate(index.flat()):
        address, record = int(one.value), Slow(values.cells[place, ...], values.dtype)
        if not index.constant:
            spend("load", target.dtype, record.size)
            move("lookup", index.dtype, record)
        made = elementwise(lambda a, b: a + b)(Slow(out[address, ...], dtype), record)
        out[address, ...] = made.cells
    return Slow(out, dtype)


def segment_sum(values, segments, *, num_segments):
    zeros = Slow.of(np.zeros((num_segments, *values.shape[1:]), dtype=values.dtype))
    return scatter_add(zeros, segments, values)


# Draws ------------------------------------------------------------------------------------------------

_SUBSCRIPTS = (
    "ij,jk->ik",
    "ij,jk",
    "nsd,ntd->nst",
    "ii->i",
    "ii",
    "ij->j",
    "i,j->ij",
    "ij,j,jk->ik",
    "ij,ij->ij",
    "ij,kj->i",
    "iij,j->",
    "...i,ij->...j",
    "...i,...i",
    "i...->...",
    "ab,ab,ab->ab",
    "ab,cd,bc->ad",
    "abc -> cab",
    "i,i,i",
)


def _any_subscripts(p):
    """Up to three operands: letters may stand twice, and may be summed."""
    terms = ["".join(p.choose("abcd") for _ in range(p.integer(0, 3))) for _ in range(p.integer(1, 3))]
    known = sorted({label for term in terms for label in term})
    output = [known[place] for place in p.permutation(len(known))[: p.integer(0, len(known))]]
    return ",".join(terms) + p.choose(["", "->" + "".join(output)])


def _contractions(p):
    subscripts = p.choose(_SUBSCRIPTS) if p.flag() else _any_subscripts(p)
    lengths = {label: p.integer(0, 3) for label in dict.fromkeys(filter(str.isalpha, subscripts))}
    dots = p.shape(0, 2)
    shapes = []
    for term in subscripts.replace(" ", "").partition("->")[0].split(","):
        head, found, tail = term.partition("...")
        middle = dots if found else ()
        shapes.append((*(lengths[x] for x in head), *middle, *(lengths[x] for x in tail)))
    return (subscripts, *(p.array("fi", shape=shape) for shape in shapes)), {}


# Records ----------------------------------------------------------------------------------------------

_NOTHING = "of no values, zeros"

SPECIMENS = (
    Specimen(
        name="relu",
        strict=(({}, (strict.ODD,)), ({}, (strict.N,))),
        slow=elementwise(relu),
        prices=(({}, (X,), {("cmp", F): 6}),),
        numbers={"relu": lambda ops, s: ops.relu(s.x)},
    ),
    Specimen(
        name="prelu",
        strict=(({}, (strict.X, 0.25)), ({}, (strict.X, strict.X[0]))),
        slow=prelu,
        prices=(({}, (X, 0.25), {("cmp", F): 6, ("mul", F): 6, ("select", F): 6}),),
        numbers={"prelu": lambda ops, s: ops.prelu(s.x, s.params["vector"])},
    ),
    Specimen(
        name="sigmoid",
        strict=(({}, (strict.ODD,)), ({}, (strict.X,))),
        slow=elementwise(_sigmoid),
        prices=(({}, (X,), {("add", F): 12, ("special", F): 6, ("div", F): 6}),),
        rounded=True,
        numbers={"sigmoid": lambda ops, s: ops.sigmoid(s.x)},
    ),
    Specimen(
        name="swish",
        strict=(({}, (strict.ODD,)), ({}, (strict.X,))),
        slow=elementwise(_swish),
        prices=(({}, (X,), {("add", F): 12, ("special", F): 6, ("div", F): 6}),),
        rounded=True,
        numbers={"swish": lambda ops, s: ops.swish(s.x)},
    ),
    Specimen(
        name="softmax",
        strict=(({}, (strict.ODD,)), ({"axis": 0}, (strict.X,))),
        slow=softmax,
        prices=(({"axis": 0}, (X,), {("cmp", F): 3, ("add", F): 6 + 3, ("special", F): 6, ("div", F): 6}),),
        rounded=True,
        numbers={"softmax": lambda ops, s: ops.softmax(s.x)},
    ),
    Specimen(
        name="logsumexp",
        strict=(({}, (strict.ODD,)), ({"axis": 0, "keepdims": True}, (strict.X,))),
        slow=logsumexp,
        prices=(
            (
                {},
                (X,),
                {
                    ("cmp", F): 2 * (2 + 1),
                    ("select", F): 2,
                    ("add", F): 2 * (3 + 2 + 1),
                    ("special", F): 2 * 4,
                },
            ),
        ),
        rounded=True,
        numbers={"logsumexp": lambda ops, s: s.x - ops.logsumexp(s.x, keepdims=True)},
    ),
    Specimen(
        name="layer_norm",
        strict=(({}, (strict.X,)), ({"eps": 0.5}, (strict.X, strict.W[:, 0], strict.W[:, 1]))),
        slow=layer_norm,
        prices=(
            (
                {},
                (X, X[0], Y[0]),
                {("add", F): 2 * (2 + 3 + 2 + 1 + 3), ("mul", F): 2 * 9, ("div", F): 2 * 3, ("sqrt", F): 2},
            ),
        ),
        rounded=True,
        numbers={"layer-norm": lambda ops, s: ops.layer_norm(s.x, s.params["vector"])},
    ),
    Specimen(
        name="erf",
        strict=(({}, (strict.ODD,)), ({}, (strict.X,))),
        slow=elementwise(_erf),
        prices=(({}, (X,), {("special", F): 6}),),
        numbers={"erf": lambda ops, s: ops.erf(s.x)},
    ),
    Specimen(
        name="gelu",
        strict=(
            ({}, (strict.ODD,)),
            ({"approximate": "none"}, (strict.X,)),
            ({"approximate": "tanh"}, (strict.ODD,)),
            ({"approximate": "tanh"}, (strict.X,)),
        ),
        slow=gelu,
        prices=(
            ({}, (X,), {("mul", F): 18, ("add", F): 6, ("special", F): 6}),
            ({"approximate": "tanh"}, (X,), {("mul", F): 30, ("add", F): 12, ("special", F): 6}),
        ),
        rounded=True,
        numbers={
            "gelu": lambda ops, s: ops.gelu(s.x),
            "gelu-tanh": lambda ops, s: ops.gelu(s.x, approximate="tanh"),
        },
    ),
    Specimen(
        name="k_tanh",
        strict=(({}, (strict.ODD,)), ({}, (strict.X,))),
        slow=elementwise(_k_tanh),
        prices=(
            (
                {},
                (X,),
                {
                    ("cmp", F): 6 * (6 + 7),
                    ("mul", F): 12,
                    ("add", F): 12,
                    ("add", "int64"): 12,
                    ("logic", "int64"): 12,
                    ("lookup", "int64"): 12,
                    ("address", "int64"): 6 + 6 * 6,
                    ("select", F): 6 * 4,
                    ("load", "int64"): 18,
                    ("load", F): 12,
                },
            ),
        ),
        numbers={"k-tanh": lambda ops, s: ops.k_tanh(s.x)},
    ),
    Specimen(
        name="pack_bits",
        strict=(({}, (strict.BITS, strict.BITS[0], strict.BITS)),),
        slow=pack_bits,
        prices=(
            ({}, (B,), FREE),
            ({}, (B, B, model(B)), {("address", "int64"): 12}),
        ),
        free="of one bit, a cast",
        addresses={"pack": lambda ops, s: ops.pack_bits(s.bits[:, 0], s.bits[:, 1], s.bits[:, 3])},
    ),
    Specimen(
        name="quantize",
        strict=(({"levels": 3}, (strict.ODD,)), ({"levels": 2**53}, (strict.N,))),
        slow=quantize,
        prices=(
            ({"levels": 5}, (X,), {("cmp", F): 18, ("address", "int64"): 12}),
            ({"levels": 2}, (X,), {("cmp", F): 6}),
            ({"levels": 1}, (X,), FREE),
        ),
        free="to one level, a constant",
        addresses={"quantize": lambda ops, s: ops.quantize(s.x[:, 1] * 2.0 + 4.0, levels=8)},
    ),
    Specimen(
        name="scatter_add",
        strict=(
            ({}, (strict.EXPERTS[..., 0], strict.INDEX, strict.X[:, :3])),
            ({}, (strict.N[0], strict.PAIRS[3:, 0], strict.N[1, :2])),
        ),
        slow=scatter_add,
        prices=(
            ({}, (TABLE, INDEX, TABLE), {("lookup", "int64"): 12, ("load", F): 12, ("add", F): 12}),
            ({}, (TABLE, model(INDEX), TABLE), {("add", F): 12}),
        ),
        free=_NOTHING,
        index=1,
        writes=True,
        numbers={
            # at places of the flat batch, as a dispatch of rows to experts does
            "scatter": lambda ops, s: ops.scatter_add(s.x, s.xp.arange(s.x.shape[0]), s.before),
        },
        hidden=(({}, (NO_ROWS, NOWHERE, NO_ROWS)),),
    ),
    Specimen(
        name="segment_sum",
        strict=(
            ({"num_segments": 7}, (strict.X, strict.INDEX)),
            ({"num_segments": 0}, (strict.X[:0], strict.INDEX[:0])),
        ),
        slow=segment_sum,
        prices=(
            (
                {"num_segments": 2},
                (TABLE, INDEX),
                {("lookup", "int64"): 12, ("load", F): 12, ("add", F): 12},
            ),
        ),
        free=_NOTHING,
        index=1,
        writes=True,
        hidden=(({"num_segments": 0}, (NO_ROWS, NOWHERE)),),
    ),
    Specimen(
        name="einsum",
        strict=(
            ({}, ("nd,dh->nh", strict.X, strict.W)),
            ({}, ("dh,nd->nh", strict.W, strict.X)),
            (
                {},
                (
                    "iij,kj,j->ki",
                    np.stack([strict.W[:3], strict.W[1:]]).reshape(2, 3, 3)[:, :2],
                    strict.W,
                    strict.W[0],
                ),
            ),
            ({}, ("...d,...e->de...", strict.X, strict.X[:1].repeat(5, axis=0))),
            ({}, ("ij,k->", strict.N, strict.N[0])),
            ({}, (",i", np.array(2.0), strict.ODD[1])),
            ({}, ("ij->ji", strict.X[:0])),
        ),
        slow=contract,
        prices=(
            ({}, ("ij,kj->ik", X, Y), {("mul", F): 12, ("add", F): 8, ("mac", F): 12}),
            ({}, ("ij,kj->ikj", X, Y), {("mul", F): 12}),
            ({}, ("ij,jk,kl->il", X, Y.T, X), {("mul", F): 12 + 12, ("add", F): 8 + 6, ("mac", F): 24}),
            ({}, ("ij,k->jk", X, EDGES), {("add", F): 3, ("mul", F): 15}),
            ({}, ("ii->i", N[:, :2]), FREE),
            ({}, ("ij->", N), {("add", "int64"): 5}),
        ),
        draw=_contractions,
        of_numpy=np.einsum,
        free="over no terms, or of one operand that is transposed, nothing is computed",
        numbers={"einsum": lambda ops, s: ops.einsum("nd,nd,de->ne", s.x, s.before, s.params["square"])},
        hidden=(({}, ("ab,ac->", NONE, NONE)),),
    ),
)
