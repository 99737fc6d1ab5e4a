# Written by `python -m sparsebench.meter.stubs` from the rule table. Do not edit.

"""What the namespace has, and what it refuses."""

from __future__ import annotations

from sparsebench.meter.client.function import Function, Refusal

__all__ = ["FUNCTIONS", "REFUSED"]

FUNCTIONS: dict[str, Function] = {
    "abs": Function(
        lambda operand, /: ...,
        "1 comparison per element of the result; complex: 2 multiplications, 1 addition, 1 square root, √(a² + b²)",
        "xp.abs(x)",
    ),
    "acos": Function(
        lambda operand, /: ...,
        "1 function evaluation per element of the result; complex: 10 multiplications, 14 additions, 1 logical operation, 3 square roots, 2 function evaluations, π/2 - asin z",
        "xp.acos(x)",
    ),
    "acosh": Function(
        lambda operand, /: ...,
        "1 function evaluation per element of the result; complex: 15 multiplications, 13 additions, 2 logical operations, 6 square roots, 2 function evaluations, log(z + √(z + 1)·√(z - 1))",
        "xp.acosh(x)",
    ),
    "add": Function(
        lambda x1, x2, /: ...,
        "1 addition per element of the result; complex: 2 additions, (a + c) + (b + d)i",
        "xp.add(x1, x2)",
    ),
    "asin": Function(
        lambda operand, /: ...,
        "1 function evaluation per element of the result; complex: 10 multiplications, 12 additions, 1 logical operation, 3 square roots, 2 function evaluations, -i·log(iz + √(1 - z²))",
        "xp.asin(x)",
    ),
    "asinh": Function(
        lambda operand, /: ...,
        "1 function evaluation per element of the result; complex: 10 multiplications, 9 additions, 1 logical operation, 3 square roots, 2 function evaluations, log(z + √(z² + 1))",
        "xp.asinh(x)",
    ),
    "atan": Function(
        lambda operand, /: ...,
        "1 function evaluation per element of the result; complex: 8 multiplications, 9 additions, 4 function evaluations, i/2·(log(1 - iz) - log(1 + iz))",
        "xp.atan(x)",
    ),
    "atan2": Function(
        lambda x1, x2, /: ...,
        "1 function evaluation per element of the result",
        "xp.atan2(x1, x2)",
    ),
    "atanh": Function(
        lambda operand, /: ...,
        "1 function evaluation per element of the result; complex: 8 multiplications, 7 additions, 4 function evaluations, (log(1 + z) - log(1 - z))/2",
        "xp.atanh(x)",
    ),
    "bitwise_and": Function(
        lambda x1, x2, /: ...,
        "1 logical operation per element of the result",
        "xp.bitwise_and(x1, x2)",
    ),
    "bitwise_invert": Function(
        lambda operand, /: ...,
        "1 logical operation per element of the result",
        "xp.bitwise_invert(x)",
    ),
    "bitwise_left_shift": Function(
        lambda x1, x2, /: ...,
        "1 logical operation per element of the result",
        "xp.bitwise_left_shift(x1, x2)",
    ),
    "bitwise_or": Function(
        lambda x1, x2, /: ...,
        "1 logical operation per element of the result",
        "xp.bitwise_or(x1, x2)",
    ),
    "bitwise_right_shift": Function(
        lambda x1, x2, /: ...,
        "1 logical operation per element of the result",
        "xp.bitwise_right_shift(x1, x2)",
    ),
    "bitwise_xor": Function(
        lambda x1, x2, /: ...,
        "1 logical operation per element of the result",
        "xp.bitwise_xor(x1, x2)",
    ),
    "copysign": Function(
        lambda x1, x2, /: ...,
        "1 logical operation per element of the result, one transfer of the sign bit",
        "xp.copysign(x1, x2)",
    ),
    "cos": Function(
        lambda operand, /: ...,
        "1 function evaluation per element of the result; complex: 2 multiplications, 1 addition, 4 function evaluations, cos a·cosh b - sin a·sinh b·i",
        "xp.cos(x)",
    ),
    "cosh": Function(
        lambda operand, /: ...,
        "1 function evaluation per element of the result; complex: 2 multiplications, 4 function evaluations, cosh a·cos b + sinh a·sin b·i",
        "xp.cosh(x)",
    ),
    "divide": Function(
        lambda x1, x2, /: ...,
        "1 division per element of the result; complex: 6 multiplications, 3 additions, 2 divisions, (a + bi)(c - di)/(c² + d²)",
        "xp.divide(x1, x2)",
    ),
    "equal": Function(
        lambda x1, x2, /: ...,
        "1 comparison per element of the result; complex: 2 comparisons, 1 logical operation, a = c and b = d",
        "xp.equal(x1, x2)",
    ),
    "exp": Function(
        lambda operand, /: ...,
        "1 function evaluation per element of the result; complex: 2 multiplications, 3 function evaluations, eᵃ·(cos b + i·sin b)",
        "xp.exp(x)",
    ),
    "expm1": Function(
        lambda operand, /: ...,
        "1 function evaluation per element of the result; complex: 2 multiplications, 1 addition, 3 function evaluations, exp z - 1",
        "xp.expm1(x)",
    ),
    "greater": Function(
        lambda x1, x2, /: ...,
        "1 comparison per element of the result",
        "xp.greater(x1, x2)",
    ),
    "greater_equal": Function(
        lambda x1, x2, /: ...,
        "1 comparison per element of the result",
        "xp.greater_equal(x1, x2)",
    ),
    "hypot": Function(
        lambda x1, x2, /: ...,
        "2 multiplications, 1 addition, 1 square root per element of the result, √(x1² + x2²)",
        "xp.hypot(x1, x2)",
    ),
    "isfinite": Function(
        lambda operand, /: ...,
        "1 comparison per element of the result; complex: 2 comparisons, 1 logical operation, isfinite a and isfinite b",
        "xp.isfinite(x)",
    ),
    "isinf": Function(
        lambda operand, /: ...,
        "1 comparison per element of the result; complex: 2 comparisons, 1 logical operation, isinf a or isinf b",
        "xp.isinf(x)",
    ),
    "isnan": Function(
        lambda operand, /: ...,
        "1 comparison per element of the result; complex: 2 comparisons, 1 logical operation, isnan a or isnan b",
        "xp.isnan(x)",
    ),
    "less": Function(
        lambda x1, x2, /: ...,
        "1 comparison per element of the result",
        "xp.less(x1, x2)",
    ),
    "less_equal": Function(
        lambda x1, x2, /: ...,
        "1 comparison per element of the result",
        "xp.less_equal(x1, x2)",
    ),
    "log": Function(
        lambda operand, /: ...,
        "1 function evaluation per element of the result; complex: 3 multiplications, 1 addition, 2 function evaluations, log(a² + b²)/2 + atan2(b, a)i",
        "xp.log(x)",
    ),
    "log10": Function(
        lambda operand, /: ...,
        "1 function evaluation per element of the result; complex: 5 multiplications, 1 addition, 2 function evaluations, log z·(1/log 10)",
        "xp.log10(x)",
    ),
    "log1p": Function(
        lambda operand, /: ...,
        "1 function evaluation per element of the result; complex: 3 multiplications, 2 additions, 2 function evaluations, log(1 + z)",
        "xp.log1p(x)",
    ),
    "log2": Function(
        lambda operand, /: ...,
        "1 function evaluation per element of the result; complex: 5 multiplications, 1 addition, 2 function evaluations, log z·(1/log 2)",
        "xp.log2(x)",
    ),
    "logaddexp": Function(
        lambda x1, x2, /: ...,
        "2 additions, 1 comparison, 2 function evaluations per element of the result, max + log1p(exp(min - max))",
        "xp.logaddexp(x1, x2)",
    ),
    "logical_and": Function(
        lambda x1, x2, /: ...,
        "1 logical operation per element of the result",
        "xp.logical_and(x1, x2)",
    ),
    "logical_not": Function(
        lambda operand, /: ...,
        "1 logical operation per element of the result",
        "xp.logical_not(x)",
    ),
    "logical_or": Function(
        lambda x1, x2, /: ...,
        "1 logical operation per element of the result",
        "xp.logical_or(x1, x2)",
    ),
    "logical_xor": Function(
        lambda x1, x2, /: ...,
        "1 logical operation per element of the result",
        "xp.logical_xor(x1, x2)",
    ),
    "maximum": Function(
        lambda x1, x2, /: ...,
        "1 comparison per element of the result",
        "xp.maximum(x1, x2)",
    ),
    "minimum": Function(
        lambda x1, x2, /: ...,
        "1 comparison per element of the result",
        "xp.minimum(x1, x2)",
    ),
    "multiply": Function(
        lambda x1, x2, /: ...,
        "1 multiplication per element of the result; complex: 4 multiplications, 2 additions, (ac - bd) + (ad + bc)i",
        "xp.multiply(x1, x2)",
    ),
    "negative": Function(
        lambda operand, /: ...,
        "1 addition per element of the result; complex: 2 additions, -a - bi",
        "xp.negative(x)",
    ),
    "nextafter": Function(
        lambda x1, x2, /: ...,
        "1 logical operation per element of the result, one step on the bits of x1",
        "xp.nextafter(x1, x2)",
    ),
    "not_equal": Function(
        lambda x1, x2, /: ...,
        "1 comparison per element of the result; complex: 2 comparisons, 1 logical operation, a ≠ c or b ≠ d",
        "xp.not_equal(x1, x2)",
    ),
    "pow": Function(
        lambda x1, x2, /: ...,
        "1 function evaluation per element of the result; for a Python integer n ≥ 0 the multiplications of repeated squaring: ⌊log2 n⌋ + (ones in binary n) - 1, none for n ≤ 1; complex: 9 multiplications, 3 additions, 5 function evaluations, exp(w·log z)",
        "xp.pow(x1, x2)",
    ),
    "reciprocal": Function(
        lambda operand, /: ...,
        "1 division per element of the result; complex: 2 multiplications, 2 additions, 2 divisions, (a - bi)/(a² + b²)",
        "xp.reciprocal(x)",
    ),
    "sign": Function(
        lambda operand, /: ...,
        "2 comparisons per element of the result; complex: 2 multiplications, 1 addition, 1 comparison, 2 divisions, 1 square root, z/|z|, and 0 of 0",
        "xp.sign(x)",
    ),
    "signbit": Function(
        lambda operand, /: ...,
        "1 comparison per element of the result, x < 0, on the sign bit",
        "xp.signbit(x)",
    ),
    "sin": Function(
        lambda operand, /: ...,
        "1 function evaluation per element of the result; complex: 2 multiplications, 4 function evaluations, sin a·cosh b + cos a·sinh b·i",
        "xp.sin(x)",
    ),
    "sinh": Function(
        lambda operand, /: ...,
        "1 function evaluation per element of the result; complex: 2 multiplications, 4 function evaluations, sinh a·cos b + cosh a·sin b·i",
        "xp.sinh(x)",
    ),
    "sqrt": Function(
        lambda operand, /: ...,
        "1 square root per element of the result; complex: 4 multiplications, 3 additions, 1 logical operation, 3 square roots, √((|z| + a)/2) + √((|z| - a)/2)i, with the sign of b",
        "xp.sqrt(x)",
    ),
    "square": Function(
        lambda operand, /: ...,
        "1 multiplication per element of the result; complex: 3 multiplications, 2 additions, (a² - b²) + (ab + ab)i",
        "xp.square(x)",
    ),
    "subtract": Function(
        lambda x1, x2, /: ...,
        "1 addition per element of the result; complex: 2 additions, (a - c) + (b - d)i",
        "xp.subtract(x1, x2)",
    ),
    "tan": Function(
        lambda operand, /: ...,
        "1 function evaluation per element of the result; complex: 2 multiplications, 1 addition, 2 divisions, 4 function evaluations, (sin 2a + sinh 2b·i)/(cos 2a + cosh 2b)",
        "xp.tan(x)",
    ),
    "tanh": Function(
        lambda operand, /: ...,
        "1 function evaluation per element of the result; complex: 2 multiplications, 1 addition, 2 divisions, 4 function evaluations, (sinh 2a + sin 2b·i)/(cosh 2a + cos 2b)",
        "xp.tanh(x)",
    ),
    "clip": Function(
        lambda x, /, min=None, max=None: ...,
        "1 comparison per element and bound",
        "xp.clip(x, 0.0, 1.0)",
    ),
    "where": Function(
        lambda condition, x1, x2, /: ...,
        "1 selection per element of the result",
        "xp.where(x > 0.0, x, y)",
    ),
    "conj": Function(
        lambda x, /: ...,
        "0; complex: 1 addition, a - bi",
        "xp.conj(x)",
    ),
    "imag": Function(
        lambda x, /: ...,
        "0: a component",
        "xp.imag(x)",
    ),
    "real": Function(
        lambda x, /: ...,
        "0: a component",
        "xp.real(x)",
    ),
    "sum": Function(
        lambda x, /, *, axis=None, dtype=None, keepdims=False: ...,
        "k terms: k - 1 additions, of complex numbers 2 each",
        "xp.sum(x, axis=-1)",
    ),
    "prod": Function(
        lambda x, /, *, axis=None, dtype=None, keepdims=False: ...,
        "k terms: k - 1 multiplications, of complex numbers 4 and 2 additions each",
        "xp.prod(x, axis=-1)",
    ),
    "mean": Function(
        lambda x, /, *, axis=None, keepdims=False: ...,
        "k terms: k - 1 additions and 1 division, of complex numbers 2 each",
        "xp.mean(x, axis=-1)",
    ),
    "max": Function(
        lambda x, /, *, axis=None, keepdims=False: ...,
        "k terms: k - 1 comparisons",
        "xp.max(x, axis=-1)",
    ),
    "min": Function(
        lambda x, /, *, axis=None, keepdims=False: ...,
        "k terms: k - 1 comparisons",
        "xp.min(x, axis=-1)",
    ),
    "argmax": Function(
        lambda x, /, *, axis=None, keepdims=False: ...,
        "k terms: k - 1 comparisons",
        "xp.argmax(x, axis=-1)",
    ),
    "argmin": Function(
        lambda x, /, *, axis=None, keepdims=False: ...,
        "k terms: k - 1 comparisons",
        "xp.argmin(x, axis=-1)",
    ),
    "any": Function(
        lambda x, /, *, axis=None, keepdims=False: ...,
        "k terms: k - 1 logical operations; numbers also k comparisons with 0",
        "xp.any(x, axis=-1)",
    ),
    "all": Function(
        lambda x, /, *, axis=None, keepdims=False: ...,
        "k terms: k - 1 logical operations; numbers also k comparisons with 0",
        "xp.all(x, axis=-1)",
    ),
    "count_nonzero": Function(
        lambda x, /, *, axis=None, keepdims=False: ...,
        "k terms: k - 1 additions; numbers also k comparisons with 0",
        "xp.count_nonzero(x, axis=-1)",
    ),
    "var": Function(
        lambda x, /, *, axis=None, correction=0.0, keepdims=False: ...,
        "k terms: the mean and k subtractions, k multiplications, k - 1 additions, 1 division",
        "xp.var(x, axis=-1)",
    ),
    "std": Function(
        lambda x, /, *, axis=None, correction=0.0, keepdims=False: ...,
        "k terms: the mean and k subtractions, k multiplications, k - 1 additions, 1 division, 1 square root",
        "xp.std(x, axis=-1)",
    ),
    "cumulative_sum": Function(
        lambda x, /, *, axis=None, dtype=None, include_initial=False: ...,
        "k terms: k - 1 additions, of complex numbers 2 each",
        "xp.cumulative_sum(x, axis=-1)",
    ),
    "cumulative_prod": Function(
        lambda x, /, *, axis=None, dtype=None, include_initial=False: ...,
        "k terms: k - 1 multiplications, of complex numbers 4 and 2 additions each",
        "xp.cumulative_prod(x, axis=-1)",
    ),
    "diff": Function(
        lambda x, /, *, axis=-1, n=1, prepend=None, append=None: ...,
        "k terms: k - 1 subtractions, of complex numbers 2 each; n times, each on 1 term less",
        "xp.diff(x, axis=-1)",
    ),
    "sort": Function(
        lambda x, /, *, axis=-1, descending=False, stable=True: ...,
        "m terms: m⌈log2 m⌉ comparisons",
        "xp.sort(x)",
    ),
    "argsort": Function(
        lambda x, /, *, axis=-1, descending=False, stable=True: ...,
        "m terms: m⌈log2 m⌉ comparisons",
        "xp.argsort(x)",
    ),
    "searchsorted": Function(
        lambda x1, x2, /, *, side='left', sorter=None: ...,
        "m edges, per level of ⌈log2(m + 1)⌉: 1 look-up (an edge), 1 comparison and, after the first, 1 address operation; with a sorter 1 look-up more",
        "xp.searchsorted(edges, x)",
    ),
    "unique_all": Function(
        lambda x, /: ...,
        "m terms: m⌈log2 m⌉ + (m - 1) comparisons; of complex numbers 3 comparisons and 2 logical operations to order, 2 and 1 to tell apart",
        "xp.unique_all(x)",
        fields=("values", "indices", "inverse_indices", "counts"),
    ),
    "unique_counts": Function(
        lambda x, /: ...,
        "m terms: m⌈log2 m⌉ + (m - 1) comparisons; of complex numbers 3 comparisons and 2 logical operations to order, 2 and 1 to tell apart",
        "xp.unique_counts(x)",
        fields=("values", "counts"),
    ),
    "unique_inverse": Function(
        lambda x, /: ...,
        "m terms: m⌈log2 m⌉ + (m - 1) comparisons; of complex numbers 3 comparisons and 2 logical operations to order, 2 and 1 to tell apart",
        "xp.unique_inverse(x)",
        fields=("values", "inverse_indices"),
    ),
    "unique_values": Function(
        lambda x, /: ...,
        "m terms: m⌈log2 m⌉ + (m - 1) comparisons; of complex numbers 3 comparisons and 2 logical operations to order, 2 and 1 to tell apart",
        "xp.unique_values(x)",
    ),
    "matmul": Function(
        lambda a, b, /: ...,
        "inner length k: k multiplications and k - 1 additions per element of the result; of complex numbers 4k and 4k - 2",
        "x @ w",
    ),
    "tensordot": Function(
        lambda a, b, /, *, axes=2: ...,
        "k terms contracted: k multiplications and k - 1 additions per element of the result, as the matrix product that it is; of complex numbers 4k and 4k - 2",
        "xp.tensordot(x, w, axes=1)",
    ),
    "vecdot": Function(
        lambda a, b, /, *, axis=-1: ...,
        "length k: k multiplications and k - 1 additions per element of the result; of complex numbers 4k and 4k - 2, and k to conjugate",
        "xp.vecdot(x, y)",
    ),
    "linalg.cholesky": Function(
        lambda x, /, *, upper=False: ...,
        "n rows: n square roots, n(n - 1)/2 divisions, n(n - 1)(n + 1)/6 multiplications and additions each; complex operations as the real ones that they consist of",
        "xp.linalg.cholesky(x)",
    ),
    "linalg.det": Function(
        lambda x, /: ...,
        "n rows: elimination (n(n - 1)/2 divisions, n(n - 1)(2n - 1)/6 multiplications and additions each, to choose pivots (n - 1)(n + 2)/2 absolute values and n(n - 1)/2 comparisons, and n - 1 look-ups to exchange rows), then n - 1 multiplications, negations and comparisons each; complex operations as the real ones that they consist of",
        "xp.linalg.det(x)",
    ),
    "linalg.inv": Function(
        lambda x, /: ...,
        "n rows: as `solve` with the n columns of the identity",
        "xp.linalg.inv(x)",
    ),
    "linalg.matrix_power": Function(
        lambda x, n, /: ...,
        "to the power of a number with d binary digits, e of them ones: d + e - 2 matrix products; for a negative power `inv` as well",
        "xp.linalg.matrix_power(x, 3)",
    ),
    "linalg.qr": Function(
        lambda x, /, *, mode='reduced': ...,
        "m rows, n columns, c columns of Q, reflections k = 0 … min(m - 1, n) - 1, p = m - k: 3p - 2 + (2p - 1)(n + c - 2k - 2) multiplications, p + 4 + (2p - 1)(n + c - 2k - 2) additions, 2 divisions, 1 square root, 1 comparison each; complex operations as the real ones that they consist of, with min(m, n) reflections",
        "xp.linalg.qr(x)",
        fields=("Q", "R"),
    ),
    "linalg.slogdet": Function(
        lambda x, /: ...,
        "n rows: as `det`, and n absolute values, n signs (2 comparisons each), n logarithms, n - 1 additions",
        "xp.linalg.slogdet(x)",
        fields=("sign", "logabsdet"),
    ),
    "linalg.solve": Function(
        lambda a, b, /: ...,
        "n equations, k right-hand sides: elimination (n(n - 1)/2 divisions, n(n - 1)(2n - 1)/6 multiplications and additions each, to choose pivots (n - 1)(n + 2)/2 absolute values and n(n - 1)/2 comparisons, and n - 1 look-ups to exchange rows), then kn(n - 1) multiplications and additions each and kn divisions; complex operations as the real ones that they consist of",
        "xp.linalg.solve(a, b)",
    ),
    "linalg.matrix_norm": Function(
        lambda x, /, *, keepdims=False, ord='fro': ...,
        "m rows, n columns: 'fro': mn multiplications, mn - 1 additions, 1 square root; 1 and -1: mn absolute values, n(m - 1) additions, n - 1 comparisons; inf and -inf the same by rows; others are refused",
        "xp.linalg.matrix_norm(x)",
    ),
    "linalg.vector_norm": Function(
        lambda x, /, *, axis=None, keepdims=False, ord=2: ...,
        "k terms: k - 1 additions, and with ord 2: k multiplications, 1 square root; 1: k absolute values; 0: k comparisons; -1: k absolute values, k + 1 divisions; -2: k multiplications, k + 1 divisions, 1 square root; inf and -inf: k absolute values and k - 1 comparisons, no additions; others: k absolute values, k + 1 powers",
        "xp.linalg.vector_norm(x, axis=-1)",
    ),
    "linalg.cross": Function(
        lambda a, b, /, *, axis=-1: ...,
        "6 multiplications and 3 additions per pair of vectors",
        "xp.linalg.cross(x, y)",
    ),
    "linalg.diagonal": Function(
        lambda x, /, *, offset=0: ...,
        "0: a view",
        "xp.linalg.diagonal(x)",
    ),
    "linalg.outer": Function(
        lambda a, b, /: ...,
        "1 multiplication per element of the result",
        "xp.linalg.outer(x, y)",
    ),
    "linalg.trace": Function(
        lambda x, /, *, offset=0, dtype=None: ...,
        "n terms on the diagonal: n - 1 additions",
        "xp.linalg.trace(x)",
    ),
    "fft.fft": Function(
        lambda x, /, *, n=None, axis=-1, norm='backward': ...,
        "length N: 2NL multiplications and 3NL additions, L = ⌈log2 N⌉; 1 multiplication per real number of the result where it is normalised",
        "xp.fft.fft(x)",
    ),
    "fft.ifft": Function(
        lambda x, /, *, n=None, axis=-1, norm='backward': ...,
        "length N: 2NL multiplications and 3NL additions, L = ⌈log2 N⌉; 1 multiplication per real number of the result where it is normalised",
        "xp.fft.ifft(x)",
    ),
    "fft.rfft": Function(
        lambda x, /, *, n=None, axis=-1, norm='backward': ...,
        "length N: NL multiplications and ⌈3NL/2⌉ additions, L = ⌈log2 N⌉; 1 multiplication per real number of the result where it is normalised",
        "xp.fft.rfft(x)",
    ),
    "fft.irfft": Function(
        lambda x, /, *, n=None, axis=-1, norm='backward': ...,
        "length N: NL multiplications and ⌈3NL/2⌉ additions, L = ⌈log2 N⌉; 1 multiplication per real number of the result where it is normalised",
        "xp.fft.irfft(x)",
    ),
    "fft.hfft": Function(
        lambda x, /, *, n=None, axis=-1, norm='backward': ...,
        "length N: NL multiplications and ⌈3NL/2⌉ additions, L = ⌈log2 N⌉; 1 multiplication per real number of the result where it is normalised",
        "xp.fft.hfft(x)",
    ),
    "fft.ihfft": Function(
        lambda x, /, *, n=None, axis=-1, norm='backward': ...,
        "length N: NL multiplications and ⌈3NL/2⌉ additions, L = ⌈log2 N⌉; 1 multiplication per real number of the result where it is normalised",
        "xp.fft.ihfft(x)",
    ),
    "fft.fftn": Function(
        lambda x, /, *, s=None, axes=None, norm='backward': ...,
        "as `fft` along every axis, the last one first; 1 multiplication per real number of the result where it is normalised",
        "xp.fft.fftn(x)",
    ),
    "fft.ifftn": Function(
        lambda x, /, *, s=None, axes=None, norm='backward': ...,
        "as `ifft` along every axis, the last one first; 1 multiplication per real number of the result where it is normalised",
        "xp.fft.ifftn(x)",
    ),
    "fft.rfftn": Function(
        lambda x, /, *, s=None, axes=None, norm='backward': ...,
        "as `rfft` along the last axis, which is the first, and as `fft` along the others; 1 multiplication per real number of the result where it is normalised",
        "xp.fft.rfftn(x)",
    ),
    "fft.irfftn": Function(
        lambda x, /, *, s=None, axes=None, norm='backward': ...,
        "as `irfft` along the last axis, which is the last, and as `ifft` along the others; 1 multiplication per real number of the result where it is normalised",
        "xp.fft.irfftn(x)",
    ),
    "fft.fftfreq": Function(
        lambda n, /, *, d=1.0, dtype=None, device=None: ...,
        "0: a constant",
        "xp.fft.fftfreq(8)",
        device=True,
    ),
    "fft.rfftfreq": Function(
        lambda n, /, *, d=1.0, dtype=None, device=None: ...,
        "0: a constant",
        "xp.fft.rfftfreq(8)",
        device=True,
    ),
    "fft.fftshift": Function(
        lambda x, /, *, axes=None: ...,
        "0",
        "xp.fft.fftshift(x)",
    ),
    "fft.ifftshift": Function(
        lambda x, /, *, axes=None: ...,
        "0",
        "xp.fft.ifftshift(x)",
    ),
    "nonzero": Function(
        lambda x, /: ...,
        "1 selection per element, 0 where it is the model's; of numbers also 1 comparison",
        "xp.nonzero(x > 0.0)",
    ),
    "take": Function(
        lambda x, index, /, *, axis=None: ...,
        "as table[index]; along a later axis 1 look-up per address and element of the axes before it",
        "xp.take(table, index, axis=0)",
    ),
    "take_along_axis": Function(
        lambda x, index, /, *, axis=-1: ...,
        "1 look-up per element of the result; 0 where the index is the model's; elements are loads",
        "xp.take_along_axis(x, index, axis=-1)",
    ),
    "astype": Function(
        lambda x, dtype, /, *, copy=True: ...,
        "0 between real widths, from integer to real, from real to complex, to wider integers and from boolean; per element 1 comparison to boolean (of complex numbers 2, and 1 logical operation), 1 logical operation to narrower integers; from real to integer and from complex to real refused",
        "xp.astype(x, xp.float64)",
    ),
    "broadcast_to": Function(
        lambda x, /, shape: ...,
        "0",
        "xp.broadcast_to(b, x.shape)",
    ),
    "expand_dims": Function(
        lambda x, /, axis: ...,
        "0",
        "xp.expand_dims(x, axis=0)",
    ),
    "flip": Function(
        lambda x, /, *, axis=None: ...,
        "0",
        "xp.flip(x, axis=0)",
    ),
    "matrix_transpose": Function(
        lambda x, /: ...,
        "0",
        "x.mT",
    ),
    "moveaxis": Function(
        lambda x, source, destination, /: ...,
        "0",
        "xp.moveaxis(x, 0, -1)",
    ),
    "permute_dims": Function(
        lambda x, /, axes: ...,
        "0",
        "xp.permute_dims(x, (1, 0))",
    ),
    "reshape": Function(
        lambda x, /, shape, *, copy=None: ...,
        "0",
        "xp.reshape(x, (-1,))",
    ),
    "squeeze": Function(
        lambda x, /, axis: ...,
        "0",
        "xp.squeeze(x, axis=0)",
    ),
    "positive": Function(
        lambda x, /: ...,
        "0",
        "+x",
    ),
    "roll": Function(
        lambda x, /, shift, *, axis=None: ...,
        "0",
        "xp.roll(x, 1)",
    ),
    "repeat": Function(
        lambda x, repeats, /, *, axis=None: ...,
        "0",
        "xp.repeat(x, 2)",
    ),
    "tile": Function(
        lambda x, repetitions, /: ...,
        "0",
        "xp.tile(x, (2, 1))",
    ),
    "broadcast_arrays": Function(
        lambda *arrays: ...,
        "0",
        "xp.broadcast_arrays(x, b)",
        listed=True,
    ),
    "concat": Function(
        lambda arrays, /, *, axis=0: ...,
        "0",
        "xp.concat([x, y])",
    ),
    "meshgrid": Function(
        lambda *arrays, indexing='xy': ...,
        "0",
        "xp.meshgrid(x, y)",
        listed=True,
    ),
    "stack": Function(
        lambda arrays, /, *, axis=0: ...,
        "0",
        "xp.stack([x, y])",
    ),
    "unstack": Function(
        lambda x, /, *, axis=0: ...,
        "0; a length that depends on values must be paid for before: ask for x.shape",
        "xp.unstack(x, axis=-1)",
    ),
    "arange": Function(
        lambda start, /, stop=None, step=1, *, dtype=None, device=None: ...,
        "0: a constant",
        "xp.arange(8)",
        device=True,
    ),
    "empty": Function(
        lambda shape, *, dtype=None, device=None: ...,
        "0: a constant",
        "xp.empty((2, 3))",
        device=True,
    ),
    "empty_like": Function(
        lambda x, /, *, dtype=None, device=None: ...,
        "0: a constant",
        "xp.empty_like(x)",
        device=True,
    ),
    "eye": Function(
        lambda n_rows, n_cols=None, /, *, k=0, dtype=None, device=None: ...,
        "0: a constant",
        "xp.eye(3)",
        device=True,
    ),
    "full": Function(
        lambda shape, fill_value, *, dtype=None, device=None: ...,
        "0: a constant",
        "xp.full((2, 3), 1.0)",
        device=True,
    ),
    "full_like": Function(
        lambda x, /, fill_value, *, dtype=None, device=None: ...,
        "0: a constant",
        "xp.full_like(x, 1.0)",
        device=True,
    ),
    "linspace": Function(
        lambda start, stop, /, num, *, dtype=None, endpoint=True, device=None: ...,
        "0: a constant",
        "xp.linspace(0.0, 1.0, 5)",
        device=True,
    ),
    "ones": Function(
        lambda shape, *, dtype=None, device=None: ...,
        "0: a constant",
        "xp.ones((2, 3))",
        device=True,
    ),
    "ones_like": Function(
        lambda x, /, *, dtype=None, device=None: ...,
        "0: a constant",
        "xp.ones_like(x)",
        device=True,
    ),
    "zeros": Function(
        lambda shape, *, dtype=None, device=None: ...,
        "0: a constant",
        "xp.zeros((2, 3))",
        device=True,
    ),
    "zeros_like": Function(
        lambda x, /, *, dtype=None, device=None: ...,
        "0: a constant",
        "xp.zeros_like(x)",
        device=True,
    ),
    "tril": Function(
        lambda x, /, *, k=0: ...,
        "0: zeros at constant places",
        "xp.tril(x)",
    ),
    "triu": Function(
        lambda x, /, *, k=0: ...,
        "0: zeros at constant places",
        "xp.triu(x)",
    ),
}
"""Every operation that has a name in the namespace."""

