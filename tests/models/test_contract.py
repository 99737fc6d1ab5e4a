"""The contract: what a router and its experts become when they are put together."""

import re
from dataclasses import replace

import numpy as np
import pytest

import sparsebench as sb
from sparsebench.errors import ContractError
from sparsebench.models.contract import check_domains, domains_of


class Threshold(sb.Router):
    def fit(self, train, valid, rng):
        return {"edge": np.array([0.5])}

    def route(self, params, x):
        return sb.Routes((x[:, :1] > params["edge"]).astype(np.int64))


class Means(sb.Experts):
    def fit(self, train, valid, rng, routes):
        chosen = routes.experts[:, 0]
        return {"means": np.array([train.y[chosen == expert].mean() for expert in (0, 1)])}

    def apply(self, params, x, routes):
        return params["means"][routes.experts[:, 0]]


class Bare(sb.Router):
    def route(self, params, x):
        return sb.Routes(np.zeros((len(x), 1), np.int64))


class Zero(sb.Experts):
    def apply(self, params, x, routes):
        return 0.0 * x[:, 0]


@pytest.fixture
def split():
    x = np.array([[0.0], [0.2], [0.8], [1.0]], np.float32)
    return sb.Split(np.arange(4), x, np.array([1, 3, 10, 20], np.float32))


def fit(submission, split):
    return submission.fit(split, split, np.random.default_rng(0))


def test_experts_are_fitted_on_the_routes_of_the_training_inputs(split):
    routed = sb.Routed(Threshold(), Means())
    params = fit(routed, split)
    np.testing.assert_array_equal(params["edge"], [0.5])
    np.testing.assert_array_equal(params["means"], [2.0, 15.0])
    np.testing.assert_array_equal(routed.predict(params, split.x), [2, 2, 15, 15])


def test_parts_without_parameters_need_no_fit(split):
    assert fit(sb.Routed(Bare(), Zero()), split) == {}


def test_routes_have_no_gates_unless_given():
    assert sb.Routes(np.zeros((1, 1), int)).gates is None


def test_clashing_parameter_names_are_refused(split):
    class Clashing(Means):
        def fit(self, train, valid, rng, routes):
            return {"edge": np.zeros(1)}

    with pytest.raises(ContractError, match="router and experts both return the parameter 'edge'") as caught:
        fit(sb.Routed(Threshold(), Clashing()), split)
    assert "another name" in caught.value.help


@pytest.mark.parametrize("part", ["router", "experts"])
@pytest.mark.parametrize("returned", [None, [np.zeros(1)], np.zeros(1)])
def test_a_part_whose_fit_gives_no_dict_is_named(split, part, returned):
    class Router(Threshold):
        def fit(self, *arguments):
            return returned if part == "router" else super().fit(*arguments)

    class Experts(Means):
        def fit(self, *arguments):
            return returned if part == "experts" else super().fit(*arguments)

    expected = f"{part}: fit: expected a dict of arrays, got {type(returned).__name__}"
    with pytest.raises(ContractError, match=expected):
        fit(sb.Routed(Router(), Experts()), split)


def test_a_route_that_is_none_is_named(split):
    class Router(Threshold):
        def route(self, params, x):
            return x

    with pytest.raises(ContractError, match=r"route: expected sparsebench\.Routes, got ndarray"):
        fit(sb.Routed(Router(), Means()), split)
    with pytest.raises(ContractError, match=r"route: expected sparsebench\.Routes, got ndarray"):
        sb.Routed(Router(), Means()).predict({}, split.x)


class Oracle(Threshold):
    uses_tags = True

    def route(self, params, x, tag):
        return sb.Routes(tag[:, None])


@pytest.fixture
def tagged(split):
    return replace(split, tag=np.array([1, 0, 1, 0]))


