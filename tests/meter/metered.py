"""Shorthand for tests: NumPy arrays under a fresh meter, in this process."""

from __future__ import annotations

import numpy as np

from sparsebench.meter import Engine, InProcess, MeteredArray, MeteredNamespace


class Meter:
    """An engine, its client namespace, and ways in and out."""

    def __init__(self, parameters=None, *, memory_limit=1 << 28):
        self.engine = Engine(memory_limit=memory_limit)
        self.xp = MeteredNamespace(InProcess(self.engine))
        told = self.engine.add_parameters(parameters or {})
        self.params = {name: self.xp.wrap(about) for name, about in told.items()}

    def begin(self, x, inputs=None):
        return self.xp.wrap(self.engine.begin(np.asarray(x), inputs=len(x) if inputs is None else inputs))

    def put(self, array):
        """An array of the engine's that is neither a parameter nor a constant."""
        return self.xp.wrap(self.engine._shelf.store(np.array(array)))

    def put_constant(self, array):
        """An array that predict makes by itself."""
        return self.xp.wrap(self.engine.constant(np.array(array)))

    def get(self, array):
        return self.engine.value(array.handle)

    def charges(self):
        return {(kind, dtype): amount for _, kind, dtype, amount in self.engine.ledger}

    def priced(self, function, *arrays):
        """Charges of one call on arrays of the engine's."""
        held = [self.put(array) for array in arrays]
        before = self.charges()
        result = function(*held)
        after = self.charges()
        new = {key: amount - before.get(key, 0) for key, amount in after.items()}
        return result, {key: amount for key, amount in new.items() if amount}


def totals(charges):
    """Charges by kind alone."""
    kinds = {}
    for (kind, _), amount in charges.items():
        kinds[kind] = kinds.get(kind, 0) + amount
    return kinds


def unwrap(meter, answer):
    """The values of a result or of several."""
    if isinstance(answer, MeteredArray):
        return meter.get(answer)
    return tuple(meter.get(part) for part in answer)


REAL = np.array([0.6, 1.7, 2.2, 3.9], dtype=np.float32)
INTS = np.array([3, 1, 0, 2], dtype=np.int64)
BITS = np.array([True, False, True, True])


def furnished():
    """A meter with an input, integers and bits that depend on it, and a selection of secret length."""
    meter = Meter({"w": np.arange(6.0).reshape(2, 3)})
    meter.x = meter.begin(REAL)
    meter.n = meter.put(INTS)
    meter.b = meter.put(BITS)
    meter.zero = meter.put(np.int64(2))
    meter.secret = meter.x[meter.put(BITS)]
    return meter


def assert_no_value(texts):
    """No text tells a value of the input."""
    assert not any(str(value) in text for value in REAL for text in texts)
