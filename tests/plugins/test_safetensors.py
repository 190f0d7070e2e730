"""Files of safetensors: what plugrad writes, the library reads, and the other way."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file as their_load
from safetensors.numpy import save_file as their_save

import plugrad
from plugrad.dtypes import BY_NAME
from plugrad.plugins.safetensors import load_file, read_metadata, save_file

DTYPES = [name for name in BY_NAME if name != "complex128"]
READ = [name for name in DTYPES if name != "bfloat16"]  # by the library, into NumPy


def tensors(dtype="float32"):
    x = plugrad.arange(24).reshape(4, 6).to(BY_NAME[dtype])
    return {
        "x": x,
        "t": x.t(),
        "part": x[::2, 1:4],
        "expanded": x[:1, :1].expand(3, 4),
        "0-d": x[1, 2],
        "empty": x[:0],
        "\u00fc.weight": x[0],
    }


@pytest.mark.parametrize("dtype", READ)
def test_both_ways(dtype, tmp_path):
    obj = tensors(dtype)
    plugrad.save(obj, tmp_path / "ours.safetensors")
    theirs = their_load(tmp_path / "ours.safetensors")
    assert sorted(theirs) == sorted(obj)
    for name, x in obj.items():
        np.testing.assert_array_equal(theirs[name], x.numpy(), strict=True)
    arrays = {name: np.ascontiguousarray(x.numpy()) for name, x in obj.items()}
    their_save(arrays, tmp_path / "theirs.safetensors")
    for options in ({}, {"mmap": True}):
        ours = plugrad.load(tmp_path / "theirs.safetensors", **options)
        assert sorted(ours) == sorted(arrays)
        for name, array in arrays.items():
            found = ours[name].numpy()
            assert found.dtype == array.dtype and found.tobytes() == array.tobytes()


def test_the_librarys_own_writer_stores_transposed_arrays_wrong(tmp_path):
    """Why plugrad writes the elements itself."""
    x = tensors()["t"]
    their_save({"t": x.numpy()}, tmp_path / "theirs.safetensors")
    assert their_load(tmp_path / "theirs.safetensors")["t"].tolist() != x.tolist()
    plugrad.save({"t": x}, tmp_path / "ours.safetensors")
    assert their_load(tmp_path / "ours.safetensors")["t"].tolist() == x.tolist()


def test_bfloat16(tmp_path):
    x = tensors("bfloat16")["t"]
    plugrad.save({"x": x}, tmp_path / "x.safetensors")
    found = plugrad.load(tmp_path / "x.safetensors")["x"]
    assert found.dtype is plugrad.bfloat16 and found.tolist() == x.tolist()
    with safe_open(tmp_path / "x.safetensors", framework="np") as opened:
        assert opened.get_slice("x").get_dtype() == "BF16"


def test_mapped_tensors_are_read_when_looked_at_and_stay_here(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file({"x": plugrad.zeros(1000)}, path, {"made": "here"})
    assert read_metadata(path) == {"made": "here"}
    found = load_file(path, mmap=True)["x"]
    data = path.read_bytes()
    with open(path, "r+b") as file:
        file.seek(len(data) - 4)
        file.write(b"\0\0\x80?")
    assert found[-1].item() == 1.0
    found[0] = 5.0
    assert path.read_bytes()[:-4] == data[:-4]


def test_states_of_modules(tmp_path):
    nn = plugrad.nn
    net, other = (nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)) for _ in range(2))
    plugrad.save(net.state_dict(), tmp_path / "net.safetensors")
    other.load_state_dict(plugrad.load(tmp_path / "net.safetensors"))
    x = plugrad.ones(4, 3)
    assert net(x).tolist() == other(x).tolist()


def test_what_the_format_cannot_hold(tmp_path):
    path = tmp_path / "x.safetensors"
    with pytest.raises(plugrad.UnsupportedOpError, match="complex128"):
        plugrad.save({"z": plugrad.ones(1, dtype=plugrad.complex128)}, path)
    for wrong in ([plugrad.ones(1)], {1: plugrad.ones(1)}, {"epoch": 5}):
        with pytest.raises(TypeError, match="safetensors"):
            plugrad.save(wrong, path)
    assert os.listdir(tmp_path) == []
    file = io.BytesIO()
    plugrad.save({"w": plugrad.ones(2)}, file, format="safetensors")
    path.write_bytes(file.getvalue())
    assert plugrad.load(path)["w"].tolist() == [1.0, 1.0]
    with pytest.raises(TypeError, match="takes a path"):
        plugrad.load(file, format="safetensors")


def test_damaged_files_name_themselves(tmp_path):
    path = tmp_path / "x.safetensors"
    plugrad.save({"w": plugrad.ones(2)}, path)
    data = path.read_bytes()
    cases = (b"", data[:5], data[:-1], data + b"x", b"\xff" * 20)
    for damaged in (*cases, data.replace(b"F32", b"F99"), data.replace(b"[2]", b"[9]")):
        path.write_bytes(damaged)
        for mmap in (True, False):
            with pytest.raises(plugrad.CheckpointError, match="x.safetensors"):
                plugrad.load(path, mmap=mmap)
    with pytest.raises(FileNotFoundError):
        plugrad.load(tmp_path / "none.safetensors")


def test_without_the_library(tmp_path):
    code = (
        "import sys; sys.modules['safetensors'] = None; import plugrad\n"
        "plugrad.save({}, sys.argv[1])"
    )
    run = [sys.executable, "-c", code, str(tmp_path / "x.safetensors")]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60)
    assert "BackendError" in done.stderr and "plugrad[safetensors]" in done.stderr
