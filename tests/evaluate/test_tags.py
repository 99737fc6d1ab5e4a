"""Domains of inputs: who is told of them, what that costs, what they are scored by, and who is not told."""

import json

import numpy as np
import pytest

from evaluate import tagged, tiny
from sparsebench.author.check import check_submission, run_in_process
from sparsebench.author.explain import explain
from sparsebench.errors import ContractError, UsageError
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.host import session as session_module
from sparsebench.evaluate.plan import Limits, Selection, make_plan
from sparsebench.evaluate.replay.tracing import trace_path
from sparsebench.evaluate.replay.verify import verify_row
from sparsebench.evaluate.run import prepare
from sparsebench.meter import price
from sparsebench.meter.traces.trace_reader import read_trace
from sparsebench.models import find_submission
from sparsebench.tasks import load_task, standard

USES = "uses_tags = true"
BLIND = tagged.PLAIN.replace("    uses_tags = True\n", "").replace("x, tag):", "x):")
TAGLESS = "return xp.astype(x[:, 0] > 0.0, xp.int64)"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tasks")
    tagged.write_task(folder)
    return folder


@pytest.fixture(autouse=True)
def _only_this_task(root, monkeypatch):
    monkeypatch.setattr(standard, "tasks_root", lambda: root)


def cell_of(folder, code, *, more=USES, instance="one"):
    tiny.write(folder, code, tasks=(tagged.REF,), more=more)
    return make_plan([find_submission(str(folder))], Selection(instances=(instance,)))[0]


def run(folder, code, *, more=USES, traces=None):
    return run_cell(cell_of(folder, code, more=more), Limits(seconds=60, traces=traces))


def blind(predict):
    """Give the code of a submission that is not told of tags."""
    return tiny.plain(predict=predict)


@pytest.fixture(scope="module")
def oracle(root, tmp_path_factory):
    """The oracle's row, and the store with its trace."""
    folder = tmp_path_factory.mktemp("oracle")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(standard, "tasks_root", lambda: root)
        return run(folder / "oracle", tagged.ORACLE, traces=folder / "store"), folder / "store"


def test_an_oracle_routes_by_the_tag(oracle):
    row, _ = oracle
    assert (row.status, row.reason) == ("ok", None)
    assert (row.accuracy, row.error, row.quality, row.nmi) == (1.0, 0.0, 1.0, 1.0)
    assert row.uses_tags is True
    assert (row.recall, row.rmse) == (None, None)
    assert {audit.name: audit.verdict for audit in row.audits if audit.verdict != "pass"} == {
        "expert-poison": "not-run"  # the look-up is at an address that is made of the route
    }
    assert row.experts_seen == 3


def test_a_tag_is_given_free_and_work_on_it_is_charged(oracle):
    row, _ = oracle
    assert (row.ops_router, row.ops) == (0.0, 4.0)  # a comparison, a product, an addition, a look-up
    assert row.loaded_parameters == 1.0


def test_its_trace_is_replayed_without_its_code(oracle):
    row, store = oracle
    path = trace_path(store, row.cell_key)
    found = {check.name: check.verdict for check in verify_row(row, path)}
    assert found.pop("submission") == "not-run"  # it is not at hand by its name
    assert set(found.values()) == {"pass"}, found
    (stream,) = read_trace(path).streams
    assert '{"t":0}' in json.dumps(stream.router, separators=(",", ":"))


def test_a_replay_holds_only_with_the_tags_of_the_row(oracle):
    from dataclasses import replace

    row, store = oracle
    path = trace_path(store, row.cell_key)
    untold = {check.name: check for check in verify_row(replace(row, uses_tags=False), path)}
    assert "expected a result made before" in untold["replay"].detail
    bare = load_task(tagged.REF).instances["bare"].hash
    other = replace(row, instance="bare", instance_hash=bare, cell_key="")
    failed = [check.detail for check in verify_row(other, path) if check.name == "replay"]
    assert failed == ["the row says uses_tags, but tagged@1/bare has no tags"]


def test_a_row_that_says_other_than_its_submission_fails(oracle, tmp_path, monkeypatch):
    from dataclasses import replace

    row, _ = oracle
    monkeypatch.chdir(tmp_path)
    tiny.write(tmp_path / "oracle", tagged.ORACLE, tasks=(tagged.REF,), more=USES)
    for told, verdict in ((True, "pass"), (False, "fail")):
        checks = {check.name: check for check in verify_row(replace(row, uses_tags=told))}
        assert checks["submission"].verdict == verdict, checks["submission"].detail


