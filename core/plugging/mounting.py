"""Put what plugins bring into plugrad: new ops, and packages under plugrad's name.

- `declare_ops` makes the ops of a plugin functions of plugrad, `mount` a package the
  module `plugrad.NAME` or `plugrad.utils.NAME`. Neither replaces what plugrad has.
- `undone` takes back what a plugin declared before it failed.
- Two finders let `import plugrad.NAME` and `from plugrad.NAME.module import ...` work
  for such a package. Its modules are the same under both names: none is loaded twice.
- A third finds the packages that other distributions put into plugrad's folders.
"""

from __future__ import annotations

import sys
from os import environ

from ..errors import BackendError
from ..interface import OPS
from ..tensor import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType, TracebackType
    from typing import Any

    from ..declare import Op

PARENTS = ("plugrad", "plugrad.utils")  # what a package can be mounted in
mounted: dict[str, str] = {}  # the name under plugrad -> the package's own name


def declare_ops(functions: Any) -> None:
    """Make a plugin's ops functions of plugrad."""
    from ..samples import implies_samples

    plugrad = sys.modules["plugrad"]
    for function in functions or ():
        op: Op | None = getattr(function, "op", None)
        if op is None or OPS.get(op.name) is not op:
            raise BackendError(
                "its hook plugrad_ops must return functions that @plugrad.op made, "
                f"not {function!r}"
            )
        if op.make_samples is None and not implies_samples(op):
            raise BackendError(
                f"its op {op.name} has no samples, by which it is tested: declare them "
                f"with @{op.name}.samples"
            )
        if op.name in vars(plugrad):
            raise BackendError(f"its op {op.name}: there is a plugrad.{op.name}")
        setattr(plugrad, op.name, function)


class undone:
    """Takes back the ops that were declared inside, if an exception leaves it."""

    def __enter__(self) -> None:
        self.ops = set(OPS)
        self.owners = [Tensor, sys.modules["plugrad"]]
        self.names = [set(vars(owner)) for owner in self.owners]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            return
        gone = {name: OPS.pop(name) for name in OPS.keys() - self.ops}
        ours = {name + end for name in gone for end in ("", "_")}
        for owner, before in zip(self.owners, self.names):
            for name in (vars(owner).keys() - before) & ours:
                delattr(owner, name)


def mount(name: str, given: Any) -> None:
    """Make a package the module `plugrad.NAME`, or, if it is given as a dict, the
    module that its key says: `utils.NAME` stands for `plugrad.utils.NAME`."""
    for place, package in (given if isinstance(given, dict) else {name: given}).items():
        if place not in (name, f"utils.{name}"):
            raise BackendError(
                f"its hook plugrad_namespace gave a package for {place!r}; it can be "
                f"mounted as {name!r} or 'utils.{name}'"
            )
        if not isinstance(package, type(sys)):
            raise BackendError(
                f"its hook plugrad_namespace returned {package!r}, not a module"
            )
        mount_as(f"plugrad.{place}", package)


def mount_as(full: str, package: ModuleType) -> None:
    """Make a package the module of another name."""
    from importlib import import_module

    from .installed import locate

    above, _, last = full.rpartition(".")
    parent = import_module(above)
    taken = vars(parent).get(last, package) is not package
    # of plugrad.NAME, installed.py knows whether it is taken or may be replaced
    if taken or (above == PARENTS[1] and full not in mounted and locate(full)):
        raise BackendError(f"it cannot be mounted as {full}: that exists")
    sys.modules[full] = package
    setattr(parent, last, package)
    if package.__name__ != full:
        if not mounted:  # before the finder of files, which would load copies
            sys.meta_path.insert(0, Inside)
        mounted[full] = package.__name__


def find_packages() -> None:
    """Let `import plugrad.NAME` find the packages that plugins bring, those in
    `plugrad/plugins` wherever they lie, and keep to what PLUGRAD_PLUGINS says of
    plugrad's own."""
    if Mounts not in sys.meta_path:
        sys.meta_path += [Portions, Mounts]
        if environ.get("PLUGRAD_PLUGINS"):
            from . import discovery, installed  # noqa: F401  (what the guard asks)

            sys.meta_path.insert(0, Guard)


class Guard:
    """Keeps plugrad's own plugins from being imported where PLUGRAD_PLUGINS denies
    them, and gives another distribution's package in their place where it says so."""

    mounts = True

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        from . import installed

        place = next((p for p in installed.PLACES if name.startswith(p)), None)
        plugin = name.removeprefix(place or "")
        if place is None or "." in plugin:
            return None
        own = installed.conventional(plugin)
        if own is None or own.module != name:
            return None
        rules = installed.Rules()
        if installed.replacement(plugin, rules) is not None:
            specs = (Mounts.find_spec(f"{above}.{plugin}") for above in PARENTS)
            return next((spec for spec in specs if spec is not None), None)
        if rules.forbid(own):
            from .discovery import denied

            error = denied(own, rules)
            raise ImportError(str(error), name=name) from error
        return None


class Portions:
    """Finds a backend or plugin in the folder `plugrad/backends` or `plugrad/plugins`
    of any entry of `sys.path`.

    Wheels of several distributions lie in one folder; but a strict editable install
    makes a tree of links for each, and Python looks for the modules of a package in
    the one that has its `__init__.py`.
    """

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        above = name.rpartition(".")[0]
        if above not in ("plugrad.backends", "plugrad.plugins"):
            return None
        from importlib.machinery import PathFinder

        from .installed import portions

        spec = PathFinder.find_spec(name, portions(above))
        return spec if spec is not None and spec.origin is not None else None


class Mounts:
    """Asks the installed plugins for `plugrad.NAME` or `plugrad.utils.NAME`, once
    nothing else has found it."""

    mounts = True  # by which installed.py knows it

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        above, _, last = name.rpartition(".")
        if above not in PARENTS or last.startswith("_"):
            return None
        from .discovery import find_namespace

        try:
            package = find_namespace(last, name)
        except BackendError as error:
            raise ImportError(str(error), name=name) from error
        if package is None:
            return None
        # else the import system would take the package's own spec, and load it again
        sys.modules.pop(name, None)
        return alias(name, package.__name__)


class Inside:
    """Finds `plugrad.NAME.module` of the packages that are mounted."""

    mounts = True

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        for full, real in mounted.items():
            if name.startswith(full + "."):
                return alias(name, real + name.removeprefix(full))
        return None


def alias(name: str, real: str) -> ModuleSpec:
    """How the module `real` is imported under another name."""
    from importlib.machinery import ModuleSpec

    return ModuleSpec(name, Alias(real))  # type: ignore[arg-type]


class Alias:
    """Loads a module under a second name: it is the same module, and runs once."""

    def __init__(self, real: str) -> None:
        self.real = real

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        from importlib import import_module

        module = import_module(self.real)
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It has run already; the import system has just given it another spec."""
        module.__spec__ = self.spec
