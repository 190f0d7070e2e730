"""Batches per second of a DataLoader, against torch's.

- 60,000 x 784 float32 and a label for each, as MNIST has them, shuffled, in batches of
  64: an epoch of a TensorDataset, and one of a dataset in Python that gives single
  samples.
- The pictures of Fashion-MNIST through the usual transforms, with and without a random
  crop and flip: plugrad's on one side; on the other what torchvision's of those names
  do, on Pillow's images. Where the files are not installed (Debian's package
  dataset-fashion-mnist has them), random bytes of the same shape take their place.

All of it is loaded in the main process and by 2 workers. Starting workers is part of an
epoch. The last batches are compared before anything is timed, but for random crops.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from .isolation import ONE_THREAD, in_a_process
from .timing import Comparison, Plan, brief, compare, print_notes, progress, report

SAMPLES, FEATURES, BATCH = 60_000, 784, 64
WORKERS = (0, 2)
NUMBERS = ("tensors", "samples")
PICTURES = ("normalized", "cropped and flipped")
FOLDER = Path("/usr/share/datasets/fashion-mnist")
MEAN, STD = 0.2860, 0.3530  # of Fashion-MNIST

Call = Callable[[], Any]


class Samples:
    """One sample at a time."""

    def __init__(self, images: Any, labels: Any) -> None:
        self.images = images
        self.labels = labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Any:
        return self.images[index], self.labels[index]


def numbers(library: Any, data: Any, what: str) -> Any:
    """A dataset of MNIST's size."""
    rng = np.random.default_rng(0)
    images = library.from_numpy(rng.random((SAMPLES, FEATURES), np.float32))
    labels = library.from_numpy(rng.integers(0, 10, SAMPLES))
    return (data.TensorDataset if what == "tensors" else Samples)(images, labels)


# --- Pictures -------------------------------------------------------------------------


def fashion(transform: Any = None) -> Any:
    """Plugrad's FashionMNIST, on the files of the system or on random ones."""
    from plugrad import from_numpy
    from plugrad.plugins.vision import datasets

    if FOLDER.exists():
        return datasets.FashionMNIST(FOLDER, transform=transform)
    rng = np.random.default_rng(0)
    with TemporaryDirectory() as folder:
        raw = Path(folder) / "FashionMNIST" / "raw"
        raw.mkdir(parents=True)
        pixels = rng.integers(0, 256, (SAMPLES, 28, 28), np.uint8)
        labels = rng.integers(0, 10, SAMPLES, np.uint8)
        for name, each in (("images-idx3", pixels), ("labels-idx1", labels)):
            datasets.write_idx(raw / f"train-{name}-ubyte", from_numpy(each))
        return datasets.FashionMNIST(folder, transform=transform)


class Torchlike:
    """Fashion-MNIST as torchvision has it: a Pillow image for each picture, and the
    same transforms. The tensors of mean and deviation are made once, and used in place,
    which is faster than torchvision."""

    def __init__(self, torch: Any, crops: bool) -> None:
        source = fashion()
        self.torch = torch
        self.crops = crops
        self.pixels = np.array(source.data)
        self.labels = np.array(source.targets).tolist()
        self.mean, self.std = torch.tensor(MEAN), torch.tensor(STD)

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> Any:
        from PIL import Image, ImageOps

        torch = self.torch
        image = Image.fromarray(self.pixels[index])
        if self.crops:
            image = ImageOps.expand(image, border=4, fill=0)
            top = torch.randint(0, 9, (1,)).item()
            left = torch.randint(0, 9, (1,)).item()
            image = image.crop((left, top, left + 28, top + 28))
            if torch.rand(1) < 0.5:
                image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        x = torch.from_numpy(np.array(image, np.uint8)).view(28, 28, 1)
        x = x.permute(2, 0, 1).contiguous().to(torch.float32).div_(255)
        return x.sub_(self.mean).div_(self.std), self.labels[index]


def pictures(library: Any, data: Any, what: str) -> Any:
    """Fashion-MNIST with its transforms."""
    crops = what == "cropped and flipped"
    if library.__name__ == "torch":
        return Torchlike(library, crops)
    from plugrad.plugins.vision import transforms as T

    steps: list[Any] = [T.ToTensor(), T.Normalize((MEAN,), (STD,))]
    if crops:
        steps = [T.RandomCrop(28, padding=4), T.RandomHorizontalFlip(), *steps]
    return fashion(T.Compose(steps))


# --- Epochs ---------------------------------------------------------------------------


def epoch(library: Any, data: Any, what: str, workers: int, share: int) -> Call:
    """A call that loads a part of the samples once."""
    make = numbers if what in NUMBERS else pictures
    order = np.random.default_rng(1).permutation(SAMPLES)[: SAMPLES // share].tolist()
    # in a process that was spawned, workers would be spawned by default, too
    method = {"multiprocessing_context": "fork"} if workers else {}
    loader = data.DataLoader(
        make(library, data, what), BATCH, sampler=order, num_workers=workers, **method
    )

    def load() -> Any:
        kept: deque[Any] = deque(loader, maxlen=1)
        return kept.pop()

    return load


def run(quick: bool = False) -> dict[str, Any]:
    share = "a tenth of an epoch" if quick else "an epoch"
    title = f"{SAMPLES} x {FEATURES}, batches of {BATCH}"
    epochs, notes = measured(NUMBERS, quick)
    report(title, f"ms for {share}", epochs)
    more, others = measured(PICTURES, quick)
    bytes_ = "" if FOLDER.exists() else " (random bytes)"
    report(f"Fashion-MNIST{bytes_}, batches of {BATCH}", "ms for a tenth", more)
    notes += [note for note in others if note not in notes]
    print_notes(notes)
    return {"epochs": epochs, "pictures": more, "notes": notes}


def measured(
    kinds: Iterable[str], quick: bool
) -> tuple[dict[str, Comparison], list[str]]:
    comparisons, notes = {}, []
    for what in kinds:
        for workers in WORKERS:
            name = f"{what}, {workers} workers"
            progress(f"data: {name}")
            asked = what, workers, quick
            comparisons[name], more = in_a_process(_measure, asked, ONE_THREAD)
            notes += [note for note in more if note not in notes]
    progress("")
    return comparisons, notes


def _measure(asked: tuple[str, int, bool]) -> tuple[Comparison, list[str]]:
    what, workers, quick = asked
    plan = Plan(rounds=11, turn=0.02, pause=0.1, patience=30.0)
    share = 10 if quick or what in PICTURES else 1
    calls: dict[str, Call] = {}
    lasts, notes = [], []
    for name in ("plugrad", "torch"):
        try:
            data = import_module(f"{name}.utils.data")
            call = epoch(import_module(name), data, what, workers, share)
            lasts.append([np.asarray(each) for each in call()])
        except ModuleNotFoundError as error:
            notes.append(f"{name}: left out, as {error.name} is not installed")
        except Exception as error:
            notes.append(f"{name}: {brief(error)}")
        else:
            calls[name] = call
    for batch in lasts[1:]:
        for ours, theirs in zip(lasts[0], batch, strict=True):
            assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
            if what != "cropped and flipped":
                np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    plan = plan.quick() if quick else plan
    return compare(calls, plan, unit=1e-3, bar=1.0, against="torch"), notes
