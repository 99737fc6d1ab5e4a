"""Sealed instances: drawn from the same generator as a public one, by a seed that stays secret at first.

The commitment is published at once and binds its author: SHA-256 of the seed file (text with LF), and the
hashes of the data. When the seed is published, anybody can check that it fits the commitment, and that it
gives the scored data. Before the seed is used it is hashed in another way, so the commitment does not reveal
it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsebench.errors import IntegrityError, SparsebenchError, UsageError
from sparsebench.ground.line_ends import ATTRIBUTES, BY_LINE_ENDS, differ_by_line_ends, with_lf
from sparsebench.ground.replacing import replace_text
from sparsebench.tasks.authoring.verification import FileCheck
from sparsebench.tasks.hashing import changed_columns
from sparsebench.tasks.making import run_script
from sparsebench.tasks.standard import read_spec, standard_specs
from sparsebench.tasks.streams import secret_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sparsebench.tasks.making import Made
    from sparsebench.tasks.records import InstanceSpec, TaskSpec

    Spelled = Callable[[bytes], bytes]

__all__ = ["COMMITMENT", "file_sha256", "generator_hash", "opened_seal", "seal_instance", "verify_seal"]

COMMITMENT = "commitment.json"
"""The file that is published at once."""

_FORMAT = "sparsebench commitment 1"
_NAME_IT = "give the folder of the task that it was drawn from: --task"
_LEAST = 16  # bytes of a seed: fewer could be found by trying


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, text with LF, as ``sha256sum`` prints it, with ``sha256:`` before it."""
    return _file_hash(path, with_lf)


def _file_hash(path: Path, spelled: Spelled) -> str:
    return f"sha256:{hashlib.sha256(spelled(path.read_bytes())).hexdigest()}"


def generator_hash(task: TaskSpec) -> str:
    """Return the SHA-256 of a version folder's Python files: names and contents with LF, in order."""
    return _generator_hash(task, with_lf)


def _generator_hash(task: TaskSpec, spelled: Spelled) -> str:
    digest = hashlib.sha256()
    for path in sorted(task.folder.glob("*.py")):
        content = spelled(path.read_bytes())
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    return f"sha256:{digest.hexdigest()}"


