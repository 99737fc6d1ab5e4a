"""Runs that are killed, interrupted, or lose a worker: finished rows stay, nothing else does."""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from evaluate.tiny import FIT, PREDICT, cell_of, plain, write
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.executor import execute
from sparsebench.evaluate.host.parents import measured
from sparsebench.evaluate.host.session import Session
from sparsebench.evaluate.plan import Limits, Selection, make_plan
from sparsebench.evaluate.run import prepare
from sparsebench.models import find_submission
from sparsebench.results import MEASURED, ResultStore

PATIENCE = 90.0
SLOW = plain(
    fit="time.sleep(self.settings['seconds'])\nreturn {'w': rng.normal(size=4), 'b': np.zeros(1)}",
    predict=PREDICT,
)
VARIANT = '[[variants]]\nname = "v{}"\nseconds = {}\n'


def until(condition, what):
    """Wait for something, for as long as a busy machine may need."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    return pytest.fail(f"{what} did not come within {PATIENCE} seconds")


def slow_submission(folder, seconds):
    variants = "".join(VARIANT.format(number, each) for number, each in enumerate(seconds))
    return write(folder, SLOW, variants=variants)


@contextlib.contextmanager
def _hearing_ctrl_c():
    """A shell has its jobs in the background ignore Ctrl-C, and so do all that they start: not from here."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Started:
    """A ``sparsebench eval`` in a session of its own, with temporary files in a folder of its own."""

    def __init__(self, folder, submission, *arguments):
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        self.store = folder / "out"
        self.log = folder / "log.txt"
        command = [
            sys.executable,
            "-c",
            "from sparsebench.cli import main; main()",
            "eval",
            str(submission),
            "--instances",
            "n256-r4",
        ]
        with self.log.open("wb") as log, _hearing_ctrl_c():
            self.process = subprocess.Popen(
                [*command, "--seeds", "1", "--output", str(self.store), *arguments],
                cwd=folder,
                env={**os.environ, "TMPDIR": str(self.temporary)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def text(self):
        return self.log.read_text(encoding="utf-8")

    def rows_on_disk(self):
        with contextlib.suppress(FileNotFoundError):
            return {path: path.read_bytes() for path in (self.store / "rows").glob("*.parquet")}
        return {}

    def family(self):
        """Give the process and all below it."""
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def in_a_submission(self):
        """Give the processes that run a submission's code."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return [p for p in self.family() if any("evaluate.child" in part for part in p.cmdline())]
        return []

    def end(self):
        code = self.process.wait(PATIENCE)
        return code, self.text()


def gone(processes):
    return all(not p.is_running() or p.status() == psutil.STATUS_ZOMBIE for p in processes)


def unmeasured(store):
    rows = [row.to_dict() for row in ResultStore(store).latest()]
    return [{name: value for name, value in row.items() if name not in MEASURED} for row in rows]


def half_way(run):
    """Wait until some row is on disk while a submission runs."""
    until(lambda: run.rows_on_disk() and run.in_a_submission(), "a row and a running cell")
    return run.family(), run.rows_on_disk()


@pytest.fixture(scope="module")
def submission(tmp_path_factory):
    return slow_submission(tmp_path_factory.mktemp("submission") / "slow", [0.0, 0.0, 1.5, 1.5])


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, submission):
    run = Started(tmp_path_factory.mktemp("whole"), submission, "--jobs", "2")
    code, text = run.end()
    assert code == 0, text
    return unmeasured(run.store)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_run_that_is_killed_goes_on_where_it_was(tmp_path, submission, uninterrupted, jobs):
    run = Started(tmp_path, submission, "--jobs", jobs)
    family, before = half_way(run)
    os.kill(run.process.pid, signal.SIGKILL)
    run.process.wait(PATIENCE)
    until(lambda: gone(family), "the end of all processes")
    before |= run.rows_on_disk()
    assert 0 < len(before) < 4

    again = Started(tmp_path, submission, "--jobs", jobs, "--resume")
    code, text = again.end()
    assert code == 0, text
    assert f"{len(before)} cells are finished already" in text
    after = again.rows_on_disk()
    assert {path: after.get(path) for path in before} == before
    assert len(after) == 4
    assert unmeasured(run.store) == uninterrupted
    assert not list((run.store / "rows").glob(".*"))


def ctrl_c(process):
    """Interrupt as a terminal does: all processes of the foreground group."""
    os.killpg(process.pid, signal.SIGINT)


def terminate(process):
    """End as a scheduler does."""
    os.kill(process.pid, signal.SIGTERM)


@pytest.mark.parametrize(("stop", "jobs"), [(ctrl_c, "1"), (ctrl_c, "2"), (terminate, "2")])
def test_ctrl_c_keeps_rows_and_leaves_nothing(tmp_path, submission, uninterrupted, stop, jobs):
    run = Started(tmp_path, submission, "--jobs", jobs)
    family, before = half_way(run)
    stop(run.process)
    code, text = run.end()
    assert code == 130, text
    assert "Traceback" not in text
    assert "go on with the same command and --resume" in text
    until(lambda: gone(family), "the end of all processes")
    assert before.items() <= run.rows_on_disk().items()
    assert len(run.rows_on_disk()) < 4
    assert list(run.temporary.iterdir()) == []

    code, text = Started(tmp_path, submission, "--jobs", jobs, "--resume").end()
    assert code == 0, text
    assert unmeasured(run.store) == uninterrupted


def test_two_runs_into_one_store_do_not_disturb_each_other(tmp_path, submission, uninterrupted):
    runs = [Started(tmp_path, submission, "--jobs", "1") for _ in range(2)]
    assert [run.end()[0] for run in runs] == [0, 0]
    assert unmeasured(runs[0].store) == uninterrupted
    assert len(runs[0].rows_on_disk()) == 8


def in_workers():
    """Give the workers of this process's pools."""
    found = []
    for process in multiprocessing.active_children():
        with contextlib.suppress(psutil.Error):  # it may end while we look
            found.append(psutil.Process(process.pid))
    return found


def test_a_worker_that_is_killed_loses_no_cell(tmp_path, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    folder = slow_submission(tmp_path / "slow", [0.0, 1.5, 1.5, 0.0])
    cells = make_plan([find_submission(str(folder))], Selection(instances=("n256-r4",)))
    others = {worker.pid for worker in in_workers()}
    found = []
    for cell, row in execute(cells, tmp_path / "out", Limits(), jobs=2):
        if not found:  # one cell is done, and others run
            (*_, victim) = [worker for worker in in_workers() if worker.pid not in others]
            victim.kill()
        found.append((cell.variant, row.status))
    assert sorted(found) == [(f"v{number}", "ok") for number in range(4)]
    assert len(ResultStore(tmp_path / "out").latest()) == 4


def assassinate(done):
    """Kill every worker of ours that runs a cell whose submission has left a file called ``victim``."""
    while not done.wait(0.05):
        for worker in in_workers():
            with contextlib.suppress(psutil.Error, OSError):
                # By the process's own view: its folder may be one that nobody else sees.
                descendants = worker.children(recursive=True)
                if any(Path(f"/proc/{child.pid}/cwd/victim").exists() for child in descendants):
                    worker.kill()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_cell_that_takes_its_worker_down_is_told_and_the_others_go_on(tmp_path, jobs):
    fit = "if self.settings['victim']: open('victim', 'w').close(); time.sleep(60)\n" + FIT
    variants = "".join(
        f'[[variants]]\nname = "{n}"\nvictim = {v}\n' for n, v in (("a", "true"), ("b", "false"))
    )
    folder = write(tmp_path / "mine", plain(fit=fit), variants=variants)
    cells = make_plan([find_submission(str(folder))], Selection(instances=("n256-r4",), seeds=(0, 1)))
    done = threading.Event()
    assassin = threading.Thread(target=assassinate, args=(done,))
    assassin.start()
    try:
        rows = [row for _, row in execute(cells, tmp_path / "out", Limits(), jobs=jobs)]
    finally:
        done.set()
        assassin.join()
    assert sorted((row.variant, row.seed, row.status) for row in rows) == [
        ("a", 0, "failed"),
        ("a", 1, "failed"),
        ("b", 0, "ok"),
        ("b", 1, "ok"),
    ]
    assert {row.reason for row in rows if row.status == "failed"} == {
        "the harness's own process died while it ran this cell; is memory short?"
    }
    assert len(ResultStore(tmp_path / "out").latest()) == 4


def left_over():
    """Give the processes below this one, but for Python's own: its tracker of semaphores, its fork server."""
    found = set()
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            said = " ".join(process.cmdline())
            server = "forkserver" in said and process.ppid() == os.getpid()  # its forks look like it
            own = "resource_tracker" in said or server
            if process.status() != psutil.STATUS_ZOMBIE and not own:
                found.add(process)
    return found


def test_an_error_where_a_row_is_told_ends_the_cells_that_run(tmp_path):
    folder = slow_submission(tmp_path / "slow", [0.0, 60.0, 60.0])
    run = prepare([str(folder)], Selection(instances=("n256-r4",)), tmp_path / "out", Limits())
    others = left_over()

    def tell(row):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.execute(jobs=2, on_row=tell)
    assert left_over() <= others
    assert len(ResultStore(tmp_path / "out").latest()) == 1


def test_an_error_where_a_row_is_told_leaves_processes_of_the_program_alone(tmp_path):
    folder = slow_submission(tmp_path / "slow", [0.0, 60.0])
    run = prepare([str(folder)], Selection(instances=("n256-r4",)), tmp_path / "out", Limits())
    foreign = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(PATIENCE,))
    foreign.start()

    def tell(row):
        raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            run.execute(jobs=2, on_row=tell)
        foreign.join(1)
        assert foreign.is_alive()
    finally:
        foreign.kill()
        foreign.join()


def test_an_interrupted_cell_in_this_process_leaves_no_process(tmp_path, monkeypatch):
    measured()  # the parents of such processes stay
    others, during = left_over(), []

    def interrupted(session, *model):
        during.extend(left_over() - others)
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "hold", interrupted)
    cell = cell_of(write(tmp_path / "mine", plain()))
    with pytest.raises(KeyboardInterrupt):
        run_cell(cell, Limits())
    assert during
    assert left_over() <= others
