"""The wheels hold all of the packages, and plugrad's is small."""

from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path

import pytest

from tests.house.layout import (
    BESIDE,
    MOUNTS,
    PROJECTS,
    ROOT,
    files,
    module_name,
    settings,
    sources,
)
from tests.house.wheels import build, plugrad_sources, projects

PLUGRAD, *OTHERS = [settings(project)["project"]["name"] for project in PROJECTS]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> dict[str, Path]:
    """The wheel of each distribution, by its name."""
    folder = tmp_path_factory.mktemp("wheels")
    found = build(folder / "dist", *projects(plugrad_sources(folder / "sources")))
    return {path.name.partition("-")[0].replace("_", "-"): path for path in found}


@pytest.fixture
def wheel(wheels):
    return wheels[PLUGRAD]


def names_in(*wheels: Path) -> list[str]:
    return [name for wheel in wheels for name in zipfile.ZipFile(wheel).namelist()]


def missing_from(names: set[str]) -> list[str]:
    """Files of the mounted folders, except Markdown, that are not among the names."""
    missing = set()  # some folders lie in others
    for folder in MOUNTS:
        for path in files(folder):
            if path.suffix in (".pyc", ".md"):
                continue
            if path.parent in PROJECTS and path.name in BESIDE:
                continue
            package = module_name(path.parent / "__init__.py").replace(".", "/")
            if f"{package}/{path.name}" not in names:
                missing.add(str(path.relative_to(ROOT)))
    return sorted(missing)


def test_it_is_small(wheel):
    assert wheel.stat().st_size < 1_000_000


def test_what_comes_separately_is_small(wheels):
    assert OTHERS == ["plugrad-vision"]
    assert wheels["plugrad-vision"].stat().st_size < 200_000


def test_they_hold_every_file_of_the_packages(wheels):
    names = names_in(*wheels.values())
    assert missing_from(set(names)) == [], (
        "add their folders to `packages`, or their suffixes to `package-data`, "
        "in pyproject.toml"
    )
    assert "plugrad/py.typed" in names
    assert [name for name, times in Counter(names).items() if times > 1] == []


def test_the_check_on_files_can_fail(wheels):
    names = set(names_in(*wheels.values()))
    lost = {"plugrad/nn/__init__.py", "plugrad/plugins/vision/train/font.txt"}
    assert missing_from(names - lost) == [
        "nn/__init__.py", "plugins/vision/train/font.txt",
    ]  # fmt: skip


def test_each_has_the_licence_and_says_where_it_belongs(wheels):
    version = settings(ROOT)["project"]["version"]
    for name, wheel in wheels.items():
        info = f"{name.replace('-', '_')}-{version}.dist-info"
        said = zipfile.ZipFile(wheel).read(f"{info}/licenses/LICENSE")
        assert said == (ROOT / "LICENSE").read_bytes()
    for project in PROJECTS[1:]:
        about = settings(project)["project"]
        assert about["version"] == version
        assert f"plugrad=={version}" in about["dependencies"]


def test_no_two_files_have_one_name():
    """core/nn.py and nn/__init__.py would both be plugrad.nn; only one is found."""
    stems = {path.with_suffix("") for path in sources(*MOUNTS)}
    names = Counter(module_name(stem.with_suffix(".py")) for stem in stems)
    assert [name for name, times in names.items() if times > 1] == []


def test_they_hold_nothing_else(wheels):
    for name, allowed in {
        PLUGRAD: {"plugrad", "pytest_plugrad"},
        **dict.fromkeys(OTHERS, {"plugrad"}),
    }.items():
        tops = {each.partition("/")[0] for each in names_in(wheels[name])}
        assert {top for top in tops if not top.endswith(".dist-info")} == allowed
