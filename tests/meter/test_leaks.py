"""What a submission could learn, or make the harness do, without paying."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meter.metered import REAL, Meter, furnished
from ops.specimen import having
from sparsebench import ops
from sparsebench.errors import FailedError, MemoryLimitError, RefusedError, UncountedOperationError
from sparsebench.meter import BITS_PER_INPUT, Handle
from sparsebench.meter.rules import RULES
from sparsebench.meter.rules.kinds import Operand
from sparsebench.ops import PRIMITIVES
from sparsebench.ops.core.arguments import Array, Layers


@pytest.fixture
def meter():
    return furnished()


def test_who_catches_the_end_of_a_cell_gets_it_again(meter):
    with pytest.raises(FailedError, match="out of range"):
        meter.x[meter.n + 9]
    with pytest.raises(FailedError, match="out of range"):
        meter.x + 1.0
    meter.xp.wrap(meter.engine.begin(REAL, inputs=4)) + 1.0  # a new batch is a new chance


def test_a_shape_that_depends_on_values_is_told_for_its_bits(meter):
    assert meter.secret._about.shape is None
    assert repr(meter.secret) == "MeteredArray(shape=(depends on values), dtype=float32)"
    assert meter.secret.ndim == 1
    doubled = meter.secret * 2.0
    before = meter.engine.ledger.count("branch")
    assert doubled.shape == (3,)
    assert meter.engine.ledger.count("branch") == before + 3  # 0 to 4 rows: 3 bits
    assert (meter.secret.shape, len(meter.secret), meter.secret.size) == ((3,), 3, 3)
    assert meter.engine.ledger.count("branch") == before + 3  # one secret is paid for once
    assert repr(meter.secret) == "MeteredArray(shape=(3,), dtype=float32)"
    assert (meter.secret + 1.0)._about.shape == (3,)


def test_iterating_a_selection_pays_for_its_length(meter):
    assert len(list(meter.secret)) == 3
    assert meter.engine.ledger.count("branch") == 3


def test_nonzero_hides_its_length(meter):
    (where,) = meter.xp.nonzero(meter.x > 1.0)
    assert where._about.shape is None
    assert where.shape == (3,)


def test_the_number_of_results_tells_no_length(meter):
    with pytest.raises(FailedError, match="number of results") as caught:
        meter.xp.unstack(meter.secret)
    assert "x.shape" in caught.value.help


def test_a_length_that_was_paid_for_may_be_the_number_of_results(meter):
    assert meter.secret.shape == (3,)
    assert len(meter.xp.unstack(meter.secret)) == 3
    assert meter.engine.ledger.count("branch") == 3


def test_no_rows_no_secret(meter):
    empty = meter.x[:0]
    assert empty[empty > 0.0].shape == (0,)
    assert meter.engine.ledger.count("branch") == 0


def test_one_element_of_a_selection_is_a_value_like_any_other(meter):
    assert meter.secret[0].shape == ()
    assert bool(meter.secret[0] < 1.0) is True
    assert meter.engine.ledger.count("branch") == 1


def test_a_bit_costs_a_branch_and_a_number_a_comparison_too(meter):
    before = meter.charges()
    assert bool(meter.b[0]) is True
    assert bool(meter.x[0]) is True
    assert bool(meter.put([[0]])) is False
    after = meter.charges()
    assert after["branch", "bool"] - before.get(("branch", "bool"), 0) == 3
    assert (after["cmp", "float32"], after["cmp", "int64"]) == (1, 1)
    assert meter.engine.bits_revealed == 3


def test_bits_run_out(meter):
    for _ in range(BITS_PER_INPUT * 4):
        bool(meter.b[0])
    with pytest.raises(RefusedError, match="bits per input"):
        bool(meter.b[0])


@given(st.integers())
def test_a_guessed_handle_names_nothing_of_another_pass(number):
    meter = Meter({"w": np.zeros(3)})
    first = meter.begin(REAL)
    held = [first, first + 1.0, meter.xp.asarray(np.ones(2))]
    numbers = {array.handle.number for array in held}
    second = meter.begin(REAL)
    alive = {second.handle.number, meter.params["w"].handle.number}
    assert not numbers & alive
    for guess in (number, *numbers):
        if guess not in alive:
            with pytest.raises(RefusedError):
                meter.engine.describe(Handle(guess))


def test_old_handles_are_refused(meter):
    old = meter.x
    meter.begin(REAL)
    with pytest.raises(RefusedError, match="earlier call"):
        old + 1.0


def test_freeing_spares_parameters_inputs_and_pins(meter):
    answer = meter.x + 1.0
    meter.engine.pin(answer.handle)
    meter.engine.free(range(-5, 1000))
    assert meter.get(answer)[0] == np.float32(1.6)
    assert meter.get(meter.x)[0] == np.float32(0.6)
    assert meter.get(meter.params["w"])[1, 2] == 5.0
    with pytest.raises(RefusedError):
        meter.get(meter.n)


def test_begin_forgets_everything(meter):
    bool(meter.b[0])
    meter.engine.loads.active = True
    meter.x + meter.params["w"][0, 0]
    meter.begin(REAL[:1])
    assert meter.charges() == {}
    assert meter.engine.bits_revealed == 0
    assert meter.engine.loads.elements() == 0


def test_dtypes_do_not_depend_on_values(meter):
    for value in (0.5, 1e30, 1e300):
        assert (meter.x * value).dtype == np.float32
    assert (meter.n + meter.put(np.int64(2**62))).dtype == np.int64
    assert (meter.x * np.float64(2.0)).dtype == (REAL * np.float64(2.0)).dtype == np.float64
    assert (meter.x * meter.put(np.float64(2.0))).dtype == np.float64


def test_nothing_warns():
    meter = Meter()
    x = meter.begin(np.array([-1.0, 0.0, np.nan, np.inf, 1e300]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name in ("log", "sqrt", "exp", "reciprocal", "acos", "mean", "sum"):
            getattr(meter.xp, name)(x)
            getattr(meter.xp, name)(x[:0])
        meter.xp.astype(x, "float32"), x / 0.0, x**x
        ops.quantize(x, levels=5)
    assert caught == []


def test_the_memory_limit_tells_no_size():
    meter = Meter(memory_limit=1 << 20)
    x = meter.begin(np.zeros(1000))
    with pytest.raises(MemoryLimitError) as caught:
        meter.xp.tile(x[x == 0.0], (1000,))
    assert "1,048,576" in caught.value.what
    assert "8,0" not in caught.value.what


def test_a_call_without_end_is_refused(monkeypatch, meter):
    monkeypatch.setattr("sparsebench.meter.engine.execution.MOST_PER_CALL", 5)
    assert meter.x + 1.0 is not None
    with pytest.raises(RefusedError, match="in one call"):
        meter.xp.matmul(meter.x, meter.x)


@pytest.mark.parametrize("part", ["run", "plan"])
def test_running_out_of_memory_in_a_call_is_the_cells_end(monkeypatch, meter, part):
    def explode(operand: Operand, /):
        raise MemoryError

    monkeypatch.setitem(RULES, "abs", RULES["abs"].__class__(**{**vars(RULES["abs"]), part: explode}))
    with pytest.raises(MemoryLimitError):
        abs(meter.x)


@pytest.mark.parametrize("dtype", ["float16", "clongdouble", "object", "datetime64[s]", "S3"])
def test_parameters_of_strange_dtypes_are_refused(dtype):
    with pytest.raises(FailedError, match="parameter 'w'"):
        Meter({"w": np.zeros(2, dtype=dtype)})


def test_a_big_endian_parameter_becomes_native():
    meter = Meter({"w": np.arange(3, dtype=">f4")})
    assert meter.get(meter.params["w"]).dtype.isnative
    assert meter.get(meter.params["w"]).tolist() == [0.0, 1.0, 2.0]


NO_VALUES = {"empty_like", "full_like", "ones_like", "zeros_like"}  # with dtype: constants
PICKING = {"take", "take_along_axis", "getitem", "setitem"}  # the index is another array
NO_REALS = {
    *("arange", "empty", "eye", "full", "linspace", "ones", "zeros"),  # take no arrays
    *("fft.fftfreq", "fft.rfftfreq"),
    "imag",
    *("bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift"),
    *("bitwise_xor", "logical_and", "logical_not", "logical_or", "logical_xor"),
}


WAYS = {
    "astype": lambda x: (x, "float32"),
    "broadcast_to": lambda x: (x, (2, 2, 2)),
    "cumulative_prod": lambda x: (x[:, 0],),
    "cumulative_sum": lambda x: (x[:, 0],),
    "linalg.cross": lambda x: 2 * (x.__array_namespace__().concat((x, x[:, :1]), axis=1),),
    "linalg.outer": lambda x: (x[:, 0], x[0, :]),
    "meshgrid": lambda x: (x[0, :], x[:, 0]),
    "permute_dims": lambda x: (x, (1, 0)),
    "reshape": lambda x: (x, (4,)),
    "searchsorted": lambda x: (x[0, :], x),
    "squeeze": lambda x: (x[:, :1], 1),
    "where": lambda x: (x > 0.0, x, x),
}


def _takes_reals(primitive):
    told = primitive.parser.arguments.values()
    kinds = [one.kinds or "f" for one in told if isinstance(one, Array)]
    return "f" in "".join(kinds) or any(isinstance(one, Layers) for one in told)


NO_REALS |= {name for name, made in PRIMITIVES.items() if not _takes_reals(made)}


def ways(meter, name, x):
    """Arguments of reals for an operation; not all of them fit."""
    usual = [(x,), (x, x), (x, 2), ((x, x),), (x, 0, 1), (x, (0,))]
    of_its_own = [(WAYS[name](x), {})] if name in WAYS else [*_priced(meter, name)]
    return [*of_its_own, *((args, {}) for args in usual), ((x,), {"levels": 4})]


def _priced(meter, name):
    """Calls of a primitive on reals that cost something: of those whose prices are worked out by hand."""
    for keywords, args, expected in having("prices").get(name, ()):
        arrays = [value for value in args if isinstance(value, np.ndarray)]
        if expected and any(array.dtype.kind == "f" for array in arrays):
            held = (meter.put(value) if isinstance(value, np.ndarray) else value for value in args)
            yield tuple(held), keywords


def test_the_reals_have_no_other_way_to_integers():
    """Every rule that makes something else of reals is charged, or says nothing about their values."""
    meter = Meter()
    x = meter.begin(np.array([[1.7, 0.3], [0.3, 2.2]]))
    unfit = set()
    for name in set(RULES) - NO_VALUES - PICKING:
        fitted = False
        for args, keywords in ways(meter, name, x):
            before = meter.charges()
            try:
                result = meter.xp.call(name, *args, **keywords)
            except (TypeError, ValueError, UncountedOperationError):
                continue
            fitted = True
            results = result if isinstance(result, tuple | list) else (result,)
            if any(part.dtype.kind != "f" for part in results):
                assert meter.charges() != before, name
        if not fitted:
            unfit.add(name)
    assert unfit == NO_REALS
