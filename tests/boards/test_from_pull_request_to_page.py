"""A board from its first commit to a published entry: the commands of the workflows, as they stand there."""

import json
from xml.etree import ElementTree as ET

import pytest

from boards.test_report import GOOD, placed
from boards.workflows import Actions, git, read_yaml
from evaluate.tiny import plain, write
from sparsebench.boards.repository import choose, new_repository
from sparsebench.evaluate.host.parents import measured

WAYS = {"one": 0, "two": 1}
VARIANTS = "".join(f'[[variants]]\nname = "{name}"\nbias = {bias}\n\n' for name, bias in WAYS.items())
PREDICT = 'return x @ params["w"] + params["b"] + self.settings["bias"]'
ATOM = "{http://www.w3.org/2005/Atom}"


def commit(folder, words):
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", words)
    return git(folder, "rev-parse", "HEAD")


class Board:
    """A board's repository on a host, a maintainer's clone of it, and its workflows."""

    def __init__(self, place):
        self.origin, self.mine = place / "origin.git", place / "mine"
        git(place, "init", "-q", "--bare", "-b", "main", str(self.origin))
        new_repository(self.mine, choose(("memorization@2",), ("n256-r4",), 2), title="A test")
        git(self.mine, "init", "-q", "-b", "main")
        git(self.mine, "remote", "add", "origin", str(self.origin))
        commit(self.mine, "a board")
        git(self.mine, "push", "-q", "origin", "main")
        folder = self.mine / ".github" / "workflows"
        self.workflows = {path.stem: read_yaml(path.read_text()) for path in folder.iterdir()}
        self.actions = Actions(place / "actions", self.origin)

    def publish(self, meanwhile=lambda: None):
        """Run what runs after a push to the main branch, and fetch what it commits."""
        facts = {"github.token": "t", "github.sha": git(self.origin, "rev-parse", "main")}
        self.actions.run(self.workflows["publish"], "evaluate", facts)
        meanwhile()
        for job in ("publish", "deploy"):
            self.actions.run(self.workflows["publish"], job, facts)
        git(self.mine, "checkout", "-q", "main")
        git(self.mine, "pull", "-q", "origin", "main")

    def open_pull(self, head):
        """Have a pull request, number 7, whose last commit this is."""
        (self.actions.place / "open-pull").write_text(head)

    def score(self, head):
        """Run what runs for a pull request, number 7; give the folder where it ran."""
        self.open_pull(head)
        facts = {"base.sha": git(self.mine, "rev-parse", "main"), "head.sha": head, "number": "7"}
        told = {f"github.event.pull_request.{name}": value for name, value in facts.items()}
        return self.actions.run(self.workflows["board"], "score", told)

    def answer(self, head):
        """Run what answers it; give the comment."""
        event = {"head_sha": head, "id": "1", "head_branch": "pull", "head_repository.owner.login": "them"}
        facts = {f"github.event.workflow_run.{name}": value for name, value in event.items()}
        facts |= {"github.token": "t", "github.repository": "me/board"}
        self.actions.run(self.workflows["comment"], "comment", facts)
        return (self.actions.place / "comment.md").read_text()

    def merge(self, path):
        """Change a file on the main branch."""
        with (self.mine / path).open("a") as file:
            file.write("# more\n")
        commit(self.mine, path)
        git(self.mine, "push", "-q", "origin", "main")

    def published(self, path):
        return json.loads((self.mine / "public" / path).read_text())


