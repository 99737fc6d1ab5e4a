"""A slow contraction of tensors: pair after pair, from the left, over labels of axes."""

from __future__ import annotations

import itertools

from meter.scalars import common, inner, total
from meter.slow.arrays import filled


def _named(term, ndim):
    """Labels of a term's axes: letters, and digits for those of the dots, counted from the right."""
    dots = ndim - len(term.replace("...", ""))
    return term.replace("...", "".join(str(place) for place in range(dots, 0, -1)))


def _result(right, terms):
    """Labels of the result; where nothing is written, those of the dots and then what occurs once."""
    letters = "".join(terms)
    dots = "".join(sorted({label for label in letters if label.isdigit()}, reverse=True))
    if right is not None:
        return right.replace("...", dots)
    return dots + "".join(sorted(label for label in letters if label.isalpha() and letters.count(label) == 1))


def _places(labels, lengths):
    """Every assignment of places to labels."""
    for place in itertools.product(*(range(lengths[label]) for label in labels)):
        yield dict(zip(labels, place, strict=True))


def _at(part, where):
    labels, x = part
    return x.cells[tuple(where[label] for label in labels)]


def _alone(part, wanted, lengths):
    """Sum what only this operand has; a label that it has twice is a diagonal."""
    labels, x = part
    kept = "".join(dict.fromkeys(label for label in labels if label in wanted))
    summed = "".join(dict.fromkeys(label for label in labels if label not in wanted))
    numbers = [
        total([_at(part, where | within) for within in _places(summed, lengths)], x.dtype)
        for where in _places(kept, lengths)
    ]
    return kept, filled(numbers, [lengths[label] for label in kept], x.dtype)


def _pair(one, other, wanted, lengths):
    """Contract two operands over what both have and nobody else wants."""
    dtype = common(one[1], other[1])
    shared = "".join(label for label in one[0] if label in other[0] and label not in wanted)
    kept = "".join(label for label in dict.fromkeys(one[0] + other[0]) if label not in shared)
    numbers = []
    for where in _places(kept, lengths):
        left, right = (
            [_at(part, where | within) for within in _places(shared, lengths)] for part in (one, other)
        )
        numbers.append(inner(left, right, dtype) if shared else left[0].cast(dtype) * right[0].cast(dtype))
    return kept, filled(numbers, [lengths[label] for label in kept], dtype)


def contract(subscripts, *operands):
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = [_named(term, x.ndim) for term, x in zip(left.split(","), operands, strict=True)]
    output = _result(right if arrow else None, terms)
    lengths = {
        label: length
        for term, x in zip(terms, operands, strict=True)
        for label, length in zip(term, x.shape, strict=True)
    }
    parts = [
        _alone((term, x), output + "".join(terms[:place] + terms[place + 1 :]), lengths)
        for place, (term, x) in enumerate(zip(terms, operands, strict=True))
    ]
    made = parts[0]
    for place, part in enumerate(parts[1:], start=2):
        made = _pair(made, part, output + "".join(labels for labels, _ in parts[place:]), lengths)
    return filled(
        [_at(made, where) for where in _places(output, lengths)],
        [lengths[label] for label in output],
        made[1].dtype,
    )
