"""Pictures from files and to files, as tensors (channels, height, width) of bytes.

Where Pillow is installed it reads them; without it, PNG is read here. PNG is always
written here.

>>> import os, tempfile, plugrad
>>> from plugrad.plugins.vision.io import read_image, write_png
>>> path = os.path.join(tempfile.mkdtemp(), "picture.png")
>>> picture = plugrad.randint(0, 256, (3, 4, 5), dtype=plugrad.uint8)
>>> write_png(picture, path)
>>> read_image(path).equal(picture)
True
"""

from __future__ import annotations

import os
from enum import Enum
from os import PathLike
from typing import Any

import numpy as np

import plugrad
from plugrad import Tensor, from_numpy

from . import pillow, png
from .png import ImageError

__all__ = [
    "ImageReadMode",
    "ImageError",
    "decode_image",
    "decode_png",
    "encode_png",
    "read_file",
    "read_image",
    "write_file",
    "write_png",
]


class ImageReadMode(Enum):
    """The channels that a picture is read with: those it has, or others.

    >>> from plugrad.plugins.vision.io import ImageReadMode
    >>> ImageReadMode.GRAY.name
    'GRAY'
    """

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4


PILLOWS = {"GRAY": "L", "GRAY_ALPHA": "LA", "RGB": "RGB", "RGB_ALPHA": "RGBA"}
GREY = np.array([19595, 38470, 7471], np.uint32)  # of 65536, as Pillow weighs colours
HALF = 1 << 15


def encode_png(input: Tensor, compression_level: int = 6) -> Tensor:
    """The bytes of a PNG file of a picture of 1 or 3 channels (2 or 4 with alpha).

    >>> import plugrad
    >>> from plugrad.plugins.vision.io import encode_png
    >>> encode_png(plugrad.zeros(1, 2, 2, dtype=plugrad.uint8))[1:4]
    tensor([80, 78, 71], dtype=plugrad.uint8)
    """
    return from_numpy(np.frombuffer(bytearray(file_of(input, compression_level)), "u1"))


def file_of(picture: Tensor, level: int = 6) -> bytes:
    """The bytes of a PNG file."""
    if not isinstance(picture, Tensor) or picture.dtype is not plugrad.uint8:
        kind = getattr(picture, "dtype", type(picture).__name__)
        raise TypeError(f"a PNG picture is a tensor of uint8, not of {kind}")
    if picture.ndim != 3 or picture.shape[0] not in png.KINDS:
        raise ValueError(
            "a PNG picture has shape (channels, height, width) with 1 to 4 channels, "
            f"not {list(picture.shape)}"
        )
    if not picture.numel():
        raise ValueError(f"a PNG picture of shape {list(picture.shape)} has no pixels")
    if not 0 <= level <= 9:
        raise ValueError(f"compression_level is {level}, not from 0 to 9")
    array = picture.detach().cpu().numpy()
    return png.encoded(np.ascontiguousarray(array.transpose(1, 2, 0)), level)


def write_png(
    input: Tensor, filename: str | PathLike[str], compression_level: int = 6
) -> None:
    """Write a picture of bytes as a PNG file.

    >>> import os, tempfile, plugrad
    >>> from plugrad.plugins.vision.io import write_png
    >>> path = os.path.join(tempfile.mkdtemp(), "black.png")
    >>> write_png(plugrad.zeros(1, 8, 8, dtype=plugrad.uint8), path)
    """
    data = file_of(input, compression_level)
    with open(filename, "wb") as file:
        file.write(data)


def read_file(path: str | PathLike[str]) -> Tensor:
    """The bytes of a file.

    >>> import os, tempfile, plugrad
    >>> from plugrad.plugins.vision.io import read_file, write_file
    >>> path = os.path.join(tempfile.mkdtemp(), "bytes")
    >>> write_file(path, plugrad.tensor([1, 2], dtype=plugrad.uint8))
    >>> read_file(path)
    tensor([1, 2], dtype=plugrad.uint8)
    """
    with open(path, "rb") as file:
        return from_numpy(np.frombuffer(bytearray(file.read()), np.uint8))


