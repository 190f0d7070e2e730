"""Where the repository's folders are mounted, as pyproject.toml says it."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]

# Folder to the name it is imported by, e.g. "nn" to "plugrad.nn".
MOUNTS = {folder: name for name, folder in SETUPTOOLS["package-dir"].items()}


def module_name(path: Path) -> str:
    """The name under which a file of a mounted folder is imported."""
    for folder, name in sorted(MOUNTS.items(), reverse=True):  # the inner one first
        if path.is_relative_to(ROOT / folder):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            return ".".join([name, *(part for part in parts if part != "__init__")])
    raise ValueError(f"{path} is in none of the mounted folders {list(MOUNTS)}")


def sources(*folders: str) -> list[Path]:
    """The Python files of the folders, stubs too; some folders lie in others."""
    return sorted(
        {
            path
            for folder in folders
            for suffix in ("py", "pyi")
            for path in (ROOT / folder).rglob(f"*.{suffix}")
        }
    )
