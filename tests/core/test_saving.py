"""What is saved is loaded again: values, sharing, places, and what is refused.

`tests/against_torch/test_saving.py` compares with PyTorch, `test_saving_files.py` looks
at the files themselves, `test_saving_damage.py` at damaged and hostile ones.
"""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
from collections import OrderedDict, defaultdict, namedtuple
from functools import partial

import numpy as np
import pytest

import plugrad
from plugrad.dtypes import BY_NAME
from plugrad.testing import assert_close
from tests.campaigns.checkpoints import (
    archive,
    legacy,
    parts,
    sample,
    saved,
    words,
    zipped,
)
from tests.campaigns.checkpoints import load as load_bytes

nn = plugrad.nn
BACKENDS = ["numpy", "array_api_strict"]


def again(obj, **options):
    return plugrad.load(io.BytesIO(saved(obj)), **options)


# --- Values ---------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", BY_NAME)
def test_every_bit_pattern_comes_back(dtype):
    d = BY_NAME[dtype]
    n = plugrad.get_backend("numpy").native(d)
    rng = np.random.default_rng(0)
    data = rng.integers(0, 2 if dtype == "bool" else 256, 400 * d.itemsize, np.uint8)
    array = data.view(n).reshape(4, 100)
    found = again([plugrad.from_numpy(array), plugrad.from_numpy(array).t()])
    assert found[0].dtype is d
    assert found[0].numpy().tobytes() == array.tobytes()
    assert found[1].stride() == (1, 100)
    assert np.shares_memory(found[0].numpy(), found[1].numpy())


def test_two_saves_of_one_object_are_the_same_file():
    assert saved(sample()) == saved(sample())


def test_objects_that_are_one_stay_one():
    t, inner = plugrad.ones(2), [1]
    found = again({"a": t, "b": [t, inner], "c": inner, "d": (t,)})
    assert found["a"] is found["b"][0] is found["d"][0]
    assert found["b"][1] is found["c"]
    loop: list = []
    loop.append(loop)
    found = again(loop)
    assert found[0] is found


def test_a_loaded_tensor_can_be_written_and_trained():
    p = again(nn.Parameter(plugrad.ones(3)))
    assert p.is_leaf and p.requires_grad
    (p * p).sum().backward()
    assert p.grad.tolist() == [2.0, 2.0, 2.0]
    with plugrad.no_grad():
        p.sub_(p.grad)
    assert p.tolist() == [-1.0, -1.0, -1.0]


def test_a_part_of_a_memory_brings_all_of_it():
    whole = plugrad.arange(10.0)
    part = again(whole[4:6])
    assert part.storage_offset() == 4 and len(part.storage()) == 10
    alone = again(whole[4:6].clone())
    assert alone.storage_offset() == 0 and len(alone.storage()) == 2


def test_arrays_that_no_storage_describes_are_saved_alone():
    back = plugrad.from_numpy(np.arange(6.0)[::-1])
    gaps = plugrad.from_numpy(np.zeros((4, 6), "f4")[:, ::2])
    rows = np.zeros(5, np.dtype([("a", "f4"), ("b", "i2")]))
    rows["a"] = range(5)
    field = plugrad.from_numpy(rows["a"])
    for x in (back, gaps, field):
        assert_close(again(x), x)


def test_attributes_of_tensors():
    x = plugrad.ones(2)
    x.note, x._private = "kept", "not kept"
    found = again(x)
    assert found.note == "kept" and not hasattr(found, "_private")


@pytest.mark.parametrize("backend", BACKENDS)
def test_backends_save_and_load(backend):
    with plugrad.backend(backend):
        w = plugrad.arange(6.0).reshape(2, 3)
        obj = {"w": w, "t": w.t(), "row": w[1], "p": nn.Parameter(w)}
        data = saved(obj)
        found = load_bytes(data)
        assert {x._k.name for x in found.values()} == {backend}
        assert words(found) == words(obj)
    here = load_bytes(data)
    assert {x._k.name for x in here.values()} == {"numpy"}
    assert {k: v.tolist() for k, v in here.items()} == {
        k: v.tolist() for k, v in obj.items()
    }
    assert here["t"].untyped_storage() == here["w"].untyped_storage()


def test_repeated_elements_take_no_memory_or_are_refused():
    data = saved(plugrad.ones(1).expand(1 << 40))
    assert load_bytes(data).shape == (1 << 40,)
    with plugrad.backend("array_api_strict"):
        with pytest.raises(plugrad.CheckpointError, match="repeats its elements"):
            load_bytes(data)
        assert load_bytes(saved(plugrad.ones(1).expand(5))).tolist() == [1.0] * 5


def test_the_other_byte_order():
    data, memories = parts(sample()["ids"] + [plugrad.tensor([1 + 2j, 3 - 4j])])
    items = [8, 1, 2, 4]
    other = {"little": b"big", "big": b"little"}[sys.byteorder]
    turned = {
        key: np.frombuffer(each, f"u{size}").byteswap().tobytes()
        for (key, each), size in zip(memories.items(), items)
    }
    records = {"archive/data.pkl": data, "archive/byteorder": other}
    records |= {f"archive/data/{key}": each for key, each in turned.items()}
    assert words(load_bytes(archive(records))) == words(
        load_bytes(zipped(data, memories))
    )


