"""What an author meets in the first hour: each is one line, which says what, expected, got and the mend."""
# ruff: noqa: E501 - messages stand here as they are told, in one line

from __future__ import annotations

import errno
import re

import pytest

from evaluate.tiny import FIT, PREDICT, ROOT, cell_of, plain, routed, write
from sparsebench.author.check import run_in_process
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.child.sandboxed import mend_of_walls
from sparsebench.evaluate.plan import Limits

RETURN_IT = "fit and predict run in different processes: return it from fit"
NONE_BEFORE = ("self.task, self.settings = task, settings", "self.w, self.t = None, {}")
CLOSED = (
    "the sandbox ({sandbox}) lets code read what is installed or lies beside it, and write in its working folder "
    "alone, the current one, HOME and TMPDIR: write 'name', not '/path/name'"
)
DICT = "return a dict of str to numpy.ndarray"
KEEPS = "self.w = 1.0\nreturn {}"

STATE = {
    "on-self": (
        plain(fit=KEEPS, predict="return x[:, 0] * self.w"),
        "AttributeError: 'Model' object has no attribute 'w'",
        ("predict", "return x[:, 0] * self.w"),
        RETURN_IT,
    ),
    "on-the-router": (
        routed("return sb.Routes(xp.astype(x[:, :1] > self.w, xp.int64))", router_fit=KEEPS),
        "AttributeError: 'MyRouter' object has no attribute 'w'",
        ("route", "return sb.Routes(xp.astype(x[:, :1] > self.w, xp.int64))"),
        RETURN_IT,
    ),
    "on-the-experts": (
        routed(apply="return x[:, 0] * self.w", experts_fit=KEEPS),
        "AttributeError: 'MyExperts' object has no attribute 'w'",
        ("apply", "return x[:, 0] * self.w"),
        RETURN_IT,
    ),
    "on-something-that-self-holds": (
        plain(fit="self.net.w = 1.0\nreturn {}", predict="return x[:, 0] * self.net.w").replace(
            "self.task, self.settings = task, settings", "self.net = type('Net', (), {})()"
        ),
        "AttributeError: 'Net' object has no attribute 'w'",
        ("predict", "return x[:, 0] * self.net.w"),
        RETURN_IT,
    ),
    "none-until-fit": (
        plain(fit=KEEPS, predict="return x[:, 0] * self.w").replace(*NONE_BEFORE),
        "TypeError: unsupported operand type(s) for *: 'MeteredArray' and 'NoneType'",
        ("predict", "return x[:, 0] * self.w"),
        f"self.w is what __init__ made it: {RETURN_IT}",
    ),
    "empty-until-fit": (
        plain(fit="self.t['w'] = 1.0\nreturn {}", predict="return x[:, 0] * self.t['w']").replace(
            *NONE_BEFORE
        ),
        "KeyError: 'w'",
        ("predict", "return x[:, 0] * self.t['w']"),
        f"self.t is what __init__ made it: {RETURN_IT}",
    ),
    "in-the-module": (
        plain(top="W = None", fit="global W\nW = 1.0\nreturn {}", predict="return x[:, 0] * W"),
        "TypeError: unsupported operand type(s) for *: 'MeteredArray' and 'NoneType'",
        ("predict", "return x[:, 0] * W"),
        f"W is what the module made it: {RETURN_IT}",
    ),
    "new-in-the-module": (
        plain(fit="global W\nW = 1.0\nreturn {}", predict="return x[:, 0] * W"),
        "NameError: name 'W' is not defined",
        ("predict", "return x[:, 0] * W"),
        RETURN_IT,
    ),
    "not-fitted": (
        plain(
            top="class NotFittedError(ValueError): pass\ndef demand(_): raise NotFittedError('this is not fitted yet')",
            predict="demand(self)",
        ),
        "NotFittedError: this is not fitted yet",
        ("demand", "def demand(_): raise NotFittedError('this is not fitted yet')"),
        RETURN_IT,
    ),
    "a-slip-of-the-pen": (
        plain(predict="return x[:, 0] * self.setting['w']"),
        "AttributeError: 'Model' object has no attribute 'setting'",
        ("predict", "return x[:, 0] * self.setting['w']"),
        "did you mean 'settings'?",
    ),
}
OWN_MISTAKES = {
    "key": (plain(fit="return {}['planes']"), "KeyError: 'planes'", ("fit", "return {}['planes']"), ""),
    "index": (
        plain(fit="return [1][3]"),
        "IndexError: list index out of range",
        ("fit", "return [1][3]"),
        "",
    ),
    "type": (
        plain(predict="return 1 + 'a'"),
        "TypeError: unsupported operand type(s) for +: 'int' and 'str'",
        ("predict", "return 1 + 'a'"),
        "",
    ),
    "text": (plain(fit="raise ValueError('odd data')"), "ValueError: odd data", ("fit", ""), ""),
    "in-a-library": (
        plain(fit="return {'w': np.concatenate([np.zeros(3), np.zeros((2, 2))])}"),
        (
            "ValueError: all the input arrays must have same number of dimensions, but the array at index 0 has 1 "
            "dimension(s) and the array at index 1 has 2 dimension(s)"
        ),
        ("fit", "return {'w': np.concatenate([np.zeros(3), np.zeros((2, 2))])}"),
        "",
    ),
    "module": (
        plain(top="import nosuch.part"),
        "ModuleNotFoundError: No module named 'nosuch'",
        ("<module>", "import nosuch.part"),
        "install it and name it in requires of submission.toml, or put nosuch.py beside the entry",
    ),
    "list-operand": (
        plain(predict="return x[:, 0] * [1, 2]"),
        (
            "TypeError: multiply: expected an array or a number beside a metered array, got a list; use "
            "xp.asarray(list), or make the array in fit"
        ),
        ("predict", "return x[:, 0] * [1, 2]"),
        "",
    ),
    "write-to-the-input": (
        plain(predict="x[x > 0] = 0.0\nreturn x[:, 0]"),
        "ValueError: parameters, inputs and broadcast arrays cannot be written to; use xp.asarray(x, copy=True)",
        ("predict", "x[x > 0] = 0.0"),
        "",
    ),
    "own-file": (
        plain(fit="open('submission.toml')"),
        "FileNotFoundError: [Errno 2] No such file or directory: 'submission.toml'",
        ("fit", "open('submission.toml')"),
        "code runs in a working folder: read Path(__file__).with_name('submission.toml')",
    ),
}


