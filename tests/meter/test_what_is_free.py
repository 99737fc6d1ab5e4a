"""Only wiring is free: what depends on two numbers, one of which an input decides, has been paid for.

Every operation is drawn as random programs draw it, and every number that it is given is changed, one after
the other, to see which numbers of the result change with it. Those that change with two or more, one of which
is not the model's, must not outnumber the operations charged. Three things are memory and wiring:

- reading the model by address: what a record holds is no operand where no other number comes in, or a table
  could not be wide;
- the cells that an address did not point to: they keep what they held, wherever it may have pointed;
- an index or a mask of the model: no input decides it, so it is a slice.

Results that come together (values and places of `top_k`) are found together: each is counted by itself.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meter.programs.program import Live, Program
from meter.test_random_programs import DRAWS
from meter.test_rule_prices import LINES
from ops.specimen import having
from sparsebench import ops
from sparsebench.meter.rules import RULES
from sparsebench.ops.charges import places

pytestmark = pytest.mark.no_cover

_MADE = "makes a constant: no value of an operand is looked at"
_PLACED = "puts every number at a place that shapes and Python numbers decide"
_LOOK = "another look at the same numbers, by shapes and Python numbers"
_KNOWN = "where no input decides the index or the mask, it is a slice; otherwise it is charged"
FREE = {
    **dict.fromkeys(("arange", "empty", "empty_like", "eye", "full", "full_like", "linspace"), _MADE),
    **dict.fromkeys(("ones", "ones_like", "zeros", "zeros_like", "fft.fftfreq", "fft.rfftfreq"), _MADE),
    **dict.fromkeys(("concat", "copy", "meshgrid", "positive", "repeat", "roll", "stack", "tile"), _PLACED),
    **dict.fromkeys(("fft.fftshift", "fft.ifftshift", "broadcast_arrays", "unstack"), _PLACED),
    **dict.fromkeys(("tril", "triu"), f"{_PLACED}, and zeros at the others"),
    **dict.fromkeys(("broadcast_to", "expand_dims", "flip", "matrix_transpose", "moveaxis"), _LOOK),
    **dict.fromkeys(("permute_dims", "reshape", "squeeze", "linalg.diagonal"), _LOOK),
    **dict.fromkeys(("getitem", "nonzero", "setitem", "take", "take_along_axis"), _KNOWN),
    "astype": "between widths a number stays the number that it is; other casts are charged",
    "clip": "without bounds, a copy",
    "conj": "of real numbers, a copy",
    "imag": "a component is a number by itself",
    "real": "a component is a number by itself",
    "pow": "to the power of 0 or 1, a constant or a copy",
    "searchsorted": "among no edges, a constant",
    **dict.fromkeys(
        ("sum", "prod", "max", "min", "argmax", "argmin", "any", "all", "count_nonzero", "sort", "argsort"),
        "of one term, a copy or a constant",
    ),
    **dict.fromkeys(
        ("cumulative_sum", "cumulative_prod", "diff", "unique_all", "unique_counts", "unique_inverse"),
        "of one term, a copy or a constant",
    ),
    **dict.fromkeys(("unique_values", "linalg.trace"), "of one term, a copy or a constant"),
    **dict.fromkeys(
        ("matmul", "tensordot", "vecdot", "linalg.vector_norm", "linalg.matrix_norm"),
        "over no terms, nothing is computed",
    ),
    "linalg.matrix_power": "of one, a constant or a copy",
    **having("free"),
}
"""Operations that may cost nothing, and why what they do then is wiring."""

_NOT_OPERATIONS = ("load", "mac")  # what is read, and what is counted as mul and add besides
_WRITES = {"setitem", *having("writes")}
_READS = {**dict.fromkeys(("getitem", "take", "take_along_axis"), slice(1)), **having("tables")}
"""Operations that read tables by address, and the arguments that are."""
_INDICES = {**dict.fromkeys(("setitem", "getitem", "take", "take_along_axis"), 1), **having("index")}
"""Operations that are told where, and the argument that says it."""


def _of(value, function):
    if isinstance(value, Live):
        return function(value)
    if isinstance(value, tuple | list):
        return type(value)(_of(part, function) for part in value)
    return value


class Call:
    """One call whose operands can be changed."""

    def __init__(self, name, args, kwargs):
        self.name, self.rule = name, RULES[name]
        self.arrays, self.constant = [], []
        self.args = _of(tuple(args), self._taken)
        self.kwargs = {key: _of(value, self._taken) for key, value in kwargs.items()}

    def _taken(self, live):
        self.arrays.append(live.array.copy())
        self.constant.append(live.slow.constant)
        return _Place(len(self.arrays) - 1)

    def _given(self, value):
        if isinstance(value, _Place):
            return self.arrays[value.number].copy() if self.name == "setitem" else self.arrays[value.number]
        if isinstance(value, tuple | list):
            return type(value)(self._given(part) for part in value)
        return value

    def arguments(self):
        return self._given(self.args), {key: self._given(value) for key, value in self.kwargs.items()}

    def charged(self):
        args, kwargs = self._given_as_they_are()
        known = {id(array) for array, constant in zip(self.arrays, self.constant, strict=True) if constant}
        with places(lambda value: id(value) in known):
            args, kwargs = self.rule.bound(args, kwargs)
            plan = self.rule.plan(*args, **kwargs)
        return sum(charge.amount for charge in plan.charges if charge.kind not in _NOT_OPERATIONS)

    def _given_as_they_are(self):
        def at(value):
            if isinstance(value, _Place):
                return self.arrays[value.number]
            return type(value)(map(at, value)) if isinstance(value, tuple | list) else value

        return at(self.args), {key: at(value) for key, value in self.kwargs.items()}

    def run(self):
        args, kwargs = self.arguments()
        with np.errstate(all="ignore"):
            read, named = self.rule.bound(args, kwargs)
            made = self.rule.run(*read, **named)
        made = args[0] if made is None else made
        return [np.array(part) for part in (made if isinstance(made, tuple | list) else (made,))]

    def ignored(self):
        """Addresses of the model: no operands."""
        return {number for number in self._addresses() if self.constant[number]}

    def records(self):
        """Tables of the model that an address reads: operands only where something else comes in."""
        tables = self.args[_READS[self.name]] if self.name in _READS else ()
        return {number for number in _numbers(tables) if self.constant[number]}

    def others(self):
        """All arrays but addresses and the tables of the model that they read."""
        return set(range(len(self.arrays))) - self.records() - set(self._addresses())

    def _addresses(self):
        key = self.args[_INDICES[self.name]] if self.name in _INDICES else ()
        return _numbers(key if isinstance(key, tuple) else (key,))

    def pointed_to(self, shape):
        """The cells that are written; all of them where no address decides which."""
        if self.name not in _WRITES:
            return np.ones(shape, dtype=bool)
        key = self.arguments()[0][_INDICES[self.name]]
        parts = key if isinstance(key, tuple) else (key,)
        masked = any(isinstance(part, np.ndarray) and part.dtype == bool for part in parts)
        cells = np.full(shape, masked)
        cells[key] = True
        return cells


class _Place:
    """Where an array stands among those of a call."""

    def __init__(self, number):
        self.number = number


def _numbers(values):
    return [value.number for value in values if isinstance(value, _Place)]


def _others(value):
    """Other values of a number's kind."""
    if value.dtype == bool:
        return [~value]
    return [value.dtype.type(value + step) for step in (1, 3)] + [value.dtype.type(0)]


