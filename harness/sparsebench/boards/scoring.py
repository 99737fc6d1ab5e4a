"""Running submissions on a board's instances and seeds: those of a repository, and that of a pull request."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sparsebench.boards.folders import open_submission, open_submissions, rows_of
from sparsebench.boards.pulls import SUBMISSIONS, check_pull, export, tree_of
from sparsebench.boards.report import REPORT, Beside, Report, TaskReport, VariantReport, is_name
from sparsebench.errors import UsageError
from sparsebench.evaluate.plan import Limits, Selection, serves
from sparsebench.evaluate.run import prepare
from sparsebench.ground.replacing import replace_all
from sparsebench.leaderboard.frozen import FILE_NAME, read_frozen
from sparsebench.leaderboard.standard import REFERENCES, Choice, board_of
from sparsebench.models import find_submission, shipped_names
from sparsebench.results import ResultStore
from sparsebench.tasks import load_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sparsebench.boards.pulls import Pull
    from sparsebench.evaluate.run import Run
    from sparsebench.leaderboard.board import Board, Entry, TaskScore
    from sparsebench.leaderboard.frozen import Frozen
    from sparsebench.models import SubmissionFolder
    from sparsebench.results import Row

    Told = Callable[[Row], None]

__all__ = ["RESULTS", "evaluate_missing", "score_pull"]

RESULTS = "results"
"""The folder of a board's repository that has the rows."""

_CONSTANT = "constant"


def evaluate_missing(
    repository: Path, *, require_sandbox: str, jobs: int, on_row: Told = lambda _: None
) -> int:
    """Run the cells of a board that have no row: of its submissions, and of what they are compared with.

    Those are the dense references of its tasks and the best constant, which come with sparsebench. A cell
    that has failed is not run again: its code and its data are the same.

    Parameters
    ----------
    repository
        The folder with ``board.toml``, ``submissions`` and ``results``.
    require_sandbox
        The weakest sandbox to run in: ``none``, ``restricted`` or ``isolated``.
    jobs
        Cells at once.
    on_row
        Called with every row.

    Returns
    -------
    int
        How many cells ran.

    Raises
    ------
    UsageError
        There is no ``board.toml``; or a submission is wrong, is called otherwise than its folder, or like
        another one that comes with sparsebench.
    SandboxError
        The sandbox is weaker than required.
    """
    frozen = read_frozen(repository / FILE_NAME)
    folders = open_submissions(repository / SUBMISSIONS)
    taken = {folder.manifest.name for folder in folders}
    compared = sorted(
        {_CONSTANT, *(REFERENCES.get(ref.partition("@")[0], _CONSTANT) for ref in frozen.instances)}
    )
    folders += [find_submission(name) for name in compared if name not in taken and name in shipped_names()]
    store = ResultStore(repository / RESULTS)
    known = {row.cell_key for row in store.rows()}
    ran = 0
    limits = Limits(require_sandbox=require_sandbox, gpu=False)
    for run in _runs(folders, frozen, store.path, limits):
        run.cells = [cell for cell in run.cells if cell.key not in known]
        ran += len(run.execute(jobs=jobs, on_row=on_row)) if run.cells else 0
    store.compact()
    return ran


def score_pull(
    repository: Path,
    base: str,
    head: str,
    into: Path,
    *,
    require_sandbox: str,
    jobs: int,
    on_row: Told = lambda _: None,
) -> Report:
    """Score the submission that a pull request adds, and write ``report.json``.

    The board (``board.toml``, rows, modules that submissions share) is that of the base commit, and the
    harness is the installed one. Only the folder of the submission is the pull request's.

    Parameters
    ----------
    repository
        A clone that has both commits. Its working tree is not used.
    base, head
        The board's commit, and the last one of the pull request.
    into
        Folder for the report; made if missing.
    require_sandbox, jobs, on_row
        As for `evaluate_missing`.

    Raises
    ------
    UsageError
        The pull request cannot be scored: see :func:`sparsebench.boards.pulls.check_pull`; or the submission
        is wrong, is called like one that comes with sparsebench, or answers no task of the board.
    SandboxError
        The sandbox is weaker than required.
    """
    pull = check_pull(repository, base, head)
    with tempfile.TemporaryDirectory(prefix="sparsebench-pull-") as scratch:
        work = Path(scratch)
        _lay_out(repository, pull, work)
        frozen = read_frozen(work / FILE_NAME)
        folder = open_submission(work / SUBMISSIONS / pull.name)
        limits = Limits(require_sandbox=require_sandbox, gpu=False)
        ran: list[Row] = []
        for run in _runs([folder], frozen, work / "own", limits):
            ran += run.execute(jobs=jobs, on_row=on_row)
        if not ran:
            refs = ", ".join(sorted(frozen.instances))
            message = f"{pull.name} answers none of the board's tasks, expected one or more of {refs}"
            raise UsageError(message, help="name them in `tasks` of its submission.toml")
        rows = rows_of([*ResultStore(work / RESULTS).rows(), *ran], work / SUBMISSIONS)
    report = _report(pull, folder.hash, rows, frozen)
    try:
        replace_all({into / REPORT: report.content()})
    except OSError as fault:
        message = f"cannot write {into / REPORT}: {fault.strerror or fault}"
        raise UsageError(message, help="give a folder that can be written to") from fault
    return report


