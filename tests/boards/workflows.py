"""Workflows of GitHub Actions, read strictly and run here: what a board's repository would do there."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Actions", "git", "read_yaml"]

_EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")
_PLAIN_START = re.compile(r"[A-Za-z0-9./_]")
_IDENTITY = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_NAME": "a test" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "test@example.org" for who in ("AUTHOR", "COMMITTER")},
}


def read_yaml(text):
    """Read the part of YAML that our workflows are written in; anything else is an error.

    Mappings and lists by indentation, ``|`` blocks, plain and double-quoted scalars, ``[a, b]``, ``{}``.
    """
    lines = [(len(line) - len(line.lstrip()), line.strip()) for line in text.splitlines()]
    assert "\t" not in text
    value, rest = _block([each for each in lines if not each[1].startswith("#")])
    assert not rest, rest
    return value


def _block(lines):
    lines = _skip(lines)
    indent, first = lines[0]
    if first.startswith("- "):
        return _list(lines, indent)
    found = {}
    while lines and lines[0][0] == indent and not lines[0][1].startswith("- "):
        key, colon, told = lines[0][1].partition(":")
        assert colon, lines[0]
        assert re.fullmatch(r"[A-Za-z_-]+", key), key
        assert key not in found, key
        found[key], lines = _value(told.strip(), lines[1:], indent)
        lines = _skip(lines)
    assert not lines or lines[0][0] < indent, lines[0]
    return found, lines


def _list(lines, indent):
    found = []
    while lines and lines[0][0] == indent and lines[0][1].startswith("- "):
        inner = [(indent + 2, lines[0][1][2:])]
        lines = lines[1:]
        while lines and (not lines[0][1] or lines[0][0] > indent):
            inner.append(lines[0])
            lines = lines[1:]
        value, rest = _block(inner)
        assert not _skip(rest), rest
        found.append(value)
        lines = _skip(lines)
    return found, lines


def _skip(lines):
    while lines and not lines[0][1]:
        lines = lines[1:]
    return lines


def _value(told, lines, indent):
    if told == "|":
        text = []
        while lines and (not lines[0][1] or lines[0][0] > indent):
            text.append(lines[0][1])
            lines = lines[1:]
        return "\n".join(text).strip() + "\n", lines
    if told:
        return _scalar(told), lines
    assert _skip(lines)[0][0] > indent, lines[0]
    return _block(lines)


def _scalar(told):
    if told == "{}":
        return {}
    if told.startswith("["):
        assert told.endswith("]")
        return [_scalar(part.strip()) for part in told[1:-1].split(",")]
    if told.startswith('"'):
        return json.loads(told)
    assert _PLAIN_START.match(told) or told.startswith("${{ "), told
    assert ": " not in told, told
    assert " #" not in told, told
    if told in {"true", "false"}:
        return told == "true"
    return int(told) if told.isdigit() else told


def git(folder, *arguments, **options):
    """Run git with an identity of its own and no settings of this machine; give what it prints."""
    ran = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **_IDENTITY},
        check=True,
        capture_output=True,
        timeout=60,
        **options,
    )
    return ran.stdout.decode().strip()


class Actions:
    """Runs jobs of workflows as GitHub would, on clones of a bare repository; records other programs."""

    def __init__(self, place: Path, origin: Path):
        self.place, self.origin = place, origin
        self.artifacts = place / "artifacts"
        self.calls = place / "calls.txt"
        self.programs = place / "bin"
        self.programs.mkdir(parents=True)
        record = f'printf "%s\\n" "$(basename "$0") $*" >> "{self.calls}"'
        self._program("pip", record)
        self._program("sudo", record)
        self._program("sparsebench", f'exec "{sys.executable}" -m sparsebench "$@"')
        # One pull request is open, number 7, whose commit is in a file: `gh pr list` selects it by that.
        self._program(
            "gh",
            f'{record}\ncase "$2" in\nsetup-git) test -n "$GH_TOKEN" ;;\n'
            f'list) test "$OWNER/$BRANCH $HEAD" = "them/pull $(cat "{place}/open-pull")" && echo 7 ;;\n'
            f'comment) test "$3" = 7 && cp "$5" "{place}/comment.md" ;;\nesac',
        )

    def _program(self, name, body):
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def run(self, workflow, job, facts):
        """Run all steps of a job in a fresh folder; give the folder.

        ``facts`` are the values of expressions, as ``github.event.pull_request.base.sha``; what a job and
        its steps put out is added. ``github.sha`` is what is checked out where nothing else is named.
        """
        folder = self.place / f"{job}-{sum(1 for _ in self.place.iterdir())}"
        told = workflow["jobs"][job]
        environment = self._filled(told.get("env", {}), facts)
        for step in told["steps"]:
            assert ("run" in step) != ("uses" in step)
            if "uses" in step:
                given = self._filled(step.get("with", {}), facts)
                self._use(step["uses"], given, folder, facts.get("github.sha", "main"))
            else:
                assert "${{" not in step["run"]
                more = self._filled(step.get("env", {}), facts)
                output = self.place / "output.txt"
                output.write_text("")
                self._shell(step["run"], folder, {**environment, **more, "GITHUB_OUTPUT": str(output)})
                for line in output.read_text().splitlines():
                    name, _, value = line.partition("=")
                    facts[f"steps.{step['id']}.outputs.{name}"] = value
        for name, value in self._filled(told.get("outputs", {}), facts).items():
            facts[f"needs.{job}.outputs.{name}"] = value
        return folder

    def _filled(self, values, facts):
        return {
            name: _EXPRESSION.sub(lambda found: facts[found[1]], str(value)) for name, value in values.items()
        }

    def _shell(self, command, folder, more):
        kept = {name: os.environ[name] for name in ("HOME", "PYTHONPATH", "LANG") if name in os.environ}
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        ran = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", command],
            cwd=folder,
            env={**kept, "PATH": path, "PYTHONPATH": os.pathsep.join(sys.path), **_IDENTITY, **more},
            check=False,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"

    def _use(self, name, given, folder, commit):
        action = name.partition("@")[0]
        if action == "actions/checkout":
            git(self.place, "clone", "-q", str(self.origin), str(folder))
            git(folder, "checkout", "-q", *([given["ref"]] if "ref" in given else ["-B", "main", commit]))
        elif action == "actions/upload-artifact":
            shutil.copytree(folder / given["path"], self.artifacts / given["name"], dirs_exist_ok=True)
        elif action == "actions/download-artifact":
            shutil.copytree(self.artifacts / given["name"], folder / given["path"], dirs_exist_ok=True)
            shutil.rmtree(self.artifacts / given["name"])
        elif action == "actions/upload-pages-artifact":
            shutil.copytree(folder / given["path"], self.place / "site", dirs_exist_ok=True)
        else:
            assert action in {"actions/setup-python", "actions/deploy-pages"}, action
