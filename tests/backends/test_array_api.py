"""Any library that follows the array API standard is a backend by its name."""

from __future__ import annotations

import subprocess
import sys
import types

import array_api_strict
import numpy as np
import pytest

import plugrad
from plugrad.backends.array_api import ArrayAPIBackend, find, namespace_of
from tests.backends.pairs import DTYPES, NAMES, registered, run_cell
from tests.expected import report

NAME = "array_api_strict"


@pytest.fixture
def k():
    return plugrad.get_backend(NAME)


# --- Finding the library --------------------------------------------------------------


def test_a_library_is_found_by_its_name(k):
    assert isinstance(k, ArrayAPIBackend) and k.name == NAME
    assert plugrad.get_backend(NAME) is k
    assert k.namespace is array_api_strict is namespace_of(NAME)


@pytest.mark.parametrize("name", ["json", "nonesuch", "a.b", "", "plugrad", "1"])
def test_what_is_no_array_library_is_unknown(name):
    assert find(name) is None
    with pytest.raises(plugrad.BackendError):
        plugrad.get_backend(name)


def test_close_names_are_suggested():
    with pytest.raises(plugrad.BackendError, match="did you mean 'numpy'"):
        plugrad.get_backend("nunpy")
    with pytest.raises(plugrad.BackendError, match="not the name"):
        namespace_of("nonesuch")


def test_nothing_runs_for_the_name_of_another_module(tmp_path):
    """A module is read before it is imported: this one would leave a mark."""
    mark = tmp_path / "mark"
    (tmp_path / "stranger.py").write_text(f"open({str(mark)!r}, 'w')\n")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import plugrad\n"
        "try: plugrad.get_backend('stranger')\n"
        "except plugrad.BackendError as error: print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "unknown backend 'stranger'" in run.stdout and not mark.exists()


def test_a_library_that_is_imported_already(monkeypatch):
    """One whose namespace says of itself that it follows the standard."""
    module = types.ModuleType("homemade")
    module.__dict__.update(vars(array_api_strict))
    module.__name__ = "homemade"
    monkeypatch.setitem(sys.modules, "homemade", module)
    k = ArrayAPIBackend("homemade")
    assert k.name == "homemade" and k.by_dtype.keys() == set(k.by_native.values())


# --- What is asked of it --------------------------------------------------------------


def test_what_the_library_can_is_asked(k):
    assert k.device_types == ("cpu",) and k.writable and k.views and not k.lazy
    known = array_api_strict.__array_namespace_info__().dtypes()
    assert {each.name for each in k.by_dtype} == set(known)
    x = k.namespace.zeros(3, dtype=k.native(plugrad.float32))
    assert k.dtype_of(x) is plugrad.float32 and k.device_of(x) == ("cpu", None)


class ReadOnly(ArrayAPIBackend):
    """A library whose arrays take no assignment."""

    def try_writing(self):
        return False


def test_arrays_that_cannot_be_written():
    with registered(ReadOnly("read_only", array_api_strict)) as k:
        x = plugrad.arange(6).reshape(2, 3).to(backend="read_only")
        row = x[1]
        x += 1
        row[0] = 9
        assert not k.writable and x.tolist() == [[1, 2, 3], [9, 5, 6]]


class TwoDevices(ArrayAPIBackend):
    """A library with devices of two types; array-api-strict's have no such names."""

    def find_devices(self):
        first, second, third = array_api_strict.__array_namespace_info__().devices()[:3]
        return ("cpu", "cuda"), {"cpu": [first], "cuda": [second, third]}

    def device_of(self, array):
        kinds = {str(d): kind for kind, ds in self.places.items() for d in ds}
        kind = kinds[str(array.device)]
        at = self.places[kind].index(array.device)
        return kind, None if kind == "cpu" else at


def test_devices_of_several_types():
    with registered(TwoDevices("two_devices", array_api_strict)):
        x = plugrad.ones(3).to(backend="two_devices")
        y = x.to("cuda:1")
        assert (str(x.device), str(y.device)) == ("cpu", "cuda:1")
        assert (y + y).device == y.device and y.tolist() == [1, 1, 1]
        assert y.to("cpu").device == x.device and x.to("cpu") is x
        with pytest.raises(plugrad.BackendError, match="2 devices"):
            x.to("cuda:5")


# --- What it computes -----------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", NAMES)
def test_op(name, k):
    for dtype in DTYPES:
        differences, both, wanted = run_cell(NAME, name, dtype)
        if f"{name}[{dtype.name}]" in k.leaves_out:
            refused = [each for each in differences if "UnsupportedOp" in each[2]]
            assert len(refused) == len(differences) and (refused or not wanted)
        else:
            assert not differences, report([str(each) for each in differences])


def test_views_share_memory():
    x = plugrad.arange(6, dtype=plugrad.float64).reshape(2, 3).to(backend=NAME)
    y = plugrad.arange(6, dtype=plugrad.float64).reshape(2, 3)
    for a in (x, y):
        a[0] = 9
        a.t()[2] += 1
        a.view(-1)[3:].mul_(2)
    assert x.tolist() == y.tolist()
    assert x.t().stride() == y.t().stride()
    assert x.t().is_contiguous() is False
    assert x[1].data_ptr() - x.data_ptr() == 24


def test_the_same_seed_gives_the_same_numbers():
    found = []
    for backend in ("numpy", NAME):
        with plugrad.backend(backend):
            plugrad.manual_seed(1)
            found.append([plugrad.rand(9).tolist(), plugrad.randperm(7).tolist()])
    assert found[0] == found[1]


def test_a_network_trains():
    with plugrad.backend(NAME):
        plugrad.manual_seed(0)
        x = plugrad.randn(16, 3, dtype=plugrad.float64)
        w = plugrad.zeros(3, dtype=plugrad.float64, requires_grad=True)
        truth = plugrad.tensor([1.0, -2.0, 0.5], dtype=plugrad.float64)
        for _ in range(60):
            loss = ((x @ w - x @ truth) ** 2).mean()
            w.grad = None
            loss.backward()
            with plugrad.no_grad():
                w -= 0.2 * w.grad
    np.testing.assert_allclose(w.tolist(), truth.tolist(), atol=1e-3)
