"""The files of the repository: no paths of one machine, fragments well named."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.house.layout import ROOT

# A home or work folder at the root of a file system, e.g. of the machine of whoever
# wrote it. A path inside a longer path or address is not meant.
MACHINE_PATH = re.compile(r"(?<![\w.$})*-])/(?:home|root|work|Users)/\w")

GENERATED = {".git", ".venv", "build", "dist", "__pycache__", "plugrad.egg-info"}
GENERATED |= {"plugrad_vision.egg-info"}
GENERATED |= {".pytest_cache", ".ruff_cache", ".hypothesis"}

FRAGMENT = re.compile(r"[a-z0-9-]+\.(added|changed|fixed|removed|performance)\.md")


def tracked_files():
    """What git tracks or would add; without git, all that no tool has made."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        paths = [
            path
            for path in ROOT.rglob("*")
            if not GENERATED & set(path.relative_to(ROOT).parts)
        ]
    else:
        paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def machine_paths(text: str) -> list[str]:
    lines = enumerate(text.splitlines(), 1)
    return [f"line {n}: {line}" for n, line in lines if MACHINE_PATH.search(line)]


def test_no_file_names_a_folder_of_one_machine():
    files = tracked_files()
    assert ROOT / "pyproject.toml" in files
    found = {}
    for path in files:
        try:
            lines = machine_paths(path.read_text())
        except UnicodeDecodeError:
            continue
        if lines:
            found[str(path.relative_to(ROOT))] = lines
    assert found == {}


@pytest.mark.parametrize("folder", ["home", "root", "work", "Users"])
def test_the_check_on_paths_can_fail(folder):
    path = f"/{folder}/ann/plugrad"
    assert machine_paths(f"see {path}") and machine_paths(f'open("{path}")')
    assert machine_paths(f"x = 1\n{path}") == [f"line 2: {path}"]


def test_the_check_on_paths_allows_other_paths():
    for path in ("docs/work/x", "https://a.org/home/b", "./root/x"):
        assert not machine_paths(path)
    assert not machine_paths("usr/home, a/work/b, /tmp/x")


def test_changelog_fragments_are_named_by_topic_and_kind():
    fragments = {path.name for path in (ROOT / "changelog.d").iterdir()}
    fragments.remove("README.md")
    assert [name for name in fragments if not FRAGMENT.fullmatch(name)] == []
