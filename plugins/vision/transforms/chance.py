"""The base of transforms that change a picture or, by chance, leave it as it is."""

from __future__ import annotations

from typing import Any

from plugrad.nn import Module

from .. import draws


class Sometimes(Module):
    """The base of transforms that change a picture with probability `p`."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def change(self, img: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no change()")

    def forward(self, img: Any) -> Any:
        return self.change(img) if draws.fraction() < self.p else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"
