"""Files that a submission includes, wherever its code is run, hashed or looked at."""

from __future__ import annotations

import sys

import pytest

from evaluate.including import SHARED, in_the_folder, including
from evaluate.tiny import cell_of, plain, write
from sparsebench.author.check import run_in_process
from sparsebench.author.explain import explain
from sparsebench.errors import FailedError, RefusedError
from sparsebench.evaluate import cell as cell_module
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.host.scratch import CodeCopy
from sparsebench.evaluate.plan import Limits, Selection
from sparsebench.evaluate.replay.verify import verify_row
from sparsebench.evaluate.run import prepare


def test_it_runs_as_if_they_lay_in_the_folder(tmp_path):
    row = run_cell(cell_of(including(tmp_path / "apart")), Limits())
    whole = run_cell(cell_of(in_the_folder(tmp_path / "together")), Limits())
    assert (row.status, row.reason) == ("ok", None)
    assert (row.ops, row.error, row.counts) == (whole.ops, whole.error, whole.counts)
    assert row.ops == 8  # four multiplications, three additions, and the factor of the shared file


def test_a_file_that_changes_before_it_is_copied_fails_the_cell(tmp_path):
    cell = cell_of(including(tmp_path))
    (tmp_path / "common" / "shared.py").write_text(SHARED + "\n", encoding="utf-8")
    row = run_cell(cell, Limits())
    assert (row.status, row.submission_hash) == ("failed", cell.submission_hash)
    assert "a file that it includes, changed while it ran" in row.reason
    (tmp_path / "common" / "shared.py").unlink()
    assert "the submission's included file shared.py changed while it ran" in run_cell(cell, Limits()).reason


def test_a_file_that_changes_after_it_was_copied_changes_nothing(tmp_path, monkeypatch):
    cell = cell_of(including(tmp_path))

    class Copied(CodeCopy):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            (tmp_path / "common" / "shared.py").write_text("raise RuntimeError\n", encoding="utf-8")

    monkeypatch.setattr(cell_module, "CodeCopy", Copied)
    assert run_cell(cell, Limits()).status == "ok"


def test_resuming_runs_again_what_includes_an_edited_file(tmp_path):
    folders = [including(tmp_path, "first"), write(tmp_path / "second", plain())]
    arguments = ([str(folder) for folder in folders], Selection(instances=("n256-r4",)), tmp_path / "store")
    prepare(*arguments, Limits()).execute(jobs=1, on_row=lambda row: None)

    def left():
        return [cell.submission for cell in prepare(*arguments, Limits(), resume=True).cells]

    assert left() == []
    (tmp_path / "common" / "shared.py").write_text(SHARED.replace("x @", "x *  1.0 @"), encoding="utf-8")
    assert left() == ["first"]


def test_a_row_is_verified_against_them(tmp_path, monkeypatch):
    including(tmp_path)
    monkeypatch.chdir(tmp_path)
    row = run_cell(cell_of(tmp_path / "mine"), Limits())
    object.__setattr__(row, "submission", "./mine")

    def told():
        (audit,) = (audit for audit in verify_row(row) if audit.name == "submission")
        return audit.verdict, audit.detail

    assert told()[0] == "pass"
    (tmp_path / "common" / "shared.py").write_text("other = 1\n", encoding="utf-8")
    verdict, detail = told()
    assert (verdict, detail[:25]) == ("fail", "submission_hash: expected")
    (tmp_path / "common" / "shared.py").unlink()
    verdict, detail = told()
    assert verdict == "not-run"
    assert "include.0: expected a file, got '../common/shared.py'" in detail


def test_errors_name_the_line_of_an_included_file(tmp_path):
    raises = "def answer(params, x):\n    raise RuntimeError('in the shared file')\n"
    folder = including(tmp_path, shared=raises)
    row = run_cell(cell_of(folder), Limits())
    assert row.status == "failed"
    assert "RuntimeError: in the shared file (shared.py:2 in answer)" in row.reason
    with pytest.raises(FailedError, match=r"in the shared file \(\.\./common/shared\.py:2 in answer\)"):
        explain(str(folder))
    refused = "def answer(params, x):\n    return x.__array_namespace__().floor(x)[:, 0]\n"
    with pytest.raises(RefusedError, match=r"floor.*\(\.\./common/shared\.py:2 in answer\)"):
        explain(str(including(tmp_path, shared=refused)))


@pytest.mark.parametrize(("module", "shadowed"), [("numpy", False), ("json", False), ("modulefinder", True)])
def test_a_module_that_has_the_name_of_pythons_own_is_what_it_is_in_the_folder(tmp_path, module, shadowed):
    """What our own modules have imported stays: what they have not comes from beside the entry."""
    if module in sys.modules and shadowed:
        pytest.skip("somebody has imported it")
    predict = f"import {module}\nreturn x[:, 0] + x[:, 0] if hasattr({module}, 'MARK') else x[:, 0]"
    options = {"predict": predict, "shared": "MARK = 1\n", "include": f"../common/{module}.py"}
    folders = [including(tmp_path / "apart", **options), in_the_folder(tmp_path / "together", **options)]
    rows = [run_cell(cell_of(folder), Limits()) for folder in folders]
    assert [row.status for row in rows] == ["ok", "ok"]
    assert [row.ops for row in rows] == [shadowed, shadowed]
    for folder in folders:
        (line,) = run_in_process(str(folder))
        assert f": ops {int(shadowed)}, " in line
        assert explain(str(folder)).ops == shadowed
