"""``include``: files that submissions share are found, hashed as if they lay beside the entry, or refused."""

import os
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluate.tiny import cell_of, plain, write
from sparsebench.errors import ManifestError
from sparsebench.models import find_submission, folder_hash
from sparsebench.models.includes import LARGEST

SHARED = "MARK = 1\n"


def share(root, name="shared.py", text=SHARED, folder="common"):
    """Write a file that submissions may include."""
    (root / folder).mkdir(parents=True, exist_ok=True)
    (root / folder / name).write_text(text, encoding="utf-8")
    return root / folder / name


def including(folder, *include):
    """Write a submission that includes files."""
    quoted = ", ".join(f"'{path}'" for path in include)
    write(folder, plain())
    manifest = folder / "submission.toml"
    text = manifest.read_text(encoding="utf-8").replace("\n\n", f"\ninclude = [{quoted}]\n\n", 1)
    manifest.write_text(text, encoding="utf-8")
    return folder


def found(folder):
    return find_submission(str(folder))


def refusal(folder):
    """Give the one error that a submission is refused with."""
    with pytest.raises(ManifestError) as caught:
        found(folder)
    assert caught.value.exit_code == 2
    assert "\n" not in caught.value.what
    assert caught.value.what.startswith(f"{folder / 'submission.toml'}: include")
    assert ": expected " in caught.value.what
    assert "got " in caught.value.what
    assert caught.value.help
    return caught.value


@pytest.mark.parametrize(
    "spelled",
    [
        "../common/shared.py",
        "./../common/shared.py",
        "../mine/../common/./shared.py",
        "../alias/shared.py",
    ],
)
def test_what_is_included_is_found_however_it_is_spelled(tmp_path, spelled):
    shared = share(tmp_path)
    (tmp_path / "alias").symlink_to("common")
    made = found(including(tmp_path / "mine", spelled))
    assert made.include == (shared,)
    assert cell_of(tmp_path / "mine").include == (shared,)


def test_without_it_the_hash_is_the_folders(tmp_path):
    made = found(write(tmp_path / "mine", plain()))
    assert (made.include, made.manifest.include) == ((), [])
    assert made.hash == folder_hash(tmp_path / "mine")


def test_the_hash_is_that_of_the_folder_with_the_files_in_it(tmp_path):
    shared = [share(tmp_path), share(tmp_path, "another.py", "x = 2\n", "common/deep")]
    folder = including(tmp_path / "mine", "../common/shared.py", "../common/deep/another.py")
    copied = tmp_path / "copied"
    shutil.copytree(folder, copied)
    for file in shared:
        shutil.copy(file, copied)
    assert found(folder).hash == folder_hash(copied) != folder_hash(folder)


def test_a_change_of_a_shared_file_changes_every_submission_that_includes_it_and_no_other(tmp_path):
    shared = share(tmp_path)
    share(tmp_path, "other.py", "x = 1\n")
    folders = [
        including(tmp_path / "first", "../common/shared.py"),
        including(tmp_path / "second", "../common/other.py", "../common/shared.py"),
        including(tmp_path / "third", "../common/other.py"),
        write(tmp_path / "fourth", plain()),
    ]

    def state():
        return [(found(folder).hash, cell_of(folder).key) for folder in folders]

    before = state()
    shared.write_text("MARK = 2\n", encoding="utf-8")
    edited = state()
    assert [old != new for old, new in zip(before, edited, strict=True)] == [True, True, False, False]
    assert all(a[0] != b[0] and a[1] != b[1] for a, b in zip(before[:2], edited[:2], strict=True))
    shared.write_text(SHARED, encoding="utf-8")
    os.utime(shared, (0, 0))
    assert state() == before
    share(tmp_path, "third.py", "nobody = 'includes it'\n")
    assert state() == before


def test_to_include_a_file_or_to_leave_it_out_changes_the_hash(tmp_path):
    share(tmp_path, text="")
    share(tmp_path, "empty.py", "")
    hashes = [
        found(including(tmp_path / "mine", *include)).hash
        for include in ([], ["../common/shared.py"], ["../common/shared.py", "../common/empty.py"])
    ]
    assert len(set(hashes)) == 3


