# Written by `python -m sparsebench.meter.stubs` from the rule table. Do not edit.

"""The operations of routed networks, each with a definition, a CPU implementation and a price."""

from collections.abc import Sequence
from typing import Any, Literal

from sparsebench.arrays import Array, DType
from sparsebench.ops.core.primitive import Primitive as Primitive
from sparsebench.ops.primitives import PRIMITIVES as PRIMITIVES

__all__ = [
    "PRIMITIVES",
    "Primitive",
    "axis_tree_route",
    "convac_layer",
    "einsum",
    "erf",
    "gather",
    "gather_constant",
    "gather_matmul",
    "gelu",
    "grouped_linear",
    "grouped_mlp",
    "grouped_polynomial",
    "hyperplane_hash",
    "k_tanh",
    "layer_norm",
    "logsumexp",
    "merge_linear",
    "merged_mlp",
    "nearest_in_tree",
    "nearest_prototype",
    "oblique_tree_route",
    "one_hot",
    "pack_bits",
    "prelu",
    "pstable_hash",
    "quantize",
    "relu",
    "scatter_add",
    "searchsorted_route",
    "segment_combine",
    "segment_sum",
    "sigmoid",
    "softmax",
    "swish",
    "top_k",
    "top_k_gate",
    "top_k_mask_linear",
    "tree_route",
]

def axis_tree_route(x: Array, features: Array, thresholds: Array) -> Array:
    """Descend a complete binary tree whose nodes compare one feature; right where ``x[feature] > threshold``. Price: per level 2 look-ups (a node's record, the row's feature), 1 comparison and, after the first, 1 address operation."""

def convac_layer(x: Array, weights: Array, *, stride: int = 1) -> Array:
    """Map every place of a window linearly, and multiply over the window (Sharir and Shashua 2018). Price: per output, M channels: 2M - 1 for every place of the window, and 1 multiplication less than it has places."""

def einsum(subscripts: str, *operands: Array) -> Array:
    """Sum products of elements over labelled axes, as ``numpy.einsum`` does. Price: per pair of operands and element of the product: 1 multiplication where nothing is summed, else k multiplications and k - 1 additions; a sum of k terms of one operand: k - 1 additions; diagonals: 0."""

def erf(x: Array) -> Array:
    """Return the error function, by rational approximations (Cody 1969). Price: 1 function evaluation per element."""

def gather(index: Array, *tables: Array) -> Any:
    """Read the records at ``index`` from one or several tables. Price: per address 1 look-up for all tables of the model together, whatever the width of the record, and 1 per element of records that were computed; 0 where the index is the model's; elements are loads."""

def gather_constant(index: Array, constants: Array, gates: Array | None = None) -> Array:
    """Look constants up, and sum those of a row: buckets with a number each (Baykal et al. 2022, section 3). Price: k addresses, h numbers each: k look-ups, of computed constants hk; hk multiplications for gates; h(k - 1) additions."""

def gather_matmul(x: Array, index: Array, weights: Array) -> Array:
    """Multiply every row by the vector or the matrix at its address: ``weights[index] @ x``. Price: d → h, per address: 1 look-up, h(2d - 1) for the product; one output where weights are (E, d)."""

def gelu(x: Array, *, approximate: Literal['none', 'tanh'] = 'none') -> Array:
    """Multiply numbers by the share of a normal distribution below them (Hendrycks and Gimpel 2016). Price: per element 3 multiplications, 1 addition and 1 function evaluation (ops.erf); as tanh: 5 multiplications, 2 additions and 1 function evaluation."""

def grouped_linear(x: Array, index: Array, weights: Array, bias: Array | None = None) -> Array:
    """Apply to every row the linear layer of its expert: ``weights[index] @ x + bias[index]``. Price: d → h, per address: 1 look-up, h(2d - 1) for the product, h for the bias."""