def _lay_out(repository: Path, pull: Pull, work: Path) -> None:
    """Write the board of the base commit, and the pull request's folder, where nothing else is."""
    blobs = [blob for blob in tree_of(repository, pull.base, FILE_NAME) if blob.path == FILE_NAME]
    for folder in (f"{SUBMISSIONS}/", f"{RESULTS}/rows/"):
        blobs += tree_of(repository, pull.base, folder)
    export(repository, [*blobs, *pull.files], work)


def _runs(folders: Sequence[SubmissionFolder], frozen: Frozen, store: Path, limits: Limits) -> Iterator[Run]:
    """Yield a run for each task of the board that submissions answer."""
    for ref, instances in sorted(frozen.instances.items()):
        task = load_task(ref)
        answering = [str(folder.path) for folder in folders if serves(folder, task)]
        if answering:
            selection = Selection((ref,), instances, (), tuple(range(frozen.seeds)))
            yield prepare(answering, selection, store, limits)


def _report(pull: Pull, state: str, rows: Sequence[Row], frozen: Frozen) -> Report:
    tasks = [load_task(ref) for ref in sorted(frozen.instances)]
    board = board_of(rows, tasks, Choice(frozen=frozen))
    entry = next(entry for entry in board.entries if entry.submission == pull.name)
    assert board.scoring_version is not None
    assert board.cost_model is not None
    return Report(
        format=1,
        head=pull.head,
        submission=pull.name,
        submission_hash=state,
        scoring_version=board.scoring_version,
        cost_model=board.cost_model,
        tasks=[
            _task_report(board, number, entry, score)
            for number, score in enumerate(entry.tasks)
            if score is not None
        ],
    )


def _task_report(board: Board, number: int, entry: Entry, score: TaskScore) -> TaskReport:
    return TaskReport(
        task=score.task,
        instances=len(score.areas),
        seeds=board.seeds,
        score=score.score,
        low=score.low,
        high=score.high,
        exact=score.exact,
        rank_best=None if score.rank is None else score.rank.best,
        rank_worst=None if score.rank is None else score.rank.worst,
        ranked=sum(other.rank is not None for _, other in board.ranked(number)),
        router_share=score.router_share,
        failed_share=score.failed_share,
        variants=[
            VariantReport(
                variant=point.variant,
                ops=point.ops,
                quality=point.quality_mean,
                cells=point.n_cells,
                ok=dict(point.statuses).get("ok", 0),
            )
            for point in score.points
        ],
        beside=list(_compared(board, number, entry, score)),
    )


def _compared(board: Board, number: int, entry: Entry, own: TaskScore) -> Iterator[Beside]:
    """Yield the entries that a new one is compared with, each once."""
    scores = {other.submission: score for other, score in board.ranked(number)}
    ranked = [name for name, score in scores.items() if score.rank is not None]
    place = ranked.index(entry.submission) if entry.submission in ranked else len(ranked)
    wanted = {
        "reference": board.tasks[number].reference,
        "constant": _CONSTANT,
        "first": next(iter(ranked), None),
        "above": ranked[place - 1] if 0 < place < len(ranked) else None,
        "below": ranked[place + 1] if place + 1 < len(ranked) else None,
    }
    named = {entry.submission}
    for role, name in wanted.items():
        # Rows may have names that no submission.toml may have: no report repeats them.
        if name is not None and name in scores and name not in named and is_name(name):
            named.add(name)
            yield Beside.model_validate(
                {
                    "submission": name,
                    "role": role,
                    "score": scores[name].score,
                    "difference": own.score - scores[name].score,
                    "verdict": _verdict(board, number, entry.submission, name),
                }
            )


def _verdict(board: Board, number: int, own: str, other: str) -> str:
    for pair in board.pairs[number]:
        if {pair.first, pair.second} == {own, other}:
            return {own: "better", other: "worse"}.get(pair.winner or "", "not told apart")
    return "not ranked"
