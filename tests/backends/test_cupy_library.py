"""The fake CuPy has no name that the real one lacks; this needs CuPy, but no GPU."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

if importlib.util.find_spec("cupy") is None:
    pytest.skip("CuPy is not installed", allow_module_level=True)

import numpy as np

from plugrad.backends.cupy.pointwise import UFUNCS
from tests.backends import fake_cupy

cupy = pytest.importorskip("cupy", exc_type=ImportError)
ROOT = Path(__file__).parents[2]


def names_after(*starts):
    """The attributes of `cp`, `cupyx` and so on that our files use."""
    files = [*(ROOT / "backends/cupy").glob("*.py"), *(ROOT / "cuda").glob("*.py")]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                text = ast.unparse(node).removeprefix("self.")
                owner, _, rest = text.partition(".")
                if owner in starts and rest and "(" not in rest and "[" not in rest:
                    yield owner, rest


def has(module, dotted):
    for part in dotted.split("."):
        if not hasattr(module, part):
            return isinstance(module, type(cupy.dtype("f4")))
        module = getattr(module, part)
    return True


def test_the_names_used_are_cupys():
    import cupyx
    from cupy import cuda

    owners = {"cp": cupy, "cupy": cupy, "cupyx": cupyx, "cuda": cuda}
    used = sorted(set(names_after(*owners)))
    assert len(used) > 40
    missing = [".".join(each) for each in used if not has(owners[each[0]], each[1])]
    assert not missing


def test_the_ufuncs_are_cupys():
    assert all(isinstance(getattr(cupy, name), cupy.ufunc) for name in UFUNCS.values())


def test_the_fake_lacks_what_cupy_lacks():
    offered = {name for name in dir(np) if not name.startswith("_")}
    assert {
        name for name in offered if not hasattr(cupy, name)
    } <= fake_cupy.NOT_IN_CUPY


def test_the_arrays_of_the_fake_have_no_method_of_their_own():
    ours = {name for name in vars(fake_cupy.ndarray) if not name.startswith("_")}
    ours -= {"host", "set_up"}
    assert {name for name in ours if not hasattr(cupy.ndarray, name)} == set()


@pytest.mark.parametrize(
    "kind", ["Stream", "Event", "Device", "MemoryPointer", "PinnedMemoryPointer"]
)
def test_the_classes_of_the_fake_have_no_method_of_their_own(kind):
    fake, real = getattr(fake_cupy, kind), getattr(cupy.cuda, kind)
    ours = {name for name in vars(fake) if not name.startswith("_")}
    assert {name for name in ours if not hasattr(real, name)} == set()


@pytest.mark.parametrize("name", ["ElementwiseKernel", "ReductionKernel", "RawKernel"])
def test_kernels_take_what_they_are_given(name):
    doc = getattr(cupy, name).__doc__
    given = inspect.signature(getattr(fake_cupy, name).__init__).parameters
    renamed = {"ins": "in_params", "outs": "out_params"}
    for each in list(given)[1:]:
        assert renamed.get(each, each) in doc, each


def test_from_the_root_of_the_repository_cupy_finds_nvidias_package():
    code = (
        "import sys; sys.path.insert(0, '.'); import cuda, cupy; print(cuda.__file__)"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert not done.returncode, done.stderr
    assert Path(done.stdout.strip()) == ROOT / "cuda/__init__.py"