def seal_instance(
    task: TaskSpec,
    instance: str,
    seed_file: Path,
    output: Path,
    *,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Draw a private instance into a version folder of its own, together with the commitment.

    Parameters
    ----------
    task
        A task with a generator.
    instance
        The instance to draw anew.
    seed_file
        Holds the seed, at least 16 bytes that nobody can guess. If it does not exist, it is made with 32
        bytes of the system's randomness in hexadecimal.
    output
        The folder to make. It holds the data: keep it secret until the seed is published.
    progress
        Called with a line on the progress.

    Returns
    -------
    Path
        The commitment, to be published.

    Raises
    ------
    NotFoundError
        If no instance has that name.
    UsageError
        If the folder exists, the seed is too short, or the instance cannot be drawn anew.
    """
    from sparsebench.tasks.loading import load_instance  # noqa: PLC0415 - pyarrow only where data are read

    spec = _sealable(task, instance)
    if output.exists():
        raise UsageError(f"{output}: expected no such folder, got one", help="give a new folder")
    seed = _seed_hash(seed_file)
    name = f"{instance}-sealed-{seed.removeprefix('sha256:')[:8]}"
    with _beside(output) as place:
        folder = Path(place) / "sealed"
        folder.mkdir()
        made = run_script(task, folder, instances=[instance], seed_file=seed_file, progress=progress)
        _check_made(task, spec, made, folder)
        renamed = {file: file.replace(instance, name, 1) for file in spec.files}
        for old, new in renamed.items():
            (folder / old).rename(folder / new)
        hashes = {renamed[file]: columns for (_, file), columns in made.items()}
        replace_text(folder / "task.toml", _manifest(task, spec, name, seed, renamed, hashes))
        sealed = read_spec(folder)
        load_instance(sealed, name)  # a sealed instance can be scored
        commitment = _commitment(task, instance, name, seed, sealed)
        replace_text(folder / COMMITMENT, json.dumps(commitment, indent=1) + "\n")
        replace_text(folder / ".gitattributes", ATTRIBUTES)
        shutil.move(folder, output)
    return output / COMMITMENT


@contextlib.contextmanager
def _beside(output: Path) -> Iterator[str]:
    """Yield a temporary folder in the same place as one that is to be made."""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        place = tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.")
    except OSError as error:
        raise UsageError(
            f"{output}: cannot be made: {error.strerror or error}", help="give another folder"
        ) from None
    with place as made:
        yield made


def _check_made(task: TaskSpec, spec: InstanceSpec, made: Made, folder: Path) -> None:
    """Check that the generator made the files that ``task.toml`` declares, and no others."""
    files = {file for _, file in made}
    if files != set(spec.files) or not all((folder / file).is_file() for file in files):
        raise SparsebenchError(
            f"{task.folder / 'generate.py'}: expected it to make {', '.join(spec.files)}, "
            f"got {', '.join(sorted(files)) or 'nothing'}",
            help="have build give the files that task.toml lists for the instance",
        )


def _sealable(task: TaskSpec, instance: str) -> InstanceSpec:
    spec = task.own_spec(instance)
    for wrong, why in (
        (spec.source is not None, "its data are real: no seed draws others"),
        (spec.commitment is not None, "it is sealed already"),
        (spec.streamed, "it is too large to be scored"),
    ):
        if wrong:
            drawn = [name for name, other in task.own.items() if not (other.source or other.streamed)]
            raise UsageError(
                f"{task.ref}/{instance} cannot be sealed: {why}", help=f"seal one of {', '.join(drawn)}"
            )
    return spec


def _seed_hash(seed_file: Path) -> str:
    """Return the commitment to a seed; make the seed first where there is none."""
    try:
        if not seed_file.exists():
            handle = os.open(seed_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii", newline="\n") as file:
                file.write(secrets.token_hex(32) + "\n")
        size = len(with_lf(seed_file.read_bytes()))
    except OSError as error:
        raise UsageError(
            f"{seed_file}: cannot be made or read: {error.strerror}", help="give another file"
        ) from None
    if size < _LEAST:
        raise UsageError(
            f"{seed_file}: expected a seed of at least {_LEAST} bytes, got {size}",
            help="name a file that is not there yet: it is made, with 256 random bits",
        )
    return file_sha256(seed_file)


def _manifest(
    task: TaskSpec,
    spec: InstanceSpec,
    name: str,
    seed: str,
    renamed: dict[str, str],
    hashes: dict[str, dict[str, str]],
) -> str:
    """Write the ``task.toml`` of a folder with one sealed instance; JSON strings are TOML strings."""
    splits = {split: renamed[file] for split, file in spec.splits.items()}
    lines = [
        "[task]",
        *_pairs(name=task.name, version=task.version, title=task.title, statement=task.statement),
        *_pairs(metric=task.metric, licence=task.licence),
        "\n[box]",
        *_pairs(log2_ops_low=task.box.log2_ops_low, log2_ops_high=task.box.log2_ops_high),
        *_pairs(reason=f"That of {task.ref}."),
        "\n[[instances]]",
        *_pairs(name=name, description=f"{spec.description}; sealed", commitment=seed, small=spec.small),
        *_pairs(board=True, input_shape=list(spec.input_shape), target_dtype=spec.target_dtype),
        *(_pairs(classes=spec.classes) if spec.classes else []),
        *(_pairs(domains=list(spec.domains)) if spec.domains else []),
        f"splits = {_inline(splits)}",
        "\n[instances.files]",
        *(f"{json.dumps(file)} = {_inline(columns)}" for file, columns in hashes.items()),
    ]
    return "\n".join(lines) + "\n"


def _pairs(**values: Any) -> list[str]:
    return [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]


def _inline(table: dict[str, str]) -> str:
    return "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in table.items()) + " }"


def _commitment(task: TaskSpec, instance: str, name: str, seed: str, sealed: TaskSpec) -> dict[str, Any]:
    """Return the commitment: to seed, data and, by the sealed task's hash, all that scores depend on."""
    return {
        "format": _FORMAT,
        "task": task.ref,
        "task_hash": sealed.hash,
        "generator": generator_hash(task),
        "drawn_as": instance,
        "instance": name,
        "seed": seed,
        "data": sealed.instances[name].files,
    }


def verify_seal(
    sealed: TaskSpec, seed_file: Path | None, drawn_from: TaskSpec | None = None
) -> list[FileCheck]:
    """Check a sealed folder against its commitment; with the seed, whether it gives these data.

    Parameters
    ----------
    sealed
        The task of a sealed folder.
    seed_file
        The seed, once it is published; None to check what can be checked without it.
    drawn_from
        The task that it was drawn from; if None, the standard task of that name.

    Returns
    -------
    list of FileCheck
        For the commitment, for the seed, and for each file that it gives.

    Raises
    ------
    UsageError
        If this is no sealed folder.
    """
    told = _commitment_of(sealed)
    spec = sealed.instances.get(told["instance"])
    same = spec is not None and (spec.files, spec.commitment) == (told["data"], told["seed"])
    same = same and (sealed.ref, sealed.hash) == (told["task"], told["task_hash"])
    checks = [_check(told, COMMITMENT, same, "what task.toml says", f"task.toml and {COMMITMENT} differ")]
    if seed_file is not None:
        got = file_sha256(seed_file)
        bad = f"expected {_unlike(told['seed'], got, seed_file)}"
        checks.append(_check(told, seed_file.name, got == told["seed"], "the seed committed to", bad))
        if same and got == told["seed"]:
            checks += _derived(told, sealed, seed_file, drawn_from)
    return checks


def opened_seal(
    sealed: TaskSpec, seed_file: Path, drawn_from: TaskSpec | None = None
) -> tuple[TaskSpec, InstanceSpec]:
    """Find what a sealed instance was drawn from: the task, and the instance with the secret seed.

    Parameters
    ----------
    sealed, seed_file, drawn_from
        As for `verify_seal`.

    Raises
    ------
    UsageError
        If this is no sealed folder, the seed is a different one, or the task is not known.
    """
    told, got = _commitment_of(sealed), file_sha256(seed_file)
    if got != told["seed"]:
        raise UsageError(
            f"{seed_file}: expected the seed {_unlike(told['seed'], got, seed_file)}",
            help="give the file it was sealed with",
        )
    task = _origin(told, drawn_from)
    if task is None:
        raise UsageError(f"{sealed.folder}: {_unknown(told)}", help=_NAME_IT)
    return task, dataclasses.replace(
        task.own_spec(told["drawn_as"]), seed=secret_seed(seed_file.read_bytes())
    )


def _commitment_of(sealed: TaskSpec) -> dict[str, Any]:
    path = sealed.folder / COMMITMENT
    if not path.is_file():
        raise UsageError(
            f"{sealed.folder}: expected {COMMITMENT}, got none", help="give a folder that was sealed"
        )
    return _read(path)


def _origin(told: dict[str, Any], drawn_from: TaskSpec | None) -> TaskSpec | None:
    """Find the task that a commitment names, if it has the instance."""
    # Only by name, among the standard tasks: a path in a commitment would let a stranger choose the code.
    task = drawn_from or next((task for task in standard_specs() if task.ref == told["task"]), None)
    return task if task is not None and told["drawn_as"] in task.own else None


def _unknown(told: dict[str, Any]) -> str:
    return f"no standard task {told['task']!r} with an instance {told['drawn_as']!r}"


def _read(path: Path) -> dict[str, Any]:
    """Read a commitment, and check every part of it."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        told = None
    if (
        isinstance(told, dict)
        and told.get("format") == _FORMAT
        and all(
            isinstance(told.get(key), str)
            for key in ("task", "task_hash", "generator", "drawn_as", "instance", "seed")
        )
        and isinstance(told.get("data"), dict)
        and all(isinstance(columns, dict) for columns in told["data"].values())
    ):
        return told
    raise IntegrityError(
        f"{path}: expected a {_FORMAT}, got something else", help="restore it as it was published"
    )


def _derived(
    told: dict[str, Any], sealed: TaskSpec, seed_file: Path, drawn_from: TaskSpec | None
) -> Iterator[FileCheck]:
    task = _origin(told, drawn_from)
    if task is None:
        yield _check(told, "generate.py", False, "", f"{_unknown(told)}; {_NAME_IT}")
        return
    code = generator_hash(task)
    bad = f"expected {_unlike(told['generator'], code, task)}"
    yield _check(told, "generate.py", code == told["generator"], "the generator committed to", bad)
    alike = _asks(sealed, told["instance"]) == _asks(task, told["drawn_as"])
    bad = f"metric, box, shape, classes, domains or splits are not those of {task.ref}"
    yield _check(told, "task.toml", alike, f"asks what {task.ref} asks", bad)
    made: Made = run_script(task, None, instances=[told["drawn_as"]], seed_file=seed_file)
    drawn = {
        file.replace(told["drawn_as"], told["instance"], 1): columns for (_, file), columns in made.items()
    }
    for file, columns in told["data"].items():
        wrong = changed_columns(columns, drawn.get(file, {}))
        bad = f"column {(wrong or [''])[0]!r} is not what the seed gives"
        yield _check(told, file, not wrong, "drawn again from the seed", bad)


def _unlike(expected: str, got: str, of: Path | TaskSpec) -> str:
    """Return the text on two different hashes; it says if only line ends differ."""

    def hashed(spelled: Spelled) -> str:
        return _file_hash(of, spelled) if isinstance(of, Path) else _generator_hash(of, spelled)

    return f"{expected}, got {got}{BY_LINE_ENDS if differ_by_line_ends(expected, hashed) else ''}"


def _asks(task: TaskSpec, instance: str) -> tuple[object, ...]:
    """Return what a sealed instance has in common with the public one that it was drawn as."""
    spec = task.own_spec(instance)
    splits = {split: file.replace(instance, "", 1) for split, file in spec.splits.items()}
    kinds = (spec.input_shape, spec.target_dtype, spec.classes, spec.domains)
    return (task.ref, task.metric, task.box, splits, *kinds)


def _check(told: dict[str, Any], file: str, ok: bool, good: str, bad: str) -> FileCheck:  # noqa: FBT001 - the verdict
    return FileCheck(told["instance"], file, ok, good if ok else bad)
