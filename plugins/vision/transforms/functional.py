"""The transforms as functions, without anything random: of tensors (..., channels,
height, width), and most of Pillow's images as well."""

from __future__ import annotations

from . import blurring, colouring, convert, cropping, normalizing, resizing, warping
from .blurring import *  # noqa: F403
from .colouring import *  # noqa: F403
from .convert import *  # noqa: F403
from .cropping import *  # noqa: F403
from .normalizing import *  # noqa: F403
from .resizing import *  # noqa: F403
from .warping import *  # noqa: F403

__all__: list[str] = []
__all__ += blurring.__all__
__all__ += colouring.__all__
__all__ += convert.__all__
__all__ += cropping.__all__
__all__ += normalizing.__all__
__all__ += resizing.__all__
__all__ += warping.__all__