def write_file(filename: str | PathLike[str], data: Tensor) -> None:
    """Write bytes into a file.

    >>> import os, tempfile, plugrad
    >>> from plugrad.plugins.vision.io import write_file
    >>> path = os.path.join(tempfile.mkdtemp(), "bytes")
    >>> write_file(path, plugrad.tensor([1, 2], dtype=plugrad.uint8))
    """
    if data.dtype is not plugrad.uint8:
        raise TypeError(f"write_file: the bytes are of dtype uint8, not {data.dtype}")
    with open(filename, "wb") as file:
        file.write(data.detach().cpu().numpy().tobytes())


def decode_png(input: Tensor, mode: Any = ImageReadMode.UNCHANGED) -> Tensor:
    """The picture in the bytes of a PNG file.

    >>> import plugrad
    >>> from plugrad.plugins.vision.io import decode_png, encode_png
    >>> x = plugrad.arange(4, dtype=plugrad.uint8).view(1, 2, 2)
    >>> decode_png(encode_png(x)).equal(x)
    True
    """
    return picture_of(png.decoded(input.cpu().numpy().tobytes()), mode)


def decode_image(input: Tensor, mode: Any = ImageReadMode.UNCHANGED) -> Tensor:
    """The picture in the bytes of a file: whatever Pillow reads, or PNG without it.

    >>> import plugrad
    >>> from plugrad.plugins.vision.io import decode_image, encode_png
    >>> x = plugrad.arange(4, dtype=plugrad.uint8).view(1, 2, 2)
    >>> decode_image(encode_png(x), mode="RGB").shape
    plugrad.Size([3, 2, 2])
    """
    data = input.cpu().numpy().tobytes()
    if pillow.is_installed():
        try:
            image = pillow.opened(data, png.MOST_PIXELS)
        except ValueError as error:
            raise ImageError(str(error)) from error
        if image.mode not in PILLOWS.values():
            image = image.convert("L" if image.mode == "1" else "RGB")
        return picture_of(np.atleast_3d(np.asarray(image)), mode)
    if data.startswith(png.SIGNATURE):
        return picture_of(png.decoded(data), mode)
    raise ImportError(f"a picture that is not PNG needs Pillow: {pillow.HOW}")


def read_image(
    path: str | PathLike[str], mode: Any = ImageReadMode.UNCHANGED
) -> Tensor:
    """The picture in a file, with the channels it has or those that `mode` says.

    >>> import os, tempfile, plugrad
    >>> from plugrad.plugins.vision.io import read_image, write_png
    >>> path = os.path.join(tempfile.mkdtemp(), "white.png")
    >>> write_png(plugrad.full((3, 2, 2), 255, dtype=plugrad.uint8), path)
    >>> read_image(path, "GRAY")
    tensor([[[255, 255],
             [255, 255]]], dtype=plugrad.uint8)
    """
    try:
        return decode_image(read_file(path), mode)
    except ImageError as error:
        raise ImageError(f"{os.fspath(path)}: {error}") from error


def picture_of(pixels: np.ndarray, mode: Any) -> Tensor:
    """Pixels (height, width, channels) as a tensor with the channels of a mode."""
    if isinstance(mode, str):
        mode = ImageReadMode[mode.upper()]
    wanted = ImageReadMode(mode).value
    channels = pixels.shape[2]
    if wanted and wanted != channels:
        pixels = with_channels(pixels, wanted)
    return from_numpy(np.array(pixels.transpose(2, 0, 1), order="C"))


def with_channels(pixels: np.ndarray, wanted: int) -> np.ndarray:
    """Pixels with 1 to 4 channels as such with others. Alpha that is missing is 255;
    what is not wanted is dropped."""
    channels = pixels.shape[2]
    colour = pixels[..., : 1 if channels < 3 else 3]
    if wanted < 3 and channels > 2:
        colour = ((colour @ GREY + HALF) >> 16).astype(np.uint8)[..., None]
    if wanted > 2 and channels < 3:
        colour = colour.repeat(3, 2)
    if wanted % 2:
        return colour
    alpha = (
        pixels[..., -1:] if channels % 2 == 0 else np.full_like(colour[..., :1], 255)
    )
    return np.concatenate([colour, alpha], 2)
