"""What may go wrong in a submission: each gives a row with a status and a reason that names the mend."""

import re

import pytest

from evaluate.tiny import PREDICT, cell_of, plain, routed, run, write
from sparsebench.evaluate import cell as cell_module
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.host.scratch import CodeCopy
from sparsebench.evaluate.host.session import Session
from sparsebench.evaluate.plan import Limits
from sparsebench.results import COUNTS, MEASURED

SOUND_FIT = 'return {"w": np.zeros(4), "b": np.zeros(1)}'
BITS = "bits = xp.astype(x[:, :1] > 0, xp.int64)\n"

FAULTS = {
    "exception-in-import": (
        plain(top="raise RuntimeError('no such luck')"),
        "failed",
        r"RuntimeError: no such luck \(submission\.py:1 in <module>\)",
    ),
    "missing-package": (
        plain(top="import nosuchmodule"),
        "failed",
        r"No module named 'nosuchmodule' \(submission\.py:1 in <module>\)",
    ),
    "exception-in-constructor": (
        plain().replace(
            "self.task, self.settings", "raise ValueError('no')\n        self.task, self.settings"
        ),
        "failed",
        r"ValueError: no \(submission\.py:\d+ in __init__\)",
    ),
    "exception-in-fit": (
        plain(fit="raise KeyError('planes')"),
        "failed",
        r"KeyError: 'planes' \(submission\.py:\d+ in fit\)",
    ),
    "exception-in-predict": (
        plain(predict="1 / 0"),
        "failed",
        r"ZeroDivisionError: division by zero \(submission\.py:\d+ in predict\)",
    ),
    "exception-of-many-lines": (
        plain(fit="raise ValueError('line one\\nline two')"),
        "failed",
        r"ValueError: line one \(submission",
    ),
    "exit-in-fit": (plain(fit="sys.exit(3)"), "failed", r"SystemExit: 3 \(submission\.py:\d+ in fit\)"),
    "no-submission": (
        "class Model:\n    def __init__(self, task): pass\n",
        "failed",
        r"entry: expected it to give a sparsebench\.Submission, got Model; derive it from",
    ),
    "not-callable": ("Model = 3\n", "failed", r"no class or function called 'Model'; mend `entry`"),
    "abstract": (
        "import sparsebench as sb\nclass Model(sb.Submission):\n    def __init__(self, task): pass\n",
        "failed",
        "abstract methods fit, predict|abstract method",
    ),
    "fit-gives-a-list": (
        plain(fit="return [1.0]"),
        "failed",
        r"fit: expected a dict of arrays, got list; return a dict of str to numpy\.ndarray",
    ),
    "fit-gives-nothing": (
        plain(fit="pass"),
        "failed",
        "fit: expected a dict of arrays, got NoneType; return",
    ),
    "fit-gives-a-dict-of-lists": (
        plain(fit="return {'w': [1.0]}"),
        "failed",
        "fit: expected 'w' to be an array of real numbers, got list; return a dict",
    ),
    "fit-gives-objects": (
        plain(fit="return {'w': np.array([None])}"),
        "failed",
        "fit: expected 'w' to be an array of real numbers, got object; return a dict",
    ),
    "fit-gives-complex-numbers": (
        plain(fit='return {"w": np.zeros(4, complex)}'),
        "failed",
        "fit: expected 'w' to be an array of real numbers, got complex128; store real and imaginary parts",
    ),
    "fit-gives-numbered-arrays": (
        plain(fit="return {1: np.zeros(4)}"),
        "failed",
        "fit: expected .*; return a dict",
    ),
    "fit-gives-nan": (
        plain(fit="return {'w': np.full(4, np.nan), 'b': np.zeros(1)}"),
        "failed",
        r"fit: expected numbers, got NaN in 'w' \(4 of 4\); look for a division by zero",
    ),
    "predict-gives-too-many-axes": (
        plain(predict="return x[:, :1]"),
        "failed",
        r"expected shape \(n,\) and a real dtype, got shape \(n, 1\) and dtype float32; .*y\[:, 0\]",
    ),
    "predict-gives-one-number": (
        plain(predict="return xp.sum(x)"),
        "failed",
        r"got shape \(\) and dtype float32",
    ),
    "predict-gives-too-few": (
        plain(predict="return x[1:, 0]"),
        "failed",
        r"expected shape \(n,\).*got shape",
    ),
    "predict-gives-booleans": (
        plain(predict="return x[:, 0] > 0"),
        "failed",
        r"got shape \(n,\) and dtype bool;",
    ),
    "predict-gives-nan": (
        plain(predict="return x[:, 0] * float('nan')"),
        "invalid",
        "not finite, .*; look for a division by zero",
    ),
    "predict-gives-numpy": (
        plain(predict="return np.zeros(x.shape[0])"),
        "failed",
        r"predict: expected an array of the namespace of x, got ndarray; compute it with xp",
    ),
    "predict-gives-nothing": (
        plain(predict="pass"),
        "failed",
        "predict: expected an array .*, got NoneType; comp",
    ),
    "predict-gives-params": (
        plain(predict="return params"),
        "failed",
        "predict: expected an array .*, got Model;",
    ),
    "predict-reads-a-missing-parameter": (
        plain(predict="return params['v']"),
        "failed",
        r"KeyError: \"no array called 'v'; the model has: b, w\" \(submission\.py:\d+ in predict\)",
    ),
    "uncounted-operation": (
        plain(predict="return xp.floor(x[:, 0])"),
        "refused",
        r"floor is refused: .* \(submission\.py:\d+ in predict\); use ops\.quantize",
    ),
    "refused-extension": (
        plain(predict="return xp.linalg.svd(x)"),
        "refused",
        r"linalg\.svd is refused: .* \(submission\.py:\d+ in predict\); decompose in fit",
    ),
    "unknown-operation": (
        plain(predict="return xp.linalg.expm(x)"),
        "refused",
        r"xp\.linalg\.expm has no price .*\(submission\.py:\d+ in predict\); docs/cost-model",
    ),
    "reading-a-value": (
        plain(predict="return x[:, 0] * float(x[0, 0])"),
        "refused",
        r"float\(x\) .*submission\.py",
    ),
    "ending-the-process": (
        plain(fit="os._exit(3)"),
        "failed",
        "process ended by itself with code 3; do not call exit",
    ),
    "ending-it-well": (
        plain(predict="os._exit(0)"),
        "failed",
        "process ended by itself with code 0; do not call",
    ),
    "killed-in-fit": (
        # Not by os.kill: the first process of a PID namespace ignores its own signals.
        plain(fit="import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass"),
        "failed",
        "killed by SIG(KILL|XCPU); a crash in a",
    ),
    "crash-in-fit": (
        plain(fit="import ctypes; ctypes.string_at(0)"),
        "failed",
        "killed by SIGSEGV; a crash in a",
    ),
    "crash-in-predict": (
        plain(predict="import ctypes; ctypes.string_at(0)"),
        "failed",
        "killed by SIGSEGV",
    ),
    "crash-at-import": (plain(top="import os; os.abort()"), "failed", "killed by SIG(ABRT|SEGV)"),
    "state-kept-from-fit": (
        plain(fit="self.w = 1.0\nreturn {}", predict="return x[:, 0] * self.w"),
        "failed",
        r"has no attribute 'w' \(submission\.py:\d+ in predict\)",
    ),
    "handles-kept-from-an-earlier-call": (
        plain(predict="self.x = getattr(self, 'x', x)\nreturn self.x[:, 0]"),
        "refused",
        "an array of an earlier call was used.*; predict must be a function of params and x alone",
    ),
    "mean-over-the-batch": (
        plain(predict="return x[:, 0] - xp.mean(x[:, 0])"),
        "invalid",
        "differ between an input alone and the same input in a batch; predict must treat every row by itself",
    ),
    "answers-by-position": (
        plain(fit="return {'y': train.y}", predict="return params['y'][: x.shape[0]]"),
        "invalid",
        "differ between an input alone and the same input in a batch",
    ),
    "endless-recursion": (
        plain(predict="return self.predict(params, x)"),
        "failed",
        "RecursionError: .*submission",
    ),
    "route-gives-nothing": (
        routed(route="pass"),
        "failed",
        r"route: expected sparsebench\.Routes, got NoneType; return .*Routes\(experts, gates\)",
    ),
    "route-gives-an-array": (
        routed(route=BITS + "return bits"),
        "failed",
        r"expected sparsebench\.Routes, got ",
    ),
    "route-gives-a-flat-array": (
        routed(route=BITS + "return sb.Routes(bits[:, 0])"),
        "failed",
        r"expected integer experts of shape \(n, k\), got shape \(\d+,\) and dtype int64 .*; use index",
    ),
    "route-gives-real-numbers": (
        routed(route="return sb.Routes(x[:, :1])"),
        "failed",
        r"expected integer experts of shape \(n, k\), got shape \(\d+, 1\) and dtype float32",
    ),
    "route-gives-numpy": (
        routed(route="return sb.Routes(np.zeros((x.shape[0], 1), np.int64))"),
        "failed",
        "route: experts: expected an array of the namespace of x, got ndarray; compute it with",
    ),
    "route-gives-other-gates": (
        routed(route=BITS + "return sb.Routes(bits, x)"),
        "failed",
        r"expected real gates of the shape of experts, \(\d+, 1\), got shape \(\d+, 4\) .*; one gate",
    ),
    "an-expert-that-is-not-there": (
        routed(route=BITS + "return sb.Routes(bits + 2)"),
        "failed",
        r"gather: an index is out of range \(submission\.py:\d+ in apply\); an index must",
    ),
    "apply-gives-nothing": (
        routed(apply="pass"),
        "failed",
        "apply: expected an array .*, got NoneType; compute it",
    ),
    "apply-gives-booleans": (
        routed(apply="return routes.experts[:, 0] > 0"),
        "failed",
        r"got shape \(n,\) and dtype bool; return one real number per input",
    ),
    "exception-in-route": (
        routed(route="raise ValueError('bad route')"),
        "failed",
        r"ValueError: bad route \(submission\.py:\d+ in route\)",
    ),
    "router-fit-gives-nothing": (
        routed(router_fit="pass"),
        "failed",
        "router: fit: expected a dict of arrays, got NoneType; return a dict",
    ),
    "experts-fit-gives-nothing": (
        routed(experts_fit="pass"),
        "failed",
        "experts: fit: expected a dict of arrays, got NoneType; return a dict",
    ),
    "parameters-of-one-name": (
        routed(experts_fit="return {'edge': np.zeros(2)}"),
        "failed",
        "router and experts both return the parameter 'edge'; give it another name in one of them",
    ),
}


