"""A call is read once: arguments by name, lengths by axis, and one line for what does not fit."""

from __future__ import annotations

from typing import Annotated, Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.ops.core.arguments import (
    Axis,
    DType,
    Flag,
    Layers,
    Length,
    Number,
    Text,
    Whole,
    integer,
    number,
    optional,
    real,
    real_or_number,
    word,
)
from sparsebench.ops.core.call import Parser
from sparsebench.ops.core.layers import Layer


def looked_up(
    x: Annotated[Any, number("n, d")],
    index: Annotated[Any, integer("n[, k]", below="E")],
    table: Annotated[Any, number("E, d", at="index")],
    bias: Annotated[Any, optional(number("E", at="index"))] = None,
) -> Annotated[Any, number("n[, k]")]:
    """Look records up."""


LOOK = Parser(looked_up)
X, INDEX, TABLE = np.ones((4, 3)), np.array([0, 1, 1, 4]), np.ones((5, 3), np.float32)


def read(parser, *args, **kwargs):
    return parser.parse(args, kwargs)


# Names ------------------------------------------------------------------------------------------------


def test_arguments_are_attributes_and_lengths_are_items():
    call = read(LOOK, X, INDEX, table=TABLE)
    assert call.x is X
    assert call.table is TABLE
    assert call.bias is None
    assert [call[axis] for axis in ("n", "d", "E")] == [4, 3, 5]
    assert (call.has("k"), call["k"]) == (False, 1)
    assert call.given == ((X, INDEX), {"table": TABLE})
    assert read(LOOK, X, INDEX[:, None], TABLE).has("k")


def test_dtypes_are_promoted_without_what_is_none():
    call = read(LOOK, X, INDEX, TABLE)
    assert call.promoted("x", "table", "bias") == np.float64
    assert call.promoted("table", "bias") == np.float32


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ((X, INDEX), {}, "missing a required argument: 'table'"),
        ((), {"x": X, "table": TABLE}, "missing a required argument: 'index'"),
        ((X, INDEX, TABLE, None, X), {}, "too many positional arguments"),
        ((X, INDEX, TABLE), {"x": X}, "multiple values for argument 'x'"),
        ((X, INDEX, TABLE), {"tables": X}, "got an unexpected keyword argument 'tables'"),
    ],
)
def test_arguments_are_those_of_the_definition(args, kwargs, words):
    with pytest.raises(TypeError, match=rf"^looked_up: {words}$"):
        LOOK.parse(args, kwargs)


def test_a_parameter_that_says_nothing_is_refused_by_name_with_what_to_write():
    def bare(x: Annotated[Any, real("n")], y):
        """Nobody knows what y is."""

    def other(x: Annotated[Any, "an array"]):
        """Nor what x is."""

    for definition, name in ((bare, "y"), (other, "x")):
        with pytest.raises(
            TypeError, match=rf"^{definition.__name__}: the parameter {name} does not say"
        ) as told:
            Parser(definition)
        assert f'write {name}: Annotated[Any, real("n, d")]' in str(told.value)


# Kinds ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"x": [1.0]}, "expected x to be an array, got list"),
        ({"x": None}, "expected x to be an array, got NoneType"),
        ({"x": X > 0}, "expected x to be integers or real numbers, got bool"),
        ({"x": X * 1j}, "expected x to be integers or real numbers, got complex128"),
        (
            {"index": X[:, 0]},
            "expected index to be integers (ops.quantize or ops.pack_bits make them), got float64",
        ),
        ({"bias": 1.0}, "expected bias to be an array or None, got float"),
    ],
)
def test_kinds_and_dtypes_are_told(changed, words):
    with pytest.raises(TypeError) as told:
        read(LOOK, **{"x": X, "index": INDEX, "table": TABLE, **changed})
    assert str(told.value) == f"looked_up: {words}"


def test_formats_that_the_standard_does_not_know_count_where_it_is_said():
    def halves(x: Annotated[Any, real("n")]):
        """Take real numbers."""

    short = np.ones(3, ml_dtypes.bfloat16)
    with pytest.raises(TypeError, match="got bfloat16"):
        Parser(halves).parse((short,), {})
    assert Parser(halves).parse((short,), {}, also=("bfloat16",))["n"] == 3


