"""Running studies: step by step, taken up where a run was stopped, and written when all is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import sparsebench
from sparsebench.ground.places import cache_root
from sparsebench.ground.replacing import replace_all
from sparsebench.models.discovery import shipped_root
from sparsebench.studies import STUDIES, find_study
from sparsebench.studies.pages import files_of, index_of
from sparsebench.studies.steps import Steps, source_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sparsebench.studies.records import Outcome, Study

__all__ = ["Run", "write_studies"]


class Run(NamedTuple):
    """How studies are run."""

    quick: bool = False
    """With small sizes."""
    fresh: bool = False
    """Whether nothing is taken over from earlier runs."""
    store: Path | None = None
    """The rows of studies that read some."""

    def measure(self, name: str, told: Callable[[str], None] = lambda _: None) -> tuple[Study, Outcome]:
        """Run a study.

        Parameters
        ----------
        name
            One of `sparsebench.studies.STUDIES`.
        told
            Called with the name of every step that is computed now.

        Raises
        ------
        NotFoundError
            There is no such study.
        """
        study = find_study(name)
        folder = None if self.fresh else cache_root() / "studies" / study.name
        steps = Steps(folder, _code(), quick=self.quick, told=told, store=self.store)
        return study, study.measure(steps)


def _code() -> str:
    """Return a digest of all that steps may run: this package, and the submissions that come with it."""
    package, submissions = Path(sparsebench.__file__).parent, shipped_root()
    manifests = submissions.rglob("*.toml")
    return source_digest(*sorted({*package.rglob("*.py"), *submissions.rglob("*.py"), *manifests}))


def write_studies(into: Path, found: Mapping[Study, Outcome], *, quick: bool) -> list[Path]:
    """Write the pages of studies, all or none, and, if all are there but for rows, the one that lists them.

    Parameters
    ----------
    into
        Folder; each study has one of its name in it.
    found
        What came out of each.
    quick
        Whether sizes were small.

    Returns
    -------
    list of pathlib.Path
        The files, a study's page first.
    """
    files = {
        into / study.name / name: text
        for study, outcome in found.items()
        for name, text in files_of(study, outcome, quick=quick).items()
    }
    spared = {name for name in STUDIES if find_study(name).needs_rows}
    if {study.name for study in found} | spared == set(STUDIES):
        files[into / "README.md"] = index_of(found, quick=quick)
    replace_all({path: text.encode() for path, text in files.items()})
    return sorted(files, key=lambda path: (path.name != "README.md", path))
