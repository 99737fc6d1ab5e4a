"""What is compared with peers: the work, and what each backend does to it. See peers.py.

A backend is a function of the parameters that gives a function of the inputs. It may lay parameters out as it
likes, outside the time; it has to answer in NumPy arrays or what is one without a copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH = 64
MLP_ROWS, MLP_EXPERTS = 65_536, (64, 256, 1024)
ROWS = 1_000_000
DEPTH = 20
PLANES = 16
PROTOTYPES, PROTOTYPE_ROWS = 1024, 65_536
_PEERS = ("PyTorch", "scikit-learn", "Faiss")


@dataclass(frozen=True)
class Case:
    """One table of the page."""

    title: str
    parameters: Callable[[np.random.Generator], tuple[Any, ...]]
    inputs: Callable[[np.random.Generator], tuple[Any, ...]]
    """Drawn anew for every round."""
    backends: dict[str, Callable[..., Any]]
    floors: tuple[str, ...] = ()
    """Backends whose answers mean nothing: they show what the machine can do at most."""
    integers: bool = True
    """Whether the answers are addresses."""

    @property
    def peers(self) -> set[str]:
        """Backends that need another library."""
        return {name for name in self.backends if name.startswith(_PEERS)}


def _normal(rng, shape):
    return rng.standard_normal(shape, dtype=np.float32)


def ours(name, policy):
    """Run a primitive by a policy of backends."""

    def prepare(*parameters):
        from sparsebench import ops
        from sparsebench.ops import backends

        primitive = getattr(ops, name)

        def run(*inputs):
            with backends.use(policy):
                return primitive(*inputs, *parameters)

        return run

    return prepare


def both(name):
    """Return our two fast backends; ``auto`` takes the compiled one where it is installed."""
    return {"sparsebench, Numba": ours(name, "auto"), "sparsebench, NumPy": ours(name, "numpy")}


# The routed perceptron: x (n, 64), the expert of every row; w1, b1, w2, b2 of E experts.


def mlp_parameters(experts):
    def draw(rng):
        weights, bias = (experts, WIDTH, WIDTH), (experts, WIDTH)
        return tuple(_normal(rng, shape) / np.float32(8) for shape in (weights, bias, weights, bias))

    return draw


def mlp_inputs(experts):
    return lambda rng: (_normal(rng, (MLP_ROWS, WIDTH)), rng.integers(0, experts, size=MLP_ROWS))


def in_torch(forward):
    """Prepare a forward pass of PyTorch tensors; it is called with no gradients."""

    def prepare(*parameters):
        import torch

        held = [torch.from_numpy(part) for part in parameters]

        def run(*inputs):
            with torch.inference_mode():
                return forward(torch, *map(torch.from_numpy, inputs), *held).numpy()

        return run

    return prepare


def _sorted(torch, index, experts):
    order = torch.argsort(index, stable=True)
    return order, torch.bincount(index, minlength=experts)


def torch_loop(torch, x, index, w1, b1, w2, b2):
    """Sort rows by expert, then one expert after the other on its stretch of rows."""
    order, counts = _sorted(torch, index, len(w1))
    parts = torch.split(x[order], counts.tolist())
    made = [
        torch.addmm(b2[e], torch.relu(torch.addmm(b1[e], part, w1[e].T)), w2[e].T)
        for e, part in enumerate(parts)
    ]
    out = torch.empty_like(x)
    out[order] = torch.cat(made)
    return out


def torch_index_add(torch, x, index, w1, b1, w2, b2):
    """Ask for the rows of every expert, and add what it makes of them to the result."""
    out = torch.zeros_like(x)
    for e in range(len(w1)):
        (rows,) = torch.where(index == e)
        hidden = torch.relu(torch.addmm(b1[e], x[rows], w1[e].T))
        out.index_add_(0, rows, torch.addmm(b2[e], hidden, w2[e].T))
    return out


def torch_padded(torch, x, index, w1, b1, w2, b2):
    """Fill every expert's rows up to the longest stretch, and multiply all as one batch."""
    order, counts = _sorted(torch, index, len(w1))
    expert = index[order]
    place = torch.arange(len(x)) - (torch.cumsum(counts, 0) - counts)[expert]
    batch = x.new_zeros(len(w1), int(counts.max()), x.shape[1])
    batch[expert, place] = x[order]
    hidden = torch.relu(torch.baddbmm(b1[:, None], batch, w1.transpose(1, 2)))
    made = torch.baddbmm(b2[:, None], hidden, w2.transpose(1, 2))
    out = torch.empty_like(x)
    out[order] = made[expert, place]
    return out


def torch_grouped_mm(torch, x, index, w1, b1, w2, b2):
    """Multiply sorted rows by PyTorch's grouped product."""
    order, counts = _sorted(torch, index, len(w1))
    ends, expert = torch.cumsum(counts, 0).to(torch.int32), index[order]
    product = getattr(torch.nn.functional, "grouped_mm", None) or torch._grouped_mm
    hidden = torch.relu(product(x[order], w1.transpose(1, 2), offs=ends) + b1[expert])
    out = torch.empty_like(x)
    out[order] = product(hidden, w2.transpose(1, 2), offs=ends) + b2[expert]
    return out


def torch_dense(torch, x, _, w1, b1, w2, b2):
    """Send all rows through one expert: the same active operations, and no routing."""
    return torch.addmm(b2[0], torch.relu(torch.addmm(b1[0], x, w1[0].T)), w2[0].T)


