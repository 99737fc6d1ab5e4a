# Written by `python -m sparsebench.meter.stubs` from the rule table. Do not edit.

"""The types of arrays and of their namespace, for annotations."""

from collections.abc import Iterator, Sequence
from types import EllipsisType
from typing import Any, Literal, NamedTuple, Never

import numpy as np

Flag = bool  # a namespace has a dtype of that name
DType = np.dtype[Any] | type | str
Index = int | slice | EllipsisType | Array | np.ndarray[Any, Any] | list[Any] | None

class Array:
    """An array of the array API standard: metered, of NumPy, or of CuPy."""

    @property
    def T(self) -> Array: ...
    @property
    def device(self) -> str: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def mT(self) -> Array: ...
    @property
    def ndim(self) -> int: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def size(self) -> int: ...
    def __abs__(self) -> Array: ...
    def __array_namespace__(self, *, api_version: str | None = None) -> Namespace: ...
    def __bool__(self) -> bool: ...
    def __getitem__(self, key: Index | tuple[Index, ...]) -> Array: ...
    def __invert__(self) -> Array: ...
    def __iter__(self) -> Iterator[Array]: ...
    def __len__(self) -> int: ...
    def __neg__(self) -> Array: ...
    def __pos__(self) -> Array: ...
    def __setitem__(self, key: Index | tuple[Index, ...], value: Array | complex) -> None: ...
    def to_device(self, device: str, /, *, stream: Any = None) -> Array: ...
    def __add__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __and__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __floordiv__(self, other: Never, /) -> Array: ...
    def __lshift__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __matmul__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __mod__(self, other: Never, /) -> Array: ...
    def __mul__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __or__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __pow__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __rshift__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __sub__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __truediv__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __xor__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __radd__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __rand__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __rfloordiv__(self, other: Never, /) -> Array: ...
    def __rlshift__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __rmatmul__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __rmod__(self, other: Never, /) -> Array: ...
    def __rmul__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __ror__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __rpow__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __rrshift__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __rsub__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __rtruediv__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __rxor__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __eq__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...  # type: ignore[override]
    def __ge__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __gt__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __le__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __lt__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...
    def __ne__(self, other: Array | np.ndarray[Any, Any] | complex, /) -> Array: ...  # type: ignore[override]

class unique_all_result(NamedTuple):
    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array

class unique_counts_result(NamedTuple):
    values: Array
    counts: Array

class unique_inverse_result(NamedTuple):
    values: Array
    inverse_indices: Array

class qr_result(NamedTuple):
    Q: Array
    R: Array

class slogdet_result(NamedTuple):
    sign: Array
    logabsdet: Array

