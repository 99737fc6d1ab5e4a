"""``sparsebench leaderboard plot``, and ``show --plot``: files, sizes, mistakes, what goes into a pipe."""

import contextlib
import os
import struct
import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from evaluate.tiny import plain, write
from leaderboard.test_board import made
from sparsebench.results import ResultStore
from sparsebench.tasks import newest_task

MEMORIZATION, CUBE = newest_task("memorization@1"), newest_task("cube@1")
CELLS = ((MEMORIZATION, "n256-r4"), (MEMORIZATION, "n4096-r4"), (CUBE, "parity-k2-n12"))
PLOT = ("leaderboard", "plot")


@pytest.fixture
def stored(here):
    """A store with two entries of two tasks."""
    store = ResultStore(here / "sparsebench-results")
    for task, instance in CELLS:
        home = task.home(instance)
        for name, ops in (("a", 2.0**9), ("b", 2.0**11)):
            row = made(name, instance=instance, task=home, ops=ops, quality=0.75)
            store.write(replace(row, cell_key=""))
    return here


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_directory_gets_a_picture_of_each_task(cli, stored):
    outcome = cli(*PLOT, "--into", "figures")
    assert (outcome.code, outcome.err) == (0, "")
    assert sorted(outcome.out.split()) == ["figures/cube.svg", "figures/memorization.svg"]
    assert names(stored / "figures") == ["cube.svg", "memorization.svg"]
    before = (stored / "figures" / "cube.svg").read_bytes()
    assert ET.fromstring(before).get("width") == "326.4"
    assert cli(*PLOT, "--into", "figures", "--tasks", CUBE.ref).code == 0
    assert (stored / "figures" / "cube.svg").read_bytes() == before
    assert cli(*PLOT, "--into", "figures", "--by", "instance").code == 0
    panels = (stored / "figures" / "memorization-by-instance.svg").read_text().count('class="sb-panel"')
    assert panels == 2


def test_a_file_gets_one_picture(cli, stored):
    outcome = cli(*PLOT, "--into", "all.svg", "--width", "180mm", "--submissions", "b")
    assert (outcome.code, outcome.out) == (0, "all.svg\n")
    text = (stored / "all.svg").read_text()
    assert text.count('class="sb-panel"') == 2
    assert 'data-entry="b"' in text
    assert float(ET.fromstring(text).get("width")) == pytest.approx(180 / 25.4 * 96, abs=0.01)
    assert (
        cli(*PLOT, "--into", "all.svg", "--instances", "n256-r4", "--profile", "paper-router-free").code == 0
    )
    assert "without the router" in (stored / "all.svg").read_text()