NAMES = st.sampled_from(["a.py", "b.py", "c.py"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    own=st.dictionaries(NAMES, st.binary(max_size=3)), shared=st.dictionaries(NAMES, st.binary(max_size=3))
)
def test_the_hash_is_one_of_names_and_bytes_wherever_they_lie(tmp_path_factory, own, shared):
    shared = {name: content for name, content in shared.items() if name not in own}
    apart, together = (tmp_path_factory.mktemp("hash") for _ in range(2))
    for folder in ("mine", "common"):
        (apart / folder).mkdir()
    for name, content in {**own, **shared}.items():
        (together / name).write_bytes(content)
        (apart / ("mine" if name in own else "common") / name).write_bytes(content)
    include = [apart / "common" / name for name in shared]
    assert folder_hash(apart / "mine", include) == folder_hash(together)


# What is refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelled",
    [
        "/etc/shared.py",
        "C:/common/shared.py",
        r"..\common\shared.py",
        "../common/shared.txt",
        "../common/shared",
        "../common/shared.py/",
        "../common/.py",
        "../common/1st.py",
        "../common/sha-red.py",
        "../common/sh\u00e4red.py",
        "..//common/shared.py",
        "../common/shared.PY",
        "",
    ],
)
def test_a_path_that_is_no_relative_one_of_a_module(tmp_path, spelled):
    share(tmp_path)
    fault = refusal(including(tmp_path / "mine", "../common/shared.py", spelled))
    assert (
        "include.1: expected the relative path of a Python module, with /, such as ../common/x.py"
        in fault.what
    )
    assert f"got {spelled!r}" in fault.what


@pytest.mark.parametrize(("value", "key"), [('"../common/shared.py"', "include"), ("[1]", "include.0")])
def test_a_value_that_is_no_list_of_strings(tmp_path, value, key):
    write(tmp_path / "mine", plain(), more=f"include = {value}")
    with pytest.raises(ManifestError, match=rf"{key}: expected (a list|text in quotes), got"):
        found(tmp_path / "mine")


def test_control_characters_are_refused(tmp_path):
    for letter in ("0000", "000a", "001b", "007f"):
        write(tmp_path / "mine", plain(), more=f'include = ["../com\\u{letter}mon/shared.py"]')
        assert "expected the relative path" in refusal(tmp_path / "mine").what


@pytest.mark.parametrize(
    "other",
    [
        "../common/shared.py",
        "../common/./shared.py",
        "../mine/../common/shared.py",
        "../alias/shared.py",
        "../more/shared.py",
        "../more/Shared.py",
    ],
)
def test_two_files_of_one_name_however_they_are_spelled(tmp_path, other):
    share(tmp_path)
    share(tmp_path, folder="more")
    (tmp_path / "alias").symlink_to("common")
    fault = refusal(including(tmp_path / "mine", "../common/shared.py", other))
    assert "include: expected files of different names, two are called 'shared.py'" in fault.what


@pytest.mark.parametrize(
    "spelled", ["../../shared.py", "../../out/shared.py", "../../../../../../x/shared.py"]
)
def test_a_file_outside_of_the_folder_of_submissions(tmp_path, spelled):
    share(tmp_path, folder="out")
    share(tmp_path, folder=".")
    fault = refusal(including(tmp_path / "all" / "mine", spelled))
    assert f"expected a file inside of {tmp_path / 'all'}, which holds the submission's folder" in fault.what
    assert f"got {spelled!r}, which is /" in fault.what
    assert str(tmp_path / "all" / "common") in fault.help


@pytest.mark.parametrize("link", ["file", "folder"])
def test_a_link_that_leads_outside(tmp_path, link):
    outside = share(tmp_path, folder="out")
    (tmp_path / "all").mkdir()
    if link == "folder":
        (tmp_path / "all" / "common").symlink_to(outside.parent)
    else:
        (tmp_path / "all" / "common").mkdir()
        (tmp_path / "all" / "common" / "shared.py").symlink_to(outside)
    fault = refusal(including(tmp_path / "all" / "mine", "../common/shared.py"))
    assert f"'../common/shared.py', which is {outside}" in fault.what


def test_a_submission_that_is_reached_through_a_link_includes_from_where_it_is(tmp_path):
    shared = share(tmp_path / "all")
    including(tmp_path / "all" / "mine", "../common/shared.py")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine").symlink_to(tmp_path / "all" / "mine")
    assert found(tmp_path / "elsewhere" / "mine").include == (shared,)


def kinds(file):
    target = share(file.parent, "target.py", folder=".")
    return {
        "link": lambda: file.symlink_to(target),
        "folder": file.mkdir,
        "pipe": lambda: os.mkfifo(file),
        "device": lambda: file.symlink_to("/dev/zero"),
        "loop": lambda: file.symlink_to(file),
        "dangling": lambda: file.symlink_to(file.parent / "nothing.py"),
    }


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("link", "expected a regular file, got '../common/shared.py', a symbolic link"),
        ("folder", "expected a regular file, got '../common/shared.py', a folder"),
        ("pipe", "expected a regular file, got '../common/shared.py', a file of another kind"),
        ("device", "which is /dev/zero"),
        ("loop", "expected a regular file, got '../common/shared.py', a symbolic link"),
        ("dangling", "expected a regular file, got '../common/shared.py', a symbolic link"),
    ],
)
def test_what_is_no_regular_file(tmp_path, kind, told):
    (tmp_path / "common").mkdir()
    kinds(tmp_path / "common" / "shared.py")[kind]()
    assert told in refusal(including(tmp_path / "mine", "../common/shared.py")).what


