"""A primitive of a test's own: who runs, what is asked of whom, and how backends are made."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import pytest

from cuda import shim
from sparsebench.ops import backends
from sparsebench.ops.charges import Charge
from sparsebench.ops.core.arguments import anything, integer, number
from sparsebench.ops.core.primitive import AS_REFERENCE, primitive

X, INDEX = np.arange(6.0).reshape(3, 2), np.array([2, 0])


def made(**more):
    """Make a primitive that takes records of a table, each time a new one."""

    @primitive(
        cost=lambda call: (Charge("lookup", "int64", call["n"]),),
        elements=lambda call: call["n"] * call["d"],
        price="one look-up",
        example="ops.probe(index, table)",
        **more,
    )
    def probe(
        index: Annotated[Any, integer("n", below="E")], table: Annotated[Any, number("E, d", at="index")]
    ) -> Annotated[Any, number("n, d")]:
        """Take records."""
        return table.__array_namespace__().take(table, index, axis=0)

    return probe


def test_it_is_what_its_definition_says():
    probe = made()
    assert (probe.name, probe.__doc__, probe.family) == ("probe", "Take records.", "test_primitive")
    assert (probe.source, probe.base, probe.backends) == (AS_REFERENCE, False, {})
    assert probe(INDEX, X).tolist() == [[4.0, 5.0], [0.0, 1.0]]


def test_what_is_asked_of_a_call():
    probe = made()
    assert probe.cost(INDEX, X) == (Charge("lookup", "int64", 2),)
    assert probe.elements(INDEX, table=X) == 4
    [(table, index)] = probe.touched(INDEX, X)
    assert table is X
    assert index is INDEX
    assert probe.parse(INDEX, X)["E"] == 3
    assert made(read=lambda call: []).touched(INDEX, X) == []


def test_an_argument_that_says_nothing_makes_no_primitive():
    with pytest.raises(
        TypeError, match=r"^bare: the parameter x does not say what it is: write x: Annotated"
    ):

        @primitive(cost=lambda call: (), elements=lambda call: 0, price="0", example="ops.bare(x)")
        def bare(x):
            """Nobody knows what x is."""


class Foreign:
    """An array of another library: primitives run their reference on it."""

    def __init__(self, array):
        self.array = array
        self.dtype = array.dtype
        self.shape = array.shape

    def __array_namespace__(self):
        return np


def test_a_primitive_runs_its_reference_on_other_arrays():
    def cost(call):
        return ()

    @primitive(cost=cost, elements=lambda _: 0, price="0", example="ops.probe(x)", steady=lambda _: "cpu")
    def probe(x: Annotated[Any, anything("...")]):
        """Say who was called."""
        return "reference"

    assert probe(np.zeros(1)) == "cpu"
    assert probe(Foreign(np.zeros(1))) == "reference"
    assert probe.__doc__ == "Say who was called."


def test_whoever_takes_calls_whole_is_handed_them():
    class Handle:
        dtype, shape = X.dtype, X.shape

        def __sparsebench_call__(self, name, args, kwargs):
            return name, args, kwargs

    handle = Handle()
    assert made()(INDEX, table=handle) == ("probe", (INDEX,), {"table": handle})


def test_numbers_of_numpy_are_arrays_without_axes():
    @primitive(cost=lambda _: (), elements=lambda _: 0, price="0", example="", steady=lambda call: call.x)
    def alone(x: Annotated[Any, number("...")]):
        """Give it back."""

    assert alone(np.float64(2.0)).shape == ()


# Backends ---------------------------------------------------------------------------------------------


def with_backends(monkeypatch):
    monkeypatch.setattr(backends, "has_numba", lambda: True)
    probe, ran = made(steady=lambda call: ran.append("steady") or call.table[call.index]), []
    probe.on("numba")(lambda call: NotImplemented if call["n"] > 1 else ran.append("numba") or call.table)
    probe.on("numpy")(lambda call: NotImplemented if call["n"] > 2 else ran.append("numpy") or call.table)
    return probe, ran


@pytest.mark.parametrize(
    ("policy", "n", "which"),
    [
        ("auto", 1, "numba"),
        ("auto", 2, "numpy"),
        ("auto", 3, "steady"),
        ("numpy", 1, "numpy"),
        ("numba", 2, "steady"),
        ("steady", 1, "steady"),
    ],
)
def test_what_one_backend_does_not_take_the_next_is_asked(monkeypatch, policy, n, which):
    probe, ran = with_backends(monkeypatch)
    with backends.use(policy), backends.recorded() as record:
        probe(np.zeros(n, int), X)
    assert ran == [which]
    assert record == {("probe", which)}


def test_the_steady_one_runs_all_steadily():
    def steady(call):
        return backends.policy()

    probe = made(steady=steady)
    assert probe.on_numpy_steadily(INDEX, X) == "steady"
    assert probe.run_steadily(probe.parse(INDEX, X)) == "steady"
    assert backends.policy() == "auto"


def test_one_backend_may_be_called_whatever_the_policy_is(monkeypatch):
    probe, ran = with_backends(monkeypatch)
    with backends.use("steady"):
        assert probe.caller("numpy")(INDEX, X) is X
    assert ran == ["numpy"]
    assert probe.caller("numba")(INDEX, X) is NotImplemented
    assert probe.caller("cuda") is None
    with pytest.raises(IndexError, match=r"^probe: index has a value outside"):
        probe.caller("numpy")(INDEX + 1, X)
    monkeypatch.setattr(backends, "has_numba", lambda: False)
    assert probe.caller("numba") is None


def test_a_backend_on_a_gpu_is_given_the_device():
    probe = made()
    probe.on("cuda")(lambda device, call: (device, call["n"]))
    assert probe.caller("cuda", "a device")(INDEX, X) == ("a device", 2)
    device = shim.ShimDevice() if shim.MISSING is None else None
    assert made().run_on_gpu(device, probe.parse(INDEX, X)) is NotImplemented


def test_a_backend_has_one_of_three_names():
    with pytest.raises(
        ValueError, match=r"^probe: expected one of numpy, numba, cuda as a backend, got 'nunpy'$"
    ):
        made().on("nunpy")


@pytest.mark.parametrize("way", ["__call__", "reference", "on_numpy_steadily"])
def test_all_ways_check_values(way):
    with pytest.raises(IndexError, match=r"^probe: index has a value outside \[0, 3\)$"):
        getattr(made(), way)(INDEX + 1, X)


@pytest.mark.parametrize("way", ["__call__", "reference", "on_numpy_steadily", "cost", "elements", "touched"])
def test_all_ways_check_shapes(way):
    with pytest.raises(
        ValueError, match=r"^probe: expected index \(n,\), table \(E, d\); got index \(2,\), table \(2,\)$"
    ):
        getattr(made(), way)(INDEX, X[0])