def tables(comment):
    """Give the cells of the lines of each table, by its number of columns."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in comment.splitlines()]
    lines = [line for line in lines if line[0] == "memorization@2"]
    return {width: [line[1:] for line in lines if len(line) == width] for width in map(len, lines)}


def has_no_answer_for_who_changes_the_workflow(board):
    """Hand over a report by a pull request that touches the workflow as well."""
    mine, actions = board.mine, board.actions
    git(mine, "checkout", "-q", "-b", "evil", "pull")
    with (mine / ".github" / "workflows" / "board.yml").open("a") as file:
        file.write("# evil\n")
    evil = commit(mine, "a workflow")
    git(mine, "push", "-q", "-f", "origin", "evil:refs/pull/7/head")
    board.open_pull(evil)
    placed(actions.artifacts / "report", GOOD | {"head": evil})
    (actions.place / "comment.md").unlink()
    with pytest.raises(AssertionError, match=r"it touches \.github/workflows/board\.yml"):
        board.answer(evil)
    assert not (actions.place / "comment.md").exists()


@pytest.mark.slow
def test_a_pull_request_is_scored_answered_merged_and_published(tmp_path):
    if measured().level != "isolated":
        pytest.skip("the workflows demand a sandbox that isolates")
    board = Board(tmp_path)
    mine, actions = board.mine, board.actions

    # The board begins with what entries are compared with.
    board.publish(meanwhile=lambda: board.merge("submissions/README.md"))
    done = ["Rows and tables", "submissions/README.md", "a board"]
    assert git(mine, "log", "--format=%s").splitlines() == done
    assert len(list((mine / "results" / "rows").iterdir())) == 1
    entries = board.published("api/v1/index.json")["entries"]
    assert [entry["submission"] for entry in entries] == ["one-hidden-layer", "constant"]

    # A pull request adds a submission.
    git(mine, "checkout", "-q", "-b", "pull")
    write(mine / "submissions" / "my-entry", plain(predict=PREDICT), variants=VARIANTS)
    head = commit(mine, "a submission")
    git(mine, "push", "-q", "origin", "pull:refs/pull/7/head")
    place = board.score(head)
    assert not (place / "submissions" / "my-entry").exists()
    assert git(place, "status", "--short", "--untracked-files=no") == ""

    # It is answered, by a workflow that did not run it.
    comment = board.answer(head)
    assert comment.startswith("### my-entry\n")
    assert head[:12] in comment
    found = tables(comment)
    assert found[8] == [["0.000 (exact)", "2-3", "3", "0 %", "0.0 %", "1", "2"]]
    beside = {line[0]: line[1:] for line in found[6]}
    assert beside["one-hidden-layer"][::3] == ["dense reference", "worse"]
    assert beside["constant"][::3] == ["best constant", "not told apart"]
    assert [[line[0], line[3]] for line in found[5]] == [["one", "2 of 2"], ["two", "2 of 2"]]

    has_no_answer_for_who_changes_the_workflow(board)

    # It is merged, and published.
    git(mine, "push", "-q", "origin", "pull:main")
    board.publish()
    cells = board.published("api/v1/entries/my-entry.json")["cells"]
    assert [(cell["variant"], cell["seed"]) for cell in cells] == [(way, k) for way in WAYS for k in (0, 1)]
    feed = ET.parse(mine / "public" / "feed.xml").getroot()
    titles = [entry.findtext(f"{ATOM}title") for entry in feed.findall(f"{ATOM}entry")]
    assert titles[-1] == "The board begins"
    assert "my-entry enters" in titles
    assert (actions.place / "site" / "feed.xml").read_bytes() == (mine / "public" / "feed.xml").read_bytes()
    assert "A test" in (mine / "public" / "board.md").read_text()

    # Nothing happens where nothing is new.
    before = git(mine, "rev-parse", "HEAD")
    board.publish()
    assert git(mine, "rev-parse", "HEAD") == before

    # Rows of another board than the one that there is now are not kept.
    with pytest.raises(AssertionError, match=r"git diff --exit-code(.|\n)*board\.toml"):
        board.publish(meanwhile=lambda: board.merge("board.toml"))
    assert git(board.origin, "log", "-1", "--format=%s", "main") == "board.toml"
    calls = actions.calls.read_text().splitlines()
    assert {call.split()[0] for call in calls} == {"pip", "sudo", "gh"}
    assert "gh pr comment 7 --body-file comment.md" in calls
