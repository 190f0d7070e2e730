"""Pictures in folders, one folder for each class."""

from __future__ import annotations

import os
from collections.abc import Callable
from os import PathLike
from typing import Any

from .. import pillow
from ..png import MOST_PIXELS
from .base import Transform, VisionDataset
from .idx import DataError

__all__ = ["DatasetFolder", "ImageFolder", "default_loader"]

IMG_EXTENSIONS = (
    ".jpg",
    ".jpeg",
    ".png",
    ".ppm",
    ".bmp",
    ".pgm",
    ".tif",
    ".tiff",
    ".webp",
)
Path = str | PathLike[str]


def default_loader(path: Path) -> Any:
    """The picture in a file, as a Pillow image in RGB. A file that is no whole picture
    is a DataError.

    >>> import os, tempfile
    >>> from PIL import Image
    >>> from plugrad.plugins.vision.datasets import default_loader
    >>> path = os.path.join(tempfile.mkdtemp(), "grey.png")
    >>> Image.new("L", (4, 2)).save(path)
    >>> image = default_loader(path)
    >>> image.mode, image.size
    ('RGB', (4, 2))
    """
    with open(path, "rb") as file:
        data = file.read()
    try:
        return pillow.opened(data, MOST_PIXELS).convert("RGB")
    except ValueError as error:
        raise DataError(f"{os.fspath(path)}: {error}") from error


def classes_of(directory: Path) -> tuple[list[str], dict[str, int]]:
    """The folders in a folder, sorted, and their numbers."""
    classes = sorted(each.name for each in os.scandir(directory) if each.is_dir())
    if not classes:
        raise FileNotFoundError(f"Couldn't find any class folder in {directory}.")
    return classes, {name: i for i, name in enumerate(classes)}


def files_of(
    directory: Path,
    class_to_idx: dict[str, int],
    is_valid: Callable[[str], bool],
) -> list[tuple[str, int]]:
    """The files below the folders of the classes, each with its class."""
    found = []
    for name in sorted(class_to_idx):
        top = os.path.join(os.fspath(directory), name)
        for folder, _, files in sorted(os.walk(top, followlinks=True)):
            paths = [os.path.join(folder, file) for file in sorted(files)]
            found += [(path, class_to_idx[name]) for path in paths if is_valid(path)]
    return found


class DatasetFolder(VisionDataset):
    """Files of any kind in one folder for each class; `loader` makes a sample of a
    path. Files are taken by their `extensions`, or by what `is_valid_file` says.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from plugrad.plugins.vision.datasets import DatasetFolder
    >>> root = Path(tempfile.mkdtemp())
    >>> for name in ("cat", "dog"):
    ...     (root / name).mkdir()
    ...     _ = (root / name / "a.txt").write_text(name)
    >>> dataset = DatasetFolder(root, lambda path: Path(path).read_text(), ".txt")
    >>> dataset[1], dataset.classes
    (('dog', 1), ['cat', 'dog'])
    """

    def __init__(
        self,
        root: Path,
        loader: Callable[[str], Any],
        extensions: tuple[str, ...] | str | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(root, None, transform, target_transform)
        self.loader = loader
        self.extensions = extensions
        self.classes, self.class_to_idx = self.find_classes(self.root)
        self.samples = self.make_dataset(
            self.root, self.class_to_idx, extensions, is_valid_file, allow_empty
        )
        self.targets = [target for _, target in self.samples]

    @staticmethod
    def make_dataset(
        directory: Path,
        class_to_idx: dict[str, int],
        extensions: tuple[str, ...] | str | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> list[tuple[str, int]]:
        """The files, each with its class; every class must have one."""
        if not class_to_idx:
            raise ValueError("class_to_idx must have at least one class")
        if (extensions is None) == (is_valid_file is None):
            raise ValueError(
                "Both extensions and is_valid_file cannot be None or not None at the "
                "same time"
            )
        if is_valid_file is None:
            endings = (extensions,) if isinstance(extensions, str) else extensions
            found = files_of(
                directory, class_to_idx, lambda path: path.lower().endswith(endings)
            )
        else:
            found = files_of(directory, class_to_idx, is_valid_file)
        used = {number for _, number in found}
        empty = sorted(name for name, i in class_to_idx.items() if i not in used)
        if empty and not allow_empty:
            text = f"Found no valid file for the classes {', '.join(empty)}."
            if extensions is not None:
                text += f" Supported extensions are: {', '.join(endings)}"
            raise FileNotFoundError(text)
        return found

    def find_classes(self, directory: Path) -> tuple[list[str], dict[str, int]]:
        """The classes and their numbers; a subclass may say otherwise."""
        return classes_of(directory)

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        path, target = self.samples[index]
        sample = self.loader(path)
        if self.transform is not None:
            sample = self.transform(sample)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return sample, target

    def __len__(self) -> int:
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """Pictures in one folder for each class: `root/dog/a.png`, `root/cat/b.jpg`.

    >>> import os, tempfile
    >>> from PIL import Image
    >>> from plugrad.plugins.vision import datasets, transforms
    >>> root = tempfile.mkdtemp()
    >>> for name in ("cat", "dog"):
    ...     os.mkdir(os.path.join(root, name))
    ...     Image.new("RGB", (4, 2)).save(os.path.join(root, name, "a.png"))
    >>> image, label = datasets.ImageFolder(root, transforms.ToTensor())[1]
    >>> image.shape, label
    (plugrad.Size([3, 2, 4]), 1)
    """

    def __init__(
        self,
        root: Path,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        loader: Callable[[str], Any] = default_loader,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(
            root,
            loader,
            IMG_EXTENSIONS if is_valid_file is None else None,
            transform,
            target_transform,
            is_valid_file,
            allow_empty,
        )
        self.imgs = self.samples
