"""The mathematics of tables, circuits and gates: what is found on the cube, and what is then computed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import circuits
import oblivious
import product_keys
import soft_gates
import walsh
from sparsebench.tasks import TaskInfo, load_task
from submissions.shipped import answers, columns, make, metered, module, split

CUBE = TaskInfo("cube@1", "accuracy", (12,), "int64", 2)
SEEDS = st.integers(0, 2**16)


def everything(bits: int) -> np.ndarray:
    """List all inputs of the cube, the first coordinate most significant: float32 ``(2**bits, bits)``."""
    return np.array(list(itertools.product([-1, 1], repeat=bits)), dtype=np.float32)


def cube(rows: int, n: int, label, seed: int):
    """Draw inputs, and label them by a function of signs."""
    x = np.where(np.random.default_rng(seed).random((rows, n)) < 0.5, -1, 1).astype(np.float32)
    return split(x, (label(x) > 0).astype(np.int64))


def selection(x: np.ndarray) -> np.ndarray:
    """Choose by two coordinates one of four parities of two others."""
    parities = [x[:, i] * x[:, i + 1] for i in (0, 2, 4, 6)]
    return np.choose((x[:, 8] > 0) * 2 + (x[:, 9] > 0), parities)


@given(bits=st.integers(1, 6), seed=SEEDS)
@settings(max_examples=30)
def test_a_transform_gives_the_coefficients_of_the_definition_and_comes_back(bits, seed):
    values = np.random.default_rng(seed).normal(size=2**bits)
    x = everything(bits)
    sets = [[i for i in range(bits) if own >> (bits - 1 - i) & 1] for own in range(2**bits)]
    by_hand = [np.sum(values * np.prod(x[:, own], axis=1)) for own in sets]
    np.testing.assert_allclose(walsh.transform(values), by_hand, atol=1e-12)
    there_and_back = walsh.transform(walsh.transform(values), back=True) / 2**bits
    np.testing.assert_allclose(there_and_back, values, atol=1e-12)


@given(chosen=st.sets(st.integers(0, 11), min_size=1, max_size=9), sign=st.sampled_from([-1, 1]), seed=SEEDS)
@settings(max_examples=30)
def test_elimination_finds_a_parity_of_any_size_and_nothing_in_noise(chosen, sign, seed):
    rng = np.random.default_rng(seed)
    x = np.where(rng.random((200, 12)) < 0.5, -1, 1).astype(np.float32)
    y = sign * np.prod(x[:, sorted(chosen)], axis=1)
    assert walsh.members(walsh.parity_of_all(x, y) or 0) == sorted(chosen)
    assert walsh.parity_of_all(x, np.where(rng.random(200) < 0.5, -1, 1)) is None
    y[rng.integers(200)] *= -1
    assert walsh.parity_of_all(x, y) is None, "one wrong label is enough"


def test_the_sets_that_matter_are_those_of_the_function():
    data = cube(8192, 12, selection, 0)
    found = walsh.spectrum(data.x, walsh.signs(data.y))
    own = [[i, i + 1, *extra] for i in (0, 2, 4, 6) for extra in ([], [8], [9], [8, 9])]
    assert sorted(map(walsh.members, found)) == sorted(own)
    np.testing.assert_allclose(np.abs(list(found.values())), 0.25, atol=0.05)
    assert walsh.spectrum(data.x, np.where(np.random.default_rng(1).random(8192) < 0.5, -1, 1)) == {}


def test_a_table_is_right_in_cells_that_it_has_not_seen():
    train, valid = cube(1500, 10, selection, 0), cube(500, 10, selection, 1)
    told = valid.x, walsh.signs(valid.y)
    table = walsh.best_table(train.x, walsh.signs(train.y), np.arange(10), told)
    assert len(np.unique(walsh.addresses(train.x, np.arange(10)))) < 2**10
    np.testing.assert_array_equal(table.values > 0, selection(everything(10)) > 0)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_a_fourier_router_finds_address_bits_and_parities_from_samples_alone(bits):
    train, valid = cube(4096, 12, selection, 0), cube(512, 12, selection, 1)
    router = make("fourier-router", CUBE, bits=bits)
    params = router.fit(train, valid, np.random.default_rng(0))
    assert params["address"].tolist() == [8, 9]
    assert np.sort(params["columns"], axis=1).tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]
    unseen = cube(2048, 12, selection, 2)
    np.testing.assert_array_equal(answers(router, params, unseen), unseen.y)


@pytest.mark.parametrize(
    ("n", "bits", "k", "rows"), [(24, 2, 2, 4096), (16, 2, 3, 4096), (16, 3, 1, 4096), (32, 3, 3, 16384)]
)
def test_a_fourier_router_finds_other_addresses_wherever_they_are(n, bits, k, rows):
    rng = np.random.default_rng(n + bits + k)
    places = rng.permutation(n)
    address, parities = np.sort(places[:bits]), places[bits : bits + 2**bits * k].reshape(2**bits, k)

    def label(x):
        branch = (x[:, address] > 0) @ (1 << np.arange(bits)[::-1])
        return np.prod(np.take_along_axis(x, parities[branch], axis=1), axis=1)

    train, valid, unseen = (cube(many, n, label, seed) for seed, many in enumerate((rows, 512, 2048)))
    router = make("fourier-router", TaskInfo("cube@1", "accuracy", (n,), "int64", 2), bits=8)
    params = router.fit(train, valid, np.random.default_rng(0))
    assert params["address"].tolist() == address.tolist()
    assert np.sort(params["columns"], axis=1).tolist() == np.sort(parities, axis=1).tolist()
    np.testing.assert_array_equal(answers(router, params, unseen), unseen.y)


@pytest.mark.parametrize("trained_too", [False, True])
def test_a_fourier_router_gets_along_with_branches_that_no_sample_enters(trained_too):
    train, valid = cube(4096, 12, selection, 0), cube(512, 12, selection, 1)
    for part in (train, valid) if trained_too else (valid,):
        part.x[:, 9] = part.x[:, 8]
        part.y[:] = selection(part.x) > 0
    x, y, address = train.x, walsh.signs(train.y), (8, 9)
    assert address in module("fourier-router").promising(x, y)
    router = make("fourier-router", CUBE, bits=4)
    fits = router._branches(x, y, np.array(address), (valid.x, walsh.signs(valid.y)))
    assert len(fits) == (0 if trained_too else 4), "without training samples there is nothing to fit"
    params = router.fit(train, valid, np.random.default_rng(0))
    np.testing.assert_array_equal(answers(router, params, valid), valid.y)


def test_a_routed_entry_that_is_told_neither_positions_nor_how_many_solves_the_address():
    instance = load_task("cube@1").load("address-k3-n20")
    router = make("fourier-router", CUBE, bits=8)
    params = router.fit(instance.train, instance.valid, np.random.default_rng(0))
    run = metered(router, params, instance.test.x[:64])
    assert columns(run)["ops"] <= 40 * 64
    assert np.mean(answers(router, params, instance.test) == instance.test.y) >= 0.995


def test_the_share_that_an_address_explains_is_that_of_its_branches():
    data = cube(8192, 12, selection, 0)
    found = walsh.spectrum(data.x, walsh.signs(data.y))
    explained = module("fourier-router").explained
    assert explained(found, ()) == pytest.approx(1 / 16, rel=0.2)
    assert explained(found, (8,)) == pytest.approx(1 / 4, rel=0.2)
    assert explained(found, (8, 9)) == pytest.approx(1, rel=0.1)
    assert explained(found, (0, 8)) < 1 / 2


@given(bits=st.integers(1, 7), share=st.sampled_from([0.05, 0.3, 0.5, 0.9]), seed=SEEDS)
@settings(max_examples=60)
def test_a_synthesized_circuit_is_its_truth_table(bits, share, seed):
    truth = np.random.default_rng(seed).random(2**bits) < share
    circuit = circuits.synthesize(truth, 10**6)
    if truth.all() or not truth.any():
        assert circuit is None
        return
    used, params = circuits.lay_out(circuit)
    told = circuits.run(params, (everything(bits) > 0)[:, used])[:, 0]
    np.testing.assert_array_equal(told, truth)
    gates = sum(wires.shape[1] for name, wires in params.items() if name != "outputs")
    assert gates <= len(circuit.gates)
    assert (circuits.synthesize(truth, len(circuit.gates) - 1) is None) is (len(circuit.gates) > 0)


def test_a_parity_takes_one_gate_a_bit_and_a_selection_finds_its_address():
    truth = np.prod(everything(9), axis=1) > 0
    assert [gate.kind for gate in circuits.synthesize(truth, 99).gates].count("xor") == 8
    selected = circuits.synthesize(selection(everything(10)) > 0, 99)
    assert len(selected.gates) <= 4 + 3 * 3 + 1  # parities, three choices, and a complement


@pytest.mark.parametrize("name", ["logic-gates", "lut-network", "grid-table"])
def test_a_network_under_the_meter_is_its_truth_table(name):
    train, valid = cube(4096, 10, selection, 0), cube(512, 10, selection, 1)
    own = {"logic-gates": {"gates": 64}, "lut-network": {"tables": 4, "bits": 8}, "grid-table": {"bits": 10}}
    network = make(name, CUBE, **own[name])
    params = network.fit(train, valid, np.random.default_rng(0))
    x = everything(10)
    np.testing.assert_array_equal(metered(network, params, x).answers, selection(x) > 0)


@pytest.mark.parametrize("label", [0, 1])
def test_logic_gates_answer_with_the_only_label_where_there_is_one(label):
    """All tables are constant then, and no circuit is made of them."""
    train, valid = (cube(rows, 6, lambda x: np.full(len(x), label), rows) for rows in (512, 64))
    network = make("logic-gates", CUBE, gates=32)
    params = network.fit(train, valid, np.random.default_rng(0))
    run = metered(network, params, everything(6))
    np.testing.assert_array_equal(run.answers, np.full(64, label))
    assert columns(run)["ops"] == 64, "a comparison each"


@given(seed=SEEDS)
@settings(max_examples=20)
def test_hardened_gates_compute_what_sharp_mixtures_do(seed):
    """With logits that all but decide, the relaxed functions are those of bits."""
    rng = np.random.default_rng(seed)
    inputs, width = 6, 8
    names = list(soft_gates.FUNCTIONS)
    layers = []
    for many in (inputs, width):
        own = rng.integers(len(names), size=width)
        layers.append(soft_gates.Layer(rng.integers(many, size=(2, width)), np.eye(len(names))[own]))
    signals = (everything(inputs) > 0).astype(float)
    bits = signals > 0
    for wires, logits in layers:
        one, a, b, both = (logits @ np.array(list(soft_gates.FUNCTIONS.values()))).T
        left, right = signals[:, wires[0]], signals[:, wires[1]]
        signals = one + a * left + b * right + both * left * right
    used, params = circuits.lay_out(module("logic-gates").hardened(inputs, layers))
    np.testing.assert_array_equal(circuits.run(params, bits[:, used]), signals > 0.5)
    assert set(np.unique(signals)) <= {0.0, 1.0}


def test_the_gradient_of_soft_gates_is_that_of_their_loss():
    rng = np.random.default_rng(0)
    layers = [
        soft_gates.Layer(rng.integers(many, size=(2, 6)), rng.normal(size=(6, len(soft_gates.FUNCTIONS))))
        for many in (5, 6)
    ]
    layers[1].wires[:] = np.arange(12).reshape(2, 6) % 6  # every signal is read
    signals, labels = rng.random((5, 7)), rng.integers(3, size=7)

    def loss() -> float:
        own = signals
        for wires, logits in layers:
            shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            one, a, b, both = (shares @ np.array(list(soft_gates.FUNCTIONS.values()))).T[:, :, None]
            own = one + a * own[wires[0]] + b * own[wires[1]] + both * own[wires[0]] * own[wires[1]]
        scores = own.reshape(3, 2, 7).sum(axis=1) / np.sqrt(2)
        return float(np.mean(np.log(np.exp(scores).sum(axis=0)) - scores[labels, np.arange(7)]))

    slopes = soft_gates._gradients(layers, signals, labels, 3)
    for number, gate, function in itertools.product(range(2), range(6), (0, 3, 7)):
        ends = []
        for step in (1e-5, -1e-5):
            layers[number].logits[gate, function] += step
            ends.append(loss())
            layers[number].logits[gate, function] -= step
        assert slopes[number][gate, function] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-6)


@given(depth=st.integers(1, 6), seed=SEEDS)
@settings(max_examples=30)
def test_the_packed_address_of_an_oblivious_tree_is_where_its_levels_lead(depth, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(300, 4)).astype(np.float32)
    y = np.sin(3 * x[:, 0]) * x[:, 1]
    bins = oblivious.bins_of(x)
    (tree,) = oblivious.boost(bins, oblivious.of_numbers(y), trees=1, depth=depth, rate=1.0, rng=rng)
    walked = []
    for row in x:
        node = 0
        for feature, threshold in zip(tree.features, tree.thresholds, strict=True):
            node = 2 * node + bool(row[feature] > threshold)
        walked.append(node)
    forest = make("oblivious-trees", load_task("lipschitz-regression@1").info["sst"], trees=1, depth=depth)
    params = oblivious.laid_out(tree.features[None], tree.thresholds[None], tree.values[None])
    np.testing.assert_array_equal(forest.predict(params, x), tree.values[walked, 0])
    # A leaf holds the mean of its samples, the weight of one more on 0.
    leaf = np.array(walked)
    means = np.bincount(leaf, y, 2**depth) / (np.bincount(leaf, minlength=2**depth) + 1)
    np.testing.assert_allclose(tree.values[:, 0], means, rtol=1e-5, atol=1e-7)


def test_the_first_split_is_the_best_of_all():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 3)).astype(np.float32)
    y = (x[:, 1] > 0.3) * 2.0 - 1.0
    bins = oblivious.bins_of(x)
    slopes = oblivious.of_numbers(y).slopes(np.zeros((500, 1)))
    features, places = oblivious.grow(bins, slopes, 1, rng)

    def gain(feature: int, edge: float) -> float:
        right = x[:, feature] > edge
        return sum(y[side].sum() ** 2 / (side.sum() + oblivious.RIDGE) for side in (right, ~right))

    gains = [[gain(feature, edge) for edge in bins.edges[feature]] for feature in range(3)]
    assert (features[0], places[0]) == np.unravel_index(np.argmax(gains), np.shape(gains))


def test_boosting_and_fitting_together_lower_the_loss():
    rng = np.random.default_rng(0)
    train, unseen = (
        split(x, ((x[:, 0] * x[:, 1] + x[:, 2]) > 0).astype(np.int64), np.zeros(len(x), dtype=np.int64))
        for x in (rng.normal(size=(many, 5)) for many in (3000, 1000))
    )
    info = TaskInfo("routed-classification@1", "accuracy", (5,), "int64", 2)
    right = []
    for name, own in (
        ("oblivious-trees", {"trees": 1, "depth": 3}),
        ("oblivious-trees", {"trees": 8, "depth": 3}),
        ("oblivious-trees", {"trees": 32, "depth": 3}),
        ("lut-network", {"tables": 16, "bits": 5}),
    ):
        model = make(name, info, **own)
        params = model.fit(train, unseen, np.random.default_rng(0))
        right.append(np.mean(answers(model, params, unseen) == unseen.y))
    assert right[:3] == sorted(right[:3])
    assert min(right[2:]) > 0.9


@given(tables=st.integers(1, 5), k=st.integers(1, 4), outputs=st.integers(1, 3), seed=SEEDS)
@settings(max_examples=40)
def test_a_comparison_that_tables_share_is_made_once_and_their_sum_is_as_by_hand(tables, k, outputs, seed):
    rng = np.random.default_rng(seed)
    features, values = rng.integers(3, size=(tables, k)), rng.normal(size=(tables, 2**k, outputs))
    thresholds = rng.choice([-0.5, 0.0, 0.5], size=(tables, k)).astype(np.float32)
    x = rng.normal(size=(20, 3))
    told = np.zeros((20, outputs))
    for feature, threshold, own in zip(features, thresholds, values, strict=True):
        told += own[(x[:, feature] > threshold) @ (1 << np.arange(k)[::-1])]
    params = oblivious.laid_out(features, thresholds, values)
    pairs = set(zip(features.ravel().tolist(), thresholds.ravel().tolist(), strict=True))
    assert len(params["features"]) == len(params["thresholds"]) == len(pairs)
    np.testing.assert_allclose(oblivious.summed(params, x), told, atol=1e-12)
    classes = oblivious.laid_out(features, thresholds, values, classes=True)
    wanted = told[:, 0] > 0 if outputs == 1 else told.argmax(axis=1)
    np.testing.assert_array_equal(oblivious.classes_of(classes, x), wanted)


def test_an_oblivious_tree_recalls_one_label_of_every_leaf_that_samples_reach():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 1, (256, 4)).astype(np.float32), rng.normal(size=256).astype(np.float32)
    tree = module("oblivious-trees").recalling(x, y, 8)
    sides = x[:, tree.features] > tree.thresholds
    leaf = sides @ (1 << np.arange(8)[::-1])
    assert np.sum(tree.values[leaf, 0] == y) == len(np.unique(leaf)) <= 3**4


@given(rows=st.integers(1, 8), keys=st.sampled_from([8, 16, 32]), k=st.sampled_from([1, 2, 4, 8]), seed=SEEDS)
@settings(max_examples=40)
def test_product_keys_retrieve_the_largest_of_all_sums(rows, keys, k, seed):
    first, second = np.random.default_rng(seed).normal(size=(2, rows, keys))
    sums, experts = product_keys.retrieve(first, second, k)
    all_sums = (first[:, :, None] + second[:, None, :]).reshape(rows, -1)
    by_hand = np.argsort(-all_sums, axis=1)[:, :k]
    np.testing.assert_array_equal(experts, by_hand)
    np.testing.assert_array_equal(sums, np.take_along_axis(all_sums, by_hand, axis=1))


@given(features=st.integers(1, 12), keys=st.sampled_from([2, 4, 16]), half=st.integers(1, 6), seed=SEEDS)
@settings(max_examples=40)
def test_keys_multiplied_with_the_query_score_the_same_and_never_cost_more(features, keys, half, seed):
    rng = np.random.default_rng(seed)
    own, offsets = rng.normal(size=(2, keys, half)), rng.normal(size=(2, keys))
    query, bias = rng.normal(size=(2 * half, features)), rng.normal(size=2 * half)
    x = rng.normal(size=(5, features))
    told = module("product-key-experts").folded(own, offsets, query, bias)
    in_turn, at_once = half * (features + keys), keys * features
    assert told["keys"].shape == (2, keys, features if at_once <= in_turn else half)
    assert len(told["query"]) == len(told["query_bias"]) == (0 if at_once <= in_turn else 2 * half)
    if at_once <= in_turn:
        by_hand = (query @ x.T + bias[:, None]).T.reshape(5, 2, half)
        for side in (0, 1):
            scores = by_hand[:, side] @ own[side].T + offsets[side]
            np.testing.assert_allclose(x @ told["keys"][side].T + told["offsets"][side], scores, atol=1e-9)


def test_the_gradient_of_product_keys_is_that_of_their_loss():
    rng = np.random.default_rng(0)
    x, wanted = rng.normal(size=(6, 4)), rng.normal(size=(6, 2))
    params = product_keys.start(x, 2, 16, 3, rng)  # four keys of six inputs: no two are alike
    params = {name: array.astype(np.float64) for name, array in params.items()}

    def loss() -> float:
        first, second = (
            x @ query.T @ keys.T + offsets
            for query, keys, offsets in zip(params["query"], params["keys"], params["offsets"], strict=True)
        )
        sums, experts = product_keys.retrieve(first, second, 2)
        gates = np.exp(sums) / np.exp(sums).sum(axis=1, keepdims=True)
        units = np.einsum("bkd,bd->bk", params["inner"][experts], x) + params["shift"][experts]
        told = (
            np.einsum("bk,bko->bo", gates * np.maximum(units, 0), params["outer"][experts]) + params["bias"]
        )
        return float(np.sum((told - wanted) ** 2))

    slopes = product_keys._gradients(params, x, lambda told: 2 * (told - wanted), 2)
    for name, (where, gradient) in slopes.items():
        full = np.zeros_like(params[name])
        full[where] = gradient
        for place in rng.integers(full.size, size=8):
            ends = []
            for step in (1e-6, -1e-6):
                params[name].reshape(-1)[place] += step
                ends.append(loss())
                params[name].reshape(-1)[place] -= step
            assert full.reshape(-1)[place] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-4, rel=1e-4)
