"""The child's own manners: what it loads, checks and tells. None of it is trusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from sparsebench.errors import ContractError
from sparsebench.evaluate.child import child
from sparsebench.evaluate.child.mends import Around
from sparsebench.models import Routed, Router, Submission


def test_an_entry_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child.sys, "path", list(child.sys.path))
    (tmp_path / "some_entry.py").write_text("value = 5\n")
    for name in ("missing", "value"):
        with pytest.raises(ContractError, match=name):
            child.load_entry(tmp_path, f"some_entry:{name}")


@pytest.mark.parametrize(
    ("fitted", "got"),
    [
        ([1], "got list"),
        (None, "got NoneType"),
        ({"w": [1.0]}, "got list"),
        ({1: np.zeros(1)}, "expected names that are text, got 1"),
        ({"w": np.array(["a"])}, "got <U1"),
        ({"w": np.zeros(1, dtype=complex)}, "got complex128"),
    ],
)
def test_a_model_is_a_dictionary_of_arrays(fitted: object, got: str) -> None:
    with pytest.raises(ContractError, match=got):
        child.model_of(fitted)


def test_arrays_come_back_contiguous() -> None:
    given = np.arange(6.0).reshape(2, 3).T
    assert child.model_of({"w": given})["w"].flags.c_contiguous


def test_only_the_harness_puts_router_and_experts_together() -> None:
    class Own(Routed):
        def predict(self, params: object, x: object) -> object:
            return x

    class Anywhere(Router):
        def route(self, params: object, x: object) -> object:
            return x

    assert child.is_routed(Routed(Anywhere(), None))  # type: ignore[arg-type]
    assert not child.is_routed(Own(Anywhere(), None))  # type: ignore[arg-type]
    assert issubclass(Own, Submission)


@pytest.mark.parametrize(
    ("error", "text"),
    [(ValueError("one\ntwo"), "one"), (ValueError(), ""), (ContractError("what", help="mend"), "what")],
)
def test_an_error_is_told_in_its_first_line(error: Exception, text: str) -> None:
    told = child._describe(error, Around(Path()))
    assert told == {
        "type": type(error).__name__,
        "text": text,
        "where": "",
        "source": "",
        "help": "mend" if isinstance(error, ContractError) else "",
    }


ASKS_FOR_STRUCTURE = """
class MyRouter(sb.Router):
    def route(self, params, x):
        assert params.structure == {"column": 1}
        return sb.Routes(np.asarray(x[:, 1:2] > 0, np.int64))


class MyExperts(sb.Experts):
    def apply(self, params, x, routes):
        return params["labels"][routes.experts[:, 0]] * params.structure[0]


def Model(task, **settings):
    return sb.Routed(MyRouter(), MyExperts())
"""


@pytest.mark.parametrize("on_gpu", [False, True])
def test_a_structure_is_there_when_timed_on_either_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_gpu: bool
) -> None:
    """The GPU is a double here: what is asked of it is that the model goes there whole."""
    path = tmp_path / "submission.py"
    path.write_text(f"import numpy as np\nimport sparsebench as sb\n{ASKS_FOR_STRUCTURE}")
    monkeypatch.setattr(child.sys, "path", list(child.sys.path))
    monkeypatch.setattr(child.gpu, "to_gpu", dict)
    monkeypatch.setattr(
        child.gpu, "predict_on_gpu", lambda f, params, given: (f(params, *given.values()), 0.5)
    )
    worker = child.Worker(None)  # type: ignore[arg-type]  # nothing is said over a pipe
    about = {"task": "t@1", "metric": "nmse", "target_dtype": "float32", "classes": None, "domains": None}
    load = {"path": str(tmp_path), "entry": "submission:Model", "settings": {}, "uses_tags": False}
    worker.do_load({**load, "task": {**about, "input_shape": [2]}}, b"")
    text = '{"experts":[3],"router":{"column":1}}'
    labels = safetensors.numpy.save({"labels": np.array([1.0, 2.0])})
    worker.do_arm({"gpu": on_gpu, "structure": text}, labels)
    x = np.array([[0.0, 1.0], [0.0, -1.0]], np.float32)
    told, answer = worker.do_run({}, safetensors.numpy.save({"x": x}))
    assert np.frombuffer(answer).tolist() == [6.0, 3.0]
    assert told["seconds"] == (0.5 if on_gpu else None)