def test_what_build_writes_of_a_task_is_what_plot_draws_of_it(cli, stored):
    assert cli("leaderboard", "build").code == 0
    assert {"board.svg", "cube.svg", "memorization.svg"} <= set(names(stored / "leaderboard"))
    assert cli("leaderboard", "freeze").code == 0
    assert cli(*PLOT, "--into", "figures", "--frozen", "leaderboard/board.toml").code == 0
    assert (stored / "figures" / "cube.svg").read_bytes() == (
        stored / "leaderboard" / "cube.svg"
    ).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--into", "x.jpg"), "--into: expected a directory, or a file .svg, .png or .pdf, got 'x.jpg'"),
        (("--into", "x.svg", "--formats", "png"), "--formats: expected a directory after --into, got a file"),
        (("--into", "x", "--formats", "svg,jpg"), "--formats: expected some of svg, png, pdf, got jpg"),
        (("--into", "x", "--formats", ","), "--formats: expected some of svg, png, pdf, got none"),
        (("--into", "x.svg", "--by", "instance"), "--by instance: expected one task in a file, got 2"),
        (("--into", "x", "--submissions", "c"), "no entry of this board is called 'c'"),
        (
            ("--into", "x", "--width", "3.4"),
            "--width: expected a width such as 3.4in, 86mm or 640px, got '3.4'",
        ),
        (("--into", "x", "--width", "1in"), "--width: expected a width from 2in to 40in, got '1in'"),
        (("--into", "x", "--dpi", "7"), "--dpi: expected a whole number from 36 to 1200, got '7'"),
        (("--into", "x.png", "--dpi", "1200", "--width", "40in"), "at most 100,000,000 pixels"),
        (("--into", "x", "--tasks", "lipschitz-regression@1"), "no rows of lipschitz-regression@1"),
        ((), "expected --into, got nothing"),
        (("--into", "sparsebench-results/rows"), "is the folder of a result store's rows"),
        (("--into", "mine"), "is the folder of a submission"),
        (("--into", "file/x"), "cannot write file/x/"),
        (("--into", "x", "--frozen", "board.toml", "--small"), "expected no --small"),
    ],
)
def test_mistakes_write_nothing(cli, stored, arguments, message):
    write(stored / "mine", plain())
    (stored / "file").write_text("")
    (stored / "board.toml").write_text(f'seeds = 1\n[instances]\n"{CUBE.ref}" = ["parity-k2-n12"]\n')
    before = {path: path.stat().st_mtime_ns for path in stored.rglob("*")}
    outcome = cli(*PLOT, *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert {path: path.stat().st_mtime_ns for path in stored.rglob("*")} == before


def test_without_the_extra_png_is_refused_with_the_line_that_installs_it(cli, stored, monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    for arguments in (("--into", "x.png"), ("--into", "x.pdf"), ("--into", "x", "--formats", "svg,png")):
        outcome = cli(*PLOT, *arguments)
        assert (outcome.code, "pip install 'sparsebench[figures]'" in outcome.err) == (2, True)
        assert names(stored) == ["sparsebench-results"]
    assert cli(*PLOT, "--into", "x.svg").code == 0


def test_a_png_is_as_wide_as_asked(cli, stored):
    pytest.importorskip("vl_convert", reason="pip install 'sparsebench[figures]'")
    assert cli(*PLOT, "--into", "x.png", "--tasks", CUBE.ref, "--width", "3.4in", "--dpi", "200").code == 0
    assert struct.unpack(">I", (stored / "x.png").read_bytes()[16:20]) == (680,)
    assert cli(*PLOT, "--into", "figures", "--formats", "svg,png,pdf", "--tasks", CUBE.ref).code == 0
    assert names(stored / "figures") == ["cube.pdf", "cube.png", "cube.svg"]


def test_show_draws_a_chart_of_each_task(cli, stored):
    outcome = cli("leaderboard", "show", "--plot")
    assert outcome.code == 0
    assert "\x1b" not in outcome.out  # a pipe
    assert max(map(len, outcome.out.splitlines())) <= 80
    charts = outcome.out.split("\n\n")[:-1]
    assert [text.partition(":")[0] for text in charts] == [CUBE.ref, MEMORIZATION.ref]
    assert all(len(text.splitlines()) <= 24 for text in charts)
    each = cli("leaderboard", "show", "--plot", "--by", "instance", "--submissions", "b").out
    assert [text.splitlines()[0] for text in each.split("\n\n")[:-1]] == [
        "parity-k2-n12",
        "n256-r4",
        "n4096-r4",
    ]
    for other, told in ((("--json",), "--plot or --json"), (("--format", "csv"), "--format or --plot")):
        both = cli("leaderboard", "show", "--plot", *other)
        assert (both.code, f"expected {told}, got both" in both.err) == (2, True)


SHOW = [sys.executable, "-c", "from sparsebench.cli import main; main()", "leaderboard", "show", "--plot"]


def test_where_the_output_has_no_braille_charts_are_in_ascii(stored):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    ran = subprocess.run(SHOW, capture_output=True, check=True, env=environment, timeout=120)
    assert ran.stdout.isascii()
    assert b"a 0." in ran.stdout or b"a a 0." in ran.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo-terminal on Windows")
@pytest.mark.parametrize(
    ("extra", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_a_terminal_gets_its_width_and_colours_unless_it_wants_none(stored, extra, coloured):
    import fcntl
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    environment = {
        key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES", "NO_COLOR"}
    }
    environment |= {"TERM": "xterm", "PYTHONUTF8": "1"} | extra
    with subprocess.Popen(SHOW, stdout=theirs, env=environment) as process:
        os.close(theirs)
        read = b""
        with contextlib.suppress(OSError):  # Linux says so where the other side is closed
            while part := os.read(ours, 65536):
                read += part
    os.close(ours)
    assert process.returncode == 0
    text = read.decode()
    assert ("\x1b[" in text) == coloured
    widths = [len(line.rstrip("\r")) for line in text.splitlines() if "\x1b" not in line]
    assert max(widths) <= 60
    if not coloured:
        assert max(widths) > 50
