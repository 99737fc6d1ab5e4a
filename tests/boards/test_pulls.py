"""What pull requests may touch. All of them are commits in a repository made for the test."""

import os
import subprocess
import zlib
from hashlib import sha1
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boards.workflows import git
from evaluate.tiny import plain, write
from sparsebench.boards import pulls
from sparsebench.boards.pulls import LARGEST_FILE, MOST_FILES, check_pull, content_of, export
from sparsebench.errors import UsageError
from sparsebench.ground.line_ends import ATTRIBUTES

INSIDE = "submissions/mine"


@pytest.fixture
def board(tmp_path):
    """A repository with a board, on its branch for a pull request."""
    folder = tmp_path / "board"
    (folder / "results" / "rows").mkdir(parents=True)
    (folder / "results" / "rows" / "a.parquet").write_bytes(b"rows")
    (folder / ".github" / "workflows").mkdir(parents=True)
    (folder / ".github" / "workflows" / "board.yml").write_text("on: push\n")
    (folder / "board.toml").write_text('seeds = 1\n[instances]\n"memorization@1" = ["n256-r4"]\n')
    write(folder / "submissions" / "old", plain())
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "a board")
    git(folder, "checkout", "-q", "-b", "pull")
    return folder


def committed(board):
    git(board, "add", "-A", "-f")
    git(board, "commit", "-q", "--allow-empty", "-m", "a pull request")


def refused(board, why, *, head="pull"):
    with pytest.raises(UsageError, match="the pull request cannot be scored") as caught:
        check_pull(board, "main", head)
    assert why in caught.value.what
    assert caught.value.what.isprintable()
    assert caught.value.exit_code == 2


def add(board, path, content=b"", mode="100644"):
    """Put something into the index that the file system may not have, and commit it."""
    name = git(board, "hash-object", "-w", "--stdin", input=content)
    git(board, "update-index", "--add", "--cacheinfo", f"{mode},{name},{path}")
    git(board, "commit", "-q", "-m", "more")


def test_one_new_folder_may_be_scored(board, tmp_path):
    write(board / INSIDE, plain())
    (board / INSIDE / ".gitattributes").write_text(ATTRIBUTES)
    (board / INSIDE / "data" / "more").mkdir(parents=True)
    (board / INSIDE / "data" / "more" / "table.csv").write_text("1\n")
    committed(board)
    pull = check_pull(board, "main", "pull")
    assert pull.name == "mine"
    assert (pull.base, pull.head) == (git(board, "rev-parse", "main"), git(board, "rev-parse", "pull"))
    names = [".gitattributes", "data/more/table.csv", "submission.py", "submission.toml"]
    assert [blob.path for blob in pull.files] == [f"{INSIDE}/{name}" for name in names]
    export(board, pull.files, tmp_path / "out")
    for blob in pull.files:
        assert (tmp_path / "out" / blob.path).read_bytes() == content_of(board, blob)
        assert blob.size == len(content_of(board, blob))


def test_what_the_board_did_meanwhile_is_not_the_pull_requests(board):
    write(board / INSIDE, plain())
    committed(board)
    git(board, "checkout", "-q", "main")
    (board / "README.md").write_text("words\n")
    committed(board)
    assert check_pull(board, "main", "pull").name == "mine"
    git(board, "checkout", "-q", "pull")
    git(board, "merge", "-q", "main", "-m", "merge")
    assert check_pull(board, "main", "pull").name == "mine"


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/board.yml",
        ".github/workflows/mine.yml",
        "board.toml",
        "results/rows/mine.parquet",
        "results/rows/a.parquet",
        "public/index.html",
        "requirements.txt",
        "submissions/common.py",
        "submissions/old/submission.py",
        "submissions/old/more.py",
        "sitecustomize.py",
    ],
)
@pytest.mark.parametrize("beside", [True, False])
def test_anything_else_is_refused(board, path, beside):
    if beside:
        write(board / INSIDE, plain())
    (board / path).parent.mkdir(parents=True, exist_ok=True)
    (board / path).write_text("mine\n")
    committed(board)
    with pytest.raises(UsageError, match="the pull request cannot be scored"):
        check_pull(board, "main", "pull")


def test_two_new_folders_are_refused(board):
    write(board / INSIDE, plain())
    write(board / "submissions" / "second", plain())
    committed(board)
    refused(board, "it touches 2 folders under submissions: mine, second")


def test_a_pull_request_that_changes_nothing_is_refused(board):
    committed(board)
    refused(board, "it changes nothing")


def test_a_file_that_is_removed_or_moved_is_refused(board):
    git(board, "mv", "submissions/old", INSIDE)
    committed(board)
    refused(board, "it touches 2 folders")


@pytest.mark.parametrize(("mode", "kind"), [("120000", "a symbolic link")])
@pytest.mark.parametrize("target", [b"/etc/passwd", b"../../board.toml", b"submission.py"])
def test_links_are_refused(board, mode, kind, target):
    write(board / INSIDE, plain())
    committed(board)
    add(board, f"{INSIDE}/link", target, mode)
    refused(board, f"{INSIDE}/link is {kind}")


