"""The table of families has every primitive, under the module that it is in."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from sparsebench import ops
from sparsebench.ops import PRIMITIVES
from sparsebench.ops.core.primitive import Primitive
from sparsebench.ops.families import FAMILIES


def test_every_primitive_is_in_the_table_of_families():
    """And only under the module that it is in, in the table that no module need be imported for."""
    found = {}
    for info in pkgutil.walk_packages(ops.__path__, "sparsebench.ops."):
        if info.name.count(".") == 3 and not info.name.startswith("sparsebench.ops.core."):
            module = importlib.import_module(info.name)
            for name, value in vars(module).items():
                if isinstance(value, Primitive) and value.definition.__module__ == info.name:
                    assert value.name == name
                    found.setdefault(info.name.removeprefix("sparsebench.ops."), set()).add(name)
    assert found == {family: set(names) for family, names in FAMILIES.items()}
    assert all(PRIMITIVES[name] is getattr(ops, name) for names in found.values() for name in names)
    assert set(dir(ops)) >= {"PRIMITIVES", "Primitive", *PRIMITIVES}
    with pytest.raises(AttributeError, match="no attribute 'gater'"):
        ops.gater  # noqa: B018 - the access is what is tested
