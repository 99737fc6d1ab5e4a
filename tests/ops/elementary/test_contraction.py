"""Einstein summation: NumPy's values, and bits that depend on no neighbour along any label."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.alike import check_rows, random, same
from sparsebench import ops
from sparsebench.ops.charges import Charge

DTYPES = st.sampled_from([np.float32, np.float64])


def cost(*arguments):
    counted = {}
    for kind, dtype, amount in ops.einsum.cost(*arguments):
        counted[kind, dtype] = counted.get((kind, dtype), 0) + amount
    return {key: amount for key, amount in counted.items() if amount}


@st.composite
def calls(draw):
    """Subscripts of one to four operands, with and without `...` and a result."""
    lengths = {label: draw(st.integers(0, 4)) for label in "abcdE"}
    dotted = draw(st.lists(st.integers(0, 3), max_size=2))
    terms, operands = [], []
    for _ in range(draw(st.integers(1, 4))):
        term = draw(st.text("abcdE", max_size=3))
        place = draw(st.integers(0, len(term)))
        some = dotted[len(dotted) - draw(st.integers(0, len(dotted))) :]
        shape = [lengths[label] for label in term]
        if draw(st.booleans()):
            term, shape = f"{term[:place]}...{term[place:]}", shape[:place] + some + shape[place:]
        terms.append(term)
        dtype = draw(st.sampled_from([np.float32, np.float64, np.int32]))
        seed = draw(st.integers(0, 99))
        operands.append(np.random.default_rng(seed).integers(-4, 5, shape).astype(dtype))
    known = sorted({label for term in terms for label in term} - {"."})
    output = "".join(draw(st.permutations(known))[: draw(st.integers(0, len(known)))])
    place = draw(st.integers(0, len(output)))
    dots = "..." if any("..." in term for term in terms) else ""
    arrow = draw(st.sampled_from(["", f" -> {output[:place]}{dots}{output[place:]}"]))
    return (", ".join(terms) + arrow, *operands)


@settings(max_examples=150)
@given(call=calls())
def test_values_are_numpys(call):
    got, want = ops.einsum(*call), np.einsum(*call)
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)
    assert ops.einsum.elements(*call) >= got.size


@settings(max_examples=25)
@given(
    d=st.integers(1, 130),
    h=st.integers(1, 9),
    n=st.sampled_from([11, 40]),
    dtype=DTYPES,
    seed=st.integers(0, 99),
)
def test_bits_depend_on_no_neighbour_along_any_label(d, h, n, dtype, seed):
    """Inputs may be the rows of the left operand, the columns of the right one, or go along both."""
    x, w = random(seed, (n, d), dtype), random(seed + 1, (h, d), dtype)
    many = random(seed + 2, (n, h, d), dtype)
    stack = random(seed + 3, (h, 3, d), dtype)
    check_rows(lambda rows: ops.einsum("nd,hd->nh", rows, w), x)
    check_rows(lambda rows: ops.einsum("hd,nd->nh", w, rows), x)
    check_rows(lambda rows: ops.einsum("hd,nd->hn", w, rows).T, x)
    check_rows(lambda rows: ops.einsum("dh,nd", w.T, rows).T, x)
    check_rows(lambda rows: ops.einsum("d,nd->n", w[0], rows), x)
    check_rows(lambda rows: ops.einsum("hkd,nhd->nhk", stack, rows), many)
    check_rows(lambda rows: ops.einsum("nhd,hkd->nhk", rows, stack), many)
    check_rows(lambda rows, others: ops.einsum("nhd,nd->nh", rows, others), many, x)
    check_rows(lambda rows, others: ops.einsum("nd,nhd,hd->n", rows, others, w), x, many)
    check_rows(lambda rows: ops.einsum("nsd,ntd->nst", rows, rows), many)
    check_rows(lambda rows: ops.einsum("nhd->n", rows), many)


def test_a_batch_in_the_middle_of_another_axis():
    x, w = random(0, (5, 37, 8), np.float32), random(1, (5, 8, 3), np.float32)
    whole = ops.einsum("knd,kdh->nkh", x, w)
    for row in range(37):
        same(ops.einsum("knd,kdh->nkh", x[:, row : row + 1], w), whole[row : row + 1])


def test_operands_are_contracted_from_left_to_right():
    """A chain of matrices costs what its order makes it cost, and nothing is reordered."""
    a, b, v = np.ones((10, 10)), np.ones((10, 10)), np.ones(10)
    thousand, hundred = ("mul", "float64"), ("mac", "float64")
    assert cost("ij,jk,k->i", a, b, v)[thousand] == 1000 + 100
    assert cost("k,jk,ij->i", v, b, a)[hundred] == 100 + 100


def test_a_label_of_one_operand_alone_is_summed_first():
    a, b = np.ones((4, 3), np.float32), np.ones(5)
    assert cost("ij,k->jk", a, b) == {("add", "float32"): 3 * 3, ("mul", "float64"): 15}
    assert cost("ij,k->", a, b) == {("add", "float32"): 11, ("add", "float64"): 4, ("mul", "float64"): 1}


def test_diagonals_and_transposes_are_free():
    a = np.arange(27.0).reshape(3, 3, 3)
    assert cost("iii->i", a) == cost("ijk->kji", a) == cost("iji->ji", a) == {}
    assert cost("iii", a) == {("add", "float64"): 2}
    assert ops.einsum("iii->i", a).tolist() == [0.0, 13.0, 26.0]


def test_the_result_is_no_look_at_the_operand():
    a = np.zeros((2, 3))
    ops.einsum("ij->ji", a)[...] = 1.0
    assert not a.any()


def test_empty_sums_and_batches():
    same(ops.einsum("ij,jk->ik", np.ones((2, 0)), np.ones((0, 3))), np.zeros((2, 3)))
    assert ops.einsum("nd,hd->nh", np.ones((0, 4), np.float32), np.ones((3, 4), np.float32)).shape == (0, 3)
    assert ops.einsum.cost("ij,jk->ik", np.ones((2, 0)), np.ones((0, 3))) == ()
    assert ops.einsum(",", np.array(2.0), np.array(3.0)) == 6.0


def test_not_a_number_stays_where_it_belongs():
    x = np.array([[1.0, np.nan], [2.0, 3.0]])
    got = ops.einsum("nd,d->n", x, np.ones(2))
    assert np.isnan(got[0])
    assert got[1] == 5.0


def test_integers_wrap_around_as_numpys():
    x = np.array([100, 100], dtype=np.int8)
    same(ops.einsum("i->", x), np.einsum("i->", x))
    assert ops.einsum.cost("i->", x) == (Charge("add", "int8", 1),)


A = np.ones((2, 3))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("",), "for 1 operands, got 0"),
        (("ij,jk", A), "for 2 operands, got 1"),
        (("ij", A, A), "for 1 operands, got 2"),
        ((",".join(65 * ["ij"]), *65 * [A]), "at most 64 operands, got 65"),
        (("i", A), "does not fit an array of 2 axes"),
        (("ijk", A), "does not fit an array of 2 axes"),
        (("ijk...", A), "does not fit an array of 2 axes"),
        (("i1", A), "expected letters"),
        (("ié", A), "expected letters"),
        (("i.", A), "expected letters"),
        (("......ij", A), "expected letters"),
        (("ij->ij->i", A), "expected letters"),
        (("ij->k", A), "must name labels of the operands"),
        (("ij->ii", A), "must name labels of the operands"),
        (("i...->i", A), "'...' must stand in 'i'"),
        (("ii->i", A), "'i' is 2 and 3 long"),
        (("ij,jk->ik", A, np.ones((1, 3))), "'j' is 3 and 1 long"),
        (("...j,...", A, A), "an axis of '...' is 2 and 3 long"),
    ],
)
def test_what_does_not_fit_is_told(arguments, words):
    with pytest.raises(ValueError, match=r"^einsum") as error:
        ops.einsum(*arguments)
    assert words in str(error.value)


@pytest.mark.parametrize("dtype", [np.bool_, np.complex64])
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(
        TypeError, match=r"^einsum: expected operands to be integers or real numbers, got (bool|complex64)$"
    ):
        ops.einsum("ij", A.astype(dtype))
