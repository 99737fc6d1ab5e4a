"""Writing a board into a folder: blocks in README.md, the page, LaTeX, sheets and pictures, all or none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sparsebench.errors import UsageError
from sparsebench.ground.replacing import replace_all, replace_text
from sparsebench.leaderboard.findings import findings_markdown
from sparsebench.leaderboard.frozen import FILE_NAME, frozen_text
from sparsebench.leaderboard.latex import latex
from sparsebench.leaderboard.parquet import parquet
from sparsebench.leaderboard.pictures import pictures_of
from sparsebench.leaderboard.sheets import csv
from sparsebench.leaderboard.tables import markdown

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from sparsebench.leaderboard.board import Board
    from sparsebench.leaderboard.findings import Finding

__all__ = [
    "board_files",
    "check_place",
    "freeze_board",
    "update_between_markers",
    "write_between_markers",
    "write_leaderboard",
    "write_pictures",
]

_BLOCK = "board"
_FINDINGS = "findings"
_README = "README.md"
_SHEETS = ("board", "points", "areas")  # names of the files of scores, points and areas
_NEW_README = """# Leaderboard

<!-- sparsebench:findings:begin -->
<!-- sparsebench:findings:end -->

![Quality against active operations per input, for each task](board.svg)

`sparsebench leaderboard findings` makes the sentences above, and `sparsebench leaderboard build` the tables
below and the pictures, from stored rows. Do not edit between the markers.

