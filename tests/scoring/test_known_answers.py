"""Fresh inputs against scored ones: honest models pass, whatever their errors are; tables do not."""

import math

import numpy as np
import pytest

from sparsebench.errors import UsageError
from sparsebench.scoring import Answers, compare_qualities, cost_excesses, score_predictions

TEST, FRESH = 4096, 1024
LABELS = np.random.default_rng(1).normal(size=1 << 16)


def answers(y, error):
    return Answers(y, y + error)


def draw(rng, n, errors):
    """Draw labels of one population, and a model's answers to them."""
    y = rng.choice(LABELS, n)
    return answers(y, errors(rng, n))


HONEST = {
    "normal": lambda rng, n: rng.normal(size=n) * 0.3,
    "skewed": lambda rng, n: rng.lognormal(sigma=1.5, size=n) * 0.1,
    "heavy tails": lambda rng, n: rng.standard_t(1.5, n) * 0.05,
    "no variance": lambda rng, n: rng.standard_cauchy(n) * 0.05,
    "rare": lambda rng, n: (rng.random(n) < 2e-3) * 3.0,
    "very rare": lambda rng, n: (rng.random(n) < 2e-4) * 100.0,
    "nearly perfect": lambda rng, n: rng.normal(size=n) * 1e-6,
    "worse than a constant": lambda rng, n: rng.normal(size=n) * 1.2,
}
DRAWS = 400


def test_honest_models_are_not_accused():
    """One in 1,000 may be. Of 3,200 none is: at that rate, there is one chance in 25 of it."""
    rng = np.random.default_rng(2)
    accused = sum(
        compare_qualities("nmse", draw(rng, TEST, errors), draw(rng, FRESH, errors)).exceeds
        for errors in HONEST.values()
        for _ in range(DRAWS)
    )
    assert accused == 0


@pytest.mark.parametrize("share", [0.5, 0.1, 0.02, 0.98, 0.999])
def test_honest_classifiers_are_not_accused(share):
    rng = np.random.default_rng(3)

    def classified(n):
        y, tag = rng.integers(0, 2, n), rng.integers(0, 16, n)
        return Answers(y, np.where(rng.random(n) < share, y, 1 - y), tag)

    accused = sum(
        compare_qualities("accuracy", classified(TEST), classified(FRESH)).exceeds for _ in range(300)
    )
    assert accused == 0


@pytest.mark.parametrize("kind", ["constant", "routed", "skewed", "rare", "free but for a few"])
def test_honest_costs_are_not_accused(kind):
    costs = {
        "constant": lambda n: np.full(n, 50),
        "routed": lambda n: rng.choice([30, 40, 400], n),
        "skewed": lambda n: np.exp(rng.normal(size=n) * 1.5 + 4).astype(np.int64),
        "rare": lambda n: np.where(rng.random(n) < 1e-3, 10**6, 50),
        "free but for a few": lambda n: np.where(rng.random(n) < 0.01, 1000, 0),
    }[kind]
    rng = np.random.default_rng(4)
    found = [excess.certain for _ in range(500) for excess in cost_excesses(costs(4096), costs(256))]
    assert sum(found) == 0


def test_the_standard_error_is_that_of_the_difference():
    """Over many draws the difference spreads as it is said to."""
    rng = np.random.default_rng(5)
    y = rng.normal(size=500)
    cases = [
        cost_excesses(rng.exponential(size=300) + 9, rng.exponential(size=100) + 9)[-1] for _ in range(2000)
    ]
    spread = np.std([case.difference for case in cases])
    assert spread == pytest.approx(np.mean([case.standard_error for case in cases]), rel=0.05)
    found = [
        compare_qualities(
            "nmse", answers(y, rng.normal(size=500) * 0.3), answers(y[:200], rng.normal(size=200) * 0.3)
        )
        for _ in range(500)
    ]
    numbers = [case.standard_errors for case in found]
    assert -0.1 < np.mean(numbers) < 0.3  # the clearest of several is a little high
    assert 0.8 < np.std(numbers) <= 1.1


