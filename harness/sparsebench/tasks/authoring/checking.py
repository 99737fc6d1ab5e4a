"""Checks that a task is sound enough for scores: what people get wrong when they make one of their own.

Each check gives a line with a name; one that fails names the mend. `nearness` finds similar inputs,
`label_checks` looks at labels and domains, `fact_checks` at the box, the declared facts and the size,
`fresh_checks` at new inputs.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sparsebench.errors import SparsebenchError
from sparsebench.tasks.authoring.fact_checks import box_fault, check_facts, check_size
from sparsebench.tasks.authoring.fresh_checks import check_fresh
from sparsebench.tasks.authoring.label_checks import check_domains, check_labels
from sparsebench.tasks.authoring.nearness import TOLERANCE, contradictions, near_rows
from sparsebench.tasks.cache import cached_path, locate
from sparsebench.tasks.loading import check_file, check_ids, load_instance
from sparsebench.tasks.parquet import read_columns
from sparsebench.tasks.records import SPLITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sparsebench.tasks.records import Instance, InstanceSpec, Split, TaskSpec

    Progress = Callable[[str], None] | None

__all__ = ["TaskCheck", "check_task", "chosen_instances", "is_made"]

_NEAR = np.format_float_scientific(TOLERANCE, trim="-", exp_digits=1)
_PAIRS = (("test", "train"), ("test", "valid"), ("valid", "train"))


class TaskCheck(NamedTuple):
    """The result of one check of one instance."""

    instance: str
    """The instance."""
    name: str
    """What was checked, one word."""
    ok: bool
    """Whether nothing is wrong."""
    detail: str
    """One line: the finding, or what is wrong and the mend, or why it was not checked."""


def check_task(
    task: TaskSpec, *, instances: Sequence[str] = (), progress: Callable[[str], None] | None = None
) -> Iterator[TaskCheck]:
    """Check a task's instances: files, ids, leaks, contradictions, labels, domains, facts, fresh, box, size.

    `sparsebench.tasks.authoring.verification.rederive` checks whether the generator still makes the same
    data.

    Parameters
    ----------
    task
        The task. For instances with `fresh` its generator is run, with the rights of the caller.
    instances
        Only these, made first if need be. All if empty; instances that are made on first use, and are not
        made yet, are then reported as such, which is no fault.
    progress
        Called with a line on the progress.

    Yields
    ------
    TaskCheck
        One for each check of each instance. Of streamed instances only files and ids can be checked.

    Raises
    ------
    NotFoundError
        If no instance has one of the names.
    """
    for spec in chosen_instances(task, instances):
        if progress is not None:
            progress(f"checking {task.ref}/{spec.name}")
        yield from _instance(task, spec, make=bool(instances), progress=progress)
        yield TaskCheck(spec.name, "box", *box_fault(task, spec))
        yield TaskCheck(spec.name, "size", *check_size(task, spec))


def chosen_instances(task: TaskSpec, names: Sequence[str]) -> list[InstanceSpec]:
    """Return the instances of some names, or all if there are no names.

    Raises
    ------
    NotFoundError
        If no instance has one of the names.
    """
    return [task.own_spec(name) for name in dict.fromkeys(names or task.own)]


def is_made(task: TaskSpec, spec: InstanceSpec) -> bool:
    """Return whether an instance can be read without making it first; its files may still be missing."""
    return not spec.generated or all(
        (task.folder / file).is_file() or cached_path(task, spec, file).is_file() for file in spec.files
    )


def _instance(task: TaskSpec, spec: InstanceSpec, *, make: bool, progress: Progress) -> Iterator[TaskCheck]:
    if not make and not is_made(task, spec):
        mend = "not made yet, and so not checked; name the instance to have it made and checked"
        yield TaskCheck(spec.name, "files", True, mend)
        yield TaskCheck(spec.name, "facts", *check_facts(spec, None))
        return
    try:
        instance = None if spec.streamed else load_instance(task, spec.name, progress=progress)
        rows = _read_in_batches(task, spec, progress) if instance is None else 0
    except SparsebenchError as error:
        name = "ids" if not spec.streamed and _has_repeated_ids(task, spec) else "files"
        yield TaskCheck(spec.name, name, False, f"{error.what}; {error.help}")
        return
    if instance is None:
        told = "ids ascend, types and hashes as task.toml says; too large for the other checks"
        yield TaskCheck(spec.name, "files", True, f"{rows} rows, read in batches: {told}")
        yield TaskCheck(spec.name, "facts", *check_facts(spec, None))
    else:
        yield from _data(task, spec, instance)


def _read_in_batches(task: TaskSpec, spec: InstanceSpec, progress: Progress) -> int:
    return sum(check_file(locate(task, spec, file, progress=progress), spec, file) for file in spec.files)


def _data(task: TaskSpec, spec: InstanceSpec, instance: Instance) -> Iterator[TaskCheck]:
    splits = {split: getattr(instance, split) for split in SPLITS}
    told = ", ".join(f"{len(rows)} rows to {split}" for split, rows in splits.items())
    yield TaskCheck(spec.name, "files", True, f"types and hashes as task.toml says: {told}")
    # Splits of one file count as one split in every check of a file's rows.
    first = {file: split for split, file in reversed(spec.splits.items())}
    distinct = {split: splits[split] for split in SPLITS if split in first.values()}
    yield TaskCheck(spec.name, "ids", *_ids(distinct))
    yield TaskCheck(spec.name, "leaks", *_leaks(spec, instance))
    yield TaskCheck(spec.name, "contradictions", *_contradictions(distinct, instance.test))
    yield TaskCheck(spec.name, "labels", *check_labels(task.metric, spec, distinct, instance))
    if spec.domains:
        yield TaskCheck(spec.name, "tags", *check_domains(spec, distinct))
    yield TaskCheck(spec.name, "facts", *check_facts(spec, instance))
    yield TaskCheck(spec.name, "fresh", *check_fresh(task, spec, instance))


def _has_repeated_ids(task: TaskSpec, spec: InstanceSpec) -> bool:
    """Return whether an instance cannot be loaded because of its ids."""
    for file in spec.files:
        try:
            ids = read_columns(locate(task, spec, file))["id"]
        except SparsebenchError:
            return False
        try:
            check_ids(task.folder / file, ids)
        except SparsebenchError:
            return True
    return False


def _ids(distinct: dict[str, Split]) -> tuple[bool, str]:
    """Compare the ids of different files; loading has compared those within each file."""
    for one, other in combinations(distinct, 2):
        common = np.intersect1d(distinct[one].id, distinct[other].id)
        if common.size:
            what = f"{common.size} ids are in {one} and in {other}, the first is {common[0]}"
            return False, f"{what}; let ids run through train, valid and test"
    return True, "distinct" if len(distinct) == 1 else "distinct within and across splits"


def _leaks(spec: InstanceSpec, instance: Instance) -> tuple[bool, str]:
    files = [spec.splits[split] for split in SPLITS]
    if len(set(files)) == 1:
        return True, "train, valid and test are one file: the training set is the test"
    if len(set(files)) < len(files):
        twice = next(file for file in files if files.count(file) > 1)
        same = " and ".join(split for split in SPLITS if spec.splits[split] == twice)
        return False, f"{same} are one file; give each split a file of its own, or all three the same one"
    faults = [fault for one, other in _PAIRS if (fault := _leak(instance, one, other))]
    mend = "draw them anew, or leave them out"
    if faults:
        return False, f"{'; '.join(faults)}; {mend}"
    return True, f"no row of test or valid lies within {_NEAR} of a row of an earlier split"


def _leak(instance: Instance, one: str, other: str) -> str:
    here, there = getattr(instance, one), getattr(instance, other)
    near = near_rows(here.x, there.x)
    rows = np.flatnonzero(near >= 0)
    if not rows.size:
        return ""
    first = f"the first is id {here.id[rows[0]]}, near id {there.id[near[rows[0]]]}"
    return f"{rows.size} rows of {one} lie within {_NEAR} of a row of {other}, {first}"


def _contradictions(distinct: dict[str, Split], test: Split) -> tuple[bool, str]:
    """Look for equal inputs with different labels: noise in train, a fault in scored splits."""
    told = []
    for name, split in distinct.items():
        pairs = contradictions(split.x, split.y)
        if not pairs.size:
            continue
        one, other = split.id[pairs[0]]
        what = f"{name} has equal inputs with different labels, such as ids {one} and {other}"
        if split is test:
            return False, f"{what}; no prediction is right for both: leave one of them out"
        told.append(what)
    return True, "; ".join(told) or "equal inputs have equal labels"
