"""The numbers of rows and values in the footer of a Parquet file, group by group.

Arrow allocates memory for as many values as a footer claims, so these numbers are compared with one another
before it reads a column. They are read here, because pyarrow's accessors of column chunks end the process on
some damaged footers. The encoding is Thrift's compact protocol,
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md; the numbers of the fields
are those of https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Group", "groups_of"]

_TAIL = 8  # bytes after the footer: its length, and b"PAR1"
_LARGEST = 1 << 24  # bytes of a footer
_DEEPEST = 32  # levels of nested structures; Parquet has fewer
_ROW_GROUPS = 4  # of FileMetaData
_COLUMNS, _ROWS = 1, 3  # of RowGroup
_METADATA = 3  # of ColumnChunk
_VALUES = 5  # of ColumnMetaData
_MOST_FIELDS = 1 << 15
_LONG_LIST = 15  # a list's size with this value means that the size follows
_BITS, _MOST_BITS = 7, 64  # of a byte of a variable-length integer; of all of it

_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12
_INTEGERS = (4, 5, 6)


class Group(NamedTuple):
    """The numbers that the footer claims for a group of rows."""

    rows: int
    """How many there are."""
    values: tuple[int, ...]
    """How many values each column has, those of lists counted one by one, in the order of the schema."""


def groups_of(source: Any) -> list[Group]:
    """Read the footer's numbers for each group of rows.

    Parameters
    ----------
    source
        A file that is open for reading, with ``seek``, ``tell`` and ``read``.

    Raises
    ------
    ValueError
        If this is no footer, or has a field twice.
    """
    size = source.seek(0, 2)
    source.seek(max(0, size - _TAIL))
    tail = source.read(_TAIL)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != b"PAR1" or length > min(size - _TAIL, _LARGEST):
        raise ValueError(f"no footer of at most {_LARGEST} bytes at the end")
    source.seek(size - _TAIL - length)
    try:
        footer = _Reader(source.read(length)).structure()
        return [_group(claimed) for claimed in footer[_ROW_GROUPS]]
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError("a footer without the numbers of rows and values") from error


def _group(claimed: dict[int, Any]) -> Group:
    values = tuple(_number(chunk[_METADATA][_VALUES]) for chunk in claimed[_COLUMNS])
    return Group(_number(claimed[_ROWS]), values)


def _number(value: object) -> int:
    if type(value) is not int:
        raise TypeError
    return value


class _Reader:
    """A reader of structures as dictionaries: the number of a field → its value."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def structure(self, depth: int = 0) -> dict[int, Any]:
        if depth > _DEEPEST:
            raise ValueError("a footer of too many levels")
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            # Readers differ in which of two values of a field they take, and Arrow counts fields in 16 bits:
            # a footer must not mean one thing to us and another to Arrow.
            if number in fields or not 0 < number < _MOST_FIELDS:
                raise ValueError(f"a footer with a field {number} that it may not have")
            fields[number] = self._value(head & 15, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in {_TRUE, _FALSE}:
            return kind == _TRUE
        return self._element(kind, depth)

    def _element(self, kind: int, depth: int) -> Any:
        """Read a value outside of a field, where a truth value is a byte."""
        if kind in _INTEGERS:
            return self._integer()
        if kind in {_TRUE, _FALSE, _BYTE}:
            return self._byte()
        if kind in {_DOUBLE, _BINARY}:
            return self._bytes(8 if kind == _DOUBLE else self._unsigned())
        if kind in {_LIST, _SET, _MAP}:
            return (self._map if kind == _MAP else self._list)(depth + 1)
        if kind == _STRUCT:
            return self.structure(depth + 1)
        raise ValueError(f"a footer with a value of the unknown kind {kind}")

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        size = head >> 4 if head >> 4 != _LONG_LIST else self._unsigned()
        self._check(size)
        return [self._nested(head & 15, depth) for _ in range(size)]

    def _map(self, depth: int) -> list[Any]:
        """Skip a map: no field that is read has one."""
        size = self._unsigned()
        self._check(size)
        kinds = self._byte() if size else 0
        for _ in range(size):
            self._nested(kinds >> 4, depth)
            self._nested(kinds & 15, depth)
        return []

    def _nested(self, kind: int, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError("a footer of too many levels")
        return self._element(kind, depth)

    def _check(self, size: int) -> None:
        """Compare a size with the remaining bytes: every element takes at least one."""
        if size > len(self._content) - self._at:
            raise ValueError("a footer that ends too early")

    def _bytes(self, size: int) -> bytes:
        self._check(size)
        self._at += size
        return self._content[self._at - size : self._at]

    def _byte(self) -> int:
        return self._bytes(1)[0]

    def _unsigned(self) -> int:
        value = 0
        for shift in range(0, _MOST_BITS, _BITS):
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the bit that says: more comes
                return value
        raise ValueError("a footer with a number of too many bits")

    def _integer(self) -> int:
        zigzag = self._unsigned()
        return (zigzag >> 1) ^ -(zigzag & 1)
