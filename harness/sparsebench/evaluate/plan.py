"""The cells to run, and the plan that lists them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from sparsebench.errors import NotFoundError, UsageError
from sparsebench.ground.meant import did_you_mean
from sparsebench.meter import COST_MODEL
from sparsebench.results.adhoc import ad_hoc_name
from sparsebench.results.key import Identity
from sparsebench.scoring import SCORING_VERSION
from sparsebench.tasks import load_task, newest_tasks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from sparsebench.models import SubmissionFolder
    from sparsebench.models.manifest import Variant
    from sparsebench.tasks import Task

__all__ = ["Cell", "Limits", "Selection", "first_small", "make_plan", "serves"]


@dataclass(frozen=True)
class Limits:
    """The limits of one cell."""

    seconds: float = 600.0
    """Wall-clock seconds for fitting, again for predicting, again for fresh inputs and timing; and, where
    costs differ among inputs, again for fresh inputs one by one."""
    memory: int = 4 << 30
    """Bytes that the submission's process may take beyond a bare one, and that the meter may hold for it."""
    traces: Path | None = None
    """Directory of the result store in which traces are written; None for no traces."""
    gpu: bool = True
    """Whether predictions are timed on a GPU as well, where there is one."""
    require_sandbox: str = "none"
    """The weakest level of walls to run at: ``none``, ``restricted`` or ``isolated``."""
    models: Path | None = None
    """Directory of the result store in which models are kept that several variants take; if None, each
    variant is fitted by itself."""
    unsafe: bool = False
    """Whether to run strangers' code without a sandbox. Its row says so."""


@dataclass(frozen=True, kw_only=True)
class Cell(Identity):
    """One variant on one instance with one seed: the unit of work, resumption and failure.

    In addition to its identity it has everything that is needed to run it.
    """

    scoring_version: int = SCORING_VERSION
    cost_model: int = COST_MODEL
    task_folder: Path
    """Folder of the task's version."""
    path: Path
    """Folder of the submission."""
    entry: str
    """``module:name`` of its code."""
    settings: dict[str, Any]
    """Keywords for its constructor."""
    uses_tags: bool
    """Whether it gets the domain of every input that it predicts."""
    gpu: str = "optional"
    """Whether it can use a GPU when it is timed: ``none``, ``optional`` or ``required``."""
    include: tuple[Path, ...] = ()
    """Files that the submission includes: modules beside its entry when it runs."""
    allow_nan: bool = False
    """Whether NaN in a model means something."""
    fit_variant: str | None = None
    """The variant whose fitted model it takes; None where it is its own."""
    fit_settings: dict[str, Any] = field(default_factory=dict)
    """Keywords for the constructor of the fitted variant, if that is another one."""
    shared: bool = False
    """Whether several variants take the model that it is fitted to."""

    @property
    def fitting(self) -> Cell:
        """The cell that is fitted for this one: that of the variant whose model it takes, or itself."""
        if self.fit_variant is None:
            return self
        return replace(
            self, variant=self.fit_variant, settings=self.fit_settings, fit_variant=None, fit_settings={}
        )

    def entropy(self, purpose: str) -> list[int]:
        """Return entropy for a seed sequence: of (task, instance, variant, seed) and a purpose."""
        text = "\0".join((self.task, self.instance, self.variant, str(self.seed), purpose))
        digest = hashlib.sha256(text.encode()).digest()
        return [int.from_bytes(digest[i : i + 4], "little") for i in range(0, len(digest), 4)]


@dataclass(frozen=True)
class Selection:
    """The cells to run. Empty means all; for instances, all that the board is scored on."""

    tasks: tuple[str, ...] = ()
    """Task references."""
    instances: tuple[str, ...] = ()
    """Names of instances."""
    variants: tuple[str, ...] = ()
    """Names of variants."""
    seeds: tuple[int, ...] = (0,)
    """Seeds."""
    small: bool = False
    """Only the instances that are meant for a quick try, also those that the board is not scored on."""
    all_instances: bool = False
    """Also the instances that the board is not scored on, except those that are too large to be loaded."""
    settings: tuple[tuple[str, bool | float | str], ...] = ()
    """Settings to try, which replace or supplement those of the variants."""


def first_small(task: Task) -> str:
    """Return the first small instance of a task, with the board's before others; or else its first one."""

    def key(name: str) -> tuple[bool, bool, bool]:
        spec = task.instances[name]
        return spec.streamed, not spec.small, not spec.board

    return min(task.instances, key=key)


def make_plan(folders: Sequence[SubmissionFolder], selection: Selection) -> list[Cell]:
    """List the cells of some submissions, in a fixed order.

    Raises
    ------
    NotFoundError
        If a task, an instance or a variant does not exist.
    UsageError
        If two different submissions have one name, one requires domains that a task does not have, nothing is
        selected, or settings are to be tried without a choice of variants.
    """
    _refuse_homonyms(folders)
    _check_tried(folders, selection)
    declared = {ref for folder in folders for ref in folder.manifest.tasks}
    tasks = _tasks(sorted(declared), selection.tasks)
    _check_names("instance", selection.instances, [name for task in tasks for name in task.instances])
    variants = _variants(folders, selection.variants)
    tried = dict(selection.settings)
    places = {task.ref: _places(task, _instances(task, selection)) for task in tasks}
    cells = [
        _tried(_cell(folder, variant, place, seed), tried)
        for folder in folders
        for task in tasks
        if serves(folder, task)
        for place in places[task.ref]
        for variant in variants[folder.manifest.name]
        for seed in selection.seeds
    ]
    if not cells:
        names = ", ".join(folder.manifest.name for folder in folders) or "no submission"
        answered = ", ".join(sorted(declared)) or "nothing"
        mend = "widen --tasks, --instances or --variants"
        if selection.small and selection.instances:
            mend = f"take --small out: none of {', '.join(selection.instances)} is small"
        raise UsageError(f"nothing to run: {names} answers {answered}", help=mend)
    return cells


