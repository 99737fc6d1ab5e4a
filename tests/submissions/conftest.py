"""What shipped submissions include is imported by its name: in this process alone, and after all else."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from submissions.shipped import ROOT


class Common:
    """Finds modules of ``submissions/common``. It is not on the path: submissions find what they include."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        file = ROOT / "common" / f"{name}.py"
        return importlib.util.spec_from_file_location(name, file) if file.is_file() else None


sys.meta_path.append(Common)


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Give native libraries one thread, as a cell does: several workers would wait for one another's."""
    import sklearn.ensemble  # noqa: F401 - its library is limited only once it is there
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield
