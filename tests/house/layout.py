"""Where the repository's folders are mounted, as the pyproject.toml files say it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

# The folder of each distribution: plugrad's, and those of the plugins that are one.
PROJECTS = [
    ROOT,
    *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml")),
]
BESIDE = ("pyproject.toml", "LICENSE")  # what a distribution has beside its package


def settings(project: Path) -> dict[str, Any]:
    """What the pyproject.toml of a distribution says."""
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))


# Folder to the name it is imported by, e.g. "nn" to "plugrad.nn".
MOUNTS = {
    (project / folder).relative_to(ROOT).as_posix(): name
    for project in PROJECTS
    for name, folder in settings(project)["tool"]["setuptools"]["package-dir"].items()
}


def module_name(path: Path) -> str:
    """The name under which a file of a mounted folder is imported."""
    for folder, name in sorted(MOUNTS.items(), reverse=True):  # the inner one first
        if path.is_relative_to(ROOT / folder):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            return ".".join([name, *(part for part in parts if part != "__init__")])
    raise ValueError(f"{path} is in none of the mounted folders {list(MOUNTS)}")


def files(folder: str) -> Iterator[Path]:
    """The files in a folder, without what tools have made there."""
    for path in sorted((ROOT / folder).rglob("*")):
        parts = path.relative_to(ROOT).parts
        made = {"build", "__pycache__"} & set(parts)
        if path.is_file() and not made and ".egg-info" not in "/".join(parts):
            yield path


def sources(*folders: str) -> list[Path]:
    """The Python files of the folders, stubs too; some folders lie in others."""
    found = {path for folder in folders for path in files(folder)}
    return sorted(path for path in found if path.suffix in (".py", ".pyi"))
