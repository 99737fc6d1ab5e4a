"""``task.toml``: its keys, and the reading of it into a `TaskSpec`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sparsebench.ground.faults import Fault, manifest_error, model_faults, read_toml
from sparsebench.ground.naming import NAME_PATTERN
from sparsebench.tasks.hashing import HASH_PATTERN
from sparsebench.tasks.records import Box, InstanceSpec, Source, TaskSpec

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
ColumnHashes = Annotated[
    dict[Literal["id", "x", "y", "tag"], Hash],
    Field(description="a table of columns and their hashes, as `sparsebench tasks freeze` writes it"),
]
Package = Annotated[
    str,
    Field(
        pattern=r"^(debian:)?[A-Za-z0-9][A-Za-z0-9._-]*(==\S+)?$",
        description="'name==version' of PyPI, or 'debian:name==version', or without a version",
    ),
]
Log2 = Annotated[float, Field(ge=0, le=64, allow_inf_nan=False, description="log2 of operations, 0 to 64")]


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class TaskTable(_Table):
    """``[task]``: the question."""

    name: Name
    version: int = Field(ge=1, description="a whole number from 1; changed data are a new version")
    title: Line
    statement: Text
    metric: Literal["nmse", "recall", "accuracy"] = Field(description="'nmse', 'recall' or 'accuracy'")
    licence: Line


class BoxTable(_Table):
    """``[box]``: the scoring box, and the reason for it."""

    log2_ops_low: Log2
    log2_ops_high: Log2
    reason: Text


class ContinuesTable(_Table):
    """``[continues]``: the earlier version whose instances this one has as well."""

    version: int = Field(ge=1, description="the number of an earlier version, in the folder beside this one")
    board: list[Name] = Field(description="a list of its instances that this version's board is scored on")


class SplitsTable(_Table):
    """``instances.splits``: which file holds which split."""

    train: FileName
    valid: FileName
    test: FileName


class SourceTable(_Table):
    """``[instances.source]``: where real data come from."""

    title: Line
    licence: Line
    url: Annotated[str, Field(pattern=r"^https?://\S+$", description="a web address")]
    packages: list[Package] = Field(min_length=1, description="a list of packages with their versions")


class InstanceTable(_Table):
    """``[[instances]]``: one draw of the data."""

    name: Name
    description: Line
    seed: int | None = Field(default=None, ge=0, lt=1 << 63, description="a whole number from 0")
    commitment: Hash | None = Field(default=None, description="the sha256 of a secret seed")
    small: bool = Field(description="true where it is quick enough for a first try, else false")
    board: bool = Field(description="true where the board is scored on it, else false")
    generated: bool = Field(default=False, description="true where its files are made on first use")
    streamed: bool = Field(default=False, description="true where it is too large to be loaded at once")
    fresh: bool = Field(default=False, description="true where generate.py draws and labels new inputs")
    classes: int | None = Field(
        default=None, ge=2, le=1 << 20, description="how many classes int64 labels have"
    )
    domains: list[Name] = Field(default=[], description="a list of names of domains, whose numbers are tags")
    facts: dict[str, float] = Field(default={}, description="a table of what is known beforehand")
    source: SourceTable | None = Field(default=None, description="a table of where real data come from")
    input_shape: list[Annotated[int, Field(ge=1)]] = Field(
        min_length=1, description="the shape of one input, such as [4]"
    )
    target_dtype: Literal["float32", "int64"] = Field(description="'float32' or 'int64'")
    splits: SplitsTable = Field(description="a table of train, valid and test, each naming a file")
    files: dict[FileName, ColumnHashes] = Field(description="a table of file names and hashes of columns")


class Manifest(_Table):
    """The whole of ``task.toml``."""

    task: TaskTable = Field(description="the table [task]")
    box: BoxTable = Field(description="the table [box]")
    continues: ContinuesTable | None = Field(
        default=None, description="a table [continues] with an earlier version and a board"
    )
    instances: list[InstanceTable] = Field(min_length=1, description="one [[instances]] or more")


def read_manifest(path: Path, *, draft: bool = False) -> TaskSpec:
    """Read a ``task.toml``.

    Parameters
    ----------
    path
        The file.
    draft
        Allow files without hashes, because the data are not made yet.

    Raises
    ------
    NotFoundError
        If there is no such file.
    ManifestError
        If it is not TOML, or has faults; the error lists all of them.
    """
    raw = read_toml(path)
    faults = _cross_faults(raw, draft=draft)
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        raise manifest_error(path, [*model_faults(error, Manifest), *faults]) from error
    if faults:
        raise manifest_error(path, faults)
    earlier = _earlier(path, manifest, draft=draft)
    return _task(path.parent, manifest, earlier)


def _earlier(path: Path, manifest: Manifest, *, draft: bool) -> TaskSpec | None:
    """Read the version that a task continues, and check that rows of it can count for both."""
    told, about = manifest.continues, manifest.task
    if told is None:
        return None
    if told.version >= about.version:
        what = Fault("continues.version", f"a version before {about.version}", repr(told.version), "mend it")
        raise manifest_error(path, [what])
    spec = read_manifest(path.resolve().parents[1] / f"v{told.version}" / path.name, draft=draft)
    box = Box(manifest.box.log2_ops_low, manifest.box.log2_ops_high)
    faults = [
        Fault(key, f"{wanted!r} as {spec.ref} has", repr(got), "what changes it is a task of another name")
        for key, wanted, got in (
            ("task.name", spec.name, about.name),
            ("task.metric", spec.metric, about.metric),
            ("box", (spec.box.log2_ops_low, spec.box.log2_ops_high), (box.log2_ops_low, box.log2_ops_high)),
        )
        if wanted != got
    ]
    faults += [
        Fault(f"continues.board[{place}]", f"an instance of {spec.ref}", repr(name), "mend the name")
        for place, name in enumerate(told.board)
        if name not in spec.instances
    ]
    faults += [
        Fault(f"instances[{place}].name", f"none that {spec.ref} has", repr(table.name), "rename it")
        for place, table in enumerate(manifest.instances)
        if table.name in spec.instances
    ]
    if faults:
        raise manifest_error(path, faults)
    return spec


def _task(folder: Path, manifest: Manifest, earlier: TaskSpec | None) -> TaskSpec:
    about, told = manifest.task, manifest.continues
    continued = {
        name: replace(spec, board=told is not None and name in told.board)
        for name, spec in (earlier.instances if earlier else {}).items()
    }
    return TaskSpec(
        folder=folder,
        name=about.name,
        version=about.version,
        title=about.title,
        statement=about.statement.strip(),
        metric=about.metric,
        licence=about.licence,
        box=Box(manifest.box.log2_ops_low, manifest.box.log2_ops_high),
        instances=continued | {table.name: _instance(table) for table in manifest.instances},
        earlier=earlier,
    )


def _instance(table: InstanceTable) -> InstanceSpec:
    return InstanceSpec(
        name=table.name,
        description=table.description,
        seed=table.seed,
        small=table.small,
        board=table.board,
        generated=table.generated,
        streamed=table.streamed,
        fresh=table.fresh,
        classes=table.classes,
        domains=tuple(table.domains),
        facts=dict(table.facts),
        source=None if table.source is None else _source(table.source),
        commitment=table.commitment,
        input_shape=tuple(table.input_shape),
        target_dtype=table.target_dtype,
        splits=table.splits.model_dump(),
        files={
            file: {str(name): value for name, value in columns.items()}
            for file, columns in table.files.items()
        },
    )


def _source(table: SourceTable) -> Source:
    return Source(table.title, table.licence, table.url, tuple(table.packages))


def _cross_faults(raw: dict[str, Any], *, draft: bool) -> list[Fault]:
    """Find the faults between keys.

    They are checked in the raw file, so that a fault of one key does not hide faults between others.
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
        files = _table(table.get("files"))
        faults += _file_faults(key, _table(table.get("splits")), files)
        faults += _seed_faults(key, table)
        faults += _label_faults(key, table)
        faults += _fresh_faults(key, table)
        faults += _column_faults(key, files, has_domains=bool(table.get("domains")), draft=draft)
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


