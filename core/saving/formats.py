"""Which formats there are, and which one is meant.

A file is of the format that is asked for, else of the one that its name ends in, else
of PyTorch's. When it is loaded, its first bytes say which of PyTorch's. Formats that
need a library of their own come from plugins, by the hook `plugrad_format`.
"""

from __future__ import annotations

import os

from ..errors import BackendError, CheckpointError
from ..layouts import strided
from ..tensor import Tensor
from .names import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .sources import Source

    # takes an object, and a function that writes bytes
    Saver = Callable[[Any, Callable[[Any], Any]], None]

ENDINGS = {".npz": "npz", ".safetensors": "safetensors"}


class Asked:
    """What a call of `load` asks for; and, afterwards, whose code was run."""

    def __init__(
        self, map_location: Any, weights_only: bool, mapped: bool, encoding: str
    ) -> None:
        from .placing import locator

        self.locate = locator(map_location)
        self.weights_only = weights_only
        self.mapped = mapped
        self.encoding = encoding
        self.used: list[str] = []


def chosen(f: Any, format: str | None) -> str:
    """The name of the format."""
    if format is not None:
        if not isinstance(format, str):
            raise TypeError(f"format must be a str such as 'npz', not {format!r}")
        return format
    if isinstance(f, (str, os.PathLike)):
        return ENDINGS.get(os.path.splitext(os.fspath(f))[1], "torch")
    return "torch"


def saver(name: str) -> Saver:
    """What saves in a format."""
    if name == "torch":
        from .torch_zip import save

        return save
    if name == "npz":
        from .npz import save as save_npz

        return lambda obj, write: save_npz(tensors_of(obj, name), write)
    found = from_plugin(name)
    return lambda obj, write: found.save(tensors_of(obj, name), write)


def tensors_of(obj: Any, format: str) -> dict[str, Tensor]:
    """An object as the dictionary of tensors that a format can hold."""
    if not isinstance(obj, dict):
        raise TypeError(
            f"save(): a {format!r} file holds a dictionary of tensors, not "
            f"{type(obj).__name__}"
        )
    for name, x in obj.items():
        if not isinstance(name, str) or not isinstance(x, Tensor):
            raise TypeError(
                f"save(): a {format!r} file holds tensors by their names, not "
                f"{type(x).__name__} by {name!r}"
            )
        if x.layout is not strided:
            raise TypeError(
                f"save(): {name!r} is sparse, which {format!r} files are not"
            )
    return obj


def loader(name: str, source: Source) -> Callable[[Source, Asked], Any]:
    """What loads a file of a format."""
    if name == "torch":
        return torch_loader(source)
    if name == "npz":
        from .npz import load

        return load
    found = from_plugin(name)

    def load_from_path(source: Source, asked: Asked) -> Any:
        if not source.is_path:
            error = f"load(): the format {name!r} takes a path, not a file object"
            raise UserError(TypeError(error))
        from .placing import placed

        tensors = found.load(source.name, mmap=asked.mapped)
        return {key: placed(x, asked.locate) for key, x in tensors.items()}

    return load_from_path


def torch_loader(source: Source) -> Callable[[Source, Asked], Any]:
    """What loads a file of one of PyTorch's formats, by its first bytes."""
    if not source.size:
        raise CheckpointError("the file is empty")
    start = source.read(0, min(4, source.size))
    if start == b"PK\3\4":
        from .torch_zip import load

        return load
    if start[:1] == b"\x80":
        from .legacy import load as load_legacy

        return load_legacy
    if source.size > 512 and source.read(257, 5) == b"ustar":
        raise CheckpointError(
            "it is a tar file, as PyTorch wrote them before 0.1.10: load it with "
            "torch.load(..., weights_only=False), and save it again"
        )
    raise CheckpointError("it is no checkpoint: it begins as none does")


def from_plugin(name: str) -> Any:
    """The object that saves and loads files of a format that a plugin brings."""
    from ..plugging.discovery import activate, guarded, offers, unknown

    source = activate(name)
    if source is None:
        raise unknown("format", name)
    with guarded(source.candidate, f"cannot give the format {name!r}"):
        found = source.call("format", name=name)
    if not (hasattr(found, "save") and hasattr(found, "load")):
        raise BackendError(
            f"plugin {source.candidate} offers no format {name!r}, an object with the "
            f"methods save and load{offers(source)}"
        )
    return found