# --- Where tensors go -----------------------------------------------------------------


def elsewhere(location="cuda:1"):
    """A file whose tensor was on another device."""
    data, memories = parts([plugrad.ones(2)])
    size = len(location).to_bytes(4, "little")
    data = data.replace(b"\3\0\0\0cpu", size + location.encode())
    return io.BytesIO(zipped(data, memories))


def test_map_location():
    asked = []

    def where(storage, location):
        asked.append((location, storage.nbytes(), str(storage.device)))
        return storage.cpu()

    for map_location in (
        "cpu",
        plugrad.device("cpu"),
        {"cuda:1": "cpu"},
        {"cuda:1": plugrad.device("cpu")},
        where,
        lambda storage, location: storage,
    ):
        assert plugrad.load(elsewhere(), map_location)[0].tolist() == [1.0, 1.0]
    assert asked == [("cuda:1", 8, "cpu")]


@pytest.mark.parametrize(
    "map_location",
    [None, "xla:3", {"cpu": "xpu"}, lambda s, loc: None, lambda s, loc: s.to("mps")],
)
def test_a_device_that_is_not_there(map_location):
    with pytest.raises(plugrad.CheckpointError, match="map_location='cpu'"):
        plugrad.load(elsewhere("xpu:1"), map_location)
    if map_location is not None and not callable(map_location):
        return
    assert plugrad.load(elsewhere("xpu:1"), "cpu")


def test_what_map_location_raises_is_passed_on():
    def fail(storage, location):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        plugrad.load(elsewhere(), fail)
    with pytest.raises(TypeError, match="must return the storage"):
        plugrad.load(elsewhere(), lambda storage, location: 5)
    with pytest.raises(TypeError, match="map_location"):
        plugrad.load(elsewhere(), 5.0)
    with pytest.raises(RuntimeError):
        plugrad.load(elsewhere(), "nowhere")


# --- mmap -----------------------------------------------------------------------------


def test_mmap_reads_when_tensors_are_looked_at(tmp_path):
    path = tmp_path / "big.pt"
    plugrad.save({"a": plugrad.zeros(1000), "b": plugrad.ones(1 << 22)}, path)
    found = plugrad.load(path, mmap=True)
    data = bytearray(path.read_bytes())
    at = data.index(b"\0\0\x80?" * 100)
    data[at : at + 4] = b"\0\0\0@"
    with open(path, "r+b") as file:  # what is read later shows that it is
        file.write(data)
    assert found["b"][:2].tolist() == [2.0, 1.0]
    found["b"][1] = 7.0
    assert path.read_bytes() == bytes(data)
    with pytest.raises(plugrad.CheckpointError, match="checksum differs"):
        plugrad.load(path)


def test_mmap_takes_a_path_to_a_zip_file(tmp_path):
    with pytest.raises(ValueError, match="must be a file path"):
        plugrad.load(io.BytesIO(saved(1)), mmap=True)
    path = tmp_path / "old.pt"
    path.write_bytes(legacy(plugrad.ones(2)))
    with pytest.raises(RuntimeError, match="zip format"):
        plugrad.load(path, mmap=True)
    assert plugrad.load(str(path)).tolist() == [1.0, 1.0]


# --- Whole modules --------------------------------------------------------------------


