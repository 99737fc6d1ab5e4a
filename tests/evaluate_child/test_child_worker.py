"""The child's own manners: what it is armed with, and what it tells. None of it is trusted."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from sparsebench.errors import ContractError
from sparsebench.evaluate.child import child
from sparsebench.evaluate.child.mends import Around


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
    monkeypatch.setattr(sys, "path", list(sys.path))
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
