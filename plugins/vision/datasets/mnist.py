"""MNIST and the datasets in its format.

The files are looked for in `root/NAME/raw`, where torchvision puts them, then in `root`
itself, each gzipped or not. So the folder of a Debian package serves as it is:

    FashionMNIST("/usr/share/datasets/fashion-mnist")  # dataset-fashion-mnist
"""

from __future__ import annotations

import string
import zipfile
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar

from plugrad import Tensor, int64

from .base import Samples
from .downloads import fetch, write_whole
from .idx import DataError, read_idx

__all__ = ["EMNIST", "FashionMNIST", "KMNIST", "MNIST"]


class MNIST(Samples):
    """Handwritten digits: 60,000 pictures of 28 x 28 for training and 10,000 for tests.

    A sample is a Pillow image, or what `transform` makes of it, and its class. Pillow
    is not needed if the transform begins with ToTensor, or with RandomCrop and flips
    before it. `data` and `targets` hold all of them. With `download=True`, files that
    are not there yet are downloaded.

    A folder that holds the files itself will do as well; here it is that of Digits:

    >>> from plugrad.plugins.vision import datasets, transforms
    >>> folder = datasets.Digits.folder
    >>> test = datasets.MNIST(folder, train=False, transform=transforms.ToTensor())
    >>> image, label = test[0]
    >>> image.shape, label
    (plugrad.Size([1, 8, 8]), 5)
    """

    mirrors: ClassVar[list[str]] = [
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    ]
    resources: ClassVar[list[tuple[str, str]]] = [  # with the MD5 of each
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ]
    classes: list[str] = [
        f"{i} - {word}"
        for i, word in enumerate(
            "zero one two three four five six seven eight nine".split()
        )
    ]
    _mode = "L"
    data: Tensor
    targets: Tensor

    @property
    def raw_folder(self) -> str:
        """Where the files are downloaded to."""
        return str(Path(self.root) / type(self).__name__ / "raw")

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The number of each class, by its name."""
        return {name: i for i, name in enumerate(self.classes)}

    def _names(self) -> tuple[str, str]:
        """The files of the pictures and of the labels, as far as `.gz`."""
        part = "train" if self.train else "t10k"
        return f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"

    def _find(self, name: str) -> Path | None:
        """Where a file is, gzipped or not."""
        for folder in (Path(self.raw_folder), Path(self.root)):
            for path in (folder / name, folder / f"{name}.gz"):
                if path.is_file():
                    return path
        return None

    def download(self) -> None:
        """Download the files that are not there."""
        for name, md5 in self.resources:
            if self._find(name.removesuffix(".gz")) is None:
                urls = [mirror + name for mirror in self.mirrors]
                fetch(urls, Path(self.raw_folder) / name, md5)

    def _load(self) -> tuple[Tensor, Tensor]:
        """Pictures and labels from their files, which must fit together."""
        names = self._names()
        paths = [self._find(name) for name in names]
        missing = [f"{name}[.gz]" for name, path in zip(names, paths) if path is None]
        if missing:
            raise RuntimeError(
                "Dataset not found. You can use download=True to download it, or put "
                f"{' and '.join(missing)} into {self.raw_folder} or {self.root}"
            )
        images, labels = (read_idx(path) for path in paths)  # type: ignore[arg-type]
        check(images, labels, *map(str, paths), classes=len(self.classes))
        return images, labels.to(int64)


def check(images: Tensor, labels: Tensor, *names: str, classes: int) -> None:
    """Raise unless there is a label, of a class, for each picture of bytes."""
    if images.ndim != 3 or str(images.dtype) != "plugrad.uint8":
        raise DataError(
            f"{names[0]}: it should hold pictures of bytes, not {images.dtype} of "
            f"shape {list(images.shape)}"
        )
    if labels.ndim != 1 or str(labels.dtype) != "plugrad.uint8":
        raise DataError(
            f"{names[1]}: it should hold a byte for each label, not {labels.dtype} of "
            f"shape {list(labels.shape)}"
        )
    if len(labels) != len(images):
        raise DataError(f"{names[1]}: {len(labels)} labels for {len(images)} pictures")
    if len(labels) and int(labels.max()) >= classes:
        raise DataError(
            f"{names[1]}: label {int(labels.max())}, but there are {classes} classes"
        )


class FashionMNIST(MNIST):
    """Articles of clothing, in the sizes and numbers of MNIST.

    Debian's package dataset-fashion-mnist has the files:
    `FashionMNIST("/usr/share/datasets/fashion-mnist")`.

    >>> from plugrad.plugins.vision import datasets
    >>> datasets.FashionMNIST.classes[9]
    'Ankle boot'
    """

    mirrors = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ]
    classes = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ]


class KMNIST(MNIST):
    """Japanese letters in cursive script, in the sizes and numbers of MNIST.

    >>> from plugrad.plugins.vision import datasets
    >>> datasets.KMNIST.classes[:3]
    ['o', 'ki', 'su']
    """

    mirrors = ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    ]
    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


MERGED = set("cijklmopsuvwxyz")  # small letters that look like the large ones
ALL = string.digits + string.ascii_uppercase + string.ascii_lowercase
SPLITS = {
    "byclass": list(ALL),
    "bymerge": [each for each in ALL if each not in MERGED],
    "balanced": [each for each in ALL if each not in MERGED],
    "letters": ["N/A", *string.ascii_lowercase],
    "digits": list(string.digits),
    "mnist": list(string.digits),
}


class EMNIST(MNIST):
    """Handwritten letters and digits, in six collections: `split` is "byclass",
    "bymerge", "balanced", "letters", "digits" or "mnist". The pictures lie on their
    side, as they are published.

    >>> from plugrad.plugins.vision import datasets
    >>> len(datasets.EMNIST.classes_split_dict["balanced"])
    47
    """

    url = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
    md5 = "58c8d27c78d21e728a6bc7b3cc06412e"
    splits = tuple(SPLITS)
    classes_split_dict = SPLITS

    def __init__(self, root: str | PathLike[str], split: str, **kwargs: Any) -> None:
        if split not in SPLITS:
            raise ValueError(
                f"Unknown value '{split}' for argument split. Valid values are "
                f"{set(SPLITS)}."
            )
        self.split = split
        self.classes = SPLITS[split]
        super().__init__(root, **kwargs)

    def _names(self) -> tuple[str, str]:
        start = f"emnist-{self.split}-{'train' if self.train else 'test'}"
        return f"{start}-images-idx3-ubyte", f"{start}-labels-idx1-ubyte"

    def download(self) -> None:
        if all(self._find(name) is not None for name in self._names()):
            return
        raw = Path(self.raw_folder)
        archive = raw / "gzip.zip"
        fetch([self.url], archive, self.md5)
        with zipfile.ZipFile(archive) as file:
            for name in self._names():
                with file.open(f"gzip/{name}.gz") as source:
                    write_whole(source, raw / f"{name}.gz", None)
