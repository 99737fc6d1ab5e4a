"""``sparsebench doctor``: what is found, and that nothing needs to be there."""

import json

import pytest

from sparsebench.ops import PRIMITIVES, backends


def test_it_tells_what_there_is(cli):
    outcome = cli("doctor")
    assert outcome.code == 0
    begins = [line.split()[0] for line in outcome.out.splitlines() if line.strip()]
    for fact in ("python", "packages", "processor", "vectors", "threads", "numba", "nvrtc", "gpu", "g++"):
        assert fact in begins
    assert set(PRIMITIVES) <= set(begins)


def test_json(cli, monkeypatch):
    monkeypatch.setenv("SPARSEBENCH_NUM_THREADS", "3")
    found = json.loads(cli("doctor", "--json").out)
    assert found["threads"] == 3
    assert "numpy" in found["packages"]
    assert found["vectors"]
    assert sorted(found["faces"]) == sorted(PRIMITIVES)
    assert all(told["numpy"][-1] == "steady" for told in found["faces"].values())
    for name, made in PRIMITIVES.items():
        assert found["faces"][name]["gpu"] == ("cuda" if "cuda" in made.backends else "reference")


def test_the_policy_of_the_moment_decides(cli):
    with backends.use("steady"):
        found = json.loads(cli("doctor", "--json").out)
    assert found["policy"] == "steady"
    assert {tuple(told["numpy"]) for told in found["faces"].values()} == {("steady",)}


@pytest.fixture
def bare(monkeypatch):
    """No extra is installed."""
    monkeypatch.setattr("sparsebench.ops.backends.has_numba", lambda: False)
    monkeypatch.setattr("sparsebench.ops.gpu.nvrtc.find_library", lambda: None)
    monkeypatch.setattr("sparsebench.timing.gpu_missing", lambda: "CuPy is not installed")
    monkeypatch.setattr("shutil.which", lambda name: None)


def test_it_works_without_any_extra(cli, bare):
    found = json.loads(cli("doctor", "--json").out)
    assert "pip install 'sparsebench[fast]'" in found["numba"]
    assert "not found" in found["nvrtc"]
    assert found["gpu"] == "none: CuPy is not installed"
    assert "not found" in found["g++"]
    for name, made in PRIMITIVES.items():
        assert (
            found["faces"][name]["numpy"] == ["numpy", "steady"] if "numpy" in made.backends else ["steady"]
        )
    assert cli("doctor").code == 0
