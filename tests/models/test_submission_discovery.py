"""Finding submissions, and the hash of their folders."""

import hashlib
import os
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evaluate.tiny import plain, write
from sparsebench.errors import ContractError, ManifestError, NotFoundError
from sparsebench.ground.line_ends import with_crlf, with_lf
from sparsebench.models import find_submission, folder_hash, shipped_names
from tasks.tiny import checked_out_with_crlf


def test_by_path_by_manifest_and_by_relative_path(tmp_path, monkeypatch):
    folder = write(tmp_path / "mine", plain())
    monkeypatch.chdir(tmp_path)
    for reference in (str(folder), str(folder / "submission.toml"), "mine", "./mine", "mine/"):
        found = find_submission(reference)
        assert (found.path, found.manifest.name) == (folder.resolve(), "mine")
        assert found.hash == folder_hash(folder)


def test_by_the_name_of_a_shipped_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(shipped_names()) >= 8
    for name in shipped_names():
        assert find_submission(name).manifest.name == name == find_submission(name).path.name


def test_a_folder_here_comes_before_a_shipped_one(tmp_path, monkeypatch):
    folder = write(tmp_path / "constant", plain())
    monkeypatch.chdir(tmp_path)
    assert find_submission("constant").path == folder


def test_a_wrong_name_is_told_with_a_guess():
    with pytest.raises(NotFoundError, match="there is no submission called 'lsh-constnt'") as caught:
        find_submission("lsh-constnt")
    assert caught.value.help.startswith("did you mean 'lsh-constant'?")


@pytest.mark.parametrize("reference", ["", "  "])
def test_nothing_is_no_name(reference):
    with pytest.raises(NotFoundError):
        find_submission(reference)


@pytest.mark.parametrize("reference", ["./lsh-constant", "/nowhere/at/all", "mine/submission.py"])
def test_a_path_that_is_not_there_is_told_as_a_path(reference, tmp_path, monkeypatch):
    write(tmp_path / "mine", plain())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFoundError, match="there is no such folder") as caught:
        find_submission(reference)
    assert "submission.toml" in caught.value.help


def test_a_folder_without_a_manifest(tmp_path):
    with pytest.raises(ManifestError, match=r"there is no submission\.toml in it") as caught:
        find_submission(str(tmp_path))
    assert "sparsebench new" in caught.value.help


def test_a_missing_module_is_told(tmp_path):
    folder = write(tmp_path / "mine", plain())
    (folder / "submission.py").unlink()
    with pytest.raises(ContractError, match=r"entry: there is no submission\.py beside it"):
        find_submission(str(folder))


def test_variants_by_name(tmp_path):
    variants = '[[variants]]\nname = "small"\nn = 1\n[[variants]]\nname = "large"\nn = 9\n'
    found = find_submission(str(write(tmp_path / "mine", plain(), variants=variants)))
    assert [variant.name for variant in found.variants()] == ["small", "large"]
    assert [variant.settings for variant in found.variants(("large",))] == [{"n": 9}]
    with pytest.raises(NotFoundError, match="there is no variant of mine called 'larg'") as caught:
        found.variants(("larg",))
    assert "did you mean 'large'?" in caught.value.help


names = st.text(string.ascii_lowercase + string.digits + "_-.", min_size=1, max_size=8).filter(
    lambda name: not name.startswith(".")
)
paths = st.lists(names, min_size=1, max_size=3).map("/".join)

# Bytes of any kind, and what is text or nearly so, with all sorts of line ends.
contents = st.binary(max_size=20) | st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"\xff", b"\0"]), max_size=8
).map(b"".join)


def with_lf_all(files):
    return {path: with_lf(content) for path, content in files.items()}


@st.composite
def trees(draw):
    """Folders as path -> content, where no file lies where a folder is needed."""
    files = draw(st.dictionaries(paths, contents, min_size=1, max_size=5))
    folders = {path[:i] for path in files for i, letter in enumerate(path) if letter == "/"}
    return {path: content for path, content in files.items() if path not in folders}


def lay(root, files):
    root.mkdir()
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return folder_hash(root)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    return lambda: tmp_path_factory.mktemp("tree") / "root"