def test_a_router_that_uses_tags_is_given_those_of_the_training_inputs(tagged):
    routed = sb.Routed(Oracle(), Means())
    assert routed.uses_tags
    params = fit(routed, tagged)
    np.testing.assert_array_equal(params["means"], [(3 + 20) / 2, (1 + 10) / 2])
    np.testing.assert_array_equal(routed.predict(params, tagged.x, tagged.tag), [5.5, 11.5, 5.5, 11.5])


def test_a_router_that_does_not_use_tags_is_given_none(tagged):
    routed = sb.Routed(Threshold(), Means())
    assert not routed.uses_tags
    params = fit(routed, tagged)
    np.testing.assert_array_equal(routed.predict(params, tagged.x), [2, 2, 15, 15])
    np.testing.assert_array_equal(routed.predict(params, tagged.x, tagged.tag), [2, 2, 15, 15])


def test_parts_that_derive_from_nothing_use_no_tags():
    class Duck:
        pass

    assert domains_of(Duck(), np.zeros(1)) == ()
    assert not sb.Routed(Duck(), Duck()).uses_tags
    check_domains(Duck(), declared=False)


@pytest.mark.parametrize("uses", [True, False])
def test_code_and_manifest_must_agree_on_tags(uses):
    routed = sb.Routed(Oracle() if uses else Threshold(), Means())
    check_domains(routed, declared=uses)
    expected = f"submission.toml has {str(not uses).lower()}, the class of the router has {uses}"
    with pytest.raises(ContractError, match=re.escape(expected)) as caught:
        check_domains(routed, declared=not uses)
    assert f"uses_tags = {str(uses).lower()} in [submission]" in caught.value.help
    assert f"uses_tags = {not uses} in the class" in caught.value.help


@pytest.mark.parametrize("kind", [sb.Submission, sb.Router, sb.Experts])
def test_the_bases_cannot_be_used_as_they_are(kind):
    with pytest.raises(TypeError, match="abstract"):
        kind()


class Structured(Threshold):
    def fit(self, train, valid, rng):
        return sb.Model({"edge": np.array([0.5])}, {"column": 0})

    def route(self, params, x):
        column = params.structure["column"]
        return sb.Routes((x[:, column : column + 1] > params["edge"]).astype(np.int64))


def test_each_part_is_given_its_own_structure(split):
    class Named(Means):
        def fit(self, train, valid, rng, routes):
            return sb.Model(super().fit(train, valid, rng, routes), ["means"])

        def apply(self, params, x, routes):
            return params[params.structure[0]][routes.experts[:, 0]]

    routed = sb.Routed(Structured(), Named())
    params = fit(routed, split)
    assert params.structure == {"router": {"column": 0}, "experts": ["means"]}
    np.testing.assert_array_equal(routed.predict(params, split.x), [2, 2, 15, 15])


def test_a_part_without_a_structure_has_none(split):
    class Watching(Means):
        def apply(self, params, x, routes):
            assert params.structure is None
            return super().apply(params, x, routes)

    routed = sb.Routed(Structured(), Watching())
    params = fit(routed, split)
    assert params.structure == {"router": {"column": 0}}
    np.testing.assert_array_equal(routed.predict(params, split.x), [2, 2, 15, 15])
    assert fit(sb.Routed(Threshold(), Means()), split).structure is None


def test_a_part_routes_in_fit_as_it_will_in_predict(split):
    """Keys are sorted already, and what fit changes afterwards is not in it."""
    seen = []

    class Sorted(Structured):
        def fit(self, train, valid, rng):
            return sb.Model({"edge": np.array([0.5])}, {"z": 1, "column": 0})

        def route(self, params, x):
            seen.append(list(params.structure))
            return super().route(params, x)

    fit(sb.Routed(Sorted(), Means()), split)
    assert seen == [["column", "z"]]


def test_a_part_whose_structure_is_wrong_is_named(split):
    class Wrong(Threshold):
        def fit(self, train, valid, rng):
            return sb.Model({"edge": np.array([0.5])}, {"column": np.int64(0)})

    with pytest.raises(ContractError, match=r"router: fit: structure\.column: expected .*, got numpy.int64"):
        fit(sb.Routed(Wrong(), Means()), split)
