"""What the scripts install: all that pyproject.toml asks for, in a version that it allows, with hashes."""

import re
import tomllib

import pytest

from evaluate.tiny import ROOT

requirements = pytest.importorskip("packaging.requirements", reason="pip install packaging")
markers = pytest.importorskip("packaging.markers", reason="pip install packaging")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ROOT / "scripts" / "locks"
EXTRAS = {"package": (), "test": ("test",), "dev": ("test", "dev"), "croissant": ("test", "croissant")}
PYTHONS = ("3.11", "3.12", "3.13")
SYSTEMS = ("linux", "darwin", "win32")

pytestmark = pytest.mark.skipif(not LOCKS.exists(), reason="a source distribution has no scripts")


def asked(name):
    if name == "build":
        return PROJECT["build-system"]["requires"]
    extras = PROJECT["project"]["optional-dependencies"]
    return PROJECT["project"]["dependencies"] + [line for extra in EXTRAS[name] for line in extras[extra]]


def locked(name, python, system):
    """The versions that a lock gives on a system, by name."""
    environment = {
        **markers.default_environment(),
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": system,
    }
    text = (LOCKS / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", "")
    found = [requirements.Requirement(line.split(" --hash=")[0]) for line in text.splitlines()]
    return {
        each.name: str(each.specifier).removeprefix("==")
        for each in found
        if each.marker is None or each.marker.evaluate(environment)
    }, environment


@pytest.mark.parametrize("name", [*EXTRAS, "build"])
def test_what_is_asked_for_is_locked(name):
    for python in PYTHONS:
        for system in SYSTEMS:
            versions, environment = locked(name, python, system)
            for line in asked(name):
                wanted = requirements.Requirement(line)
                if wanted.marker is None or wanted.marker.evaluate(environment):
                    key = re.sub(r"[-_.]+", "-", wanted.name).lower()
                    assert key in versions, f"{name}.txt lacks {wanted.name}: run ./scripts/lock --keep"
                    assert wanted.specifier.contains(versions[key], prereleases=True), f"{name}.txt: {line}"


@pytest.mark.parametrize("name", ["package", "test", "build"])
def test_one_environment_has_one_version_of_each(name):
    for python in PYTHONS:
        some, _ = locked(name, python, "linux")
        every, _ = locked("dev", python, "linux")
        assert {key: every[key] for key in some} == some


@pytest.mark.parametrize("name", [*EXTRAS, "build"])
def test_nothing_but_versions_and_hashes(name):
    text = (LOCKS / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", "")
    for line in text.splitlines():
        assert re.fullmatch(r"[a-z0-9-]+==[\w.+]+( ; [^:/]+?)?\s+(--hash=sha256:[0-9a-f]{64}\s*)+", line), (
            line
        )
