"""Type stubs and the client's table, generated from the rule table: ``python -m sparsebench.meter.stubs``.

With the stubs editors complete ``xp.`` and ``ops.``, and mypy checks submissions that annotate their arrays
with ``sparsebench.Array``.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsebench.meter.client.array import ARITHMETIC, COMPARISONS
from sparsebench.meter.client.namespace import EXTENSIONS
from sparsebench.meter.client_table import functions, parameters, signature
from sparsebench.meter.rules import REFUSED, RULES, typed
from sparsebench.meter.values import DTYPES
from sparsebench.ops import PRIMITIVES
from sparsebench.ops.families import FAMILIES
from sparsebench.ops.primitives import find_families

if TYPE_CHECKING:
    import inspect
    from collections.abc import Iterable, Iterator

    from sparsebench.meter.rules import Rule
    from sparsebench.ops import Primitive

__all__ = ["CLIENT_ONLY", "STUBS", "arrays", "operations"]

_PACKAGE = Path(__file__).parents[1]
_NOTE = "# Written by `python -m sparsebench.meter.stubs` from the rule table. Do not edit.\n"

_ARRAYS_HEAD = '''
"""The types of arrays and of their namespace, for annotations."""

from collections.abc import Iterator, Sequence
from types import EllipsisType
from typing import Any, Literal, NamedTuple, Never

import numpy as np

Flag = bool  # a namespace has a dtype of that name
DType = np.dtype[Any] | type | str
Index = int | slice | EllipsisType | Array | np.ndarray[Any, Any] | list[Any] | None
'''

CLIENT_ONLY = {
    "asarray": "(self, obj: Any, /, *, dtype: DType | None = None, device: Any = None, "
    "copy: bool | None = None) -> Array",
    "astype": "(self, x: Array, dtype: DType, /, *, copy: bool = True, device: Any = None) -> Array",
    "can_cast": "(self, from_: DType | Array, to: DType, /) -> bool",
    "finfo": "(self, type: DType | Array, /) -> Any",
    "from_dlpack": "(self, x: Any, /, *, device: Any = None, copy: bool | None = None) -> Array",
    "iinfo": "(self, type: DType | Array, /) -> Any",
    "isdtype": "(self, dtype: DType, kind: Any) -> bool",
    "result_type": "(self, *arrays_and_dtypes: Any) -> np.dtype[Any]",
}
"""Functions that the client answers, or lays out, by itself."""

_PROPERTIES = {
    "T": "Array",
    "device": "str",
    "dtype": "np.dtype[Any]",
    "mT": "Array",
    "ndim": "int",
    "shape": "tuple[int, ...]",
    "size": "int",
}
_METHODS = (
    "__abs__(self) -> Array",
    "__array_namespace__(self, *, api_version: str | None = None) -> Namespace",
    "__bool__(self) -> bool",
    "__getitem__(self, key: Index | tuple[Index, ...]) -> Array",
    "__invert__(self) -> Array",
    "__iter__(self) -> Iterator[Array]",
    "__len__(self) -> int",
    "__neg__(self) -> Array",
    "__pos__(self) -> Array",
    "__setitem__(self, key: Index | tuple[Index, ...], value: Array | complex) -> None",
    "to_device(self, device: str, /, *, stream: Any = None) -> Array",
)


def arrays() -> str:
    """Return the stubs of arrays and of their namespace.

    Returns
    -------
    str
        Python, ending in a newline.
    """
    parts = [_NOTE + _ARRAYS_HEAD, _array_class()]
    parts += [_result_class(rule) for rule in RULES.values() if rule.fields]
    parts += [_extension_class(name) for name in EXTENSIONS]
    parts.append(_namespace_class())
    return "\n".join(parts)


def operations() -> str:
    """Return the stubs of :mod:`sparsebench.ops`.

    Returns
    -------
    str
        Python, ending in a newline.
    """
    names = ["PRIMITIVES", "Primitive", *sorted(PRIMITIVES)]
    functions = (_primitive(name) for name in sorted(PRIMITIVES))
    head = f'''{_NOTE}
"""The operations of routed networks, each with a definition, a CPU implementation and a price."""

from collections.abc import Sequence
from typing import Any, Literal

from sparsebench.arrays import Array, DType
from sparsebench.ops.core.primitive import Primitive as Primitive
from sparsebench.ops.primitives import PRIMITIVES as PRIMITIVES

__all__ = {_listed(names)}
'''
    return "\n".join([head, *functions])


def _listed(names: Iterable[str]) -> str:
    return "[\n" + "".join(f'    "{name}",\n' for name in names) + "]"


def _array_class() -> str:
    lines = [
        "class Array:",
        '    """An array of the array API standard: metered, of NumPy, or of CuPy."""',
        "",
    ]
    for name, type_ in _PROPERTIES.items():
        lines += ["    @property", f"    def {name}(self) -> {type_}: ..."]
    lines += [f"    def {method}: ..." for method in _METHODS]
    operand = "Array | np.ndarray[Any, Any] | complex"
    for short in (*ARITHMETIC, *(f"r{short}" for short in ARITHMETIC)):
        name = ARITHMETIC[short if short in ARITHMETIC else short.removeprefix("r")]
        takes = "Never" if name in REFUSED else operand
        lines.append(f"    def __{short}__(self, other: {takes}, /) -> Array: ...")
    for short in COMPARISONS:
        ignore = "  # type: ignore[override]" if short in {"eq", "ne"} else ""
        lines.append(f"    def __{short}__(self, other: {operand}, /) -> Array: ...{ignore}")
    return "\n".join(lines) + "\n"


def _result_class(rule: Rule) -> str:
    lines = [f"class {_result_name(rule)}(NamedTuple):"]
    return "\n".join([*lines, *(f"    {field}: Array" for field in rule.fields)]) + "\n"


def _result_name(rule: Rule) -> str:
    return f"{rule.name.rpartition('.')[2]}_result"


def _extension_class(extension: str) -> str:
    prefix = f"{extension}."
    lines = [f"class _{extension.capitalize()}:"]
    lines += _functions(prefix)
    lines += [f"    def {shared}{_of_rule(RULES[shared])}: ..." for shared in EXTENSIONS[extension]]
    return "\n".join(lines) + "\n"


def _namespace_class() -> str:
    lines = [
        "class Namespace:",
        '    """The functions of the array API standard that the meter has a price for."""',
        "",
    ]
    lines += ["    __array_api_version__: str"]
    lines += [f"    {name}: np.dtype[Any]" for name in DTYPES]
    lines += [f"    {name}: float" for name in ("e", "inf", "nan", "pi")] + ["    newaxis: None"]
    lines += [f"    {name}: _{name.capitalize()}" for name in EXTENSIONS]
    lines += [f"    def {name}{written}: ..." for name, written in CLIENT_ONLY.items()]
    lines += ["    def __array_namespace_info__(self) -> Any: ..."]
    text = "\n".join([*lines, *_functions("")]) + "\n"
    return re.sub(r"\bbool\b(?!: np.dtype)", "Flag", text)


def _functions(prefix: str) -> Iterator[str]:
    """Yield the functions of a namespace, with their prices, and the refused ones as such.

    A refused function accepts no existing type, so mypy marks the call. If it were typed as never returning,
    mypy would treat the lines after it as unreachable, and not check them.
    """
    for rule in RULES.values():
        name = rule.name.removeprefix(prefix)
        if rule.hidden or not rule.name.startswith(prefix) or "." in name or rule.name in CLIENT_ONLY:
            continue
        yield f"    def {name}{_of_rule(rule)}:"
        yield f'        """Price: {rule.price}."""'
    for full, (reason, mend) in REFUSED.items():
        name = full.removeprefix(prefix)
        if full.startswith(prefix) and name.isidentifier():
            yield f"    def {name}(self, refused: Never, /, *args: Never, **kwargs: Never) -> Array:"
            yield f'        """Refused: {reason}; {mend}."""'


def _of_rule(rule: Rule) -> str:
    return f"(self, {_parameters(rule, signature(rule))}) -> {_gives(rule)}"


def _gives(rule: Rule) -> str:
    if rule.fields:
        return _result_name(rule)
    several = "list[Array]" if rule.listed else "tuple[Array, ...]"
    return several if rule.several else "Array"


def _parameters(rule: Rule, plain: inspect.Signature) -> str:
    """Return parameters with their types and defaults."""
    types = {name: "Any" if name == "device" else typed(rule, name) for name in plain.parameters}
    return parameters(plain, types)


def _primitive(name: str) -> str:
    written = _parameters(RULES[name], PRIMITIVES[name].parser.signature)
    first = (PRIMITIVES[name].__doc__ or "").strip().splitlines()[0]
    text = f"{first} Price: {PRIMITIVES[name].price}."
    return f'def {name}({written}) -> {_gives_of(PRIMITIVES[name])}:\n    """{text}"""\n'


def _gives_of(primitive: Primitive) -> str:
    """Return the return type of a primitive; a gather has none, since it depends on its tables."""
    several = len(primitive.parser.gives)
    return ("Any", "Array")[several] if several < 2 else f"tuple[{', '.join(['Array'] * several)}]"  # noqa: PLR2004


def families() -> str:
    """Return the table of all primitives by module, in the order of the page of prices: new ones come last.

    Returns
    -------
    str
        Python, ending in a newline.
    """
    found = find_families()
    order = [*(name for name in FAMILIES if name in found), *sorted(found.keys() - FAMILIES.keys())]
    lines = [_FAMILIES_HEAD]
    for name in order:
        before = [member for member in FAMILIES.get(name, ()) if member in found[name]]
        members = [*before, *(member for member in found[name] if member not in before)]
        written = ", ".join(f'"{member}"' for member in members)
        lines.append(f'    "{name}": ({written}{"," if len(members) == 1 else ""}),')
    return "\n".join([*lines, "}", '"""Module → its primitives, in the order of the page of prices."""', ""])


_FAMILIES_HEAD = f'''{_NOTE}
"""Every primitive, by the module that it is in: known without importing any of them."""

from __future__ import annotations

__all__ = ["FAMILIES"]

FAMILIES: dict[str, tuple[str, ...]] = {{'''

STUBS: dict[Path, Any] = {
    _PACKAGE / "arrays.pyi": arrays,
    _PACKAGE / "meter" / "client" / "functions.py": lambda: _NOTE + functions(),
    _PACKAGE / "ops" / "__init__.pyi": operations,
    _PACKAGE / "ops" / "families.py": families,
}
"""Every file that is written from the table, and what writes it."""


def main() -> None:
    """Write all files."""
    for path, write in STUBS.items():
        path.write_text(write(), encoding="utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
