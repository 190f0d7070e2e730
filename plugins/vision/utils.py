"""Many pictures in one, and pictures in files."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any, BinaryIO

import plugrad
from plugrad import Tensor, no_grad

from . import pillow
from .io import file_of

__all__ = ["make_grid", "save_image"]

LEAST_SPAN = 1e-5


def make_grid(
    tensor: Tensor | list[Tensor],
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Tensor:
    """One picture of many (N, C, H, W), `nrow` in a row, with `padding` between them.

    With `normalize` the numbers are stretched from 0 to 1: from `value_range`, or else
    from the least and the largest of all, or of each picture with `scale_each`.

    >>> import plugrad
    >>> from plugrad.plugins.vision.utils import make_grid
    >>> make_grid(plugrad.zeros(10, 1, 28, 28), nrow=5).shape
    plugrad.Size([3, 62, 152])
    """
    pictures = stacked(tensor)
    if normalize:
        if value_range is not None and not isinstance(value_range, tuple):
            raise TypeError(
                "value_range has to be a tuple (min, max) if specified. min and max "
                "are numbers"
            )
        if scale_each:
            parts = [stretched(each, value_range) for each in pictures.unbind(0)]
            pictures = plugrad.stack(parts)
        else:
            pictures = stretched(pictures, value_range)
    count, channels, height, width = pictures.shape
    if count == 1:
        return pictures.squeeze(0)
    columns = min(nrow, count)
    rows = -(-count // columns)
    high, wide = height + padding, width + padding
    size = channels, rows * high + padding, columns * wide + padding
    grid = pictures.new_full(size, pad_value)
    for i, picture in enumerate(pictures.unbind(0)):
        top, left = i // columns * high + padding, i % columns * wide + padding
        grid[:, top : top + height, left : left + width] = picture
    return grid


def stacked(tensor: Any) -> Tensor:
    """Pictures as (N, C, H, W), grey ones with three channels."""
    if isinstance(tensor, list):
        for each in tensor:
            if not isinstance(each, Tensor):
                raise TypeError(
                    "tensor or list of tensors expected, got a list containing "
                    f"{type(each)}"
                )
        tensor = plugrad.stack(tensor)
    elif not isinstance(tensor, Tensor):
        raise TypeError(f"tensor or list of tensors expected, got {type(tensor)}")
    pictures = tensor[(None,) * max(4 - tensor.ndim, 0)]
    if pictures.shape[1] == 1:
        return plugrad.cat([pictures] * 3, 1)
    return pictures


def stretched(pictures: Tensor, value_range: Any) -> Tensor:
    """Numbers from a range as numbers from 0 to 1."""
    if value_range is None:
        value_range = float(pictures.min()), float(pictures.max())
    low, high = value_range
    return (pictures.clamp(low, high) - low) / max(high - low, LEAST_SPAN)


@no_grad()
def save_image(
    tensor: Tensor | list[Tensor],
    fp: str | PathLike[str] | BinaryIO,
    format: str | None = None,
    **kwargs: Any,
) -> None:
    """Write a picture, or many as `make_grid` (which takes `kwargs`) puts them
    together, into a file; numbers from 0 to 1 become bytes. PNG needs no other library,
    other formats need Pillow.

    >>> import os, tempfile, plugrad
    >>> from plugrad.plugins.vision.utils import save_image
    >>> path = os.path.join(tempfile.mkdtemp(), "grid.png")
    >>> save_image(plugrad.rand(16, 1, 8, 8), path, nrow=4)
    """
    grid = make_grid(tensor, **kwargs)
    picture = grid.mul(255).add(0.5).clamp(0, 255).to(plugrad.uint8).cpu()
    named = not hasattr(fp, "write")
    kind = format or (fspath(fp).rpartition(".")[2] if named else "png")  # type: ignore[arg-type]
    if kind.lower() != "png":
        library = pillow.find(f"a picture in the format {kind!r}")
        image = library.fromarray(picture.permute(1, 2, 0).numpy().copy())
        image.save(fp, format=format)
    elif named:
        data = file_of(picture)
        with open(fp, "wb") as file:  # type: ignore[arg-type]
            file.write(data)
    else:
        fp.write(file_of(picture))  # type: ignore[union-attr]
