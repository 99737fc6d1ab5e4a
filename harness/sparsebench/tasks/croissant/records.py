"""The record sets of a task's Croissant metadata: its splits, its instances, the hashes of its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparsebench.tasks.croissant.terms import field, record_set

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sparsebench.tasks.records import InstanceSpec, TaskSpec

__all__ = ["licence_of", "record_sets", "splits_of"]

_DATA_TYPES = {"float32": "cr:Float32", "int64": "cr:Int64"}
_SPLIT_TYPES = {"train": "cr:TrainingSplit", "valid": "cr:ValidationSplit", "test": "cr:TestSplit"}


def record_sets(task: TaskSpec) -> list[dict[str, Any]]:
    """Describe the instances, the hashes of all columns, and each split of each committed instance."""
    return [_instances(task), _contents(task), *_splits(task)]


def licence_of(task: TaskSpec, spec: InstanceSpec) -> str:
    """Return the licence of an instance: that of its source, if it has one."""
    return spec.source.licence if spec.source else task.licence


def splits_of(spec: InstanceSpec, file: str) -> list[str]:
    """Return the splits of an instance that lie in a file."""
    return [split for split, name in spec.splits.items() if name == file]


def _splits(task: TaskSpec) -> Iterator[dict[str, Any]]:
    """Describe each split of each committed instance."""
    for spec in task.own.values():
        for split, file in () if spec.generated else spec.splits.items():
            yield {
                "@type": "cr:RecordSet",
                "@id": f"{spec.name}/{split}",
                "name": f"{spec.name}/{split}",
                "description": f"{split} split of {spec.name}: {spec.description}",
                "additionalType": {"@id": _SPLIT_TYPES[split]},
                "key": {"@id": f"{spec.name}/{split}/id"},
                "field": [
                    field(f"{spec.name}/{split}", column, **about, source=(file, column))
                    for column, about in _columns(spec).items()
                ],
            }


def _columns(spec: InstanceSpec) -> dict[str, dict[str, Any]]:
    """Describe the columns of an instance's files, in their order."""
    shape = ", ".join(str(size) for size in spec.input_shape)
    label = f"Class, from 0 to {spec.classes - 1}." if spec.classes else "Label."
    columns: dict[str, dict[str, Any]] = {
        "id": {"kind": "cr:Int64", "about": "Number of the row, which no other has."},
        "x": {
            "kind": "cr:Float32",
            "about": f"Input of shape ({shape}), in row-major order.",
            "shape": spec.input_shape,
        },
        "y": {"kind": [_DATA_TYPES[spec.target_dtype], "cr:Label"], "about": label},
    }
    if spec.domains:
        names = ", ".join(f"{number} {name}" for number, name in enumerate(spec.domains))
        columns["tag"] = {"kind": "cr:Int64", "about": f"Domain: {names}."}
    return columns


def _instances(task: TaskSpec) -> dict[str, Any]:
    """Describe the instances as inline data, including those without files."""
    kinds = {"name": "sc:Text", "description": "sc:Text", "seed": "sc:Integer", "board": "sc:Boolean"}
    kinds |= {"small": "sc:Boolean", "generated": "sc:Boolean", "licence": "sc:Text"}
    rows: list[Mapping[str, Any]] = [
        {
            "name": spec.name,
            "description": spec.description,
            "seed": spec.seed,  # null where it is secret
            "board": spec.board,
            "small": spec.small,
            "generated": spec.generated,
            "licence": licence_of(task, spec),
        }
        for spec in task.own.values()
    ]
    about = "The draws of the task's data. The board is scored on some; some are made on first use."
    return record_set("instances", about, kinds, rows, key=("name",))


def _contents(task: TaskSpec) -> dict[str, Any]:
    """Describe the hashes of all columns as inline data."""
    kinds = dict.fromkeys(("instance", "splits", "file", "column", "hash"), "sc:Text")
    rows: list[Mapping[str, Any]] = [
        {
            "instance": spec.name,
            "splits": " ".join(splits_of(spec, file)),
            "file": file,
            "column": column,
            "hash": value,
        }
        for spec in task.own.values()
        for file, columns in spec.files.items()
        for column, value in columns.items()
    ]
    about = (
        "Hashes of the logical values of each column, which any Parquet writer keeps: SHA-256 of the line "
        "'sparsebench column 2', a line of JSON with name, type and shape of a row, and the values as "
        "little-endian bytes in row-major order."
    )
    return record_set("contents", about, kinds, rows, key=("file", "column"))