def test_a_submission_in_one_part_is_told_as_well(tmp_path):
    row = run(tmp_path / "mine", tagged.PLAIN)
    assert (row.status, row.accuracy, row.nmi) == ("ok", 1.0, None), row.reason
    assert row.ops == 3.0  # a comparison, a product, an addition
    assert {audit.verdict for audit in row.audits if audit.name == "timed-as-metered"} == {"pass"}


def test_a_router_that_is_not_told_has_its_routing_scored(tmp_path):
    code = tiny.routed(
        "return sb.Routes(xp.astype(x[:, :1] > 0.0, xp.int64))",
        'return ops.gather(routes.experts[:, 0], params["labels"])',
        experts_fit='return {"labels": np.array([0, 1])}',
    )
    row = run(tmp_path / "mine", code, more="")
    assert (row.status, row.uses_tags) == ("ok", False), row.reason
    assert 0.0 <= row.nmi < 0.1
    assert row.accuracy == pytest.approx(1 / 3)  # all of the first domain, none of the others


@pytest.mark.parametrize(
    ("code", "more", "says", "mend"),
    [
        (tagged.PLAIN, "", "submission.toml has false, the class of the submission has True", "= true in"),
        (tagged.ORACLE, "", "submission.toml has false, the class of the router has True", "= true in"),
        (blind(TAGLESS), USES, "submission.toml has true, the class of the submission has False", "= false"),
        (
            blind(TAGLESS).replace("def __init__", "uses_tags = 1\n\n    def __init__"),
            USES,
            "has 1",
            "= True",
        ),
    ],
)
def test_manifest_and_class_must_agree(tmp_path, code, more, says, mend):
    row = run(tmp_path / "mine", code, more=more)
    assert row.status == "refused"
    assert says in row.reason
    assert mend in row.reason
    with pytest.raises(ContractError, match=r"uses_tags: submission\.toml has") as caught:
        list(run_in_process(str(tmp_path / "mine")))
    assert mend in caught.value.help


def test_a_submission_that_uses_tags_cannot_answer_a_task_without(tmp_path):
    with pytest.raises(UsageError, match="mine uses tags, but tagged@1/bare has none") as caught:
        cell_of(tmp_path / "mine", tagged.ORACLE, instance="bare")
    assert "uses_tags" in caught.value.help


BOARD, SMALL, ALL = ["one", "two"], ["one", "study"], ["one", "two", "study"]


def test_a_plan_has_the_instances_of_the_board_unless_others_are_asked_for(tmp_path):
    folder = tiny.write(tmp_path / "mine", BLIND, tasks=(tagged.REF,))

    def chosen(**selection):
        plan = make_plan([find_submission(str(folder))], Selection(**selection))
        return [cell.instance for cell in plan]

    assert chosen() == BOARD
    assert chosen(small=True) == SMALL
    assert chosen(all_instances=True) == [*ALL, "bare"]
    assert chosen(all_instances=True, small=True) == SMALL
    assert chosen(instances=("bare", "one")) == ["one", "bare"]
    assert chosen(instances=("study",)) == ["study"]


def test_what_is_too_large_to_load_is_in_no_plan_unless_it_is_named(tmp_path, monkeypatch):
    place = tagged.write_task(tmp_path / "tasks") / "task.toml"
    monkeypatch.setattr(standard, "tasks_root", lambda: tmp_path / "tasks")
    text = place.read_text(encoding="utf-8").replace('name = "bare"', 'name = "bare"\nstreamed = true')
    place.write_text(text, encoding="utf-8")
    folder = tiny.write(tmp_path / "mine", BLIND, tasks=(tagged.REF,))
    everything = make_plan([find_submission(str(folder))], Selection(all_instances=True))
    assert [cell.instance for cell in everything] == ALL
    with pytest.raises(UsageError, match="bare is too large to be loaded at once") as caught:
        prepare([str(folder)], Selection(instances=("bare",)), tmp_path / "out", Limits())
    assert "in batches" in caught.value.help


