"""The two rules that keep the house, and proof that each check can fail."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.house.imports import core_breaches, own_package, plugin_breaches
from tests.house.layout import ROOT, module_name, sources

PLUGIN_FOLDERS = ("backends", "nn", "optim", "plugins")

LEFT_OUT = [
    "numpy",
    "cupy",
    "scipy",
    "pluggy",
    "inspect",
    "importlib.metadata",
    "dataclasses",
    "plugrad.nn",
    "plugrad.optim",
    "plugrad.backends",
    "plugrad.plugins",
    "plugrad.conformance",
]


def name_of(path) -> str:
    return str(path.relative_to(ROOT))


def loaded_by(statement: str) -> list[str]:
    """Which of LEFT_OUT a new interpreter holds after the statement."""
    code = f"import sys; {statement}; print(*set({LEFT_OUT}) & sys.modules.keys())"
    run = [sys.executable, "-I", "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return sorted(done.stdout.split())


# ---- Core knows no plugin and no array library.


def test_import_plugrad_loads_no_plugin_and_no_array_library():
    assert loaded_by("pass") == [], "this Python loads them before any import"
    assert loaded_by("import plugrad") == []


def test_the_check_on_what_is_loaded_can_fail():
    found = loaded_by("import plugrad, dataclasses, plugrad.optim")
    assert {"dataclasses", "inspect", "plugrad.optim"} <= set(found)


@pytest.mark.parametrize("path", sources("core"), ids=name_of)
def test_core_imports_only_the_standard_library(path):
    module, is_package = module_name(path), path.stem == "__init__"
    breaches = core_breaches(path.read_text(), module, is_package)
    assert not breaches, "\n".join(breaches)


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np",
        "def f():\n    import numpy",
        "from scipy.sparse import coo_array",
        "if TYPE_CHECKING:\n    import cupy",
        "import os, array_api_compat.numpy",
        "import plugrad.nn",
        "from plugrad import optim",
        "from plugrad.backends.numpy import thing",
        "from .. import nn",
        "from ..plugins import data",
        "def f():\n    from ..utils.data import DataLoader",
        "import importlib; importlib.import_module('numpy')",
        "__import__('plugrad.nn')",
    ],
)
def test_the_check_on_core_can_fail(source):
    assert len(core_breaches(source, "plugrad.ops.math")) == 1


def test_the_check_on_core_allows_what_core_needs():
    source = (
        "from __future__ import annotations\n"
        "import math, importlib\n"
        "from collections.abc import Callable\n"
        "from . import shapes\n"
        "from ..tensor import _make\n"
        "import plugrad.nnx\n"
        "def f(name):\n"
        "    from pluggy import PluginManager\n"
        "    return importlib.import_module(f'plugrad.{name}')\n"
    )
    assert core_breaches(source, "plugrad.ops.math") == []


def test_relative_imports_are_resolved_from_a_package_too():
    assert core_breaches("from . import nn", "plugrad", is_package=True)
    assert not core_breaches("from . import nn", "plugrad.ops", is_package=True)
    assert core_breaches("from .. import nn", "plugrad.ops", is_package=True)


# ---- A plugin of ours has no back door.


@pytest.mark.parametrize("path", sources(*PLUGIN_FOLDERS), ids=name_of)
def test_a_plugin_takes_only_what_is_public(path):
    module, is_package = module_name(path), path.stem == "__init__"
    siblings = [
        other.read_text()
        for other in sources(*PLUGIN_FOLDERS)
        if own_package(module_name(other)) == own_package(module)
    ]
    breaches = plugin_breaches(path.read_text(), module, is_package, siblings)
    assert not breaches, "\n".join(breaches)


@pytest.mark.parametrize(
    "source",
    [
        "from plugrad import _engine",
        "from plugrad import NoSuchName",
        "from plugrad import *",
        "from plugrad._tensor import Tensor",
        "import plugrad._tensor",
        "from plugrad.ops._stubs import build",
        "from ...tensor import Tensor",
        "from .. import cupy",
        "from ..cupy import kernels",
        "def f():\n    from plugrad._tensor import Tensor",
        "import importlib; importlib.import_module('plugrad._tensor')",
        "import plugrad\nplugrad._engine.run()",
        "def f(x):\n    return x._node",
        "import cupy",
        "def f():\n    import torch",
    ],
)
def test_the_check_on_plugins_can_fail(source):
    assert len(plugin_breaches(source, "plugrad.backends.numpy.kernels")) == 1


def test_the_check_on_plugins_allows_what_a_plugin_needs():
    source = (
        "import math\n"
        "import numpy as np\n"
        "import ml_dtypes\n"
        "from array_api_compat import numpy as xp\n"
        "import plugrad\n"
        "from . import _random\n"
        "from ._conv import _columns\n"
        "from plugrad.backends.numpy._conv import _pad\n"
        "class Generator:\n"
        "    def __init__(self):\n"
        "        self._state = self._other\n"
        "    def __eq__(self, other):\n"
        "        return self._state == other._state\n"
        "plugrad.__version__\n"
        "np.float64.__name__\n"
    )
    assert plugin_breaches(source, "plugrad.backends.numpy.kernels") == []


def test_each_plugin_has_its_own_library_only():
    assert plugin_breaches("import numpy", "plugrad.nn.functional")
    assert plugin_breaches("import numpy", "plugrad.optim")
    assert plugin_breaches("import numpy", "plugrad.backends.cupy")
    assert plugin_breaches("import ml_dtypes", "plugrad.backends.cupy")
    assert not plugin_breaches("import cupy", "plugrad.backends.cupy")
    assert not plugin_breaches("import array_api_compat", "plugrad.backends.dask")
    assert not plugin_breaches("from . import init", "plugrad.nn.linear")
    assert plugin_breaches("from .. import optim", "plugrad.nn.linear")
