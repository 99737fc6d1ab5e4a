"""A program that is drawn while it runs, under the meter and on the slow counter at once."""

from __future__ import annotations

import itertools
import math

import numpy as np
from hypothesis import strategies as st

from meter import scalars
from meter.metered import Meter
from meter.slow.arrays import Slow
from meter.slow.table import CONSTANTS, MOVES, SLOW, WIRING

DTYPES = ("float32", "float64", "int64", "bool", "int32", "uint8")
KINDS = {"f": ("float32", "float64"), "i": ("int64", "int32"), "b": ("bool",), "u": ("uint8",)}
_TAME = {"f": 64, "i": 1 << 20, "u": 255}
_MOST_ELEMENTS = 80
_RECENT = 4  # arrays that the next one is chosen from, so that steps build on one another
_INPUTS = 1 << 20  # so that bits enough may leave
_TOLERANCE = {"float32": 1e-4, "float64": 1e-11}


class Secret:
    """A length that depends on values, until it is paid for."""

    def __init__(self, most):
        self.most = most
        self.paid = False


class Live:
    """One array on both sides."""

    def __init__(self, name, fast, slow, secrets=frozenset()):
        self.name = name
        self.fast = fast
        self.slow = slow
        self.secrets = secrets

    def __repr__(self):
        return self.name

    @property
    def array(self):
        return self.slow.values()

    @property
    def dtype(self):
        return self.slow.dtype

    @property
    def shape(self):
        return self.slow.shape

    @property
    def ndim(self):
        return self.slow.ndim

    @property
    def size(self):
        return self.slow.size


def _each(value, function):
    """Put something in the place of every array of an argument."""
    if isinstance(value, Live):
        return function(value)
    if isinstance(value, tuple | list):
        return type(value)(_each(part, function) for part in value)
    return value


def _tame(array):
    """Whether sums and products of numbers are finite, and as near to each other as tolerances say."""
    if not array.size or array.dtype.kind == "b":
        return True
    return bool(np.all(np.isfinite(array)) and np.all(np.abs(array.astype(float)) <= _TAME[array.dtype.kind]))


