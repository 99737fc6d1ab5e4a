"""Rows: the stored record of one cell, its provenance, and the folder that keeps many of them."""

from __future__ import annotations

from sparsebench.results.arrow import arrow_schema, rows_from_table, table_from_rows
from sparsebench.results.checks import dearer
from sparsebench.results.columns import (
    COLUMNS,
    COUNTS,
    MEASURED,
    OUTCOME,
    SCHEMA_VERSION,
    STATUSES,
    may_differ,
)
from sparsebench.results.key import cell_key
from sparsebench.results.parts import Audit, Bin, Count, Pair
from sparsebench.results.provenance import (
    blas_name,
    cpu_model,
    cpu_name,
    harness_commit,
    harness_version,
    package_versions,
    provenance_fields,
    utc_now,
)
from sparsebench.results.row import Row
from sparsebench.results.store import RESULTS_DIRECTORY, ResultStore, bytes_of_rows

__all__ = [
    "COLUMNS",
    "COUNTS",
    "MEASURED",
    "OUTCOME",
    "RESULTS_DIRECTORY",
    "SCHEMA_VERSION",
    "STATUSES",
    "Audit",
    "Bin",
    "Count",
    "Pair",
    "ResultStore",
    "Row",
    "arrow_schema",
    "blas_name",
    "bytes_of_rows",
    "cell_key",
    "cpu_model",
    "cpu_name",
    "dearer",
    "harness_commit",
    "harness_version",
    "may_differ",
    "package_versions",
    "provenance_fields",
    "rows_from_table",
    "table_from_rows",
    "utc_now",
]