<!-- sparsebench:board:begin -->
<!-- sparsebench:board:end -->
"""


def update_between_markers(text: str, name: str, block: str) -> str:
    """Return the text with everything between two markers replaced.

    Parameters
    ----------
    text
        A Markdown document with ``<!-- sparsebench:NAME:begin -->`` and ``<!-- sparsebench:NAME:end -->``.
    name
        Name of the block.
    block
        The new text, on lines of its own.

    Raises
    ------
    UsageError
        A marker is missing, there are several, or they are in the wrong order.
    """
    begin, end = (f"<!-- sparsebench:{name}:{side} -->" for side in ("begin", "end"))
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise UsageError(
            f"found {text.count(begin)} '{begin}' and {text.count(end)} '{end}', expected one of each",
            help="put both markers, each on a line of its own, where the table belongs",
        )
    head, rest = text.split(begin)
    _, tail = rest.split(end)
    return f"{head}{begin}\n\n{block.strip()}\n\n{end}{tail}"


def write_between_markers(page: str | os.PathLike[str], blocks: Mapping[str, str]) -> None:
    """Replace what is between the markers of a Markdown file, all blocks or none.

    Parameters
    ----------
    page
        The file, as `update_between_markers` expects it.
    blocks
        Name of each block -> its new text.

    Raises
    ------
    UsageError
        A marker is missing, there are several, or they are in the wrong order; the file is as it was.
    """
    path = Path(page)
    text = path.read_text(encoding="utf-8")
    for name, block in blocks.items():
        text = update_between_markers(text, name, block)
    replace_text(path, text)


def board_files(board: Board, *, pictures: str = "") -> dict[str, bytes]:
    """Return path -> content of what every written board has: its tables as LaTeX and CSV, and its pictures.

    Parameters
    ----------
    board
        The board. The same one makes the same files.
    pictures
        The folder of the pictures, with ``/`` at its end; empty for none.
    """
    sheets = zip(_SHEETS, csv(board), strict=True)
    texts = {"board.tex": latex(board), **{f"{name}.csv": text for name, text in sheets}}
    texts |= {f"{pictures}{name}": picture.svg() for name, picture in pictures_of(board).items()}
    return {name: text.encode() for name, text in texts.items()}


def write_leaderboard(
    board: Board,
    directory: str | os.PathLike[str],
    *,
    said: Sequence[Finding] = (),
    page: str | None = None,
    with_parquet: bool = False,
) -> list[Path]:
    """Write ``README.md`` (its marked blocks), ``board.tex``, the sheets as CSV, and the page ``index.html``.

    The sheets are ``board.csv`` (scores), ``points.csv`` (variants) and ``areas.csv`` (instances).

    What `sparsebench.leaderboard.findings` found is put between markers called ``findings``, where README.md
    has them.

    ``board.svg`` shows the curves of all tasks, and each task has a picture of its own, under its name.

    All texts are made and stored in the targets' folder before the first file is replaced; if a replacement
    fails, the files already replaced are restored. A missing README.md is made.

    Parameters
    ----------
    board
        The board. The same one makes the same files.
    directory
        The folder; made if missing.
    said
        The findings.
    with_parquet
        Whether to write the sheets as Parquet, too: ``board.parquet``, ``points.parquet`` and
        ``areas.parquet``. If one of them is there, they are always written, so that none is out of date.

    Returns
    -------
    list of pathlib.Path
        The files written.

    Raises
    ------
    UsageError
        README.md lacks the markers or is not text, or a file cannot be written. Nothing is changed then.
    """
    folder = Path(directory)
    check_place(folder)
    readme = _readme(folder / _README, markdown(board), findings_markdown(said))
    contents = {**board_files(board), _README: readme.encode()}
    if with_parquet or any((folder / f"{name}.parquet").exists() for name in _SHEETS):
        contents |= {f"{name}.parquet": file for name, file in zip(_SHEETS, parquet(board), strict=True)}
    if page is not None:
        contents["index.html"] = page.encode()
    try:
        replace_all({folder / name: content for name, content in contents.items()})
    except OSError as fault:
        raise UsageError(
            f"cannot write the leaderboard in {folder}: {fault.strerror or fault}",
            help="give a folder that can be written to",
        ) from fault
    return [folder / name for name in contents]


def write_pictures(contents: Mapping[Path, bytes]) -> list[Path]:
    """Write files of pictures, all or none; their folders are made where they are missing.

    Returns
    -------
    list of pathlib.Path
        The files written.

    Raises
    ------
    UsageError
        A folder belongs to something else, or a file cannot be written. Nothing is changed then.
    """
    for folder in {path.parent for path in contents}:
        check_place(folder)
    try:
        replace_all(contents)
    except OSError as fault:
        raise UsageError(
            f"cannot write {', '.join(map(str, contents))}: {fault.strerror or fault}",
            help="give a place that can be written to",
        ) from fault
    return list(contents)


def check_place(folder: Path) -> None:
    """Refuse folders that belong to something else and that tables or pictures would change.

    Raises
    ------
    UsageError
        It is the folder of a submission, or of a store's rows.
    """
    owner = None
    if (folder / "submission.toml").exists():
        owner = "a submission, whose hash they would change"
    elif folder.name == "rows" and any(folder.glob("*.parquet")):
        owner = "a result store's rows"
    if owner:
        message = f"cannot write tables into {folder}: it is the folder of {owner}"
        raise UsageError(message, help="give another folder, such as leaderboard")


def freeze_board(board: Board, directory: str | os.PathLike[str]) -> Path:
    """Write ``board.toml``: the instances and seeds that the board has from then on.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    UsageError
        There is one already, or it cannot be written.
    """
    path = Path(directory) / FILE_NAME
    check_place(path.parent)
    if path.exists():
        raise UsageError(
            f"{path} is there already: a board that is published stays what it is",
            help="remove it to make another board",
        )
    try:
        replace_all({path: frozen_text(board).encode()})
    except OSError as fault:
        raise UsageError(
            f"cannot write {path}: {fault.strerror or fault}", help="give a folder that can be written to"
        ) from fault
    return path


def _readme(path: Path, block: str, said: str) -> str:
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        text = _NEW_README
    except (OSError, UnicodeDecodeError) as fault:
        raise UsageError(
            f"cannot read {path} as UTF-8 text: {fault}", help="move it away to have it made anew"
        ) from fault
    try:
        if f"sparsebench:{_FINDINGS}:" in text:
            text = update_between_markers(text, _FINDINGS, said)
        return update_between_markers(text, _BLOCK, block)
    except UsageError as fault:
        raise UsageError(f"{path}: {fault.what}", help=fault.help) from fault
