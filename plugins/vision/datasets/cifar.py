"""CIFAR-10 and CIFAR-100, from the files of their Python version.

The files are pickles. They are read without executing anything in them: see
`pickles.py`.
"""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from .base import Samples
from .downloads import fetch, is_whole, unpack_members
from .idx import LIMIT, DataError
from .pickles import read_pickle

__all__ = ["CIFAR10", "CIFAR100"]

PIXELS = 3 * 32 * 32


class CIFAR10(Samples):
    """Colour pictures of 32 x 32 in ten classes, 50,000 for training and 10,000 for
    tests.

    The files are looked for in `root/cifar-10-batches-py`; with `download=True` they
    are downloaded into it. `data` is an array (number, 32, 32, 3) of bytes, `targets` a
    list of integers.

    >>> from plugrad.plugins.vision import datasets
    >>> try:
    ...     datasets.CIFAR10("nowhere")
    ... except RuntimeError as error:
    ...     print(error)
    Dataset not found or corrupted. You can use download=True to download it, or ...
    """

    _mode = "RGB"
    base_folder = "cifar-10-batches-py"
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename = "cifar-10-python.tar.gz"
    tgz_md5 = "c58f30108f718f92721af3b95e74349a"
    # Files and their MD5; None for one that is not known, and then not checked.
    train_list: ClassVar[list[Any]] = [
        ["data_batch_1", "c99cafc152244af753f735de768cd75f"],
        ["data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"],
        ["data_batch_3", "54ebc095f3ab1f0389bbae665268c751"],
        ["data_batch_4", "634d18415352ddfa80567beed471001a"],
        ["data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"],
    ]
    test_list: ClassVar[list[Any]] = [
        ["test_batch", "40351d587109b95175f43aff81a1287e"],
    ]
    meta: ClassVar[dict[str, Any]] = {
        "filename": "batches.meta",
        "key": "label_names",
        "md5": "5ff9c542aee3614f3951f8cda6e48888",
    }
    _labels_key = "labels"
    classes: list[str]
    class_to_idx: dict[str, int]
    data: np.ndarray
    targets: list[int]

    # --- Files ------------------------------------------------------------------------

    @property
    def _folder(self) -> Path:
        """Where the files are."""
        return Path(self.root) / self.base_folder

    def _files(self) -> list[Any]:
        """The names of all files, each with its MD5."""
        meta = [self.meta["filename"], self.meta["md5"]]
        return [*self.train_list, *self.test_list, meta]

    def _checked(self, name: str, md5: str | None) -> Path:
        """The place of a file, if it is there and whole."""
        path = self._folder / name
        if not is_whole(path, md5):
            what = f"with MD5 {md5}" if path.exists() else "which is missing,"
            raise RuntimeError(
                "Dataset not found or corrupted. You can use download=True to download "
                f"it, or unpack {self.filename} in {self.root}: {path} {what} is needed"
            )
        return path

    def download(self) -> None:
        """Download and unpack the files, unless they are there and whole."""
        if all(is_whole(self._folder / name, md5) for name, md5 in self._files()):
            return
        archive = Path(self.root) / self.filename
        fetch([self.url], archive, self.tgz_md5)
        try:
            unpack_members(archive, self._folder, self.base_folder, self._files())
        except (tarfile.TarError, EOFError) as error:
            raise DataError(f"{archive}: {error}") from error

    def _load(self) -> tuple[np.ndarray, list[int]]:
        self._load_meta()
        parts = [
            self._read_batch(self._checked(name, md5))
            for name, md5 in (self.train_list if self.train else self.test_list)
        ]
        pictures = np.concatenate([pixels for pixels, _ in parts])
        labels = [label for _, some in parts for label in some]
        return pictures.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels

    def _load_meta(self) -> None:
        """Read the names of the classes."""
        path = self._checked(self.meta["filename"], self.meta["md5"])
        content = read_dict(path)
        names = content.get(self.meta["key"])
        if type(names) is not list or not all(type(each) is str for each in names):
            raise DataError(f"{path}: it has no list {self.meta['key']!r} of names")
        self.classes = names
        self.class_to_idx = {name: i for i, name in enumerate(names)}

    def _read_batch(self, path: Path) -> tuple[np.ndarray, list[int]]:
        """The pictures of a file as rows of bytes, and their labels."""
        content = read_dict(path)
        pixels, labels = content.get("data"), content.get(self._labels_key)
        if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8:
            raise DataError(f"{path}: it has no array 'data' of bytes")
        if pixels.shape != (len(pixels) if pixels.ndim else 0, PIXELS):
            raise DataError(
                f"{path}: 'data' has shape {pixels.shape}, not (number, {PIXELS})"
            )
        if type(labels) is not list or len(labels) != len(pixels):
            raise DataError(
                f"{path}: it has no list {self._labels_key!r} of {len(pixels)} labels"
            )
        count = len(self.classes)
        if not all(type(each) is int and 0 <= each < count for each in labels):
            raise DataError(f"{path}: a label is not an integer from 0 to {count - 1}")
        return pixels, labels


def read_dict(path: Path) -> dict[Any, Any]:
    """The dict in a pickled file."""
    size = path.stat().st_size
    if size > LIMIT:
        raise DataError(f"{path}: {size} bytes, more than the limit of {LIMIT}")
    content = read_pickle(path.read_bytes(), str(path))
    if type(content) is not dict:
        raise DataError(f"{path}: it has a {type(content).__name__}, not a dict")
    return content


class CIFAR100(CIFAR10):
    """Colour pictures of 32 x 32 in a hundred classes, 50,000 for training and 10,000
    for tests, in `root/cifar-100-python`.

    >>> from plugrad.plugins.vision import datasets
    >>> datasets.CIFAR100.base_folder
    'cifar-100-python'
    """

    base_folder = "cifar-100-python"
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list = [["train", "16019d7e3df5f24257cddd939b257f8d"]]
    test_list = [["test", "f0ef6b0ae62326f3e7ffdfab6717acfc"]]
    meta = {
        "filename": "meta",
        "key": "fine_label_names",
        "md5": "7973b15100ade9c7d40fb424638fde48",
    }
    _labels_key = "fine_labels"
