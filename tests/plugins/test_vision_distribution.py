"""plugrad-vision, a distribution of its own: installed beside plugrad, and left out.

As wheels, and as editable packages, each of which is a tree of links. A stranger's
distribution does the same as plugrad-vision: it has a folder `plugrad/plugins`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import plugrad
from tests.core.hostile.distributions import answer
from tests.environments import Environment
from tests.house.wheels import build, plugrad_sources, projects

VERSION = plugrad.__version__
NEEDED = ("numpy", "pluggy", "array_api_compat")

STRANGER = """
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "strangers-commands"
version = "3.2"
dependencies = ["plugrad"]

[project.entry-points.plugrad]
shout = "plugrad.plugins.shout"

[tool.setuptools]
packages = ["plugrad.plugins.shout", "plugrad.plugins.whisper"]

[tool.distutils.editable_wheel]
mode = "strict"
"""

COMMAND = """
import plugrad
from .words import changed

def command(words):
    print(*map(changed, words))
    return 0

@plugrad.hookimpl
def plugrad_command(name):
    return command
"""


def stranger(folder: Path) -> Path:
    """The sources of a distribution with the commands `shout`, which has an entry
    point, and `whisper`, which has none."""
    for name, change in {"shout": "upper", "whisper": "lower"}.items():
        package = folder / "plugrad" / "plugins" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(COMMAND)
        (package / "words.py").write_text(f"changed = str.{change}\n")
    (folder / "pyproject.toml").write_text(STRANGER)
    return folder


@pytest.fixture(scope="module", params=["wheels", "editable"])
def installed(request, tmp_path_factory) -> Environment:
    """An environment with plugrad, plugrad-vision and the stranger's distribution."""
    folder = tmp_path_factory.mktemp(request.param)
    packages = projects(plugrad_sources(folder / "sources"))
    packages.append(stranger(folder / "stranger"))
    found = Environment(folder)
    if request.param == "wheels":
        found.install(*map(str, build(folder / "dist", *packages)))
    else:
        found.install(*(word for each in packages for word in ("-e", str(each))))
    return found


def command(place: Environment, *words: str) -> str:
    """What `plugrad WORDS` prints there, where every warning is an error."""
    return place.run(place.python, "-W", "error", "-m", "plugrad", *words)


def test_nothing_is_taken_from_here(installed):
    """Nor from the other environment, whose libraries are used."""
    code = """
import plugrad, plugrad.plugins.vision.train, plugrad.plugins.shout
print(plugrad.__file__, plugrad.plugins.vision.train.__file__)
print(plugrad.plugins.__file__, plugrad.plugins.shout.__file__)
"""
    for file in installed.say(code).split():
        assert Path(file).is_relative_to(installed.place.parent)


def test_they_are_listed_with_who_brought_them(installed):
    found = {p["name"]: p for p in json.loads(command(installed, "plugins", "--json"))}
    sources = {
        **dict.fromkeys(("vision", "train", "predict"), ("plugrad-vision", VERSION)),
        **dict.fromkeys(("nn", "numpy", "run"), ("plugrad", VERSION)),
        "shout": ("strangers-commands", "3.2"),
    }
    for name, source in sources.items():
        assert (found[name]["distribution"], found[name]["version"]) == source
        assert found[name]["status"] == "available", found[name]
    assert found["whisper"]["kinds"] == ["command"]
    assert "predict, run, shout, train, whisper" in sorted_commands(installed)


def sorted_commands(place: Environment) -> str:
    """The commands that the help names, in order."""
    said = " ".join(command(place, "--help").split())
    names = said.partition("each with its own --help: ")[2].split(", ")
    return ", ".join(sorted(names))


def test_it_trains_and_predicts(installed):
    words = ["--data", "digits", "--epochs", "1", "--out", "run", "--overwrite"]
    said = command(installed, "train", *words)
    assert "of the 355 test pictures are read rightly" in said
    answers = command(
        installed, "predict", "run/checkpoint.pt", "run/sample.png", "--json"
    )
    assert len(json.loads(answers)) == 1


