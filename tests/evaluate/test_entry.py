"""A look at the entry before anything runs."""

import pytest

from evaluate.tiny import write
from sparsebench.errors import ContractError
from sparsebench.evaluate.host.entry import check_entry
from sparsebench.models import find_submission

BOUND = {
    "class": "class Model: pass",
    "function": "def Model(task): pass",
    "name": "Model = 3",
    "annotated": "Model: object = 3",
    "tuple": "A, (Model, B) = 1, (2, 3)",
    "import": "from other import Model",
    "import-as": "import other as Model",
    "star": "from other import *",
    "if": "if True:\n    class Model: pass",
    "try": "try:\n    import torch\nexcept ImportError:\n    def Model(task): pass",
    "with": "with open('x') as Model: pass",
    "for": "for Model in (): pass",
}
UNBOUND = {
    "nothing": "",
    "other-class": "class Modell: pass",
    "method": "class A:\n    def Model(self): pass",
    "local": "def f():\n    Model = 1",
    "read": "print(Model)",
    "attribute": "import a\na.Model = 1",
}


def check(tmp_path, code):
    check_entry(find_submission(str(write(tmp_path / "mine", code))))


@pytest.mark.parametrize("how", BOUND)
def test_a_name_that_may_be_there_is_let_pass(tmp_path, how):
    check(tmp_path, BOUND[how])


@pytest.mark.parametrize("how", UNBOUND)
def test_a_name_that_is_not_there_is_told(tmp_path, how):
    with pytest.raises(ContractError, match=r"submission\.py defines no 'Model'"):
        check(tmp_path, UNBOUND[how])


@pytest.mark.parametrize(("code", "line"), [("x = (\n", 1), ("a = 1\nb = = 2\n", 2), ("\tx = 1\n", 1)])
def test_code_that_is_not_python_is_told_with_its_line(tmp_path, code, line):
    with pytest.raises(ContractError, match=rf"submission\.py:{line}: not valid Python"):
        check(tmp_path, code)


def test_null_bytes_are_told(tmp_path):
    with pytest.raises(ContractError, match="not valid Python"):
        check(tmp_path, "x = 1\0\n")


def test_nothing_is_run(tmp_path):
    check(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'w').close()\nclass Model: pass\n")
    assert not (tmp_path / "ran").exists()