class Net(nn.Module):
    """A module of this test's own."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.register_buffer("scale", plugrad.full((2,), 2.0))
        self.tied = self.layer
        self.note = {"a": [1, 2]}

    def forward(self, x):
        return self.layer(x) * self.scale


def given(*classes):
    return plugrad.serialization.safe_globals(list(classes))


def test_modules_take_an_explicit_word():
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.BatchNorm1d(2))
    for options in ({}, {"weights_only": True}, {"weights_only": None}):
        with pytest.raises(plugrad.CheckpointError, match="weights_only=False"):
            again(net, **options)
    with pytest.warns(UserWarning, match="has run code of .*Sequential"):
        found = again(net, weights_only=False)
    assert words(found.state_dict()) == words(net.state_dict())
    x = plugrad.ones(4, 3)
    assert_close(found(x), net(x))


def test_classes_of_others_must_be_given():
    net = Net()
    with pytest.raises(plugrad.CheckpointError, match="add_safe_globals"):
        again(net, weights_only=False)
    with given(Net):
        with pytest.raises(plugrad.CheckpointError, match="weights_only=False"):
            again(net)
        with pytest.warns(UserWarning, match="Net"):
            found = again(net, weights_only=False)
    assert type(found) is Net and found.tied is found.layer
    assert found.note == {"a": [1, 2]}
    assert_close(found(plugrad.ones(3)), net(plugrad.ones(3)))
    assert [n for n, _ in found.named_parameters()] == ["layer.weight", "layer.bias"]


class Options:
    """A plain class."""

    __slots__ = ("size", "__dict__")

    def __init__(self, size):
        self.size = size
        self.name = "x"


def area(a, b):
    return a * b


def test_given_classes_and_functions():
    with pytest.raises(TypeError, match="add_safe_globals"):
        saved(Options(3))
    with given(Options, area):
        data = saved([Options(3), area, Options])
        with pytest.warns(UserWarning, match="Options"):
            found = load_bytes(data)
    assert found[0].size == 3 and found[0].name == "x"
    assert found[1] is area and found[2] is Options
    with pytest.raises(plugrad.CheckpointError, match="Options"):
        load_bytes(data)
    with given((Options, "elsewhere.Renamed")):
        renamed = saved(Options(4))
        assert b"elsewhere\nRenamed" in renamed
        with pytest.warns(UserWarning, match="elsewhere.Renamed"):
            assert load_bytes(renamed).size == 4


def test_what_is_given_can_be_taken_back():
    s = plugrad.serialization
    assert s.get_safe_globals() == []
    s.add_safe_globals([Options, area, Options])
    assert s.get_safe_globals() == [Options, area]
    with s.safe_globals([Net]):
        assert Net in s.get_safe_globals()
    assert s.get_safe_globals() == [Options, area]
    s.clear_safe_globals()
    assert s.get_safe_globals() == []
    for wrong in (5, (Options,), (Options, 5)):
        with pytest.raises((TypeError, ValueError)):
            s.add_safe_globals([wrong])


class Angry:
    def __reduce__(self):
        return Angry, ()

    def __init__(self):
        if Angry.armed:
            raise ValueError("the user's own")

    armed = False


def test_what_given_code_raises_is_passed_on(monkeypatch):
    with given(Angry):
        data = saved(Angry())
        monkeypatch.setattr(Angry, "armed", True)
        with pytest.raises(ValueError, match="the user's own"):
            load_bytes(data)


def test_the_programs_own_classes(tmp_path):
    program = (
        "import plugrad, sys, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "class Net(plugrad.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.l = plugrad.nn.Linear(2, 1)\n"
        "net = Net()\n"
        "plugrad.save(net, sys.argv[1])\n"
        "again = plugrad.load(sys.argv[1], weights_only=False)\n"
        "x = plugrad.ones(2)\n"
        "print(type(again) is Net, bool((again.l(x) == net.l(x)).all()))\n"
    )
    run = [sys.executable, "-c", program, str(tmp_path / "net.pt")]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["True", "True"], done.stderr


def test_copies_and_pickles_of_modules_are_as_they_were():
    net = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))
    for found in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert words(found.state_dict()) == words(net.state_dict())


# --- What is refused ------------------------------------------------------------------

Pair = namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    "obj, reason",
    [
        (object(), r"at obj\['x'\]\[1\]: .*state_dict"),
        (np.float32(1), "item()"),
        (np.ones(2), "from_numpy"),
        (defaultdict(list), "make it a dict"),
        (Pair(1, 2), "add_safe_globals"),
        (partial(print), "add_safe_globals"),
        (lambda: 0, "does not lead to it"),
        (io.BytesIO(), "add_safe_globals"),
        (1 << 3000, "bits"),
        (range(3), "add_safe_globals"),
        (plugrad.channels_last, "add_safe_globals"),
    ],
    ids=range(11),
)
def test_what_could_not_be_loaded_is_not_saved(obj, reason):
    with pytest.raises(TypeError, match=reason):
        saved({"x": [1, obj]})


def test_dictionaries_with_attributes_are_not_saved():
    d = OrderedDict(a=1)
    d.more = 5
    with pytest.raises(TypeError, match="attributes"):
        saved(d)


def test_options_of_torch_that_mean_nothing_here():
    file = io.BytesIO()
    plugrad.save(1, file, pickle, 2, True)
    with pytest.raises(ValueError, match="pickle_protocol"):
        plugrad.save(1, file, pickle_protocol=4)
    with pytest.raises(ValueError, match="pickle_module"):
        plugrad.save(1, file, copy)
    with pytest.raises(ValueError, match="before 1.6"):
        plugrad.save(1, file, _use_new_zipfile_serialization=False)
    file.seek(0)
    with pytest.raises(RuntimeError, match="pickle_module"):
        plugrad.load(file, pickle_module=pickle)


def test_bfloat16_without_its_library():
    code = (
        "import sys; sys.modules['ml_dtypes'] = None; import plugrad\n"
        "plugrad.load({path!r})"
    )
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".pt") as file:
        plugrad.save({"w": plugrad.ones(2, dtype=plugrad.bfloat16)}, file.name)
        run = [sys.executable, "-c", code.replace("{path!r}", repr(file.name))]
        done = subprocess.run(run, capture_output=True, text=True, timeout=60)
    assert "CheckpointError" in done.stderr and "plugrad[bfloat16]" in done.stderr


def test_importing_plugrad_loads_none_of_this():
    code = "import sys, plugrad; print([m for m in sys.modules if 'saving' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
    assert {"save", "load", "CheckpointError"} <= set(plugrad.__all__)
