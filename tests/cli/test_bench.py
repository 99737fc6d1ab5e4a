"""``sparsebench bench``: faces in a table, and exit codes. Nothing here depends on how long a call takes."""

import itertools
import json
import re

import pytest

from sparsebench.timing import WORKLOADS, Ceilings, HostClock, Place, gpu_missing, run
from timing.picked import PLAIN, ROUTER, SMOOTH

PLENTY = Ceilings(read=1e18, copy=1e18, gathers=1e18, operations={"float32": 1e18, "float64": 1e18})


@pytest.fixture(autouse=True)
def place(monkeypatch):
    def made(name, *, quick):
        return Place(name, gpu=False, threads=1, clock=HostClock(), flush=lambda: None, ceilings=PLENTY)

    monkeypatch.setattr("sparsebench.timing.cpu_place", made)


BENCH = ("bench", "ops", "--device", "cpu", "--quick")


def test_help_has_examples(cli):
    outcome = cli("bench", "ops", "--help")
    assert outcome.code == 0
    (named,) = re.findall(
        r"sparsebench bench ops --quick --primitive (\w+)", outcome.out.split("Examples")[1]
    )
    assert named in WORKLOADS


def test_a_table_of_the_backends_that_were_asked_for(cli):
    outcome = cli(*BENCH, "--primitive", PLAIN, "--primitive", SMOOTH, "--backend", "steady")
    assert outcome.code == 0
    assert [line.split()[:2] for line in outcome.out.splitlines()[2:]] == [
        [PLAIN, "steady"],
        [SMOOTH, "steady"],
    ]
    assert outcome.out.splitlines()[-1].endswith("equal")
    assert f"{SMOOTH}: steady ..." in outcome.err
    assert "1 threads: read" in outcome.err


def test_json_on_the_screen_and_in_a_file(cli, here):
    outcome = cli(*BENCH, "--primitive", ROUTER, "--json", "--output", "made.jsonl")
    assert outcome.code == 0
    records = json.loads(outcome.out)
    assert [record["face"] for record in records][:2] == ["steady", "numpy"]
    assert all(record["equal"] and record["status"] == "ok" for record in records)
    assert [json.loads(line) for line in (here / "made.jsonl").read_text().splitlines()] == records


def test_the_reference_is_timed_when_it_is_asked_for(cli):
    outcome = cli(*BENCH, "--primitive", PLAIN, "--backend", "reference", "--json")
    assert [record["face"] for record in json.loads(outcome.out)] == ["reference"]


def test_a_backend_that_differs_ends_with_1(cli, monkeypatch):
    real = run.backend_call
    wrong = WORKLOADS[PLAIN].of

    def backend_call(primitive, face):
        return (lambda x: wrong.on_numpy_steadily(x) + 1) if face == "steady" else real(primitive, face)

    monkeypatch.setattr(run, "backend_call", backend_call)
    outcome = cli(*BENCH, "--primitive", PLAIN, "--backend", "steady")
    assert outcome.code == 1
    assert "DIFFERS" in outcome.out


def test_a_time_that_is_not_possible_ends_with_1(cli, monkeypatch):
    def made(name, *, quick):
        now = itertools.count(step=1e-9)
        slow = Ceilings(read=1.0, copy=1.0, gathers=1.0, operations={"float32": 1.0})
        clock = HostClock(now=lambda: next(now))
        return Place(name, gpu=False, threads=1, clock=clock, flush=lambda: None, ceilings=slow)

    monkeypatch.setattr("sparsebench.timing.cpu_place", made)
    outcome = cli(*BENCH, "--primitive", ROUTER, "--backend", "steady", "--json")
    assert outcome.code == 1
    (record,) = json.loads(outcome.out)
    assert (record["status"], record["equal"]) == ("invalid", True)
    table = cli(*BENCH, "--primitive", ROUTER, "--backend", "steady")
    assert f"{ROUTER}, steady: invalid: faster than possible" in table.out


def test_a_backend_that_is_not_there_is_no_mistake(cli):
    outcome = cli(*BENCH, "--primitive", PLAIN, "--backend", "numba")
    assert outcome.code == 0
    assert f"{PLAIN}: no backend numba here" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--primitive", "relu6"), "unknown primitive 'relu6'"),
        (("--backend", "fortran"), "unknown backend 'fortran'"),
        (("--dtype", "bfloat16"), "bfloat16 is timed on a GPU alone"),
        (("--dtype", "int8"), "int8"),
    ],
)
def test_mistakes(cli, arguments, message):
    outcome = cli(*BENCH, *arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert "Traceback" not in outcome.err
    assert outcome.out == ""


def test_a_gpu_that_is_not_there_is_a_mistake(cli, monkeypatch):
    if not gpu_missing():
        monkeypatch.setattr("sparsebench.timing.place.gpu_missing", lambda: "it was taken out")
    outcome = cli("bench", "ops", "--device", "gpu")
    assert outcome.code == 2
    assert "there is no GPU" in outcome.err
