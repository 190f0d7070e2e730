"""The data sets that `plugrad train` knows by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import plugrad

from .. import datasets, transforms
from .failures import Failure
from .networks import Shape

ROOT = "data"
SAMPLE = 1000  # pictures that the scale is measured on


@dataclass(frozen=True)
class Kind:
    """Where a data set comes from, and what is trained on it if nothing is said."""

    make: Callable[..., Any] | None
    model: str = "lenet"
    epochs: int = 5
    batch_size: int = 64
    folders: tuple[str, ...] = (ROOT,)
    hint: str = ""
    threads: int | None = None  # None: as many as plugrad takes by itself


FASHION = "/usr/share/datasets/fashion-mnist"
KINDS = {
    # With products so small, a second thread only waits for the first: on two busy
    # processors, training took 76 s with two threads and 3 s with one.
    "digits": Kind(datasets.Digits, "cnn", 12, 32, (), threads=1),
    "mnist": Kind(datasets.MNIST),
    "fashion-mnist": Kind(
        datasets.FashionMNIST,
        folders=(ROOT, FASHION),
        hint="Debian's package dataset-fashion-mnist has them, too",
    ),
    "kmnist": Kind(datasets.KMNIST),
    "cifar10": Kind(datasets.CIFAR10, "cnn"),
    "folder": Kind(None, "cnn"),
}


@dataclass
class Pictures:
    """A data set, in two parts, and what a network has to know of it."""

    name: str
    where: str
    train: Any
    test: Any
    classes: list[str]
    shape: Shape
    mean: list[float] = field(default_factory=list)
    std: list[float] = field(default_factory=list)

    def plain(self, picture: plugrad.Tensor) -> plugrad.Tensor:
        """A picture as it was before it was normalised: numbers from 0 to 1."""
        mean, std = (
            plugrad.tensor(each).view(-1, 1, 1) for each in (self.mean, self.std)
        )
        return picture * std + mean


def open_pictures(name: str, root: str | None, download: bool, size: int) -> Pictures:
    """Find a data set and measure its scale, mean and deviation of each channel of the
    training pictures."""
    if name == "folder":
        found = open_folder(root, size)
    else:
        found = open_known(name, root, download)
    first, _ = found.train[0]
    found.shape = tuple(first.shape)
    step = max(len(found.train) // SAMPLE, 1)
    sample = plugrad.stack(
        [found.train[i][0] for i in range(0, len(found.train), step)]
    )
    found.mean = sample.mean((0, 2, 3)).tolist()
    found.std = [each or 1.0 for each in sample.std((0, 2, 3)).tolist()]
    for part in (found.train, found.test):
        part.transform.transforms.append(transforms.Normalize(found.mean, found.std))
    return found


def open_known(name: str, root: str | None, download: bool) -> Pictures:
    """A data set that the package has a class for, from the first folder with it."""
    kind = KINDS[name]
    assert kind.make is not None
    if name == "digits" and (root or download):
        raise Failure("the digits lie in plugrad-vision: leave out --root, --download")
    folders: tuple[Any, ...] = (root,) if root else kind.folders or (None,)
    if download:
        folders = folders[:1]
    reason: Exception | None = None
    for folder in folders:
        try:
            train, test = (
                kind.make(
                    folder,
                    train=part,
                    transform=transforms.Compose([transforms.ToTensor()]),
                    download=download,
                )
                for part in (True, False)
            )
        except RuntimeError as error:  # the files are not there
            reason = reason or error
            continue
        where = str(folder or "with plugrad-vision")
        return Pictures(name, where, train, test, list(train.classes), (0, 0, 0))
    raise Failure(missing(name, str(folders[0]), reason, download))


def missing(name: str, folder: str, reason: Any, download: bool) -> str:
    """What is said when the files are not there."""
    if download:
        return str(reason)
    text = (
        f"the files of {name} are not in {folder}: name their folder by --root, or "
        f"fetch them by --download"
    )
    hint = KINDS[name].hint
    return f"{text}. {hint}\n({reason})" if hint else f"{text}\n({reason})"


def open_folder(root: str | None, size: int) -> Pictures:
    """Pictures in `root/train/CLASS` and `root/test/CLASS`, made `size` x `size`."""
    if root is None:
        raise Failure("--data folder needs --root FOLDER, with train/CLASS/picture.png")
    parts = []
    for part in ("train", "test"):
        steps = [transforms.Resize((size, size)), transforms.ToTensor()]
        folder = Path(root) / part
        if not folder.is_dir():
            raise Failure(
                f"{folder} is not there: pictures lie in train/CLASS and test/CLASS, "
                f"below {root}"
            )
        try:
            parts.append(
                datasets.ImageFolder(folder, transform=transforms.Compose(steps))
            )
        except FileNotFoundError as error:
            raise Failure(f"{folder}: {error}") from error
    train, test = parts
    if train.classes != test.classes:
        unlike = sorted(set(train.classes) ^ set(test.classes))
        raise Failure(
            f"{root}: train and test have not the same classes; only one of them has "
            f"{', '.join(unlike)}"
        )
    return Pictures("folder", root, train, test, train.classes, (0, 0, 0))