def check(row, status, pattern):
    assert row.status == status, row.reason
    assert re.search(pattern, row.reason), row.reason
    assert len(row.reason.splitlines()) == 1
    assert row.error is row.quality is None
    assert all(getattr(row, name) is None for name in COUNTS)


@pytest.mark.parametrize(
    "code", [plain(predict=BITS + "return bits[:, 0]"), routed(apply="return routes.experts[:, 0]")]
)
def test_integers_are_answers_where_labels_are_recalled(tmp_path, code):
    row = run(tmp_path / "mine", code)
    assert (row.status, row.recall) == ("ok", 0.0), row.reason
    assert {audit.verdict for audit in row.audits if audit.name == "timed-as-metered"} == {"pass"}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_becomes_a_row(tmp_path, fault):
    code, status, pattern = FAULTS[fault]
    check(run(tmp_path / "mine", code), status, pattern)


@pytest.mark.parametrize(
    ("setting", "pattern"),
    [("plans = 8", "has the key 'plans'.*did you mean 'planes'"), ("", "has no key 'planes'")],
)
def test_a_setting_that_the_constructor_does_not_take(tmp_path, setting, pattern):
    code = plain().replace("task, **settings", "task, planes").replace("task, settings", "task, planes")
    folder = write(tmp_path / "mine", code, variants=f'[[variants]]\nname = "v"\n{setting}\n')
    check(run_cell(cell_of(folder), Limits()), "failed", pattern)


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        ("fit", plain(top="import time; time.sleep(999)")),
        ("fit", plain(fit="time.sleep(999)")),
        ("fit", plain(fit="while True: pass")),
        ("predict", plain(predict="time.sleep(999)")),
        ("predict", plain(predict="while True: x = x + 1")),
    ],
)
def test_a_submission_that_never_ends_is_stopped(tmp_path, stage, code):
    row = run(tmp_path / "mine", code, seconds=2.0)
    check(
        row,
        "timeout",
        rf"{stage}: the time limit has passed \(2 seconds\); make it faster, or raise --time-limit",
    )