def test_a_folder_that_is_a_link_is_refused(board):
    add(board, "submissions/mine", b"/etc", "120000")
    refused(board, "it touches submissions/mine")


def test_submodules_are_refused(board):
    write(board / INSIDE, plain())
    committed(board)
    head = git(board, "rev-parse", "HEAD")
    git(board, "update-index", "--add", "--cacheinfo", f"160000,{head},{INSIDE}/module")
    git(board, "commit", "-q", "-m", "a submodule")
    refused(board, f"{INSIDE}/module is a submodule")


@pytest.mark.parametrize(
    "name",
    [
        "a b.py",
        "-rf",
        ".env",
        "a;b.py",
        "$(id).py",
        "a\nb.py",
        "\x1b[31m.py",
        "naïve.py",
        "a/b/c/d/e/f/g.py",
        "x/.git2/y",
    ],
)
def test_names_that_are_not_plain_are_refused(board, name):
    write(board / INSIDE, plain())
    committed(board)
    add(board, f"{INSIDE}/{name}", b"1")
    refused(board, "expected names of letters, digits, _, ., + and -")


@pytest.mark.parametrize("name", ["Mine", "my_router", "a--b", "a" * 65, "-a", "common.py", "$(id)", "a b"])
def test_folders_that_no_submission_may_be_called_are_refused(board, name):
    add(board, f"submissions/{name}/submission.toml", b"")
    refused(board, "expected lower-case letters, digits and hyphens")


@given(
    st.one_of(st.text(), st.lists(st.sampled_from([".", "..", "", "a", ".git", "-x", "b.py"])).map("/".join))
)
def test_a_plain_path_stays_inside_and_is_seen(path):
    if pulls._is_plain(path):
        assert not PurePosixPath(path).is_absolute()
        assert PurePosixPath(path).as_posix() == path
        assert path == ".gitattributes" or not any(part[0] in ".-" for part in path.split("/"))


def _tree(board, *entries):
    """Store a tree as it is given: git itself refuses to make such ones."""
    content = b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(of) for mode, name, of in entries)
    raw = b"tree %d\0" % len(content) + content
    digest = sha1(raw, usedforsecurity=False).hexdigest()
    place = board / ".git" / "objects" / digest[:2]
    place.mkdir(exist_ok=True)
    (place / digest[2:]).write_bytes(zlib.compress(raw))
    return digest


@pytest.mark.parametrize("name", [b"..", b".", b".git"])
def test_a_tree_that_leads_out_of_its_folder_is_refused(board, tmp_path, name):
    blob = git(board, "hash-object", "-w", "--stdin", input=b"evil")
    manifest = git(board, "hash-object", "-w", "--stdin", input=b"[submission]")
    inner = _tree(board, ("100644", b"board.toml", blob))
    mine = _tree(board, ("40000", name, inner), ("100644", b"submission.toml", manifest))
    old = git(board, "rev-parse", "main:submissions/old")
    submissions = _tree(board, ("40000", b"mine", mine), ("40000", b"old", old))
    kept = [
        (mode.lstrip("0"), path.encode(), of)
        for mode, _, of, path in (line.split() for line in git(board, "ls-tree", "main").splitlines())
        if path != "submissions"
    ]
    top = _tree(board, *kept, ("40000", b"submissions", submissions))
    head = git(board, "commit-tree", top, "-p", "main", "-m", "evil")
    refused(board, "expected names of letters", head=head)


