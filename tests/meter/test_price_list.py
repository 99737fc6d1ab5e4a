"""Price lists of people's own: what they price, and every fault of a file at once."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.errors import ManifestError, NotFoundError, UsageError
from sparsebench.meter import PHASES, PROFILES, Entry, price
from sparsebench.meter.pricelist import (
    MOST,
    PriceList,
    find_price_list,
    read_price_list,
    standard_price_list,
)
from sparsebench.meter.prices import WEIGHTS
from sparsebench.meter.values import DTYPES
from sparsebench.ops.charges import KINDS

ENTRIES = st.lists(
    st.builds(
        Entry,
        st.sampled_from(PHASES),
        st.sampled_from(sorted(KINDS)),
        st.sampled_from(DTYPES),
        st.integers(0, 10**9),
    )
)
PRICES = st.dictionaries(st.sampled_from(sorted(KINDS)), st.integers(0, 1000))
ALL = "\n".join(f"{kind} = 1" for kind in KINDS)


@pytest.fixture
def written(tmp_path):
    """Read a list from this text."""

    def read(text):
        path = tmp_path / "my.toml"
        path.write_text(text, encoding="utf-8")
        return read_price_list(path)

    return read


def faults(written, text):
    with pytest.raises(ManifestError) as caught:
        written(text)
    assert caught.value.exit_code == 2
    assert caught.value.help
    return caught.value.what


def table(prices):
    return "\n".join(f"{key} = {value}" for key, value in prices.items())


@given(entries=ENTRIES)
@pytest.mark.parametrize("name", PROFILES)
def test_a_list_like_a_standard_one_prices_as_it_does(tmp_path_factory, name, entries):
    path = tmp_path_factory.mktemp("lists") / "my.toml"
    path.write_text(f'name = "my"\nlike = "{name}"\n', encoding="utf-8")
    assert read_price_list(path).price(entries) == price(entries, name)
    assert find_price_list(name).price(entries) == standard_price_list(name).price(entries)
    assert standard_price_list(name).price(entries) == price(entries, name)


@given(entries=ENTRIES, own=PRICES, wide=PRICES, factor=st.integers(0, 9))
def test_prices_of_a_dtype_go_before_prices_of_a_kind_and_phases_multiply(
    tmp_path_factory, entries, own, wide, factor
):
    path = tmp_path_factory.mktemp("lists") / "my.toml"
    parts = ['name = "my"\nlike = "ops"\n[ops]', table(own), "[dtypes.float64]", table(wide)]
    path.write_text("\n".join([*parts, f"[phases]\nrouter = {factor}"]), encoding="utf-8")
    expected = 0
    for phase, kind, dtype, amount in entries:
        each = {**WEIGHTS, **own, **(wide if dtype == "float64" else {})}[kind]
        expected += amount * each * (factor if phase == "router" else 1)
    assert read_price_list(path).price(entries) == expected


def test_without_a_list_to_start_from_every_kind_has_a_price(written):
    prices = written(f'name = "my"\n[ops]\n{ALL}\n')
    assert prices.name == "my"
    assert prices.price([Entry("router", kind, "float32", 2) for kind in KINDS]) == 2 * len(KINDS)


def test_fractions_are_prices(written):
    prices = written('name = "my"\nlike = "macs"\n[ops]\nlookup = 0.5\n[dtypes.int64]\nlookup = 0\n')
    entries = [Entry("experts", "lookup", dtype, 3) for dtype in ("float32", "int64")]
    assert prices.price([*entries, Entry("experts", "mac", "float32", 4)]) == 5.5


def test_a_price_of_ones_own_leaves_the_router_out_where_the_list_it_is_like_does(written):
    prices = written('name = "my"\nlike = "paper-router-free"\n[ops]\nmul = 7\n')
    assert prices.price([Entry(phase, "mul", "float32", 1) for phase in PHASES]) == 7
    back = written('name = "my"\nlike = "paper-router-free"\n[phases]\nrouter = 2\n')
    assert back.price([Entry(phase, "mul", "float32", 1) for phase in PHASES]) == 3


def test_a_kind_that_nobody_knows_has_no_price():
    prices = PriceList("my", lambda entry: 1)
    with pytest.raises(UsageError, match=r"expected one of the kinds add, .*, got 'warp'"):
        prices.price([Entry("router", "warp", "float32", 1)])


def test_all_faults_are_told_at_once(written):
    text = """
        name = "my"
        like = "opz"
        more = 1
        [ops]
        add = -1
        mul = "x"
        cmp = true
        div = nan
        sqrt = inf
        lookup = 1e300
        lokup = 2
        [dtypes.float31]
        [dtypes.float32]
        mull = 3
        [phases]
        router = -0.5
        expert = 1
    """
    lines = faults(written, text).splitlines()
    assert lines[0].endswith("my.toml: 13 faults")
    told = {line.split(":")[0].strip(): line for line in lines[1:]}
    assert set(told) == {
        "like",
        "more",
        *(f"ops.{kind}" for kind in ("add", "mul", "cmp", "div", "sqrt", "lookup", "lokup")),
        "dtypes.float31",
        "dtypes.float32.mull",
        "phases.router",
        "phases.expert",
    }
    assert "got -1; set it to a number from 0 to 1e+12" in told["ops.add"]
    assert "did you mean 'lookup'?" in told["ops.lokup"]
    assert "did you mean 'float32'?" in told["dtypes.float31"]
    assert "expected the name of a standard list: ops, add-mul-cmp" in told["like"]


def test_a_kind_without_a_price_is_a_fault_of_its_own(written):
    first, *rest = faults(written, 'name = "my"\n[ops]\nadd = -1\n').splitlines()
    assert first.endswith(f"{len(KINDS)} faults")
    assert all("expected" in line and "got" in line for line in rest)
    assert [line.split(":")[0].strip() for line in rest[1:]] == [f"ops.{k}" for k in KINDS if k != "add"]
    assert 'like = "ops"' in rest[1]
    only = faults(written, f'name = "my"\n[ops]\n{ALL.replace("load = 1", "")}')
    assert "ops.load: expected the price of elements read by look-ups, got nothing" in only


def test_a_list_without_any_price_is_one_fault(written):
    assert "ops: expected a price for each of add, mul" in faults(written, 'name = "my"\n')
    assert "ops: expected" in faults(written, 'name = "my"\nops = 3\n')


@pytest.mark.parametrize("name", ["ops", "bit-ops", "mul", "My List", "a" * 33, ""])
def test_a_list_has_a_name_of_its_own(written, name):
    assert "name: expected a name" in faults(written, f'name = "{name}"\nlike = "ops"\n')


def test_a_list_without_a_name_is_told_so(written):
    assert "name: expected a name such as my-accelerator, got nothing" in faults(written, 'like = "ops"\n')


def test_what_is_no_toml_is_told_so(written):
    assert "expected TOML" in faults(written, "name = ")


def test_the_largest_price_keeps_a_total_finite(written):
    prices = written(f'name = "my"\nlike = "ops"\n[ops]\nadd = {MOST!r}\n')
    assert prices.price([Entry("router", "add", "float32", 10**18)]) == 1e30


def test_a_name_that_nothing_has_gets_a_guess(tmp_path):
    with pytest.raises(NotFoundError, match="unknown price list 'macz'") as caught:
        find_price_list("macz")
    assert caught.value.help.startswith("did you mean 'macs'? there are: ")
    assert caught.value.help.endswith("or give the path of a TOML file")


@pytest.mark.parametrize(
    ("name", "got"),
    [("nothing.toml", "nothing of that name"), ("folder.toml", "a folder"), (".", "a folder")],
)
def test_a_path_of_nothing_is_told_as_a_path(tmp_path, name, got):
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(NotFoundError, match=f"expected a price list as a TOML file, got {got}") as caught:
        find_price_list(str(tmp_path / name))
    assert caught.value.help.startswith("mend the path, or name a standard list: ops, ")


def test_what_is_no_table_is_told_in_words_of_the_file(written):
    told = faults(written, 'name = "my"\nlike = "ops"\nops = 3\n[dtypes]\nfloat64 = 1\n')
    assert "ops: expected a table, got 3; set it to a table of prices" in told
    assert "dtypes.float64: expected a table, got 1; set it to a table of prices" in told


def test_a_file_is_found_by_its_path(tmp_path):
    path = tmp_path / "lists.toml"
    path.write_text('name = "my"\nlike = "ops"\n', encoding="utf-8")
    assert find_price_list(str(path)).name == "my"


def test_the_example_in_the_docstring_reads(written):
    from sparsebench.meter import pricelist

    text = pricelist.__doc__.partition("::")[2]
    assert tomllib.loads(text)["phases"] == {"router": 1}
    assert written(text).price([Entry("router", "mul", "float64", 1)]) == 4
