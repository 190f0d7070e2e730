"""Transforms of other transforms: all of them in order, some at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from plugrad.nn import Module, ModuleList

from .. import draws

__all__ = ["Compose", "Lambda", "RandomApply", "RandomChoice", "RandomOrder"]

Transform = Callable[[Any], Any]


def listed(name: str, lines: Sequence[Any], first: str = "") -> str:
    """A printed form with one transform in a line."""
    return "".join([f"{name}(", first, *(f"\n    {each}" for each in lines), "\n)"])


class Compose:
    """Transforms one after the other.

    >>> from plugrad.plugins.vision import transforms
    >>> transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.5, 0.5)])
    Compose(
        ToTensor()
        Normalize(mean=0.5, std=0.5)
    )
    """

    def __init__(self, transforms: Sequence[Transform]) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for each in self.transforms:
            img = each(img)
        return img

    def __repr__(self) -> str:
        return listed(type(self).__name__, self.transforms)


class Lambda:
    """A function as a transform.

    >>> from plugrad.plugins.vision import transforms
    >>> transforms.Lambda(lambda x: x + 1)(2)
    3
    """

    def __init__(self, lambd: Transform) -> None:
        if not callable(lambd):
            kind = type(lambd).__name__
            raise TypeError(f"Argument lambd should be callable, got {kind!r}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class RandomApply(Module):
    """All of some transforms with probability `p`, else none.

    >>> from plugrad.plugins.vision import transforms
    >>> transforms.RandomApply([transforms.Lambda(lambda x: x + 1)], p=1.0)(2)
    3
    """

    def __init__(
        self, transforms: Sequence[Transform] | ModuleList, p: float = 0.5
    ) -> None:
        super().__init__()
        self.transforms = transforms
        self.p = p

    def forward(self, img: Any) -> Any:
        if self.p < draws.fraction():
            return img
        for each in self.transforms:
            img = each(img)
        return img

    def __repr__(self) -> str:
        name = type(self).__name__
        return listed(name, list(self.transforms), f"\n    p={self.p}")


class RandomTransforms:
    """The base of those that hold a sequence of transforms."""

    def __init__(self, transforms: Sequence[Transform]) -> None:
        if not isinstance(transforms, Sequence):
            raise TypeError("Argument transforms should be a sequence")
        self.transforms = transforms

    def __repr__(self) -> str:
        return listed(type(self).__name__, self.transforms)


class RandomOrder(RandomTransforms):
    """Transforms in random order.

    >>> from plugrad.plugins.vision import transforms
    >>> add = transforms.Lambda(lambda x: x + 1)
    >>> transforms.RandomOrder([add, add])(2)
    4
    """

    def __call__(self, img: Any) -> Any:
        for place in draws.permutation(len(self.transforms)):
            img = self.transforms[place](img)
        return img


class RandomChoice(RandomTransforms):
    """One transform of several, with probabilities in proportion to `p`.

    >>> from plugrad.plugins.vision import transforms
    >>> add = transforms.Lambda(lambda x: x + 1)
    >>> transforms.RandomChoice([add, add])(2)
    3
    """

    def __init__(
        self, transforms: Sequence[Transform], p: Sequence[float] | None = None
    ) -> None:
        super().__init__(transforms)
        if p is not None and not isinstance(p, Sequence):
            raise TypeError("Argument p should be a sequence")
        self.p = p

    def __call__(self, img: Any) -> Any:
        weights = [1.0] * len(self.transforms) if self.p is None else list(self.p)
        return self.transforms[draws.choice(weights)](img)

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"
