"""``with sb.metered() as ledger:``: what is counted, what is shown, and what ends with the block."""

import doctest
import re
import traceback

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sparsebench as sb
from sparsebench import ops
from sparsebench.errors import NotFoundError, RefusedError, UncountedOperationError, UsageError
from sparsebench.meter import BITS_PER_INPUT, Entry, notebook, price
from sparsebench.meter.lines import NOWHERE, Place
from sparsebench.meter.tally import _name
from sparsebench.ops import PRIMITIVES

X = np.arange(12.0).reshape(3, 4)


def test_the_example_in_the_docstring_holds():
    (example,) = (test for test in doctest.DocTestFinder().find(sb.metered, globs={}) if test.examples)
    assert doctest.DocTestRunner().run(example).failed == 0
    assert len(example.examples) > 5


def test_every_kind_of_call_is_counted():
    with sb.metered() as ledger:
        x = ledger.asarray(X)
        xp = x.__array_namespace__()
        assert xp is ledger.xp
        y = np.exp(x) + 1.0
        index = ops.hyperplane_hash(x, np.ones((2, 4)), np.zeros(2))
        z = xp.sum(y, axis=1) * ops.gather(index, np.ones(4))
    assert ledger.count("special") == 12
    assert ledger.count("lookup") == 3
    assert ledger.ops == price(ledger) == price(list(ledger)) == 12 * 8 + 12 + 3 * (2 * 7 + 2 + 1) + 9 + 3 + 3
    assert np.allclose(ledger.value(z), (np.exp(X) + 1).sum(axis=1))


def test_inputs_are_neither_charged_nor_constants():
    with sb.metered() as ledger:
        ledger.asarray(X, dtype=np.float32)
        assert list(ledger) == []
        assert not ledger._engine.constants
        ledger.xp.asarray(X)
        assert len(ledger._engine.constants) == 1
    assert ledger.ops == 0


@given(rows=st.integers(1, 6), columns=st.integers(1, 5))
def test_a_batch_costs_as_many_times_as_it_has_inputs(rows, columns):
    with sb.metered() as ledger:
        x = ledger.asarray(np.ones((rows, columns)))
        x @ np.ones(columns)
    assert ledger.per_input() == ledger.per_input(rows) == 2 * columns - 1
    assert ledger.per_input(prices="macs") == columns
    assert ledger.per_input(1) == ledger.ops == rows * (2 * columns - 1)


