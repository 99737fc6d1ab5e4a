"""Every kernel that host code may ask for compiles to code for real architectures, without a GPU."""

from __future__ import annotations

import stat

import pytest

from sparsebench.ops.gpu import compiler, nvrtc
from sparsebench.ops.gpu.instances import INSTANCES
from sparsebench.tasks.cache import CACHE_VARIABLE

ARCHS = ("sm_80", "sm_90")
MOST_SPILLED = 256  # bytes of code that writes to local memory: more would be felt

SCALAR = [
    (
        "scalar_routing.cu",
        tuple(
            f"scalar_{name}<float>"
            for name in (
                "hyperplane_hash",
                "pstable_hash",
                "nearest_prototype",
                "nearest_in_tree",
                "tree_route",
                "axis_tree_route",
                "oblique_tree_route",
                "searchsorted_route",
                "top_k_gate",
            )
        ),
    )
]

pytestmark = pytest.mark.skipif(
    nvrtc.find_library() is None, reason="NVRTC is not installed: pip install 'sparsebench[test]'"
)


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("instance", INSTANCES, ids=lambda pair: pair[0])
def test_every_kernel_compiles(instance, arch):
    (report,) = compiler.compile_all((arch,), [instance])
    assert report.size, report.log
    assert report.spills <= MOST_SPILLED, report.log


@pytest.mark.parametrize("options", [(), ("-DCOUNTED",)], ids=["plain", "counted"])
def test_scalar_kernels_compile(options):
    (report,) = compiler.compile_all(("sm_90",), SCALAR, (*compiler.OPTIONS, *options))
    assert report.size, report.log


def test_every_source_has_instances():
    sources = {path.name for path in compiler.KERNELS.glob("*.cu") if not path.name.startswith("scalar_")}
    assert {file for file, _ in INSTANCES} == sources


TREE = ("tree.cu", ("tree_route<float>",), "sm_90")


def test_code_is_kept_and_found_again(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    first = compiler.compiled(*TREE)
    assert first.path.is_relative_to(tmp_path)
    assert first.path.read_bytes()[:4] == b"\x7fELF"
    assert set(first.lowered) == {"tree_route<float>"}
    with monkeypatch.context() as without:
        without.setattr(nvrtc, "translate", None)
        assert compiler.compiled(*TREE) == first
    first.path.write_bytes(b"half of")
    assert compiler.compiled(*TREE) == first
    assert first.path.read_bytes()[:4] == b"\x7fELF"
    other = compiler.compiled(*TREE, options=(*compiler.OPTIONS, "-DOTHER"))
    assert other.path != first.path
    assert {path.suffix for path in tmp_path.rglob("*.*") if path.is_file()} <= {".cubin", ".json", ".lock"}


def test_a_cache_that_cannot_be_written_to_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    found = compiler.compiled(*TREE)
    assert found.path.is_file()
    assert not found.path.is_relative_to(tmp_path)


def test_a_kernel_that_is_not_there_is_an_error():
    with pytest.raises(compiler.CompileError, match=r"tree\.cu"):
        compiler.compiled("tree.cu", ("no_such_kernel<float>",), "sm_90")
    (report,) = compiler.compile_all(("sm_90",), [("tree.cu", ("no_such_kernel<float>",))])
    assert not report.size
    assert "no_such_kernel" in report.log


def test_no_compiler_is_an_error_that_says_what_to_install(monkeypatch):
    monkeypatch.setattr(nvrtc, "find_library", lambda: None)
    nvrtc._library.cache_clear()
    try:
        with pytest.raises(compiler.CompileError, match="not installed") as caught:
            nvrtc.version()
        assert "pip install" in caught.value.help
    finally:
        nvrtc._library.cache_clear()


def test_a_compiler_that_dies_is_a_report(tmp_path, monkeypatch):
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\ncat > /dev/null\nkill -SEGV $$\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(compiler.sys, "executable", str(fake))
    (report,) = compiler.compile_all(("sm_90",), [TREE[:2]])
    assert not report.size
    assert "code -11" in report.log
