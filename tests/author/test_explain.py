"""Where operations go: the same total as a row's, line by line of the submission's own code."""

import sys

import pytest

from evaluate.tiny import FIT, ROOT, VARIANT, cell_of, plain, routed, write
from sparsebench.author.explain import explain
from sparsebench.errors import ContractError, FailedError, NotFoundError, RefusedError, UsageError
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.plan import Limits
from sparsebench.meter import Entry, Ledger

HELPERS = """
def relu(x):
    return x.__array_namespace__().maximum(x, 0.0)


def squared(x):
    return relu(x) * relu(x)

"""
NESTED = """
scale = params["w"] * params["w"]
h = squared(x * scale)
if h[0, 0] > 1.0:
    h = h + h
return (
    xp.sum(h, axis=1)
    + params["b"]
)
"""


def lines_of(found):
    return {line.source: line for line in found.lines}


@pytest.fixture
def nested(tmp_path):
    """A submission with helpers, a branch, and work that no input decides."""
    return write(tmp_path / "mine", plain(fit=FIT, predict=NESTED, top=HELPERS))


@pytest.mark.parametrize("name", ["conditional-tree", "one-hidden-layer"])
def test_the_total_is_the_rows(name):
    found = explain(name, "memorization@1")
    row = run_cell(cell_of(ROOT / "submissions" / name), Limits())
    assert (found.variant, found.instance) == (row.variant, row.instance)
    assert found.inputs == row.counted_inputs == 256  # the whole split
    assert found.ops == row.ops == row.ops_single
    assert [(e.phase, e.kind, e.dtype, e.amount) for e in found.ledger] == [
        (c.phase, c.kind, c.dtype, c.count) for c in row.counts
    ]
    assert found.loaded_parameters == row.loaded_parameters
    assert found.loads == row.loads
    assert found.prices["macs"] == row.macs


def test_all_inputs_of_a_larger_split_cost_what_the_row_says(tmp_path):
    folder = write(
        tmp_path / "mine",
        plain(fit='return {"w": train.x[0], "b": np.zeros(1)}', predict=NESTED, top=HELPERS),
    )
    found = explain(str(folder), instance="n4096-r4", inputs=4096)
    row = run_cell(cell_of(folder, instance="n4096-r4"), Limits())
    assert found.inputs == row.counted_inputs == 4096  # a bit decides what an input costs: each is metered
    assert found.ops == row.ops == row.ops_single


def test_lines_and_their_callers(nested):
    found = explain(str(nested))
    lines = lines_of(found)
    assert {line.phase for line in found.lines} == {"experts"}
    assert lines["return relu(x) * relu(x)"].called_from == lines["h = squared(x * scale)"].place
    assert lines["h = squared(x * scale)"].called_from == ""
    assert lines["return x.__array_namespace__().maximum(x, 0.0)"].ops == 256 * 8
    assert lines["return x.__array_namespace__().maximum(x, 0.0)"].called_from.startswith("submission.py:")
    assert lines['scale = params["w"] * params["w"]'].fixed == Ledger(
        [Entry("experts", "mul", "float64", 4 * 256)]
    )
    assert all(not list(line.fixed) for source, line in lines.items() if "params" not in source)
    assert lines["if h[0, 0] > 1.0:"].ledger.count("branch") == 256
    assert found.bits == 1
    text = (nested / "submission.py").read_text(encoding="utf-8").splitlines()
    assert all(text[line.number - 1].strip() == line.source for line in found.lines)
    ops = [line.ops for line in found.lines]
    assert ops == sorted(ops, reverse=True)
    assert sum(ops) == found.ops * found.inputs


def test_phases_of_a_router(tmp_path):
    found = explain(str(write(tmp_path / "mine", routed())))
    assert [(e.phase, e.kind, e.amount) for e in found.ledger] == [
        ("experts", "load", 256),
        ("experts", "lookup", 256),
        ("router", "cmp", 256),
    ]
    assert found.of_phase("router") == Ledger([Entry("router", "cmp", "float64", 256)])
    assert {line.phase: line.function for line in found.lines if line.ops} == {
        "router": "route",
        "experts": "apply",
    }
    assert found.prices["paper-router-free"] == 1


def test_a_submission_may_have_modules_of_its_own_and_leaves_none(tmp_path, capsys):
    folder = write(
        tmp_path / "mine",
        plain(predict="print('hello')\nreturn helper_of_mine.answer(x, params)", top="import helper_of_mine"),
    )
    (folder / "helper_of_mine.py").write_text(
        "def answer(x, params):\n    return x @ params['w']\n", encoding="utf-8"
    )
    path, names = list(sys.path), set(sys.modules)
    found = explain(str(folder), inputs=3)
    (line,) = (line for line in found.lines if line.ops)
    assert (line.place, line.inputs if hasattr(line, "inputs") else found.inputs) == (
        "helper_of_mine.py:2",
        3,
    )
    assert line.called_from.startswith("submission.py:")
    assert sys.path == path
    assert "helper_of_mine" not in sys.modules
    assert not {name for name in set(sys.modules) - names if name in {"submission", "helper_of_mine"}}
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("hello") == 3


