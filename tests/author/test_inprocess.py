"""A submission that includes files, in its author's own process: as it is scored, and nothing of it stays."""

from __future__ import annotations

import sys

from evaluate.including import including
from evaluate.tiny import cell_of
from sparsebench.author.check import check_submission, run_in_process
from sparsebench.author.explain import explain
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.plan import Limits


def test_it_is_checked_with_them(tmp_path):
    manifest, *checks = check_submission(str(including(tmp_path)))
    assert manifest.detail == "1 cells to try, entry submission:Model, including shared.py"
    assert [check for check in checks if not check.ok] == []


def test_in_this_process_it_costs_what_it_costs_in_its_own(tmp_path):
    folder = including(tmp_path)
    row = run_cell(cell_of(folder), Limits())
    (line,) = run_in_process(str(folder))
    assert line == f"{cell_of(folder).label}: ops 8, quality {row.quality:.3f}, error {row.error:.4g}"


def test_in_this_process_nothing_stays(tmp_path):
    path, finders, names = list(sys.path), list(sys.meta_path), set(sys.modules)
    for name in ("first", "second"):
        folder = including(tmp_path / name)
        (folder / "helper_beside_the_entry.py").write_text(f"SCALE = {len(name)}.0\n", encoding="utf-8")
        (line,) = run_in_process(str(folder))
        assert "ops 8" in line
        explain(str(folder), inputs=1)
        assert (sys.path, sys.meta_path) == (path, finders)
        assert not {"submission", "shared", "helper_beside_the_entry"} & (set(sys.modules) - names)


def test_lines_are_shown_where_the_author_finds_them(tmp_path):
    found = explain(str(including(tmp_path)), inputs=3)
    (line,) = (line for line in found.lines if line.ops)
    assert line.place == "../common/shared.py:5"
    assert line.source == 'return helper_beside_the_entry.SCALE * (x @ params["w"])'
    assert line.called_from.startswith("submission.py:")
    assert found.ops == 8