def many(
    x: Annotated[Any, real("...")],
    slope: Annotated[Any, real_or_number()] = 0.5,
    *,
    axis: Annotated[int, Axis("x")] = -1,
    keep: Annotated[bool, Flag()] = False,
    how: Annotated[str, word("one", "two")] = "one",
    text: Annotated[str, Text()] = "",
    scale: Annotated[float, Number()] = 1.0,
    dtype: Annotated[Any, DType()] = None,
    k: Annotated[int, Whole(1, 9)] = 1,
):
    """Take values of all kinds."""


MANY = Parser(many)


def test_values_of_all_kinds():
    call = read(
        MANY, np.ones((2, 3)), X, axis=0, keep=True, how="two", text="any", scale=2, dtype="int8", k=9
    )
    assert (call["axis"], call["..."], call["k"], call.k) == (2, 6, 9, 9)
    assert (call.slope is X, call.keep, call.how, call.text) == (True, True, "two", "any")
    assert read(MANY, np.ones(3)).slope == 0.5


def test_whole_numbers_of_other_libraries_are_made_plain():
    call = read(MANY, np.ones(3), k=np.int32(4))
    assert type(call.k) is int
    assert type(call["k"]) is int


@pytest.mark.parametrize(
    ("error", "changed", "words"),
    [
        (TypeError, {"slope": 1j}, "expected slope to be an array or a real Python number, got complex"),
        (TypeError, {"slope": np.float64(1)}, None),
        (TypeError, {"slope": None}, "expected slope to be an array or a real Python number, got NoneType"),
        (
            TypeError,
            {"slope": np.ones(3, int)},
            "expected slope to be real numbers (xp.astype makes them of integers), got int64",
        ),
        (TypeError, {"keep": 1}, "expected keep to be True or False, got int"),
        (TypeError, {"how": 1}, "expected how to be 'one' or 'two', got int"),
        (ValueError, {"how": "three"}, "expected how to be one of 'one', 'two', got 'three'"),
        (TypeError, {"text": b"ij"}, "expected text to be text, got bytes"),
        (TypeError, {"scale": X}, "expected scale to be a real Python number, got ndarray"),
        (TypeError, {"scale": np.float32(1)}, "expected scale to be a real Python number, got float32"),
        (TypeError, {"k": 1.0}, "expected k to be a Python integer, got float"),
        (TypeError, {"k": X}, "expected k to be a Python integer, got ndarray"),
        (ValueError, {"k": 0}, "k must be in [1, 9], got 0"),
        (ValueError, {"k": 10}, "k must be in [1, 9], got 10"),
        (TypeError, {"axis": None}, "expected axis to be a Python integer, got NoneType"),
        (ValueError, {"axis": 2}, "axis must be in [-2, 2), got 2"),
        (ValueError, {"axis": -3}, "axis must be in [-2, 2), got -3"),
        (ValueError, {"x": np.ones((2, 0))}, "expected at least one element along axis -1, got (2, 0)"),
    ],
)
def test_what_does_not_fit_is_told(error, changed, words):
    if words is None:  # a number of a library is an array without axes
        assert read(MANY, np.ones((2, 3)), **changed).slope == 1
        return
    with pytest.raises(error) as told:
        read(MANY, **{"x": np.ones((2, 3)), **changed})
    assert str(told.value) == f"many: {words}"


# Shapes and lengths -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [{"x": X[:3]}, {"x": X[0]}, {"index": INDEX[None, None]}, {"table": TABLE[:, :2]}, {"bias": np.ones(4)}],
)
def test_shapes_that_do_not_fit_are_told_whole(changed):
    with pytest.raises(
        ValueError, match=r"^looked_up: expected x \(n, d\), index \(n\[, k\]\), table \(E, d\)"
    ) as told:
        read(LOOK, **{"x": X, "index": INDEX, "table": TABLE, "bias": np.ones(5), **changed})
    [(name, array)] = changed.items()
    assert f"{name} {array.shape}" in str(told.value).partition("; got ")[2]


