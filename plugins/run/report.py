"""Say which names of torch a program uses, and which of them plugrad lacks.

The program's files are read, not watched: a name counts if it is written there, also in
a branch that this run did not take. They are the script itself and every module that
was imported from its folder.
"""

from __future__ import annotations

import ast
import atexit
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from .absent import Absent

ROOTS = ("torch", "torchvision")


def report_at_exit() -> None:
    """Print the report when the program has ended, to where its errors go."""
    atexit.register(lambda: print(report(own_files()), file=sys.stderr))


def report(paths: list[str]) -> str:
    """The report on some files, in lines."""
    used: set[str] = set()
    for path in paths:
        with open(path, "rb") as file:
            used |= names(ast.parse(file.read()))
    lacking = sorted(name for name in used if not is_there(name))
    lines = [f"plugrad run: {len(used)} names of torch in {len(paths)} files"]
    lines += [f"  {name}" for name in sorted(used - set(lacking))]
    lines.append(f"plugrad run: {len(lacking)} of them plugrad lacks")
    lines += [f"  {name}" for name in lacking]
    return "\n".join(lines)


def own_files() -> list[str]:
    """The files of the program: of `__main__`, and of what lies beside or below it."""
    main = getattr(sys.modules["__main__"], "__file__", None)
    if main is None:
        return []
    main = os.path.realpath(main)
    folder = os.path.dirname(main) + os.sep
    found = {main}
    for module in list(sys.modules.values()):
        file = os.path.realpath(getattr(module, "__file__", None) or "")
        if file.startswith(folder) and file.endswith(".py"):
            if f"{os.sep}site-packages{os.sep}" not in file.removeprefix(folder):
                found.add(file)
    return sorted(found)


def names(tree: ast.AST) -> set[str]:
    """The names of torch that a file mentions, whole: torch.nn.functional.relu."""
    known: dict[str, str] = {}  # a name in the file -> what it means
    used: set[str] = set()
    for node in ast.walk(tree):
        for name, meaning in imported(node):
            used.add(meaning)
            known[name] = meaning
    for node in ast.walk(tree):
        meaning = resolved(node, known)
        if meaning is not None:
            used.add(meaning)
    # of torch.nn.Linear, not torch and torch.nn, too
    inner = {name.rpartition(".")[0] for name in used}
    inner |= {name.rpartition(".")[0] for name in inner}
    return {name for name in used - inner if name not in ROOTS}


def imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """What an import statement binds: names and their meanings."""
    if isinstance(node, ast.Import):
        for each in node.names:
            if each.name.partition(".")[0] in ROOTS:
                root = each.name.partition(".")[0]
                yield (each.asname, each.name) if each.asname else (root, root)
    elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
        if node.module.partition(".")[0] in ROOTS:
            for each in node.names:
                if each.name != "*":
                    yield each.asname or each.name, f"{node.module}.{each.name}"


def resolved(node: ast.AST, known: dict[str, str]) -> str | None:
    """The whole name that an attribute such as `nn.Linear` stands for."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not parts or not isinstance(node, ast.Name) or node.id not in known:
        return None
    return ".".join([known[node.id], *reversed(parts)])


def is_there(name: str) -> bool:
    """Whether plugrad has what a whole name of torch stands for."""
    root, *rest = name.split(".")
    path = root
    try:
        found: Any = import_module(root)
        for part in rest:
            path = f"{path}.{part}"
            found = attribute(found, part, path)
    except (AttributeError, ImportError):
        return False
    return not isinstance(found, Absent)


def attribute(owner: Any, name: str, path: str) -> Any:
    """An attribute, or a module that was not imported yet."""
    try:
        return getattr(owner, name)
    except AttributeError:
        return import_module(path)
