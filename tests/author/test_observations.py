"""What is said of an explanation, in a line or two."""

import numpy as np

from sparsebench.author.explanation import Explanation, Line
from sparsebench.author.observations import observations
from sparsebench.meter import Entry, Ledger


def explanation(*lines, inputs=10):
    ledger = Ledger()
    for one in lines:
        ledger.add(one.ledger)
    about = {"submission": "s", "variant": "v", "task": "t@1", "instance": "i", "seed": 0}
    return Explanation(**about, inputs=inputs, ledger=ledger, lines=lines, prices={}, loaded_parameters=0.0)


def line(phase, amount, number=1, fixed=0):
    def made(count):
        return Ledger([Entry(phase, "mul", "float32", count)] if count else [])

    return Line(
        phase=phase,
        file="submission.py",
        number=number,
        function="f",
        source="",
        called_from="",
        ledger=made(amount),
        fixed=made(fixed),
        requests=1,
    )


def test_observations_are_of_what_was_counted():
    assert observations(explanation(line("router", 43), line("experts", 57))) == [
        "The router is 43 % of all operations."
    ]
    (top,) = observations(explanation(line("experts", 70, 4), line("experts", 30, 5)))
    assert top == "One line is 70 % of all operations: submission.py:4."
    even = [line("experts", 20, number) for number in range(5)]
    assert observations(explanation(*even)) == []
    assert observations(explanation(line("experts", 5))) == []


def test_work_that_no_input_decides_is_named():
    some = [line("experts", 30, number, fixed=20) for number in (7, 8, 9, 10)]
    (said,) = (said for said in observations(explanation(*some)) if "fit" in said)
    assert said == (
        "8 operations per input (67 %) have operands that are parameters or constants only, at "
        "submission.py:7, submission.py:8, submission.py:9 and 1 more. Done once in fit, they would cost "
        "nothing."
    )
    assert "less than 1 %" in observations(explanation(line("experts", 1000, fixed=1)))[0]


def test_where_nothing_is_counted_that_is_said():
    assert observations(explanation()) == ["No operation that has a price is executed for an input."]


def test_two_observations_are_enough():
    found = explanation(line("router", 30), line("experts", 60, fixed=10), line("experts", 10, 2))
    assert len(observations(found)) == 2


def test_a_line_that_is_nowhere_says_so():
    plain_line = line("experts", 1)
    assert plain_line.place == "submission.py:1"
    elsewhere = Line(
        **{**{name: getattr(plain_line, name) for name in Line.__dataclass_fields__}, "file": ""}
    )
    assert elsewhere.place == "(elsewhere)"
    assert np.isclose(explanation(elsewhere).ops, 0.1)