def _seed_faults(key: str, table: dict[str, Any]) -> list[Fault]:
    """Check that a draw has a public seed, or the commitment to a secret one."""
    given = [name for name in ("seed", "commitment") if name in table]
    if len(given) == 1:
        return []
    got = "both" if given else "neither"
    return [Fault(f"{key}.seed", "either seed or commitment", got, "give the seed, unless it is sealed")]


def _label_faults(key: str, table: dict[str, Any]) -> list[Fault]:
    if "classes" not in table or table.get("target_dtype") == "int64":
        return []
    return [
        Fault(
            f"{key}.classes",
            "labels of int64",
            repr(table.get("target_dtype")),
            "remove it, or change target_dtype",
        )
    ]


def _fresh_faults(key: str, table: dict[str, Any]) -> list[Fault]:
    """Check that new inputs are promised only if the folder's files can give any."""
    reasons = {"source": "real data", "commitment": "a sealed instance", "streamed": "a streamed instance"}
    if table.get("fresh") is not True:
        return []
    return [
        Fault(f"{key}.fresh", "data that the generator can draw again", what, "remove it")
        for name, what in reasons.items()
        if table.get(name)
    ]


def _column_faults(key: str, files: dict[str, Any], *, has_domains: bool, draft: bool) -> list[Fault]:
    """Check that every file has hashes of its required columns, and of no others."""
    wanted = {"id", "x", "y"} | ({"tag"} if has_domains else set())
    faults = []
    for name, columns in files.items():
        got = set(_table(columns))
        if got == wanted or (draft and not got):
            continue
        mend = "run `sparsebench tasks freeze`" if not got else "name the domains where there are tags"
        expected, found = (", ".join(sorted(names)) or "none" for names in (wanted, got))
        faults.append(Fault(f'{key}.files."{name}"', f"hashes of {expected}", f"of {found}", mend))
    return faults