def grouped_mlp(x: Array, index: Array, *layers: Array | None, activation: Literal['relu', 'prelu', 'swish', 'k_tanh'] = 'relu', slope: float = 0.25) -> Array:
    """Send every row through the perceptron of its expert (MoMLP, Kratsios et al. 2025, arXiv:2402.03460). Price: per address: 1 look-up for all layers together; per layer d → h: h(2d - 1) for the product, h for the bias; the activation's price for every hidden unit."""

def grouped_polynomial(x: Array, index: Array, coefficients: Array, *, degree: int) -> Array:
    """Evaluate for every row the polynomial of its bucket (Baykal et al. 2022, arXiv:2208.04461). Price: M monomials of d features: M - 1 - d multiplications per input; per address: 1 look-up, and 2(M - 1) for every output."""

def hyperplane_hash(x: Array, planes: Array, offsets: Array | None = None) -> Array:
    """Hash rows by the sides of hyperplanes that they lie on (Charikar 2002; Baykal et al. 2022, section 3). Price: k planes in R^d: k(2d - 1) for the products, k comparisons, k - 1 address operations."""

def k_tanh(x: Array) -> Array:
    """Approximate the hyperbolic tangent as K-TanH does on bfloat16 numbers (Kundu et al. 2019). Price: per element: 13 comparisons (7 for the mantissa), 4 selections, 2 multiplications, 2 additions; 7 address operations and 2 look-ups (by octave, by record); 2 additions and 2 shifts of integers."""

def layer_norm(x: Array, weight: Array | None = None, bias: Array | None = None, *, eps: float = 1e-05) -> Array:
    """Normalize the last axis to mean 0 and variance 1 (Ba, Kiros and Hinton 2016, arXiv:1607.06450). Price: d features: 3d - 1 additions, 2d multiplications, 3 divisions, 1 square root; the weight d multiplications, the bias d additions."""

def logsumexp(x: Array, *, axis: int = -1, keepdims: bool = False) -> Array:
    """Take the logarithm of a sum of exponentials; the largest term, where finite, is subtracted first. Price: k terms: k comparisons (one: is the largest finite?), 1 selection, 2k additions, k exponentials, 1 logarithm."""

def merge_linear(x: Array, gates: Array, weights: Array, bias: Array | None = None) -> Array:
    """Apply to every example the gated sum of linear experts (SMEAR, Muqeeth et al. 2023, arXiv:2306.03745). Price: E experts d → h, s positions: 2E - 1 per input and parameter for the average; per position h(2d - 1) for the product, h for the bias."""

def merged_mlp(x: Array, gates: Array, *layers: Array | None, activation: Literal['relu', 'prelu', 'swish', 'k_tanh'] = 'relu', slope: float = 0.25) -> Array:
    """Send every example through one perceptron whose parameters are the gated sum of all experts'. Price: as ops.merge_linear for every layer; the activation's price for every hidden unit and position."""

def nearest_in_tree(x: Array, prototypes: Array, *, arity: int) -> Array:
    """Descend a complete tree of points, at every node to the nearest child (Kratsios et al. 2025). Price: v children in R^d, per level: 1 look-up (their record), v(3d - 1) for the distances, v - 1 comparisons and, after the first, 1 address operation."""

def nearest_prototype(x: Array, prototypes: Array) -> Array:
    """Find the prototype at the least Euclidean distance; the first one among equals. Price: N prototypes in R^d: N(3d - 1) for the distances, N - 1 comparisons."""

def oblique_tree_route(x: Array, normals: Array, thresholds: Array) -> Array:
    """Descend a complete binary tree whose nodes are hyperplanes; right where ``normal @ x > threshold``. Price: R^d, per level: 1 look-up (a node's record), 2d - 1 for the product, 1 comparison and, after the first, 1 address operation."""

def one_hot(index: Array, *, classes: int, dtype: DType | None = None) -> Array:
    """Return for every index its row of the identity matrix. Price: 1 look-up per address: a row of the identity; 0 where the index is the model's; elements are loads."""

