"""The numbers of operations of textbook factorizations, as functions of the lengths alone.

Every function returns amounts by the names of :func:`sparsebench.meter.rules.arithmetic.tally`, for one
matrix. Tests of a pivot for 0, which end the cell, are not counted, nor are steps that only move numbers.
"""

from __future__ import annotations

__all__ = ["cholesky", "determinant", "householder", "log_determinant", "solve"]


def _falling(steps: int, a: int) -> int:
    """Sum ``a - k`` over k = 0 ... steps - 1."""
    return steps * a - steps * (steps - 1) // 2


def _falling_products(steps: int, a: int, b: int) -> int:
    """Sum ``(a - k)(b - k)`` over k = 0 ... steps - 1."""
    ramp = steps * (steps - 1) // 2
    return steps * a * b - (a + b) * ramp + ramp * (2 * steps - 1) // 3


def _eliminate(n: int, columns: int) -> dict[str, int]:
    """Count an elimination with partial pivoting, with further columns.

    Step k = 0 ... n - 2 measures n - k numbers, finds the largest by n - k - 1 comparisons, exchanges two
    rows by one look-up, makes n - k - 1 factors, and subtracts a multiple of its row from as many others.
    """
    steps = max(n - 1, 0)
    below = _falling(steps, n - 1)
    updates = _falling_products(steps, n - 1, n - 1) + columns * below
    return {
        "size": below + steps,
        "cmp": below,
        "lookup": steps,
        "load": below + steps * (1 + columns),
        "div": below,
        "mul": updates,
        "add": updates,
    }


def solve(n: int, k: int) -> dict[str, int]:
    """Count the solution of n equations for k right-hand sides: elimination, then back substitution."""
    counts = _eliminate(n, k)
    back = k * n * (n - 1) // 2
    return counts | {
        "div": counts["div"] + k * n,
        "mul": counts["mul"] + back,
        "add": counts["add"] + back,
    }


def determinant(n: int) -> dict[str, int]:
    """Count a determinant: elimination, the product of the pivots, negated where rows were exchanged."""
    counts = _eliminate(n, 0)
    steps = max(n - 1, 0)
    return counts | {
        "cmp": counts["cmp"] + steps,
        "mul": counts["mul"] + steps,
        "add": counts["add"] + steps,
    }


def log_determinant(n: int) -> dict[str, int]:
    """Count a logarithm of a determinant: a determinant of the pivots' signs, a sum of logarithms."""
    return determinant(n) | {"abs": n, "sign": n, "log": n, "add_real": max(n - 1, 0)}


def cholesky(n: int) -> dict[str, int]:
    """Count a Cholesky decomposition, column by column: a root each, then a quotient per row below."""
    pairs = n * (n - 1) // 2
    triples = pairs * (n - 2) // 3
    return {
        "square": pairs,
        "add_real": pairs,
        "sqrt": n,
        "div_real": pairs,
        "mul": triples,
        "add": triples,
    }


def householder(m: int, n: int, columns: int, steps: int) -> dict[str, int]:
    """Count a QR decomposition by Householder reflections.

    Parameters
    ----------
    m, n
        Lengths of the matrix.
    columns
        Columns of Q.
    steps
        The number of reflections.

    Notes
    -----
    Reflection k takes the norm of p = m - k numbers (p squares, p - 1 additions, a root), gives it a sign (a
    comparison, a negation), adds it to the first number and negates it once more; then tau (a division by a
    real number) and v (a reciprocal and p - 1 products). It is applied to n - k - 1 columns of R, and later
    to Q: of the columns from k on, the first one is known to be of the identity. To apply it to a column
    takes 2p - 1 products and as many additions.
    """
    tails = _falling(steps, m - 1)
    applied = _apply(steps, m, n) + _apply(steps, m, columns)
    return {
        "square": tails + steps,
        "add_real": tails + 3 * steps,
        "sqrt": steps,
        "cmp": steps,
        "div_real": steps,
        "div": steps,
        "mul": 2 * tails + applied,
        "add": 2 * steps + applied,
    }


def _apply(steps: int, m: int, n: int) -> int:
    """Sum ``(2(m - k) - 1)(n - k - 1)`` over the steps."""
    return 2 * _falling_products(steps, m - 1, n - 1) + _falling(steps, n - 1)
