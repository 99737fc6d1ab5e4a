"""The life of a submission's process: started, asked, ended, and nothing left of it."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest

from evaluate import tiny
from sparsebench.errors import CellError, DisturbedError, FailedError, RefusedError, TimeLimitError
from sparsebench.evaluate import executor
from sparsebench.evaluate.child import walls, watch
from sparsebench.evaluate.executor import execute
from sparsebench.evaluate.host import levels, parents, warm
from sparsebench.evaluate.host import session as module
from sparsebench.evaluate.host.session import Session
from sparsebench.evaluate.passes.inputs import Inputs
from sparsebench.evaluate.plan import Cell, Limits
from sparsebench.meter import Engine
from sparsebench.tasks import load_task

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TASK = load_task("memorization@1")
LIMITS = Limits(seconds=10, memory=1 << 30)


@pytest.fixture(autouse=True)
def _scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))


def cell(tmp_path: Path, code: str | None = None) -> Cell:
    return tiny.cell_of(tiny.write(tmp_path / "sub", tiny.plain() if code is None else code))


def session(tmp_path: Path, code: str | None = None, limits: Limits = LIMITS) -> Session:
    return Session(cell(tmp_path, code), TASK.info["n256-r4"], limits)


def left_behind(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "scratch").iterdir())


def test_it_says_what_holds(tmp_path: Path) -> None:
    with session(tmp_path) as opened:
        assert opened.sandbox == parents.measured().level
        assert opened.routed is False
        assert left_behind(tmp_path)
    assert not left_behind(tmp_path)


def test_processes_come_from_two_parents_in_turns(tmp_path: Path) -> None:
    fit = 'return {"w": np.array([hash("a")], dtype=np.int64)}'
    told = []
    for _ in range(4):
        with session(tmp_path, tiny.plain(fit=fit)) as opened:
            told.append(opened.fit(TASK.load("n256-r4"), [1])["w"][0])
    assert told[0] == told[2] != told[1] == told[3]


def test_numbers_of_numpy_are_drawn_anew(tmp_path: Path) -> None:
    fit = 'return {"w": np.random.rand(2)}'
    told = set()
    for _ in range(4):
        with session(tmp_path, tiny.plain(fit=fit)) as opened:
            told.add(opened.fit(TASK.load("n256-r4"), [1])["w"].tobytes())
    assert len(told) == 4


def test_a_process_has_no_descriptor_but_its_pipes(tmp_path: Path) -> None:
    fit = 'return {"w": np.array([int(n) for n in os.listdir("/proc/self/fd")])}'
    with session(tmp_path) as other, session(tmp_path, tiny.plain(fit=fit)) as opened:
        open_here = opened.fit(TASK.load("n256-r4"), [1])["w"]
        # The three of every process, two pipes, the listing itself, and what keeps /proc/self in the walls.
        assert len(open_here) == 6 + (parents.measured().level != "none")
        assert other._process.poll() is None


def test_no_frame_tells_of_what_else_the_parent_was_asked(tmp_path: Path) -> None:
    fit = """
        frame, found = sys._getframe(), 0
        while frame is not None:
            found += frame.f_code.co_filename.endswith("parent.py") and frame.f_code.co_name != "main"
            frame = frame.f_back
        return {"w": np.array([found])}
    """
    with session(tmp_path, tiny.plain(fit=fit)) as opened:
        assert opened.fit(TASK.load("n256-r4"), [1])["w"].tolist() == [0]


def test_what_cannot_be_forked_is_told_and_the_parent_goes_on(tmp_path: Path) -> None:
    level = parents.measured().level
    plan = walls.Plan(level, tmp_path, tmp_path / "work", (), memory=1 << 30)
    plan.work.mkdir()
    if level == "none":
        pytest.skip("there is no other level to ask for: sparsebench doctor says why")
    parent = warm.WarmParent(level)
    try:
        with pytest.raises(DisturbedError, match="no process could be forked: ValueError"):
            parent._ask({"plan": warm._told(plan), "canaries": False}, ())
        process, pipe = parent.fork(plan)
        assert pipe.receive()[0]["walls"] == level
        process.kill()
        assert process.wait().code == -signal.SIGKILL
        pipe.close()
    finally:
        parent.close()


def test_a_trial_that_somebody_killed_does_not_lower_the_level(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [ConnectionResetError(), DisturbedError("short of memory"), ({"udp": True}, "")]

    def tried(*_: object) -> tuple[dict[str, bool], str]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(levels, "_try", tried)
    parent, *found = levels._tried("restricted")
    assert parent is not None
    parent.close()
    assert found == [{"udp": True}, ""]
    answers[:] = [EOFError()] * 3
    parent, _, why = levels._tried("restricted")
    assert parent is None
    assert "no trial comes to its end" in why


def test_the_workers_of_a_run_agree_on_what_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "measured by"

    def measure(count: int) -> tuple[levels.Measured, list[warm.WarmParent]]:
        with log.open("a") as file:
            file.write(f"{os.getpid()} ")
        level = "none" if len(log.read_text().split()) == 1 else "restricted"  # a trial has failed by chance
        return levels.Measured(level, {level: {}}, {}), [warm.WarmParent(level) for _ in range(count)]

    monkeypatch.setattr(parents, "measure", measure)
    monkeypatch.setattr(executor, "_how_to_start", lambda: "fork")  # so that workers have it, too
    others = set(psutil.Process().children())
    cells = [dataclasses.replace(cell(tmp_path), seed=seed) for seed in range(4)]
    rows = [row for _, row in execute(cells, tmp_path / "out", Limits(unsafe=True), jobs=2)]
    assert [row.status for row in rows] == ["ok"] * 4
    assert len({row.sandbox for row in rows}) == 1
    assert os.getpid() not in map(int, log.read_text().split())
    assert set(psutil.Process().children()) <= others


def test_who_comes_later_relies_on_who_was_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measured_as(level: str) -> None:
        found = levels.Measured(level, {level: {"udp": True}}, {"restricted": "for a test"})
        monkeypatch.setattr(parents, "measure", lambda n: (found, [warm.WarmParent(level) for _ in range(n)]))

    monkeypatch.setattr(parents, "_AGREED", [])
    parents.agree_in(tmp_path / "walls.json")
    for level in ("none", "restricted"):
        measured_as(level)
        made = parents._Parents()
        made.close()
        assert (made.measured.level, made.measured.reasons) == ("none", {"restricted": "for a test"})
        assert {parent.level for parent in made._parents} == {"none"}
    # Who measured while the first one did not have its word yet takes the other's.
    assert parents._agree(tmp_path / "walls.json", levels.Measured("restricted", {}, {})).level == "none"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["scratch", "walls.json"]


def test_walls_that_were_told_of_and_cannot_be_put_up_end_the_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse = "def refuse(*_): raise walls.WallError('not here')\nwalls.put_up = refuse\nmain("
    parents._end()
    monkeypatch.setattr(parents, "_AGREED", [tmp_path / "walls.json"])
    parents._agree(tmp_path / "walls.json", levels.Measured("none", {"none": {}}, {}))
    monkeypatch.setattr(warm, "_BOOT", warm._BOOT.replace("main(", refuse))
    try:
        with pytest.raises(DisturbedError, match="level none could not be put up: WallError: not here"):
            session(tmp_path)
    finally:
        parents._end()


def test_folders_that_are_very_deep_are_too_much_at_once(tmp_path: Path) -> None:
    here = tmp_path / "work"
    here.mkdir()
    deep = here
    for _ in range(150):
        deep /= "d"
    deep.mkdir(parents=True)
    assert watch._size_of(here) < 1 << 20
    for _ in range(150):
        deep /= "d"
    deep.mkdir(parents=True)
    begin = time.monotonic()
    assert watch._size_of(here) > 1 << 60
    assert time.monotonic() - begin < 5


def test_a_long_line_of_processes_is_seen_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    last = 5 * sys.getrecursionlimit()

    def children_of(pid: str) -> Iterator[int]:
        yield int(pid) + 1 if int(pid) < last else 1  # and back, as where a number is given anew

    monkeypatch.setattr(watch, "children_of", children_of)
    assert set(watch._tree(1)) == set(range(1, last + 1))


def test_a_parent_that_was_killed_is_replaced(tmp_path: Path) -> None:
    with session(tmp_path) as opened:
        for parent in parents._parents()._parents:
            parent._process.kill()
            parent._process.wait()
        with pytest.raises(FailedError, match="was killed"):
            opened.fit(TASK.load("n256-r4"), [1])
    for _ in range(2):
        with session(tmp_path) as opened:
            assert opened.fit(TASK.load("n256-r4"), [1])


def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    opened = session(tmp_path)
    process = psutil.Process(opened._process.pid)
    opened.close()
    reused = os.open(os.devnull, os.O_RDONLY)  # takes the number of a descriptor that was closed
    opened.close()
    os.fstat(reused)
    os.close(reused)
    assert not process.is_running()


def test_many_sessions_leave_nothing(tmp_path: Path) -> None:
    this = psutil.Process()
    chosen = cell(tmp_path)
    Session(chosen, TASK.info["n256-r4"], LIMITS).close()
    files, children = this.num_fds(), this.children()
    for _ in range(20):
        Session(chosen, TASK.info["n256-r4"], LIMITS).close()
    assert this.num_fds() == files
    assert this.children() == children
    assert not left_behind(tmp_path)


def test_a_process_that_cannot_start_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("no more processes")

    session(tmp_path).close()
    files = psutil.Process().num_fds()
    monkeypatch.setattr(warm.subprocess, "Popen", fail)
    with pytest.raises(OSError, match="no more processes"):
        Session(cell(tmp_path), TASK.info["n256-r4"], LIMITS, gpu=True)
    assert psutil.Process().num_fds() == files
    assert not left_behind(tmp_path)


@pytest.mark.parametrize("fails", range(3))
@pytest.mark.parametrize("alone", [False, True], ids=["forked", "alone"])
def test_a_pipe_that_cannot_be_made_leaves_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, alone: bool, fails: int
) -> None:
    real, made = os.pipe, []

    def pipe() -> tuple[int, int]:
        if len(made) == fails:
            raise OSError("no more descriptors")
        made.append(real())
        return made[-1]

    plan = walls.Plan("none", tmp_path, tmp_path, (), memory=None)
    parent = warm.WarmParent("none")
    try:
        files = psutil.Process().num_fds()
        monkeypatch.setattr(warm.os, "pipe", pipe)
        with pytest.raises(OSError, match="no more descriptors"):  # alone: the third is subprocess's
            _ = warm.start_alone(plan, most=1) if alone else parent.fork(plan)
        assert len(made) == fails
        assert psutil.Process().num_fds() == files
    finally:
        monkeypatch.undo()
        parent.close()


@pytest.mark.parametrize(
    "code", ["raise ValueError", "import os; os._exit(3)", "import time; time.sleep(60)"]
)
def test_a_submission_that_does_not_load_leaves_nothing(tmp_path: Path, code: str) -> None:
    children = psutil.Process().children()
    with pytest.raises(CellError):
        session(tmp_path, code + tiny.plain(), Limits(seconds=1, memory=1 << 30))
    assert psutil.Process().children() == children
    assert not left_behind(tmp_path)


def test_the_deadline_holds_for_a_process_that_hangs(tmp_path: Path) -> None:
    begin = time.monotonic()
    with (
        pytest.raises(TimeLimitError, match="time limit"),
        session(tmp_path, tiny.plain(fit="time.sleep(60)"), Limits(seconds=1.5, memory=1 << 30)) as opened,
    ):
        opened.fit(TASK.load("n256-r4"), [1])
    assert time.monotonic() - begin < 4


def test_a_deadline_may_be_shared(tmp_path: Path) -> None:
    with pytest.raises(TimeLimitError):
        Session(cell(tmp_path), TASK.info["n256-r4"], LIMITS, deadline=time.monotonic() - 1)
    assert not left_behind(tmp_path)


@pytest.mark.parametrize("stage", ["fit", "hold", "predict", "arm", "run"])
def test_death_at_every_stage_is_told(tmp_path: Path, stage: str) -> None:
    x = np.ones((4, 4), dtype=np.float32)
    with session(tmp_path) as opened:
        engine = Engine()
        os.kill(opened._process.pid, signal.SIGKILL)
        asked = {
            "fit": lambda: opened.fit(TASK.load("n256-r4"), [1]),
            "hold": lambda: opened.hold({}),
            "predict": lambda: opened.predict(engine, engine.begin(x, inputs=4)),
            "arm": lambda: opened.arm({}),
            "run": lambda: opened.run(Inputs(x)),
        }[stage]
        with pytest.raises(FailedError, match="killed by SIGKILL"):
            asked()


def test_a_parent_that_dies_at_once_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session(tmp_path).close()
    monkeypatch.setattr(warm.sys, "executable", "/bin/false")
    with pytest.raises((ConnectionError, BrokenPipeError)):
        Session(cell(tmp_path), TASK.info["n256-r4"], LIMITS, gpu=True)
    assert not left_behind(tmp_path)


def test_the_environment_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with session(tmp_path) as opened:
        environment = psutil.Process(opened._process.pid).environ()
        assert "TOKEN" not in environment
        assert environment["OMP_NUM_THREADS"] == "1"
        assert "CUDA_VISIBLE_DEVICES" not in environment


def test_home_is_the_scratch_folder(tmp_path: Path) -> None:
    fit = """
        import tempfile
        places = {os.environ["HOME"], os.environ["TMPDIR"], os.getcwd(), tempfile.gettempdir()}
        with tempfile.TemporaryFile() as file:
            file.write(b"x")
        return {"w": np.array([len(places)])}
    """
    with session(tmp_path, tiny.plain(fit=fit)) as opened:
        assert opened.fit(TASK.load("n256-r4"), [1])["w"].tolist() == [1]


def test_one_for_a_gpu_knows_where_cuda_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with Session(cell(tmp_path), TASK.info["n256-r4"], LIMITS, gpu=True) as opened:
        environment = psutil.Process(opened._process.pid).environ()
        assert environment["CUDA_VISIBLE_DEVICES"] == "0"
        assert "TOKEN" not in environment


@pytest.fixture
def _parents_of_its_own() -> Iterator[None]:
    yield
    parents._end()


@pytest.mark.usefixtures("_parents_of_its_own")
def test_what_is_made_of_the_tasks_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, beside = tmp_path / "open" / "cache" / "made.parquet", tmp_path / "open" / "file"
    kept.parent.mkdir(parents=True)
    for file in (kept, beside):
        file.write_text("x")
    monkeypatch.syspath_prepend(tmp_path / "open")  # what a module may lie in, a submission may read
    monkeypatch.setenv("SPARSEBENCH_CACHE", str(kept.parent))
    parents._end()  # the next ones find modules where this process does
    if parents.measured().level == "none":
        pytest.skip("nothing holds files here: sparsebench doctor says why")
    fit = f"""
        def may(file):
            try:
                return bool(open(file).read())
            except PermissionError:
                return False
        return {{"w": np.array([may({str(kept)!r}), may({str(beside)!r})])}}
    """
    with session(tmp_path, tiny.plain(fit=fit)) as opened:
        assert opened.fit(TASK.load("n256-r4"), [1])["w"].tolist() == [False, True]


def test_an_answer_to_another_question_is_refused(tmp_path: Path) -> None:
    with session(tmp_path) as opened:
        opened._pipe.send({"do": "hold", "params": {}, "turn": "mine"})
        with pytest.raises(RefusedError, match="before it was asked"):
            opened.hold({})


def test_a_fault_of_the_meter_ends_the_cell_and_tells_no_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("0.123 is a value")

    monkeypatch.setattr(module, "answer", fail)
    engine = Engine()
    with session(tmp_path) as opened:
        opened.hold(engine.add_parameters({"w": np.zeros(4), "b": np.zeros(1)}))
        with pytest.raises(RefusedError) as caught:
            opened.predict(engine, engine.begin(np.ones((2, 4)), inputs=2))
    assert "AssertionError" in caught.value.what
    assert "0.123" not in caught.value.what


FAR = """
    index = ops.quantize(x[:, 0], levels=9)
    y = ops.gather(index, params["w"])  # an index may be too far
    y = y + params["b"]
    {last}
    return y