def reason_of(folder, code, **more):
    """Run one cell, and give why it has no figures: never with a traceback, nor with a line of ours."""
    row = run_cell(cell_of(write(folder, code, **more)), Limits())
    assert row.status != "ok"
    assert "Traceback" not in row.reason
    assert "sparsebench/" not in row.reason
    assert len(row.reason.splitlines()) == 1
    return row


def line_of(code, source):
    return 1 + next(n for n, line in enumerate(code.splitlines()) if line.strip() == source)


@pytest.mark.parametrize("fault", [*STATE, *OWN_MISTAKES])
def test_an_error_of_ones_own_code_shows_the_line_and_the_mend(tmp_path, fault):
    code, what, (function, source), mend = (STATE | OWN_MISTAKES)[fault]
    number = line_of(code, source or "raise ValueError('odd data')")
    place = f"(submission.py:{number} in {function})" + (f": `{source}`" if source else "")
    expected = f"{what} {place}; {mend}" if mend else f"{what} {place}"
    assert reason_of(tmp_path / "mine", code).reason == expected


@pytest.mark.parametrize("fault", STATE)
def test_state_of_fit_is_missed_in_process_too(tmp_path, fault):
    code, what, _, mend = STATE[fault]
    if "module" in fault:
        pytest.skip("modules are the process's")
    with pytest.raises(Exception, match=re.escape(what.partition(": ")[2])) as caught:
        list(run_in_process(str(write(tmp_path / "mine", code))))
    assert caught.value.__notes__ == [f"help: {mend}"]


