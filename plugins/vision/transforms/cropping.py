"""Parts of a picture, its mirror images, and margins around it."""

from __future__ import annotations

from typing import Any

import numpy as np

from plugrad import Tensor, from_numpy
from plugrad.nn.functional import pad as pad_tensor

from .. import pillow
from .convert import plain

__all__ = [
    "center_crop",
    "crop",
    "five_crop",
    "get_dimensions",
    "get_image_num_channels",
    "get_image_size",
    "hflip",
    "pad",
    "ten_crop",
    "vflip",
]

MODES = ("constant", "edge", "reflect", "symmetric")


def is_tensor(img: Any) -> bool:
    """Whether it is a tensor of a picture; it may be a Pillow image else."""
    if isinstance(img, Tensor):
        if img.ndim < 2:
            raise TypeError("Tensor is not a torch image.")
        return True
    if pillow.is_image(img):
        return False
    raise TypeError(
        f"img should be PIL Image or Tensor. Got {type(img)}; ToTensor() makes a "
        "tensor of an array"
    )


def get_dimensions(img: Any) -> list[int]:
    """Channels, height and width.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.get_dimensions(plugrad.zeros(8, 3, 32, 48))
    [3, 32, 48]
    """
    if is_tensor(img):
        shape = img.shape
        return [1 if len(shape) == 2 else shape[-3], shape[-2], shape[-1]]
    width, height = img.size
    return [len(img.getbands()), height, width]


def get_image_size(img: Any) -> list[int]:
    """Width and height, in this order.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.get_image_size(plugrad.zeros(3, 32, 48))
    [48, 32]
    """
    _, height, width = get_dimensions(img)
    return [width, height]


def get_image_num_channels(img: Any) -> int:
    """The number of channels.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.get_image_num_channels(plugrad.zeros(3, 32, 48))
    3
    """
    return get_dimensions(img)[0]


def pair(size: Any) -> Any:
    """Height and width, from one number for both or from a sequence."""
    if isinstance(size, (int, float)):
        return int(size), int(size)
    if len(size) == 1:
        return size[0], size[0]
    if len(size) != 2:
        raise ValueError("Please provide only two dimensions (h, w) for size.")
    return size


