"""What a source file imports, and whether the house allows it.

- `core_breaches` says where a file of core/ imports, or names to the import
  machinery, anything but the standard library, pluggy, and plugrad itself without its
  plugins. (That `import plugrad` does not load pluggy shows only when it runs.)
- `plugin_breaches` says where a file of a plugin takes from plugrad what plugrad does
  not make public, or imports a library that is not its own.

Both work on the text of a file and the name it is imported by, and run nothing of it.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

PLUGIN_PACKAGES = tuple(
    f"plugrad.{name}"
    for name in (
        "backends",
        "conformance",
        "cuda",
        "nn",
        "optim",
        "plugins",
        "utils.data",
    )
)

# What a plugin may import beside plugrad, the standard library and a library of its
# own name.
LIBRARIES = {
    "plugrad.backends": {"array_api_compat"},
    "plugrad.backends.numpy": {"ml_dtypes"},
    "plugrad.backends.cupy": {"cupyx"},
    "plugrad.backends.jax": {"jaxlib", "ml_dtypes", "numpy"},
    "plugrad.backends.sparse": {"scipy", "cupyx", "numpy"},
    "plugrad.backends.sparse_cupy": {"cupy"},
    "plugrad.backends.torch": {"numpy"},
    "plugrad.backends.dask": {"numpy"},
    "plugrad.plugins.cuda": {"cupy"},
    "plugrad.plugins.mkl": {"numpy"},
    "plugrad.plugins.numba": {"numpy"},
    "plugrad.plugins.onednn": {"numpy"},
    "plugrad.plugins.scipy": {"numpy"},
    "plugrad.plugins.vision": {"PIL", "numpy"},
}


@dataclass(frozen=True)
class Import:
    """One name taken from a module; `name` is None for `import module`."""

    module: str
    name: str | None
    line: int
    relative: bool = False

    def __str__(self) -> str:
        taken = f"import {self.module}"
        if self.name is not None:
            taken = f"from {self.module} import {self.name}"
        return f"line {self.line}: {taken}"


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def private(dotted: str) -> bool:
    return any(
        part.startswith("_") and not part.endswith("__") for part in dotted.split(".")
    )


def imports(tree: ast.AST, module: str, is_package: bool) -> Iterator[Import]:
    """Every import, relative ones made absolute, and import_module("constant")."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, None, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                up = module.split(".")
                up = up[: len(up) - node.level + is_package]
                source = ".".join(up + ([node.module] if node.module else []))
            for alias in node.names:
                yield Import(source, alias.name, node.lineno, bool(node.level))
        elif isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", None))
            first = node.args[0] if node.args else None
            if called in ("import_module", "__import__") and isinstance(
                getattr(first, "value", None), str
            ):
                yield Import(first.value, None, node.lineno)


def core_breaches(source: str, module: str, is_package: bool = False) -> list[str]:
    breaches = []
    for found in imports(ast.parse(source), module, is_package):
        top = found.module.partition(".")[0]
        if top == "plugrad":
            target = f"{found.module}.{found.name}"
            if any(within(target, package) for package in PLUGIN_PACKAGES):
                breaches.append(f"{found}: core names a plugin")
        elif top != "pluggy" and top not in sys.stdlib_module_names:
            breaches.append(f"{found}: not in the standard library")
    return breaches


def own_package(module: str) -> str:
    """plugrad.nn for all of nn, but plugrad.backends.numpy for a single backend."""
    depth = 3 if module.startswith(("plugrad.backends.", "plugrad.plugins.")) else 2
    return ".".join(module.split(".")[:depth])


def why_not_public(found: Import) -> str | None:
    """Why plugrad does not make this public; None if it does."""
    if private(found.module):
        return f"{found.module} is private"
    if found.name is None:
        return None
    if found.name == "*":
        return "a star takes what nobody named"
    if private(found.name):
        return f"{found.name} is private"
    public = getattr(importlib.import_module(found.module), "__all__", None)
    if public is None:
        return f"{found.module} has no __all__"
    if found.name not in public:
        return f"{found.name} is not in {found.module}.__all__"
    return None


def import_breach(found: Import, own: str) -> str | None:
    top = found.module.partition(".")[0]
    if found.relative and not within(found.module, own):
        return "a relative import leaves the package"
    if within(found.module, own):
        return None
    if top == "plugrad":
        return why_not_public(found)
    allowed = LIBRARIES.get(own, set()) | LIBRARIES.get(own.rpartition(".")[0], set())
    if own.count(".") == 2:
        allowed = allowed | {own.rpartition(".")[2]}
    if top in sys.stdlib_module_names or top in allowed:
        return None
    return f"{top} is not the library of {own}"


def defined_names(sources: Iterable[str]) -> set[str]:
    """Names that a package gives to its own functions, classes and attributes."""
    names = set()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                if isinstance(node.value, ast.Name) and node.value.id == "self":
                    names.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.add(node.value)  # __slots__, setattr
    return names


def attribute_breaches(tree: ast.AST, own_names: set[str]) -> Iterator[str]:
    """Private attributes of things that belong to somebody else, e.g. `x._node`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or not private(node.attr):
            continue
        mine = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
        if not mine and node.attr not in own_names:
            yield f"line {node.lineno}: {ast.unparse(node)} is private to its owner"


def plugin_breaches(
    source: str,
    module: str,
    is_package: bool = False,
    siblings: Iterable[str] = (),
) -> list[str]:
    """`siblings` are the texts of the other files of the same package."""
    tree = ast.parse(source)
    own = own_package(module)
    breaches = []
    for found in imports(tree, module, is_package):
        reason = import_breach(found, own)
        if reason is not None:
            breaches.append(f"{found}: {reason}")
    breaches += attribute_breaches(tree, defined_names([source, *siblings]))
    return breaches