def test_a_price_may_be_of_any_list(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text('name = "my"\nlike = "ops"\n[ops]\nmul = 3\n', encoding="utf-8")
    with sb.metered() as ledger:
        ledger.asarray(X) * 2.0
    assert ledger.price() == 12
    assert ledger.price("bit-ops") == 12 * 64 * 64
    assert ledger.price(str(path)) == ledger.price(path) == ledger.per_input(1, prices=path) == 36
    from sparsebench.meter.pricelist import read_price_list

    assert ledger.price(read_price_list(path)) == 36
    with pytest.raises(NotFoundError, match="unknown price list 'macz'"):
        ledger.price("macz")


def test_an_input_to_divide_by_is_needed():
    with sb.metered() as ledger:
        pass
    with pytest.raises(UsageError, match="expected one input or more, got 0"):
        ledger.per_input()


def test_values_stay_where_they_are_for_the_code_and_are_there_for_its_author():
    with sb.metered() as ledger:
        y = ledger.asarray(3.0) * 2.0
        with pytest.raises(UncountedOperationError, match=r"float\(x\)"):
            float(y)
        with pytest.raises(UncountedOperationError, match="refused"):
            ledger.xp.floor(y)
        assert ledger.value(y) == 6
    shown = ledger.value(y)
    assert isinstance(shown, np.ndarray | np.generic)
    assert ledger.per_input() == 1


def test_a_block_may_be_blind():
    with sb.metered(values=False) as ledger:
        x = ledger.asarray(X)
        with pytest.raises(UsageError, match="shows no values"):
            ledger.value(x)


def test_values_are_shown_of_arrays_of_the_block_alone():
    with sb.metered() as other:
        theirs = other.asarray(X)
    with sb.metered() as ledger:
        for stranger in (theirs, X):
            with pytest.raises(UsageError, match="expected an array of this block"):
                ledger.value(stranger)


def test_values_that_are_changed_outside_change_nothing_inside():
    with sb.metered() as ledger:
        x = ledger.asarray(X)
        ledger.value(x)[...] = 0
        assert ledger.value(x).tolist() == X.tolist()


def test_after_the_block_nothing_computes():
    with sb.metered() as ledger:
        x = ledger.asarray(X)
    for late in (lambda: x + 1, lambda: np.exp(x), lambda: ledger.asarray(X), lambda: bool(x[0, 0] > 1)):
        with pytest.raises(RefusedError, match=r"the block of sb\.metered\(\) has ended") as caught:
            late()
        assert "inside the block" in caught.value.help
    assert ledger.ops == 0


def test_an_error_in_the_block_comes_out_and_ends_it():
    kept = []

    def fail():
        with sb.metered() as ledger:
            kept.append(ledger.asarray(X))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with pytest.raises(RefusedError, match="has ended"):
        kept[0] + 1


def test_bits_may_leave_for_every_input():
    with sb.metered() as ledger:
        x = ledger.asarray(np.ones(1))
        y = ledger.asarray(np.ones((1, 2)))
        for _ in range(2 * BITS_PER_INPUT):
            assert x[0] > 0
        assert ledger.bits == 2 * BITS_PER_INPUT
        with pytest.raises(RefusedError, match=f"more than {BITS_PER_INPUT} bits per input"):
            bool(y[0, 0] > 0)


def test_what_has_no_dtype_of_ours_is_told_so():
    with sb.metered() as ledger, pytest.raises(TypeError, match="expected one of the dtypes"):
        ledger.asarray(["a"])


def test_memory_is_bounded():
    from sparsebench.errors import MemoryLimitError

    with sb.metered(memory_limit=1000) as ledger, pytest.raises(MemoryLimitError):
        ledger.asarray(np.ones(1000))


def test_a_ledger_prints_its_kinds_and_lines():
    with sb.metered() as ledger:
        x = ledger.asarray(X)
        y = x @ np.ones(4)
        if y[0] < 9:
            y = y / 2.0
        x[:, 0]
    assert repr(ledger) == f"<metered: {ledger.ops:,} operations>"
    head, kinds, lines = str(ledger).split("\n\n")
    assert head == f"{ledger.ops} operations, 1 bit left the meter"
    assert re.search(r"^div +3 x 4 = +12 ", kinds, flags=re.MULTILINE)
    assert [line.split()[0] for line in kinds.splitlines()] == ["div", "mul", "add", "branch", "cmp", "mac"]
    first, second, third = lines.splitlines()
    assert "test_metered_block.py:" in first
    assert first.endswith("y = x @ np.ones(4)")
    assert second.endswith("y = y / 2.0")
    assert third.endswith("if y[0] < 9:")
    assert sum(int(line.split()[0]) for line in lines.splitlines()) == ledger.ops


def test_a_notebook_shows_a_table_in_which_code_is_no_markup():
    with sb.metered() as ledger:
        np.less(ledger.asarray(X), "<b>".count("b"))
    page = ledger._repr_html_()
    assert f"<b>{ledger.ops:,} operations</b>" in page
    assert "<td>cmp</td><td>12</td><td>12</td><td>100.0 %</td>" in page
    assert "&lt;b&gt;" in page
    assert page.count("<b>") == 1


def test_an_empty_ledger_prints():
    with sb.metered() as ledger:
        ledger.charge("experts", [])
    assert str(ledger) == "0 operations, 0 bits left the meter"
    ledger.charge("experts", [("load", "float32", 2)])
    assert ledger == notebook.Ledger([Entry("experts", "load", "float32", 2)])
    assert str(ledger).splitlines()[-1].split() == ["load", "2", "x", "0", "=", "0", "-"]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("/tmp/ipykernel_12/345.py", "cell:7"),
        ("<ipython-input-1-abc>", "cell:7"),
        ("/home/me/try.py", "try.py:7"),
    ],
)
def test_cells_of_notebooks_are_called_cells(file, name):
    assert _name(Place(file, 7, "f")) == name
    assert _name(NOWHERE) == "elsewhere"


def test_arrays_of_two_blocks_do_not_meet():
    with sb.metered() as outer:
        x = outer.asarray(X)
        with sb.metered() as inner:
            y = inner.asarray(X + 100.0)
            for mixed in (
                lambda: x + y,
                lambda: y + x,
                lambda: np.add(y, x),
                lambda: y[x > 0.0],
                lambda: inner.xp.concat([y, x]),
                lambda: ops.gather_matmul(y, np.zeros((3, 1), dtype=np.int64), x[None, :, :]),
            ):
                with pytest.raises(UsageError, match="an array of another block") as caught:
                    mixed()
                assert "ledger.asarray" in caught.value.help
        assert inner.ops == 0
        assert np.array_equal(outer.value(x + 1.0), X + 1.0)
    with sb.metered() as later:
        y = later.asarray(X)
        with pytest.raises(UsageError, match="an array of another block"):
            y + x


def test_the_mend_is_shown_where_there_is_no_command_line():
    with sb.metered() as ledger:
        x = ledger.asarray(X)
        with pytest.raises(UncountedOperationError) as caught:
            np.sum(x)
    assert traceback.format_exception_only(caught.value)[-1] == "help: use the namespace of x: xp.sum(x)\n"


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("maximun", "did you mean xp.maximum? docs/cost-model.md lists what has"),
        *((name, f"use sparsebench.ops.{name}") for name in PRIMITIVES),
        ("zzz", "docs/cost-model.md lists what has"),
    ],
)
def test_a_name_that_has_no_price_gets_a_guess(name, mend):
    with sb.metered() as ledger, pytest.raises(AttributeError, match=f"xp.{name} has no price") as caught:
        getattr(ledger.xp, name)
    assert caught.value.help == mend


def test_a_guess_within_an_extension():
    with sb.metered() as ledger, pytest.raises(AttributeError) as caught:
        _ = ledger.xp.linalg.slove
    assert caught.value.help.startswith("did you mean xp.linalg.solve?")
