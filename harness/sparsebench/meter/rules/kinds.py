"""The kinds of the parameters of rules: names for annotations of the function that executes a rule.

They are read when the table of rules is made, so they are imported at runtime.
"""

from __future__ import annotations

from typing import Annotated, Any

from sparsebench.ops.core import kinds

__all__ = [
    "Array",
    "ArrayOrNone",
    "Arrays",
    "Axes",
    "Axis",
    "DType",
    "DTypeOrNone",
    "Flag",
    "FlagOrNone",
    "Integer",
    "Integers",
    "Length",
    "LengthOrNone",
    "Lengths",
    "Number",
    "Operand",
    "OperandOrNone",
    "Real",
    "RealOrNone",
]

Array = Annotated[Any, kinds.ARRAY]
ArrayOrNone = Annotated[Any, kinds.or_none(kinds.ARRAY)]
Arrays = Annotated[Any, kinds.tuple_of(kinds.ARRAY, "a sequence of arrays", 1)]
Axes = Annotated[Any, kinds.AXES]
Axis = Annotated[int | None, kinds.AXIS]
DType = Annotated[Any, kinds.DTYPE]
DTypeOrNone = Annotated[Any, kinds.or_none(kinds.DTYPE)]
Flag = Annotated[bool, kinds.FLAG]
FlagOrNone = Annotated[bool | None, kinds.or_none(kinds.FLAG)]
Integer = Annotated[int, kinds.INTEGER]
Integers = Annotated[Any, kinds.INTEGERS]
Length = Annotated[int, kinds.LENGTH]
LengthOrNone = Annotated[int | None, kinds.or_none(kinds.LENGTH)]
Lengths = Annotated[Any, kinds.LENGTHS]
Number = Annotated[complex, kinds.NUMBER]
Operand = Annotated[Any, kinds.OPERAND]
OperandOrNone = Annotated[Any, kinds.or_none(kinds.OPERAND)]
Real = Annotated[float, kinds.REAL]
RealOrNone = Annotated[float | None, kinds.or_none(kinds.REAL)]
