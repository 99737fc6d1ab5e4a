"""The comparison with peers: its formulations against a reference, and its tables. No times are judged."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from reports import gpu_clock, peers, peers_cases, peers_page
from sparsebench import ops

MLPS = ("ours", "torch_loop", "torch_index_add", "torch_padded", "torch_grouped_mm")
CEILINGS = {
    "copy, bytes/s": 3e12,
    "bfloat16 product, FLOP/s": 8e14,
    "tf32 product, FLOP/s": 3e14,
    "float32 product, FLOP/s": 5e13,
    "random 4-byte reads of 512 MB, 1/s": 4e10,
}
WORKS = {"error": 1e-7, "right": True, "note": ""}
GPU = {
    "device": "A GPU",
    "versions": {"torch": "2.11"},
    "quick": False,
    "ceilings": CEILINGS,
    "cases": {
        "routed-float32": {
            "title": "Rows",
            "floor": {"bytes": 3e9, "flops": 1e10, "kind": "float32", "gathers": 0.0, "told": "bytes"},
            "facts": {"rows": [1, 2]},
            "contestants": {
                "ours: all": {**WORKS, "calls": [2e-3, 2.1e-3, 2.2e-3], "graph": [1.4e-3, 1.5e-3, 1.6e-3]},
                "ours: hash alone": {**WORKS, "calls": [1e-4, 1e-4, 1e-4], "no graph": "refused"},
                "PyTorch: quick but wrong": {**WORKS, "right": False, "calls": [1e-4, 1e-4, 1e-4]},
                "PyTorch: chain; index given": {**WORKS, "calls": [3e-3, 3e-3, 3e-3]},
                "Triton: chain": {"failed": "ModuleNotFoundError: No module named 'triton'"},
            },
        },
        "tree": {"title": "tree", "ended": "took over 90 seconds"},
    },
}


def _needs(name):
    reason = f"{name} is not installed here: pip install it into an environment of its own"
    return pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=reason)


def _expected(x, index, w1, b1, w2, b2):
    x, w1, b1, w2, b2 = (part.astype(np.float64) for part in (x, w1, b1, w2, b2))
    hidden = np.maximum(np.einsum("nhd,nd->nh", w1[index], x) + b1[index], 0)
    return np.einsum("nhd,nd->nh", w2[index], hidden) + b2[index]


@pytest.mark.parametrize(
    "name", [name if name == "ours" else pytest.param(name, marks=_needs("torch")) for name in MLPS]
)
def test_a_formulation_of_routed_layers_computes_them(name):
    rng = np.random.default_rng(0)
    parameters = peers_cases.mlp_parameters(9)(rng)
    x, index = rng.standard_normal((501, 64), dtype=np.float32), rng.integers(0, 8, 501)
    if name == "ours":
        run = peers_cases.ours(ops.grouped_mlp.name, "numpy")(*parameters)
    else:
        run = peers_cases.in_torch(getattr(peers_cases, name))(*parameters)
    wanted = _expected(x, index, *parameters)
    assert np.linalg.norm(run(x, index) - wanted) < 1e-5 * np.linalg.norm(wanted)


@_needs("torch")
def test_the_chains_for_a_gpu_compute_routed_and_merged_layers():
    import torch

    from reports import gpu_arrays, gpu_chains

    generator = torch.Generator().manual_seed(0)
    shapes = ((8, 64, 64), (8, 64), (8, 32, 64), (8, 32))
    layers = [torch.randn(shape, generator=generator) / 8 for shape in shapes]
    x, index = torch.randn((300, 64), generator=generator), torch.arange(300) % 7
    wanted = torch.from_numpy(_expected(*(part.numpy() for part in (x, index, *layers))))
    most = int(index.bincount().max())
    for made in (
        gpu_chains.padded_chain(x, index, layers, most),
        gpu_chains.grouped_mm_chain(x, index, layers),
    ):
        assert gpu_arrays.relative_error(made, wanted) < 1e-6
    given, gates = x.reshape(10, 30, 64), torch.rand((10, 8), generator=generator)
    merged = gpu_arrays.merged_reference(given, gates, layers, torch.arange(10))
    assert gpu_arrays.relative_error(gpu_chains.merged_chain(given, gates, layers), merged) < 1e-6


@_needs("sklearn")
def test_the_tree_put_into_scikit_learn_is_ours(monkeypatch):
    monkeypatch.setattr(peers_cases, "DEPTH", 6)
    rng = np.random.default_rng(1)
    parameters, x = peers_cases.tree_parameters(rng), rng.random((400, 64), dtype=np.float32)
    ours = peers_cases.tree_ours("numpy")(*parameters)(x)
    np.testing.assert_array_equal(peers_cases.tree_sklearn(*parameters)(x).astype(np.float32), ours)


def test_the_hash_in_numpy_is_ours():
    rng = np.random.default_rng(2)
    planes, x = rng.integers(-4, 5, (16, 64)), rng.integers(-4, 5, (300, 64))  # exact
    planes, x = planes.astype(np.float32), x.astype(np.float32)
    ours = peers_cases.ours(ops.hyperplane_hash.name, "numpy")(planes)(x)
    np.testing.assert_array_equal(peers_cases.hash_numpy(planes)(x), ours)


def test_a_peer_that_is_not_installed_is_told():
    code = "import sys; sys.modules['faiss'] = None; sys.path[:0] = [{!r}]; "
    code += "from reports import peers_worker; peers_worker.main('nearest', 'Faiss, IndexFlatL2')"
    done = subprocess.run(
        [sys.executable, "-c", code.format(str(Path(peers.__file__).parents[1]))],
        input="0\n1\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert [json.loads(line) for line in done.stdout.splitlines()] == 2 * [
        {"missing": "not installed (faiss)"}
    ]


def _cpu():
    ours = {"quartiles": [1e-3, 2e-3, 3e-3], "floor": False, "ours": True, "equal": True, "off": 0.0}
    slow = {**ours, "quartiles": [4e-3, 5e-3, 6e-3], "ours": False}
    told = {
        "sparsebench, Numba": ours,
        "PyTorch, loop": slow,
        "PyTorch, other": {**slow, "equal": False, "off": 0.25},
        "PyTorch, dense": {**slow, "quartiles": [1e-4, 1e-4, 1e-4], "floor": True},
        "Faiss": {"missing": "not installed (faiss)"},
    }
    versions = {"ours": {"numpy": "2.4"}, "peers": {"torch": "2.13", "faiss-cpu": "not installed"}}
    cases = {"mlp": {"title": "Rows", "backends": told}}
    return {"machine": "A CPU", "threads": 2, "rounds": 7, "versions": versions, "cases": cases}


def test_the_page_of_a_processor():
    page = peers_page.cpu_section(_cpu())
    assert "| sparsebench, Numba | 2.00 (1.00 to 3.00) | 1.00 | agree |" in page
    assert "| PyTorch, other | 5.00 (4.00 to 6.00) | 2.50 | **differ by 2.5e-01** |" in page
    assert "| *PyTorch, dense* | 0.10 (0.10 to 0.10) | 0.05 | - |" in page
    assert "| Faiss | not installed (faiss) | - | - |" in page
    assert (
        "| `mlp` | at least 1 times as fast as the fastest peer | yes | 2.50 times as fast as PyTorch, loop |"
        in page
    )
    assert "A CPU, 2 threads" in page
    assert "faiss-cpu" not in page


def test_the_page_of_a_gpu():
    page = peers_page.gpu_section(GPU)
    assert "Machine: A GPU, torch 2.11." in page
    assert "Rows. Floor: 1.00 ms (bytes). rows: [1, 2]." in page
    assert "| ours: all | 1.0e-07 | 2.10 (2.00 to 2.20) | 1.50 (1.40 to 1.60) | 1.50 |" in page
    assert "1.0e-07 WRONG" in page
    assert "failed: ModuleNotFoundError: No module named 'triton'" in page
    assert "not measured: took over 90 seconds." in page
    verdicts = peers_page.gpu_verdicts(GPU)
    assert [(goal, met) for _, goal, met, _ in verdicts] == [
        ("at least 3 times as fast as the fastest peer", False),
        ("at most 1.5 times the floor", True),
    ]
    assert verdicts[0][-1] == "2.00 times as fast as PyTorch: chain"


def test_the_page_of_a_gpu_that_is_not_there():
    page = peers_page.gpu_section(None)
    assert page.count(peers_page.NOT_MEASURED) == 2 * 8


@pytest.mark.parametrize(
    ("floor", "seconds"),
    [
        ({"bytes": 3e9, "flops": 0, "kind": "float32", "gathers": 0}, 1e-3),
        ({"bytes": 0, "flops": 1e11, "kind": "float32", "gathers": 0}, 1e-3),  # three products in TF32
        ({"bytes": 0, "flops": 8e11, "kind": "bfloat16", "gathers": 0}, 1e-3),
        ({"bytes": 0, "flops": 0, "kind": "float32", "gathers": 4e8}, 1e-2),
    ],
)
def test_the_floor_is_the_longest_of_what_must_be_done(floor, seconds):
    assert peers_page.floor_of(floor, CEILINGS) == pytest.approx(seconds)


def test_figures():
    assert [peers_page.figure(seconds) for seconds in (1.5, 0.0123, 0.00123, 1.23e-4)] == [
        "1,500",
        "12.3",
        "1.23",
        "0.12",
    ]
    assert gpu_clock.quartiles([1, 2, 3, 4, 5]) == [2, 3, 4]


def test_answers_are_compared_by_their_kind():
    real, whole = peers_cases.CASES["tree"], peers_cases.CASES["hash"]
    assert peers.agree(real, [1.0, 2.0], [1.0, 2.000001]) == (True, pytest.approx(4.5e-7, rel=0.1))
    assert peers.agree(real, [1.0, 2.1], [1.0, 2.0])[0] is False
    assert peers.agree(whole, [1, 2], [1, 3]) == (False, 0.5)
    assert peers.agree(whole, [1], [1, 3]) == (False, float("inf"))