"""


def _predict_twice(opened: Session, second: float) -> None:
    """Predict for an input that is well, and for another, whose answers are foreseen."""
    engine = Engine()
    opened.hold(engine.add_parameters({"w": np.zeros(4), "b": np.zeros(1)}))
    for value in (1.0, second):
        opened.predict(engine, engine.begin(np.full((1, 4), value), inputs=1))


def _line(words: str, code: str) -> int:
    return next(n for n, line in enumerate(code.splitlines(), 1) if words in line)


@pytest.mark.parametrize("last", ["", "if xp.all(y > 0.0): y = -y", "1 / 0"])
def test_an_error_of_a_foreseen_operation_is_at_its_line_and_comes_first(tmp_path: Path, last: str) -> None:
    code = tiny.plain(predict=FAR.format(last="" if last == "1 / 0" else last))
    if last == "1 / 0":  # of its own, for the second input alone
        again = "self.n = getattr(self, 'n', 0) + 1\n    1 / (2 - self.n)"
        code = tiny.plain(predict=FAR.format(last=again))
    with (
        session(tmp_path, code) as opened,
        pytest.raises(FailedError, match="index is out of range") as caught,
    ):
        _predict_twice(opened, 7.0)
    assert f"submission.py:{_line('may be too far', code)}" in caught.value.what


def test_an_own_error_after_foreseen_operations_is_its_own(tmp_path: Path) -> None:
    code = tiny.plain(predict=FAR.format(last="self.n = getattr(self, 'n', 0) + 1\n    1 / (2 - self.n)"))
    with session(tmp_path, code) as opened, pytest.raises(FailedError, match="ZeroDivisionError") as caught:
        _predict_twice(opened, 2.0)
    assert f"submission.py:{_line('1 / (2', code)}" in caught.value.what


def test_a_process_may_be_asked_on_after_an_error_of_a_foreseen_operation(tmp_path: Path) -> None:
    engine = Engine()
    with session(tmp_path, tiny.plain(predict=FAR.format(last=""))) as opened:
        opened.hold(engine.add_parameters({"w": np.arange(4.0), "b": np.zeros(1)}))
        for value in (1.0, 7.0, 2.0, 3.0):
            x = engine.begin(np.full((1, 4), value), inputs=1)
            if value > 4.0:
                with pytest.raises(FailedError):
                    opened.predict(engine, x)
            else:
                assert engine.value(opened.predict(engine, x)).tolist() == [value]
