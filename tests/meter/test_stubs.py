"""The type stubs are what the rule table says, and mypy checks submissions by them."""

from __future__ import annotations

import ast
import inspect
import re
import runpy
import sys
import textwrap

import numpy as np
import pytest
from mypy import api
from numpy.lib import NumpyVersion

from sparsebench.meter import stubs
from sparsebench.meter.client import functions
from sparsebench.meter.client.namespace import EXTENSIONS
from sparsebench.meter.client_table import signature
from sparsebench.meter.rules import REFUSED, RULES
from sparsebench.models.template import write_template
from sparsebench.ops import PRIMITIVES


@pytest.mark.parametrize("path", stubs.STUBS, ids=lambda path: path.name)
def test_the_files_are_the_table(path):
    mend = "run: python -m sparsebench.meter.stubs"
    assert path.read_text(encoding="utf-8") == stubs.STUBS[path](), mend


def test_the_module_writes_the_files(monkeypatch, capsys, tmp_path):
    package = tmp_path / "sparsebench"
    for folder in ("meter", "ops"):
        (package / folder).mkdir(parents=True)
    monkeypatch.setattr(stubs, "STUBS", {package / path.name: write for path, write in stubs.STUBS.items()})
    stubs.main()
    assert (package / "arrays.pyi").read_text(encoding="utf-8") == stubs.arrays()
    assert "arrays.pyi" in capsys.readouterr().out


def test_the_clients_table_says_what_the_rules_say():
    visible = {name: rule for name, rule in RULES.items() if not rule.hidden}
    assert list(functions.FUNCTIONS) == list(visible)
    for name, rule in visible.items():
        told = functions.FUNCTIONS[name]
        assert told[1:] == (rule.price, rule.example, rule.fields, rule.listed, rule.device), name
        taken = [
            [(p.name, p.kind, p.default) for p in found.parameters.values()]
            for found in (inspect.signature(told.takes), signature(rule))
        ]
        assert taken[0] == taken[1], name
    assert functions.REFUSED == REFUSED
    assert not any(rule.fields or rule.listed for rule in RULES.values() if rule.hidden)


def test_every_name_is_there():
    classes = {node.name: node for node in ast.parse(stubs.arrays()).body if isinstance(node, ast.ClassDef)}
    names = {
        f"{prefix}{node.name}"
        for prefix, where in (("", "Namespace"), ("linalg.", "_Linalg"), ("fft.", "_Fft"))
        for node in classes[where].body
        if isinstance(node, ast.FunctionDef)
    }
    assert {rule.name for rule in RULES.values() if not rule.hidden} <= names
    assert set(EXTENSIONS["linalg"]) <= {name.removeprefix("linalg.") for name in names}
    assert {name for name in REFUSED if name.replace(".", "").isidentifier()} <= names
    found = {node.name for node in ast.parse(stubs.operations()).body if isinstance(node, ast.FunctionDef)}
    assert found == set(PRIMITIVES)


GOOD = """
    import numpy as np

    import sparsebench as sb
    from sparsebench import ops

    class Mine(sb.Router):
        def route(self, params: dict[str, sb.Array], x: sb.Array) -> sb.Routes:
            xp = x.__array_namespace__()
            scores = xp.linalg.vecdot(x[:, None, :], params["w"]) + 1.0
            gates, experts = ops.top_k(scores, 2)
            if xp.any(xp.sum(gates, axis=-1, keepdims=True) > 0.0):
                q, r = xp.linalg.qr(x.mT @ x)
            return sb.Routes(experts, gates)

    class Deep(sb.Submission):
        def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> sb.Model:
            return sb.Model({"w": train.x[0]}, {"depth": 3})

        def predict(self, params: sb.Model, x: sb.Array) -> sb.Array:
            for _ in range(params.structure["depth"]):
                x = x * params["w"]
            return x[:, 0]
"""
BAD = """
    import sparsebench as sb
    from sparsebench import ops

    def predict(params: dict[str, sb.Array], x: sb.Array) -> sb.Array:
        xp = x.__array_namespace__()
        xp.maximu(x, 0.0)
        xp.sum(x, axis="a")
        ops.quantize(x, level=3)
        xp.floor(x)
        x // 2.0
        xp.linalg.svd(x)
        sb.Rooter
        float(x)
        return xp.nonzero(x)
"""


@pytest.fixture(scope="module")
def mypys_lines(tmp_path_factory):
    """What mypy says of three files at once, since most of its time goes into what they import: by file."""
    place = tmp_path_factory.mktemp("mypy")
    write_template(place / "mine")
    codes = {
        "good.py": textwrap.dedent(GOOD),
        "new.py": (place / "mine" / "submission.py").read_text(encoding="utf-8"),
        "bad.py": textwrap.dedent(BAD),
    }
    files = [place / name for name in codes]
    for file in files:
        file.write_text(codes[file.name], encoding="utf-8")
    # Before NumPy 2.2 an array's type has no defaults, and mypy asks for its parameters wherever it is named.
    bare = [] if NumpyVersion(np.__version__) >= "2.2.0" else ["--disable-error-code", "type-arg"]
    out, err, code = api.run(["--strict", *bare, "--cache-dir", str(place / "cache"), *map(str, files)])
    assert (err, code) == ("", 1), out + err
    *told_of, last = out.splitlines()
    lines = [line for line in told_of if ": error: " in line]  # beside notes of where a name comes from
    told = {file.name: [line for line in lines if line.startswith(f"{file}:")] for file in files}
    assert sum(map(len, told.values())) == len(lines), out
    assert re.fullmatch(r"Found \d+ errors in 1 file \(checked 3 source files\)", last)
    return told


@pytest.mark.slow
def test_mypy_takes_a_good_submission(mypys_lines):
    assert mypys_lines["good.py"] == []


@pytest.mark.slow
def test_mypy_takes_what_sparsebench_new_writes(mypys_lines):
    assert mypys_lines["new.py"] == []


@pytest.mark.slow
def test_mypy_finds_what_is_wrong(mypys_lines):
    told = "\n".join(mypys_lines["bad.py"])
    for wrong in (
        *('maybe "maximum"?', 'incompatible type "str"', '"level"', '"float"', "return-value"),
        *('"floor"', "operand types for //", '"svd"', 'maybe "Router"?'),
    ):
        assert wrong in told


def test_defaults_are_the_rules(tmp_path):
    """A stub's default is what the rule does without the argument."""
    for node in ast.walk(ast.parse(stubs.arrays())):
        if isinstance(node, ast.FunctionDef) and node.name in RULES and node.name not in stubs.CLIENT_ONLY:
            plain = inspect.signature(RULES[node.name].run).parameters
            given = [ast.literal_eval(default) for default in node.args.defaults]
            expected = [
                p.default for p in plain.values() if p.kind is not p.KEYWORD_ONLY and p.default is not p.empty
            ]
            assert given == expected, node.name


def test_the_module_runs(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "sparsebench.meter.stubs")
    before = {path: path.read_bytes() for path in stubs.STUBS}
    runpy.run_module("sparsebench.meter.stubs", run_name="__main__", alter_sys=True)
    assert {path: path.read_bytes() for path in stubs.STUBS} == before
    assert "arrays.pyi" in capsys.readouterr().out