def test_once_bits_have_left_class_and_line_are_all(tmp_path):
    code = plain(fit=KEEPS, predict="if x[0, 0] > 0: pass\nreturn self.w")
    assert reason_of(tmp_path / "mine", code).reason == (
        "AttributeError: its words are left out, since bits of inputs had left the meter "
        f"(submission.py:{line_of(code, 'return self.w')}); sparsebench check PATH --in-process shows them"
    )


SIGNATURES = {
    "fit": (plain(), "fit(self, train, valid, rng)", "fit(self, train, rng)", "Model", 3),
    "predict": (plain(), "predict(self, params, x)", "predict(self, x)", "Model", 2),
    "route": (routed(), "route(self, params, x)", "route(self, x)", "MyRouter", 2),
    "apply": (routed(), "apply(self, params, x, routes)", "apply(self, params, x)", "MyExperts", 3),
    "experts-fit": (
        routed(),
        "fit(self, train, valid, rng, routes)",
        "fit(self, train, valid, rng)",
        "MyExperts",
        4,
    ),
}


@pytest.mark.parametrize("which", SIGNATURES)
def test_a_method_that_is_called_otherwise_is_told_its_signature(tmp_path, which):
    code, right, wrong, owner, takes = SIGNATURES[which]
    name = right.partition("(")[0]
    assert reason_of(tmp_path / "mine", code.replace(right, wrong)).reason == (
        f"TypeError: {owner}.{name}() takes {takes} positional arguments but {takes + 1} were given; write {right}"
    )


RETURNED = {
    "nothing": (
        "pass",
        f"fit: expected a dict of arrays, got NoneType; {DICT}, or sb.Model(arrays, structure)",
    ),
    "none": (
        "return {'w': None}",
        "fit: expected 'w' to be an array of real numbers, got None; leave it out: a model is what predict needs",
    ),
    "number": (
        "return {'w': 0.5}",
        f"fit: expected 'w' to be an array of real numbers, got float; {DICT}: numpy.asarray makes one",
    ),
    "number-of-numpys": (
        "return {'w': np.float64(0.5)}",
        f"fit: expected 'w' to be an array of real numbers, got float64; {DICT}: numpy.asarray makes one",
    ),
    "half": (
        "return {'w': np.zeros(4, np.float16)}",
        "fit: expected 'w' to be an array of real numbers, got float16; cast it: array.astype(numpy.float32)",
    ),
    "nested": (
        "return {'w': {'a': np.zeros(4)}}",
        (
            f"fit: expected 'w' to be an array of real numbers, got dict; {DICT}, each with a name of its own, such "
            "as 'w.weight'"
        ),
    ),
    "words": (
        "return {'w': np.array(['a'])}",
        f"fit: expected 'w' to be an array of real numbers, got <U1; {DICT}: number the words",
    ),
    "ragged": (
        "return {'w': np.array([[1], [2, 3]], dtype=object)}",
        (
            f"fit: expected 'w' to be an array of real numbers, got object; {DICT}: all rows of one length, and "
            "numbers in them"
        ),
    ),
    "numbered": ("return {1: np.zeros(4)}", f"fit: expected names that are text, got 1; {DICT}"),
    "nan": (
        "return {'w': np.array([1, np.nan, np.nan, 0]), 'b': np.full(1, np.nan), 'c': np.full(1, np.inf)}",
        (
            "fit: expected numbers, got NaN in 'b' (1 of 1), 'w' (2 of 4); look for a division by zero or a mean of "
            "nothing; where NaN means something, write allow_nan = true in [submission]"
        ),
    ),
    "infinite": (
        "return {'w': np.array([1, np.inf, -np.inf, 0]), 'b': np.zeros(1)}",
        (
            "predict returned values that are not finite, expected real numbers; fit gave infinities in 'w' (2 of 4): "
            "look for a division by zero, a logarithm of zero or an overflow"
        ),
    ),
}