@pytest.mark.parametrize(
    ("code", "pattern"),
    [
        (
            plain(fit="return {'w': np.ones(1 << 30)}"),
            r"out of memory \(submission\.py:\d+ in fit\); .*--memory-limit",
        ),
        (
            plain(fit="held = []\nwhile True: held.append(bytearray(1 << 20))"),
            r"out of memory \(submission\.py:\d+ in fit",
        ),
        (
            plain(predict="held = [x[:, :1] * xp.ones((1, 1 << 22)) for _ in range(9)]\n" + PREDICT),
            r"bytes at once; the limit is 50,331,648 \(submission\.py:\d+ in .*--memory-limit",
        ),
    ],
    ids=["one-array", "many-objects", "through-the-meter"],
)
def test_a_memory_hog_is_stopped(tmp_path, code, pattern):
    check(run(tmp_path / "mine", code, memory=48 << 20), "out-of-memory", pattern)


def test_a_batch_that_takes_too_much_is_run_in_parts(tmp_path):
    row = run(
        tmp_path / "mine",
        plain(predict="y = x[:, :1] * xp.ones((1, 1 << 17))\nreturn y[:, 0]"),
        memory=24 << 20,
    )
    assert row.status == "ok", row.reason
    assert row.peak_bytes <= 24 << 20
    assert row.ops == 1 << 17


