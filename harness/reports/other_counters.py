"""Compare sparsebench's counts with other operation counters', and write the page about it.

    python harness/reports/other_counters.py --write docs/other-counters.md

Needs the extra ``counters``: ``pip install -e ".[counters]"``.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import re
import sys
import warnings
from pathlib import Path

if __name__ == "__main__":  # a script finds its neighbours where pytest finds them
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from reports.comparison import faults, meter_all, sparsebench_figures, tool_figures, truths
from reports.counters_page import markdown
from reports.reasons import idle_reasons

PACKAGES = ("torch", "fvcore", "thop", "ptflops", "neurobench")
INSTALL = 'pip install -e ".[counters]"'


def missing() -> list[str]:
    """Name the packages of the extra that are not installed."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


def versions() -> dict[str, str]:
    """Return the versions of the packages, normalised, without the local part that names a build."""
    found = {name: importlib.metadata.version(name).split("+")[0] for name in PACKAGES}
    return {name: re.sub(r"-(?=\d+$)", ".post", version) for name, version in found.items()}


def _progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def compare() -> tuple[dict[str, object], str, list[str]]:
    """Run all counters: everything measured, the page, and what is not as it must be."""
    _progress("sparsebench")
    metered = meter_all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside packages that are pinned
        figures = sparsebench_figures(metered) + tool_figures(_progress)
    wrong = faults(figures) + idle_reasons(figures)
    try:
        page = markdown(figures, metered, versions())
    except LookupError as error:
        page = ""
        wrong.append(str(error))
    told = [figure._asdict() | {"right": figure.right} for figure in figures]
    return {"versions": versions(), "truths": truths(), "figures": told, "faults": wrong}, page, wrong


def _write(path: Path, page: str) -> None:
    """Put the page in its place at once, or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(page, encoding="utf-8")
    draft.replace(path)


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="other_counters.py",
        description="Compare sparsebench's counts with torch's, fvcore's, thop's, ptflops' and NeuroBench's.",
        epilog=f"Needs the extra counters: {INSTALL}. Exit code 1: counters that must agree do not.",
    )
    parser.add_argument("--write", type=Path, metavar="PATH", help="write the page there, else print it")
    parser.add_argument("--json", action="store_true", help="print every figure as JSON")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the comparison. Exit code 0: as it must be; 1: a count is off; 2: it could not be run."""
    arguments = _arguments(argv)
    if arguments.write and not arguments.write.parent.is_dir():
        _progress(f"other_counters.py: --write: expected an existing folder, got {arguments.write.parent}")
        return 2
    if gone := missing():
        _progress(f"other_counters.py: not installed: {', '.join(gone)} (the extra counters); run {INSTALL}")
        return 2
    told, page, wrong = compare()
    for fault in wrong:
        _progress(f"other_counters.py: {fault}")
    if arguments.json:
        sys.stdout.write(json.dumps(told, indent=1) + "\n")
    if page and arguments.write and not wrong:
        _write(arguments.write, page)
    elif page and not arguments.json:
        sys.stdout.write(page)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
