"""Checkpoints to be damaged, and what tells whether one came through."""

from __future__ import annotations

import io
import pickle
import random
import struct
import sys
import time

import plugrad
from plugrad.saving.digests import Summing
from plugrad.saving.encoder import Encoder
from plugrad.saving.zip_writer import ZipWriter


def sample(seed: int = 0) -> dict:
    """Tensors of some dtypes, views, a parameter, containers, numbers and text."""
    rng = random.Random(seed)

    def numbers(n, dtype="float32"):
        values = [rng.randrange(100) for _ in range(n)]
        return plugrad.tensor(values).to(getattr(plugrad, dtype))

    w = numbers(24).reshape(4, 6)
    return {
        "w": w,
        "w.t": w.t(),
        "row": w[1, 2:],
        "expanded": numbers(1).expand(3, 5),
        "p": plugrad.nn.Parameter(numbers(7, "float64")),
        "ids": [numbers(5, "int64"), numbers(3, "uint8"), numbers(4, "uint16")],
        "empty": plugrad.zeros(2, 0),
        "z": numbers(2, "complex64"),
        "epoch": rng.randrange(10**6),
        "loss": rng.random(),
        "name": f"run {seed}",
        "more": (None, True, b"\0\xff", {1, 2}, {"a": [1.5, -3, 2**70]}),
    }


def words(value: object) -> object:
    """All there is to a loaded value, to be compared."""
    if isinstance(value, plugrad.Tensor):
        if max(value.numel(), *value.shape, 0) > 10_000:  # of a file that was changed
            return str(value.dtype), tuple(value.shape)
        data = value.detach().contiguous()
        return (
            type(value).__name__,
            str(value.dtype),
            tuple(value.shape),
            value.stride() if value.numel() else (),
            value.requires_grad,
            repr(data.tolist()),
        )
    if isinstance(value, dict):
        return [(words(k), words(v)) for k, v in value.items()]
    if isinstance(value, list | tuple):
        return type(value).__name__, [words(each) for each in value]
    return type(value).__name__, repr(value)


def saved(obj: object) -> bytes:
    """The file that `save` writes."""
    file = io.BytesIO()
    plugrad.save(obj, file)
    return file.getvalue()


def load(data: bytes) -> object:
    """What `load` finds in a file."""
    return plugrad.load(io.BytesIO(data))


def archive(records: dict[str, bytes] | list[tuple[str, bytes]]) -> bytes:
    """A zip file whose own checksums are right, whatever it holds."""
    out = bytearray()
    pairs = records.items() if isinstance(records, dict) else records
    with Summing() as summing:
        writer = ZipWriter(out.extend, summing)
        for name, data in pairs:
            writer.add(name, data)
        writer.close()
    return bytes(out)


def parts(obj: object) -> tuple[bytes, dict[str, bytes]]:
    """The pickle of an object, and the bytes of its memories by key."""
    encoder = Encoder()
    data = encoder.encode(obj)
    found = encoder.memories.found.values()
    return data, {memory.key: bytes(memory.data()) for memory in found}


def zipped(data: bytes, memories: dict[str, bytes], **more: bytes) -> bytes:
    """A checkpoint as torch writes it, without plugrad's checksums."""
    records = {"archive/data.pkl": data, "archive/byteorder": sys.byteorder.encode()}
    for key, each in memories.items():
        records[f"archive/data/{key}"] = each
    return archive({**records, "archive/version": b"3\n", **more})


def legacy(obj: object) -> bytes:
    """A checkpoint in the format of torch before 1.6."""
    encoder = Encoder()
    data = encoder.encode(obj)
    info = {"protocol_version": 1001, "little_endian": sys.byteorder == "little"}
    front = [pickle.dumps(each, 2) for each in (0x1950A86A20F9469CFC6C, 1001, info)]
    found = list(encoder.memories.found.values())
    keys = pickle.dumps([memory.key for memory in found], 2)
    out = [*front, data, keys]
    for memory in found:
        size = memory.dtype.itemsize if memory.typed else 1
        out += [struct.pack("<q", memory.nbytes // size), bytes(memory.data())]
    return b"".join(out)


def peak_kib(reset: bool = False) -> int:
    """The most memory this process has had, or has had since the last reset; in KiB."""
    if reset:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
    with open("/proc/self/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith("VmHWM:"))
    return int(line.split()[1])


def outcome(data: bytes) -> tuple[str, object]:
    """What loading a file comes to: "loaded" and its words, or "refused" and why. All
    else, and taking longer than a second, is an AssertionError."""
    begin = time.process_time()
    try:
        result = "loaded", load(data)
    except plugrad.CheckpointError as error:
        result = "refused", str(error)
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}") from error
    taken = time.process_time() - begin
    assert taken < 1.0, f"it took {taken:.1f} s"
    try:
        return result[0], words(result[1])
    except RecursionError:  # a value, nested more deeply than Python functions go
        return result[0], None
