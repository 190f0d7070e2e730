"""What the datasets of pictures have in common."""

from __future__ import annotations

import os
from collections.abc import Callable
from os import PathLike
from typing import Any, ClassVar

import numpy as np

from plugrad import Tensor, default_backend, float32, from_numpy, get_default_dtype
from plugrad.utils.data import Dataset

from .. import pillow
from ..transforms import (
    Compose,
    Normalize,
    PILToTensor,
    RandomCrop,
    RandomHorizontalFlip,
    RandomVerticalFlip,
    ToTensor,
)
from ..transforms.convert import channels_first, scaled

Transform = Callable[[Any], Any]


class StandardTransform:
    """A transform of the picture and one of the target, as one of both.

    >>> from plugrad.plugins.vision.datasets import StandardTransform
    >>> StandardTransform(target_transform=str)("picture", 3)
    ('picture', '3')
    """

    def __init__(
        self,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
    ) -> None:
        self.transform = transform
        self.target_transform = target_transform

    def __call__(self, input: Any, target: Any) -> tuple[Any, Any]:
        if self.transform is not None:
            input = self.transform(input)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return input, target

    def __repr__(self) -> str:
        lines = [type(self).__name__]
        for head, each in (
            ("Transform: ", self.transform),
            ("Target transform: ", self.target_transform),
        ):
            if each is not None:
                first, *rest = repr(each).splitlines()
                lines += [head + first, *(" " * len(head) + line for line in rest)]
        return "\n".join(lines)


class VisionDataset(Dataset[Any]):
    """The base of datasets of pictures: `root` is the folder that they lie in,
    `transform` is called with each picture, `target_transform` with each target, or
    `transforms` with both.

    >>> from plugrad.plugins.vision.datasets import VisionDataset
    >>> class Empty(VisionDataset):
    ...     def __len__(self):
    ...         return 0
    >>> Empty("data")
    Dataset Empty
        Number of datapoints: 0
        Root location: data
    """

    def __init__(
        self,
        root: str | PathLike[str] | None = None,
        transforms: Callable[[Any, Any], Any] | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
    ) -> None:
        self.root: Any = os.path.expanduser(root) if isinstance(root, str) else root
        separate = transform is not None or target_transform is not None
        if transforms is not None and separate:
            raise ValueError(
                "Only transforms or transform/target_transform can be passed as "
                "argument"
            )
        self.transform = transform
        self.target_transform = target_transform
        if separate:
            transforms = StandardTransform(transform, target_transform)
        self.transforms = transforms

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} has no __len__")

    def __repr__(self) -> str:
        lines = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            lines.append(f"Root location: {self.root}")
        lines += self.extra_repr().splitlines()
        if self.transforms is not None:
            lines.append(repr(self.transforms))
        indented = [" " * 4 + line for line in lines]
        return "\n".join([f"Dataset {type(self).__name__}", *indented])

    def extra_repr(self) -> str:
        """Lines of the printed form that a subclass adds."""
        return ""


def transformed(transform: Transform | None, pixels: np.ndarray, mode: str) -> Any:
    """What a dataset gives for a picture of (height, width) or (height, width, 3)
    bytes. A transform that begins with ToTensor, or with what cuts and mirrors and then
    ToTensor, gives the same without an image, so none is made for it."""
    steps = steps_of(transform)
    count = cuts_of(steps)
    if count is not None:
        return Compose(steps[count:])(cut(pixels, steps[:count]))
    library = pillow.find(
        "a picture that is not transformed, or whose transform does not begin with "
        "ToTensor() or with crops and flips before it, is an image of Pillow's, which"
    )
    height, width = pixels.shape[:2]
    image = library.frombytes(mode, (width, height), pixels.tobytes())
    return image if transform is None else transform(image)


def steps_of(transform: Transform | None) -> list[Any]:
    """A transform as those it is composed of."""
    if type(transform) is Compose:
        return [step for each in transform.transforms for step in steps_of(each)]
    return [transform]


# --- Crops and mirror images, without an image ----------------------------------------

MIRRORS = RandomHorizontalFlip, RandomVerticalFlip


