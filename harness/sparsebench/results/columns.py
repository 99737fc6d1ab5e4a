"""The columns of a row: names, types, groups and versions. Field order is column order in Parquet.

Counts are means per input of the test split unless a field says otherwise. NaN and null never mean zero:
null means that there is no such value, and NaN is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from sparsebench.results.parts import Audit, Bin, Count, Pair  # noqa: TC001 - the columns' types are read from here

__all__ = [
    "ADDED",
    "COLUMNS",
    "COUNTS",
    "MEASURED",
    "OUTCOME",
    "SCHEMA_VERSION",
    "SCHEMA_VERSIONS",
    "STATUSES",
    "Columns",
    "lacking",
    "may_differ",
]

SCHEMA_VERSION = 5
"""The version of the columns below. Version 2 brought ``uses_tags``, ``accuracy`` and ``nmi``; version 3
``predict_backend_cpu`` and ``predict_backend_gpu``; version 4 what :data:`ADDED` names, and another rule of
which ledger counts; version 5 ``fit_variant``."""

SCHEMA_VERSIONS = (2, 3, 4, 5)
"""The versions of rows that can be read. Rows are written with the columns of the newest version."""

ADDED = {
    3: ("predict_backend_cpu", "predict_backend_gpu"),
    4: (
        *("quality_fresh", "coupled", "ops_histogram", "test_inputs", "expert_domains"),
        "memory_bytes",
        *("sample_draw", "fresh_seed", "fresh_inputs", "fit_rows", "blas", "cpu_model"),
    ),
    5: ("fit_variant",),
}
"""Version -> the columns that it added: they are None in rows of earlier versions."""

STATUSES = ("ok", "refused", "failed", "timeout", "out-of-memory", "invalid")
"""The statuses of a cell. Only ``ok`` has metrics and counts."""


def _outcome() -> Any:
    return field(default=None, metadata={"group": "outcome"})


def _count() -> Any:
    return field(default=None, metadata={"group": "counts"})


def _measured() -> Any:
    return field(default=None, metadata={"group": "measured"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns of a row, field by field; :class:`sparsebench.results.Row` checks the invariants."""

    schema_version: int = SCHEMA_VERSION
    """Version of these columns."""
    scoring_version: int = 1
    """Version of the rules that made ``error`` and ``quality``."""
    cost_model: int = 1
    """Version of the price list."""
    harness_version: str
    """Version of the sparsebench package."""
    harness_commit: str | None = None
    """Git commit of the harness; None where it does not run from a checkout."""
    harness_dirty: bool | None = None
    """Whether the harness differed from that commit."""
    task: str
    """Task reference, such as ``memorization@1``."""
    task_hash: str
    """Content hash of the task's version."""
    instance: str
    """Name of the instance."""
    instance_hash: str
    """Hash of the instance's logical values."""
    submission: str
    """Name of the submission."""
    submission_hash: str
    """Content hash of the submission's folder and of what it includes."""
    variant: str
    """Name of the variant."""
    seed: int
    """Seed of the cell, the unit of replication."""
    uses_tags: bool = False
    """Whether the submission got the domain of every input that it predicted."""
    cell_key: str = ""
    """Hash of the identity above; computed if it is left empty."""

    status: str
    """One of ``STATUSES``."""
    reason: str | None = None
    """Why the cell has no score, one line; None if it has one."""
    error: float | None = _outcome()
    """The metric's error on the test split; smaller is better."""
    quality: float | None = _outcome()
    """In [0, 1]: 0 is the best constant predictor, 1 is perfect."""
    accuracy: float | None = _outcome()
    """Share of labels answered right, averaged over the task's domains (metric ``accuracy``)."""
    recall: float | None = _outcome()
    """Share of labels answered within tolerance (metric ``recall``)."""
    rmse: float | None = _outcome()
    """Root of the mean squared error (metric ``nmse``)."""
    nrmse: float | None = _outcome()
    """``rmse`` over the standard deviation of the test labels."""
    sup_error: float | None = _outcome()
    """Largest error of all test inputs."""
    quality_fresh: float | None = _outcome()
    """Quality on ``fresh_inputs`` new inputs of the same target, which nobody can have stored; None where
    there are none (real data, memorization, sealed instances)."""

    ops: float | None = _count()
    """Active operations per input, profile ``ops``: the cost of an input alone. It is scored."""
    ops_histogram: tuple[Bin, ...] | None = _count()
    """Numbers of the inputs that were run one by one by their cost, in powers of two, ascending."""
    ops_p50: float | None = _count()
    """Median over the inputs that were run one by one."""
    ops_p95: float | None = _count()
    """95th percentile over the inputs that were run one by one."""
    ops_max: float | None = _count()
    """Largest over the inputs that were run one by one."""
    ops_batch: float | None = _count()
    """Mean over the same inputs, run in batches, with what was charged to batches that ran out of memory.
    In rows before version 4: over the sampled inputs, repeated."""
    ops_single: float | None = _count()
    """Mean over the inputs that were run one by one."""
    ops_counted: str | None = _count()
    """Which rule gave the cost. ``batch``: each of the sampled inputs costs the same alone, and every batch
    its rows times that, so it is the cost of every input. ``one-by-one``: what the inputs cost alone, each
    of them metered, or of a large split a sample."""
    coupled: bool | None = _count()
    """Whether batches cost other than their rows alone, entry by entry: work is shared, or waited for."""
    ops_router: float | None = _count()
    """The part of ``ops`` that decides which experts run."""
    ops_experts: float | None = _count()
    """The rest of ``ops``."""
    ops_add_mul_cmp: float | None = _count()
    """Profile ``add-mul-cmp``: look-ups are free."""
    add_mul_cmp_max: float | None = _count()
    """Largest ``add-mul-cmp`` over the inputs that were run one by one."""
    lookups: float | None = _count()
    """Look-ups at computed addresses."""
    loads: float | None = _count()
    """Elements read by those look-ups."""
    macs: float | None = _count()
    """Profile ``macs``: multiply-accumulates, router included."""
    ops_router_free: float | None = _count()
    """Profile ``paper-router-free``: what papers report that leave the router out."""
    bit_ops: float | None = _count()
    """Profile ``bit-ops``: b per addition and b squared per multiplication of b-bit operands."""
    ops_dense: float | None = _count()
    """The cost of running every expert that any test input reached."""
    loaded_parameters: float | None = _count()
    """Distinct parameter elements read."""
    loaded_bytes: float | None = _count()
    """Bytes of those."""
    stored_parameters: int | None = _count()
    """Parameter elements of the whole model; and of its structure, one for every 8 bytes."""
    stored_bytes: int | None = _count()
    """Bytes of those, and of the structure."""
    memory_bytes: int | None = _count()
    """Bytes of all that predict can know: ``stored_bytes``, the names and shapes of arrays, and what the
    submission's files have beyond 64 KiB. A board has room for 16 MiB of them."""
    experts_run: float | None = _count()
    """Experts run."""
    experts_seen: int | None = _count()
    """Distinct experts that any test input reached."""
    expert_entropy: float | None = _count()
    """Entropy of the load over experts, divided by its largest value: 1 is even, 0 is one expert."""
    nmi: float | None = _count()
    """Mutual information of expert and domain over the test split, normalised to [0, 1] by the mean of their
    entropies; None without a router or without domains."""
    expert_domains: tuple[Pair, ...] | None = _count()
    """How often inputs of each domain of the test split were routed to each expert, ascending; None without
    a router or without domains, and where there are more than 65,536 such pairs."""
    sample_size: int | None = _count()
    """Inputs that were run one by one."""
    counted_inputs: int | None = _count()
    """Inputs that ``counts`` sums over."""
    test_inputs: int | None = _count()
    """Inputs of the test split."""
    counts: tuple[Count, ...] | None = _count()
    """The raw ledger, to which other price lists can be applied."""

    audits: tuple[Audit, ...] = ()
    """Checks that the harness made, with their verdicts."""

    fit_seconds: float | None = _measured()
    """Wall-clock seconds of fitting."""
    predict_seconds_cpu: float | None = _measured()
    """Median seconds per input on the CPU; reported, never ranked."""
    predict_seconds_gpu: float | None = _measured()
    """Median seconds per input on the GPU; reported, never ranked."""
    predict_backend_cpu: str | None = _measured()
    """Backends of the primitives that were timed on the CPU, sorted, with ``+`` between them, such as
    ``numba+numpy``; ``none`` where no primitive ran. None where there is no timing."""
    predict_backend_gpu: str | None = _measured()
    """The same on the GPU, such as ``cuda``."""
    sample_draw: int | None = _measured()
    """The seed, drawn from the system's randomness, that says which inputs were run one by one: see
    :func:`sparsebench.evaluate.passes.sample.sample_inputs`."""
    fresh_seed: int | None = _measured()
    """The secret seed of the fresh inputs: ``Task.fresh`` draws the same ones with it."""
    fresh_inputs: int | None = _measured()
    """The number of fresh inputs that were drawn and labelled."""
    started: str = field(metadata={"group": "measured"})
    """When the cell began: ISO 8601, UTC, microseconds."""
    ended: str = field(metadata={"group": "measured"})
    """When the cell ended: ISO 8601, UTC, microseconds."""

    peak_bytes: int | None = _measured()
    """Most bytes of arrays that the meter held at once."""
    sandbox: str
    """What held the submission's processes: ``isolated``, ``restricted`` or ``none``; in older
    rows ``files``, which held files alone. See docs/trust.md."""
    model_hash: str | None = None
    """Hash of the fitted model: its parameters, and its structure if it has one."""
    fit_rows: int | None = None
    """Rows of train that ``fit`` was given."""
    fit_variant: str | None = None
    """The variant whose fit the model is; None where it is the row's own. ``fit_seconds`` are those of the
    fit, whichever cell made it."""
    packages: str
    """Versions of the packages used: a JSON object with sorted keys."""
    python: str
    """Version of Python."""
    blas: str | None = None
    """The BLAS that NumPy uses: its name, its version, and the processor that its kernels are for; None
    where it cannot be told."""
    cpu: str
    """Name of the processor."""
    cpu_model: str | None = None
    """Family, model and stepping of the processor, such as ``6-143-8``: names may hide it."""
    gpu: str | None = None
    """Name of the GPU; None where none was used."""


