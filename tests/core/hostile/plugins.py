"""The hostile plugins: for each its source, and what its use must say."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from .distributions import install

HOOK = """
import plugrad
@plugrad.hookimpl
def plugrad_backend(name):
"""

CLASS = """
import array_api_strict, plugrad
class Hostile(plugrad.Backend):
    name = {name!r}
    array_type = type(array_api_strict.zeros(()))
    namespace = array_api_strict
{more}
@plugrad.hookimpl
def plugrad_backend(name):
    return Hostile()
"""


def backend(name: str, more: str = "") -> str:
    """The source of a backend, with something more in its class."""
    return CLASS.format(name=name, more="".join(f"    {s}\n" for s in more.split("\n")))


class Hostile(NamedTuple):
    """A hostile plugin."""

    source: str | bytes | None
    cause: str  # the type of the exception behind the BackendError
    says: str  # what its text has in it
    entry: str | None = None
    use: str = "plugrad.get_backend({name!r})"


LOAD = "plugrad.load_plugin({name!r})"
KERNELS = "plugrad.use_kernels('numpy', {name!r})"
OWN = "BackendError"  # refused by plugrad itself, which says why

OPS = """
from __future__ import annotations
import plugrad
@plugrad.hookimpl
def plugrad_ops():
"""

HOSTILE = {
    # --- it cannot be imported
    "no_library": Hostile(
        "import no_such_library", "ModuleNotFoundError", "'no_such_library'"
    ),
    "import_error": Hostile(
        "raise ImportError('libblast.so: cannot open')", "ImportError", "libblast.so"
    ),
    "syntax_error": Hostile("def (", "SyntaxError", "SyntaxError"),
    "null_bytes": Hostile(b"x = 1\0", "SyntaxError|ValueError", "null bytes"),
    "wrong_bytes": Hostile(b"x = '\xff\xfe'", "SyntaxError", "SyntaxError"),
    "sys_exit": Hostile("import sys\nsys.exit(3)", "SystemExit", "sys.exit(3)"),
    "base_exception": Hostile(
        "class Stop(BaseException): pass\nraise Stop('halt')", "Stop", "Stop: halt"
    ),
    "no_memory": Hostile("raise MemoryError", "MemoryError", "MemoryError"),
    "recursion": Hostile("def f(): f()\nf()", "RecursionError", "recursion"),
    "unprintable": Hostile(
        "class E(Exception):\n def __str__(self): raise E\nraise E",
        "E",
        "cannot be shown",
    ),
    "vanishes": Hostile(
        "import sys\nsys.modules[__name__] = None\nraise KeyError('gone')",
        "KeyError",
        "gone",
    ),
    "no_module": Hostile(None, "ModuleNotFoundError", "No module named"),
    "no_attribute": Hostile(
        "", "AttributeError", "'nothing'", entry="no_attribute = {module}:nothing"
    ),
    "bad_value": Hostile("", "ModuleNotFoundError", "???", entry="bad_value = ???"),
    "empty_value": Hostile("", "ValueError", "Empty", entry="empty_value ="),
    "asks_for_itself": Hostile(
        "import plugrad\nplugrad.get_backend('asks_for_itself')",
        "BackendError",
        "asks for itself",
    ),
    "takes_numpy": Hostile(
        "import plugrad\nplugrad.register_backend('numpy', lambda: None)",
        "BackendError",
        "'numpy' is a name of plugrad's own",
    ),
    # --- it is no plugin, or one for another plugrad
    "empty": Hostile("", OWN, "none of the hooks"),
    "unmarked": Hostile(
        "def plugrad_backend(name): ...", OWN, "not marked with @plugrad.hookimpl"
    ),
    "unknown_hook": Hostile(
        "import plugrad\n@plugrad.hookimpl\ndef plugrad_bakend(name): ...",
        "PluginValidationError",
        "plugrad_bakend",
    ),
    "wrong_parameter": Hostile(
        "import plugrad\n@plugrad.hookimpl\ndef plugrad_backend(nom): ...",
        "PluginValidationError",
        "nom",
    ),
    "later_api": Hostile(
        "plugrad_api = 99" + HOOK + " ...", OWN, "version 99 of the plugin interface"
    ),
    "earlier_api": Hostile("plugrad_api = (-1, 0)" + HOOK + " ...", OWN, "-1 to 0"),
    "api_in_words": Hostile("plugrad_api = 'one'" + HOOK + " ...", OWN, "'one'"),
    "evil_getattr": Hostile(
        "def __getattr__(name): raise RuntimeError(name)", "RuntimeError", "plugrad_api"
    ),
    # --- its hook goes wrong
    "hook_raises": Hostile(
        HOOK + " raise RuntimeError('no driver')", "RuntimeError", "no driver"
    ),
    "hook_exits": Hostile(
        HOOK + " raise SystemExit('bye')", "SystemExit", "sys.exit(bye)"
    ),
    "gives_none": Hostile(HOOK + " return None", "None", "offers no backend"),
    "gives_number": Hostile(HOOK + " return 42", OWN, "returned a int"),
    "gives_class": Hostile(
        HOOK + " return type('B', (plugrad.Backend,), {})", OWN, "the class B"
    ),
    "no_array_type": Hostile(
        backend("no_array_type", "array_type = object"), OWN, "array_type"
    ),
    "array_type_text": Hostile(
        backend("array_type_text", "array_type = 'ndarray'"), OWN, "array_type"
    ),
    "no_namespace": Hostile(
        backend("no_namespace", "namespace = None"), OWN, "namespace"
    ),
    "other_name": Hostile(backend("numpy"), OWN, "calls itself 'numpy'"),
    "no_init": Hostile(
        backend("no_init", "def __init__(self): pass"), OWN, "super().__init__()"
    ),
    "init_raises": Hostile(
        backend("init_raises", "def __init__(self): raise OSError('no device')"),
        "OSError",
        "no device",
    ),
    # --- a name that it cannot have
    "cpu": Hostile(backend("cpu"), "None", "type of device"),
    "tensor": Hostile(backend("tensor"), "None", "a name of plugrad's own"),
    # --- other hooks
    "kernels_number": Hostile(
        "import plugrad\n@plugrad.hookimpl\ndef plugrad_kernels(name): return 1",
        OWN,
        "not plugrad.Overrides",
        use=KERNELS,
    ),
    "kernels_of_nothing": Hostile(
        "import plugrad\n@plugrad.hookimpl\n"
        "def plugrad_kernels(name): return plugrad.Overrides('k', backend='other')",
        "None",
        "but for 'other'",
        use=KERNELS,
    ),
    "ops_twice": Hostile(
        OPS + " @plugrad.op\n def add(k, a: Tensor): return a\n return [add]",
        "ValueError",
        "'add' is declared twice",
        use=LOAD,
    ),
    "ops_without_samples": Hostile(
        OPS + " @plugrad.op\n def strange(k, xs: Sequence[Tensor]): return xs[0]\n"
        " return [strange]",
        OWN,
        "strange has no samples",
        use=LOAD,
    ),
    "ops_shadow": Hostile(
        OPS + " @plugrad.op(method=False)\n def zeros(k, x: Tensor): return x\n"
        " return [zeros]",
        OWN,
        "there is a plugrad.zeros",
        use=LOAD,
    ),
    "ops_numbers": Hostile(OPS + " return [1]", OWN, "@plugrad.op", use=LOAD),
    "namespace_number": Hostile(
        "import plugrad\n@plugrad.hookimpl\ndef plugrad_namespace(name): return 1",
        OWN,
        "not a module",
        use=LOAD,
    ),
    "zeros": Hostile(
        "import sys, plugrad\n@plugrad.hookimpl\n"
        "def plugrad_namespace(name): return sys",
        OWN,
        "cannot be mounted as plugrad.zeros",
        use=LOAD,
    ),
}


def install_hostile(folder: Path, name: str) -> Path:
    """Install one of them."""
    return install(folder, name, HOSTILE[name].source, entry=HOSTILE[name].entry)