REFUSED: dict[str, Refusal] = {
    "astype-integer": Refusal("it would give unboundedly many free bits about a real number", "use ops.quantize(x, levels=m)"),
    "ceil": Refusal("it would give unboundedly many free bits about a real number", "use ops.quantize(x, levels=m)"),
    "floor": Refusal("it would give unboundedly many free bits about a real number", "use ops.quantize(x, levels=m)"),
    "floor_divide": Refusal("it would make integers of numbers without a charge", "use ops.quantize(x, levels=m); for integers x >> n"),
    "remainder": Refusal("it would make integers of numbers without a charge", "use ops.quantize(x, levels=m); for integers x & (2**n - 1)"),
    "round": Refusal("it would give unboundedly many free bits about a real number", "use ops.quantize(x, levels=m)"),
    "trunc": Refusal("it would give unboundedly many free bits about a real number", "use ops.quantize(x, levels=m)"),
    "linalg.eigh": Refusal("iterative: how many operations it takes depends on the values", "decompose in fit, or use xp.linalg.qr or xp.linalg.solve"),
    "linalg.eigvalsh": Refusal("iterative: how many operations it takes depends on the values", "decompose in fit, or use xp.linalg.qr or xp.linalg.solve"),
    "linalg.matrix_rank": Refusal("iterative: how many operations it takes depends on the values", "decompose in fit, or use xp.linalg.qr or xp.linalg.solve"),
    "linalg.pinv": Refusal("iterative: how many operations it takes depends on the values", "decompose in fit, or use xp.linalg.qr or xp.linalg.solve"),
    "linalg.svd": Refusal("iterative: how many operations it takes depends on the values", "decompose in fit, or use xp.linalg.qr or xp.linalg.solve"),
    "linalg.svdvals": Refusal("iterative: how many operations it takes depends on the values", "decompose in fit, or use xp.linalg.qr or xp.linalg.solve"),
}
"""Operations that are refused on purpose."""
