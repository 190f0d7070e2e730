"""Pictures as tensors: to and from Pillow's images and NumPy's arrays, and in other
dtypes.

A tensor of a picture has shape (..., channels, height, width), an array (height, width)
or (height, width, channels).
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import plugrad
from plugrad import Tensor, default_backend, from_numpy

from .. import pillow

__all__ = [
    "convert_image_dtype",
    "pil_to_tensor",
    "to_pil_image",
    "to_tensor",
]

# Pillow's modes whose numbers are not bytes. (torchvision takes 16 bits with a sign.)
KINDS = {"I": np.int32, "F": np.float32, "I;16": np.int16, "I;16B": np.int16}
WHITE = np.float32(255)
BYTE = np.dtype(np.uint8)


def plain(x: Any) -> np.ndarray | None:
    """The array of a tensor that NumPy can work on and that no gradient is wanted of;
    None for others, which are left to plugrad's functions. (A NumPy call takes a
    third of the time of the function of plugrad's that ends in it.)"""
    if type(x) is Tensor and x.backend == "numpy" and not x.requires_grad:
        return x.numpy()
    return None


def tensor_of(array: np.ndarray) -> Tensor:
    """A new tensor, which lives on the default backend like others."""
    made = from_numpy(array)
    backend = default_backend().name
    return made if backend == "numpy" else made.to(backend=backend)


def channels_first(pic: Any) -> np.ndarray:
    """The array of a picture as (channels, height, width), perhaps a view."""
    if not isinstance(pic, np.ndarray):
        raise TypeError(f"pic should be PIL Image or ndarray. Got {type(pic)}")
    if pic.ndim == 2:
        return pic[None]
    if pic.ndim != 3:
        raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
    return pic.transpose(2, 0, 1)


def scaled(array: np.ndarray) -> np.ndarray:
    """Bytes as float32 from 0 to 1. (`divide(..., dtype=...)` takes twice the time.)"""
    floats = array.astype(np.float32, order="C")
    floats /= WHITE
    return floats


def to_tensor(pic: Any) -> Tensor:
    """A Pillow image or an array (height, width[, channels]) as a tensor (channels,
    height, width); bytes from 0 to 255 become numbers from 0 to 1.

    >>> import numpy as np
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.to_tensor(np.array([[0, 51, 255]], np.uint8))
    tensor([[[0.0000, 0.2000, 1.0000]]])
    """
    if pillow.is_image(pic):
        mode = pic.mode
        pic = np.array(pic, KINDS.get(mode, BYTE))
        if mode == "1":
            pic *= BYTE.type(255)
    array = channels_first(pic)
    if array.dtype != BYTE:
        return tensor_of(np.array(array, order="C"))
    if plugrad.get_default_dtype() is plugrad.float32:
        return tensor_of(scaled(array))
    whole = tensor_of(np.array(array, order="C"))
    return whole.to(plugrad.get_default_dtype()).div(255)


def pil_to_tensor(pic: Any) -> Tensor:
    """A Pillow image or an array as a tensor (channels, height, width) of the numbers
    it has.

    >>> import numpy as np
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.pil_to_tensor(np.array([[0, 51, 255]], np.uint8))
    tensor([[[  0,  51, 255]]], dtype=plugrad.uint8)
    """
    if pillow.is_image(pic):
        pic = np.asarray(pic)
    return tensor_of(np.array(channels_first(pic), order="C"))


MODES = {1: ("L",), 2: ("LA",), 3: ("RGB", "YCbCr", "HSV"), 4: ("RGBA", "CMYK", "RGBX")}
SINGLE = {"u1": "L", "i2": "I;16", "i4": "I", "f4": "F"}


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """A Pillow image of a tensor (channels, height, width) or (height, width), or of an
    array (height, width[, channels]). Floating-point numbers of a tensor are taken
    times 255.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> image = F.to_pil_image(plugrad.ones(3, 2, 4))
    >>> image.mode, image.size, image.getpixel((0, 0))
    ('RGB', (4, 2), (255, 255, 255))
    """
    library = pillow.find("to_pil_image()")
    if isinstance(pic, Tensor):
        array = pic.detach().cpu().numpy()
        array = array.transpose(1, 2, 0) if array.ndim == 3 else array
    elif isinstance(pic, np.ndarray):
        array = pic
    else:
        raise TypeError(f"pic should be Tensor or ndarray. Got {type(pic)}.")
    array = array[..., None] if array.ndim == 2 else array
    if array.ndim != 3:
        raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
    if array.shape[2] > 4:
        raise ValueError(
            f"pic should not have > 4 channels. Got {array.shape[2]} channels."
        )
    if array.dtype.kind == "f" and mode != "F":
        array = (array * array.dtype.type(255)).astype(np.uint8)
    return image_of(library, array, mode)


def image_of(library: Any, array: np.ndarray, mode: str | None) -> Any:
    """A Pillow image of an array (height, width, channels), of a mode that fits."""
    channels = array.shape[2]
    if channels == 1:
        array = array[:, :, 0]
        expected = SINGLE.get(array.dtype.str[1:])
        if mode is not None and mode != expected:
            raise ValueError(
                f"Incorrect mode ({mode}) supplied for input type {array.dtype}. "
                f"Should be {expected}"
            )
        mode = expected
    else:
        modes = MODES[channels]
        if mode is not None and mode not in modes:
            raise ValueError(f"Only modes {list(modes)} are supported for {channels}D")
        if mode is None and array.dtype == np.uint8:
            mode = {2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    if mode is None:
        raise TypeError(f"Input type {array.dtype} is not supported")
    height, width = array.shape[:2]
    if mode == "I;16" and sys.byteorder == "big":
        mode = "I;16B"
    return library.frombytes(mode, (width, height), array.tobytes())


def convert_image_dtype(image: Tensor, dtype: Any = plugrad.float32) -> Tensor:
    """A picture in another dtype, with white as white: integers use their whole range,
    floating-point numbers that from 0 to 1.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.convert_image_dtype(plugrad.tensor([0.0, 0.5, 1.0]), plugrad.uint8)
    tensor([  0, 127, 255], dtype=plugrad.uint8)
    """
    if not isinstance(image, Tensor):
        raise TypeError("Input img should be Tensor Image")
    dtype = plugrad.as_dtype(dtype)
    if image.dtype is dtype:
        return image
    if image.is_floating_point():
        if dtype.is_floating_point:
            return image.to(dtype)
        return integers_of(image, dtype)
    most = white(image.dtype)
    if dtype.is_floating_point:
        return image.to(dtype) / most
    target = white(dtype)
    if most > target:  # e.g. the high byte of 16 bits
        return (image // ((most + 1) // (target + 1))).to(dtype)
    return image.to(dtype) * ((target + 1) // (most + 1))


def integers_of(image: Tensor, dtype: Any) -> Tensor:
    """Numbers from 0 to 1 in the whole range of an integer dtype."""
    exact = {plugrad.float32: 2**24, plugrad.float64: 2**53}
    if white(dtype) > 2**31 - 2 and exact.get(image.dtype, 0) < white(dtype):
        raise RuntimeError(
            f"The cast from {image.dtype} to {dtype} cannot be performed safely."
        )
    # A little less than one more: 1.0 stays within the range, and the steps are even.
    return image.mul(white(dtype) + 1.0 - 1e-3).to(dtype)


def white(dtype: Any) -> int:
    """The number that stands for white."""
    if dtype.is_floating_point:
        return 1
    return 1 if dtype is plugrad.bool else int(plugrad.iinfo(dtype).max)
