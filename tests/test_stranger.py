"""A stranger's backend: a package of its own, around arrays that plugrad has not seen.

- The example is what `plugrad new-backend mybackend` writes, and it is short and has no
  back door.
- Wheels of plugrad, of the example and of another skeleton are installed together into
  a fresh environment. There, in a folder that has nothing to do with either, they pass
  their own tests and a sample of the conformance suite.
"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

import plugrad
from plugrad.command.skeleton import new_backend, package
from tests.environments import Environment
from tests.house.imports import imports, private, why_not_public, within
from tests.house.layout import ROOT
from tests.house.wheels import build, plugrad_sources

EXAMPLE = ROOT / "examples" / "plugrad-mybackend"
GUIDE = ROOT / "docs" / "write-a-backend.md"
LIMIT = 150  # lines of Python, tests too, without blank lines and docstrings
NAMES = "mybackend", "tiny"
SAMPLES = {"mybackend": "0.04", "tiny": "0.01"}  # of the suite; whole it takes minutes
SEED = "1"


# --- The text -----------------------------------------------------------------------


def texts() -> dict[str, str]:
    """The Python files of the example."""
    return {name: text for name, text in package(NAMES[0]).items() if ".py" in name}


def lines_of_code(text: str) -> int:
    """Lines that are neither blank nor in a docstring."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    numbers = {n for n, line in enumerate(text.splitlines(), 1) if line.strip()}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            string = node.body[0]
            numbers -= set(range(string.lineno, (string.end_lineno or 0) + 1))
    return len(numbers)


def breaches(text: str) -> list[str]:
    """What a file takes from plugrad that is not public, or that is a backend's."""
    tree, found = ast.parse(text), []
    for each in imports(tree, "plugrad_mybackend.any", is_package=False):
        if not within(each.module, "plugrad"):
            continue
        taken = f"{each.module}.{each.name}"
        if within(taken, "plugrad.backends") or why_not_public(each) is not None:
            found.append(str(each))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and private(node.attr):
            if node.attr != "_memory":
                found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


def test_the_example_is_what_the_skeleton_writes():
    files = {
        path.relative_to(EXAMPLE).as_posix(): path.read_text(encoding="utf-8")
        for path in EXAMPLE.rglob("*")
        if path.is_file() and path.suffix in (".py", ".toml", ".md")
    }
    assert files == package(NAMES[0]), "change templates and example together"


def test_the_example_is_short():
    assert sum(map(lines_of_code, texts().values())) <= LIMIT


def test_lines_of_code_are_counted_without_docstrings_and_blank_lines():
    assert lines_of_code('"""A\n\nB."""\n\nx = 1\n# why\ndef f():\n    "D."\n') == 3
    assert lines_of_code('x = """\nnot a docstring\n"""\n') == 3


@pytest.mark.parametrize("name", texts())
def test_the_example_has_no_back_door(name):
    assert breaches(texts()[name]) == []


@pytest.mark.parametrize(
    "text",
    [
        "from plugrad.backends.numpy import NumpyBackend",
        "from plugrad.backends import numpy",
        "import plugrad.backends.numpy",
        "from plugrad.interface import OPS",
        "import plugrad\nplugrad.zeros(2)._a",
    ],
)
def test_the_check_on_back_doors_can_fail(text):
    assert len(breaches(text)) == 1


# --- The skeleton writer ------------------------------------------------------------


