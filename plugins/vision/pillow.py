"""Pillow, which may or may not be installed.

It is imported when an image is to be made or read, never before: nobody can give an
image of Pillow's to a transform without having imported it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from io import BytesIO
from typing import Any

HOW = "pip install 'plugrad-vision[pillow]'"


def find(purpose: str) -> Any:
    """The module PIL.Image, or an ImportError that says what wants it."""
    return submodule("Image", purpose)


def submodule(name: str, purpose: str) -> Any:
    """A module of Pillow's, such as ImageOps."""
    found = sys.modules.get(f"PIL.{name}")
    if found is not None:  # importing it again takes 1 us, a crop of 28 x 28 10
        return found
    try:
        return import_module(f"PIL.{name}")
    except ImportError as error:
        raise ImportError(f"{purpose} needs Pillow: {HOW}") from error


def opened(data: bytes, most_pixels: int) -> Any:
    """The image in the bytes of a file, decoded. Whatever is wrong with it is a
    ValueError, and so are more pixels than `most_pixels`.

    Pillow asks for as many bytes as a part of the file claims to have, up to 4 GB. A
    file would make room for them; bytes in memory give what there is.
    """
    library = find("reading pictures")
    try:
        image = library.open(BytesIO(data))
        width, height = image.size
        if width * height > most_pixels:
            raise ValueError(f"{width} x {height} pixels, more than {most_pixels}")
        image.load()
        return image
    except MemoryError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever they meet
        reason = str(error) or type(error).__name__
        raise ValueError(f"not a whole picture: {reason}") from error


def is_installed() -> bool:
    """Whether there is a Pillow to import."""
    try:
        import_module("PIL.Image")
    except ImportError:
        return False
    return True


def is_image(value: Any) -> bool:
    """Whether it is an image of Pillow's."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)
