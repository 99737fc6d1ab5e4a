# Written by `python -m sparsebench.meter.stubs` from the rule table. Do not edit.

"""The operations of routed networks, each with a definition, a CPU implementation and a price."""

from collections.abc import Sequence
from typing import Any

from sparsebench.arrays import Array, DType
from sparsebench.ops.primitive import PRIMITIVES as PRIMITIVES
from sparsebench.ops.primitive import Primitive as Primitive

__all__ = [
    "PRIMITIVES",
    "Primitive",
    "einsum",
    "gather",
    "gather_matmul",
    "grouped_linear",
    "hyperplane_hash",
    "layer_norm",
    "logsumexp",
    "nearest_prototype",
    "one_hot",
    "pack_bits",
    "prelu",
    "quantize",
    "relu",
    "scatter_add",
    "segment_sum",
    "softmax",
    "top_k",
    "tree_route",
]

def einsum(subscripts: str, *operands: Array) -> Array:
    """Sum products of elements over labelled axes, as ``numpy.einsum`` does. Price: per pair of operands and element of the product: 1 multiplication where nothing is summed, else k multiplications and k - 1 additions; a sum of k terms of one operand: k - 1 additions; diagonals: 0."""

def gather(index: Array, *tables: Array) -> Any:
    """Read the records at ``index`` from one or several tables. Price: 1 look-up per address, whatever the width of the record; its elements are counted as loads."""

def gather_matmul(x: Array, index: Array, weights: Array) -> Array:
    """Multiply every row by the vector or the matrix at its address: ``weights[index] @ x``. Price: d → h, per address: 1 look-up, h(2d - 1) for the product; one output where weights are (E, d)."""

def grouped_linear(x: Array, index: Array, weights: Array, bias: Array | None = None) -> Array:
    """Apply to every row the linear layer of its expert: ``weights[index] @ x + bias[index]``. Price: d → h, per address: 1 look-up, h(2d - 1) for the product, h for the bias."""

def hyperplane_hash(x: Array, planes: Array, offsets: Array | None = None) -> Array:
    """Hash rows by the sides of hyperplanes that they lie on (Charikar 2002; Baykal et al. 2022, section 3). Price: k planes in R^d: k(2d - 1) for the products, k comparisons."""

def layer_norm(x: Array, weight: Array | None = None, bias: Array | None = None, *, eps: float = 1e-05) -> Array:
    """Give the last axis mean 0 and variance 1 (Ba, Kiros and Hinton 2016, arXiv:1607.06450). Price: d features: 3d - 1 additions, 2d multiplications, 3 divisions, 1 square root; the weight d multiplications, the bias d additions."""

def logsumexp(x: Array, *, axis: int = -1, keepdims: bool = False) -> Array:
    """Take the logarithm of a sum of exponentials; the largest term, where finite, is subtracted first. Price: k terms: k comparisons (one: is the largest finite?), 2k additions, k exponentials, 1 logarithm."""

def nearest_prototype(x: Array, prototypes: Array) -> Array:
    """Find the prototype at the least Euclidean distance; the first one among equals. Price: N prototypes in R^d: N(3d - 1) for the distances, N - 1 comparisons."""

def one_hot(index: Array, *, classes: int, dtype: DType | None = None) -> Array:
    """Give every index its row of the identity matrix. Price: 1 look-up per address: a row of the identity; its elements are counted as loads."""

def pack_bits(*bits: Array) -> Array:
    """Pack booleans into one integer address, the first one most significant. Price: 0: the bits were paid for when they were made."""

def prelu(x: Array, slope: Array | float) -> Array:
    """Multiply what is not above 0 by a slope (He et al. 2015, arXiv:1502.01852, equation 1). Price: 1 comparison and 1 multiplication per element."""

def quantize(x: Array, *, levels: int) -> Array:
    """Turn real numbers into integers: ``clip(floor(x), 0, levels - 1)``. Price: ⌈log2 levels⌉ comparisons per element."""

def relu(x: Array) -> Array:
    """Put 0 in the place of what is not above 0; NaN stays NaN. Price: 1 comparison per element."""

def scatter_add(target: Array, index: Array, values: Array) -> Array:
    """Add records to those of an array at computed addresses; the array itself is not changed. Price: 1 look-up per address, whatever the width of the record; 1 addition per element of the values; what is added to is counted as loads."""

def segment_sum(values: Array, segments: Array, *, num_segments: int) -> Array:
    """Sum records by segment. Price: as ops.scatter_add: 1 look-up per address, 1 addition per element of the values."""

def softmax(x: Array, *, axis: int = -1) -> Array:
    """Divide exponentials by their sum; the largest term is subtracted first, so that none overflows. Price: k terms: k - 1 comparisons, 2k - 1 additions, k exponentials, k divisions."""

def top_k(x: Array, k: int) -> tuple[Array, Array]:
    """Find the k largest along the last axis, largest first; the lower index first among equals, NaN last. Price: top k of m: (m - 1) + (k - 1)⌈log2 m⌉ comparisons."""

def tree_route(key: Array, thresholds: Array) -> Array:
    """Descend a complete binary tree; right where ``key > threshold``. Price: 1 look-up (a node's record) and 1 comparison per level."""
