"""The instances that version 2 of routed-classification adds: texts of words in domains that overlap."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import token_figures
from reports.token_figures import TOKENS
from tasks.routed_tokens import SPECS, built

SHORT = ["tokens-8-s1", "tokens-8-s4"]
every_instance = pytest.mark.parametrize("name", list(SPECS))
short_instances = pytest.mark.parametrize("name", SHORT)


def language(name):
    return TOKENS.language(SPECS[name].seed, TOKENS.SETTINGS[name].halves)


def texts(name, n, seed=0):
    """Draw texts: their rules, words and inputs."""
    rng, drawn = np.random.default_rng(seed), language(name)
    rule = TOKENS.rules_of(TOKENS.even(rng, n))
    word = TOKENS.draw_words(drawn, rng, rule, TOKENS.SETTINGS[name].positions)
    return rule, word, TOKENS.tokens(drawn, word, TOKENS.draw_noise(rng, word, TOKENS.NONE))


def whole(files, column):
    return np.concatenate([columns[column] for columns in files.values()])


def test_the_manifest_has_the_whole_family():
    assert list(SPECS) == list(TOKENS.SETTINGS)
    assert [name for name, spec in SPECS.items() if spec.board] == ["tokens-8"]
    assert all(spec.generated and spec.fresh for spec in SPECS.values())
    assert len({spec.seed for spec in SPECS.values()}) == 1, "they share words, domains and rules"
    for name, spec in SPECS.items():
        assert spec.input_shape == (TOKENS.SETTINGS[name].positions, TOKENS.FEATURES)
        assert (spec.classes, len(spec.domains)) == (TOKENS.CLASSES, TOKENS.DOMAINS)


@pytest.mark.parametrize("name", ["tokens-8", *SHORT])
def test_files_are_as_the_manifest_says(name):
    spec, files = SPECS[name], built(name)
    assert list(files) == list(spec.splits.values()) == list(spec.files)
    for columns, rows in zip(files.values(), (32_768, 4_096, 8_192), strict=True):
        assert {key: (values.dtype, values.shape) for key, values in columns.items()} == {
            "id": (np.int64, (rows,)),
            "x": (np.float32, (rows, *spec.input_shape)),
            "y": (np.int64, (rows,)),
            "tag": (np.int64, (rows,)),
        }
        assert (np.bincount(columns["tag"]) == rows // 8).all(), "as many rows of each domain"
        shares = np.bincount(columns["y"], minlength=10) / rows
        assert 0.06 < shares.min() <= shares.max() < 0.15
    np.testing.assert_array_equal(whole(files, "id"), np.arange(45_056))


def test_words_are_distinct_and_the_noise_hides_none():
    drawn = language("tokens-8")
    assert drawn.words.shape == (64, 16)
    assert set(drawn.words.reshape(-1)) == {-1, 1}
    assert len(np.unique(drawn.words, axis=0)) == 64
    _, word, x = texts("tokens-8", 500)
    assert set(np.unique(x)) == {-1.5, -0.5, 0.5, 1.5}
    np.testing.assert_array_equal(np.sign(x), drawn.words[word])
    np.testing.assert_array_equal(drawn.words_of(x), word)
    larger = np.abs(x) == 1.5
    assert larger.mean() == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(x.size))


def test_two_domains_are_one_under_two_names():
    assert TOKENS.rules_of(np.arange(8)).tolist() == [0, 1, 2, 3, 4, 5, 6, 6]
    assert TOKENS.prior().tolist() == [1 / 8] * 6 + [1 / 4]
    frequencies = language("tokens-8").frequencies
    assert frequencies.shape == (7, 64)
    assert (frequencies.sum(axis=1) == TOKENS.UNIT).all()
    assert frequencies.min() == 48 * TOKENS.URN // 64, "every domain has every word"
    overlap = [np.minimum(a, b).sum() / TOKENS.UNIT for a, b in itertools.combinations(frequencies, 2)]
    assert 0.75 < min(overlap) <= max(overlap) < 0.95, "three quarters of the tokens are from all words alike"


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1 << 32))
def test_an_urn_is_dealt_out_completely(seed):
    counts = TOKENS.polya(np.random.default_rng(seed))
    assert counts.shape == (64,)
    assert counts.min() >= 0
    assert counts.sum() == TOKENS.URN


def test_urns_are_dirichlet():
    """The mean share is 1/64, and its variance that of Dirichlet(.3) and of rounding to 1,024 draws."""
    shares = np.stack([TOKENS.polya(np.random.default_rng(seed)) for seed in range(40)]) / TOKENS.URN
    mean, total = 1 / 64, 0.3 * 64
    dirichlet = mean * (1 - mean) / (total + 1)
    expected = dirichlet + (mean * (1 - mean) - dirichlet) / TOKENS.URN
    assert ((shares - mean) ** 2).mean() == pytest.approx(expected, rel=0.2)


def test_words_come_as_often_as_a_domain_says():
    drawn, n = language("tokens-8"), 2000
    for rule in (0, 6):
        word = TOKENS.draw_words(drawn, np.random.default_rng(rule), np.full(n, rule), 64)
        expected = drawn.frequencies[rule] / TOKENS.UNIT
        chi = (
            64 * n * (np.bincount(word.reshape(-1), minlength=64) / (64 * n) - expected) ** 2 / expected
        ).sum()
        assert abs(chi - 63) < 4 * math.sqrt(2 * 63)


@short_instances
def test_the_posterior_is_bayes_rule_in_rational_numbers(name):
    drawn, (_, word, x) = language(name), texts(name, 40)
    prior = [Fraction(1, 8)] * 6 + [Fraction(1, 4)]
    for row, got in zip(word.tolist(), drawn.posterior(x), strict=True):
        joint = [
            p * math.prod(Fraction(int(frequency[w]), TOKENS.UNIT) for w in row)
            for p, frequency in zip(prior, drawn.frequencies, strict=True)
        ]
        np.testing.assert_allclose(got, [float(value / sum(joint)) for value in joint], rtol=1e-13)


def test_the_posterior_is_calibrated():
    """Texts of which a distribution has the probability p are from it in a share p of the cases."""
    rule, _, x = texts("tokens-8", 4096)
    chance = language("tokens-8").posterior(x)
    np.testing.assert_allclose(chance.sum(axis=1), 1, rtol=1e-12)
    right = np.equal(rule[:, None], np.arange(7))
    for low, high in itertools.pairwise((0.01, 0.1, 0.3, 0.7, 0.9, 1.01)):
        among = (chance >= low) & (chance < high)
        error = math.sqrt((chance[among] * (1 - chance[among])).sum()) / among.sum()
        assert right[among].mean() == pytest.approx(chance[among].mean(), abs=4 * error)


def test_scores_are_the_formula_summed_exactly():
    drawn, (_, _, x) = language("tokens-8"), texts("tokens-8", 6)
    for rule in (0, 6):
        got = drawn.scores(x, rule)
        for row, scores in zip((2 * x).astype(int).tolist(), got, strict=True):
            expected = [
                sum(
                    max(sum(w * v for w, v in zip(piece, token, strict=True)) for piece in pieces)
                    for token in row
                )
                - 64 * int(offset)
                for pieces, offset in zip(drawn.weights[rule].tolist(), drawn.offsets[rule], strict=True)
            ]
            assert scores.tolist() == expected


def test_no_order_of_summation_changes_a_score():
    """All numbers are whole, and no partial sum reaches 2^24, up to which float32 has every whole number."""
    drawn = language("tokens-8")
    largest = np.abs(drawn.weights).max() * 3 * TOKENS.FEATURES * 64
    assert largest + 64 * np.abs(drawn.offsets).max() < 2**24
    _, _, x = texts("tokens-8", 50)
    double = np.einsum(
        "nsf,cjf->nscj", 2 * x.astype(np.float64)[:, ::-1], drawn.weights[3].astype(np.float64)
    )
    np.testing.assert_array_equal(drawn.scores(x, 3), double.max(axis=3).sum(axis=1) - 64 * drawn.offsets[3])


def test_rules_share_what_rho_leaves_them():
    """The correlation of the weights of two domains is 1 / (1 + rho^2)."""
    for name, rho in (("tokens-8", 1), ("tokens-8-half", 0.5)):
        flat = language(name).weights.reshape(7, -1)
        between = np.corrcoef(flat)[np.triu_indices(7, 1)]
        assert between.mean() == pytest.approx(1 / (1 + rho**2), abs=0.06)
    one, half = language("tokens-8"), language("tokens-8-half")
    np.testing.assert_array_equal(one.words, half.words)
    np.testing.assert_array_equal(one.frequencies, half.frequencies)
    np.testing.assert_array_equal(2 * half.weights - one.weights, np.broadcast_to(
        (2 * half.weights - one.weights)[0], one.weights.shape
    ))  # fmt: skip


@pytest.mark.parametrize("name", ["tokens-8", *SHORT])
def test_labels_are_those_of_the_rule_of_the_domain(name):
    drawn, test = language(name), built(name)[f"{name}-test.parquet"]
    rows = slice(0, 512)
    answers = drawn.answers(test["x"][rows])
    expected = answers[np.arange(512), TOKENS.rules_of(test["tag"][rows])]
    np.testing.assert_array_equal(test["y"][rows], expected)
    told = drawn.posterior(test["x"]).argmax(axis=1) == TOKENS.rules_of(test["tag"])
    share = SPECS[name].facts["distribution_accuracy"]
    assert told.mean() == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / len(told)))


@pytest.mark.parametrize("name", ["tokens-8", *SHORT])
def test_the_best_answers_are_right_as_often_as_the_facts_say(name):
    test, best = built(name)[f"{name}-test.parquet"], SPECS[name].facts["bayes_accuracy"]
    right = TOKENS.label(SPECS[name], test["x"]) == test["y"]
    assert right.mean() == pytest.approx(best, abs=4 * math.sqrt(best * (1 - best) / len(right)))


@every_instance
def test_the_facts_are_those_of_the_certificates(name):
    facts = SPECS[name].facts
    assert facts["oracle_operations"] == TOKENS.oracle_operations(SPECS[name].input_shape[0])
    found = token_figures.estimated(name, texts=1 << 12)
    pairs = (
        ("distribution", "distribution_accuracy"),
        ("domain", "domain_accuracy"),
        ("bayes", "bayes_accuracy"),
    )
    for figure, fact in pairs:
        estimate = getattr(found, figure)
        assert estimate.mean == pytest.approx(facts[fact], abs=4 * estimate.error + 5e-5)
    assert found.bayes.mean >= found.routed.mean > found.single.mean
    assert facts["domain_accuracy"] < 7 / 8, "of two domains that are one, one is guessed"


def test_the_domain_of_64_tokens_is_known_nine_times_of_ten_but_for_the_two_that_are_one():
    facts = SPECS["tokens-8"].facts
    assert facts["distribution_accuracy"] == pytest.approx(0.9, abs=0.015)
    assert facts["bayes_accuracy"] > 0.9


def test_exact_recognition_of_one_token_is_a_sum_over_words():
    spec = SPECS["tokens-8-s1"]
    drawn = language(spec.name)
    joint = TOKENS.prior()[:, None] * drawn.frequencies / TOKENS.UNIT
    domains = joint / np.array([1, 1, 1, 1, 1, 1, 2])[:, None]
    distribution, domain = token_figures.recognition(drawn, 1).values()
    assert distribution.mean == pytest.approx(joint.max(axis=0).sum(), rel=1e-12)
    assert domain.mean == pytest.approx(domains.max(axis=0).sum(), rel=1e-12)
    assert distribution.mean == pytest.approx(spec.facts["distribution_accuracy"], abs=5e-5)
    assert domain.mean == pytest.approx(spec.facts["domain_accuracy"], abs=5e-5)


def test_exact_recognition_counts_every_order_once():
    drawn = language("tokens-8-s4")
    both = TOKENS.prior()[:, None, None] * np.einsum("ra,rb->rab", *[drawn.frequencies / TOKENS.UNIT] * 2)
    assert token_figures.recognition(drawn, 2)["distribution"].mean == pytest.approx(
        both.max(axis=0).sum(), rel=1e-12
    )
    rows = np.array([[0, 0, 0, 0], [0, 0, 1, 1], [0, 1, 1, 2], [0, 1, 2, 3]])
    orders = [len(set(itertools.permutations(row))) for row in rows.tolist()]
    assert token_figures.orders(rows).tolist() == orders


@short_instances
def test_no_row_is_there_twice(name):
    x = whole(built(name), "x")
    assert len({row.tobytes() for row in x}) == len(x)  # and unequal rows are 1 apart


@short_instances
def test_new_texts_are_in_no_split(name):
    drawn = TOKENS.fresh(SPECS[name], np.random.default_rng(1), 2048)
    mine = {row.tobytes() for row in drawn["x"]}
    assert len(mine) == 2048
    assert not mine & {row.tobytes() for row in whole(built(name), "x")}


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(0, 99))
def test_noise_is_drawn_until_texts_differ(numbers, seed):
    word = np.array(numbers)[:, None]
    others = TOKENS.coded(word, TOKENS.draw_noise(np.random.default_rng(seed), word, TOKENS.NONE))
    noise = TOKENS.draw_noise(np.random.default_rng(seed), word, others)  # begins with the same
    both = np.concatenate([others, TOKENS.coded(word, noise)]).ravel().tolist()
    assert max(Counter(both).values()) == 1


def test_building_is_a_function_of_the_seed():
    spec = SPECS["tokens-8-s1"]
    other = TOKENS.build(SimpleNamespace(name=spec.name, seed=99))
    again = TOKENS.build(spec)
    for file, columns in built(spec.name).items():
        for key, values in columns.items():
            np.testing.assert_array_equal(again[file][key], values)
        for key in "xy":
            assert (other[file][key] != columns[key]).any()
