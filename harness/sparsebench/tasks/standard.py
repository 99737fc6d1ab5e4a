"""The folder of the standard tasks, and the declarations in the manifests of tasks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sparsebench.errors import ManifestError

if TYPE_CHECKING:
    from sparsebench.tasks.records import TaskSpec

__all__ = ["MANIFEST", "read_spec", "standard_specs", "tasks_root"]

MANIFEST = "task.toml"
"""Name of the file that declares a task, in its version's folder."""


def tasks_root() -> Path:
    """Return the folder of the standard tasks: in the installed package, or else next to its sources."""
    package = Path(__file__).resolve().parents[1]
    packed = package / "_data" / "tasks"
    return packed if packed.is_dir() else package.parents[1] / "tasks"


def standard_specs() -> list[TaskSpec]:
    """Return the declarations of all versions of all standard tasks, sorted by name and version.

    Raises
    ------
    ManifestError
        If a ``task.toml`` does not validate.
    """
    specs = [_standard(manifest) for manifest in tasks_root().glob(f"*/v*/{MANIFEST}")]
    return sorted(specs, key=lambda spec: (spec.name, spec.version))


def read_spec(path: Path, *, draft: bool = False) -> TaskSpec:
    """Read the declaration of a task.

    Parameters
    ----------
    path
        The version folder, or the ``task.toml`` in it.
    draft
        Allow files without hashes, because they are not made yet.

    Raises
    ------
    NotFoundError
        If there is no such file.
    ManifestError
        If it does not validate.
    """
    from sparsebench.tasks.manifest import read_manifest  # noqa: PLC0415 - pydantic only where it is needed

    return read_manifest(path if path.name == MANIFEST else path / MANIFEST, draft=draft)


def _standard(manifest: Path) -> TaskSpec:
    """Read a standard task, whose folder must have the name and version that its file declares."""
    spec = read_spec(manifest)
    folder = f"{spec.name}/v{spec.version}"
    got = "/".join(manifest.parts[-3:-1])
    if folder != got:
        raise ManifestError(
            f"{manifest}: expected to lie in {folder} as its name and version say, got {got}",
            help="rename the folder, or mend task.name and task.version",
        )
    return spec