def test_a_binomial_error_by_hand():
    y = np.array([0, 1] * 50)
    wrong = np.where(np.arange(100) < 10, 1 - y, y)
    found = compare_qualities("accuracy", Answers(y, y), Answers(y, wrong))
    assert (found.quality, found.fresh) == (1.0, 0.8)
    both = 10 / 200  # wrong among both samples together
    lost = math.sqrt(both * (1 - both) * (1 / 100 + 1 / 100))
    assert found.standard_errors == pytest.approx(0.1 / lost)
    assert not found.exceeds  # 3.2 of them
    assert compare_qualities("accuracy", Answers(y, y), Answers(y, 1 - y)).exceeds


def test_domains_count_alike():
    y = np.arange(400) % 2
    tag = np.where(np.arange(400) < 380, 0, 1)
    wrong = np.where(tag == 1, 1 - y, y)  # all of a small domain
    with_domains = compare_qualities("accuracy", Answers(y, y, tag), Answers(y, wrong, tag))
    assert with_domains.fresh == 0.0
    assert with_domains.exceeds
    elsewhere = compare_qualities("accuracy", Answers(y, y, tag), Answers(y, wrong, tag + 5))
    assert not elsewhere.exceeds  # no domain in common: nothing to compare


def table(rng, n, *, known, others):
    """Answers that are right for the test split, and otherwise for all others."""
    y = rng.choice(LABELS, n)
    return answers(y, np.zeros(n) if known else others(rng, y))


TRICKS = {
    "a constant": lambda rng, y: -y,
    "a poor model": lambda rng, y: rng.normal(size=len(y)) * 0.3,
    "a good model": lambda rng, y: rng.normal(size=len(y)) * 0.05,
    "one giant": lambda rng, y: np.where(np.arange(len(y)) == 7, 1e6, rng.normal(size=len(y)) * 0.3),
    "some giants": lambda rng, y: np.where(rng.random(len(y)) < 0.02, 1e3, rng.normal(size=len(y)) * 0.3),
    "many sizes": lambda rng, y: rng.standard_cauchy(len(y)) * 0.3,
}


@pytest.mark.parametrize("trick", TRICKS)
def test_who_answers_by_a_table_is_found(trick):
    rng = np.random.default_rng(6)
    for _ in range(20):
        scored = table(rng, TEST, known=True, others=None)
        fresh = table(rng, FRESH, known=False, others=TRICKS[trick])
        assert compare_qualities("nmse", scored, fresh).exceeds


def test_a_table_of_labels_is_found_for_every_metric():
    y = np.random.default_rng(7).integers(0, 4, 1024)
    for metric in ("accuracy", "recall"):
        found = compare_qualities(metric, Answers(y, y), Answers(y, np.zeros_like(y)))
        assert (found.quality, found.exceeds) == (1.0, True)


@pytest.mark.parametrize("giants", [0, 1, 5, 15])
def test_who_works_harder_on_fresh_inputs_is_found(giants):
    """Also where some fresh inputs cost so much that a plain standard error would excuse the others."""
    scored, fresh = np.full(4096, 50), np.full(256, 100)
    fresh[:giants] = 10**9
    assert any(excess.certain for excess in cost_excesses(scored, fresh))


def test_a_spread_among_scored_inputs_excuses_little():
    """Whoever spreads the cost of scored inputs as widely as pays hides less than half as much again."""
    rng = np.random.default_rng(8)
    for far in (100, 200, 800, 10**6):
        scored = np.where(rng.permutation(4096) < 4096 * 38 / (far - 12), far, 12)  # a mean of 50
        fresh = np.full(256, 80)
        assert any(excess.certain for excess in cost_excesses(scored, fresh)), far


def test_who_does_better_on_fresh_inputs_is_left_alone():
    y = LABELS[:500]
    found = compare_qualities("nmse", answers(y, 0.5), answers(y, 0.0))
    assert (found.fresh, found.exceeds) == (1.0, False)
    assert found.quality == score_predictions("nmse", y, y + 0.5).quality
    same = compare_qualities("nmse", answers(y, 0.5), answers(y, 0.5))
    assert (same.exceeds, same.standard_errors) == (False, 0.0)


def test_quality_that_is_none_exceeds_nothing():
    y = LABELS[:500]
    found = compare_qualities("nmse", answers(y, 2.0), answers(y, 9.0))
    assert (found.quality, found.fresh, found.exceeds) == (0.0, 0.0, False)


def test_labels_that_do_not_differ_cannot_be_compared():
    with pytest.raises(UsageError, match="labels that differ"):
        compare_qualities("nmse", answers(LABELS[:9], 0.0), answers(np.ones(9), 0.0))