@given(files=trees(), data=st.data())
def test_any_change_of_a_byte_or_a_name_changes_the_hash(fresh, files, data):
    before = lay(fresh(), files)
    path = data.draw(st.sampled_from(sorted(files)))
    changed = dict(files)
    match data.draw(st.sampled_from(["byte", "longer", "rename", "remove", "add"])):
        case "byte" if files[path]:
            at = data.draw(st.integers(0, len(files[path]) - 1))
            content = bytearray(files[path])
            content[at] ^= data.draw(st.integers(1, 255))
            changed[path] = bytes(content)
        case "rename":
            changed[f"{path}x"] = changed.pop(path)
        case "remove":
            del changed[path]
        case "add":
            changed[f"{path}x"] = b""
        case _:
            changed[path] += b"\0"
    assume(not any(other.startswith(f"{path}x/") for other in files))
    assert (lay(fresh(), changed) != before) == (with_lf_all(changed) != with_lf_all(files))


@given(one=trees(), other=trees())
def test_two_trees_have_one_hash_only_if_they_are_one(fresh, one, other):
    assert (lay(fresh(), one) == lay(fresh(), other)) == (with_lf_all(one) == with_lf_all(other))


@given(files=trees())
def test_a_checkout_with_crlf_is_the_same_state(fresh, files):
    there = {path: with_crlf(content) for path, content in files.items()}
    assert lay(fresh(), files) == lay(fresh(), there)


def test_a_submission_is_the_same_with_crlf(tmp_path):
    folder = write(tmp_path / "here" / "mine", plain(), more="include = ['../common/shared.py']")
    (tmp_path / "here" / "common").mkdir()
    (tmp_path / "here" / "common" / "shared.py").write_bytes(b"MARK = 1\n")
    here = find_submission(str(folder))
    there = find_submission(str(checked_out_with_crlf(tmp_path / "here", tmp_path / "there") / "mine"))
    assert b"\r\n" in (there.path / "submission.py").read_bytes()
    assert here.hash == there.hash
    assert here.manifest == there.manifest


def hash_of_bytes(found):
    """The hash of a submission before text was hashed with LF: no hash of what is shipped has changed."""
    paths = [path for path in found.path.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    files = [(path.relative_to(found.path).as_posix(), path.read_bytes()) for path in paths]
    digest = hashlib.sha256()
    for name, content in sorted(files + [(path.name, path.read_bytes()) for path in found.include]):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def test_shipped_ones_have_the_hash_of_their_bytes():
    for name in shipped_names():
        found = find_submission(name)
        assert found.hash == hash_of_bytes(found)
        assert not found.differs_by_line_ends("0" * 64)


def test_a_hash_of_other_line_ends_is_known(tmp_path):
    write(tmp_path / "mine", plain())
    there = find_submission(str(checked_out_with_crlf(tmp_path / "mine", tmp_path / "there")))
    assert hash_of_bytes(there) != there.hash
    assert there.differs_by_line_ends(hash_of_bytes(there))
    assert find_submission(str(tmp_path / "mine")).differs_by_line_ends(hash_of_bytes(there))


def test_content_cannot_pass_for_a_name(fresh):
    assert lay(fresh(), {"a": b"b\x000\x00"}) != lay(fresh(), {"a": b"", "b": b""})


def test_the_order_on_disk_does_not_matter(fresh):
    files = {"b": b"1", "a": b"2", "c/d": b"3"}
    assert lay(fresh(), files) == lay(fresh(), dict(reversed(files.items())))


@pytest.mark.parametrize(
    "path",
    ["__pycache__/submission.cpython-311.pyc", "part/__pycache__/x.pyc", ".git/HEAD", ".DS_Store", "part/.x"],
)
def test_caches_and_hidden_files_do_not_count(fresh, path):
    root = fresh()
    before = lay(root, {"submission.py": b"x = 1\n", "part/x.py": b""})
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(b"anything")
    assert folder_hash(root) == before


def test_times_and_modes_do_not_count(fresh):
    root = fresh()
    before = lay(root, {"submission.py": b"x = 1\n"})
    os.utime(root / "submission.py", (0, 0))
    (root / "submission.py").chmod(0o755)
    assert folder_hash(root) == before


def test_a_hidden_folder_above_does_not_hide_the_submission(tmp_path):
    (tmp_path / ".hidden").mkdir()
    assert lay(tmp_path / ".hidden" / "a", {"x": b"1"}) != lay(tmp_path / ".hidden" / "b", {"x": b"2"})
