"""The colours of a picture."""

from __future__ import annotations

from typing import Any

import plugrad
from plugrad import Tensor
from plugrad.nn.functional import pad

from .. import pillow
from .convert import convert_image_dtype, white
from .cropping import is_tensor

__all__ = [
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "autocontrast",
    "equalize",
    "invert",
    "posterize",
    "rgb_to_grayscale",
    "solarize",
    "to_grayscale",
]

GREY = (0.2989, 0.587, 0.114)  # how bright red, green and blue are


def check_channels(img: Tensor) -> None:
    """Raise unless a picture is grey or has red, green and blue."""
    channels = 1 if img.ndim == 2 else img.shape[-3]
    if channels not in (1, 3):
        raise TypeError(
            "Input image tensor permitted channel values are 1 or 3, but found "
            f"{channels}"
        )


def check_factor(name: str, factor: float) -> None:
    if factor < 0:
        raise ValueError(f"{name}_factor ({factor}) is not non-negative.")


def check_dimensions(img: Tensor) -> None:
    if img.ndim < 3:
        raise TypeError(
            "Input image tensor should have at least 3 dimensions, but found "
            f"{img.ndim}"
        )
    check_channels(img)


def blend(img: Tensor, other: Any, ratio: float) -> Tensor:
    """ratio * img + (1 - ratio) * other, within the range of the picture's dtype."""
    mixed = img * float(ratio) + other * (1.0 - float(ratio))
    return mixed.clamp(0, white(img.dtype)).to(img.dtype)


def enhanced(img: Any, how: str, factor: float) -> Any:
    """What one of Pillow's classes of ImageEnhance makes of an image."""
    module = pillow.submodule("ImageEnhance", f"adjusting the {how.lower()}")
    return getattr(module, how)(img).enhance(factor)


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """A brighter picture (by a factor above 1) or a darker one (below 1).

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.adjust_brightness(plugrad.tensor([[[0.25, 0.75]]]), 2.0)
    tensor([[[0.5000, 1.0000]]])
    """
    if not is_tensor(img):
        return enhanced(img, "Brightness", brightness_factor)
    check_factor("brightness", brightness_factor)
    check_channels(img)
    return blend(img, plugrad.zeros_like(img), brightness_factor)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """A picture further from its mean (by a factor above 1) or nearer to it.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.adjust_contrast(plugrad.tensor([[[0.25, 0.75]]]), 0.0)
    tensor([[[0.5000, 0.5000]]])
    """
    if not is_tensor(img):
        return enhanced(img, "Contrast", contrast_factor)
    check_factor("contrast", contrast_factor)
    check_channels(img)
    grey = rgb_to_grayscale(img) if img.ndim > 2 and img.shape[-3] == 3 else img
    real = img.dtype if img.is_floating_point() else plugrad.float32
    dims = tuple(range(-min(img.ndim, 3), 0))
    return blend(img, grey.to(real).mean(dims, keepdim=True), contrast_factor)


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """A picture with stronger colours (by a factor above 1) or fainter ones.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> grey = F.adjust_saturation(plugrad.rand(3, 2, 2), 0.0)
    >>> grey[0].equal(grey[2])
    True
    """
    if not is_tensor(img):
        return enhanced(img, "Color", saturation_factor)
    check_factor("saturation", saturation_factor)
    check_channels(img)
    if img.ndim < 3 or img.shape[-3] == 1:
        return img
    return blend(img, rgb_to_grayscale(img), saturation_factor)


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """gain * img ** gamma, where white is 1.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.adjust_gamma(plugrad.tensor([[[0.5, 1.0]]]), 2.0)
    tensor([[[0.2500, 1.0000]]])
    """
    if gamma < 0:
        raise ValueError("Gamma should be a non-negative real number")
    if not is_tensor(img):
        levels = [int(255.999 * gain * (i / 255.0) ** gamma) for i in range(256)]
        return img.convert("RGB").point(levels * 3).convert(img.mode)
    check_channels(img)
    real = img
    if not img.is_floating_point():
        real = convert_image_dtype(img, plugrad.float32)
    return convert_image_dtype((real.pow(gamma) * gain).clamp(0, 1), img.dtype)


