"""A board as LaTeX: what its tables show, and that any document with booktabs takes them."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from leaderboard.latex_read import latex_tables
from leaderboard.test_tables import EMPTY, HOSTILE, TASKS, board, told_of_tags
from sparsebench.errors import UsageError
from sparsebench.leaderboard.latex import latex

DOCUMENT = r"\documentclass{article}\usepackage{booktabs}\begin{document}\input{board}\end{document}"


def test_there_is_a_table_a_task_and_one_of_all():
    memorization, other, overall = latex_tables(latex(board()))
    assert memorization == [
        ["rank", "submission", "score", r"$\times$ fewer operations at .7", r"router (\%)"],
        ["1", "tree", r"0.500 $\pm$ 0.250", "0.250 (? to 0.500) on 1/2", "26"],
        ["2", "plain", "0.250 (exact)", "1.00 on 2/2", "26"],
    ]
    assert other == [
        ["rank", "submission", "score", r"router (\%)"],
        ["1--2", "tree", "0.333 (one seed)", "--"],
    ]
    assert overall == [
        ["rank", "submission", "mean", "memorization@1", "other@1"],
        ["1", "tree", r"0.417 $\pm$ 0.083", "0.500", "0.333"],
    ]


def test_captions_say_what_a_table_is_of():
    captions = re.findall(r"\\caption\{(.*)\}", latex(board()))
    on = "2 instances, preliminary, 2 of 5 seeds, reference plain"
    assert captions[0].startswith(f"memorization@1 ({on}), scoring version 2, cost model 2. Score: ")
    assert captions[1].startswith("other@1 (1 instance, preliminary, 2 of 5 seeds), scoring version 2")
    assert captions[2].startswith("All 2 tasks (preliminary, 2 of 5 seeds), scoring version 2")
    assert ["Fewer operations" in caption for caption in captions] == [True, False, False]
    labels = re.findall(r"\\label\{(.*)\}", latex(board()))
    assert labels == ["tab:sparsebench-memorization-1", "tab:sparsebench-other-1", "tab:sparsebench-all"]
    assert latex(board()).startswith("% Written by `sparsebench leaderboard`. Needs \\usepackage{booktabs}")
    assert "(2 instances, 5 seeds, reference plain)" in latex(replace(board(), seeds=5))
    assert "by profile macs (multiply-accumulates per input), which is not the standard one" in latex(
        replace(board(), profile="macs")
    )


def test_long_heads_of_tasks_are_broken_at_hyphens():
    made = board()
    tasks = (replace(TASKS[0], ref="a-long-*name@1"), replace(TASKS[1], ref="other@1"))
    heads = latex_tables(latex(replace(made, tasks=tasks)))[-1][0]
    assert heads[3:] == [r"\shortstack[r]{a-\\long-\\{*}name@1}", "other@1"]


def test_entries_that_are_told_the_domain_have_no_rank():
    text = latex(told_of_tags())
    assert [line[:2] for line in latex_tables(text)[0][1:]] == [["2", "plain"], ["--", "tree"]]
    assert "are told the domain" in text
    assert "are told the domain" not in latex(board())


def test_half_an_interval_that_the_unit_interval_cuts_is_that_of_the_other_side():
    made = board()
    first, second = made.entries
    cut = replace(first.tasks[0], score=0.1, low=0.0, high=0.35)
    narrow = replace(second.tasks[0], low=0.25 - 1e-5, high=0.25 + 1e-5, exact=False)
    entries = (replace(first, tasks=(cut, None)), replace(second, tasks=(narrow, None)))
    lines = latex_tables(latex(replace(made, entries=entries)))[0][1:]
    assert [line[2] for line in lines] == [r"0.250 $\pm$ $<$0.001", r"0.100 $\pm$ 0.250"]


def test_of_one_task_there_is_no_table_of_all_and_of_none_no_line():
    one = replace(board(), tasks=TASKS[:1], pairs=board().pairs[:1])
    one = replace(one, entries=tuple(replace(entry, tasks=entry.tasks[:1]) for entry in one.entries))
    assert len(latex_tables(latex(one))) == 1
    assert [len(lines) for lines in latex_tables(latex(EMPTY))] == [1, 1]
    assert "no rows yet" in latex(EMPTY)


def test_tables_can_be_sorted():
    assert [line[1] for line in latex_tables(latex(board(), sort="name"))[0]] == [
        "submission",
        "plain",
        "tree",
    ]
    with pytest.raises(UsageError, match="expected --sort score"):
        latex(board(), sort="luck")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
@pytest.mark.parametrize("name", ["tree", HOSTILE, "\\input{/etc/passwd}%$&#_^^5c~{}<>|'`\"[*]é"])
def test_a_document_takes_it(tmp_path, name):
    (tmp_path / "board.tex").write_text(latex(board(name, name, name)), encoding="utf-8")
    (tmp_path / "document.tex").write_text(DOCUMENT, encoding="utf-8")
    command = ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "document.tex"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stdout
    assert "passwd" not in re.sub(r"(?s)^.*?board\.tex", "", ran.stdout)
