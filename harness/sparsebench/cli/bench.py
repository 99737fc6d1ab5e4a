"""``sparsebench bench``: how fast primitives run here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from sparsebench.cli.kinds import OneOf, PathTo
from sparsebench.cli.mistakes import Verbs
from sparsebench.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sparsebench.timing import OpTiming, Place

__all__ = ["command"]

_BACKENDS = ("reference", "steady", "numpy", "numba", "cuda")
_DTYPES = ("float32", "float64", "float16", "bfloat16")
_HEADERS = (
    "primitive",
    "backend",
    "cold, ms",
    "warm, ms",
    "quartiles",
    "GB/s",
    "of most",
    "Gop/s",
    "of product",
    "as reference",
)


@click.group("bench", cls=Verbs)
def command() -> None:
    """Time primitives.

    \b
    Example:
      sparsebench bench ops --primitive grouped_mlp
    """


@command.command("ops")
@click.option("--primitive", "primitives", multiple=True, help="Only this one; may be repeated.")
@click.option(
    "--backend",
    "--face",
    "backends",
    multiple=True,
    help=f"Only this backend; may be repeated: {', '.join(_BACKENDS)}.",
)
@click.option("--device", type=OneOf(["auto", "cpu", "gpu"]), default="auto", show_default=True)
@click.option("--dtype", type=OneOf(_DTYPES), default="float32", show_default=True)
@click.option("--quick", is_flag=True, help="Small inputs and few runs: a quick look, not a measurement.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.option(
    "-o", "--output", type=PathTo(dir_okay=False), help="Write the records to this file, a line of JSON each."
)
def ops(
    primitives: tuple[str, ...],
    backends: tuple[str, ...],
    device: str,
    dtype: str,
    output: str | None,
    *,
    quick: bool,
    as_json: bool,
) -> None:
    """Time every backend of primitives, and compare the times with the most that the machine can do.

    The timed answers are compared with the reference. A backend that is faster than the ceilings allow is
    reported as invalid. The exit code is 1 if a backend differs, fails or is invalid. Cold means that caches
    are emptied before every run.

    \b
    Examples:
      sparsebench bench ops
      sparsebench bench ops --quick --primitive tree_route --primitive hyperplane_hash
      sparsebench bench ops --device gpu --dtype bfloat16 --backend cuda --output timings.jsonl
    """
    from pathlib import Path  # noqa: PLC0415 - keeps `--help` quick

    _check_names("primitive", primitives, _known_primitives())
    _check_names("backend", backends, _BACKENDS)
    place = _place(device, dtype, quick=quick)
    _tell_ceilings(place)
    found = list(_timings(primitives, backends, place, dtype, quick=quick))
    if output:
        _write(Path(output), found)
    click.echo(json.dumps([one.as_dict() for one in found], indent=1) if as_json else _table(found))
    if not all(one.status == "ok" for one in found):
        raise click.exceptions.Exit(1)


def _known_primitives() -> tuple[str, ...]:
    from sparsebench.timing import WORKLOADS  # noqa: PLC0415 - keeps `--help` quick

    return tuple(WORKLOADS)


def _check_names(what: str, names: tuple[str, ...], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            raise NotFoundError(f"unknown {what} {name!r}", help=f"there are: {', '.join(known)}")


def _place(device: str, dtype: str, *, quick: bool) -> Place:
    from sparsebench.results.provenance import cpu_name  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.timing import cpu_place, gpu_missing, gpu_place  # noqa: PLC0415

    gpu = device == "gpu" or (device == "auto" and not gpu_missing())
    if not gpu and dtype not in {"float32", "float64"}:
        raise UsageError(f"{dtype} is timed on a GPU alone", help="use --dtype float32 or float64")
    return gpu_place(quick=quick) if gpu else cpu_place(cpu_name(), quick=quick)


def _tell_ceilings(place: Place) -> None:
    most = place.ceilings
    rates = ", ".join(f"{dtype} {rate / 1e9:,.0f} Gop/s" for dtype, rate in most.operations.items())
    click.echo(
        f"{place.name}, {place.threads} threads: read {most.read / 1e9:,.0f} GB/s, "
        f"copy {most.copy / 1e9:,.0f} GB/s, gather {most.gathers / 1e6:,.0f} M/s, {rates}",
        err=True,
    )


def _timings(
    primitives: tuple[str, ...], backends: tuple[str, ...], place: Place, dtype: str, *, quick: bool
) -> Iterator[OpTiming]:
    from sparsebench.timing import WORKLOADS, Effort, backends_of, time_backend  # noqa: PLC0415 - as above
    from sparsebench.timing.measure import QUICK  # noqa: PLC0415

    for name in primitives or WORKLOADS:
        workload = WORKLOADS[name]
        there = backends_of(workload.of, gpu=place.gpu)
        for which in backends or _timed_unasked(there):
            if which not in there:
                click.echo(f"{name}: no backend {which} here", err=True)
                continue
            click.echo(f"{name}: {which} ...", err=True)
            rows = workload.quick_rows if quick else workload.rows
            made = time_backend(workload, which, place, dtype, QUICK if quick else Effort(), rows=rows)
            if made is None:
                click.echo(f"{name}: {which} does not take {dtype} at {rows:,} rows", err=True)
            else:
                yield made


def _timed_unasked(backends: tuple[str, ...]) -> tuple[str, ...]:
    """Return the backends without the reference, which is by far the slowest, unless it is the only one."""
    return tuple(which for which in backends if which != "reference") or backends


def _write(path: Path, found: list[OpTiming]) -> None:
    lines = (json.dumps(one.as_dict(), allow_nan=False) + "\n" for one in found)
    path.write_text("".join(lines), encoding="utf-8")
    click.echo(f"wrote {path}", err=True)


def _table(found: list[OpTiming]) -> str:
    from tabulate import tabulate  # noqa: PLC0415 - keeps `--help` quick

    text = tabulate([_line(one) for one in found], headers=_HEADERS, disable_numparse=True)
    remarks = [f"{one.primitive}, {one.face}: {one.status}: {one.reason}" for one in found if one.reason]
    return "\n".join([text, *([""] if remarks else []), *remarks])


def _line(one: OpTiming) -> tuple[str, ...]:
    same = "equal" if one.equal and not one.difference else ""
    off = "" if one.difference is None else f"{one.difference:.1e}"
    return (
        one.primitive,
        one.face,
        _number(one.cold_median, 1e3, "{:.3f}"),
        _number(one.warm_median, 1e3, "{:.3f}"),
        f"{_number(one.warm_q1, 1e3, '{:.3f}')} to {_number(one.warm_q3, 1e3, '{:.3f}')}",
        _number(one.bytes_per_second, 1e-9, "{:.1f}"),
        _number(one.share_bandwidth, 100, "{:.0f} %"),
        _number(one.operations_per_second, 1e-9, "{:.1f}"),
        _number(one.share_operations, 100, "{:.0f} %"),
        same or (off if one.equal else f"DIFFERS {off}".strip()),
    )


def _number(value: float | None, scale: float, form: str) -> str:
    return "-" if value is None else form.format(value * scale)