# --- Parts --------------------------------------------------------------------------


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """The part whose upper left corner is at (`top`, `left`). What lies outside the
    picture is 0.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.crop(plugrad.arange(12).view(1, 3, 4), 1, 2, 2, 2)
    tensor([[[ 6,  7],
             [10, 11]]])
    """
    if not is_tensor(img):
        return img.crop((left, top, left + width, top + height))
    right, bottom = left + width, top + height
    h, w = img.shape[-2:]
    if left < 0 or top < 0 or right > w or bottom > h:
        inner = img[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        before = max(min(0, right) - left, 0), max(min(0, bottom) - top, 0)
        after = max(right - max(w, left), 0), max(bottom - max(h, top), 0)
        return pad(inner, [*before, *after])
    array = plain(img)
    if array is not None:
        return from_numpy(array[..., top:bottom, left:right])
    return img[..., top:bottom, left:right]


def center_crop(img: Any, output_size: Any) -> Any:
    """The middle of a picture, with margins of 0 where the picture is smaller.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.center_crop(plugrad.arange(16).view(1, 4, 4), 2)
    tensor([[[ 5,  6],
             [ 9, 10]]])
    """
    height, width = pair(output_size)
    _, h, w = get_dimensions(img)
    if width > w or height > h:
        wider, higher = max(width - w, 0), max(height - h, 0)
        margins = [wider // 2, higher // 2, (wider + 1) // 2, (higher + 1) // 2]
        img = pad(img, margins)
        _, h, w = get_dimensions(img)
        if (height, width) == (h, w):
            return img
    return crop(img, round((h - height) / 2), round((w - width) / 2), height, width)


def five_crop(img: Any, size: Any) -> tuple[Any, ...]:
    """The four corners and the middle: upper left, upper right, lower left, lower
    right, middle.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> [each.item() for each in F.five_crop(plugrad.arange(9).view(1, 3, 3), 1)]
    [0, 2, 6, 8, 4]
    """
    height, width = pair(size)
    _, h, w = get_dimensions(img)
    if width > w or height > h:
        raise ValueError(
            f"Requested crop size {size} is bigger than input size {(h, w)}"
        )
    corners = [(y, x) for y in (0, h - height) for x in (0, w - width)]
    crops = [crop(img, y, x, height, width) for y, x in corners]
    return (*crops, center_crop(img, [height, width]))


def ten_crop(img: Any, size: Any, vertical_flip: bool = False) -> tuple[Any, ...]:
    """`five_crop` of a picture and of its mirror image.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> [each.item() for each in F.ten_crop(plugrad.arange(9).view(1, 3, 3), 1)]
    [0, 2, 6, 8, 4, 2, 0, 8, 6, 4]
    """
    size = pair(size)
    mirrored = vflip(img) if vertical_flip else hflip(img)
    return five_crop(img, size) + five_crop(mirrored, size)


# --- Mirror images ------------------------------------------------------------------


def hflip(img: Any) -> Any:
    """A picture with left and right exchanged.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.hflip(plugrad.arange(4).view(1, 2, 2))
    tensor([[[1, 0],
             [3, 2]]])
    """
    if not is_tensor(img):
        return img.transpose(pillow.find("hflip()").Transpose.FLIP_LEFT_RIGHT)
    array = plain(img)
    if array is not None:
        return from_numpy(array[..., ::-1].copy())
    return img.flip(-1)


def vflip(img: Any) -> Any:
    """A picture upside down.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.vflip(plugrad.arange(4).view(1, 2, 2))
    tensor([[[2, 3],
             [0, 1]]])
    """
    if not is_tensor(img):
        return img.transpose(pillow.find("vflip()").Transpose.FLIP_TOP_BOTTOM)
    array = plain(img)
    if array is not None:
        return from_numpy(array[..., ::-1, :].copy())
    return img.flip(-2)


# --- Margins ------------------------------------------------------------------------


def check_padding(padding: Any, fill: Any, padding_mode: Any) -> None:
    """Raise unless they are what `pad` takes."""
    if not isinstance(padding, (int, float, tuple, list)):
        raise TypeError("Got inappropriate padding arg")
    if not isinstance(fill, (int, float, tuple, list)):
        raise TypeError("Got inappropriate fill arg")
    if padding_mode not in MODES:
        raise ValueError(
            "Padding mode should be either constant, edge, reflect or symmetric"
        )
    if isinstance(padding, (tuple, list)) and len(padding) not in (1, 2, 4):
        raise ValueError(
            "Padding must be an int or a 1, 2, or 4 element tuple, not a "
            f"{len(padding)} element tuple"
        )


def four(padding: Any) -> tuple[int, int, int, int]:
    """The margins left, above, right and below."""
    if isinstance(padding, (int, float)):
        padding = [padding]
    sides = [int(each) for each in padding]
    sides = sides * (4 // len(sides))
    return sides[0], sides[1], sides[2], sides[3]


def pad(img: Any, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> Any:
    """A picture with margins: `padding` is one number, or (left and right, above and
    below), or (left, above, right, below).

    The margins are `fill`, or with `padding_mode` "edge" the nearest pixel, with
    "reflect" and "symmetric" a mirror image without and with the outermost pixel.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.pad(plugrad.ones(1, 1, 1), (1, 0), fill=5)
    tensor([[[5., 1., 5.]]])
    """
    fill = 0 if fill is None else fill
    check_padding(padding, fill, padding_mode)
    sides = four(padding)
    if not is_tensor(img):
        return pad_image(img, sides, fill, padding_mode)
    if not isinstance(fill, (int, float)):
        raise TypeError("Got inappropriate fill arg")
    array = plain(img)
    if array is not None and min(sides) >= 0:
        return from_numpy(pad_array(array, sides, fill, padding_mode))
    return padded(img, sides, fill, padding_mode)


def pad_array(array: np.ndarray, sides: Any, fill: Any, mode: str) -> np.ndarray:
    """Margins of no negative width around an array (..., height, width). Writing the
    picture into an array of `fill` takes a tenth of the time of numpy.pad."""
    left, top, right, bottom = sides
    height, width = array.shape[-2:]
    if mode == "reflect" and (max(left, right) >= width or max(top, bottom) >= height):
        raise RuntimeError(
            f"pad: margins of {list(sides)} by reflection need a larger picture than "
            f"{height} x {width}"
        )
    if mode != "constant":
        around = [(0, 0)] * (array.ndim - 2) + [(top, bottom), (left, right)]
        return np.pad(array, around, mode)  # type: ignore[call-overload]
    shape = (*array.shape[:-2], top + height + bottom, left + width + right)
    made = np.zeros(shape, array.dtype)
    if fill:
        made[...] = np.asarray(fill).astype(array.dtype)
    made[..., top : top + height, left : left + width] = array
    return made


def padded(img: Tensor, sides: Any, fill: Any, mode: str) -> Tensor:
    """Margins around a tensor; negative ones are cut off."""
    left, top, right, bottom = sides
    if mode == "symmetric":
        return img[..., mirrored(img.shape[-2], top, bottom), :][
            ..., mirrored(img.shape[-1], left, right)
        ]
    around = [left, right, top, bottom]
    if mode == "constant":
        return pad_tensor(img, around, value=float(fill))
    batch = img if img.ndim > 3 else img[(None,) * (4 - img.ndim)]
    torchs = {"edge": "replicate", "reflect": "reflect"}[mode]
    made = pad_tensor(batch, around, mode=torchs)
    return made.reshape(*img.shape[:-2], *made.shape[-2:])


def mirrored(size: int, before: int, after: int) -> list[int]:
    """Indices of a row with mirror images at its ends."""
    cut = range(max(-before, 0), size - max(-after, 0))
    first, last = list(cut)[: max(before, 0)], list(cut)[len(cut) - max(after, 0) :]
    return [*first[::-1], *cut, *last[::-1]]


def pad_image(img: Any, sides: Any, fill: Any, mode: str) -> Any:
    """Margins around a Pillow image; negative ones are cut off."""
    library = pillow.find("pad()")
    left, top, right, bottom = sides
    if mode == "constant":
        expand = pillow.submodule("ImageOps", "pad()").expand
        made = expand(img, border=tuple(sides), fill=filling(img, fill))
    else:
        box = max(-left, 0), max(-top, 0)
        end = img.width - max(-right, 0), img.height - max(-bottom, 0)
        array = np.asarray(img.crop((*box, *end)) if min(sides) < 0 else img)
        around = [(max(top, 0), max(bottom, 0)), (max(left, 0), max(right, 0))]
        around += [(0, 0)] * (array.ndim - 2)
        made = library.fromarray(np.pad(array, around, mode))  # type: ignore[call-overload]
    if img.mode == "P":
        made.putpalette(img.getpalette())
    return made


def filling(img: Any, fill: Any) -> Any:
    """A colour as Pillow wants it for an image: a number, or one for each channel."""
    channels = len(img.getbands())
    fill = 0 if fill is None else fill
    if isinstance(fill, (int, float)):
        fill = [fill] * channels
    elif len(fill) == 1:
        fill = list(fill) * channels
    elif len(fill) != channels:
        raise ValueError(
            "The number of elements in 'fill' does not match the number of channels of "
            f"the image ({len(fill)} != {channels})"
        )
    if img.mode != "F":
        fill = [int(each) for each in fill]
    return tuple(fill) if channels > 1 else fill[0]
