"""The format, as `plugrad.save` and `plugrad.load` use it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import plugrad
from plugrad import hookimpl

from .files import load_file, write


class Safetensors:
    """Saves and loads files of the format."""

    def save(
        self, tensors: Mapping[str, plugrad.Tensor], put: Callable[[Any], Any]
    ) -> None:
        """Give the contents of a file to `put`, piece by piece."""
        write(tensors, put)

    def load(self, path: str, mmap: bool) -> dict[str, plugrad.Tensor]:
        """The tensors of a file, by name."""
        return load_file(path, mmap)


@hookimpl
def plugrad_format(name: str) -> Safetensors | None:
    """The format, for plugrad's plugin manager."""
    return Safetensors() if name == "safetensors" else None