class _Fft:
    def fft(self, x: Array, /, *, n: int | None = None, axis: int = -1, norm: Literal['backward', 'ortho', 'forward'] = 'backward') -> Array:
        """Price: length N: 2NL multiplications and 3NL additions, L = ⌈log2 N⌉; 1 multiplication per real number of the result where it is normalised."""
    def ifft(self, x: Array, /, *, n: int | None = None, axis: int = -1, norm: Literal['backward', 'ortho', 'forward'] = 'backward') -> Array:
        """Price: length N: 2NL multiplications and 3NL additions, L = ⌈log2 N⌉; 1 multiplication per real number of the result where it is normalised."""
    def rfft(self, x: Array, /, *, n: int | None = None, axis: int = -1, norm: Literal['backward', 'ortho', 'forward'] = 'backward') -> Array:
        """Price: length N: NL multiplications and ⌈3NL/2⌉ additions, L = ⌈log2 N⌉; 1 multiplication per real number of the result where it is normalised."""
    def irfft(self, x: Array, /, *, n: int | None = None, axis: int = -1, norm: Literal['backward', 'ortho', 'forward'] = 'backward') -> Array:
        """Price: length N: NL multiplications and ⌈3NL/2⌉ additions, L = ⌈log2 N⌉; 1 multiplication per real number of the result where it is normalised."""
    def hfft(self, x: Array, /, *, n: int | None = None, axis: int = -1, norm: Literal['backward', 'ortho', 'forward'] = 'backward') -> Array:
        """Price: length N: NL multiplications and ⌈3NL/2⌉ additions, L = ⌈log2 N⌉; 1 multiplication per real number of the result where it is normalised."""
    def ihfft(self, x: Array, /, *, n: int | None = None, axis: int = -1, norm: Literal['backward', 'ortho', 'forward'] = 'backward') -> Array:
        """Price: length N: NL multiplications and ⌈3NL/2⌉ additions, L = ⌈log2 N⌉; 1 multiplication per real number of the result where it is normalised."""
    def fftn(self, x: Array, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: Literal['backward', 'ortho', 'forward'] = 'backward') -> Array:
        """Price: as `fft` along every axis, the last one first; 1 multiplication per real number of the result where it is normalised."""
    def ifftn(self, x: Array, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: Literal['backward', 'ortho', 'forward'] = 'backward') -> Array:
        """Price: as `ifft` along every axis, the last one first; 1 multiplication per real number of the result where it is normalised."""
    def rfftn(self, x: Array, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: Literal['backward', 'ortho', 'forward'] = 'backward') -> Array:
        """Price: as `rfft` along the last axis, which is the first, and as `fft` along the others; 1 multiplication per real number of the result where it is normalised."""
    def irfftn(self, x: Array, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: Literal['backward', 'ortho', 'forward'] = 'backward') -> Array:
        """Price: as `irfft` along the last axis, which is the last, and as `ifft` along the others; 1 multiplication per real number of the result where it is normalised."""
    def fftfreq(self, n: int, /, *, d: float = 1.0, dtype: DType | None = None, device: Any = None) -> Array:
        """Price: 0: a constant."""
    def rfftfreq(self, n: int, /, *, d: float = 1.0, dtype: DType | None = None, device: Any = None) -> Array:
        """Price: 0: a constant."""
    def fftshift(self, x: Array, /, *, axes: int | Sequence[int] | None = None) -> Array:
        """Price: 0."""
    def ifftshift(self, x: Array, /, *, axes: int | Sequence[int] | None = None) -> Array:
        """Price: 0."""