def test_an_error_of_the_meter_names_the_line(tmp_path):
    folder = write(tmp_path / "mine", plain(predict="return xp.floor(x)[:, 0]"))
    with pytest.raises(RefusedError, match=r"floor.*\(submission\.py:\d+ in predict\)") as caught:
        explain(str(folder))
    assert "quantize" in caught.value.help
    folder = write(tmp_path / "other", plain(predict="return x"))
    with pytest.raises(FailedError, match=r"predict: expected shape \(n,\)") as caught:
        explain(str(folder))
    assert "submission.py" not in str(caught.value)


DEEP = "def outer(x):\n    return inner(x)\n\n\ndef inner(x):\n    return x @ x\n"


@pytest.mark.parametrize(
    ("code", "message", "cause"),
    [
        (
            {"predict": "return params['nothing']"},
            r"KeyError: \"no array called 'nothing'; the model has: b, w\" \(submission\.py:\d+ in predict\)",
            KeyError,
        ),
        (
            {"predict": "return helper_of_mine.outer(x)[:, 0]", "top": "import helper_of_mine"},
            r"ValueError: matmul: shapes .* do not fit.*\(helper_of_mine\.py:6 in inner\)",
            ValueError,
        ),
        ({"fit": "return 1 / 0"}, r"ZeroDivisionError: .*\(submission\.py:\d+ in fit\)", ZeroDivisionError),
        ({"top": "import nothing_of_that_name"}, r"ModuleNotFoundError: .*\(submission\.py:", ImportError),
        ({"top": "import broken_of_mine"}, r"SyntaxError: .*broken_of_mine\.py, line 1", SyntaxError),
        ({"predict": "raise SystemExit(3)"}, r"SystemExit: 3 \(submission\.py:", SystemExit),
    ],
)
def test_an_error_of_the_code_is_one_line_and_names_its_own(tmp_path, code, message, cause):
    folder = write(tmp_path / "mine", plain(**code))
    (folder / "helper_of_mine.py").write_text(DEEP, encoding="utf-8")
    (folder / "broken_of_mine.py").write_text("def", encoding="utf-8")
    with pytest.raises(FailedError, match=message) as caught:
        explain(str(folder))
    assert isinstance(caught.value.__cause__, cause)
    assert "\n" not in caught.value.what
    assert "--in-process" in caught.value.help


def test_a_setting_that_the_entry_does_not_take_is_one_line(tmp_path):
    code = plain().replace("def __init__(self, task, **settings):", "def __init__(self, task, settings=()):")
    folder = write(tmp_path / "mine", code, variants='[[variants]]\nname = "v"\nexperts = 8\n')
    with pytest.raises(
        ContractError, match=r"has the key 'experts', which Model\(task, settings=\(\)\) does"
    ):
        explain(str(folder))


def test_an_entry_that_is_wrong_is_told_as_check_tells_it(tmp_path):
    folder = write(tmp_path / "mine", "def")
    with pytest.raises(ContractError, match=r"submission\.py:1: not valid Python"):
        explain(str(folder))
    folder = write(tmp_path / "other", "Modle = 1")
    with pytest.raises(ContractError, match=r"submission\.py defines no 'Model'"):
        explain(str(folder))


def test_an_error_of_ours_comes_out_as_it_is(tmp_path, monkeypatch):
    def broken(*_, **__):
        raise KeyError("ours")

    monkeypatch.setattr("sparsebench.models.fitted.model_of", broken)
    with pytest.raises(KeyError, match="ours"):
        explain(str(write(tmp_path / "mine", plain())))


def test_names_that_nothing_has_get_a_guess(nested):
    for wrong, guess in (
        ({"variant": "w"}, "there are: v"),
        ({"instance": "n256-r5"}, "did you mean 'n256-r4'?"),
    ):
        with pytest.raises(NotFoundError) as caught:
            explain(str(nested), **wrong)
        assert guess in caught.value.help
    with pytest.raises(NotFoundError, match="unknown task 'memorisation@1' in the tasks of mine") as caught:
        explain(str(nested), "memorisation@1")
    assert "did you mean 'memorization@1'?" in caught.value.help
    with pytest.raises(NotFoundError, match="conditional-tre"):
        explain("conditional-tre")


def test_a_task_is_asked_for_where_there_are_several():
    with pytest.raises(UsageError, match=r"constant answers \d tasks, expected one to be named") as caught:
        explain("constant")
    assert "memorization@1, lipschitz-regression@1" in caught.value.help
    assert explain("constant", "memorization@1", inputs=2).ops == 0


def test_the_seed_makes_another_model(tmp_path):
    fit = "w = rng.random(4); return {'w': w, 'b': np.zeros(1)}"
    predict = "if params['w'][0] > 0.5: x = x * 2.0\nreturn x @ params['w']"
    folder = write(tmp_path / "mine", plain(fit=fit, predict=predict), variants=VARIANT)
    costs = {explain(str(folder), seed=seed, inputs=2).ops for seed in range(6)}
    assert len(costs) == 2
