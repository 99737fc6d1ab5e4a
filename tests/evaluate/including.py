"""A submission that includes a module, and the same one with all of its files in its folder."""

from __future__ import annotations

import shutil

from evaluate.tiny import FIT, plain, write

SHARED = """\
import helper_beside_the_entry


def answer(params, x):
    return helper_beside_the_entry.SCALE * (x @ params["w"])
"""
PREDICT = "import shared\nreturn shared.answer(params, x)"  # at the last moment


def including(root, name="mine", *, predict=PREDICT, shared=SHARED, top="", include="../common/shared.py"):
    """Write a submission that includes a module, which imports one of the submission."""
    folder = write(root / name, plain(FIT, predict, top=top), more=f'include = ["{include}"]')
    (folder / "helper_beside_the_entry.py").write_text("SCALE = 2.0\n", encoding="utf-8")
    (root / "common").mkdir(exist_ok=True)
    (root / include.removeprefix("../")).write_text(shared, encoding="utf-8")
    return folder


def in_the_folder(root, name="whole", **options):
    """Write the same submission with all of its files in its folder."""
    folder = including(root, name, **options)
    (module,) = (root / "common").iterdir()
    shutil.move(module, folder / module.name)
    manifest = folder / "submission.toml"
    lines = manifest.read_text(encoding="utf-8").splitlines(keepends=True)
    manifest.write_text("".join(line for line in lines if "include" not in line), encoding="utf-8")
    return folder
