"""Build wheels without the network, each from a copy of its sources."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.house.layout import MOUNTS, PROJECTS, ROOT

SKIP = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")


def plugrad_sources(folder: Path) -> Path:
    """A copy of all that plugrad is built from, with the distributions of plugins in
    it; building leaves files beside them."""
    folder.mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in MOUNTS:
        shutil.copytree(ROOT / name, folder / name, ignore=SKIP, dirs_exist_ok=True)
    return folder


def projects(sources: Path) -> list[Path]:
    """The folder of each distribution in a copy: plugrad's first."""
    return [sources / project.relative_to(ROOT) for project in PROJECTS]


def build(into: Path, *folders: Path) -> list[Path]:
    """The wheels of the packages in some folders, which get files of the build."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--no-index", "--wheel-dir", str(into)]
    command += map(str, folders)
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return sorted(into.glob("*.whl"))
