"""NumPy's files, both ways; and which format is meant."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest

import plugrad
from plugrad.dtypes import BY_NAME
from tests.campaigns.checkpoints import words

NUMPYS = [name for name in BY_NAME if name != "bfloat16"]


def tensors(dtype="float32"):
    n = plugrad.get_backend("numpy").native(BY_NAME[dtype])
    x = plugrad.from_numpy(np.arange(24).reshape(4, 6).astype(n))
    return {
        "x": x,
        "t": x.t(),
        "part": x[::2, 1:4],
        "expanded": x[:1, :1].expand(3, 4),
        "0-d": x[1, 2],
        "empty": x[:0],
        "a/b": x[0],
        "cube": x.reshape(2, 3, 4).permute(2, 0, 1),
    }


@pytest.mark.parametrize("dtype", NUMPYS)
def test_npz_goes_both_ways(dtype, tmp_path):
    obj = tensors(dtype)
    path = tmp_path / "x.npz"
    plugrad.save(obj, path)
    with np.load(path, allow_pickle=False) as theirs:
        assert sorted(theirs) == sorted(obj)
        for name, x in obj.items():
            assert theirs[name].dtype == x.numpy().dtype
            np.testing.assert_array_equal(theirs[name], x.numpy(), strict=True)
    arrays = {name: x.numpy() for name, x in obj.items()}
    arrays |= {"columns": np.asfortranarray(arrays["x"]), "other": swapped(arrays["x"])}
    np.savez(tmp_path / "y.npz", **arrays)
    for options in ({}, {"mmap": True}):
        ours = plugrad.load(tmp_path / "y.npz", **options)
        for name, array in arrays.items():
            assert ours[name].dtype is BY_NAME[dtype]
            np.testing.assert_array_equal(ours[name].numpy(), array)
    assert words(plugrad.load(path)) == words(plugrad.load(path, mmap=True))


def swapped(array):
    return array.astype(array.dtype.newbyteorder())


def test_what_npz_cannot_hold(tmp_path):
    path = tmp_path / "x.npz"
    for wrong in ([plugrad.ones(1)], {1: plugrad.ones(1)}, {"a": 5}):
        with pytest.raises(TypeError, match="npz"):
            plugrad.save(wrong, path)
    with pytest.raises(TypeError, match="sparse"):
        plugrad.save({"s": plugrad.eye(2).to_sparse()}, path)
    with pytest.raises(plugrad.UnsupportedOpError, match="bfloat16"):
        plugrad.save({"b": plugrad.ones(1, dtype=plugrad.bfloat16)}, path)
    assert list(tmp_path.iterdir()) == []


ODD = {
    "objects": np.array([{}], dtype=object),
    "text": np.array(["a", "b"]),
    "records": np.zeros(2, [("a", "f4")]),
    "dates": np.zeros(2, "M8[s]"),
    "wide": np.zeros(2, np.longdouble),
}


@pytest.mark.parametrize("name", ODD)
def test_arrays_of_no_numbers_are_refused(name, tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, odd=ODD[name])
    with pytest.raises(plugrad.CheckpointError, match="x.npz: its array 'odd.npy'"):
        plugrad.load(path)
    np.savez_compressed(path, odd=np.ones(9))
    with pytest.raises(plugrad.CheckpointError, match="compressed"):
        plugrad.load(path)


@pytest.mark.parametrize("seed", range(3))
def test_a_flipped_bit_of_an_npz_file(seed):
    file = io.BytesIO()
    plugrad.save(tensors(), file, format="npz")
    data, expected = file.getvalue(), words(plugrad.load(file_of(file), format="npz"))
    rng = random.Random(seed)
    for _ in range(200):
        bit = rng.randrange(8 * len(data))
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            found = plugrad.load(io.BytesIO(bytes(damaged)), format="npz")
        except plugrad.CheckpointError:
            continue
        assert words(found) == expected


def file_of(file):
    return io.BytesIO(file.getvalue())


def test_headers_that_mean_harm():
    from tests.campaigns.checkpoints import archive

    def npy(text, data=b"", version=1):
        size = len(text).to_bytes(2 if version == 1 else 4, "little")
        return b"\x93NUMPY" + bytes([version, 0]) + size + text.encode() + data

    good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n"
    for version in (1, 2, 3):
        file = io.BytesIO(archive({"a.npy": npy(good, bytes(8), version)}))
        assert plugrad.load(file, format="npz")["a"].tolist() == [0.0, 0.0]
    for text in (
        good.replace("(2,)", "(3,)"),
        good.replace("(2,)", "(-2,)"),
        good.replace("(2,)", "(99999999999999999999,)"),
        good.replace("(2,)", "(2, 99999999999, 0)"),
        good.replace("(2,)", "__import__('os')"),
        good.replace("'<f4'", "'|O'"),
        good.replace("'<f4'", "'<f3'"),
        good.replace("False", "None"),
        "(" * 9000,
        "",
    ):
        file = io.BytesIO(archive({"a.npy": npy(text, bytes(8))}))
        with pytest.raises(plugrad.CheckpointError):
            plugrad.load(file, format="npz")
    for records in ({"a.txt": b"x"}, {"a.npy": b"x"}, {"../a.npy": b""}):
        with pytest.raises(plugrad.CheckpointError):
            plugrad.load(io.BytesIO(archive(records)), format="npz")


def test_the_format_is_the_one_asked_for(tmp_path):
    obj = {"w": plugrad.ones(2)}
    for name, format in (("a.npz", "torch"), ("a.pt", "npz"), ("a", "npz")):
        plugrad.save(obj, tmp_path / name, format=format)
        assert words(plugrad.load(tmp_path / name, format=format)) == words(obj)
    with pytest.raises(plugrad.CheckpointError, match="format='npz'"):
        plugrad.load(tmp_path / "a.pt")
    with pytest.raises(plugrad.BackendError, match="unknown format 'hdf5'"):
        plugrad.save(obj, tmp_path / "a.h5", format="hdf5")
    with pytest.raises(plugrad.BackendError, match="offers no format 'scipy'"):
        plugrad.save(obj, tmp_path / "a.h5", format="scipy")
    with pytest.raises(TypeError, match="format must be a str"):
        plugrad.load(tmp_path / "a", format=5)
