"""The pictures that a command line names: files of pictures, and IDX files with the
places of pictures in them."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import plugrad
from plugrad import Tensor

from ..datasets import DataError, read_idx
from ..io import read_image

MODES = {1: "GRAY", 3: "RGB"}


@dataclass
class Input:
    """A picture of bytes (channels, height, width), and where it is from."""

    file: str
    index: int | None
    picture: Tensor

    @property
    def name(self) -> str:
        """File and place in words."""
        return self.file if self.index is None else f"{self.file}, picture {self.index}"


class Unreadable(Exception):
    """A file that gives no picture; the message names it and says why."""


def inputs(
    name: str, indices: list[int], channels: int, invert: bool
) -> Iterator[Input]:
    """The pictures in a file, with so many channels."""
    try:
        if is_idx(name):
            found = from_idx(name, indices, channels)
        elif indices:
            raise DataError(f"{name}: --index is for IDX files, this is none")
        else:
            found = iter([Input(name, None, read_image(name, MODES[channels]))])
        for each in found:
            each.picture = 255 - each.picture if invert else each.picture
            yield each
    except IsADirectoryError:
        raise Unreadable(f"{name}: it is a folder, not a picture") from None
    except FileNotFoundError:
        raise Unreadable(f"{name}: there is no such file") from None
    except OSError as error:
        raise Unreadable(f"{name}: {error.strerror or error}") from error
    except (ImportError, ValueError) as error:
        text = str(error).partition(" <_io.")[0]  # Pillow names the buffer it reads
        raise Unreadable(text if name in text else f"{name}: {text}") from error


def is_idx(name: str) -> bool:
    """Whether a file begins as IDX files do, gzipped or not."""
    with open(name, "rb") as file:
        start = file.read(3)
    if start[:2] == b"\x1f\x8b":
        try:
            with gzip.open(Path(name)) as file:
                start = file.read(3)
        except (EOFError, OSError, zlib.error) as error:
            raise DataError(f"{name}: not a whole gzip file: {error}") from error
    return start[:2] == b"\0\0" and len(start) == 3


def from_idx(name: str, indices: list[int], channels: int) -> Iterator[Input]:
    """Pictures of an IDX file."""
    pictures = read_idx(name)
    if pictures.ndim != 3 or pictures.dtype is not plugrad.uint8:
        raise DataError(
            f"{name}: it holds {pictures.dtype} of shape {list(pictures.shape)}, not "
            "pictures"
        )
    count = len(pictures)
    if not indices:
        raise DataError(
            f"{name}: it holds {count:,} pictures: say which of them, from 0 to "
            f"{count - 1}, such as --index 0,1,2"
        )
    for index in indices:
        if index >= count:
            raise DataError(f"{name}: it has no picture {index}, only 0 to {count - 1}")
        picture = pictures[index].unsqueeze(0)
        yield Input(name, index, picture.repeat(channels, 1, 1))