def serves(folder: SubmissionFolder, task: Task) -> bool:
    """Return whether a submission answers a task: it names this version, or one that this one continues."""
    return not set(task.versions).isdisjoint(folder.manifest.tasks)


def _tasks(declared: Sequence[str], chosen: Sequence[str]) -> list[Task]:
    """Return the chosen tasks that are answered; without a choice the newest versions of those declared."""
    if not chosen:
        return newest_tasks(declared)
    given = {task.ref: task for task in map(load_task, chosen)}
    return [given[ref] for ref in sorted(given) if not set(given[ref].versions).isdisjoint(declared)]


def _instances(task: Task, selection: Selection) -> list[str]:
    if selection.instances:
        names = [name for name in task.instances if name in selection.instances]
    elif selection.all_instances or selection.small:
        names = [name for name, spec in task.instances.items() if not spec.streamed]
    else:
        names = list(task.board)
    return [name for name in names if task.instances[name].small or not selection.small]


def _variants(folders: Sequence[SubmissionFolder], names: tuple[str, ...]) -> dict[str, list[Variant]]:
    known = [variant.name for folder in folders for variant in folder.manifest.variants]
    _check_names("variant", names, known)
    return {
        folder.manifest.name: [
            variant for variant in folder.manifest.variants if not names or variant.name in names
        ]
        for folder in folders
    }


class _Place(NamedTuple):
    """An instance, and what the identity of its cells has of it: hashes are made once, not for each cell."""

    task: str
    folder: Path
    task_hash: str
    instance: str
    instance_hash: str
    has_domains: bool


def _places(task: Task, instances: Sequence[str]) -> list[_Place]:
    homes = {version.ref: version for version in (task, *task.homes.values())}
    hashes = {ref: version.hash for ref, version in homes.items()}
    return [
        _Place(
            task=task.home(name).ref,
            folder=task.home(name).folder,
            task_hash=hashes[task.home(name).ref],
            instance=name,
            instance_hash=task.instances[name].hash,
            has_domains=bool(task.instances[name].domains),
        )
        for name in instances
    ]


def _cell(folder: SubmissionFolder, variant: Variant, place: _Place, seed: int) -> Cell:
    if folder.manifest.uses_tags and not place.has_domains:
        message = f"{folder.manifest.name} uses tags, but {place.task}/{place.instance} has none"
        raise UsageError(message, help="take the task out of its submission.toml, or uses_tags = true")
    named = {other.name: other for other in folder.manifest.variants}
    taken = {other.fit for other in folder.manifest.variants}
    return Cell(
        task=place.task,
        task_folder=place.folder,
        task_hash=place.task_hash,
        instance=place.instance,
        instance_hash=place.instance_hash,
        submission=folder.manifest.name,
        path=folder.path,
        submission_hash=folder.hash,
        entry=folder.manifest.entry,
        variant=variant.name,
        settings=variant.settings,
        uses_tags=folder.manifest.uses_tags,
        seed=seed,
        gpu=folder.manifest.gpu,
        include=folder.include,
        allow_nan=folder.manifest.allow_nan,
        fit_variant=variant.fit,
        fit_settings={} if variant.fit is None else named[variant.fit].settings,
        shared=variant.fit is not None or variant.name in taken,
    )


def _tried(cell: Cell, settings: Mapping[str, bool | float | str]) -> Cell:
    """Return a cell with settings to try. Its name is one that no manifest's variant can have.

    If it takes another variant's fit, that stays as it is; no cell takes the fit of this one.
    """
    if not settings:
        return cell
    return replace(
        cell,
        variant=ad_hoc_name(cell.variant, settings),
        settings={**cell.settings, **settings},
        shared=cell.fit_variant is not None,
    )


def _check_tried(folders: Sequence[SubmissionFolder], selection: Selection) -> None:
    """Check that settings to try are for chosen variants of one submission."""
    if not selection.settings:
        return
    if len(folders) != 1:
        names = ", ".join(folder.manifest.name for folder in folders)
        message = f"expected one submission with settings to try, got {names or 'none'}"
        raise UsageError(message, help="evaluate each by itself")
    (folder,) = folders
    several = [variant.name for variant in folder.manifest.variants]
    if len(several) > 1 and not selection.variants:
        message = (
            f"expected --variants with settings to try, got none: {folder.manifest.name} has {len(several)}"
        )
        raise UsageError(message, help=f"name the variant to start from: {', '.join(several)}")


def _refuse_homonyms(folders: Sequence[SubmissionFolder]) -> None:
    seen: dict[str, Path] = {}
    for folder in folders:
        other = seen.setdefault(folder.manifest.name, folder.path)
        if other != folder.path:
            message = f"two submissions are called {folder.manifest.name!r}: {other} and {folder.path}"
            raise UsageError(message, help="rename one of them in its submission.toml")


def _check_names(kind: str, names: Iterable[str], known: list[str]) -> None:
    for name in names:
        if name not in known:
            there = f"there are: {', '.join(dict.fromkeys(known)) or 'none'}"
            mend = f"{did_you_mean(name, known)} {there}".lstrip()
            raise NotFoundError(f"there is no {kind} called {name!r}", help=mend)