def cuts_of(steps: list[Any]) -> int | None:
    """How many steps, which can be done without an image, come before ToTensor or
    PILToTensor; None if any other does."""
    for count, each in enumerate(steps):
        kind = type(each)
        if kind is ToTensor or kind is PILToTensor:
            return count
        if not (kind in MIRRORS or (kind is RandomCrop and is_plain(each))):
            return None
    return None


def is_plain(crop: RandomCrop) -> bool:
    """Whether a crop does the same to a tensor as to an image. Pillow has ways of its
    own with negative margins, with colours, and with numbers that are no bytes."""
    fill, padding = crop.fill, crop.padding
    if type(fill) is not int or not 0 <= fill <= 255 or crop.padding_mode != "constant":
        return False
    if padding is None:
        return True
    sides = (padding,) if type(padding) is int else padding
    return type(sides) in (tuple, list) and all(
        type(side) is int and side >= 0 for side in sides
    )


def cut(pixels: np.ndarray, steps: list[Any]) -> np.ndarray:
    """What such steps make of a picture, as an array (height, width, channels). One of
    28 x 28 takes half the time that its image does."""
    if not steps:
        return pixels
    picture = from_numpy(channels_first(pixels))
    for each in steps:
        picture = each(picture)
    return picture.numpy().transpose(1, 2, 0)


# --- Many pictures at once ------------------------------------------------------------


def all_transformed(
    transform: Transform | None, pixels: np.ndarray
) -> list[Any] | None:
    """What `transformed` gives for each of many pictures (number, height, width[, 3]),
    where ToTensor and Normalize can be done to all of them at once; else None. It takes
    a fifth of the time for pictures of 28 x 28."""
    steps = steps_of(transform)
    count = cuts_of(steps)
    if count is None or type(steps[count]) is not ToTensor:
        return None
    if pixels.dtype != np.uint8 or get_default_dtype() is not float32:
        return None
    if default_backend().name != "numpy":
        return None
    cuts, rest, scales = steps[:count], steps[count + 1 :], []
    while rest and type(rest[0]) is Normalize and not rest[0].inplace:
        scales.append(rest.pop(0))
    if cuts:
        if rest:  # each picture draws for all of its steps before the next one does
            return None
        pixels = np.stack([cut(each, cuts) for each in pixels])
    floats = scaled(
        pixels[:, None] if pixels.ndim == 3 else pixels.transpose(0, 3, 1, 2)
    )
    for each in scales:
        floats = each.of_array(floats)
    samples = map(from_numpy, floats)
    return list(map(Compose(rest), samples) if rest else samples)


class Samples(VisionDataset):
    """A dataset of pictures for training, or of those for tests, which are all in
    `data`, with their classes in `targets`."""

    data: Any
    targets: Any
    _mode: ClassVar[str]  # Pillow's, of the pictures

    def __init__(
        self,
        root: str | PathLike[str],
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, None, transform, target_transform)
        self.train = train
        if download:
            self.download()
        self.data, self.targets = self._load()

    def download(self) -> None:
        """Download the files that are not there."""
        raise NotImplementedError(f"{type(self).__name__} cannot be downloaded")

    def _load(self) -> tuple[Any, Any]:
        """Pictures and classes from their files."""
        raise NotImplementedError(f"{type(self).__name__} has no _load()")

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        pixels, target = host(self.data)[index], int(host(self.targets)[index])
        image = transformed(self.transform, pixels, self._mode)
        return image, self._label(target)

    def _label(self, target: int) -> Any:
        """What a sample gives for its class."""
        transform = self.target_transform
        return target if transform is None else transform(target)

    def __getitems__(self, indices: list[int]) -> list[Any]:
        images = None
        if type(self).__getitem__ is Samples.__getitem__:
            data = host(self.data)
            if isinstance(data, np.ndarray):
                images = all_transformed(self.transform, data[indices])
        if images is None:
            return [self[i] for i in indices]
        targets = host(self.targets)
        return [(x, self._label(int(targets[i]))) for x, i in zip(images, indices)]

    def __len__(self) -> int:
        return len(self.data)


def host(values: Any) -> Any:
    """The NumPy array of a tensor; other sequences as they are."""
    return values.numpy() if isinstance(values, Tensor) else values