def test_a_folder_that_changed_before_it_ran_is_found_out(tmp_path):
    folder = write(tmp_path / "mine", plain())
    cell = cell_of(folder)
    (folder / "notes.txt").write_text("new", encoding="utf-8")
    check(
        run_cell(cell, Limits()), "failed", "the submission's folder changed while it ran; evaluate it again"
    )


LAST = 6  # fit, the whole split, one by one, the same together, trials, timing


def before_the_last(monkeypatch, meddle):
    """Do something before a cell's last process, the timed one, starts; give the list of all."""
    started = []

    class Counted(Session):
        def __init__(self, *arguments, **keywords):
            started.append(self)
            if len(started) == LAST:
                meddle()
            super().__init__(*arguments, **keywords)

    monkeypatch.setattr(cell_module, "Session", Counted)
    return started


def check_not_timed(row, pattern):
    assert row.status == "ok", row.reason
    assert row.ops == 8
    assert row.predict_seconds_cpu is None
    audits = {audit.name: audit for audit in row.audits}
    assert audits["alone-as-in-batches"].verdict == "pass"
    assert audits["timed-as-metered"].verdict == "not-run"
    assert re.search(pattern, audits["timed-as-metered"].detail)


def test_a_folder_that_changes_meanwhile_changes_nothing(tmp_path, monkeypatch):
    folder = write(tmp_path / "mine", plain())
    cell = cell_of(folder)
    before = run_cell(cell, Limits())
    started = before_the_last(
        monkeypatch, lambda: (folder / "submission.py").write_text("raise RuntimeError", encoding="utf-8")
    )
    row = run_cell(cell, Limits())
    assert (row.status, row.cell_key, row.ops) == ("ok", before.cell_key, before.ops)
    assert row.predict_seconds_cpu is not None
    assert len(started) == LAST


