"""A program that is drawn while it runs, under the meter and on the slow counter at once."""

from __future__ import annotations

import itertools
import math

import numpy as np

from meter import scalars
from meter.metered import Meter
from meter.programs.draws import Draws
from meter.slow.arrays import Slow
from meter.slow.table import CONSTANTS, MOVES, SLOW, WIRING
from ops.specimen import having

_TAME = {"f": 64, "i": 1 << 20, "u": 255}
_MOST_ELEMENTS = 80
_INPUTS = 1 << 20  # so that bits enough may leave
_TOLERANCE = {"float32": 1e-4, "float64": 1e-11}
ROUNDED = having("rounded")


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


class Program(Draws):
    """Draws steps and runs them; ``lines`` is what was done."""

    def __init__(self, data):
        super().__init__(data)
        self.meter = Meter()
        self.lines = []
        self._names = (f"v{number}" for number in itertools.count())
        scalars.COUNTS.clear()
        self.array(fresh=True)

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
            self._agree(name, args[0].fast, args[0].slow, given)  # it wrote into the first
            return None
        several = isinstance(fast, tuple | list)
        pairs = list(zip(fast, slow, strict=True)) if several else [(fast, slow)]
        secrets = frozenset(secret for x in _arrays(given) for secret in x.secrets if not secret.paid)
        if most := _secret_rows(name, args):
            secrets |= {Secret(most)}
        made = [self._keep(name, *pair, given, secrets, constant=constant) for pair in pairs]
        self.lines[-1] = f"{', '.join(map(repr, made))} = {self.lines[-1]}"
        return made if several else made[0]

    def _keep(self, name, fast, slow, given, secrets, *, constant):
        array = self._agree(name, fast, slow, given)
        # From here on both sides go on from the same bits, so that no comparison goes two ways.
        # One number has no length that could tell a secret.
        slow = Slow.of(array, constant=constant)
        live = Live(next(self._names), fast, slow, secrets if array.ndim else frozenset())
        if _tame(array) and array.size <= _MOST_ELEMENTS:
            self.live.append(live)
        return live

    def _agree(self, name, fast, slow, given):
        array, brute = self.meter.get(fast), slow.values()
        assert array.shape == brute.shape
        assert array.dtype == brute.dtype
        if array.dtype.kind == "f":
            numbers = [x for x in _arrays(given) if x.size and x.dtype.kind != "b"]
            largest = max((float(np.abs(x.array.astype(float)).max()) for x in numbers), default=1.0)
            scale = max(largest, 1.0) ** max(len(numbers), 2)
            # Steps before the last one may be made of narrower numbers than the result is.
            steps = [x.dtype.name for x in numbers if x.dtype.kind == "f"] if name in ROUNDED else []
            rough = max(_TOLERANCE[dtype] for dtype in (array.dtype.name, *steps))
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
