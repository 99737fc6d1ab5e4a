"""What a submission's methods returned: what is a model, and what is not."""

from __future__ import annotations

import numpy as np
import pytest

import sparsebench as sb
from sparsebench.errors import ContractError
from sparsebench.models.returned import array_of, model_of


@pytest.mark.parametrize(
    ("fitted", "got"),
    [
        ([1], "got list"),
        (None, "got NoneType"),
        ({"w": [1.0]}, "got list"),
        ({1: np.zeros(1)}, "expected names that are text, got 1"),
        ({"w": np.array(["a"])}, "got <U1"),
        ({"w": np.zeros(1, dtype=complex)}, "got complex128"),
    ],
)
def test_a_model_is_a_dictionary_of_arrays(fitted: object, got: str) -> None:
    with pytest.raises(ContractError, match=got):
        model_of(fitted)


def test_arrays_come_back_contiguous() -> None:
    given = np.arange(6.0).reshape(2, 3).T
    assert model_of({"w": given})["w"].flags.c_contiguous


def test_what_is_done_to_a_structure_later_is_not_in_the_model() -> None:
    structure = {"depth": [1]}
    model = model_of(sb.Model({}, structure))
    structure["depth"].append(2)
    assert model.structure == {"depth": [1]}


def test_an_answer_of_another_library_is_told_with_whose_it_is() -> None:
    with pytest.raises(
        ContractError, match="route: gates: expected an array of the namespace of x, got ndarr"
    ):
        array_of(np.zeros(1), "route: gates")