def test_an_import_that_fails_before_the_timing_costs_only_the_time(tmp_path, monkeypatch):
    folder = write(tmp_path / "mine", plain())
    codes = []

    class Copied(CodeCopy):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            codes.append(self.code / "submission.py")

    monkeypatch.setattr(cell_module, "CodeCopy", Copied)
    before_the_last(monkeypatch, lambda: codes[0].write_text("raise RuntimeError('late')", encoding="utf-8"))
    check_not_timed(run_cell(cell_of(folder), Limits()), "RuntimeError: late")


def test_what_a_submission_prints_disturbs_nothing(tmp_path, capfd):
    noise = "print('x' * 200_000); sys.stderr.write('y' * 200_000); os.write(1, b'{}'); os.write(2, b'{}')\n"
    quiet = run(tmp_path / "mine", plain())
    noisy = run(tmp_path / "mine", plain(top="print('top')", fit=noise + SOUND_FIT, predict=noise + PREDICT))
    assert noisy.status == "ok", noisy.reason
    changed = {"submission_hash", "cell_key"}
    assert {
        n for n in quiet.to_dict() if n not in MEASURED and getattr(quiet, n) != getattr(noisy, n)
    } == changed
    assert capfd.readouterr() == ("", "")


def test_warnings_in_a_submission_are_its_own_matter(tmp_path):
    fit = (
        "import warnings; warnings.simplefilter('always'); warnings.warn('hm'); np.ones(1) / 0\n" + SOUND_FIT
    )
    assert run(tmp_path / "mine", plain(fit=fit)).status == "ok"


def test_byte_order_of_parameters_does_not_matter(tmp_path):
    rows = [
        run(
            tmp_path / "mine",
            plain(fit=f"return {{'w': np.arange(4.0).astype('{order}f8'), 'b': np.zeros(1)}}"),
        )
        for order in "<>"
    ]
    assert [row.status for row in rows] == ["ok", "ok"]
    assert rows[0].model_hash == rows[1].model_hash
    assert rows[0].error == rows[1].error


def test_a_fit_that_draws_from_elsewhere_gives_another_model(tmp_path):
    code = plain(fit="return {'w': np.random.default_rng().normal(size=4), 'b': np.zeros(1)}")
    cell = cell_of(write(tmp_path / "mine", code))
    first, second = run_cell(cell, Limits()), run_cell(cell, Limits())
    assert first.cell_key == second.cell_key
    assert first.model_hash != second.model_hash


def test_modules_beside_the_entry_can_be_imported(tmp_path):
    folder = write(
        tmp_path / "mine",
        plain(
            top="from helper import WIDTH",
            fit="return {'w': np.zeros(WIDTH)}",
            predict="return x @ params['w']",
        ),
    )
    (folder / "helper.py").write_text("WIDTH = 4\n", encoding="utf-8")
    row = run_cell(cell_of(folder), Limits())
    assert row.status == "ok", row.reason


def test_a_model_without_parameters_is_a_model(tmp_path):
    row = run(tmp_path / "mine", plain(fit="return {}", predict="return x[:, 0] + 1.0"))
    assert (row.status, row.stored_parameters, row.ops) == ("ok", 0, 1)


class Killed(Session):
    """Sessions of which the one with the number ``victim`` is killed from outside once it is there."""

    started = 0
    victim = LAST - 1

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        Killed.started += 1
        if Killed.started == Killed.victim:
            self._process.kill()


@pytest.mark.parametrize("victim", range(1, LAST + 1))
def test_a_process_that_somebody_killed_costs_the_row(tmp_path, monkeypatch, victim):
    """Also one of an audit: --resume is to give the row of an undisturbed run."""
    monkeypatch.setattr(Killed, "started", 0)
    monkeypatch.setattr(Killed, "victim", victim)
    monkeypatch.setattr(cell_module, "Session", Killed)
    row = run(tmp_path / "mine", plain())
    check(row, "failed", "killed by SIGKILL; .*--resume")