def _changes(before, after):
    """Which numbers of a result differ; all of them from where the shape does."""
    if before.shape != after.shape:
        flat = np.ones(before.size, dtype=bool)
        same = min(before.size, after.size)
        flat[:same] = ~_equal(before.reshape(-1)[:same], after.reshape(-1)[:same])
        return flat.reshape(before.shape)
    return ~_equal(before, after)


def _equal(one, other):
    return (one == other) | ((one != one) & (other != other))  # noqa: PLR0124 - NaN


def dependents(call):
    """For every result, which of its numbers depend on two numbers, one of which an input decides."""
    results, ignored, records, others = call.run(), call.ignored(), call.records(), call.others()
    on = [np.zeros(part.shape, dtype=int) for part in results]
    on_records = [np.zeros(part.shape, dtype=int) for part in results]
    on_others = [np.zeros(part.shape, dtype=bool) for part in results]
    on_input = [np.zeros(part.shape, dtype=bool) for part in results]
    for number, array in enumerate(call.arrays):
        for place in np.ndindex(array.shape) if number not in ignored else ():
            kept, changed = array[place], [np.zeros(part.shape, dtype=bool) for part in results]
            for other in _others(kept):
                array[place] = other
                try:
                    after = call.run()
                except (IndexError, ValueError, ArithmeticError, DeprecationWarning):
                    continue  # out of range: it would end the cell; old NumPy warns where nothing is read
                finally:
                    array[place] = kept
                for found, old, new in zip(changed, results, after, strict=False):
                    np.logical_or(found, _changes(old, new), out=found)
            for part, found in enumerate(changed):
                (on_records if number in records else on)[part] += found
                on_others[part] |= found & (number in others)
                on_input[part] |= found & (not call.constant[number])
    return [
        (count + read * beside > 1) & told & call.pointed_to(part.shape)
        for count, read, beside, told, part in zip(on, on_records, on_others, on_input, results, strict=True)
    ]


