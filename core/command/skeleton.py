"""Write the skeleton of a backend's package: `plugrad new-backend NAME`.

- The package works as it is written: it passes its tests and the conformance suite, so
  that whoever changes it starts from green.
- Its text stands in `templates/`, where `$name` is the backend's name; the example in
  the repository is what comes out for the name "mybackend".
- Nothing that exists is written over.
"""

from __future__ import annotations

from ..errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

# file of the package -> its template
FILES = {
    "README.md": "readme.txt",
    "pyproject.toml": "pyproject.txt",
    "plugrad_$name/__init__.py": "init.txt",
    "plugrad_$name/arrays.py": "arrays.txt",
    "plugrad_$name/backend.py": "backend.txt",
    "plugrad_$name/kernels.py": "kernels.txt",
    "tests/test_backend.py": "tests.txt",
}

NEXT = """\
wrote {path}; next:

  cd {path}
  pip install -e '.[test]'
  pytest tests
  pytest --pyargs plugrad.conformance --plugrad-backend={name}

README.md says what to change.
"""


def new_backend(name: str, folder: str | PathLike[str] = ".") -> Path:
    """Write the package `plugrad-NAME` into a folder, print what to do next, and return
    where it is."""
    from pathlib import Path

    check_name(name)
    path = Path(folder, f"plugrad-{name}")
    if path.exists():
        raise BackendError(
            f"{path} exists already; choose another name or folder, or remove it"
        )
    for file, text in package(name).items():
        target = path / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    print(NEXT.format(path=path, name=name), end="")
    return path


def package(name: str) -> dict[str, str]:
    """The text of each file of the package."""
    from pathlib import Path
    from string import Template

    templates = Path(__file__).with_name("templates")
    return {
        Template(file).substitute(name=name): Template(
            (templates / template).read_text(encoding="utf-8")
        ).substitute(name=name)
        for file, template in FILES.items()
    }


def check_name(name: str) -> None:
    """Raise unless a backend outside plugrad can have this name."""
    from importlib.util import find_spec
    from re import fullmatch

    if not fullmatch("[a-z][a-z0-9_]*", name):
        raise BackendError(
            f"a backend cannot be called {name!r}: its name is a part of module names, "
            "so it has small letters, digits and underscores, and a letter first"
        )
    if find_spec(f"plugrad.backends.{name}") is not None:
        raise BackendError(
            f"plugrad has a backend {name!r} itself; choose another name"
        )