@given(
    lengths=st.fixed_dictionaries({name: st.integers(0, 4) for name in "ndEk"}),
    several=st.booleans(),
    biased=st.booleans(),
    data=st.data(),
)
def test_an_axis_is_as_long_in_all_arguments(lengths, several, biased, data):
    n, d, experts, k = (lengths[name] for name in "ndEk")
    shapes = {"x": (n, d), "index": (n, k) if several else (n,), "table": (experts, d)}
    shapes |= {"bias": (experts,)} if biased else {}

    def made():
        return read(
            LOOK,
            **{name: np.ones(shape, int if name == "index" else float) for name, shape in shapes.items()},
        )

    call = made()
    assert [call[name] for name in "ndE"] == [n, d, experts]
    assert call["k"] == (k if several else 1)
    shared = {"x": [0, 1], "index": [0], "table": [0, 1] if biased else [1], "bias": [0]}
    name = data.draw(st.sampled_from(sorted(shapes)))
    place = data.draw(st.sampled_from(shared[name]))
    shapes[name] = tuple(length + (axis == place) for axis, length in enumerate(shapes[name]))
    with pytest.raises(ValueError, match=r"^looked_up: expected x "):
        made()


def tree(
    key: Annotated[Any, number("n")],
    nodes: Annotated[Any, number("points")],
    *,
    arity: Annotated[int, Whole(2)] = 2,
):
    """Descend."""


TREE = Parser(tree, {"points": Length("arity**depth - 1", lambda arity, depth: arity**depth - 1)})


@given(depth=st.integers(0, 5), arity=st.integers(2, 4))
def test_a_length_is_found_from_what_follows_from_it(depth, arity):
    call = read(TREE, np.ones(2), np.ones(arity**depth - 1), arity=arity)
    assert (call["depth"], call["points"]) == (depth, arity**depth - 1)
    with pytest.raises(ValueError, match=r"^tree: expected key \(n,\), nodes \(arity\*\*depth - 1,\); got"):
        read(TREE, np.ones(2), np.ones(arity**depth + 100_000), arity=arity)


def test_lengths_and_numbers_that_they_follow_from():
    assert TREE.needs("points") == ("arity", "depth")
    assert TREE.needs("n") == ()


def test_a_length_that_is_wanted_of_nothing_given():
    def windows(x: Annotated[Any, real("n, positions")], *, size: Annotated[int, Whole(1)]):
        """Move a window."""

    parser = Parser(
        windows, {"P": Length("positions - size + 1", lambda positions, size: positions - size + 1)}
    )
    assert read(parser, np.ones((2, 7)), size=3)["P"] == 5


def test_a_length_that_is_given_must_be_what_follows():
    def squares(x: Annotated[Any, real("n")], y: Annotated[Any, real("m")]):
        """Give a square."""

    parser = Parser(squares, {"m": Length("n**2", lambda n: n**2)})
    assert read(parser, np.ones(3), np.ones(9))["m"] == 9
    with pytest.raises(ValueError, match=r"expected x \(n,\), y \(n\*\*2,\); got x \(3,\), y \(8,\)"):
        read(parser, np.ones(3), np.ones(8))


def test_a_whole_number_may_be_bounded_by_an_axis():
    def some(x: Annotated[Any, real("n, m")], *, k: Annotated[int, Whole(1, "m")]):
        """Take k of m."""

    parser = Parser(some)
    assert read(parser, X, k=3)["k"] == 3
    for k in (0, 4):
        with pytest.raises(ValueError, match=rf"^some: k must be in \[1, 3\], got {k}$"):
            read(parser, X, k=k)

    def open_(*, k: Annotated[int, Whole(1)]):
        """Take any k from 1 on."""

    assert read(Parser(open_), k=2**70).k == 2**70
    with pytest.raises(ValueError, match=r"^open_: k must be at least 1, got 0$"):
        read(Parser(open_), k=0)


# Several places ---------------------------------------------------------------------------------------


def gathered(
    index: Annotated[Any, integer("n", below="E")], *tables: Annotated[Any, number("E, ...", at="index")]
):
    """Look up in several tables."""


def test_an_argument_may_take_several_places():
    call = read(Parser(gathered), INDEX, TABLE, np.ones((5, 2, 2)))
    assert len(call.tables) == 2
    assert call["E"] == 5
    assert read(Parser(gathered), INDEX).tables == ()
    with pytest.raises(ValueError, match=r"tables \(E, ...\); got index \(4,\), tables \(5, 3\), \(4,\)$"):
        read(Parser(gathered), INDEX, TABLE, np.ones(4))
    with pytest.raises(TypeError, match="unexpected keyword argument 'tables'"):
        read(Parser(gathered), INDEX, tables=(TABLE,))
    with pytest.raises(
        TypeError, match=r"^gathered: expected tables to be integers or real numbers, got bool$"
    ):
        read(Parser(gathered), INDEX, TABLE, TABLE > 0)