def mlp_case(experts):
    """Make the case of so many experts."""
    return Case(
        f"Routed perceptron 64 → 64 → 64, top-1 of {experts:,} experts, {MLP_ROWS:,} rows, float32",
        mlp_parameters(experts),
        mlp_inputs(experts),
        {
            **both("grouped_mlp"),
            "PyTorch, sorted loop": in_torch(torch_loop),
            "PyTorch, index_add": in_torch(torch_index_add),
            "PyTorch, padded bmm": in_torch(torch_padded),
            "PyTorch, grouped_mm": in_torch(torch_grouped_mm),
            "PyTorch, dense product of as many operations": in_torch(torch_dense),
        },
        floors=("PyTorch, dense product of as many operations",),
        integers=False,
    )


# The tree: x (n, 64); features, thresholds and leaf values of a complete tree, breadth-first.


def tree_parameters(rng):
    inner = 2**DEPTH - 1
    return (
        rng.integers(0, WIDTH, size=inner),
        rng.random(inner, dtype=np.float32),
        rng.random(inner + 1, dtype=np.float32),
    )


def tree_ours(policy):
    def prepare(features, thresholds, values):
        from sparsebench import ops
        from sparsebench.ops import backends

        def run(x):
            with backends.use(policy):
                return ops.gather_constant(ops.axis_tree_route(x, features, thresholds), values)

        return run

    return prepare


def tree_sklearn(features, thresholds, values):
    """Put a complete tree into a DecisionTreeRegressor. Its predict has one thread."""
    from sklearn.tree import DecisionTreeRegressor
    from sklearn.tree._tree import Tree

    model = DecisionTreeRegressor().fit(np.eye(2, WIDTH, dtype=np.float32), [0.0, 1.0])
    inner, count = len(features), 2 * len(features) + 1
    nodes = np.zeros(count, dtype=model.tree_.__getstate__()["nodes"].dtype)
    number = np.arange(inner)
    nodes["left_child"][:inner], nodes["right_child"][:inner] = 2 * number + 1, 2 * number + 2
    nodes["feature"][:inner], nodes["threshold"][:inner] = features, thresholds
    for name, leaf in (("left_child", -1), ("right_child", -1), ("feature", -2), ("threshold", -2.0)):
        nodes[name][inner:] = leaf
    nodes["n_node_samples"] = nodes["weighted_n_node_samples"] = 1
    held = np.zeros((count, 1, 1))
    held[inner:, 0, 0] = values
    tree = Tree(WIDTH, np.array([1], dtype=np.intp), 1)
    tree.__setstate__({"max_depth": DEPTH, "node_count": count, "nodes": nodes, "values": held})
    model.tree_ = tree
    return model.predict


TREE = Case(
    f"Complete tree of depth {DEPTH}, one feature of 64 per node, {ROWS:,} rows, float32",
    tree_parameters,
    lambda rng: (rng.random((ROWS, WIDTH), dtype=np.float32),),
    {
        "sparsebench, Numba": tree_ours("auto"),
        "sparsebench, NumPy": tree_ours("numpy"),
        "scikit-learn, DecisionTreeRegressor.predict": tree_sklearn,
    },
    integers=False,
)


# The hash: x (n, 64), planes (16, 64).


def hash_numpy(planes):
    """Multiply, compare and pack, as one writes it in NumPy."""

    def run(x):
        packed = np.packbits(x @ planes.T > 0, axis=1)
        return packed[:, 0].astype(np.int64) << 8 | packed[:, 1]

    return run


def read_floor(_):
    """Read the inputs once, and do next to nothing with them."""
    from sparsebench.ops.cpu import pool

    def run(x):
        flat = x.reshape(-1)
        pool.run(lambda start, stop: flat[start:stop].max(), pool.chunks(len(flat), 1 << 20))
        return np.zeros(len(x), dtype=np.int64)

    return run


HASH = Case(
    f"Hyperplane hash, {PLANES} planes, {ROWS:,} rows of 64, float32",
    lambda rng: (_normal(rng, (PLANES, WIDTH)),),
    lambda rng: (_normal(rng, (ROWS, WIDTH)),),
    {
        **both("hyperplane_hash"),
        "NumPy, matmul and packbits": hash_numpy,
        "reading the rows once": read_floor,
    },
    floors=("reading the rows once",),
)


# The nearest prototype: x (n, 64), prototypes (1024, 64).


def nearest_sklearn(prototypes):
    from sklearn.metrics import pairwise_distances_argmin

    return lambda x: pairwise_distances_argmin(x, prototypes)


def nearest_faiss(prototypes):
    import faiss

    index = faiss.IndexFlatL2(prototypes.shape[1])
    index.add(prototypes)
    return lambda x: index.search(x, 1)[1][:, 0]


NEAREST = Case(
    f"Nearest of {PROTOTYPES:,} prototypes, {PROTOTYPE_ROWS:,} rows of 64, float32",
    lambda rng: (_normal(rng, (PROTOTYPES, WIDTH)),),
    lambda rng: (_normal(rng, (PROTOTYPE_ROWS, WIDTH)),),
    {
        **both("nearest_prototype"),
        "scikit-learn, pairwise_distances_argmin": nearest_sklearn,
        "Faiss, IndexFlatL2": nearest_faiss,
    },
)

CASES: dict[str, Case] = {
    **{f"mlp-{experts}": mlp_case(experts) for experts in MLP_EXPERTS},
    "tree": TREE,
    "hash": HASH,
    "nearest": NEAREST,
}
"""All of them, by a short name."""
