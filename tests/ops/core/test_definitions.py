"""A definition that cannot be read is refused where it is made, by the names of primitive and parameter."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import pytest

from sparsebench.ops.core.arguments import (
    Axis,
    Layers,
    Length,
    Whole,
    anything,
    integer,
    optional,
    real,
)
from sparsebench.ops.core.primitive import primitive


def make(definition, **options):
    definition.__name__ = "probe"
    return primitive(cost=lambda _: (), elements=lambda _: 0, price="", example="", **options)(definition)


def misspelt_below(x: Annotated[Any, real("n, d")], i: Annotated[Any, integer("n", below="D")]): ...
def misspelt_at(
    i: Annotated[Any, integer("n", below="E")], t: Annotated[Any, anything("E, ...", at="j")]
): ...
def no_index(i: Annotated[Any, integer("n")], t: Annotated[Any, real("E, d", at="i")]): ...
def misspelt_of(x: Annotated[Any, real("...")], axis: Annotated[int, Axis("X")] = -1): ...
def misspelt_end(x: Annotated[Any, real("n, E")], k: Annotated[int, Whole(1, "EE")]): ...
def end_of_nothing(x: Annotated[Any, optional(real("n, E"))], k: Annotated[int, Whole(1, "E")]): ...
def end_in_brackets(x: Annotated[Any, real("n[, E]")], k: Annotated[int, Whole(1, "E")]): ...
def by_position(x: Annotated[Any, real("n")], /): ...
def any_names(**x: Annotated[Any, real("n")]): ...
def any_numbers(*x: Annotated[int, Whole(1)]): ...
def any_options(*x: Annotated[Any, optional(real("n"))]): ...
def parenthesis(x: Annotated[Any, real("(n, d)")]): ...
def two_ways(x: Annotated[Any, real("n[, a][, b]")]): ...
def reserved(given: Annotated[Any, real("n")]): ...
def no_features(x: Annotated[Any, real("n, d")], *layers: Annotated[Any, Layers("E", "f")]): ...


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (misspelt_below, "the parameter i: below='D' is no axis of an argument"),
        (misspelt_at, "the parameter t: at='j' is no index"),
        (no_index, "the parameter t: at='i' is no index"),
        (misspelt_of, "the parameter axis: 'X' is no array of the call"),
        (misspelt_end, "the parameter k: 'EE' is no axis that every call has"),
        (end_of_nothing, "the parameter k: 'E' is no axis that every call has"),
        (end_in_brackets, "the parameter k: 'E' is no axis that every call has"),
        (by_position, "the parameter x: expected one that may be given by name"),
        (any_names, "the parameter x: expected one that may be given by name"),
        (any_numbers, "the parameter x: expected arrays or layers of any number"),
        (any_options, "the parameter x: any number of arrays can be neither optional nor indices"),
        (parenthesis, r"the parameter x: '\(n' in '\(n, d\)' is no name of an axis"),
        (two_ways, "the parameter x: .* can be read in two ways"),
        (reserved, "the parameter given: a call has given for itself"),
        (no_features, "the parameter layers: features='f' is no axis of an argument"),
    ],
)
def test_what_does_not_fit_together_is_told_by_name(definition, words):
    with pytest.raises(TypeError, match=f"^probe: {words}"):
        make(definition)


def test_a_formula_of_unknown_numbers_is_refused():
    def probe(x: Annotated[Any, real("nodes")]): ...

    with pytest.raises(TypeError, match=r"^probe: the formula of nodes needs a, b$"):
        make(probe, lengths={"nodes": Length("a + b", lambda a, b: a + b)})


def test_results_are_annotated_as_arrays_are():
    def probe(x: Annotated[Any, real("n")]) -> Annotated[Any, real]: ...

    with pytest.raises(TypeError, match=r"^probe: expected results such as"):
        make(probe)


def test_a_second_backend_of_a_kind_is_refused():
    def probe(x: Annotated[Any, real("n")]): ...

    made = make(probe)
    made.on("numpy")(lambda call: call.x)
    with pytest.raises(ValueError, match=r"^probe: expected one numpy backend, got a second one$"):
        made.on("numpy")


def test_a_truth_is_no_integer():
    def probe(x: Annotated[Any, real("n")], *, k: Annotated[int, Whole(0)]): ...

    with pytest.raises(
        TypeError, match=r"^probe: expected k to be a Python integer, not negative, got bool$"
    ):
        make(probe).parse(np.ones(2), k=True)