@pytest.mark.parametrize("what", RETURNED)
def test_what_fit_returned_that_is_no_model_is_named(tmp_path, what):
    fit, message = RETURNED[what]
    row = reason_of(tmp_path / "mine", plain(fit=fit))
    assert row.reason == message
    assert row.status == ("invalid" if what == "infinite" else "failed")


def test_nan_that_means_something_is_let_pass(tmp_path):
    code = plain(
        fit="return {'w': np.full(4, np.nan)}", predict="return xp.where(xp.isnan(x @ params['w']), 1.0, 0.0)"
    )
    row = run_cell(cell_of(write(tmp_path / "mine", code, more="allow_nan = true")), Limits())
    assert row.status == "ok", row.reason


def test_infinities_that_compare_are_let_pass(tmp_path):
    code = plain(fit="return {'e': np.array([-np.inf, 0.5, np.inf])}")
    code = code.replace(PREDICT, "return xp.astype(xp.searchsorted(params['e'], x[:, 0]), xp.float32)")
    row = run_cell(cell_of(write(tmp_path / "mine", code)), Limits())
    assert row.status == "ok", row.reason


TWO_VARIANTS = '[[variants]]\nname = "a"\nplanes = 8\n\n[[variants]]\nname = "v"\n{}\n'
STRICT = (
    plain()
    .replace("task, **settings", "task, *, planes, depth: int = 3")
    .replace("task, settings", "task, planes")
)


@pytest.mark.parametrize(
    ("setting", "line", "message"),
    [
        (
            "plains = 8",
            15,
            (
                "variant 'v' has the key 'plains', which Model(task, *, planes, depth=3) does not take; "
                "did you mean 'planes'?"
            ),
        ),
        (
            'planes = 8\n"colour" = "red"',
            16,
            (
                "variant 'v' has the key 'colour', which Model(task, *, planes, depth=3) does not take; "
                "take it out, or add it to the signature"
            ),
        ),
        (
            "depth = 2",
            14,
            (
                "variant 'v' has no key 'planes', which Model(task, *, planes, depth=3) needs; "
                "add planes = ..., or give it a default"
            ),
        ),
    ],
)
def test_a_key_that_the_entry_does_not_take_is_told_with_its_line(tmp_path, setting, line, message):
    folder = write(tmp_path / "mine", STRICT, variants=TWO_VARIANTS.format(setting))
    cell = cell_of(folder)
    assert cell.variant == "a"
    assert run_cell(cell, Limits()).status == "ok"
    folder = write(tmp_path / "mine", STRICT, variants=TWO_VARIANTS.format(setting).replace('"a"', '"z"'))
    row = run_cell(cell_of(folder, variant="v"), Limits())
    assert row.reason == f"submission.toml:{line}: {message}"


INNER = (
    routed()
    .replace("MyRouter()", "MyRouter(**settings)")
    .replace(
        "class MyRouter(sb.Router):", "class MyRouter(sb.Router):\n    def __init__(self, planes=1): pass\n"
    )
)
DEEPER = {
    "further-in": (
        INNER,
        (
            "TypeError: MyRouter.__init__() got an unexpected keyword argument 'plains' (submission.py:{line} in Model): "
            "`return sb.Routed(MyRouter(**settings), MyExperts())`; submission.toml:11 gives it"
        ),
        "return sb.Routed(MyRouter(**settings), MyExperts())",
    ),
    "looked-up": (
        plain().replace("self.task, self.settings = task, settings", "self.planes = settings['planes']"),
        (
            "KeyError: 'planes' (submission.py:{line} in __init__): `self.planes = settings['planes']`; "
            "submission.toml:10: the variant has plains"
        ),
        "self.planes = settings['planes']",
    ),
}


@pytest.mark.parametrize("where", DEEPER)
def test_a_key_that_code_further_in_does_not_take_is_told_with_its_line(tmp_path, where):
    code, message, source = DEEPER[where]
    row = reason_of(tmp_path / "mine", code, variants='[[variants]]\nname = "v"\nplains = 8\n')
    told = row.reason.replace(". Did you mean 'planes'?", "")  # Python 3.13 says so by itself
    assert told == message.format(line=line_of(code, source))


