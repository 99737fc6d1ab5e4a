"""Variants that take another one's fit: one model, fitted once, gives several points of a curve."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import sparsebench as sb
from evaluate.tiny import plain, write
from sparsebench.author.check import check_submission, run_in_process
from sparsebench.author.explain import explain
from sparsebench.errors import IntegrityError
from sparsebench.evaluate import kept as module
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.executor import execute
from sparsebench.evaluate.kept import Fitted, KeptModels
from sparsebench.evaluate.plan import Cell, Limits, Selection, make_plan
from sparsebench.evaluate.replay.verify import verify_row
from sparsebench.evaluate.run import prepare
from sparsebench.meter.model_file import hash_of_model
from sparsebench.models import find_submission
from sparsebench.results import ResultStore, Row
from sparsebench.tasks.cache import CACHE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VARIANTS = """
[[variants]]
name = "one"
k = 1

[[variants]]
name = "two"
fit = "one"
k = 2

[[variants]]
name = "three"
fit = "one"
k = 3
"""
PREDICT = """
y = params["w"][0] * x[:, 0]
for _ in range(self.settings["k"]):
    y = y + params["w"][1]
return y
"""
BY_RNG = plain(fit='return sb.Model({"w": rng.normal(size=4)}, {"k": self.settings["k"]})', predict=PREDICT)
BY_CLOCK = plain(fit='return {"w": np.array([time.time_ns(), 1.0])}', predict=PREDICT)
FAILING = plain(fit="raise ValueError(f\"k is {self.settings['k']}\")", predict=PREDICT)
SELECTION = Selection(instances=("n256-r4",))
FAST = Limits(gpu=False)


def folder(tmp_path: Path, code: str = BY_RNG, variants: str = VARIANTS) -> Path:
    return write(tmp_path / "mine", code, variants=variants)


def cells(tmp_path: Path, code: str = BY_RNG, variants: str = VARIANTS) -> list[Cell]:
    return make_plan([find_submission(str(folder(tmp_path, code, variants)))], SELECTION)


def executed(chosen: list[Cell], store: Path, jobs: int = 1) -> list[Row]:
    rows = {cell.variant: row for cell, row in execute(chosen, store, FAST, jobs=jobs)}
    return [rows[cell.variant] for cell in chosen]


def test_a_cell_is_fitted_as_the_variant_that_it_names(tmp_path: Path) -> None:
    one, two, three = cells(tmp_path)
    assert one.fitting is one
    assert two.fitting == three.fitting == one
    assert (two.settings, two.fit_settings) == ({"k": 2}, {"k": 1})
    assert len({one.key, two.key, three.key}) == 3
    assert two.fitting.entropy("fit") == one.entropy("fit") != two.entropy("fit")
    alone = cells(tmp_path, variants='[[variants]]\nname = "one"\nk = 1\n')
    assert [cell.shared for cell in (one, two, three, *alone)] == [True, True, True, False]


def test_one_fit_gives_several_points(tmp_path: Path) -> None:
    rows = executed(cells(tmp_path, BY_CLOCK), tmp_path / "out")
    assert [(row.status, row.reason) for row in rows] == [("ok", None)] * 3
    assert [row.ops for row in rows] == [2, 3, 4]
    assert [row.fit_variant for row in rows] == [None, "one", "one"]
    assert len({row.model_hash for row in rows}) == 1  # it was fitted once: no two fits are the same
    assert len({row.fit_seconds for row in rows}) == 1
    assert [row.fit_rows for row in rows] == [256] * 3


def test_a_cell_that_finds_nothing_fits_the_same_by_itself(tmp_path: Path) -> None:
    rows = [run_cell(cell, FAST) for cell in cells(tmp_path)]
    assert len({row.model_hash for row in rows}) == 1
    assert [row.ops for row in rows] == [2, 3, 4]
    last = executed(cells(tmp_path)[2:], tmp_path / "out")
    assert last[0].model_hash == rows[0].model_hash


def test_several_workers_agree(tmp_path: Path) -> None:
    rows = executed(cells(tmp_path), tmp_path / "out", jobs=3)
    assert [row.status for row in rows] == ["ok"] * 3
    assert len({row.model_hash for row in rows}) == 1


def test_a_fit_that_fails_fails_all_for_one_reason(tmp_path: Path) -> None:
    rows = executed(cells(tmp_path, FAILING), tmp_path / "out")
    assert {row.status for row in rows} == {"failed"}
    assert {(row.reason or "").partition(" (")[0] for row in rows} == {"ValueError: k is 1"}
    assert len({row.reason for row in rows}) == 1
    assert [row.fit_variant for row in rows] == [None, "one", "one"]
    assert not (tmp_path / "out" / "models").exists()


def run_all(tmp_path: Path, *, resume: bool, variants: tuple[str, ...] = ()) -> list[Row]:
    selection = dataclasses.replace(SELECTION, variants=variants)
    run = prepare([str(tmp_path / "mine")], selection, tmp_path / "out", FAST, resume=resume)
    return run.execute(jobs=1, on_row=lambda _: None)


def test_a_run_that_goes_on_takes_what_was_kept_and_a_new_one_fits_anew(tmp_path: Path) -> None:
    folder(tmp_path, BY_CLOCK)
    (first,) = run_all(tmp_path, resume=False, variants=("one",))
    *_, two = run_all(tmp_path, resume=True, variants=("one", "two"))
    assert (two.variant, two.model_hash, two.fit_seconds) == ("two", first.model_hash, first.fit_seconds)
    again = run_all(tmp_path, resume=False)
    assert len({row.model_hash for row in again}) == 1
    assert again[0].model_hash != first.model_hash


def test_other_code_takes_no_model_of_this(tmp_path: Path) -> None:
    first = executed(cells(tmp_path, BY_CLOCK), tmp_path / "out")
    other = executed(cells(tmp_path, BY_CLOCK + "\n# another\n"), tmp_path / "out")
    assert {row.model_hash for row in first}.isdisjoint({row.model_hash for row in other})


def test_nothing_is_kept_of_a_fit_that_nobody_shares(tmp_path: Path) -> None:
    executed(cells(tmp_path, variants='[[variants]]\nname = "one"\nk = 1\n'), tmp_path / "out")
    assert not (tmp_path / "out" / "models").exists()


@pytest.fixture
def model() -> Fitted:
    return Fitted(sb.Model({"w": np.arange(4.0)}, {"k": [1, 2]}), 1.5)


@pytest.fixture
def one(tmp_path: Path) -> Cell:
    return cells(tmp_path)[0]


def taken(store: Path, cell: Cell) -> Any:
    found = KeptModels(store).take(cell)
    return None if found is None else (hash_of_model(found.model), found.model.structure, found.seconds)


def test_what_was_kept_is_taken(tmp_path: Path, one: Cell, model: Fitted) -> None:
    assert taken(tmp_path, one) is None
    assert KeptModels(tmp_path).keep(one, model) is model
    assert taken(tmp_path, one) == (hash_of_model(model.model), {"k": [1, 2]}, 1.5)
    digest = hash_of_model(model.model)
    names = sorted(path.name for path in (tmp_path / "models").iterdir())
    assert names == sorted([f"{digest}.safetensors", f"{one.key}.json"])
    KeptModels(tmp_path).forget([one, one])
    assert taken(tmp_path, one) is None


def test_who_is_first_is_taken_by_all(tmp_path: Path, one: Cell, model: Fitted) -> None:
    kept = KeptModels(tmp_path)
    kept.keep(one, model)
    later = kept.keep(one, Fitted(sb.Model({"w": np.ones(4)}), 9.0))
    assert (hash_of_model(later.model), later.seconds) == (hash_of_model(model.model), 1.5)
    assert taken(tmp_path, one)[2] == 1.5


def test_a_model_that_is_too_large_is_not_kept(
    tmp_path: Path, one: Cell, model: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_KEPT_BYTES", 64)
    assert KeptModels(tmp_path).keep(one, model) is model
    assert not (tmp_path / "models").exists()


def test_a_folder_that_cannot_be_written_to_costs_no_row(tmp_path: Path, one: Cell, model: Fitted) -> None:
    (tmp_path / "models").write_text("in the way")
    assert KeptModels(tmp_path).keep(one, model) is model
    assert taken(tmp_path, one) is None
    KeptModels(tmp_path).forget([one])


def changed(**fields: Any) -> Callable[[Path, Path], None]:
    def change(note: Path, _: Path) -> None:
        note.write_text(json.dumps({**json.loads(note.read_text()), **fields}))

    return change


def with_bytes(change: Callable[[bytes], bytes], *, note: bool = False) -> Callable[[Path, Path], None]:
    def write_changed(of_note: Path, of_model: Path) -> None:
        path = of_note if note else of_model
        path.write_bytes(change(path.read_bytes()))

    return write_changed


TAMPERED = {
    "another number": with_bytes(lambda content: content[:-1] + bytes([content[-1] ^ 1])),
    "another structure": with_bytes(lambda content: content.replace(b"[1,2]", b"[1,3]")),
    "cut off": with_bytes(lambda content: content[:-8]),
    "empty": with_bytes(lambda _: b""),
    "gone": lambda _, model: model.unlink(),
    "a folder": lambda _, model: (model.unlink(), model.mkdir()),
    "no note": lambda note, _: note.unlink(),
    "no json": with_bytes(lambda _: b"{", note=True),
    "deep json": with_bytes(lambda _: b"[" * 60_000, note=True),
    "no bytes of text": with_bytes(lambda _: b"\xff", note=True),
    "a list": with_bytes(lambda _: b"[]", note=True),
    "a long note": with_bytes(lambda content: content + b" " * (1 << 16), note=True),
    "a path": changed(model_hash="../" + "0" * 61),
    "no hash": changed(model_hash=3),
    "other code": changed(submission_hash="0" * 64),
    "another cell": changed(cell_key="0" * 64),
    "other packages": changed(packages="{}"),
    "other walls": changed(sandbox="files"),
    "no seconds": changed(fit_seconds=None),
    "seconds in words": changed(fit_seconds="1"),
    "less than none": changed(fit_seconds=-1.0),
    "endless": changed(fit_seconds=float("inf")),
    "nan": changed(fit_seconds=float("nan")),
    "faster": changed(fit_seconds=0.001),
    "no mark": changed(mark=None),
    "another mark": changed(mark="0" * 64),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_what_somebody_changed_is_fitted_again(tmp_path: Path, one: Cell, model: Fitted, how: str) -> None:
    kept, digest = KeptModels(tmp_path), hash_of_model(model.model)
    kept.keep(one, model)
    TAMPERED[how](tmp_path / "models" / f"{one.key}.json", tmp_path / "models" / f"{digest}.safetensors")
    assert taken(tmp_path, one) is None
    if how != "a folder":  # what is in the way stays there, and nothing is kept
        assert kept.keep(one, model) is model
        assert taken(tmp_path, one) == (digest, {"k": [1, 2]}, 1.5)


def test_models_that_came_with_somebodys_rows_are_not_taken(
    tmp_path: Path, one: Cell, model: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A note of another user's, in all else as it should be: who marks it has another secret."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "theirs"))
    KeptModels(tmp_path).keep(one, model)
    assert taken(tmp_path, one) is not None
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "ours"))
    assert taken(tmp_path, one) is None
    assert (tmp_path / "theirs" / "kept-models.secret").stat().st_mode & 0o077 == 0


def test_a_cell_whose_kept_model_was_changed_says_what_it_fitted(tmp_path: Path) -> None:
    chosen, store = cells(tmp_path), tmp_path / "out"
    first = executed(chosen[:1], store)[0]
    (file,) = (store / "models").glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:-8] + np.float64(1e6).tobytes())
    second = executed(chosen[1:2], store)[0]
    assert second.model_hash == first.model_hash
    assert second.fit_seconds != first.fit_seconds


def test_a_model_that_is_none_is_not_taken_though_its_hash_is_right(tmp_path: Path, one: Cell) -> None:
    wrong = Fitted(sb.Model({"w": np.zeros(4, dtype=np.float16)}), 1.0)
    KeptModels(tmp_path).keep(one, wrong)
    assert taken(tmp_path, one) is None


def test_authors_see_what_is_scored(tmp_path: Path) -> None:
    path = folder(tmp_path)
    rows = [run_cell(cell, FAST) for cell in cells(tmp_path)]
    lines = list(run_in_process(str(path)))
    assert [
        f"ops {row.ops:g}, quality {row.quality:.3f}" in line for row, line in zip(rows, lines, strict=True)
    ]
    explained = [explain(str(path), variant=name) for name in ("one", "two", "three")]
    assert [found.prices["ops"] for found in explained] == [2, 3, 4]
    assert {(found.name, found.ok) for found in check_submission(str(path), ("two",))} >= {
        ("two on memorization@1/n256-r4 runs-again", True)
    }


def test_a_model_that_needs_the_named_settings_is_fitted_with_them(tmp_path: Path) -> None:
    """In this process as in a cell: both see k = 1 in fit, and their own in predict."""
    code = BY_RNG.replace("return sb.Model", 'assert self.settings["k"] == 1; return sb.Model', 1)
    path = folder(tmp_path, code)
    assert {row.status for row in executed(cells(tmp_path, code), tmp_path / "out")} == {"ok"}
    assert len(list(run_in_process(str(path)))) == 3
    assert explain(str(path), variant="three").prices["ops"] == 4


def test_a_row_says_whose_fit_it_is_and_is_held_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = executed(cells(tmp_path)[1:2], tmp_path / "out")[0]
    monkeypatch.chdir(tmp_path)
    assert ResultStore(tmp_path / "out").rows() == [row]
    monkeypatch.setattr(
        "sparsebench.evaluate.replay.verify.find_submission",
        lambda _: find_submission(str(tmp_path / "mine")),
    )
    assert {made.name: made.verdict for made in verify_row(row)}["submission"] == "pass"
    other = dataclasses.replace(row, fit_variant=None)
    assert {made.name: made.verdict for made in verify_row(other)}["submission"] == "fail"
    with pytest.raises(IntegrityError, match="fit_variant is 'two', expected another variant"):
        dataclasses.replace(row, fit_variant="two")
    with pytest.raises(IntegrityError, match="fit_variant is 'one', expected null: rows of version 4"):
        dataclasses.replace(row, schema_version=4)
