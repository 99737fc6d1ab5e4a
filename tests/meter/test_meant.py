"""Names that a newcomer tries: each is answered with what does the same, and that is there."""

from __future__ import annotations

import re

import numpy as np
import pytest

from meter.metered import furnished
from sparsebench import ops
from sparsebench.errors import UncountedOperationError
from sparsebench.meter.client.functions import REFUSED
from sparsebench.meter.client.meant import _METHODS, MEANT, instead, of_method
from sparsebench.ops import PRIMITIVES

NAMED = re.compile(r"\b(xp|ops)\.([a-z_0-9]+(?:\.[a-z_0-9]+)?)")
COST = "would take a value out of the meter, where it is not counted"


@pytest.fixture
def meter():
    return furnished()


def find(meter, where, path):
    found = meter.xp if where == "xp" else ops
    for name in path.split("."):
        found = getattr(found, name)
    return found


@pytest.mark.parametrize("mend", sorted({*MEANT.values(), *_METHODS.values()}))
def test_a_mend_names_only_what_is_there(meter, mend):
    for where, path in NAMED.findall(mend):
        assert find(meter, where, path) is not None
        assert path not in REFUSED
    assert "numpy" not in mend


def test_there_are_many_and_none_is_of_the_standard(meter):
    assert len(MEANT) > 120
    for name in MEANT:
        with pytest.raises(UncountedOperationError):
            find(meter, "xp", name)


@pytest.mark.parametrize("name", MEANT)
def test_a_name_of_numpys_in_the_namespace_is_answered(meter, name):
    with pytest.raises(UncountedOperationError) as caught:
        find(meter, "xp", name)
    assert caught.value.help == f"use {MEANT[name]}"
    if "." not in name:
        assert str(caught.value) == f"xp.{name} has no price in the cost model"


CALLS = {
    "concatenate": (lambda x: np.concatenate([x, x]), "use xp.concat([x, y], axis=0)"),
    "vstack": (
        lambda x: np.vstack([x, x]),
        "use xp.concat([x, y], axis=0), of vectors xp.stack([x, y], axis=0)",
    ),
    "linalg.norm": (
        np.linalg.norm,
        "use xp.linalg.vector_norm(x, axis=-1), of matrices xp.linalg.matrix_norm(x)",
    ),
    "linalg.svd": (np.linalg.svd, "decompose in fit, or use xp.linalg.qr or xp.linalg.solve"),
    "linalg.inv": (np.linalg.inv, "use the namespace of x: xp.linalg.inv(x)"),
    "fft.fft": (np.fft.fft, "use the namespace of x: xp.fft.fft(x)"),
    "fft.fft2": (np.fft.fft2, "use xp.fft.fftn(x, axes=(-2, -1))"),
    "dot": (lambda x: np.dot(x, x), "use x @ y"),
    "clip": (lambda x: np.clip(x, 0, 1), "use the namespace of x: xp.clip(x)"),
    "cumsum": (np.cumsum, "use xp.cumulative_sum(x, axis=0)"),
    "round": (np.round, "use ops.quantize(x, levels=m)"),
    "einsum": (lambda x: np.einsum("i->", x), "use sparsebench.ops.einsum"),
    "unwrap": (np.unwrap, "use the namespace of x: docs/cost-model.md lists what has"),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_function_of_numpys_on_a_metered_array_is_answered(meter, name):
    call, mend = CALLS[name]
    with pytest.raises(UncountedOperationError) as caught:
        call(meter.x)
    assert str(caught.value) == f"numpy.{name}(x) {COST}"
    assert caught.value.help == mend


@pytest.mark.parametrize(
    ("name", "arguments", "mend"),
    [
        ("cbrt", 1, "use xp.pow(x, 1 / 3), where x is not negative"),
        ("heaviside", 2, "use xp.astype(x > 0, xp.float64)"),
        ("rint", 1, "use ops.quantize(x, levels=m)"),
        ("fmax", 2, "use xp.maximum(x, y)"),
        ("spacing", 1, "docs/cost-model.md lists what has"),
    ],
)
def test_an_elementwise_function_of_numpys_without_a_price_is_answered(meter, name, arguments, mend):
    with pytest.raises(UncountedOperationError) as caught:
        getattr(np, name)(*[meter.x] * arguments)
    assert str(caught.value) == f"numpy.{name} has no price in the cost model"
    assert caught.value.help == mend


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("sum", "if it is NumPy's, use the namespace: xp.sum(x)"),
        ("dot", "use x @ y"),
        ("flatten", "use xp.reshape(x, (-1,))"),
        ("cumsum", "use xp.cumulative_sum(x, axis=0)"),
        ("round", "use ops.quantize(x, levels=m)"),
        ("detach", "use x as it is"),
        *((name, f"use sparsebench.ops.{name}") for name in PRIMITIVES),
        ("nosuch", "use the functions of its namespace, xp: docs/cost-model.md lists what has"),
    ],
)
def test_a_method_of_another_library_is_answered(meter, name, mend):
    with pytest.raises(AttributeError) as caught:
        getattr(meter.x, name)
    assert str(caught.value) == f"a metered array has no {name!r}; {mend}"