@pytest.mark.parametrize("code", [tagged.ORACLE, tagged.PLAIN])
def test_it_can_be_checked_and_explained_in_this_process(tmp_path, code):
    folder = tiny.write(tmp_path / "mine", code, tasks=(tagged.REF,), more=USES)
    (line,) = run_in_process(str(folder))
    assert line.endswith("quality 1.000, error 0")
    assert [check.name for check in check_submission(str(folder)) if not check.ok] == []
    found = explain(str(folder))
    assert found.ops == (4.0 if "Oracle" in code else 3.0)
    assert not any(price(line.fixed) for line in found.lines)  # work on tags is work on inputs


def test_labels_of_another_metric_refuse_integers(tmp_path, monkeypatch):
    tagged.write_task(tmp_path / "tasks", metric="nmse")
    monkeypatch.setattr(standard, "tasks_root", lambda: tmp_path / "tasks")
    row = run(tmp_path / "mine", tagged.PLAIN)
    assert row.status == "failed"
    assert "predict returned dtype int64, expected float32 or float64; return floats" in row.reason


@pytest.mark.parametrize("answer", ["x[:, 0] > 0.0", "xp.astype(x[:, 0], xp.complex64)"])
def test_an_answer_is_a_real_number(tmp_path, answer):
    row = run(tmp_path / "mine", blind(f"return {answer}"), more="")
    assert row.status == "failed"
    assert "expected shape (n,) and a real dtype" in row.reason


# Who is not told ------------------------------------------------------------------------------------------

LOOKS = """
import gc
import sys

frame, found = sys._getframe(), []
while frame:
    header = frame.f_locals.get("header")
    found += [header] if isinstance(header, dict) and "tag" in header else []
    frame = frame.f_back
if found or self.more:
    raise RuntimeError("LEAK")
return xp.astype(x[:, 0] > 0.0, xp.int64)
"""
TAKES_MORE = blind(LOOKS).replace(
    "def predict(self, params, x):", "def predict(self, params, x, *more):\n        self.more = more"
)
FORGES = """
about = x._about
for number in range(about.handle.number + 1, about.handle.number + 20):
    forged = type(x)(x._namespace, about._replace(handle=about.handle._replace(number=number)))
    return 2 * forged
"""


@pytest.fixture
def sent(monkeypatch):
    """All frames that the harness sends: their headers, and the names of the arrays that go with them."""
    frames = []

    class Watched(session_module.Session):
        def ask(self, request, payload=b"", *, engine=None):
            named = b'"tag"' in payload[:1000]
            frames.append((request["do"], "tag" in request or named))
            return super().ask(request, payload, engine=engine)

    monkeypatch.setattr("sparsebench.evaluate.cell.Session", Watched)
    return frames


def test_no_tag_of_a_scoring_row_reaches_who_does_not_declare_it(tmp_path, sent):
    row = run(tmp_path / "mine", TAKES_MORE, more="")
    assert row.status == "ok", row.reason
    assert {what for what, told in sent if told} == set()
    assert {what for what, _ in sent} >= {"fit", "predict", "run"}


def test_with_tags_they_are_in_what_is_asked_and_nowhere_else(tmp_path, sent):
    assert run(tmp_path / "mine", tagged.ORACLE).status == "ok"
    assert {what for what, told in sent if told} == {"route", "run"}


def test_a_tag_that_is_not_given_cannot_be_named(tmp_path):
    row = run(tmp_path / "mine", blind(FORGES), more="")
    assert row.status == "refused"
    assert "an array of an earlier call was used" in row.reason


def test_tags_at_scoring_are_int64_handles_of_the_rows_shown(tmp_path):
    looks = tagged.PLAIN.replace(
        "        xp = x.__array_namespace__()\n",
        "        xp = x.__array_namespace__()\n"
        "        if not (tag.dtype == xp.int64 and tag.shape == x.shape[:1] and type(tag) is type(x)):\n"
        "            raise RuntimeError('another thing')\n",
    )
    assert run(tmp_path / "mine", looks).status == "ok"
    reads = tagged.PLAIN.replace("        return 2 * tag", "        float(tag[0])\n        return 2 * tag")
    row = run(tmp_path / "reads", reads)
    assert row.status == "refused"
    assert "would take a value out of the meter" in row.reason


def test_labels_are_right_only_by_the_tag(oracle):
    """Hold the tiny task to what the tests above take it for."""
    row, _ = oracle
    test = load_task(row.task).load(row.instance).test
    assert np.array_equal(test.y, 2 * test.tag + (test.x[:, 0] > 0))
    assert set(np.unique(test.tag)) == {0, 1, 2}