class _Linalg:
    def cholesky(self, x: Array, /, *, upper: bool = False) -> Array:
        """Price: n rows: n square roots, n(n - 1)/2 divisions, n(n - 1)(n + 1)/6 multiplications and additions each; complex operations as the real ones that they consist of."""
    def det(self, x: Array, /) -> Array:
        """Price: n rows: elimination (n(n - 1)/2 divisions, n(n - 1)(2n - 1)/6 multiplications and additions each, to choose pivots (n - 1)(n + 2)/2 absolute values and n(n - 1)/2 comparisons, and n - 1 look-ups to exchange rows), then n - 1 multiplications, negations and comparisons each; complex operations as the real ones that they consist of."""
    def inv(self, x: Array, /) -> Array:
        """Price: n rows: as `solve` with the n columns of the identity."""
    def matrix_power(self, x: Array, n: int, /) -> Array:
        """Price: to the power of a number with d binary digits, e of them ones: d + e - 2 matrix products; for a negative power `inv` as well."""
    def qr(self, x: Array, /, *, mode: Literal['reduced', 'complete'] = 'reduced') -> qr_result:
        """Price: m rows, n columns, c columns of Q, reflections k = 0 … min(m - 1, n) - 1, p = m - k: 3p - 2 + (2p - 1)(n + c - 2k - 2) multiplications, p + 4 + (2p - 1)(n + c - 2k - 2) additions, 2 divisions, 1 square root, 1 comparison each; complex operations as the real ones that they consist of, with min(m, n) reflections."""
    def slogdet(self, x: Array, /) -> slogdet_result:
        """Price: n rows: as `det`, and n absolute values, n signs (2 comparisons each), n logarithms, n - 1 additions."""
    def solve(self, a: Array, b: Array, /) -> Array:
        """Price: n equations, k right-hand sides: elimination (n(n - 1)/2 divisions, n(n - 1)(2n - 1)/6 multiplications and additions each, to choose pivots (n - 1)(n + 2)/2 absolute values and n(n - 1)/2 comparisons, and n - 1 look-ups to exchange rows), then kn(n - 1) multiplications and additions each and kn divisions; complex operations as the real ones that they consist of."""
    def matrix_norm(self, x: Array, /, *, keepdims: bool = False, ord: float | Literal['fro', 'nuc'] | None = 'fro') -> Array:
        """Price: m rows, n columns: 'fro': mn multiplications, mn - 1 additions, 1 square root; 1 and -1: mn absolute values, n(m - 1) additions, n - 1 comparisons; inf and -inf the same by rows; others are refused."""
    def vector_norm(self, x: Array, /, *, axis: int | Sequence[int] | None = None, keepdims: bool = False, ord: float = 2) -> Array:
        """Price: k terms: k - 1 additions, and with ord 2: k multiplications, 1 square root; 1: k absolute values; 0: k comparisons; -1: k absolute values, k + 1 divisions; -2: k multiplications, k + 1 divisions, 1 square root; inf and -inf: k absolute values and k - 1 comparisons, no additions; others: k absolute values, k + 1 powers."""
    def cross(self, a: Array, b: Array, /, *, axis: int = -1) -> Array:
        """Price: 6 multiplications and 3 additions per pair of vectors."""
    def diagonal(self, x: Array, /, *, offset: int = 0) -> Array:
        """Price: 0: a view."""
    def outer(self, a: Array, b: Array, /) -> Array:
        """Price: 1 multiplication per element of the result."""
    def trace(self, x: Array, /, *, offset: int = 0, dtype: DType | None = None) -> Array:
        """Price: n terms on the diagonal: n - 1 additions."""
    def eigh(self, refused: Never, /, *args: Never, **kwargs: Never) -> Array:
        """Refused: iterative: how many operations it takes depends on the values; decompose in fit, or use xp.linalg.qr or xp.linalg.solve."""
    def eigvalsh(self, refused: Never, /, *args: Never, **kwargs: Never) -> Array:
        """Refused: iterative: how many operations it takes depends on the values; decompose in fit, or use xp.linalg.qr or xp.linalg.solve."""
    def matrix_rank(self, refused: Never, /, *args: Never, **kwargs: Never) -> Array:
        """Refused: iterative: how many operations it takes depends on the values; decompose in fit, or use xp.linalg.qr or xp.linalg.solve."""
    def pinv(self, refused: Never, /, *args: Never, **kwargs: Never) -> Array:
        """Refused: iterative: how many operations it takes depends on the values; decompose in fit, or use xp.linalg.qr or xp.linalg.solve."""
    def svd(self, refused: Never, /, *args: Never, **kwargs: Never) -> Array:
        """Refused: iterative: how many operations it takes depends on the values; decompose in fit, or use xp.linalg.qr or xp.linalg.solve."""
    def svdvals(self, refused: Never, /, *args: Never, **kwargs: Never) -> Array:
        """Refused: iterative: how many operations it takes depends on the values; decompose in fit, or use xp.linalg.qr or xp.linalg.solve."""
    def matmul(self, a: Array, b: Array, /) -> Array: ...
    def matrix_transpose(self, x: Array, /) -> Array: ...
    def tensordot(self, a: Array, b: Array, /, *, axes: int | Sequence[Sequence[int]] = 2) -> Array: ...
    def vecdot(self, a: Array, b: Array, /, *, axis: int = -1) -> Array: ...