def layered(
    x: Annotated[Any, real("n, d")],
    gates: Annotated[Any, real("n, E")],
    *layers: Annotated[Any, Layers("E", "d")],
):
    """Go through layers."""


def test_layers_are_read_as_such():
    parser, weights, bias = Parser(layered), np.ones((2, 5, 3)), np.ones((2, 5))
    call = read(parser, X, X[:, :2], weights, bias, np.ones((2, 7, 5)))
    assert call.layers[0] == Layer(weights, bias)
    assert call.layers[1].bias is None
    assert call["h"] == 7
    with pytest.raises(ValueError, match=r"^layered: expected layers of E = 3 experts, got 2$"):
        read(parser, X, X, weights)
    with pytest.raises(ValueError, match=r"^layered: expected layers of weights"):
        read(parser, X[:, :2], X[:, :2], weights)
    with pytest.raises(TypeError, match=r"^layered: expected layers to be real numbers, got int64$"):
        read(parser, X, X[:, :2], weights.astype(int))
    with pytest.raises(TypeError, match=r"^layered: expected layers to be an array or None, got float$"):
        read(parser, X, X[:, :2], 1.0)


# What else annotations say ----------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [-1, 5, 2**40])
def test_values_of_an_index_are_below_what_they_count(wrong):
    index = INDEX.copy()
    LOOK.check_values(read(LOOK, X, index, TABLE))
    index[2] = wrong
    with pytest.raises(IndexError, match=r"^looked_up: index has a value outside \[0, 5\)$"):
        LOOK.check_values(read(LOOK, X, index, TABLE))


def test_no_address_is_in_range_of_nothing():
    call = read(LOOK, X[:0], INDEX[:0], TABLE[:0])
    assert LOOK.check_values(call) is None


def test_tables_are_told_with_the_index_of_what_is_read():
    bias = np.ones(5)
    assert LOOK.reads_records
    assert not MANY.reads_records
    for own in (bias, None):
        call = read(LOOK, X, INDEX, TABLE, own)
        told = LOOK.read(call)
        assert [id(table) for table, _ in told] == [id(part) for part in (TABLE, own) if part is not None]
        assert all(index is INDEX for _, index in told)
    several = read(Parser(gathered), INDEX, TABLE, bias)
    assert [id(table) for table, _ in Parser(gathered).read(several)] == [id(TABLE), id(bias)]


def test_rows_that_a_call_may_be_cut_into():
    assert LOOK.by_rows == ("x", "index")
    assert MANY.by_rows == ()
    whole = LOOK.parse((X, INDEX), {"table": TABLE})
    part = LOOK.part(whole, LOOK.by_rows, slice(1, 3))
    assert (part["n"], part["E"]) == (2, 5)
    np.testing.assert_array_equal(part.index, INDEX[1:3])
    assert part.table is TABLE
    named = LOOK.parse((), {"table": TABLE, "index": INDEX, "x": X})
    assert LOOK.part(named, LOOK.by_rows, slice(0, 1))["n"] == 1


def test_numbers_of_numpy_become_arrays_where_arrays_belong():
    (x,), named = MANY.with_arrays((np.float32(2.0),), {"k": np.int64(3), "slope": np.float64(0.5)})
    assert (type(x), x.shape, x.dtype) == (np.ndarray, (), np.float32)
    assert type(named["k"]) is np.int64
    assert named["slope"].shape == ()


def test_what_annotations_cannot_say_is_checked_last():
    seen = []

    def check(call):
        seen.append(call["n"])
        raise ValueError("looked_up: not today")

    parser = Parser(looked_up, check=check)
    with pytest.raises(TypeError, match="expected x"):
        read(parser, None, INDEX, TABLE)
    assert seen == []
    with pytest.raises(ValueError, match="not today"):
        read(parser, X, INDEX, TABLE)
    assert seen == [4]


def test_shapes_are_written_as_in_the_documentation():
    assert [TREE.written(TREE.arguments[name].shape) for name in ("key", "nodes")] == [
        "(n,)",
        "(arity**depth - 1,)",
    ]
    assert LOOK.written(LOOK.arguments["index"].shape) == "(n[, k])"
    assert MANY.written(MANY.arguments["x"].shape) == "(...)"
