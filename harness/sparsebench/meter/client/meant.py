"""Replacements for names of NumPy and torch that the array API standard does not have.

Newcomers use familiar names. Each is listed here with its equivalent under the meter; a test checks that
every function that a mend names exists.
"""

from __future__ import annotations

from sparsebench.meter.client.functions import FUNCTIONS, REFUSED
from sparsebench.ops.families import FAMILIES

__all__ = ["MEANT", "PRICES", "instead", "of_method"]

PRICES = "docs/cost-model.md lists what has"
"""The mend that points to the priced functions, if nothing better is known."""

_MOD = "x & (2**n - 1) for integers, else ops.quantize(x, levels=m)"
_SMALLEST = "ops.top_k(-x, k)"
_IN_FIT = "sort or count in fit, and give predict what it found"
_SUBSTITUTE = "xp.where(xp.isnan(x), 0.0, x)"
_CAST = "xp.astype(x, xp.float64)"

MEANT: dict[str, str] = {
    # names that differ
    "absolute": "xp.abs(x)",
    "amax": "xp.max(x, axis=-1)",
    "amin": "xp.min(x, axis=-1)",
    "arccos": "xp.acos(x)",
    "arccosh": "xp.acosh(x)",
    "arcsin": "xp.asin(x)",
    "arcsinh": "xp.asinh(x)",
    "arctan": "xp.atan(x)",
    "arctan2": "xp.atan2(y, x)",
    "arctanh": "xp.atanh(x)",
    "bitwise_not": "xp.bitwise_invert(x)",
    "conjugate": "xp.conj(x)",
    "cumprod": "xp.cumulative_prod(x, axis=0)",
    "cumsum": "xp.cumulative_sum(x, axis=0)",
    "fabs": "xp.abs(x)",
    "float_power": "xp.pow(x, y)",
    "fmax": "xp.maximum(x, y)",
    "fmin": "xp.minimum(x, y)",
    "invert": "xp.bitwise_invert(x)",
    "left_shift": "xp.bitwise_left_shift(x, n)",
    "nanmax": "xp.max(x, axis=-1)",
    "nanmean": "xp.mean(x, axis=-1)",
    "nanmin": "xp.min(x, axis=-1)",
    "nansum": "xp.sum(x, axis=-1)",
    "power": "xp.pow(x, y)",
    "right_shift": "xp.bitwise_right_shift(x, n)",
    "true_divide": "xp.divide(x, y)",
    # joining, splitting and reshaping
    "append": "xp.concat([x, y], axis=0)",
    "array": "xp.asarray(numbers)",
    "array_split": "slices, x[:k] and x[k:]",
    "asanyarray": "xp.asarray(numbers)",
    "ascontiguousarray": "x as it is: layout is free",
    "atleast_1d": "xp.reshape(x, (-1,))",
    "atleast_2d": "x[None, :]",
    "block": "xp.concat([x, y], axis=-1)",
    "cat": "xp.concat([x, y], axis=0)",
    "chunk": "slices, x[:k] and x[k:]",
    "column_stack": "xp.stack([x, y], axis=1) of vectors, xp.concat([x, y], axis=1) of matrices",
    "concatenate": "xp.concat([x, y], axis=0)",
    "copy": "xp.asarray(x, copy=True)",
    "delete": "xp.concat([x[:k], x[k + 1 :]], axis=0)",
    "diag": "xp.linalg.diagonal(x) to read one; make diagonal matrices in fit",
    "diagonal": "xp.linalg.diagonal(x)",
    "dsplit": "slices, x[:, :, :k] and x[:, :, k:]",
    "dstack": "xp.stack([x, y], axis=2)",
    "fliplr": "xp.flip(x, axis=1)",
    "flipud": "xp.flip(x, axis=0)",
    "hsplit": "slices, x[:, :k] and x[:, k:]",
    "hstack": "xp.concat([x, y], axis=1), of vectors axis=0",
    "identity": "xp.eye(n)",
    "insert": "xp.concat([x[:k], y, x[k:]], axis=0)",
    "pad": "xp.concat([x, xp.zeros((len(x), k))], axis=1)",
    "permute": "xp.permute_dims(x, (1, 0))",
    "ravel": "xp.reshape(x, (-1,))",
    "resize": "xp.reshape(x, shape) or xp.tile(x, repetitions)",
    "rollaxis": "xp.moveaxis(x, source, destination)",
    "rot90": "xp.flip(x.mT, axis=0)",
    "row_stack": "xp.concat([x, y], axis=0)",
    "split": "slices, x[:k] and x[k:]",
    "swapaxes": "xp.permute_dims(x, axes), or x.mT",
    "transpose": "xp.permute_dims(x, (1, 0)), or x.mT",
    "unsqueeze": "xp.expand_dims(x, axis=0)",
    "vsplit": "slices, x[:k] and x[k:]",
    "vstack": "xp.concat([x, y], axis=0), of vectors xp.stack([x, y], axis=0)",
    # products
    "bmm": "xp.matmul(x, y)",
    "correlate": "ops.einsum over slices",
    "convolve": "ops.einsum over slices",
    "cross": "xp.linalg.cross(x, y)",
    "dot": "x @ y",
    "inner": "xp.vecdot(x, y)",
    "kron": "xp.linalg.outer(x, y) and xp.reshape",
    "linalg.dot": "x @ y",
    "linalg.multi_dot": "x @ y @ z",
    "linalg.norm": "xp.linalg.vector_norm(x, axis=-1), of matrices xp.linalg.matrix_norm(x)",
    "linalg.lstsq": "xp.linalg.solve(x, y), or solve in fit",
    "linalg.cond": "decompose in fit",
    "linalg.eig": "decompose in fit",
    "linalg.eigvals": "decompose in fit",
    "matvec": "x @ y",
    "mm": "xp.matmul(x, y)",
    "norm": "xp.linalg.vector_norm(x, axis=-1)",
    "outer": "xp.linalg.outer(x, y), or x[:, None] * y",
    "polyval": "a sum of products by Horner's rule: (a * x + b) * x + c",
    "trace": "xp.linalg.trace(x)",
    "vdot": "xp.vecdot(x, y)",
    # statistics
    "average": "xp.mean(x, axis=-1), weighted xp.vecdot(x, weights)",
    "histogram": _IN_FIT,
    "median": "xp.sort(x, axis=-1) and a slice of it",
    "nanstd": "xp.std(x, axis=-1)",
    "percentile": "xp.sort(x, axis=-1) and a slice of it",
    "ptp": "xp.max(x, axis=-1) - xp.min(x, axis=-1)",
    "quantile": "xp.sort(x, axis=-1) and a slice of it",
    # selection and addressing
    "allclose": "xp.all(xp.abs(x - y) < tolerance)",
    "argpartition": f"ops.top_k(x, k), of the smallest {_SMALLEST}",
    "argwhere": "xp.nonzero(mask)",
    "array_equal": "xp.all(x == y)",
    "bincount": "ops.segment_sum(x, segments, num_segments=m)",
    "choose": "ops.gather(index, table)",
    "compress": "x[mask]",
    "digitize": "xp.searchsorted(edges, x), or ops.searchsorted_route(x, edges)",
    "extract": "x[mask]",
    "flatnonzero": "xp.nonzero(mask)",
    "heaviside": "xp.astype(x > 0, xp.float64)",
    "index_select": "xp.take(x, index, axis=0)",
    "interp": "xp.searchsorted(edges, x), then ops.gather(index, slopes, offsets)",
    "isclose": "xp.abs(x - y) < tolerance",
    "isin": "xp.any(x[:, None] == values, axis=1)",
    "lexsort": "xp.argsort(x, axis=-1)",
    "nan_to_num": _SUBSTITUTE,
    "packbits": "ops.pack_bits(*bits)",
    "partition": f"ops.top_k(x, k), of the smallest {_SMALLEST}",
    "piecewise": "xp.where(condition, x, y)",
    "put": "x[index] = values on an array of your own, or ops.scatter_add(target, index, values)",
    "putmask": "xp.where(mask, value, x)",
    "ravel_multi_index": "ops.pack_bits(*bits), or i * width + j",
    "select": "xp.where(condition, x, y)",
    "topk": "ops.top_k(x, k)",
    "unique": "xp.unique_values(x)",
    # arithmetic to be written out
    "addmm": "x @ y + b",
    "bitwise_count": "compares of bits and their sum",
    "cbrt": "xp.pow(x, 1 / 3), where x is not negative",
    "deg2rad": "x * (xp.pi / 180)",
    "degrees": "x * (180 / xp.pi)",
    "ediff1d": "xp.diff(x)",
    "exp2": "xp.pow(2.0, x)",
    "fix": "ops.quantize(x, levels=m)",
    "fmod": _MOD,
    "divmod": "x >> n and x & (2**n - 1) for integers, else ops.quantize(x, levels=m)",
    "gradient": "xp.diff(x)",
    "logaddexp2": "xp.logaddexp(x, y)",
    "mod": _MOD,
    "modf": "ops.quantize(x, levels=m)",
    "rad2deg": "x * (180 / xp.pi)",
    "radians": "x * (xp.pi / 180)",
    "rint": "ops.quantize(x, levels=m)",
    "around": "ops.quantize(x, levels=m)",
    "rsqrt": "1.0 / xp.sqrt(x)",
    "sinc": "xp.sin(x) / x",
    # creation and inspection
    "apply_along_axis": "operations on whole arrays, with axis=",
    "geomspace": "xp.exp(xp.linspace(a, b, n))",
    "logspace": "xp.exp(xp.linspace(a, b, n))",
    "indices": "xp.arange(n) and xp.meshgrid(a, b)",
    "ix_": "x[rows][:, columns]",
    "issubdtype": "xp.isdtype(x.dtype, 'integral')",
    "mgrid": "xp.meshgrid(a, b)",
    "ndarray": "sb.Array to annotate with",
    "promote_types": "xp.result_type(x, y)",
    "random": "the rng that fit is given: predict draws nothing",
    "rand": "the rng that fit is given: predict draws nothing",
    "randn": "the rng that fit is given: predict draws nothing",
    "shape": "x.shape",
    "tensor": "xp.asarray(numbers)",
    "tri": "xp.tril(xp.ones((n, n)))",
    "vectorize": "operations on whole arrays",
    "bool_": "xp.bool",
    "double": "xp.float64",
    "float": "xp.float64",
    "int": "xp.int64",
    "int_": "xp.int64",
    "intp": "xp.int64",
    "long": "xp.int64",
    "float16": "xp.float32",
    "fft.fft2": "xp.fft.fftn(x, axes=(-2, -1))",
    "fft.ifft2": "xp.fft.ifftn(x, axes=(-2, -1))",
    "fft.rfft2": "xp.fft.rfftn(x, axes=(-2, -1))",
}
"""Equivalents by name: a mend that says "use ..."."""