@pytest.mark.parametrize("name", sorted(DRAWS))
@settings(max_examples=6)
@given(data=st.data())
def test_what_depends_on_two_numbers_has_been_paid_for(name, data):
    program = Program(data)
    args, kwargs = DRAWS[name](program)
    call = Call(name, args, kwargs)
    charged = call.charged()
    if not charged and not all(call.constant) and any(part.size for part in call.run()):
        assert name in FREE, (
            f"{name} cost nothing: say why it is wiring, in FREE or its specimen, or charge it"
        )
    for found in dependents(call):
        assert int(found.sum()) <= charged, (program.lines, found, charged)


def test_what_may_be_free_is_written_out():
    assert FREE.keys() <= RULES.keys()
    free = {name for name, _, _, expected in LINES if not expected}
    assert free <= FREE.keys()


def _call(name, *args, constant=(), **kwargs):
    made = Call(name, (), {})
    made.args = tuple(made_place(made, value, place in constant) for place, value in enumerate(args))
    made.kwargs = kwargs
    return made


def made_place(call, value, constant):
    if isinstance(value, tuple):
        return tuple(made_place(call, part, constant) for part in value)
    if not isinstance(value, np.ndarray):
        return value
    call.arrays.append(value.copy())
    call.constant.append(constant)
    return _Place(len(call.arrays) - 1)


B = np.array([True, False, True, True])
X, Y = np.arange(12.0).reshape(4, 3), 20.0 + np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize(
    ("call", "many"),
    [
        (_call("where", B[:, None], X, Y), 12),
        (_call("getitem", X, B), 9),
        (_call("setitem", X, B, Y[0]), 12),
        (_call("nonzero", B), 2),  # where the first one is, the first bit tells
        (_call(ops.pack_bits.name, B, ~B), 4),
        (_call("getitem", X, np.array([0, 2])), 6),
        (_call("getitem", X, np.array([0, 2]), constant={0}), 0),
        (_call("getitem", X, B, constant={1}), 0),
        (_call("setitem", X, np.array([0, 2]), Y[:2]), 6),
        (_call("concat", (X, Y)), 0),
    ],
)
def test_the_probe_finds_what_depends_on_two(call, many):
    """The probe itself: it would find selections, masks and addresses if they were free."""
    assert sum(int(found.sum()) for found in dependents(call)) == many
    assert many <= call.charged()
