r"""Line ends: what is hashed of text has LF, and a checkout with CR LF is the same state."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.errors import UsageError
from sparsebench.ground.line_ends import BY_LINE_ENDS, differ_by_line_ends, with_crlf, with_lf
from sparsebench.tasks import list_tasks, load_task, rederive, verify_task
from sparsebench.tasks.authoring.freezing import freeze_task
from sparsebench.tasks.authoring.sealing import generator_hash, opened_seal, seal_instance, verify_seal
from sparsebench.tasks.authoring.template import new_task
from sparsebench.tasks.generation import secret_seed
from tasks.tiny import checked_out_with_crlf

contents = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b"a", "ä".encode(), b"\xff", b"\0"]), max_size=12
).map(b"".join)


@given(contents)
def test_spelling_with_lf_is_done_once(content):
    assert with_lf(with_lf(content)) == with_lf(content) == with_lf(with_crlf(content))


@given(contents)
def test_no_text_is_left_as_it_is(content):
    for made in (content + b"\0\r\n", b"\xff\r\n" + content):
        assert with_lf(made) == made == with_crlf(made)


@given(st.text("a\r\n;#'", max_size=12))
def test_it_is_one_text_to_python(text):
    """Which takes CR, LF and CR LF for one line end each: so the two spellings are one program."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    spelled = with_lf(text.encode()).decode()
    assert spelled.replace("\r\n", "\n").replace("\r", "\n") == lines


@pytest.mark.parametrize(
    ("content", "spelled"),
    [
        (b"a\r\nb\r\n", b"a\nb\n"),
        (b"a\r\nb\n", b"a\nb\n"),
        (b"a\rb", b"a\rb"),
        (b"a\r\r\n", b"a\r\r\n"),
        (b"\r\n\r\n", b"\n\n"),
        ("\ufeffä\r\n".encode(), "\ufeffä\n".encode()),
        (b"PAR1\0\r\n", b"PAR1\0\r\n"),
        (b"\xe4\r\n", b"\xe4\r\n"),
    ],
)
def test_spelled_with_lf(content, spelled):
    assert with_lf(content) == spelled


def test_a_hash_of_other_line_ends_is_known():
    def hashed(spelled):
        return hashlib.sha256(spelled(b"a\nb\r\n")).hexdigest()

    for content, known in ((b"a\nb\r\n", True), (b"a\r\nb\r\n", True), (b"b\r\n", False)):
        assert differ_by_line_ends(hashlib.sha256(content).hexdigest(), hashed) is known


def test_generators_of_the_standard_tasks_have_the_hash_of_their_bytes():
    for task in list_tasks():
        digest = hashlib.sha256()
        for path in sorted(task.folder.glob("*.py")):
            content = path.read_bytes()
            digest.update(f"{path.name} {len(content)}\n".encode() + content)
        assert generator_hash(task) == f"sha256:{digest.hexdigest()}"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A task of one's own, and an instance that was sealed with it."""
    place = tmp_path_factory.mktemp("own")
    task = freeze_task(new_task("my-task", place))
    seal_instance(task, "plane", place / "seed", place / "sealed")
    return place


@pytest.fixture
def crlf(made, tmp_path):
    """A checkout of both with CR LF."""
    return checked_out_with_crlf(made, tmp_path / "crlf")


def test_a_new_task_says_how_to_check_it_out(made):
    for folder in (made / "my-task" / "v1", made / "sealed"):
        lines = (folder / ".gitattributes").read_text(encoding="utf-8").splitlines()
        assert {"* text=auto eol=lf", "*.parquet binary"} <= set(lines)


def test_a_task_is_the_same_with_crlf(made, crlf):
    here, there = (load_task(place / "my-task" / "v1") for place in (made, crlf))
    assert b"\r\n" in (there.folder / "generate.py").read_bytes()
    assert b"\r\n" in (there.folder / "task.toml").read_bytes()
    assert (here.hash, generator_hash(here)) == (there.hash, generator_hash(there))
    checks = [*verify_task(there), *rederive(there, instances=["plane"])]
    assert [check for check in checks if not check.ok] == []
    assert freeze_task(there.folder, instances=["plane"]).hash == here.hash


@pytest.mark.parametrize("what", ["seed", "sealed", "my-task", "all"])
def test_a_seal_holds_with_crlf(made, crlf, what):
    seed, sealed, task = (
        (crlf if what in {name, "all"} else made) / name for name in ("seed", "sealed", "my-task")
    )
    drawn_from = load_task(task / "v1")
    checks = verify_seal(load_task(sealed), seed, drawn_from)
    assert len(checks) == 7
    assert [check for check in checks if not check.ok] == []
    opened = opened_seal(load_task(sealed), seed, drawn_from)[1]
    assert opened.seed == secret_seed((made / "seed").read_bytes())


def test_a_seed_with_crlf_seals_the_same(made, crlf, tmp_path):
    again = seal_instance(load_task(made / "my-task" / "v1"), "plane", crlf / "seed", tmp_path / "again")
    assert json.loads(again.read_text()) == json.loads((made / "sealed" / "commitment.json").read_text())


def test_two_seeds_of_one_commitment_are_one_seed():
    assert secret_seed(b"a\r\nb\n") == secret_seed(b"a\nb\n")
    assert secret_seed(b"a\rb\n") != secret_seed(b"a\nb\n")
    assert secret_seed(b"\xff\r\n") != secret_seed(b"\xff\n"), "no text"


def test_a_seed_has_16_bytes_with_lf(made, tmp_path):
    (tmp_path / "seed").write_bytes(b"\r\n" * 15)
    with pytest.raises(UsageError, match="expected a seed of at least 16 bytes, got 15"):
        seal_instance(load_task(made / "my-task" / "v1"), "plane", tmp_path / "seed", tmp_path / "new")


def sealed_over_crlf(made, tmp_path):
    """Seal as one who hashed the seed and the generator as they lay there, with CR LF."""
    sealed, task = shutil.copytree(made / "sealed", tmp_path / "sealed"), load_task(made / "my-task" / "v1")
    told = json.loads((sealed / "commitment.json").read_text())
    digest = hashlib.sha256()
    content = with_crlf((task.folder / "generate.py").read_bytes())
    digest.update(f"generate.py {len(content)}\n".encode() + content)
    seed = f"sha256:{hashlib.sha256(with_crlf((made / 'seed').read_bytes())).hexdigest()}"
    return task, sealed, told, seed, f"sha256:{digest.hexdigest()}"


def test_a_commitment_to_line_ends_is_told(made, tmp_path):
    task, sealed, told, seed, generator = sealed_over_crlf(made, tmp_path)
    (sealed / "commitment.json").write_text(json.dumps(told | {"generator": generator}))
    checks = {check.file: check for check in verify_seal(load_task(sealed), made / "seed", task)}
    assert not checks["generate.py"].ok
    assert checks["generate.py"].message.endswith(BY_LINE_ENDS)
    (sealed / "commitment.json").write_text(json.dumps(told | {"seed": seed}))
    checks = {check.file: check for check in verify_seal(load_task(sealed), made / "seed", task)}
    assert not checks["seed"].ok
    assert checks["seed"].message.endswith(BY_LINE_ENDS)
    with pytest.raises(UsageError, match=r"expected the seed sha256:.*; line ends alone differ"):
        opened_seal(load_task(sealed), made / "seed", task)
