"""The profiler: whose line asked, from where, and whether an input has decided the operands."""

import json
import linecache

import numpy as np
import pytest

from meter.metered import Meter
from sparsebench.meter.lines import NOWHERE, Place, Profiler, in_folder, outside_packages

HERE = __file__


def profiled(own=lambda file: file == HERE):
    meter = Meter({"w": np.arange(4.0), "m": np.eye(4)})
    meter.x = meter.begin(np.ones((2, 4)))
    meter.profiler = Profiler(meter.engine, own)
    meter.profiler.begin(meter.x.handle)
    meter.engine.observers.append(meter.profiler)
    return meter


def spent(meter):
    """Source of a line -> what was spent there."""
    return {place.source: spent for (_, place, _), spent in meter.profiler.spent.items()}


def total(ledger):
    return sum(entry.amount for entry in ledger)


def helper(x):
    return x + 1.0


def test_the_innermost_line_is_charged_and_the_outermost_told():
    meter = profiled(lambda file: file == HERE)
    for _ in range(2):
        helper(meter.x)
    ((phase, inner, outer),) = {key for key in meter.profiler.spent if key[1].function == "helper"}
    assert (phase, inner.source) == ("experts", "return x + 1.0")
    assert outer.file == HERE
    assert outer != inner
    of_helper = meter.profiler.spent["experts", inner, outer]
    assert total(of_helper.ledger) == 16
    assert of_helper.requests == 2


def test_phases_are_kept_apart():
    meter = profiled()
    for phase in ("router", "experts"):
        meter.engine.phase = phase
        helper(meter.x)
    assert {key[0] for key in meter.profiler.spent} == {"router", "experts"}


def test_code_that_is_nobodys_is_nowhere():
    meter = profiled(lambda file: False)
    helper(meter.x)
    assert set(meter.profiler.spent) == {("experts", NOWHERE, NOWHERE)}
    assert NOWHERE.source == ""


def test_lines_are_told_by_what_their_operands_derive_from():
    meter = profiled()
    w, x, xp = meter.params["w"], meter.x, meter.xp
    scaled = w * 2.0
    table = xp.concat([scaled, xp.asarray([1.0])])
    chosen = table + 1.0
    sums = x + w
    values = sums * scaled
    found = spent(meter)
    for source in ("scaled = w * 2.0", "chosen = table + 1.0"):
        assert total(found[source].fixed) == total(found[source].ledger) > 0
    for source, line in found.items():
        if source.startswith(("sums", "values")):
            assert total(line.fixed) == 0 < total(line.ledger)
    assert chosen.shape == (5,)
    assert values.shape == (2, 4)


def test_a_line_may_do_both():
    meter = profiled()
    w, x = meter.params["w"], meter.x
    (w * w) + (x * x)
    (line,) = (line for source, line in spent(meter).items() if "(w * w)" in source)
    assert total(line.fixed) == 4
    assert total(line.ledger) == 4 + 8 + 8


def test_several_results_depend_together():
    meter = profiled()
    from sparsebench import ops

    values, index = ops.top_k(meter.x, 2)
    values * 2.0
    index * 2
    found = spent(meter)
    for source, line in found.items():
        if "* 2" in source:
            assert total(line.fixed) == 0


def test_what_inputs_are_written_to_depends_on_them_through_all_its_views():
    meter = profiled()
    xp = meter.xp
    buffer = xp.zeros((2, 4))
    view = buffer[0, :]
    before = view + 1.0
    view[...] = meter.x[0, :]
    after = buffer + 1.0
    found = spent(meter)
    assert total(found["before = view + 1.0"].fixed) == 4
    assert total(found["after = buffer + 1.0"].fixed) == 0 < total(found["after = buffer + 1.0"].ledger)
    assert before.ndim == 1
    assert after.ndim == 2
    meter.profiler.begin(meter.x.handle)
    again = xp.zeros((4,)) + 1.0
    assert total(spent(meter)["again = xp.zeros((4,)) + 1.0"].fixed) == 4
    assert again.shape == (4,)


def test_what_leaves_of_an_input_is_of_the_input():
    meter = profiled()
    xp = meter.xp
    if meter.x[0, 0] > 0:
        pass
    if xp.any(meter.params["w"] > 2.0):
        pass
    meter.x[meter.x[:, 0] > 0].shape  # noqa: B018 - asking has a price
    found = spent(meter)
    assert total(found["if meter.x[0, 0] > 0:"].fixed) == 0
    assert total(found['if xp.any(meter.params["w"] > 2.0):'].fixed) == 4 + 3 + 1
    assert all(total(line.fixed) == 0 for source, line in found.items() if ".shape" in source)


def test_arguments_by_name_count_too():
    meter = profiled()
    meter.xp.clip(meter.params["w"], max=meter.x[0, :])
    assert all(total(line.fixed) == 0 for source, line in spent(meter).items() if "clip" in source)


def test_whose_code_is_whose(tmp_path):
    assert in_folder(tmp_path)(str(tmp_path / "deep" / "code.py"))
    assert not in_folder(tmp_path)(HERE)
    assert outside_packages(HERE)
    assert outside_packages("<stdin>")
    for file in (np.__file__, json.__file__, outside_packages.__code__.co_filename, "<frozen runpy>"):
        assert not outside_packages(file)


def test_a_place_has_its_text(tmp_path):
    file = tmp_path / "code.py"
    file.write_text("a = 1\n    b = 2  \n", encoding="utf-8")
    linecache.checkcache(str(file))
    assert Place(str(file), 2, "f").source == "b = 2"
    assert Place(str(file), 9, "f").source == ""


@pytest.mark.parametrize("rows", [1, 3])
def test_all_lines_together_are_the_ledger(rows):
    meter = profiled()
    x = meter.begin(np.ones((rows, 4)))
    meter.profiler.begin(x.handle)
    y = helper(x) @ meter.params["m"]
    for _ in range(3):
        y = helper(y)
    assert sum(total(line.ledger) for line in meter.profiler.spent.values()) == total(meter.engine.ledger)
