"""Files of the format: eight bytes, a description in JSON, the elements."""

from __future__ import annotations

import json
import mmap as memory_map
import os
from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import plugrad
from plugrad.dtypes import as_dtype
from plugrad.saving import replacing

try:
    from safetensors import SafetensorError, safe_open
except ImportError as error:
    raise plugrad.BackendError(
        "the library safetensors is not installed; it comes with: pip install "
        "'plugrad[safetensors]'"
    ) from error

NAMES = {
    "bool": "BOOL",
    "uint8": "U8",
    "int8": "I8",
    "uint16": "U16",
    "int16": "I16",
    "float16": "F16",
    "bfloat16": "BF16",
    "uint32": "U32",
    "int32": "I32",
    "float32": "F32",
    "uint64": "U64",
    "int64": "I64",
    "float64": "F64",
    "complex64": "C64",
}
DTYPES = {name: as_dtype(dtype) for dtype, name in NAMES.items()}


def save_file(
    tensors: Mapping[str, plugrad.Tensor],
    filename: str | os.PathLike[str],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Save tensors by name, and words about them.

    >>> import os, plugrad, tempfile
    >>> from plugrad.plugins.safetensors import load_file, read_metadata, save_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "net.safetensors")
    ...     save_file({"w": plugrad.ones(2)}, path, {"made": "today"})
    ...     print(load_file(path), read_metadata(path))
    {'w': tensor([1., 1.])} {'made': 'today'}
    """
    with replacing(filename) as file:
        write(tensors, file.write_all, metadata)


def write(
    tensors: Mapping[str, plugrad.Tensor],
    put: Callable[[Any], Any],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Give the contents of a file to `put`, piece by piece."""
    # wide elements first, so that all of them are aligned
    order = sorted(tensors, key=lambda name: (-tensors[name].itemsize, name))
    described: dict[str, Any] = {}
    if metadata:
        described["__metadata__"] = dict(metadata)
    at = 0
    for name in order:
        x = tensors[name]
        end = at + x.numel() * x.itemsize
        described[name] = {
            "dtype": dtype_name(name, x),
            "shape": list(x.shape),
            "data_offsets": [at, end],
        }
        at = end
    head = json.dumps(described, separators=(",", ":"), ensure_ascii=False).encode()
    head += b" " * (-len(head) % 8)
    put(len(head).to_bytes(8, "little") + head)
    for name in order:
        array = tensors[name].detach().contiguous().cpu().numpy()
        put(memoryview(array.reshape(-1).view("uint8")))


def dtype_name(name: str, x: plugrad.Tensor) -> str:
    """What the format calls the dtype of a tensor."""
    found = NAMES.get(x.dtype.name)
    if found is None:
        raise plugrad.UnsupportedOpError(
            f"save(): the format 'safetensors' has no {x.dtype.name}, which {name!r} "
            "has; save it to a .pt file"
        )
    return found


def load_file(
    filename: str | os.PathLike[str], mmap: bool = False
) -> dict[str, plugrad.Tensor]:
    """The tensors of a file by name; with `mmap`, they are read when looked at.

    >>> import os, plugrad, tempfile
    >>> from plugrad.plugins.safetensors import load_file, save_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "net.safetensors")
    ...     save_file({"w": plugrad.ones(2, 3).t()}, path)
    ...     load_file(path, mmap=True)["w"].shape
    plugrad.Size([3, 2])
    """
    places = describe(filename)
    found: dict[str, plugrad.Tensor] = {}
    with open(filename, "rb", buffering=0) as file:
        mapped = None
        if mmap:
            whole = memory_map.mmap(file.fileno(), 0, access=memory_map.ACCESS_COPY)
            mapped = memoryview(whole)
        for name, (dtype, shape, at, size) in places.items():
            if not size:
                found[name] = plugrad.empty(shape, dtype=dtype)
                continue
            if mapped is not None:
                data = mapped[at : at + size]
            else:
                data = read(file, at, size)
            found[name] = plugrad.frombuffer(data, dtype=dtype).reshape(shape)
    return found


def read(file: Any, at: int, size: int) -> memoryview:
    """Some bytes of a file, in memory of their own."""
    found = memoryview(bytearray(size))
    file.seek(at)
    rest = found
    while len(rest):
        n = file.readinto(rest)
        if not n:
            raise plugrad.CheckpointError("the file was cut off while it was read")
        rest = rest[n:]
    return found


def describe(
    filename: str | os.PathLike[str],
) -> dict[str, tuple[plugrad.dtype, tuple[int, ...], int, int]]:
    """What the library finds in a file: dtype, shape, place and size by name."""
    name = os.fspath(filename)
    with open(name, "rb") as file:  # that it is not there is said as elsewhere
        at = 8 + int.from_bytes(file.read(8), "little")
    found = {}
    try:
        with safe_open(name, framework="np") as opened:
            for key in opened.offset_keys():
                part = opened.get_slice(key)
                dtype = DTYPES.get(part.get_dtype())
                if dtype is None:
                    raise plugrad.CheckpointError(
                        f"{name}: {key!r} is of dtype {part.get_dtype()}, which "
                        "plugrad has not"
                    )
                shape = tuple(part.get_shape())
                size = prod(shape) * dtype.itemsize
                found[key] = dtype, shape, at, size
                at += size
    except SafetensorError as error:
        raise plugrad.CheckpointError(f"{name}: {error}") from error
    return found


def read_metadata(filename: str | os.PathLike[str]) -> dict[str, str]:
    """The words that were saved with the tensors.

    >>> import os, plugrad, tempfile
    >>> from plugrad.plugins.safetensors import read_metadata, save_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "net.safetensors")
    ...     save_file({}, path, {"a": "b"})
    ...     read_metadata(path)
    {'a': 'b'}
    """
    try:
        with safe_open(os.fspath(filename), framework="np") as opened:
            return dict(opened.metadata() or {})
    except SafetensorError as error:
        raise plugrad.CheckpointError(f"{os.fspath(filename)}: {error}") from error
