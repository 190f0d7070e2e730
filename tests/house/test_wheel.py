"""The wheel holds all of the package and is small."""

from __future__ import annotations

import zipfile
from collections import Counter

import pytest

from tests.house.layout import MOUNTS, ROOT, module_name, sources
from tests.house.wheels import build, plugrad_sources

LIMIT = 1_000_000  # bytes, without the main job
MAIN_JOB = 150_000  # bytes: pictures, and the commands that train networks on them
MAIN_JOB_FOLDERS = tuple(
    f"plugrad/plugins/{name}/" for name in ("vision", "train", "predict")
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    [path] = build(folder / "dist", plugrad_sources(folder / "sources"))
    return path


def missing_from(names: set[str]) -> list[str]:
    """Files of the mounted folders, except Markdown, that are not among the names."""
    missing = []
    for folder in MOUNTS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_dir() or path.suffix in (".pyc", ".md"):
                continue
            package = module_name(path.parent / "__init__.py").replace(".", "/")
            if f"{package}/{path.name}" not in names:
                missing.append(str(path.relative_to(ROOT)))
    return sorted(set(missing))  # some folders lie in others


def test_it_is_small(wheel):
    """The framework, and what it brings to try it with, each in its bounds."""
    parts = zipfile.ZipFile(wheel).infolist()
    job = sum(p.compress_size for p in parts if p.filename.startswith(MAIN_JOB_FOLDERS))
    assert 0 < job < MAIN_JOB
    assert wheel.stat().st_size - job < LIMIT


def test_it_holds_every_file_of_the_package(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert missing_from(names) == [], (
        "add their folders to `packages`, or their suffixes to `package-data`, "
        "in pyproject.toml"
    )
    assert "plugrad/py.typed" in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_check_on_files_can_fail(wheel):
    names = set(zipfile.ZipFile(wheel).namelist()) - {"plugrad/nn/__init__.py"}
    assert missing_from(names) == ["nn/__init__.py"]


def test_no_two_files_have_one_name():
    """core/nn.py and nn/__init__.py would both be plugrad.nn; only one is found."""
    stems = {path.with_suffix("") for path in sources(*MOUNTS)}
    names = Counter(module_name(stem.with_suffix(".py")) for stem in stems)
    assert [name for name, times in names.items() if times > 1] == []


def test_it_holds_nothing_else(wheel):
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    found = {top for top in tops if not top.endswith(".dist-info")}
    assert found == {"plugrad", "pytest_plugrad"}