@pytest.mark.parametrize("name", [name for name in dir(np.ndarray) if not name.startswith("_")])
def test_every_method_of_numpys_arrays_is_there_or_answered(meter, name):
    if not hasattr(type(meter.x), name):
        assert of_method(name)
        for where, path in NAMED.findall(of_method(name)):
            assert find(meter, where, path) is not None


def test_what_nobody_knows_has_no_mend_of_its_own():
    assert instead("nosuch") == ""


BESIDE = "expected an array or a number beside a metered array, got a"
OPERANDS = {
    "list": (
        lambda x: x * [1, 2],
        f"multiply: {BESIDE} list; use xp.asarray(list), or make the array in fit",
    ),
    "reflected": (
        lambda x: [1, 2] - x,
        f"subtract: {BESIDE} list; use xp.asarray(list), or make the array in fit",
    ),
    "tuple": (
        lambda x: x > (1, 2),
        f"greater: {BESIDE} tuple; use xp.asarray(tuple), or make the array in fit",
    ),
    "equal": (lambda x: x == [1, 2], f"equal: {BESIDE} list; use xp.asarray(list), or make the array in fit"),
    "text": (lambda x: x + "1", f"add: {BESIDE} str; use a number"),
}


@pytest.mark.parametrize("how", OPERANDS)
def test_an_operand_that_is_no_array_is_named(meter, how):
    operate, message = OPERANDS[how]
    before = meter.charges()
    with pytest.raises(TypeError) as caught:
        operate(meter.x)
    assert str(caught.value) == message
    assert meter.charges() == before


def test_other_operands_may_still_answer(meter):
    class Other:
        def __rmul__(self, other):
            return "mine"

    assert meter.x * Other() == "mine"
    assert (meter.x == None) is False  # noqa: E711 - as for every object


OPERAND = "to be an array or a Python number, got"
LIST = "got a list or a tuple; make"
LISTS = {
    "add": (
        lambda m: m.xp.add(m.x, [1.0, 2.0]),
        f"add: expected x2 {OPERAND} a list or a tuple; make an array of it with xp.asarray",
    ),
    "take": (
        lambda m: m.xp.take(m.x, [0, 1]),
        f"take: expected index to be an array, {LIST} an array of it with xp.asarray",
    ),
    "concat": (
        lambda m: m.xp.concat([m.x, [1.0]]),
        f"concat: expected arrays to be a sequence of arrays, {LIST} arrays of lists with xp.asarray",
    ),
    "none": (
        lambda m: m.xp.maximum(m.x, None),
        f"maximum: expected x2 {OPERAND} None",
    ),
    "repeat": (
        lambda m: m.xp.repeat(m.x, m.n),
        (
            "repeat: expected repeats to be a Python integer, not negative: an array would decide a shape, "
            "got an array; "
            "let fit make index = numpy.repeat(numpy.arange(n), repeats): xp.take(x, index)"
        ),
    ),
}


@pytest.mark.parametrize("how", LISTS)
def test_an_argument_of_another_kind_is_told_with_its_mend(meter, how):
    call, message = LISTS[how]
    with pytest.raises(TypeError) as caught:
        call(meter)
    assert str(caught.value) == message


def test_metered_arrays_in_a_list_are_told_with_the_mend(meter):
    with pytest.raises(UncountedOperationError) as caught:
        meter.xp.asarray([meter.x, meter.x])
    assert str(caught.value) == "asarray: expected numbers, got a list of metered arrays"
    assert caught.value.help == "use xp.stack(arrays) or xp.concat(arrays)"


@pytest.mark.parametrize("key", [0, slice(2), "mask"])
@pytest.mark.parametrize("what", ["input", "parameter"])
def test_writing_to_what_is_given_is_told_with_its_mend(meter, key, what):
    target = meter.x if what == "input" else meter.params["w"]
    with pytest.raises(ValueError) as caught:
        target[target > 1 if key == "mask" else key] = 0.0
    assert str(caught.value) == (
        "parameters, inputs and broadcast arrays cannot be written to; use xp.asarray(x, copy=True)"
    )


def test_that_mend_is_one(meter):
    mine = meter.xp.asarray(meter.x, copy=True)
    mine[meter.x > 1.0] = 0.0
    assert meter.get(mine).max() <= 1.0


def test_indexing_an_array_of_numpys_names_the_look_up(meter):
    with pytest.raises(UncountedOperationError) as caught:
        np.arange(4.0)[meter.n]
    assert str(caught.value) == f"numpy.asarray(x) {COST}"
    assert caught.value.help == (
        "use the namespace of x, xp = x.__array_namespace__(): xp.stack([x, y]), "
        "or ops.gather(x, table) to index a table"
    )
