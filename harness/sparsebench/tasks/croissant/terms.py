"""The vocabulary of Croissant: its context, small pieces of JSON-LD, and comparing two documents."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["CONTEXT", "SPECIFICATION", "differences", "field", "licences", "record_set"]

SPECIFICATION = "http://mlcommons.org/croissant/1.0"
"""The version of Croissant that documents conform to."""

# fmt: off
_TERMS = (
    "citeAs", "column", "extract", "field", "fileObject", "fileProperty", "fileSet", "format", "includes",
    "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex",
    "repeated", "replace", "separator", "source", "subField", "transform",
)
# fmt: on
_NEWER_TERMS = ("arrayShape", "isArray")  # of version 1.1, in the same namespace
# In the appendix of neither version or only of 1.1, but mlcroissant warns of a context without them.
_WANTED_TERMS = ("equivalentProperty", "samplingRate")

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "conformsTo": "dct:conformsTo",
    **{term: f"cr:{term}" for term in sorted([*_TERMS, *_NEWER_TERMS, *_WANTED_TERMS])},
}
"""The context of the specification's appendix 1, and the terms that we use beyond it."""

_SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
_MISSING = object()


def licences(*texts: str) -> Any:
    """Turn licences into the value of the property ``license``: one value, or a list if there are several.

    An SPDX identifier becomes its address, ``A AND B`` two addresses, and other words a work of that name.
    """
    found = [value for text in texts for value in _terms(text)]
    distinct = [value for index, value in enumerate(found) if value not in found[:index]]
    return distinct if len(distinct) > 1 else distinct[0]


def _terms(text: str) -> list[str | dict[str, str]]:
    names = text.split(" AND ")
    if all(_SPDX.fullmatch(name) for name in names):
        return [f"https://spdx.org/licenses/{name}.html" for name in names]
    return [{"@type": "sc:CreativeWork", "name": text}]


def field(
    parent: str,
    name: str,
    *,
    kind: str | list[str],
    about: str = "",
    shape: tuple[int, ...] = (),
    source: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """Describe a field of a record set.

    Parameters
    ----------
    parent
        ``@id`` of the record set.
    name
        The field's name in it.
    kind
        Its data types.
    about
        What it is, for people.
    shape
        Shape of one value; a single number if empty.
    source
        File and column that it is read from; None where data are inline.
    """
    document: dict[str, Any] = {"@type": "cr:Field", "@id": f"{parent}/{name}", "name": name}
    if about:
        document["description"] = about
    document["dataType"] = kind
    if shape:
        array_shape = ",".join(str(size) for size in shape)
        document |= {"repeated": True, "isArray": True, "arrayShape": array_shape}
    if source is not None:
        document["source"] = {"fileObject": {"@id": source[0]}, "extract": {"column": source[1]}}
    return document


def record_set(
    name: str, about: str, kinds: Mapping[str, str], rows: Sequence[Mapping[str, Any]], *, key: Sequence[str]
) -> dict[str, Any]:
    """Describe a record set whose data are inline.

    Parameters
    ----------
    name
        Its ``@id``.
    about
        What it is, for people.
    kinds
        Name of each field → its data type.
    rows
        The data: name of each field → value.
    key
        Names of the fields that identify a row.
    """
    keys = [{"@id": f"{name}/{part}"} for part in key]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": about,
        "key": keys if len(keys) > 1 else keys[0],
        "field": [field(name, part, kind=kind) for part, kind in kinds.items()],
        "data": [{f"{name}/{part}": value for part, value in row.items()} for row in rows],
    }


def differences(expected: Any, got: Any, where: str = "") -> Iterator[str]:
    """Compare two documents of JSON.

    Yields
    ------
    str
        A line for each place that differs. Items of lists are matched by their ``@id``, if they have one.
    """
    if isinstance(expected, dict) and isinstance(got, dict):
        prefix = f"{where}." if where else ""
        for key in dict.fromkeys([*expected, *got]):
            yield from differences(expected.get(key, _MISSING), got.get(key, _MISSING), f"{prefix}{key}")
    elif isinstance(expected, list) and isinstance(got, list):
        ours, theirs = _numbered(expected), _numbered(got)
        for key in dict.fromkeys([*ours, *theirs]):
            yield from differences(ours.get(key, _MISSING), theirs.get(key, _MISSING), f"{where}[{key}]")
    elif expected != got or type(expected) is not type(got):
        yield f"{where or 'document'}: expected {_shown(expected)}, got {_shown(got)}"


def _numbered(items: list[Any]) -> dict[str, Any]:
    named = [item.get("@id") if isinstance(item, dict) else None for item in items]
    unique = None not in named and len(set(named)) == len(named)
    return {str(named[index] if unique else index): item for index, item in enumerate(items)}


def _shown(value: Any) -> str:
    if value is _MISSING:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:97]}..."  # noqa: PLR2004 - a line is for people