def lacking(version: int) -> tuple[str, ...]:
    """Return the names of the columns that rows of a version do not have."""
    return tuple(name for added, names in ADDED.items() if added > version for name in names)


def may_differ(row: Columns) -> frozenset[str]:
    """Return the names of the columns that may differ in another run of a row's cell.

    These are the columns of :data:`MEASURED`; and, if the counts are of a sample, which is drawn anew each
    time, the counts and the audits, whose texts name them. On one machine all else follows from the code and
    the data; :mod:`sparsebench.results.agreement` says what agrees on another machine.
    """
    sampled = row.ops_counted == "one-by-one" and (row.counted_inputs or 0) < (row.test_inputs or 0)
    return MEASURED | COUNTS | {"audits"} if sampled else MEASURED


def _group(name: str) -> frozenset[str]:
    return frozenset(entry.name for entry in fields(Columns) if entry.metadata.get("group") == name)


COLUMNS = tuple(entry.name for entry in fields(Columns))
"""Names of all columns, in order."""

OUTCOME = _group("outcome")
"""Names of the error metrics."""

COUNTS = _group("counts")
"""Names of the counts."""

MEASURED = _group("measured") | {"ops_batch", "quality_fresh"}
"""Names of what may differ between two runs of a cell: seconds, times and memory, draws from the system's
randomness and what depends on them, and the cost of batches in a secret order if inputs are not independent.
All other fields agree, except counts of a sample (:func:`may_differ`); no score uses these."""
