"""The workflows that `sparsebench board new` writes: who may do what, and that no text becomes a command."""

import re

import pytest

from boards.workflows import read_yaml
from sparsebench.boards.repository import new_repository
from sparsebench.leaderboard.frozen import Frozen

NAMES = ("board", "comment", "publish")
RIGHTS = {
    ("board", "score"): {"contents": "read"},
    ("comment", "comment"): {"contents": "read", "actions": "read", "pull-requests": "write"},
    ("publish", "evaluate"): {"contents": "read"},
    ("publish", "publish"): {"contents": "write"},
    ("publish", "deploy"): {"pages": "write", "id-token": "write"},
}
TRIGGERS = {
    "board": {"pull_request": {"branches": ["main"]}},
    "comment": {"workflow_run": {"workflows": ["board"], "types": ["completed"]}},
    "publish": {"push": {"branches": ["main"]}},
}


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("boards") / "my-board"
    new_repository(folder, Frozen(2, {"memorization@1": ("n256-r4",)}), title="My board (2)")
    return {name: (folder / ".github" / "workflows" / f"{name}.yml").read_text() for name in NAMES}


@pytest.fixture(scope="module")
def workflows(texts):
    return {name: read_yaml(text) for name, text in texts.items()}


def jobs(workflows):
    for name, workflow in workflows.items():
        for job, told in workflow["jobs"].items():
            yield name, job, {"permissions": workflow["permissions"], **told}


def test_each_has_its_trigger_and_each_job_its_rights(workflows):
    assert {name: workflow["on"] for name, workflow in workflows.items()} == TRIGGERS
    assert {name: workflow["name"] for name, workflow in workflows.items()} == {name: name for name in NAMES}
    assert {(name, job): told["permissions"] for name, job, told in jobs(workflows)} == RIGHTS
    assert all(told["timeout-minutes"] > 0 for *_, told in jobs(workflows))


def test_nothing_runs_in_the_context_of_the_board_for_a_pull_request(texts):
    assert not any("pull_request_target" in text for text in texts.values())


def test_no_expression_is_in_a_command(workflows):
    for name, job, told in jobs(workflows):
        for step in told["steps"]:
            assert "${{" not in step.get("run", ""), (name, job)
            assert step.get("shell") is None


def test_variables_in_commands_are_quoted(workflows):
    for *_, told in jobs(workflows):
        for step in told["steps"]:
            bare = re.sub(r'"[^"]*"', "", step.get("run", ""))
            assert "$" not in bare, step


def test_a_pull_request_gets_no_secret_and_no_code_of_it_is_checked_out(texts, workflows):
    text = texts["board"]
    assert "secrets." not in text
    assert "github.token" not in text
    (checkout,) = [
        step["with"]
        for step in workflows["board"]["jobs"]["score"]["steps"]
        if step.get("uses", "").startswith("actions/checkout")
    ]
    assert checkout == {
        "ref": "${{ github.event.pull_request.base.sha }}",
        "fetch-depth": 0,
        "persist-credentials": False,
    }
    assert not re.search(r"git (checkout|merge|switch|pull)", text)


def test_only_facts_that_nobody_chooses_are_used_but_to_find_a_pull_request(texts):
    chosen = {
        "github.event.workflow_run.head_branch",
        "github.event.workflow_run.head_repository.owner.login",
    }
    allowed = {
        "github.event.pull_request.base.sha",
        "github.event.pull_request.head.sha",
        "github.event.pull_request.number",
        "github.event.workflow_run.head_sha",
        "github.event.workflow_run.id",
        "needs.evaluate.outputs.commit",
        "steps.board.outputs.commit",
        "github.repository",
        "github.token",
    }
    used = {found for text in texts.values() for found in re.findall(r"\$\{\{ (.*?) \}\}", text)}
    assert used == allowed | chosen
    assert all(texts["comment"].count(name) == 1 for name in chosen)
    assert not any(name in texts[other] for name in chosen for other in ("board", "publish"))


def test_tokens_are_where_they_are_needed_alone(workflows):
    for name, _, told in jobs(workflows):
        assert "GH_TOKEN" not in told.get("env", {})
        holders = [step for step in told["steps"] if "GH_TOKEN" in step.get("env", {})]
        assert all(step["run"].startswith("gh ") for step in holders)
        assert bool(holders) == bool(
            {told["permissions"].get(of) for of in ("pull-requests", "contents")} & {"write"}
        )
        checkouts = [s["with"] for s in told["steps"] if s.get("uses", "").startswith("actions/checkout")]
        assert all(given["persist-credentials"] is False for given in checkouts), name


def test_who_runs_submissions_may_only_read_and_keeps_no_credentials(workflows):
    running = 0
    for *_, told in jobs(workflows):
        steps = told["steps"]
        lines = [step["run"] for step in steps if re.search(r"board (score|update)", step.get("run", ""))]
        if lines:
            running += 1
            assert told["permissions"] == {"contents": "read"}
            checkouts = [s["with"] for s in steps if s.get("uses", "").startswith("actions/checkout")]
            assert [given["persist-credentials"] for given in checkouts] == [False]
            assert all(line.endswith(" --require-sandbox isolated") for line in lines)
    assert running == 2


def test_an_answer_goes_to_the_pull_request_whose_run_it_was_about(workflows):
    (step,) = [s for s in workflows["comment"]["jobs"]["comment"]["steps"] if "pr list" in s.get("run", "")]
    assert "--state open --base main" in step["run"]
    assert all(f"env.{name}" in step["env"]["THIS"] for name in ("HEAD", "OWNER", "BRANCH"))


def test_runs_that_publish_wait_for_each_other_and_see_what_came_meanwhile(workflows):
    publish = workflows["publish"]
    assert publish["concurrency"] == {"group": "publish", "cancel-in-progress": False}
    for job in ("evaluate", "publish"):
        steps = publish["jobs"][job]["steps"]
        (checkout,) = [s["with"] for s in steps if s.get("uses", "").startswith("actions/checkout")]
        assert checkout["ref"] == "main"


def test_actions_are_few_and_of_one_owner(workflows):
    used = {step["uses"] for *_, told in jobs(workflows) for step in told["steps"] if "uses" in step}
    assert all(re.fullmatch(r"actions/[a-z-]+@v[0-9]+", name) for name in used), used


def test_the_commands_are_verbs_that_there_are(workflows):
    lines = {
        " ".join(step["run"].split()[:3])
        for *_, told in jobs(workflows)
        for step in told["steps"]
        if step.get("run", "").startswith("sparsebench")
    }
    assert lines == {
        "sparsebench board check-pull",
        "sparsebench board score",
        "sparsebench board comment",
        "sparsebench board update",
        "sparsebench publish --output",
    }


@pytest.mark.parametrize(
    "text",
    [
        "a: b: c",
        "a: &x b",
        "a: *x",
        "a: !x b",
        "a: >\n  b",
        "a: {b: c}",
        "a: b # c",
        "a: b\na: c",
        "a:\n\t- b",
        "- a",
    ],
)
def test_other_yaml_is_refused(text):
    with pytest.raises((AssertionError, ValueError)):
        read_yaml(text)


def test_yaml_is_read():
    text = 'a: 1\n# no\nb:\n  - c: "x # y"\n    d: |\n      e\n      f\n  - c: [g, h]\nk: {}\nl: true\n'
    assert read_yaml(text) == {
        "a": 1,
        "b": [{"c": "x # y", "d": "e\nf\n"}, {"c": ["g", "h"]}],
        "k": {},
        "l": True,
    }
