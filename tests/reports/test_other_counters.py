from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from reports import comparison, other_counters
from reports.comparison import SPARSEBENCH, Figure, faults, sparsebench_figures
from reports.counted_in_sparsebench import STYLES
from reports.counted_networks import LEAVING, exits_by_hand, routed_by_hand
from reports.counters_page import exit_table, routed_table, spread_table
from reports.reasons import REASONS, idle_reasons, reason

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "other-counters.md"
EXITS = [style for style in STYLES if style.startswith("exit")]
ROUTED = {"dense_modules": 5248, "dense_stacked": 5248, "gathered": 768, "loop": 768, "fused": 768}


@pytest.fixture(scope="module")
def metered():
    return comparison.meter_all()


def test_the_truth_counted_by_hand():
    assert set(routed_by_hand(every=False)[0]) == {768}
    assert set(routed_by_hand(every=True)[0]) == {5248}
    costs, _ = exits_by_hand()
    assert statistics.fmean(costs) == 508
    assert sorted(costs) == [320] * LEAVING[0] + [640] * LEAVING[1] + [960] * LEAVING[2]


@pytest.mark.parametrize(("style", "macs"), ROUTED.items())
def test_every_input_of_the_routed_network_costs_what_it_costs(metered, style, macs):
    said = metered[style]
    assert set(said.alone) == {macs}
    assert said.batch == macs * len(said.alone)
    assert (said.carried, said.counted) == (macs, "batch")
    np.testing.assert_allclose(said.answers, routed_by_hand(every=False)[1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("style", EXITS)
def test_every_input_of_the_early_exit_costs_what_it_costs(metered, style):
    said, (costs, answers) = metered[style], exits_by_hand()
    assert said.alone == costs
    assert said.carried == (508 if style != "exit_slowest" else None)
    np.testing.assert_allclose(said.answers, answers, rtol=0, atol=1e-12)


def test_a_batch_that_waits_for_its_slowest_is_carried_by_no_row(metered):
    assert metered["exit_slowest"].batch == 960 * 80
    assert [metered[style].counted for style in EXITS] == ["one-by-one", "one-by-one", "invalid"]


def test_a_raw_kernel_is_refused_not_counted_as_nothing(metered):
    assert metered["raw_kernel"].alone == []
    assert "numpy.asarray(x) would take a value out of the meter" in metered["raw_kernel"].refusal


def test_the_page_has_sparsebenchs_figures(metered):
    page, figures = PAGE.read_text(encoding="utf-8"), sparsebench_figures(metered)
    for style in EXITS:
        assert exit_table(figures, style, [SPARSEBENCH]).splitlines()[2] in page
    row = routed_table(figures, [SPARSEBENCH]).splitlines()[2]
    assert row in page
    assert row.split(" | ")[1:] == ["5,248", "5,248", "768", "768", "768", "refused |"]
    assert spread_table(metered) in page
    assert "| 508 | 320 | 960 | 960 |" in spread_table(metered)


def test_the_pinned_versions_are_those_of_the_page():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = dict(line.split("==") for line in project["optional-dependencies"]["counters"] if "==" in line)
    told = PAGE.read_text(encoding="utf-8").replace("\n", " ")
    for name in other_counters.PACKAGES:
        assert f"{name} {pins[name]}" in told


def agreeing():
    figures = []
    for style, truth in ROUTED.items():
        for counter in (SPARSEBENCH, "torch", "fvcore"):
            figures += [Figure(style, counter, s, truth, truth, truth, ()) for s in ("first", "batch")]
    return figures


def test_a_counter_that_disagrees_is_a_fault():
    figures = agreeing()
    assert faults(figures) == []
    off = [f._replace(macs=769.0) if (f.style, f.counter) == ("loop", "torch") else f for f in figures]
    assert faults(off) == [
        "loop, first: torch says 769.0, sparsebench 768",
        "loop, batch: torch says 769.0, sparsebench 768",
    ]


def test_a_figure_of_ours_that_is_not_the_truth_is_a_fault():
    off = [f._replace(macs=1.0) if (f.style, f.counter) == ("fused", SPARSEBENCH) else f for f in agreeing()]
    assert faults(off) == ["fused: sparsebench says 1.0, the truth is 768"]


def test_a_wrong_figure_needs_a_reason_and_a_reason_a_wrong_figure():
    wrong = Figure("loop", "thop", "batch", 1.0, 1.0, 768.0, ())
    with pytest.raises(LookupError, match=r"loop, batch: no reason is known why thop says 1\.0"):
        reason(wrong)
    assert reason(wrong._replace(macs=768.0)) == ""
    assert reason(wrong._replace(macs=None, remarks=("RuntimeError: no",))) == "RuntimeError: no"
    assert reason(wrong._replace(style="exit_rows", setting="first")) == "it is what that one input costs"
    assert len(idle_reasons([])) == len(REASONS)
    assert "fused: the reason for torch is idle" in idle_reasons([])
    assert "fused: the reason for torch is idle" not in idle_reasons(
        [wrong._replace(style="fused", counter="torch")]
    )


def test_without_the_extra_the_script_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(other_counters, "missing", lambda: ["thop"])
    assert other_counters.main([]) == 2
    said = capsys.readouterr().err
    assert said == (
        'other_counters.py: not installed: thop (the extra counters); run pip install -e ".[counters]"\n'
    )


def test_a_page_goes_to_a_folder_that_exists(tmp_path, capsys):
    assert other_counters.main(["--write", str(tmp_path / "no" / "page.md")]) == 2
    assert "--write: expected an existing folder" in capsys.readouterr().err


def test_the_comparison_as_it_is_run(tmp_path):
    """In a process of its own: importing the tools warns of deprecations that are theirs."""
    if gone := other_counters.missing():
        pytest.skip(f"needs the extra counters ({other_counters.INSTALL}); not installed: {', '.join(gone)}")
    script = ROOT / "tests" / "bench" / "other_counters.py"
    command = [sys.executable, str(script), "--json", "--write", str(tmp_path / "page.md")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    told = json.loads(ran.stdout)
    found = {(f["style"], f["counter"], f["setting"]): f["macs"] for f in told["figures"]}
    for style in ("dense_modules", "gathered", "loop"):
        assert found[style, "torch", "batch"] == found[style, "fvcore", "batch"] == ROUTED[style]
    assert found["fused", SPARSEBENCH, "batch"] == 768
    assert found["exit_rows", SPARSEBENCH, "alone"] == 508
    page, kept = (tmp_path / "page.md").read_text(encoding="utf-8"), PAGE.read_text(encoding="utf-8")
    if not all(f"{name} {version}" in kept.replace("\n", " ") for name, version in told["versions"].items()):
        pytest.skip(f"the page was made with other versions of the extra counters than {told['versions']}")
    assert page == kept
