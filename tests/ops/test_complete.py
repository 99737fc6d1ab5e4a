"""Nothing of a primitive is missing: CONTRIBUTING.md, "Adding a primitive", has what belongs to it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ops.specimen import FILE, all_specimens
from sparsebench.meter import document as prices
from sparsebench.ops import PRIMITIVES, document
from sparsebench.ops.families import FAMILIES
from sparsebench.ops.primitives import find_families
from sparsebench.timing import WORKLOADS

ROOT = Path(__file__).parents[2]


def folder_of(name):
    """Give the folder of the tests of a primitive's family."""
    module = next(module for module, names in find_families().items() if name in names)
    return ROOT / "tests" / "ops" / module.partition(".")[0]


def unused_backends(name):
    """Yield the modules of a family that its package does not import: what is in them never runs."""
    folder = Path(sys.modules[PRIMITIVES[name].definition.__module__].__file__).parent
    for file in sorted(folder.glob("on_*.py")):
        if f"sparsebench.ops.{folder.name}.{file.stem}" not in sys.modules:
            yield f"the import of {file.name} in {folder / '__init__.py'}"


def missing(name):
    """Say what a primitive that is defined lacks, and where that belongs."""
    if name not in PRIMITIVES:
        yield "its line in ops/families.py: python -m sparsebench.meter.stubs"
        return
    yield from unused_backends(name)
    if name not in WORKLOADS:
        yield f'its workload, Workload("{name}", ...), in harness/sparsebench/timing/workloads.py'
    here = folder_of(name)
    record = all_specimens().get(name)
    if record is None:
        yield f'its record, Specimen(name="{name}", ...), in {here / "specimens.py"}'
    else:
        for field in ("slow", "prices"):
            if not getattr(record, field):
                yield f"{field}, in its record in {here / 'specimens.py'}"
    if not any(f"ops.{name}" in file.read_text(encoding="utf-8") for file in here.glob("test_*.py")):
        yield f"a test of what is particular to it: of ops.{name}, in {here}/test_*.py"
    docs = ROOT / "docs"
    for page, text in (("ops.md", f"### {name}\n"), ("submit.md", f"`ops.{name}(")):
        if text not in (docs / page).read_text(encoding="utf-8"):
            yield f"its part of docs/{page}: python -m sparsebench.ops.document --write docs"
    if f"`{name}`" not in (docs / "cost-model.md").read_text(encoding="utf-8"):
        yield "its price in docs/cost-model.md: python -m sparsebench.meter.document > docs/cost-model.md"


@pytest.mark.parametrize("name", [name for names in find_families().values() for name in names])
def test_nothing_of_a_primitive_is_missing(name):
    told = list(missing(name))
    assert not told, f"{name} lacks " + "; ".join(told)


def test_nothing_is_left_of_a_primitive_that_is_gone():
    defined = {name for names in find_families().values() for name in names}
    assert {name for names in FAMILIES.values() for name in names} == defined
    assert set(WORKLOADS) == defined
    assert set(all_specimens()) == defined


def test_records_stand_in_the_folder_of_their_family():
    for name in PRIMITIVES:
        assert f'name="{name}"' in (folder_of(name) / FILE).read_text(encoding="utf-8")


def test_the_pages_are_written_from_the_primitives(tmp_path):
    marks = "<!-- primitives:begin -->\nold\n<!-- primitives:end -->\n"
    (tmp_path / "submit.md").write_text(f"before\n{marks}after\n", encoding="utf-8")
    document.write(tmp_path)
    assert (tmp_path / "ops.md").read_text(encoding="utf-8") == document.markdown()
    written = (tmp_path / "submit.md").read_text(encoding="utf-8")
    assert written.startswith("before\n<!-- primitives:begin -->\n| primitive |")
    assert written.endswith("|\n<!-- primitives:end -->\nafter\n")
    (tmp_path / "submit.md").write_text("no marks", encoding="utf-8")
    with pytest.raises(ValueError, match="expected a table between"):
        document.write(tmp_path)


def test_prices_name_every_primitive():
    page = prices.markdown()
    assert all(f"`{name}`" in page for name in PRIMITIVES)