# --- Hue ----------------------------------------------------------------------------


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """A picture with its hues turned by a part of the circle, from -0.5 to 0.5.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> red = plugrad.tensor([1.0, 0.0, 0.0]).view(3, 1, 1)
    >>> F.adjust_hue(red, 0.5).flatten()
    tensor([0., 1., 1.])
    """
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    if not is_tensor(img):
        return adjust_hue_image(img, hue_factor)
    check_channels(img)
    if img.ndim < 3 or img.shape[-3] == 1:
        return img
    h, s, v = hsv_of(*convert_image_dtype(img, plugrad.float32).unbind(-3))
    turned = plugrad.stack(rgb_of((h + hue_factor) % 1.0, s, v), -3)
    return convert_image_dtype(turned, img.dtype)


def adjust_hue_image(img: Any, hue_factor: float) -> Any:
    """The same of a Pillow image."""
    if img.mode in ("L", "1", "I", "F"):
        return img
    library = pillow.find("adjust_hue()")
    hue, saturation, value = img.convert("HSV").split()
    step = int(hue_factor * 255) % 256
    hue = hue.point([(i + step) % 256 for i in range(256)])
    return library.merge("HSV", (hue, saturation, value)).convert(img.mode)


def hsv_of(r: Tensor, g: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue, saturation and value, each from 0 to 1."""
    where = plugrad.where
    most = plugrad.maximum(plugrad.maximum(r, g), b)
    least = plugrad.minimum(plugrad.minimum(r, g), b)
    grey = most == least
    one = plugrad.ones_like(most)
    span = most - least
    saturation = span / where(grey, one, most)
    span = where(grey, one, span)
    red, green, blue = ((most - each) / span for each in (r, g, b))
    others = where(most == g, 2.0 + red - blue, 4.0 + green - red)
    hue = where(most == r, blue - green, others)
    return plugrad.fmod(hue / 6.0 + 1.0, 1.0), saturation, most


def rgb_of(h: Tensor, s: Tensor, v: Tensor) -> list[Tensor]:
    """Red, green and blue: the circle of hues has six parts, in each of which one
    rises or falls."""
    part = plugrad.floor(h * 6.0)
    f = h * 6.0 - part
    low = (v * (1.0 - s)).clamp(0.0, 1.0)
    falling = (v * (1.0 - s * f)).clamp(0.0, 1.0)
    rising = (v * (1.0 - s * (1.0 - f))).clamp(0.0, 1.0)
    part = part % 6.0
    colours = []
    for levels in (
        (v, falling, low, low, rising, v),
        (rising, v, v, falling, low, low),
        (low, low, rising, v, v, falling),
    ):
        colour = levels[0]
        for number, level in enumerate(levels[1:], 1):
            colour = plugrad.where(part == number, level, colour)
        colours.append(colour)
    return colours


# --- Grey ---------------------------------------------------------------------------


def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """A grey picture, of one channel or of three equal ones.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.rgb_to_grayscale(plugrad.ones(3, 1, 1)).shape
    plugrad.Size([1, 1, 1])
    """
    if num_output_channels not in (1, 3):
        raise ValueError("num_output_channels should be either 1 or 3")
    if not is_tensor(img):
        grey = img.convert("L")
        if num_output_channels == 1:
            return grey
        return pillow.find("rgb_to_grayscale()").merge("RGB", [grey] * 3)
    check_dimensions(img)
    if img.shape[-3] == 3:
        r, g, b = img.unbind(-3)
        grey = (r * GREY[0] + g * GREY[1] + b * GREY[2]).to(img.dtype).unsqueeze(-3)
    else:
        grey = img.clone()
    return grey.expand(img.shape) if num_output_channels == 3 else grey


def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """`rgb_to_grayscale` of a Pillow image.

    >>> from PIL import Image
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.to_grayscale(Image.new("RGB", (2, 2))).mode
    'L'
    """
    if not pillow.is_image(img):
        raise TypeError("Input should be PIL Image")
    return rgb_to_grayscale(img, num_output_channels)


# --- Levels -------------------------------------------------------------------------


def invert(img: Any) -> Any:
    """A picture with dark and bright exchanged.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.invert(plugrad.tensor([[[0, 55]]], dtype=plugrad.uint8))
    tensor([[[255, 200]]], dtype=plugrad.uint8)
    """
    if not is_tensor(img):
        return pillow.submodule("ImageOps", "invert()").invert(img)
    check_dimensions(img)
    return white(img.dtype) - img


def posterize(img: Any, bits: int) -> Any:
    """A picture of bytes with only so many of the highest bits.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.posterize(plugrad.tensor([[[100, 255]]], dtype=plugrad.uint8), 1)
    tensor([[[  0, 128]]], dtype=plugrad.uint8)
    """
    if not 0 <= bits <= 8:
        raise ValueError(f"The number if bits should be between 0 and 8. Got {bits}")
    if not is_tensor(img):
        return pillow.submodule("ImageOps", "posterize()").posterize(img, bits)
    check_dimensions(img)
    check_bytes(img)
    return img & (256 - 2 ** (8 - bits))


def check_bytes(img: Tensor) -> None:
    if img.dtype is not plugrad.uint8:
        raise TypeError(
            f"Only uint8 image tensors are supported, but found {img.dtype}"
        )


def solarize(img: Any, threshold: float) -> Any:
    """A picture whose pixels from a threshold on are inverted.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.solarize(plugrad.tensor([[[100, 255]]], dtype=plugrad.uint8), 128)
    tensor([[[100,   0]]], dtype=plugrad.uint8)
    """
    if not is_tensor(img):
        return pillow.submodule("ImageOps", "solarize()").solarize(img, threshold)
    check_dimensions(img)
    if threshold > white(img.dtype):
        raise TypeError("Threshold should be less than bound of img.")
    return plugrad.where(img >= threshold, invert(img), img)


def autocontrast(img: Any) -> Any:
    """A picture whose channels go from black to white.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> F.autocontrast(plugrad.tensor([[[100, 110, 120]]], dtype=plugrad.uint8))
    tensor([[[  0, 127, 255]]], dtype=plugrad.uint8)
    """
    if not is_tensor(img):
        return pillow.submodule("ImageOps", "autocontrast()").autocontrast(img)
    check_dimensions(img)
    bound = white(img.dtype)
    real = img.dtype if img.is_floating_point() else plugrad.float32
    least = img.amin((-2, -1), keepdim=True).to(real)
    span = img.amax((-2, -1), keepdim=True).to(real) - least
    scale = span.reciprocal() * bound  # as torch divides a number by a tensor
    flat = ~plugrad.isfinite(scale)
    least = plugrad.where(flat, plugrad.zeros_like(least), least)
    scale = plugrad.where(flat, plugrad.ones_like(scale), scale)
    return ((img - least) * scale).clamp(0, bound).to(img.dtype)


def equalize(img: Any) -> Any:
    """A picture of bytes in which all levels are about as frequent.

    >>> import plugrad
    >>> from plugrad.plugins.vision.transforms import functional as F
    >>> dark = (plugrad.arange(1024) // 8).to(plugrad.uint8).view(1, 32, 32)
    >>> dark.max().item(), F.equalize(dark).max().item()
    (127, 255)
    """
    if not is_tensor(img):
        return pillow.submodule("ImageOps", "equalize()").equalize(img)
    if not 3 <= img.ndim <= 4:
        raise TypeError(
            f"Input image tensor should have 3 or 4 dimensions, but found {img.ndim}"
        )
    check_bytes(img)
    check_channels(img)
    channels = img.reshape(-1, *img.shape[-2:]).unbind(0)
    made = plugrad.stack([equalized(each) for each in channels])
    return made.reshape(img.shape)


def equalized(channel: Tensor) -> Tensor:
    """One channel (height, width): the level of a pixel becomes its rank."""
    counts = plugrad.bincount(channel.reshape(-1).long(), minlength=256)
    used = counts[counts != 0]
    step = int(used[:-1].sum()) // 255
    if step == 0:
        return channel
    ranks = (counts.cumsum(0) + step // 2) // step
    ranks = pad(ranks, [1, 0])[:-1].clamp(0, 255)
    return ranks[channel.long()].to(plugrad.uint8)
