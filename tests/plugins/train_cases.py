"""Trainings for the tests: small data in files, and what a checkpoint comes down to."""

from __future__ import annotations

from pathlib import Path

import plugrad
from plugrad.plugins.vision import datasets
from plugrad.plugins.vision.datasets import write_idx
from plugrad.plugins.vision.train.command import CHECKPOINT, main
from plugrad.plugins.vision.transforms import functional as F


def trained(folder, *words):
    """Train by the command, which must succeed; the checkpoint."""
    assert main([*map(str, words), "--out", str(folder)]) == 0
    return plugrad.load(folder / CHECKPOINT)


def plain(value):
    """A state with the bytes of its tensors in their place, so that == says whether two
    are the same bit for bit; without the seconds that an epoch took."""
    if isinstance(value, plugrad.Tensor):
        return str(value.dtype), list(value.shape), value.numpy().tobytes()
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items() if key != "seconds"}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


def write_mnist(folder: Path, count: int, tests: int = 20) -> Path:
    """A small MNIST: the shipped digits, enlarged to 28 x 28, in the files of MNIST."""
    for name, train, n in (("train", True, count), ("t10k", False, tests)):
        digits = datasets.Digits(train=train)
        images = F.resize(digits.data[:n, None].float(), [28, 28], antialias=False)
        images = images[:, 0].round().to(plugrad.uint8)
        write_idx(folder / f"{name}-images-idx3-ubyte", images)
        labels = digits.targets[:n].to(plugrad.uint8)
        write_idx(folder / f"{name}-labels-idx1-ubyte.gz", labels)
    return folder
