"""One executor of the contract, wherever it runs: fit, and what is asked on handles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sparsebench as sb
from sparsebench.errors import ContractError
from sparsebench.meter import Engine, InProcess, MeteredNamespace
from sparsebench.models.fitted import Fitted, fit
from sparsebench.ops import backends

X = np.array([[1.0, 2.0], [-1.0, 4.0]])


class Linear(sb.Submission):
    def __init__(self, answer: Any = None) -> None:
        self.answer = answer

    def fit(self, train: Any, valid: Any, rng: np.random.Generator) -> sb.Model:
        assert backends.policy() == "steady"
        return sb.Model({"w": rng.standard_normal(2)}, {"scale": 2})

    def predict(self, params: Any, x: Any) -> Any:
        assert sorted(params) == ["w"]  # what an earlier call put there is gone
        params["seen"] = x
        return x @ params["w"] * params.structure["scale"] if self.answer is None else self.answer


class Sign(sb.Router):
    def route(self, params: Any, x: Any) -> Any:
        assert params.structure == "of the router"
        xp = x.__array_namespace__()
        return sb.Routes(xp.astype(x[:, :1] > 0.0, xp.int64), x[:, 1:])


class Labels(sb.Experts):
    def apply(self, params: Any, x: Any, routes: sb.Routes) -> Any:
        assert params.structure == "of the experts"
        return params["w"][routes.experts[:, 0]] * routes.gates[:, 0]


def held(submission: sb.Submission, structure: Any) -> tuple[Fitted, Engine]:
    engine = Engine()
    told = engine.add_parameters({"w": np.array([10.0, 100.0])})
    return Fitted(submission, MeteredNamespace(InProcess(engine)), told, structure), engine


def test_a_fit_is_seeded_by_its_entropy_and_runs_what_is_installed_everywhere() -> None:
    first, again, other = (fit(Linear(), None, None, entropy) for entropy in ((1, 2), (1, 2), (1, 3)))  # type: ignore[arg-type]
    assert first["w"].tolist() == again["w"].tolist() != other["w"].tolist()
    assert first.structure == {"scale": 2}


def test_every_call_is_given_a_model_of_its_own() -> None:
    fitted, engine = held(Linear(), {"scale": 2})
    assert not fitted.routed
    for _ in range(2):
        answer = fitted.predict(engine.begin(X, inputs=2))
        assert engine.value(answer.handle).tolist() == [420.0, 780.0]


def test_router_and_experts_are_asked_one_after_the_other_with_their_own_structures() -> None:
    structure = {"router": "of the router", "experts": "of the experts"}
    fitted, engine = held(sb.Routed(Sign(), Labels()), structure)
    assert fitted.routed
    x = engine.begin(X, inputs=2)
    experts, gates = fitted.route(x)
    assert gates is not None
    told = [engine.describe(array.handle) for array in (experts, gates)]
    assert engine.value(fitted.apply(x, *told).handle).tolist() == [200.0, 40.0]


def test_an_answer_that_is_no_array_of_the_meter_is_refused() -> None:
    fitted, engine = held(Linear(answer=[0.0, 0.0]), None)
    with pytest.raises(ContractError, match="predict: expected an array of the namespace of x, got list"):
        fitted.predict(engine.begin(X, inputs=2))