class Program:
    """Draws steps and runs them; ``lines`` is what was done."""

    def __init__(self, data):
        self.data = data
        self.meter = Meter()
        self.live = []
        self.lines = []
        self._names = (f"v{number}" for number in itertools.count())
        scalars.COUNTS.clear()
        self.array(fresh=True)

    # Draws ------------------------------------------------------------------------------------------------

    def integer(self, low, high):
        return self.data.draw(st.integers(low, high))

    def flag(self):
        return self.data.draw(st.booleans())

    def choose(self, options):
        return self.data.draw(st.sampled_from(options))

    def shape(self, least=0, most=3):
        """A shape; now and then a side is 0."""
        dims = self.choose([dims for dims in (2, 1, 3, 2, 0) if least <= dims <= most])
        return tuple(self.choose((2, 3, 1, 2, 3, 0)) for _ in range(dims))

    def lengths(self, *sides):
        """A shape of at most these sides, none of them 0."""
        return tuple(self.integer(1, side) for side in sides)

    def kind(self, kinds):
        return self.choose([dtype for kind in kinds for dtype in KINDS[kind]])

    def axis(self, x):
        return self.integer(-x.ndim, x.ndim - 1)

    def axes(self, x):
        """None, one axis or several."""
        how = self.integer(0, 2) if x.ndim else 0
        if how < 2:
            return self.axis(x) if how else None
        count = self.integer(0, x.ndim)
        return tuple(place - x.ndim * self.flag() for place in self.permutation(x.ndim)[:count])

    def permutation(self, length):
        return tuple(self.data.draw(st.permutations(range(length))))

    def number(self, kinds="fib"):
        """A Python number; an integer is not negative, because arrays may be unsigned."""
        kind = self.choose(kinds)
        if kind == "f":
            return self.choose([0.5, -1.5, 2.0, 3.25])
        return self.flag() if kind == "b" else self.integer(0, 3)

    def array(self, kinds="fbiu", fits=lambda _: True, *, shape=None, new=None, fresh=False):
        """An array that is alive and fits, or a new one of ``shape``; where any would do, of ``new``."""
        found = [x for x in self.live if x.dtype.kind in kinds and shape in (None, x.shape) and fits(x)]
        if found and not fresh and self.choose((True, True, True, True, False)):
            return self.choose(found[::-1][:_RECENT])
        shape = new if shape is None else shape
        return self.put(self.values(self.shape() if shape is None else shape, self.kind(kinds)))

    def values(self, shape, dtype, low=-4, high=5):
        """Multiples of a half: few, so that some are equal, and so small that sums of them are exact."""
        generator = np.random.default_rng(self.integer(0, 999))
        dtype = np.dtype(dtype)
        if dtype.kind == "b":
            return generator.random(shape) < self.choose([0.5, 0.0, 1.0])
        if dtype.kind == "f":
            return (generator.integers(2 * low, 2 * high, shape) / 2).astype(dtype)
        return generator.integers(0 if dtype.kind == "u" else low, high, shape).astype(dtype)

    def addresses(self, shape, rows, *, negative=False):
        """Integers that address rows; none where there are no rows."""
        shape = shape if rows else (0, *shape[1:]) if shape else (0,)
        dtype = self.choose(["int64", "int32", "uint8"])
        least = -rows if negative and dtype != "uint8" else 0
        return self.put(self.values(shape, dtype, low=least, high=max(rows, 1)))

    def partner(self, x, kinds="fbiu"):
        """An array whose shape broadcasts with that of another one."""
        shape = tuple(self.choose([length, 1]) for length in x.shape)[self.integer(0, x.ndim) :]
        if self.integer(0, 3) == 0 and 1 in x.shape:
            shape = tuple(3 if length == 1 else length for length in x.shape)
        return self.array(kinds, lambda y: _broadcasts(x.shape, y.shape), new=shape)

    # Runs -------------------------------------------------------------------------------------------------

    def put(self, array):
        """Give both sides an array. It is alive from here on."""
        array = np.asarray(array)
        name, constant = next(self._names), bool(self.live) and self.flag()
        put = self.meter.put_constant if constant else self.meter.put
        fast = put(array) if self.live else self.meter.begin(array, inputs=_INPUTS)
        live = Live(name, fast, Slow.of(array, constant=constant))
        word = "constant" if constant else "computed"
        self.lines.append(f"{name} = {array!r}  # {word}".replace("\n", " "))
        self.live.append(live)
        return live

    def call(self, name, *args, **kwargs):
        """Run one operation on both sides and hold the results against each other."""
        words = [*map(repr, args), *(f"{key}={value!r}" for key, value in kwargs.items())]
        self.lines.append(f"{name}({', '.join(words)})")
        given = [*args, *kwargs.values()]
        fast = self.meter.xp.call(name, *_each(args, lambda x: x.fast), **_each_of(kwargs, lambda x: x.fast))
        before = _operations()
        slow = SLOW[name](*_each(args, lambda x: x.slow), **_each_of(kwargs, lambda x: x.slow))
        secret = any(not secret.paid for x in _arrays(given) for secret in x.secrets)
        if secret and name in MOVES and _operations() == before:
            _spend_on_moving(args, slow)
        constant = name in CONSTANTS or (name in WIRING and all(x.slow.constant for x in _arrays(given)))
        constant = constant and not secret and not _secret_rows(name, args)
        if fast is None:
            args[0].slow.constant = False
            self._agree(args[0].fast, args[0].slow, given)  # it wrote into the first
            return None
        several = isinstance(fast, tuple | list)
        pairs = list(zip(fast, slow, strict=True)) if several else [(fast, slow)]
        secrets = frozenset(secret for x in _arrays(given) for secret in x.secrets if not secret.paid)
        if most := _secret_rows(name, args):
            secrets |= {Secret(most)}
        made = [self._keep(*pair, given, secrets, constant=constant) for pair in pairs]
        self.lines[-1] = f"{', '.join(map(repr, made))} = {self.lines[-1]}"
        return made if several else made[0]

    def _keep(self, fast, slow, given, secrets, *, constant):
        array = self._agree(fast, slow, given)
        # From here on both sides go on from the same bits, so that no comparison goes two ways.
        # One number has no length that could tell a secret.
        slow = Slow.of(array, constant=constant)
        live = Live(next(self._names), fast, slow, secrets if array.ndim else frozenset())
        if _tame(array) and array.size <= _MOST_ELEMENTS:
            self.live.append(live)
        return live

    def _agree(self, fast, slow, given):
        array, brute = self.meter.get(fast), slow.values()
        assert array.shape == brute.shape
        assert array.dtype == brute.dtype
        if array.dtype.kind == "f":
            numbers = [x for x in _arrays(given) if x.size and x.dtype.kind != "b"]
            largest = max((float(np.abs(x.array.astype(float)).max()) for x in numbers), default=1.0)
            scale = max(largest, 1.0) ** max(len(numbers), 2)
            rough = min([_TOLERANCE[array.dtype.name], *(_TOLERANCE.get(x.dtype.name, 0) for x in numbers)])
            rough = max(rough, _TOLERANCE[array.dtype.name])
            np.testing.assert_allclose(array, brute, rtol=rough, atol=rough * scale)
        else:
            np.testing.assert_array_equal(array, brute)
        return array.copy()

    def bit(self, x):
        """Let one number steer Python: a bit, and of a number a comparison."""
        self.lines.append(f"bool({x})")
        (one,) = x.slow.flat()
        told = bool(one if x.dtype.kind == "b" else one != 0)
        scalars.spend("branch", bool)
        assert bool(x.fast) == told
        return told

    def tell_shape(self, x):
        """Ask for a shape: the bits of every secret that was not told yet."""
        self.lines.append(f"{x}.shape")
        for secret in x.secrets:
            if not secret.paid:
                scalars.spend("branch", bool, math.ceil(math.log2(secret.most + 1)))
                secret.paid = True
        assert x.fast.shape == x.shape

    def check(self):
        """Hold the ledger against the slow counter."""
        counted = {key: amount for key, amount in scalars.COUNTS.items() if amount}
        assert self.meter.charges() == counted


def _operations():
    return sum(amount for (kind, _), amount in scalars.COUNTS.items() if kind not in ("load", "mac"))


def _spend_on_moving(args, made):
    """A length that an input decides moves every number behind it."""
    if made is None:  # it wrote
        key = _each(args[1], lambda x: x.array)
        scalars.spend("select", args[0].dtype, np.empty(args[0].shape)[key].size)
        return
    for part in made if isinstance(made, tuple | list) else (made,):
        scalars.spend("select", part.dtype, part.size)


def _broadcasts(one, other):
    return all(1 in pair or pair[0] == pair[1] for pair in zip(reversed(one), reversed(other), strict=False))


def _each_of(kwargs, function):
    return {key: _each(value, function) for key, value in kwargs.items()}


def _arrays(value):
    if isinstance(value, Live):
        yield value
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _arrays(part)


def _secret_rows(name, args):
    """The most rows of a result whose number of rows inputs decide, else 0."""
    if name == "getitem":
        masks = [x for x in _arrays(args[1]) if x.dtype.kind == "b" and not x.slow.constant]
        return masks[0].size if masks else 0
    if args and isinstance(args[0], Live) and args[0].slow.constant:
        return 0
    return args[0].size if name == "nonzero" or name.startswith("unique_") else 0