def test_an_entry_that_takes_no_task_is_told(tmp_path):
    code = plain().replace("self, task, **settings", "self").replace("task, settings", "1, 2")
    assert reason_of(tmp_path / "mine", code).reason == (
        "entry: expected it to take the task first, got Model(); write __init__(self, task, **settings)"
    )


OUTSIDE = {
    "open": "open('/tmp/model.npy', 'w')",
    "numpy": "np.save('/usr/model.npy', np.zeros(3))",
    "folder": "os.mkdir('/var/tmp/mine')",
    "beside-the-code": "open(__file__ + '.txt', 'w')",
    "reading": f"open({str(ROOT / 'README.md')!r})",
}


@pytest.mark.parametrize("how", OUTSIDE)
@pytest.mark.parametrize("part", ["fit", "predict"])
def test_a_file_outside_of_the_working_folder_is_told_with_the_folder(tmp_path, how, part):
    code = plain(**{part: f"{OUTSIDE[how]}\n{FIT if part == 'fit' else PREDICT}"})
    row = run_cell(cell_of(write(tmp_path / "mine", code)), Limits())
    place = f"(submission.py:{line_of(code, OUTSIDE[how])} in {part}): `{OUTSIDE[how]}`"
    assert re.match(r"(PermissionError|OSError|FileNotFoundError): \[Errno \d+\] ", row.reason)
    assert row.reason.endswith(f" {place}; {CLOSED.format(sandbox=row.sandbox)}")


WALLS = {
    "name": (
        "import socket; socket.getaddrinfo('example.org', 80)",
        "has no network: put what fit reads beside",
    ),
    "socket": ("import socket; socket.socket(socket.AF_INET)", "has no network"),
    "threads": (
        "import threading; [threading.Thread(target=time.sleep, args=(9,)).start() for _ in range(99)]",
        "has 64 processes and threads: use fewer",
    ),
}


@pytest.mark.parametrize("what", WALLS)
def test_what_else_the_walls_forbid_is_told(tmp_path, what):
    fit, mend = WALLS[what]
    row = run_cell(cell_of(write(tmp_path / "mine", plain(fit=fit))), Limits())
    assert f"; the sandbox ({row.sandbox}) {mend}" in row.reason


LACKING = {
    "restricted": "has no network, no semaphores between processes, and sets no times or modes of files: ",
    "isolated": "has no network and no devices: ",
}


@pytest.mark.parametrize("level", LACKING)
def test_what_has_no_name_is_told_by_the_level(level):
    told = mend_of_walls(PermissionError(errno.EPERM, "Operation not permitted"), level)
    assert told == f"the sandbox ({level}) {LACKING[level]}docs/submit.md says what fit may do"
    full = mend_of_walls(OSError(errno.EFBIG, "File too large"), level)
    assert full == f"the sandbox ({level}) has room for 1 GiB of files: write less"
    assert mend_of_walls(BlockingIOError(errno.EAGAIN, "no fork"), level).endswith("use fewer")
    assert mend_of_walls(OSError(errno.ENOENT, "no such"), level) == ""
    assert mend_of_walls(ValueError("other"), level) == ""


