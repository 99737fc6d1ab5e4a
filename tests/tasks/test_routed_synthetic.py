from __future__ import annotations

import importlib.util
import itertools
import math
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from sparsebench.tasks.discovery import load_task
from sparsebench.tasks.standard import tasks_root

TASK = load_task(tasks_root() / "routed-classification" / "v1", draft=True)
FOLDER, SPECS = TASK.folder, TASK.instances
NAMES = [name for name in SPECS if name.startswith("synthetic-")]
LINEAR = ["synthetic-4", "synthetic-16"]


def module(name):
    spec = importlib.util.spec_from_file_location(f"routed_classification_{name}", FOLDER / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded  # dataclasses look themselves up there
    spec.loader.exec_module(loaded)
    return loaded


SYNTHETIC = module("synthetic")
every_instance = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def built():
    return {name: SYNTHETIC.build(SPECS[name]) for name in NAMES}


def family(name):
    return SYNTHETIC.family(name, SPECS[name].seed)


def whole(files, column):
    return np.concatenate([columns[column] for columns in files.values()])


def fitted(x, y, fit, on):
    """Fit a linear classifier by ridge regression to rows `fit`; its answers for rows `on`."""
    flat = np.concatenate([x.reshape(len(x), -1), np.ones((len(x), 1))], axis=1).astype(np.float64)
    chosen = flat[fit]
    weights = np.linalg.solve(
        chosen.T @ chosen + np.eye(flat.shape[1]), chosen.T @ np.eye(SYNTHETIC.CLASSES)[y[fit]]
    )
    return (flat[on] @ weights).argmax(axis=1)


def routed(train, test, route_train, route_test):
    """Share of the test split that one linear expert for each value of a route gets right."""
    right = 0
    x, y = (np.concatenate([train[column], test[column]]) for column in "xy")
    for expert in np.unique(route_test):
        fit = np.flatnonzero(route_train == expert)
        on = len(train["y"]) + np.flatnonzero(route_test == expert)
        right += (fitted(x, y, fit, on) == y[on]).sum()
    return right / len(test["y"])


@every_instance
def test_files_are_as_the_manifest_says(built, name):
    spec, files = SPECS[name], built[name]
    assert list(files) == list(spec.splits.values()) == list(spec.files)
    rows = SYNTHETIC.SETTINGS[name].rows
    for split, file in spec.splits.items():
        columns = files[file]
        assert [(key, values.dtype) for key, values in columns.items()] == [
            ("id", np.int64), ("x", np.float32), ("y", np.int64), ("tag", np.int64)
        ]  # fmt: skip
        assert columns["x"].shape == (rows[split], *spec.input_shape)
        assert set(columns["y"]) == set(range(spec.classes))
        counts = np.bincount(columns["tag"])
        assert (counts == rows[split] // len(spec.domains)).all(), "as many rows of each domain"
        assert len(counts) == len(spec.domains)
    np.testing.assert_array_equal(whole(files, "id"), np.arange(sum(rows.values())))


@every_instance
def test_the_oracle_tells_every_domain(built, name):
    np.testing.assert_array_equal(family(name).oracle(whole(built[name], "x")), whole(built[name], "tag"))


@every_instance
def test_no_noise_reaches_the_next_prototype(name):
    prototypes = family(name).prototypes / SYNTHETIC.UNIT
    nearest = min(np.linalg.norm(a - b) for a, b in itertools.combinations(prototypes, 2))
    assert nearest == 8
    assert np.linalg.norm(np.full(8, 31 / 32)) < nearest / 2


@every_instance
def test_as_many_comparisons_as_the_facts_say_tell_the_domain(built, name):
    k = int(SPECS[name].facts["oracle_comparisons"])
    above, tag = whole(built[name], "x")[:, 0] > 0, whole(built[name], "tag")
    assert k == math.log2(len(SPECS[name].domains))

    def tells(features):
        code = above[:, list(features)] @ (1 << np.arange(k))
        return len(np.unique(np.stack([code, tag]), axis=1).T) == 1 << k

    assert any(tells(features) for features in itertools.combinations(range(8), k))


@every_instance
def test_labels_are_noisy_as_often_as_the_facts_say(built, name):
    bayes, x, y = SPECS[name].facts["bayes_accuracy"], whole(built[name], "x"), whole(built[name], "y")
    assert bayes == SYNTHETIC.BAYES_ACCURACY == pytest.approx(0.9 + 0.1 / 4)
    clean = family(name).clean_labels(x)
    assert (clean == y).mean() == pytest.approx(bayes, abs=4 * math.sqrt(bayes * (1 - bayes) / len(y)))
    ends = np.cumsum([len(file["y"]) for file in built[name].values()])[:-1]
    for right in np.split(clean == y, ends):
        assert right.mean() == pytest.approx(bayes, abs=4 * math.sqrt(bayes * (1 - bayes) / len(right)))
    # What is not clean is any other class, all alike.
    shifts = np.bincount((y - clean)[y != clean] % 4, minlength=4)[1:]
    assert np.abs(shifts / shifts.sum() - 1 / 3).max() < 4 * math.sqrt(2 / 9 / shifts.sum())


@every_instance
def test_scores_are_the_formula_summed_exactly(built, name):
    file = built[name][f"{name}-test.parquet"]
    rules, setting, u = family(name), SYNTHETIC.SETTINGS[name], SYNTHETIC.UNIT
    got = rules.scores(file["x"][:50], file["tag"][:50]) / u**2
    for x, tag, scores in zip(file["x"].astype(float), file["tag"], got, strict=False):
        weights = np.broadcast_to(
            rules.weights[tag] / u, (4, setting.pieces, setting.content, SYNTHETIC.FEATURES)
        )
        expected = [
            math.fsum(
                max(math.fsum(w * v for w, v in zip(piece[p], x[1 + p], strict=True)) for piece in pieces)
                for p in range(setting.content)
            )
            - rules.offsets[tag, label] / u**2
            for label, pieces in enumerate(weights)
        ]
        assert scores.tolist() == expected


@every_instance
def test_no_label_depends_on_rounding(built, name):
    x, tag = whole(built[name], "x"), whole(built[name], "tag")
    best = np.sort(family(name).scores(x, tag), axis=1)[:, -2:]
    assert (best[:, 1] - best[:, 0]).min() >= SYNTHETIC.SETTINGS[name].margin >= SYNTHETIC.UNIT**2 / 4
    # Sums of n products below 1, in float32 and in any order, err by less than n * n / 2^24.
    n = SYNTHETIC.SETTINGS[name].content * SYNTHETIC.FEATURES
    assert 2 * n * n * 2.0**-24 < 1 / 4


@every_instance
def test_rules_of_domains_differ(built, name):
    file, rules = built[name][f"{name}-test.parquet"], family(name)
    clean, domains = rules.clean_labels(file["x"]), len(rules.prototypes)
    agreement = [
        (rules.scores(file["x"], (file["tag"] + shift) % domains).argmax(axis=1) == clean).mean()
        for shift in range(1, domains)
    ]
    assert np.mean(agreement) == pytest.approx(1 / 4, abs=0.05)
    assert max(agreement) < 0.5


@every_instance
def test_classes_are_about_as_frequent(built, name):
    file = built[name][f"{name}-train.parquet"]
    for domain in range(len(SPECS[name].domains)):
        shares = np.bincount(file["y"][file["tag"] == domain]) / (file["tag"] == domain).sum()
        assert 0.1 < shares.min() <= shares.max() < 0.45


@every_instance
def test_no_row_is_there_twice(built, name):
    x = whole(built[name], "x")
    assert np.isfinite(x).all()
    np.testing.assert_array_equal(x * 32, np.round(x * 32))  # so unequal rows are 1/32 apart at least
    assert len(np.unique(x.reshape(len(x), -1), axis=0)) == len(x)


def test_building_is_a_function_of_the_seed(built):
    name = "synthetic-4"
    again = SYNTHETIC.build(SPECS[name])
    other = SYNTHETIC.build(SimpleNamespace(name=name, seed=99))
    for file, columns in built[name].items():
        for key, values in columns.items():
            np.testing.assert_array_equal(again[file][key], values)
        assert (other[file]["x"] != columns["x"]).any()
        assert (other[file]["y"] != columns["y"]).any()


@pytest.mark.parametrize("name", LINEAR)
def test_linear_experts_need_the_right_router(built, name):
    train, test = (built[name][f"{name}-{split}.parquet"] for split in ("train", "test"))
    rng, experts = np.random.default_rng(0), len(SPECS[name].domains)
    nothing = [np.zeros(len(file["y"]), dtype=int) for file in (train, test)]
    at_random = [rng.integers(experts, size=len(file["y"])) for file in (train, test)]
    oracle = routed(train, test, train["tag"], test["tag"])
    alone, random = routed(train, test, *nothing), routed(train, test, *at_random)
    assert oracle > SPECS[name].facts["bayes_accuracy"] - 0.05
    assert alone < 0.5
    assert random < 0.5


def test_each_instance_has_its_module(monkeypatch):
    generate = module("generate")
    assert set(generate.MODULES) == set(SPECS)
    calls = []

    def imported(name):
        return SimpleNamespace(build=lambda spec: calls.append((name, spec.name)) or {})

    monkeypatch.setattr(generate.importlib, "import_module", imported)
    for spec in SPECS.values():
        assert generate.build(spec) == {}
    assert calls == [(generate.MODULES[name], name) for name in SPECS]
    assert ("synthetic", "synthetic-16") in calls
    assert ("fashion", "fashion") in calls