class Namespace:
    """The functions of the array API standard that the meter has a price for."""

    __array_api_version__: str
    bool: np.dtype[Any]
    int8: np.dtype[Any]
    int16: np.dtype[Any]
    int32: np.dtype[Any]
    int64: np.dtype[Any]
    uint8: np.dtype[Any]
    uint16: np.dtype[Any]
    uint32: np.dtype[Any]
    uint64: np.dtype[Any]
    float32: np.dtype[Any]
    float64: np.dtype[Any]
    complex64: np.dtype[Any]
    complex128: np.dtype[Any]
    e: float
    inf: float
    nan: float
    pi: float
    newaxis: None
    fft: _Fft
    linalg: _Linalg
    def asarray(self, obj: Any, /, *, dtype: DType | None = None, device: Any = None, copy: Flag | None = None) -> Array: ...
    def astype(self, x: Array, dtype: DType, /, *, copy: Flag = True, device: Any = None) -> Array: ...
    def can_cast(self, from_: DType | Array, to: DType, /) -> Flag: ...
    def finfo(self, type: DType | Array, /) -> Any: ...
    def from_dlpack(self, x: Any, /, *, device: Any = None, copy: Flag | None = None) -> Array: ...
    def iinfo(self, type: DType | Array, /) -> Any: ...
    def isdtype(self, dtype: DType, kind: Any) -> Flag: ...
    def result_type(self, *arrays_and_dtypes: Any) -> np.dtype[Any]: ...
    def __array_namespace_info__(self) -> Any: ...
    def abs(self, operand: Array | complex, /) -> Array:
        """Price: 1 comparison per element of the result; complex: 2 multiplications, 1 addition, 1 square root, √(a² + b²)."""
    def acos(self, operand: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result; complex: 10 multiplications, 14 additions, 1 logical operation, 3 square roots, 2 function evaluations, π/2 - asin z."""
    def acosh(self, operand: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result; complex: 15 multiplications, 13 additions, 2 logical operations, 6 square roots, 2 function evaluations, log(z + √(z + 1)·√(z - 1))."""
    def add(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 addition per element of the result; complex: 2 additions, (a + c) + (b + d)i."""
    def asin(self, operand: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result; complex: 10 multiplications, 12 additions, 1 logical operation, 3 square roots, 2 function evaluations, -i·log(iz + √(1 - z²))."""
    def asinh(self, operand: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result; complex: 10 multiplications, 9 additions, 1 logical operation, 3 square roots, 2 function evaluations, log(z + √(z² + 1))."""
    def atan(self, operand: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result; complex: 8 multiplications, 9 additions, 4 function evaluations, i/2·(log(1 - iz) - log(1 + iz))."""
    def atan2(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result."""
    def atanh(self, operand: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result; complex: 8 multiplications, 7 additions, 4 function evaluations, (log(1 + z) - log(1 - z))/2."""
    def bitwise_and(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 logical operation per element of the result."""
    def bitwise_invert(self, operand: Array | complex, /) -> Array:
        """Price: 1 logical operation per element of the result."""
    def bitwise_left_shift(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 logical operation per element of the result."""
    def bitwise_or(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 logical operation per element of the result."""
    def bitwise_right_shift(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 logical operation per element of the result."""
    def bitwise_xor(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 logical operation per element of the result."""
    def copysign(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 logical operation per element of the result, one transfer of the sign bit."""
    def cos(self, operand: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result; complex: 2 multiplications, 1 addition, 4 function evaluations, cos a·cosh b - sin a·sinh b·i."""
    def cosh(self, operand: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result; complex: 2 multiplications, 4 function evaluations, cosh a·cos b + sinh a·sin b·i."""
    def divide(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 division per element of the result; complex: 6 multiplications, 3 additions, 2 divisions, (a + bi)(c - di)/(c² + d²)."""
    def equal(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 comparison per element of the result; complex: 2 comparisons, 1 logical operation, a = c and b = d."""
    def exp(self, operand: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result; complex: 2 multiplications, 3 function evaluations, eᵃ·(cos b + i·sin b)."""
    def expm1(self, operand: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result; complex: 2 multiplications, 1 addition, 3 function evaluations, exp z - 1."""
    def greater(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 comparison per element of the result."""
    def greater_equal(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 comparison per element of the result."""
    def hypot(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 2 multiplications, 1 addition, 1 square root per element of the result, √(x1² + x2²)."""
    def isfinite(self, operand: Array | complex, /) -> Array:
        """Price: 1 comparison per element of the result; complex: 2 comparisons, 1 logical operation, isfinite a and isfinite b."""
    def isinf(self, operand: Array | complex, /) -> Array:
        """Price: 1 comparison per element of the result; complex: 2 comparisons, 1 logical operation, isinf a or isinf b."""
    def isnan(self, operand: Array | complex, /) -> Array:
        """Price: 1 comparison per element of the result; complex: 2 comparisons, 1 logical operation, isnan a or isnan b."""
    def less(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 comparison per element of the result."""
    def less_equal(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 comparison per element of the result."""
    def log(self, operand: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result; complex: 3 multiplications, 1 addition, 2 function evaluations, log(a² + b²)/2 + atan2(b, a)i."""
    def log10(self, operand: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result; complex: 5 multiplications, 1 addition, 2 function evaluations, log z·(1/log 10)."""
    def log1p(self, operand: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result; complex: 3 multiplications, 2 additions, 2 function evaluations, log(1 + z)."""
    def log2(self, operand: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result; complex: 5 multiplications, 1 addition, 2 function evaluations, log z·(1/log 2)."""
    def logaddexp(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 2 additions, 1 comparison, 2 function evaluations per element of the result, max + log1p(exp(min - max))."""
    def logical_and(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 logical operation per element of the result."""
    def logical_not(self, operand: Array | complex, /) -> Array:
        """Price: 1 logical operation per element of the result."""
    def logical_or(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 logical operation per element of the result."""
    def logical_xor(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 logical operation per element of the result."""
    def maximum(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 comparison per element of the result."""
    def minimum(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 comparison per element of the result."""
    def multiply(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 multiplication per element of the result; complex: 4 multiplications, 2 additions, (ac - bd) + (ad + bc)i."""
    def negative(self, operand: Array | complex, /) -> Array:
        """Price: 1 addition per element of the result; complex: 2 additions, -a - bi."""
    def nextafter(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 logical operation per element of the result, one step on the bits of x1."""
    def not_equal(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 comparison per element of the result; complex: 2 comparisons, 1 logical operation, a ≠ c or b ≠ d."""
    def pow(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result; for a Python integer n ≥ 0 the multiplications of repeated squaring: ⌊log2 n⌋ + (ones in binary n) - 1, none for n ≤ 1; complex: 9 multiplications, 3 additions, 5 function evaluations, exp(w·log z)."""
    def reciprocal(self, operand: Array | complex, /) -> Array:
        """Price: 1 division per element of the result; complex: 2 multiplications, 2 additions, 2 divisions, (a - bi)/(a² + b²)."""
    def sign(self, operand: Array | complex, /) -> Array:
        """Price: 2 comparisons per element of the result; complex: 2 multiplications, 1 addition, 1 comparison, 2 divisions, 1 square root, z/|z|, and 0 of 0."""
    def signbit(self, operand: Array | complex, /) -> Array:
        """Price: 1 comparison per element of the result, x < 0, on the sign bit."""
    def sin(self, operand: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result; complex: 2 multiplications, 4 function evaluations, sin a·cosh b + cos a·sinh b·i."""
    def sinh(self, operand: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result; complex: 2 multiplications, 4 function evaluations, sinh a·cos b + cosh a·sin b·i."""
    def sqrt(self, operand: Array | complex, /) -> Array:
        """Price: 1 square root per element of the result; complex: 4 multiplications, 3 additions, 1 logical operation, 3 square roots, √((|z| + a)/2) + √((|z| - a)/2)i, with the sign of b."""
    def square(self, operand: Array | complex, /) -> Array:
        """Price: 1 multiplication per element of the result; complex: 3 multiplications, 2 additions, (a² - b²) + (ab + ab)i."""
    def subtract(self, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 addition per element of the result; complex: 2 additions, (a - c) + (b - d)i."""
    def tan(self, operand: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result; complex: 2 multiplications, 1 addition, 2 divisions, 4 function evaluations, (sin 2a + sinh 2b·i)/(cos 2a + cosh 2b)."""
    def tanh(self, operand: Array | complex, /) -> Array:
        """Price: 1 function evaluation per element of the result; complex: 2 multiplications, 1 addition, 2 divisions, 4 function evaluations, (sinh 2a + sin 2b·i)/(cosh 2a + cos 2b)."""
    def clip(self, x: Array, /, min: Array | complex | None = None, max: Array | complex | None = None) -> Array:
        """Price: 1 comparison per element and bound."""
    def where(self, condition: Array, x1: Array | complex, x2: Array | complex, /) -> Array:
        """Price: 1 selection per element of the result."""
    def conj(self, x: Array, /) -> Array:
        """Price: 0; complex: 1 addition, a - bi."""
    def imag(self, x: Array, /) -> Array:
        """Price: 0: a component."""
    def real(self, x: Array, /) -> Array:
        """Price: 0: a component."""
    def sum(self, x: Array, /, *, axis: int | Sequence[int] | None = None, dtype: DType | None = None, keepdims: Flag = False) -> Array:
        """Price: k terms: k - 1 additions, of complex numbers 2 each."""
    def prod(self, x: Array, /, *, axis: int | Sequence[int] | None = None, dtype: DType | None = None, keepdims: Flag = False) -> Array:
        """Price: k terms: k - 1 multiplications, of complex numbers 4 and 2 additions each."""
    def mean(self, x: Array, /, *, axis: int | Sequence[int] | None = None, keepdims: Flag = False) -> Array:
        """Price: k terms: k - 1 additions and 1 division, of complex numbers 2 each."""
    def max(self, x: Array, /, *, axis: int | Sequence[int] | None = None, keepdims: Flag = False) -> Array:
        """Price: k terms: k - 1 comparisons."""
    def min(self, x: Array, /, *, axis: int | Sequence[int] | None = None, keepdims: Flag = False) -> Array:
        """Price: k terms: k - 1 comparisons."""
    def argmax(self, x: Array, /, *, axis: int | None = None, keepdims: Flag = False) -> Array:
        """Price: k terms: k - 1 comparisons."""
    def argmin(self, x: Array, /, *, axis: int | None = None, keepdims: Flag = False) -> Array:
        """Price: k terms: k - 1 comparisons."""
    def any(self, x: Array, /, *, axis: int | Sequence[int] | None = None, keepdims: Flag = False) -> Array:
        """Price: k terms: k - 1 logical operations; numbers also k comparisons with 0."""
    def all(self, x: Array, /, *, axis: int | Sequence[int] | None = None, keepdims: Flag = False) -> Array:
        """Price: k terms: k - 1 logical operations; numbers also k comparisons with 0."""
    def count_nonzero(self, x: Array, /, *, axis: int | Sequence[int] | None = None, keepdims: Flag = False) -> Array:
        """Price: k terms: k - 1 additions; numbers also k comparisons with 0."""
    def var(self, x: Array, /, *, axis: int | Sequence[int] | None = None, correction: float = 0.0, keepdims: Flag = False) -> Array:
        """Price: k terms: the mean and k subtractions, k multiplications, k - 1 additions, 1 division."""
    def std(self, x: Array, /, *, axis: int | Sequence[int] | None = None, correction: float = 0.0, keepdims: Flag = False) -> Array:
        """Price: k terms: the mean and k subtractions, k multiplications, k - 1 additions, 1 division, 1 square root."""
    def cumulative_sum(self, x: Array, /, *, axis: int | None = None, dtype: DType | None = None, include_initial: Flag = False) -> Array:
        """Price: k terms: k - 1 additions, of complex numbers 2 each."""
    def cumulative_prod(self, x: Array, /, *, axis: int | None = None, dtype: DType | None = None, include_initial: Flag = False) -> Array:
        """Price: k terms: k - 1 multiplications, of complex numbers 4 and 2 additions each."""
    def diff(self, x: Array, /, *, axis: int = -1, n: int = 1, prepend: Array | None = None, append: Array | None = None) -> Array:
        """Price: k terms: k - 1 subtractions, of complex numbers 2 each; n times, each on 1 term less."""
    def sort(self, x: Array, /, *, axis: int = -1, descending: Flag = False, stable: Flag = True) -> Array:
        """Price: m terms: m⌈log2 m⌉ comparisons."""
    def argsort(self, x: Array, /, *, axis: int = -1, descending: Flag = False, stable: Flag = True) -> Array:
        """Price: m terms: m⌈log2 m⌉ comparisons."""
    def searchsorted(self, x1: Array, x2: Array, /, *, side: Literal['left', 'right'] = 'left', sorter: Array | None = None) -> Array:
        """Price: m edges, per level of ⌈log2(m + 1)⌉: 1 look-up (an edge), 1 comparison and, after the first, 1 address operation; with a sorter 1 look-up more."""
    def unique_all(self, x: Array, /) -> unique_all_result:
        """Price: m terms: m⌈log2 m⌉ + (m - 1) comparisons; of complex numbers 3 comparisons and 2 logical operations to order, 2 and 1 to tell apart."""
    def unique_counts(self, x: Array, /) -> unique_counts_result:
        """Price: m terms: m⌈log2 m⌉ + (m - 1) comparisons; of complex numbers 3 comparisons and 2 logical operations to order, 2 and 1 to tell apart."""
    def unique_inverse(self, x: Array, /) -> unique_inverse_result:
        """Price: m terms: m⌈log2 m⌉ + (m - 1) comparisons; of complex numbers 3 comparisons and 2 logical operations to order, 2 and 1 to tell apart."""
    def unique_values(self, x: Array, /) -> Array:
        """Price: m terms: m⌈log2 m⌉ + (m - 1) comparisons; of complex numbers 3 comparisons and 2 logical operations to order, 2 and 1 to tell apart."""
    def matmul(self, a: Array, b: Array, /) -> Array:
        """Price: inner length k: k multiplications and k - 1 additions per element of the result; of complex numbers 4k and 4k - 2."""
    def tensordot(self, a: Array, b: Array, /, *, axes: int | Sequence[Sequence[int]] = 2) -> Array:
        """Price: k terms contracted: k multiplications and k - 1 additions per element of the result, as the matrix product that it is; of complex numbers 4k and 4k - 2."""
    def vecdot(self, a: Array, b: Array, /, *, axis: int = -1) -> Array:
        """Price: length k: k multiplications and k - 1 additions per element of the result; of complex numbers 4k and 4k - 2, and k to conjugate."""
    def nonzero(self, x: Array, /) -> tuple[Array, ...]:
        """Price: 1 selection per element, 0 where it is the model's; of numbers also 1 comparison."""
    def take(self, x: Array, index: Array, /, *, axis: int | None = None) -> Array:
        """Price: as table[index]; along a later axis 1 look-up per address and element of the axes before it."""
    def take_along_axis(self, x: Array, index: Array, /, *, axis: int = -1) -> Array:
        """Price: 1 look-up per element of the result; 0 where the index is the model's; elements are loads."""
    def broadcast_to(self, x: Array, /, shape: int | Sequence[int]) -> Array:
        """Price: 0."""
    def expand_dims(self, x: Array, /, axis: int | Sequence[int]) -> Array:
        """Price: 0."""
    def flip(self, x: Array, /, *, axis: int | Sequence[int] | None = None) -> Array:
        """Price: 0."""
    def matrix_transpose(self, x: Array, /) -> Array:
        """Price: 0."""
    def moveaxis(self, x: Array, source: int | Sequence[int], destination: int | Sequence[int], /) -> Array:
        """Price: 0."""
    def permute_dims(self, x: Array, /, axes: int | Sequence[int]) -> Array:
        """Price: 0."""
    def reshape(self, x: Array, /, shape: int | Sequence[int], *, copy: Flag | None = None) -> Array:
        """Price: 0."""
    def squeeze(self, x: Array, /, axis: int | Sequence[int]) -> Array:
        """Price: 0."""
    def positive(self, x: Array, /) -> Array:
        """Price: 0."""
    def roll(self, x: Array, /, shift: int | Sequence[int], *, axis: int | Sequence[int] | None = None) -> Array:
        """Price: 0."""
    def repeat(self, x: Array, repeats: int, /, *, axis: int | None = None) -> Array:
        """Price: 0."""
    def tile(self, x: Array, repetitions: int | Sequence[int], /) -> Array:
        """Price: 0."""
    def broadcast_arrays(self, *arrays: Array) -> list[Array]:
        """Price: 0."""
    def concat(self, arrays: Sequence[Array], /, *, axis: int | None = 0) -> Array:
        """Price: 0."""
    def meshgrid(self, *arrays: Array, indexing: Literal['xy', 'ij'] = 'xy') -> list[Array]:
        """Price: 0."""
    def stack(self, arrays: Sequence[Array], /, *, axis: int = 0) -> Array:
        """Price: 0."""
    def unstack(self, x: Array, /, *, axis: int = 0) -> tuple[Array, ...]:
        """Price: 0; a length that depends on values must be paid for before: ask for x.shape."""
    def arange(self, start: float, /, stop: float | None = None, step: float = 1, *, dtype: DType | None = None, device: Any = None) -> Array:
        """Price: 0: a constant."""
    def empty(self, shape: int | Sequence[int], *, dtype: DType | None = None, device: Any = None) -> Array:
        """Price: 0: a constant."""
    def empty_like(self, x: Array, /, *, dtype: DType | None = None, device: Any = None) -> Array:
        """Price: 0: a constant."""
    def eye(self, n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: DType | None = None, device: Any = None) -> Array:
        """Price: 0: a constant."""
    def full(self, shape: int | Sequence[int], fill_value: complex, *, dtype: DType | None = None, device: Any = None) -> Array:
        """Price: 0: a constant."""
    def full_like(self, x: Array, /, fill_value: complex, *, dtype: DType | None = None, device: Any = None) -> Array:
        """Price: 0: a constant."""
    def linspace(self, start: complex, stop: complex, /, num: int, *, dtype: DType | None = None, endpoint: Flag = True, device: Any = None) -> Array:
        """Price: 0: a constant."""
    def ones(self, shape: int | Sequence[int], *, dtype: DType | None = None, device: Any = None) -> Array:
        """Price: 0: a constant."""
    def ones_like(self, x: Array, /, *, dtype: DType | None = None, device: Any = None) -> Array:
        """Price: 0: a constant."""
    def zeros(self, shape: int | Sequence[int], *, dtype: DType | None = None, device: Any = None) -> Array:
        """Price: 0: a constant."""
    def zeros_like(self, x: Array, /, *, dtype: DType | None = None, device: Any = None) -> Array:
        """Price: 0: a constant."""
    def tril(self, x: Array, /, *, k: int = 0) -> Array:
        """Price: 0: zeros at constant places."""
    def triu(self, x: Array, /, *, k: int = 0) -> Array:
        """Price: 0: zeros at constant places."""
    def ceil(self, refused: Never, /, *args: Never, **kwargs: Never) -> Array:
        """Refused: it would give unboundedly many free bits about a real number; use ops.quantize(x, levels=m)."""
    def floor(self, refused: Never, /, *args: Never, **kwargs: Never) -> Array:
        """Refused: it would give unboundedly many free bits about a real number; use ops.quantize(x, levels=m)."""
    def floor_divide(self, refused: Never, /, *args: Never, **kwargs: Never) -> Array:
        """Refused: it would make integers of numbers without a charge; use ops.quantize(x, levels=m); for integers x >> n."""
    def remainder(self, refused: Never, /, *args: Never, **kwargs: Never) -> Array:
        """Refused: it would make integers of numbers without a charge; use ops.quantize(x, levels=m); for integers x & (2**n - 1)."""
    def round(self, refused: Never, /, *args: Never, **kwargs: Never) -> Array:
        """Refused: it would give unboundedly many free bits about a real number; use ops.quantize(x, levels=m)."""
    def trunc(self, refused: Never, /, *args: Never, **kwargs: Never) -> Array:
        """Refused: it would give unboundedly many free bits about a real number; use ops.quantize(x, levels=m)."""