NO_SUPER = routed().replace("def Model(task, **settings):\n    return sb.Routed(MyRouter(), MyExperts())", "")
NO_SUPER += (
    "class Model(sb.Routed):\n    def __init__(self, task):\n        self.parts = MyRouter(), MyExperts()\n"
)
NAMES = {
    "split": (
        plain(fit="return {'w': train.X}"),
        "AttributeError: 'Split' object has no attribute 'X' (submission.py:{} in fit): `{}`; it has id, x, y, tag",
        "return {'w': train.X}",
    ),
    "task": (
        plain(fit="return {'w': np.zeros(self.task.input_dim)}"),
        (
            "AttributeError: 'TaskInfo' object has no attribute 'input_dim' (submission.py:{} in fit): `{}`; "
            "it has task, metric, input_shape, target_dtype, classes, domains"
        ),
        "return {'w': np.zeros(self.task.input_dim)}",
    ),
    "ops": (
        plain(predict="return ops.softmaxx(x)"),
        (
            "AttributeError: module 'sparsebench.ops' has no attribute 'softmaxx' (submission.py:{} in predict): `{}`; "
            "did you mean softmax?"
        ),
        "return ops.softmaxx(x)",
    ),
    "sb": (
        plain(predict="return sb.Route(x)"),
        (
            "AttributeError: module 'sparsebench' has no attribute 'Route' (submission.py:{} in predict): `{}`; "
            "did you mean Routes?"
        ),
        "return sb.Route(x)",
    ),
    "super": (
        NO_SUPER,
        "AttributeError: 'Model' object has no attribute 'router'; call super().__init__(router, experts) in __init__",
        "",
    ),
    "relative": (
        plain(top="from . import helper"),
        (
            "ImportError: attempted relative import with no known parent package (submission.py:{} in <module>): `{}`; "
            "modules beside the entry are imported by their names: import helper"
        ),
        "from . import helper",
    ),
}


@pytest.mark.parametrize("what", NAMES)
def test_a_name_that_something_of_ours_does_not_have_is_told(tmp_path, what):
    code, message, source = NAMES[what]
    number = line_of(code, source) if source else 0
    assert reason_of(tmp_path / "mine", code).reason == message.format(number, source)


def test_an_array_that_is_asked_for_as_an_attribute_is_told(tmp_path):
    code = plain(predict="return x @ params.w")
    reason = reason_of(tmp_path / "mine", code).reason
    assert reason.endswith(
        f"(submission.py:{line_of(code, 'return x @ params.w')} in predict): `return x @ params.w`; write params['w']"
    )


def test_a_class_that_lacks_a_method_is_told(tmp_path):
    reason = reason_of(tmp_path / "mine", plain().replace("def predict", "def forward")).reason
    assert "abstract" in reason
    assert reason.endswith(
        "; define in the class what it names; `sparsebench new my-router` writes one that has all"
    )


PAGE = (ROOT / "docs/submit.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("first-hour:begin")[2].partition("first-hour:end")[0]
TOLD = re.findall(r"^\| (.*?) \| `(.*)` \|$", TABLE, re.MULTILINE)
V = '[[variants]]\nname = "v"\n'
SHOWN = {
    "`self.w = …` in": (plain(fit=KEEPS, predict="return x[:, 0] * self.w"), V),
    "the same": (plain(fit=KEEPS, predict="return x[:, 0] * self.w").replace(*NONE_BEFORE), V),
    "a key": (STRICT.replace(", depth: int = 3", ""), f"{V}plains = 8\n"),
    "a division": (plain(fit="return {'w': np.array([1.0, 2.0, 3.0, np.nan])}"), V),
    "a list": (plain(fit="return {'w': [1.0]}"), V),
    "`sb.Routes": (routed("return sb.Routes(xp.argmax(x, axis=1))"), V),
    "`xp.concat": (plain(predict="return xp.concatenate([x, x])"), V),
    "`np.linalg": (plain(predict="return np.linalg.norm(x)"), V),
    "`x[x < 0]": (plain(predict="x[x < 0] = 0.0"), V),
    "`open(": (plain(fit='open("/tmp/w.npy", "w")'), V),
    "`import`": (plain(top="import nosuch"), V),
}


@pytest.mark.parametrize("start", SHOWN)
def test_the_page_tells_what_the_row_says(tmp_path, start):
    code, variants = SHOWN[start]
    (told,) = [says for did, says in TOLD if did.startswith(start)]
    row = reason_of(tmp_path / "mine", code, variants=variants)
    assert re.fullmatch(".*".join(map(re.escape, told.split("…"))), row.reason), row.reason


def test_the_page_tells_nothing_else():
    assert len(TOLD) == len(SHOWN)