def test_it_writes_the_package_and_says_what_is_next(tmp_path, capsys):
    path = new_backend("tiny", tmp_path / "some" / "where")
    assert path == tmp_path / "some" / "where" / "plugrad-tiny"
    for name, text in package("tiny").items():
        assert (path / name).read_text(encoding="utf-8") == text
        assert "mybackend" not in text and "$" not in text
    said = capsys.readouterr().out
    assert f"cd {path}" in said and "--plugrad-backend=tiny" in said
    project = tomllib.loads((path / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["entry-points"]["plugrad"] == {"tiny": "plugrad_tiny"}


def test_it_writes_over_nothing(tmp_path):
    (tmp_path / "plugrad-tiny").mkdir()
    with pytest.raises(plugrad.BackendError, match="exists"):
        new_backend("tiny", tmp_path)
    assert list(tmp_path.rglob("*")) == [tmp_path / "plugrad-tiny"]


@pytest.mark.parametrize("name", ["", "My", "my-backend", "1st", "a.b", "../a", "é"])
def test_a_name_has_to_be_a_part_of_module_names(name, tmp_path):
    with pytest.raises(plugrad.BackendError, match="called"):
        new_backend(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_name_of_plugrads_own_is_taken(tmp_path):
    with pytest.raises(plugrad.BackendError, match="numpy"):
        new_backend("numpy", tmp_path)


# --- Installed ----------------------------------------------------------------------


class Installed(Environment):
    """An environment with three wheels."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.packages = {name: new_backend(name, folder) for name in NAMES}
        sources = plugrad_sources(folder / "plugrad")
        wheels = build(folder / "dist", sources, *self.packages.values())
        self.install(*map(str, wheels))

    def pytest(self, *args: str) -> str:
        return self.run(
            self.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *args
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    return Installed(tmp_path_factory.mktemp("stranger"))


def test_only_the_wheels_are_there(installed):
    found = installed.say(
        "import plugrad, plugrad_mybackend, plugrad_tiny\n"
        "print(plugrad.__file__, plugrad_mybackend.__file__, plugrad_tiny.__file__)"
    )
    assert found.count(str(installed.place)) == 3, found


@pytest.mark.parametrize("name", NAMES)
def test_plugrad_finds_it_by_its_entry_point(installed, name):
    code = f"""
import sys, numpy, plugrad
x = plugrad.ones(2, 3)
assert "plugrad_{name}" not in sys.modules
y = x.to(backend="{name}")
k = plugrad.get_backend("{name}")
assert not issubclass(k.array_type, numpy.ndarray)
assert k.array_type.__module__ == "plugrad_{name}.arrays"
print(y.backend, (y + 1).sum().item())
"""
    assert installed.say(code) == f"{name} 12.0"


@pytest.mark.parametrize("name", NAMES)
def test_it_passes_its_own_tests(installed, name):
    assert "3 passed" in installed.pytest(str(installed.packages[name] / "tests"))


@pytest.mark.parametrize("name", NAMES)
def test_it_passes_the_suite(installed, name):
    said = installed.pytest(
        *("--pyargs", "plugrad.conformance", f"--plugrad-backend={name}"),
        *(f"--plugrad-sample={SAMPLES[name]}", f"--plugrad-seed={SEED}"),
    )
    assert " failed" not in said and " passed" in said, said


def test_the_guides_commands_work(installed):
    """`plugrad` and `pytest` in docs/write-a-backend.md; of the suite only a sample."""
    fences = re.findall(r"^```sh\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)
    commands = [line.split() for fence in fences for line in fence.splitlines()]
    assert ["pytest", "tests"] in commands
    for program, *args in commands:
        if program not in ("plugrad", "pytest"):
            continue
        if "--pyargs" in args:
            args += ["-p", "no:cacheprovider", "-q"]
            if not re.search("-(level|ops)=", " ".join(args)):
                args += ["--plugrad-sample=0.004"]
        if args == ["tests"]:
            args = [str(installed.packages["tiny"] / "tests"), "-q"]
        installed.run(installed.python, "-m", program, *args)
    for name, text in package("tiny").items():
        written = installed.folder / "plugrad-tiny" / name
        assert written.read_text(encoding="utf-8") == text
    assert (installed.folder / "report.json").exists()


def test_it_trains(installed):
    script = str(ROOT / "examples" / "train_anywhere.py")
    losses = [
        installed.run(installed.python, script, PLUGRAD_BACKEND=name).split()[-1]
        for name in (NAMES[0], "numpy")
    ]
    assert float(losses[0]) == pytest.approx(float(losses[1]), abs=1e-4)