@pytest.mark.parametrize("spelled", ["../common/shared.py", "../file/shared.py", f"../{'a' * 300}/shared.py"])
def test_a_file_that_is_not_there(tmp_path, spelled):
    (tmp_path / "file").touch()
    fault = refusal(including(tmp_path / "mine", spelled))
    assert f"expected a file, got {spelled!r}: " in fault.what
    assert "write the file, or mend the path" in fault.help


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read anything")
def test_a_file_that_may_not_be_read(tmp_path):
    share(tmp_path).chmod(0)
    assert "a file that can be read" in refusal(including(tmp_path / "mine", "../common/shared.py")).what


def test_a_huge_file_is_not_read(tmp_path):
    share(tmp_path)
    folder = including(tmp_path / "mine", "../common/shared.py")
    os.truncate(tmp_path / "common" / "shared.py", LARGEST)
    assert found(folder).include
    os.truncate(tmp_path / "common" / "shared.py", 1 << 40)
    fault = refusal(folder)
    assert (
        "expected at most 1,048,576 bytes, got '../common/shared.py' of 1,099,511,627,776 bytes" in fault.what
    )


@pytest.mark.parametrize(
    ("folder", "include", "owner"),
    [
        ("other", "../other/shared.py", "other"),
        ("other/deep", "../other/deep/shared.py", "other"),
        ("mine", "shared.py", "mine"),
        ("mine/deep", "deep/shared.py", "mine"),
        ("other", "../alias/shared.py", "other"),
    ],
)
def test_a_file_in_a_submissions_folder(tmp_path, folder, include, owner):
    write(tmp_path / "other", plain())
    share(tmp_path, folder=folder)
    (tmp_path / "alias").symlink_to("other")
    fault = refusal(including(tmp_path / "mine", include))
    assert (
        f"expected a file of no submission, got {include!r}, of the submission in {tmp_path / owner}"
        in fault.what
    )


def test_a_file_of_a_submission_that_holds_this_one(tmp_path):
    write(tmp_path / "outer", plain())
    share(tmp_path / "outer")
    fault = refusal(including(tmp_path / "outer" / "mine", "../common/shared.py"))
    assert f"of the submission in {tmp_path / 'outer'}" in fault.what


@pytest.mark.parametrize("folder", [".hidden", "common/.hidden", "common/__pycache__"])
def test_a_hidden_file(tmp_path, folder):
    share(tmp_path, folder=folder)
    fault = refusal(including(tmp_path / "mine", f"../{folder}/shared.py"))
    assert "expected a file in no hidden folder" in fault.what


@pytest.mark.parametrize(
    "own", ["shared.py", "Shared.py", "shared.so", "shared.abi3.so", "shared.pyc", "shared/x"]
)
def test_what_lies_in_the_folder_and_would_be_imported_by_its_name(tmp_path, own):
    share(tmp_path)
    folder = including(tmp_path / "mine", "../common/shared.py")
    (folder / own).parent.mkdir(exist_ok=True)
    (folder / own).touch()
    fault = refusal(folder)
    beside = own.partition("/")[0]
    assert f"got '../common/shared.py' beside {beside}" in fault.what
    assert fault.help == "rename one of them"


def test_the_entry_cannot_be_included(tmp_path):
    share(tmp_path, "submission.py")
    assert "beside submission.py" in refusal(including(tmp_path / "mine", "../common/submission.py")).what


@pytest.mark.parametrize("own", ["shared.txt", "shared", "other.py", "deep/shared.py"])
def test_a_file_of_another_name_is_in_nobodys_way(tmp_path, own):
    share(tmp_path)
    folder = including(tmp_path / "mine", "../common/shared.py")
    (folder / own).parent.mkdir(exist_ok=True)
    (folder / own).touch()
    assert found(folder).include


def test_a_folder_of_shared_files_is_no_submission(tmp_path, monkeypatch):
    share(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ManifestError, match=r"there is no submission\.toml in it"):
        find_submission("common")


def test_a_file_is_as_large_as_it_is_with_lf(tmp_path):
    shared = share(tmp_path)
    folder = including(tmp_path / "mine", "../common/shared.py")
    shared.write_bytes(b"\r\n" * LARGEST)
    assert found(folder).include == (shared,)
    shared.write_bytes(b"\r\n" * LARGEST + b"\n")
    with pytest.raises(ManifestError, match="expected at most 1,048,576 bytes"):
        found(folder)