def test_large_files_and_folders_are_refused(board):
    write(board / INSIDE, plain())
    (board / INSIDE / "huge.bin").write_bytes(b"x" * (LARGEST_FILE + 1))
    committed(board)
    refused(board, f"huge.bin has {LARGEST_FILE + 1:,} bytes")
    (board / INSIDE / "huge.bin").unlink()
    for number in range(5):
        (board / INSIDE / f"{number}.bin").write_bytes(os.urandom(8) * (LARGEST_FILE // 8))
    committed(board)
    refused(board, "has 7 files and 5,")


def test_many_files_are_refused(board):
    write(board / INSIDE, plain())
    for number in range(MOST_FILES):
        (board / INSIDE / f"{number}.txt").write_text("")
    committed(board)
    refused(board, f"has {MOST_FILES + 2} files")


def test_names_that_some_systems_take_for_one_are_refused(board):
    write(board / INSIDE, plain())
    committed(board)
    add(board, f"{INSIDE}/Submission.py", b"evil")
    refused(board, "differ by case alone")


def test_attributes_of_its_own_are_refused(board):
    write(board / INSIDE, plain())
    (board / INSIDE / ".gitattributes").write_text("* filter=evil\n")
    committed(board)
    refused(board, "expected what `sparsebench new` writes there")


def test_a_folder_without_a_manifest_is_refused(board):
    add(board, f"{INSIDE}/submission.py", b"1")
    refused(board, "there is no submissions/mine/submission.toml")


def test_a_folder_that_the_board_has_is_refused(board):
    git(board, "checkout", "-q", "main")
    write(board / INSIDE, plain())
    committed(board)
    git(board, "checkout", "-q", "pull")
    write(board / INSIDE, plain())
    (board / INSIDE / "other.py").write_text("1")
    committed(board)
    refused(board, "submissions/mine/ is there already")


@pytest.mark.parametrize("name", ["nowhere", "--upload-pack=evil", "-h", "", "main..pull"])
def test_what_is_no_commit_is_told(board, name):
    with pytest.raises(UsageError, match="there is no commit"):
        check_pull(board, "main", name)


def test_commits_of_other_histories_are_told(board):
    git(board, "checkout", "-q", "--orphan", "other")
    committed(board)
    with pytest.raises(UsageError, match="no commit in common"):
        check_pull(board, "main", "other")


def test_without_git_it_is_told(board, monkeypatch):
    def missing(*_, **__):
        raise FileNotFoundError(2, "No such file or directory", "git")

    monkeypatch.setattr(subprocess, "run", missing)
    with pytest.raises(UsageError, match="cannot run git"):
        check_pull(board, "main", "pull")


def test_hooks_and_filters_of_the_clone_are_not_run(board, tmp_path):
    write(board / INSIDE, plain())
    committed(board)
    git(board, "config", "filter.evil.smudge", f"touch {tmp_path / 'ran'}")
    pull = check_pull(board, "main", "pull")
    export(board, pull.files, tmp_path / "out")
    assert not (tmp_path / "ran").exists()


def test_a_history_with_two_places_to_begin_at_is_refused(board):
    """Merging it brings what an earlier pull request had changed and taken back: no tree shows it."""
    (board / "requirements.txt").write_text("sparsebench\n")
    git(board, "checkout", "-q", "main")
    committed(board)
    git(board, "checkout", "-q", "-B", "earlier")
    (board / "requirements.txt").write_text("evil\n")
    committed(board)
    git(board, "checkout", "-q", "-b", "kept")
    (board / "note").write_text("1")
    committed(board)
    git(board, "checkout", "-q", "earlier")
    (board / "requirements.txt").write_text("sparsebench\n")
    committed(board)
    taken_back = git(board, "rev-parse", "HEAD")
    git(board, "merge", "-q", "-s", "ours", "kept", "-m", "an earlier pull request")
    git(board, "checkout", "-q", "main")
    git(board, "merge", "-q", "--no-ff", "earlier", "-m", "merged")
    assert (board / "requirements.txt").read_text() == "sparsebench\n"
    git(board, "checkout", "-q", "-B", "pull", "kept")
    git(board, "merge", "-q", "-s", "ours", taken_back, "-m", "two places")
    write(board / INSIDE, plain())
    committed(board)
    head = git(board, "rev-parse", "HEAD")
    git(board, "checkout", "-q", "main")
    git(board, "merge", "-q", "pull", "-m", "merged")
    assert (board / "requirements.txt").read_text() == "evil\n"
    git(board, "reset", "-q", "--hard", "HEAD~1")
    refused(board, "2 commits that both histories have", head=head)


def test_a_history_that_begins_where_the_board_never_was_is_refused(board):
    """What ran for it ran with what an earlier pull request had changed, before that was taken back."""
    git(board, "checkout", "-q", "-B", "earlier")
    (board / ".github" / "workflows" / "board.yml").write_text("evil\n")
    committed(board)
    never = git(board, "rev-parse", "HEAD")
    (board / ".github" / "workflows" / "board.yml").write_text("on: push\n")
    committed(board)
    git(board, "checkout", "-q", "main")
    git(board, "merge", "-q", "--no-ff", "earlier", "-m", "merged")
    git(board, "checkout", "-q", "-B", "pull", never)
    write(board / INSIDE, plain())
    committed(board)
    refused(board, f"it begins at {never[:12]}, where the board never was")
    git(board, "merge", "-q", "main", "-m", "as the error says")
    assert check_pull(board, "main", "pull").name == "mine"


def test_a_folder_that_was_there_where_it_begins_is_refused(board):
    """Git may add its files to wherever the board has moved that folder meanwhile."""
    git(board, "checkout", "-q", "main")
    git(board, "mv", "submissions/old", "submissions/renamed")
    committed(board)
    git(board, "checkout", "-q", "pull")
    (board / "submissions" / "old" / "more.py").write_text("evil")
    committed(board)
    refused(board, "submissions/old/ was there already")


@pytest.mark.parametrize(
    "name", ["aux.py", "CON", "nul.tar.gz", "com1", "data/lpt9.csv", "a.", "data./b.csv"]
)
def test_names_that_a_system_has_no_file_for_are_refused(board, name):
    write(board / INSIDE, plain())
    committed(board)
    add(board, f"{INSIDE}/{name}", b"1")
    refused(board, "which no file of Windows can be called")


@pytest.mark.parametrize("name", ["con", "nul", "lpt1"])
def test_folders_that_a_system_has_no_file_for_are_refused(board, name):
    add(board, f"submissions/{name}/submission.toml", b"")
    refused(board, "which no file of Windows can be called")
