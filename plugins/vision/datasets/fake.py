"""Pictures of random numbers, to try a program with."""

from __future__ import annotations

from typing import Any

import plugrad

from ..transforms.functional import to_pil_image
from .base import Transform, VisionDataset

__all__ = ["FakeData"]


class FakeData(VisionDataset):
    """Random pictures as Pillow images, with random classes. Sample i is always the
    same, and takes nothing from the program's random stream.

    >>> from plugrad.plugins.vision import datasets, transforms
    >>> fake = datasets.FakeData(10, (3, 8, 8), transform=transforms.ToTensor())
    >>> fake[3][0].equal(fake[3][0])
    True
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, int, int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        random_offset: int = 0,
    ) -> None:
        super().__init__(None, None, transform, target_transform)
        self.size = size
        self.num_classes = num_classes
        self.image_size = image_size
        self.random_offset = random_offset

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if index >= len(self):
            raise IndexError(f"{type(self).__name__} index out of range")
        source = plugrad.Generator().manual_seed(index + self.random_offset)
        pixels = plugrad.randn(*self.image_size, generator=source)
        target = plugrad.randint(0, self.num_classes, (1,), generator=source)[0]
        image = to_pil_image(pixels)
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target.item() if isinstance(target, plugrad.Tensor) else target

    def __len__(self) -> int:
        return self.size
