"""Every kernel that host code may ask for compiles to code for real architectures, without a GPU."""

from __future__ import annotations

import re
import stat

import pytest

from sparsebench.ops.gpu import compiler, nvrtc
from sparsebench.ops.gpu.instances import INSTANCES
from sparsebench.tasks.cache import CACHE_VARIABLE

ARCHS = ("sm_80", "sm_90")
MOST_SPILLED = 256  # bytes of code that writes to local memory: more would be felt

SCALAR = [
    (path.name, tuple(f"{name}<float>" for name in names))
    for path in sorted(compiler.KERNELS.glob("*.cu"))
    if (names := re.findall(r"__global__ void (scalar_\w+)\(", path.read_text(encoding="utf-8")))
]
"""The kernels that count what they do."""

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
@pytest.mark.parametrize("instance", SCALAR, ids=lambda pair: pair[0])
def test_scalar_kernels_compile(instance, options):
    (report,) = compiler.compile_all(("sm_90",), [instance], (*compiler.OPTIONS, *options))
    assert report.size, report.log


def test_some_kernels_count():
    assert len(SCALAR) > 1


def test_every_source_has_instances():
    sources = {path.name for path in compiler.KERNELS.glob("*.cu") if not path.name.startswith("scalar_")}
    assert {file for file, _ in INSTANCES} == sources


FILE, (NAME, *_) = next(instance for instance in INSTANCES if len(instance[1]) > 1)
ONE = (FILE, (NAME,), "sm_90")


def test_code_is_kept_and_found_again(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    first = compiler.compiled(*ONE)
    assert first.path.is_relative_to(tmp_path)
    assert first.path.read_bytes()[:4] == b"\x7fELF"
    assert set(first.lowered) == {NAME}
    with monkeypatch.context() as without:
        without.setattr(nvrtc, "translate", None)
        assert compiler.compiled(*ONE) == first
    first.path.write_bytes(b"half of")
    assert compiler.compiled(*ONE) == first
    assert first.path.read_bytes()[:4] == b"\x7fELF"
    other = compiler.compiled(*ONE, options=(*compiler.OPTIONS, "-DOTHER"))
    assert other.path != first.path
    assert {path.suffix for path in tmp_path.rglob("*.*") if path.is_file()} <= {".cubin", ".json", ".lock"}


def test_a_cache_that_cannot_be_written_to_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    found = compiler.compiled(*ONE)
    assert found.path.is_file()
    assert not found.path.is_relative_to(tmp_path)


def test_a_kernel_that_is_not_there_is_an_error():
    with pytest.raises(compiler.CompileError, match=re.escape(FILE)):
        compiler.compiled(FILE, ("no_such_kernel<float>",), "sm_90")
    (report,) = compiler.compile_all(("sm_90",), [(FILE, ("no_such_kernel<float>",))])
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
    (report,) = compiler.compile_all(("sm_90",), [ONE[:2]])
    assert not report.size
    assert "code -11" in report.log
