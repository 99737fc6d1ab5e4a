"""``task.toml``: its keys, and the reading of it into a `Task`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sparsebench.tasks.faults import Fault, manifest_error, model_faults, read_toml
from sparsebench.tasks.hashing import HASH_PATTERN
from sparsebench.tasks.naming import NAME_PATTERN
from sparsebench.tasks.records import Box, InstanceSpec, Task

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Manifest", "read_manifest"]

_WORDS = "lower-case letters and digits joined by hyphens"

Name = Annotated[str, Field(pattern=NAME_PATTERN, description=f"a name: {_WORDS}")]
Line = Annotated[str, Field(pattern=r"^\S[^\n]*$", description="one line of text")]
Text = Annotated[str, Field(pattern=r"\S", description="text for people")]
# Plain names only: a manifest must not reach outside its folder.
FileName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_-]+\.parquet$", description="a file 'NAME.parquet' beside it")
]
Hash = Annotated[str, Field(pattern=HASH_PATTERN, description="'sha256:' and 64 hexadecimal digits")]
Log2 = Annotated[float, Field(ge=0, le=64, allow_inf_nan=False, description="log2 of operations, 0 to 64")]


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class TaskTable(_Table):
    """``[task]``: what is asked."""

    name: Name
    version: int = Field(ge=1, description="a whole number from 1; changed data are a new version")
    title: Line
    statement: Text
    metric: Literal["nmse", "recall"] = Field(description="'nmse' or 'recall'")
    licence: Line


class BoxTable(_Table):
    """``[box]``: the scoring box, and why it is that box."""

    log2_ops_low: Log2
    log2_ops_high: Log2
    reason: Text


class SplitsTable(_Table):
    """``instances.splits``: which file holds which split."""

    train: FileName
    valid: FileName
    test: FileName


class InstanceTable(_Table):
    """``[[instances]]``: one draw of the data."""

    name: Name
    description: Line
    seed: int = Field(ge=0, description="a whole number from 0")
    small: bool = Field(description="true where it is quick enough for a first try, else false")
    input_shape: list[Annotated[int, Field(ge=1)]] = Field(
        min_length=1, description="the shape of one input, such as [4]"
    )
    target_dtype: Literal["float32", "int64"] = Field(description="'float32' or 'int64'")
    splits: SplitsTable = Field(description="a table of train, valid and test, each naming a file")
    files: dict[FileName, Hash] = Field(description="a table of file names and their hashes 'sha256:…'")


class Manifest(_Table):
    """The whole of ``task.toml``."""

    task: TaskTable = Field(description="the table [task]")
    box: BoxTable = Field(description="the table [box]")
    instances: list[InstanceTable] = Field(min_length=1, description="one [[instances]] or more")


def read_manifest(path: Path) -> Task:
    """Read a ``task.toml``.

    Raises
    ------
    NotFoundError
        If there is no such file.
    ManifestError
        If it is not TOML, or with every fault it has.
    """
    raw = read_toml(path)
    faults = _cross_faults(raw)
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        raise manifest_error(path, [*model_faults(error, Manifest), *faults]) from error
    if faults:
        raise manifest_error(path, faults)
    return _task(path.parent, manifest)


def _task(folder: Path, manifest: Manifest) -> Task:
    about = manifest.task
    return Task(
        folder=folder,
        name=about.name,
        version=about.version,
        title=about.title,
        statement=about.statement.strip(),
        metric=about.metric,
        licence=about.licence,
        box=Box(manifest.box.log2_ops_low, manifest.box.log2_ops_high),
        instances={table.name: _instance(table) for table in manifest.instances},
    )


def _instance(table: InstanceTable) -> InstanceSpec:
    return InstanceSpec(
        name=table.name,
        description=table.description,
        seed=table.seed,
        small=table.small,
        input_shape=tuple(table.input_shape),
        target_dtype=table.target_dtype,
        splits=table.splits.model_dump(),
        files=dict(table.files),
    )


def _cross_faults(raw: dict[str, Any]) -> list[Fault]:
    """Find the faults between keys.

    They are looked for in the raw file, so that a fault of one key does not hide those between others.
    """
    faults = _box_faults(_table(raw.get("box")))
    listed = raw.get("instances")
    tables = [_table(item) for item in listed] if isinstance(listed, list) else []
    names: list[object] = []
    for index, table in enumerate(tables):
        key, name = f"instances[{index}]", table.get("name")
        if name is not None and name in names:
            faults.append(
                Fault(f"{key}.name", "a name of its own", f"{name!r} again", "rename one of the two")
            )
        names.append(name)
        faults += _file_faults(key, _table(table.get("splits")), _table(table.get("files")))
    return faults


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _box_faults(box: dict[str, Any]) -> list[Fault]:
    low, high = box.get("log2_ops_low"), box.get("log2_ops_high")
    if not isinstance(low, int | float) or not isinstance(high, int | float) or not high <= low:
        return []
    return [Fault("box.log2_ops_high", f"more than log2_ops_low = {low}", repr(high), "exchange the two")]


def _file_faults(key: str, splits: dict[str, Any], files: dict[str, Any]) -> list[Fault]:
    used = [name for name in splits.values() if isinstance(name, str)]
    undeclared = [
        Fault(
            f"{key}.splits.{split}",
            "a file listed in files",
            repr(name),
            "add the file and its hash to files",
        )
        for split, name in splits.items()
        if isinstance(name, str) and name not in files
    ]
    unused = [
        Fault(f'{key}.files."{name}"', "a file that a split names", "one that none names", "remove it")
        for name in files
        if name not in used
    ]
    return undeclared + unused