def test_it_is_one_package_under_both_names(installed):
    code = """
import plugrad, plugrad.vision.io, plugrad.plugins.vision.io
assert plugrad.vision is plugrad.plugins.vision
assert plugrad.vision.io is plugrad.plugins.vision.io
print(len(plugrad.vision.datasets.Digits(train=False)))
"""
    assert installed.say(code) == "355"


def test_it_can_be_denied(installed):
    code = """
import plugrad
try:
    import plugrad.plugins.vision
except ImportError as error:
    print(error)
"""
    said = installed.run(installed.python, "-c", code, PLUGRAD_PLUGINS="-vision")
    assert f"from plugrad-vision {VERSION}) is denied" in said


def test_it_counts_as_plugrads_own(installed):
    """Where PLUGRAD_PLUGINS allows some plugins only, that is about others."""
    words = ("-m", "plugrad", "train", "--help")
    said = installed.run(installed.python, *words, PLUGRAD_PLUGINS="other")
    assert "usage: plugrad train" in said
    code = "import plugrad; print(plugrad.vision.__name__)"
    said = installed.run(installed.python, "-c", code, PLUGRAD_PLUGINS="other")
    assert said == "plugrad.plugins.vision\n"


@pytest.mark.parametrize(
    "words, said",
    [(("shout", "Hear", "me"), "HEAR ME\n"), (("whisper", "Hear", "me"), "hear me\n")],
)
def test_a_strangers_folder_is_found_too(installed, words, said):
    assert command(installed, *words) == said


def test_what_is_nobodys_stays_unknown(installed):
    (installed.folder / "plugrad" / "plugins" / "left").mkdir(parents=True)
    code = """
import plugrad
from plugrad.plugging.discovery import find
for name in ("left", "no_such_plugin"):
    assert find(name) is None
    try:
        __import__(f"plugrad.plugins.{name}")
    except ModuleNotFoundError as error:
        print(error.name)
"""
    said = installed.run(installed.python, "-c", code).split()
    assert said == ["plugrad.plugins.left", "plugrad.plugins.no_such_plugin"]


def test_a_folder_that_was_left_hides_nothing(installed):
    """As where plugins/train was, of which git leaves what Python has compiled."""
    code = "import plugrad.plugins; print(plugrad.plugins.__path__[0])"
    folder = Path(installed.say(code)) / "train"
    folder.mkdir()
    assert "usage: plugrad train" in command(installed, "train", "--help")
    folder.rmdir()


# ---- Without it.


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Path:
    """A folder with plugrad and what it needs, and nothing else."""
    folder = tmp_path_factory.mktemp("alone")
    [wheel] = build(folder / "dist", plugrad_sources(folder / "sources"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--target", folder / "site", wheel], check=True, timeout=300)
    for name in NEEDED:
        package = Path(import_module(name).__file__).parent
        (folder / "site" / name).symlink_to(package, target_is_directory=True)
    return folder / "site"


@pytest.mark.parametrize("name", ["train", "predict"])
def test_a_command_that_is_not_there_says_who_would_bring_it(name, alone, tmp_path):
    done = subprocess.run(
        [sys.executable, "-S", "-m", "plugrad", name],
        env={**os.environ, "PYTHONPATH": str(alone)}, cwd=tmp_path,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2 and not done.stdout
    start = f"plugrad {name}: unknown command {name!r}, which a plugin would bring"
    assert done.stderr.startswith(start)
    assert done.stderr.endswith("installed: run\n")


def test_torchvision_of_a_script_says_what_to_install():
    code = """
import json, sys
from plugrad.plugins import run

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name == "plugrad.plugins.vision":
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Hidden())
run.install()
try:
    import torchvision
except ModuleNotFoundError as error:
    print(json.dumps([error.name, str(error)]))
"""
    name, said = answer(code)
    assert name == "torchvision" and "pip install plugrad-vision" in said
