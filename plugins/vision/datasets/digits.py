"""The handwritten digits that come with this package, for trials without a network.

Source, licence and the rule of the split stand in `shipped/SOURCE.txt`.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from plugrad import Tensor, from_numpy

from .base import Transform, host
from .mnist import MNIST

__all__ = ["Digits"]

DARKEST = 16  # a pixel counts the dark ones among 4 x 4


class Digits(MNIST):
    """1797 handwritten digits of 8 x 8 pixels, 1442 for training and 355 for tests.

    They come with plugrad-vision; `root` and `download` are for programs that have
    MNIST otherwise, and are not looked at. Every fifth picture of each digit is for
    tests. As in MNIST a pixel is a byte, from 0 (paper) to 255 (ink); the files have 0
    to 16. Some people wrote both training and test pictures, so the test says little
    about the writing of others.

    >>> from plugrad.plugins.vision import datasets, transforms
    >>> train = datasets.Digits(transform=transforms.ToTensor())
    >>> test = datasets.Digits(train=False, transform=transforms.ToTensor())
    >>> len(train), len(test)
    (1442, 355)
    >>> image, label = train[0]
    >>> image.shape, label
    (plugrad.Size([1, 8, 8]), 0)
    """

    folder = Path(__file__).parent / "shipped"
    mirrors = []
    resources = []

    def __init__(
        self,
        root: str | PathLike[str] | None = None,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(self.folder, train, transform, target_transform)

    def _load(self) -> tuple[Tensor, Tensor]:
        images, labels = super()._load()
        counts = host(images).astype("u2")
        return from_numpy((counts * 255 + 8) // DARKEST).byte(), labels