_METHODS: dict[str, str] = {
    "detach": "x as it is",
    "cpu": "x as it is",
    "numpy": "x as it is",
    "flatten": "xp.reshape(x, (-1,))",
    "fill": "xp.full_like(x, value)",
    "float": _CAST,
    "double": _CAST,
    "half": "xp.astype(x, xp.float32)",
    "int": "ops.quantize(x, levels=m)",
    "long": "ops.quantize(x, levels=m)",
    "masked_fill": "xp.where(mask, value, x)",
    "scatter_add_": "ops.scatter_add(target, index, values)",
    "size": "x.shape",
    "to": _CAST,
    "type": _CAST,
    "view": "xp.reshape(x, shape), or xp.astype(x, dtype)",
    "copy": "xp.asarray(x, copy=True)",
    "values": "x as it is",
}
"""Equivalents of methods of NumPy, torch and pandas, if no function has the name."""


def instead(name: str) -> str:
    """Return what to use instead of a function that does not exist, or does not take metered arrays.

    Parameters
    ----------
    name
        The name in NumPy's namespace: ``concatenate``, ``linalg.norm``.

    Returns
    -------
    str
        A mend that names only existing functions; empty if none is known.
    """
    if name in MEANT:
        return f"use {MEANT[name]}"
    if name in FUNCTIONS:
        return f"use the namespace of x: xp.{name}(x)"
    if name in REFUSED:
        return REFUSED[name].mend
    if any(name in names for names in FAMILIES.values()):
        return f"use sparsebench.ops.{name}"
    return ""


def of_method(name: str) -> str:
    """Return what to use instead of a method that arrays of other libraries have."""
    if name in _METHODS:
        return f"use {_METHODS[name]}"
    if name in FUNCTIONS and name not in MEANT:
        return f"if it is NumPy's, use the namespace: xp.{name}(x)"
    return instead(name) or f"use the functions of its namespace, xp: {PRICES}"
