"""Run a program as Python runs it: sys.argv, sys.path[0], `__main__`.

The module `__main__` is made anew and stays, so that classes of the script can be
pickled, and processes that are spawned can import it.
"""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from types import CodeType, ModuleType
from typing import Any


class NotFound(Exception):
    """There is no such program; the text is for whoever typed its name."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


def run_text(text: str, words: Sequence[str]) -> None:
    """`python -c TEXT WORDS`."""
    enter("", ["-c", *words])
    execute(compile(text, "<string>", "exec"), {})


def run_file(path: str, words: Sequence[str]) -> None:
    """`python PATH WORDS`; a folder or an archive runs its `__main__`."""
    if os.path.isfile(path) and not is_archive(path):
        enter(os.path.dirname(os.path.realpath(path)), [path, *words])
        loader = SourceFileLoader("__main__", path)
        file = os.path.join(os.getcwd(), path)
        with open(path, "rb") as source:
            code = compile(source.read(), path, "exec", dont_inherit=True)
        execute(code, {"__file__": file, "__loader__": loader, "__cached__": None})
        return
    if not os.path.exists(path):
        raise NotFound(f"there is no file {path!r}", status=2)
    spec = PathFinder.find_spec("__main__", [path])
    if spec is None:
        raise NotFound(f"there is no __main__ module in {path!r}")
    enter(path, [path, *words])
    execute_spec(spec)


def run_module(name: str, words: Sequence[str]) -> None:
    """`python -m NAME WORDS`."""
    enter(os.getcwd(), ["-m", *words])
    spec = found(name)
    if spec.submodule_search_locations is not None:
        spec = found(f"{name}.__main__")
    sys.argv[0] = spec.origin or name
    execute_spec(spec)


def found(name: str) -> ModuleSpec:
    """How a module is imported."""
    try:
        spec = find_spec(name)
    except ModuleNotFoundError as error:
        raise NotFound(f"no module named {error.name!r}") from None
    if spec is None:
        raise NotFound(f"no module named {name!r}")
    return spec


def is_archive(path: str) -> bool:
    """Whether a file is a zip archive."""
    from zipfile import is_zipfile

    return is_zipfile(path)


def enter(folder: str, argv: list[str]) -> None:
    """Set what Python sets before it runs a program."""
    sys.argv[:] = argv
    if not sys.flags.safe_path:
        sys.path[0] = folder


def execute_spec(spec: ModuleSpec) -> None:
    """Run a module that was found as `__main__`."""
    loader: Any = spec.loader
    get = getattr(loader, "get_code", None)
    code = get(spec.name) if get is not None else None
    if code is None:
        raise NotFound(f"there is no Python code in {spec.name!r}")
    execute(
        code,
        {
            "__file__": spec.origin,
            "__loader__": loader,
            "__package__": spec.parent,
            "__spec__": spec,
            "__cached__": spec.cached,
        },
    )


def execute(code: CodeType, names: dict[str, Any]) -> None:
    """Run code as the module `__main__`."""
    main = ModuleType("__main__")
    main.__dict__.update({"__builtins__": builtins, "__annotations__": {}, **names})
    sys.modules["__main__"] = main
    sys.modules["__mp_main__"] = main  # as multiprocessing calls it in other processes
    exec(code, main.__dict__)