def pack_bits(*bits: Array) -> Array:
    """Pack booleans into one integer address, the first one most significant. Price: k bits: k - 1 address operations."""

def prelu(x: Array, slope: Array | float) -> Array:
    """Multiply what is not above 0 by a slope (He et al. 2015, arXiv:1502.01852, equation 1). Price: 1 comparison, 1 multiplication and 1 selection per element."""

def pstable_hash(x: Array, directions: Array, offsets: Array, *, levels: int) -> Array:
    """Hash rows by the cells of equal width that their projections fall into (Datar et al. 2004). Price: k directions in R^d: k(2d - 1) for the products, k for the offsets, k times the price of ops.quantize, 2(k - 1) to join the cells."""

def quantize(x: Array, *, levels: int) -> Array:
    """Turn real numbers into integers: ``clip(floor(x), 0, levels - 1)``. Price: per element b = ⌈log2 levels⌉ comparisons, and b - 1 address operations."""

def relu(x: Array) -> Array:
    """Put 0 in the place of what is not above 0; NaN stays NaN. Price: 1 comparison per element."""

def scatter_add(target: Array, index: Array, values: Array) -> Array:
    """Add records to those of an array at computed addresses; the array itself is not changed. Price: 1 look-up and 1 addition per element of the values; no look-ups where the index is the model's; what is added to is counted as loads."""

def searchsorted_route(x: Array, edges: Array) -> Array:
    """Count the edges below a number, which is the leaf of a search tree over them; right where ``x > edge``. Price: m edges, per level of ⌈log2(m + 1)⌉: 1 look-up (an edge), 1 comparison and, after the first, 1 address operation."""

def segment_combine(values: Array, gates: Array) -> Array:
    """Sum the values of every row's experts, each times its gate. Price: k experts of h outputs: hk multiplications, h(k - 1) additions."""

def segment_sum(values: Array, segments: Array, *, num_segments: int) -> Array:
    """Sum records by segment. Price: as ops.scatter_add: 1 look-up and 1 addition per element of the values."""

def sigmoid(x: Array) -> Array:
    """Map numbers to ``1 / (1 + exp(-x))``, the logistic function. Price: 2 additions, 1 exponential and 1 division per element."""

def softmax(x: Array, *, axis: int = -1) -> Array:
    """Divide exponentials by their sum; the largest term is subtracted first, so that none overflows. Price: k terms: k - 1 comparisons, 2k - 1 additions, k exponentials, k divisions."""

def swish(x: Array) -> Array:
    """Multiply numbers by their logistic sigmoid: ``x / (1 + exp(-x))`` (Ramachandran et al. 2017). Price: 2 additions, 1 exponential and 1 division per element."""

def top_k(x: Array, k: int) -> tuple[Array, Array]:
    """Find the k largest along the last axis, largest first; the lower index first among equals, NaN last. Price: top k of m: (m - 1) + (k - 1)⌈log2 m⌉ comparisons."""

def top_k_gate(x: Array, weights: Array, bias: Array | None = None, *, k: int) -> tuple[Array, Array]:
    """Choose the experts of the k largest logits, and weigh them by the softmax over these. Price: E experts, R^d: E(2d - 1) for the products, E for the bias, and the prices of ops.top_k and of ops.softmax over k."""

def top_k_mask_linear(preactivations: Array, readout: Array, bias: Array | None = None, *, k: int) -> Array:
    """Read out the k largest hidden units alone: the data-dependent sparse model of Baykal et al. 2022. Price: top k of t units, o outputs: that of ops.top_k; per unit kept 1 comparison and 1 look-up; o(2k - 1) for the product, o for the bias."""

def tree_route(key: Array, thresholds: Array) -> Array:
    """Descend a complete binary tree; right where ``key > threshold``. Price: per level 1 look-up (a node's record), 1 comparison and, after the first, 1 address operation."""
