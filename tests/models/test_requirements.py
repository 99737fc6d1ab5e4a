"""What a submission requires is looked for before anything runs."""

from __future__ import annotations

import importlib.metadata

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from evaluate.tiny import plain, write
from sparsebench.errors import ManifestError, UsageError
from sparsebench.evaluate.host.entry import check_entry
from sparsebench.models import find_submission
from sparsebench.models.requirements import check_requirements, check_spelling

VERSIONS = [
    *(
        "1.0",
        "1",
        "1.0.0",
        "1.0a1",
        "1.0b2",
        "1.0rc1",
        "1.0.dev3",
        "1.0.post1",
        "1.0.post1.dev2",
        "1.0a1.dev1",
    ),
    *("1.1", "1.10", "1.2.3", "2", "2.0rc1", "2.1.post0", "1!0.5", "1.0+local.1", "v1.0-1", "1.0-beta.3"),
]
WANTED = [
    *("1.0", "1", "1.0rc1", "1.0.post1", "1.2.3", "1.10", "2", "2.1.post0", "1!0.5", "1.0.dev3", "1.0a1"),
]


@pytest.mark.parametrize("how", ["==", "!=", "<", "<=", ">", ">="])
@pytest.mark.parametrize("wanted", WANTED)
def test_versions_are_ordered_as_pip_orders_them(monkeypatch, how, wanted):
    for installed in VERSIONS:
        assert met(monkeypatch, installed, f"{how}{wanted}") == judged(installed, f"{how}{wanted}"), installed


@pytest.mark.parametrize(
    "wanted",
    ["==1.*", "!=1.*", "==1.0.*", "~=1.0", "~=1.2.3", "~=1.0.1", "===1.0", ">=1,<2", ">=1, !=1.1", ""],
)
def test_families_and_lists_of_versions(monkeypatch, wanted):
    for installed in VERSIONS:
        assert met(monkeypatch, installed, wanted) == judged(installed, wanted), installed


def met(monkeypatch, installed, wanted):
    monkeypatch.setattr(importlib.metadata, "version", lambda _: installed)
    try:
        check_requirements([f"some-package{wanted}"])
    except UsageError:
        return False
    return True


def judged(installed, wanted):
    return SpecifierSet(wanted).contains(installed, prereleases=True)


SPELT = [
    *("numpy", "numpy>=2", "scikit_learn [extra, more] >= 1.5, < 2", "Numpy (>=2)", "a.b-c~=1.0"),
    *("torch @ https://example.org/torch.whl", "numpy>=2; python_version < '3.9'", "x===anything-1"),
]


@pytest.mark.parametrize("requirement", SPELT)
def test_a_requirement_is_spelt_as_of_pip(requirement):
    Requirement(requirement)
    assert check_spelling(requirement) == requirement


@pytest.mark.parametrize(
    "requirement", ["", "numpy>=", "numpy=2", "-r file", "num py", "numpy>=two", "numpy 2"]
)
def test_what_is_no_requirement_is_a_fault_of_the_manifest(tmp_path, requirement):
    folder = write(tmp_path / "mine", plain(), more=f'requires = ["{requirement}"]')
    with pytest.raises(ManifestError) as caught:
        find_submission(str(folder))
    assert caught.value.what == (
        f"{folder / 'submission.toml'}: requires.0: expected a requirement as of pip, such as "
        f"'scikit-learn>=1.5,<2', got {requirement!r}"
    )


def test_all_that_lacks_is_told_with_the_command_that_installs_it(tmp_path):
    more = 'requires = ["numpy>=2", "no-such-package-here[fast]>=1.5", "NumPy>=999"]'
    folder = find_submission(str(write(tmp_path / "mine", plain(top="raise RuntimeError"), more=more)))
    with pytest.raises(UsageError) as caught:
        check_entry(folder)
    assert caught.value.what == (
        "requires in submission.toml: expected no-such-package-here[fast]>=1.5, got nothing installed, "
        f"expected NumPy>=999, got {np.__version__}"
    )
    assert caught.value.help == "pip install 'no-such-package-here[fast]>=1.5' 'NumPy>=999'"


@pytest.mark.parametrize("requirement", ["nothing-here; python_version < '3'", "numpy @ file:///x", "numpy"])
def test_what_cannot_be_decided_here_is_let_pass(requirement):
    check_requirements([requirement])
