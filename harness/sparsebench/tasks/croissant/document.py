"""``croissant.json``: a task's metadata in MLCommons' Croissant format, so that other tools find and read it.

It is written from ``task.toml`` and the files, never by hand, and is the same on every machine. The
specification is version 1.0, http://mlcommons.org/croissant/1.0. ``isArray`` and ``arrayShape`` are terms of
version 1.1: the namespace is the same in all versions, and 1.0 has only ``repeated``, which cannot express a
shape.

``datePublished`` is left out on purpose: a version is fixed by its hashes and has no date, and the day on
which this file is written would change the file.
"""

from __future__ import annotations

import copy
import hashlib
import json
from typing import TYPE_CHECKING, Any

from sparsebench.errors import IntegrityError, UsageError
from sparsebench.ground.replacing import replace_text
from sparsebench.tasks.croissant.records import licence_of, record_sets, splits_of
from sparsebench.tasks.croissant.terms import CONTEXT, SPECIFICATION, differences, licences
from sparsebench.tasks.standard import tasks_root

if TYPE_CHECKING:
    from pathlib import Path

    from sparsebench.tasks.records import InstanceSpec, TaskSpec

__all__ = ["AUTHORS", "FILE", "KEYWORDS", "TITLE", "check_croissant", "croissant", "write_croissant"]

FILE = "croissant.json"
"""The name of the file in a version folder."""

# As in CITATION.cff, which is in no wheel; a test checks that both are equal.
TITLE = "sparsebench: accuracy versus active operations for sparse and conditional-computation networks"
AUTHORS = "The sparsebench authors"
KEYWORDS = ("benchmark", "mixture of experts", "conditional computation", "operation counting")

_MEND = "run `sparsebench tasks croissant`, which writes it"


def croissant(task: TaskSpec) -> dict[str, Any]:
    """Describe a version of a task in JSON-LD.

    Each committed Parquet file is a ``FileObject``, and each split of a committed instance a ``RecordSet``
    with a field for each column. Two more record sets have their data inline: ``instances``, and
    ``contents``, the hashes of all columns. These two also describe instances that are made on first use,
    which have no file.

    mlcroissant gives an input as a flat list, whatever its shape: reshape it to ``arrayShape``.

    Parameters
    ----------
    task
        The task. Creator and citation are those of the standard tasks; others have none.

    Returns
    -------
    dict
        The document, ready for `json.dumps`.

    Raises
    ------
    IntegrityError
        If a committed file is not there.
    """
    standard = task.folder.resolve().is_relative_to(tasks_root().resolve())
    return {
        "@context": copy.deepcopy(CONTEXT),  # readers write into what they are given
        "@type": "sc:Dataset",
        "conformsTo": SPECIFICATION,
        "name": task.name,
        "alternateName": task.title,
        "description": _description(task),
        "version": f"{task.version}.0.0",
        "identifier": {"@type": "sc:PropertyValue", "propertyID": "sparsebench:hash", "value": task.hash},
        # Some real data have a licence of their own.
        "license": licences(task.licence, *(licence_of(task, spec) for spec in task.own.values())),
        **({"url": "../README.md"} if (task.folder.parent / "README.md").is_file() else {}),
        **(_authorship(task) if standard else {}),
        "keywords": [*KEYWORDS, task.metric],
        **_sources(task),
        "distribution": [_file_object(task, *item) for item in sorted(_committed(task).items())],
        "recordSet": record_sets(task),
    }


def write_croissant(task: TaskSpec) -> Path:
    """Write a task's ``croissant.json`` into its version folder, replacing the one that is there.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    IntegrityError
        If a committed file is not there.
    UsageError
        If the folder cannot be written to.
    """
    path = task.folder / FILE
    text = json.dumps(croissant(task), indent=1, ensure_ascii=False) + "\n"
    try:
        replace_text(path, text)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written: {error.strerror or error}",
            help="copy the version folder to where you may write",
        ) from error
    return path


def check_croissant(task: TaskSpec) -> list[str]:
    """Compare a task's ``croissant.json`` with what ``task.toml`` and the files say now.

    Returns
    -------
    list of str
        A line for each difference: where, expected, got; empty if there are none.

    Raises
    ------
    IntegrityError
        If a committed file is not there.
    """
    path = task.folder / FILE
    try:
        got = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return [f"{path}: expected the metadata of the task, got {error.strerror or 'no file'}; {_MEND}"]
    except ValueError as error:  # faults of JSON and of UTF-8
        return [f"{path}: expected JSON, got {error}; {_MEND}"]
    return [f"{path}: {line}; {_MEND}" for line in differences(croissant(task), got)]


def _description(task: TaskSpec) -> str:
    text = " ".join(task.statement.split())
    if task.earlier is not None:
        text += f" Continues {task.earlier.ref}: its instances are this version's too, and described with it."
    made = [name for name, spec in task.own.items() if spec.generated]
    if not made:
        return text
    return (
        f"{text} Made on first use by sparsebench, from the seeds in the record set 'instances', and so "
        f"without files here: {', '.join(made)}. Their hashes are in the record set 'contents'."
    )


def _authorship(task: TaskSpec) -> dict[str, Any]:
    return {
        "creator": {"@type": "sc:Organization", "name": AUTHORS},
        "citeAs": f"@misc{{sparsebench, author = {{{{{AUTHORS}}}}}, title = {{{{{TITLE}}}}}, "
        f"note = {{Task {task.ref}}}}}",
    }


def _sources(task: TaskSpec) -> dict[str, Any]:
    """Return what real data are based on; empty if all data are synthetic."""
    sources = dict.fromkeys(spec.source for spec in task.own.values() if spec.source)
    works = [
        {
            "@type": "sc:CreativeWork",
            "name": source.title,
            "description": f"Read from {', '.join(source.packages)}, for "
            + ", ".join(name for name, spec in task.own.items() if spec.source == source),
            "url": source.url,
            "license": licences(source.licence),
        }
        for source in sources
    ]
    return {"isBasedOn": works} if works else {}


def _committed(task: TaskSpec) -> dict[str, InstanceSpec]:
    """Return the name of each file that the version folder must have → its instance."""
    return {file: spec for spec in task.own.values() if not spec.generated for file in spec.files}


def _file_object(task: TaskSpec, file: str, spec: InstanceSpec) -> dict[str, Any]:
    path = task.folder / file
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        size = path.stat().st_size
    except OSError as error:
        raise IntegrityError(
            f"{path}: expected a Parquet file, got {error.strerror or error}",
            help="restore the file from its release, or make it again with `sparsebench tasks generate`",
        ) from error
    return {
        "@type": "cr:FileObject",
        "@id": file,
        "name": file,
        "description": f"{spec.name}: {', '.join(splits_of(spec, file))}",
        "contentUrl": file,
        "contentSize": f"{size} B",
        "encodingFormat": "application/x-parquet",  # the name that mlcroissant knows, registered or not
        "sha256": digest,
        "license": licences(licence_of(task, spec)),
    }
