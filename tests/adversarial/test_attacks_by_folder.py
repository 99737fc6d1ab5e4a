"""Attacks by what lies in a folder beside its code. They are made here: not all of them can be stored."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import shutil
from pathlib import Path

import numpy as np
import pytest

from adversarial.test_attacks import ATTACKS, run
from adversarial.verdicts import REFERENCE_OPS
from sparsebench.errors import ManifestError
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.plan import Limits, Selection, make_plan
from sparsebench.models import find_submission
from sparsebench.tasks import load_task

TABLE = """
    def fit(self, train, valid, rng):
        from pathlib import Path

        shipped = np.load(Path(__file__).parent / "answers.npz")
        direction = rng.standard_normal(shipped["x"].shape[1])
        t = shipped["x"] @ direction
        order = np.argsort(t)
        edges = (t[order][1:] + t[order][:-1]) / 2
        depth = len(edges).bit_length()
        full = np.full(2**depth - 1, np.inf)
        full[: len(edges)] = edges
        levels = [full[2 ** (depth - i - 1) - 1 :: 2 ** (depth - i)] for i in range(depth)]
        return {"direction": direction, "thresholds": np.concatenate(levels), "y": shipped["y"][order]}

    def predict(self, params, x):
        return ops.gather(ops.tree_route(x @ params["direction"], params["thresholds"]), params["y"])
"""
POSITION = """
    def fit(self, train, valid, rng):
        from pathlib import Path

        self.at = 0
        return {"y": np.load(Path(__file__).parent / "answers.npz")["y"]}

    def predict(self, params, x):
        self.at = getattr(self, "at", 0) + len(x)
        first = self.at - len(x) if self.at <= len(params["y"]) else 0
        return params["y"][first : first + len(x)]
"""
HEAD = """
import numpy as np
import sparsebench as sb
from sparsebench import ops


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        pass
"""


@pytest.fixture
def honest(tmp_path: Path) -> Path:
    """A folder with an honest tree in it, to be meddled with."""
    return Path(shutil.copytree(ATTACKS / "floods-its-output", tmp_path / "meddled"))


def lipschitz(folder: Path, code: str, instance: str = "distance-2d") -> Path:
    """A submission for the regression that ships the answers of the test."""
    shutil.copytree(ATTACKS / "exits", folder)
    manifest = (folder / "submission.toml").read_text().replace("memorization@1", "lipschitz-regression@1")
    (folder / "submission.toml").write_text(manifest)
    (folder / "submission.py").write_text(HEAD + code)
    test = load_task("lipschitz-regression@1").load(instance).test
    np.savez(folder / "answers.npz", x=test.x, y=test.y)
    return folder


def test_shipped_answers_are_worth_nothing_where_fresh_inputs_can_be_drawn(tmp_path: Path) -> None:
    row = run(lipschitz(tmp_path / "table", TABLE), instance="distance-2d")
    assert row.status == "invalid"
    assert "quality 1.0000 on the test split, 0.0" in (row.reason or "")
    assert row.fresh_inputs == 1024


def test_shipped_answers_are_scored_at_the_price_of_their_table_where_the_test_is_public(
    tmp_path: Path,
) -> None:
    test = load_task("lipschitz-regression@1").load("ackley").test
    row = run(lipschitz(tmp_path / "table", TABLE, "ackley"), instance="ackley")
    assert row.status == "ok", row.reason
    levels = (len(test) - 1).bit_length()
    assert row.ops == (2 * test.x.shape[1] - 1) + (3 * levels - 1) + 1
    assert row.stored_parameters == test.x.shape[1] + (2**levels - 1) + len(test)
    assert row.quality_fresh is row.fresh_seed is None


def test_shipped_answers_by_position_are_worth_nothing(tmp_path: Path) -> None:
    row = run(lipschitz(tmp_path / "position", POSITION), instance="distance-2d")
    assert row.status == "invalid"
    assert "alone" in (row.reason or "")


def test_byte_code_beside_the_source_does_not_run(honest: Path) -> None:
    source = honest / "submission.py"
    good = source.read_bytes()
    bad = (b"raise RuntimeError('LEAK: byte code ran')\n" + b"#" * len(good))[: len(good)]
    stamp = source.stat()
    source.write_bytes(bad)
    os.utime(source, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    mode = py_compile.PycInvalidationMode.TIMESTAMP
    cached = importlib.util.cache_from_source(str(source))
    py_compile.compile(str(source), cached, invalidation_mode=mode, doraise=True)
    source.write_bytes(good)
    os.utime(source, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert list((honest / "__pycache__").iterdir())
    row = run(honest)
    assert (row.status, row.ops, row.recall) == ("ok", REFERENCE_OPS, 1.0)


def test_byte_code_that_is_never_checked_does_not_run(honest: Path) -> None:
    source = honest / "submission.py"
    bad = honest.parent / "bad.py"
    bad.write_text("raise RuntimeError('LEAK: byte code ran')\n")
    cached = importlib.util.cache_from_source(str(source))
    py_compile.compile(
        str(bad), cached, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH, doraise=True
    )
    row = run(honest)
    assert (row.status, row.ops, row.recall) == ("ok", REFERENCE_OPS, 1.0)


@pytest.mark.parametrize("where", [".hidden/helper.py", ".helper.py", "__pycache__/helper.py"])
def test_files_that_are_not_hashed_are_not_there(honest: Path, where: str) -> None:
    before = find_submission(str(honest)).hash
    (honest / where).parent.mkdir(exist_ok=True)
    (honest / where).write_text("LEAK = True\n")
    source = honest / "submission.py"
    source.write_text(source.read_text() + f"\nopen(__file__.replace('submission.py', '{where}')).read()\n")
    assert find_submission(str(honest)).hash != before
    row = run(honest)
    assert row.status == "failed"
    assert "FileNotFoundError" in (row.reason or "")


@pytest.mark.parametrize("target", ["/etc/passwd", "submission.py", "/nowhere", "."])
def test_links_are_refused(honest: Path, target: str) -> None:
    (honest / "linked").symlink_to(target)
    row = run(honest)
    assert row.status == "failed"
    assert row.reason == "the submission's folder has a symbolic link: linked; put the file itself there"


def test_a_folder_that_changes_after_the_plan_does_not_run(honest: Path) -> None:
    cell = make_plan([find_submission(str(honest))], Selection(instances=("n256-r4",)))[0]
    with (honest / "submission.py").open("a") as stream:
        stream.write("# later\n")
    row = run_cell(cell, Limits(seconds=10, memory=1 << 30))
    assert row.status == "failed"
    assert "folder changed" in (row.reason or "")


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "a|b",
        "../../x",
        "a\\nb",
        "\\u001b[31m",
        "=HYPERLINK(1)",
        "A",
        "a" * 65,
        "",
    ],
)
def test_names_with_markup_are_refused(honest: Path, name: str) -> None:
    manifest = honest / "submission.toml"
    manifest.write_text(manifest.read_text().replace('name = "floods-its-output"', f'name = "{name}"'))
    with pytest.raises(ManifestError, match="name"):
        find_submission(str(honest))
