"""Random loaders over random datasets, some of which raise: batches, lengths, types of
exceptions and what comes after them are torch's.

`python -m tests.against_torch.test_data_random SEED SECONDS` tries as many as it can.
"""

from __future__ import annotations

import random
import sys
import time
import warnings

import numpy as np
import pytest
import torch
import torch.utils.data as theirs

import plugrad
import plugrad.utils.data as ours
from tests.against_torch.test_data import plain

KINDS = ["indexed", "indexed", "tensors", "iterable", "subset", "concat", "stack"]
SHAPES = {
    "int": lambda lib, i: i,
    "float": lambda lib, i: i / 2,
    "tuple": lambda lib, i: (i, str(i)),
    "dict": lambda lib, i: {"a": i, "b": [i, float(i)]},
    "array": lambda lib, i: np.full(2, i, "f4"),
    "tensor": lambda lib, i: lib.full((3,), float(i)),
}


def dataset(lib, d, rng):
    """A dataset of one of the kinds."""
    n = rng.randrange(15)
    broken = set(rng.sample(range(n), rng.choice([0, 0, 1, 2]))) if n > 2 else set()
    kind, sample = rng.choice(KINDS), SHAPES[rng.choice(list(SHAPES))]

    class Indexed(d.Dataset):
        def __len__(self):
            return n

        def __getitem__(self, i):
            if not -n <= i < n:
                raise IndexError(i)
            if i in broken:
                raise ValueError(i)
            return sample(lib, i)

    class Iterable(d.IterableDataset):
        def __iter__(self):
            info = d.get_worker_info()
            first, step = (info.id, info.num_workers) if info else (0, 1)
            return map(Indexed().__getitem__, range(first, n, step))

    class Together(Indexed):
        def __getitems__(self, indices):
            return [self[i] for i in indices]

    if kind == "tensors":
        return d.TensorDataset(lib.arange(n), lib.arange(2.0 * n).reshape(n, 2))
    if kind == "iterable":
        return Iterable()
    if kind == "subset":
        places = [rng.randrange(-n, n) for _ in range(rng.randrange(9))] if n else []
        return d.Subset(Together(), places)
    if kind == "concat":
        return d.ConcatDataset([Indexed(), d.Subset(Indexed(), list(range(n))[:3])])
    return d.StackDataset(Indexed(), Together()) if kind == "stack" else Indexed()


def arguments(data, iterable, rng):
    """Arguments for a loader of it."""
    found = {"num_workers": rng.choice([0, 0, 0, 1, 2, 3])}
    if found["num_workers"]:
        found["prefetch_factor"] = rng.choice([None, 1, 2, 5])
        found["persistent_workers"] = rng.random() < 0.3
    n = 0 if iterable else len(data)
    order = rng.choice(["all", "all", "single", "sampler", "batches"])
    if order == "sampler" and n:
        found["sampler"] = [rng.randrange(-n, n + 1) for _ in range(rng.randrange(9))]
    if order == "batches" and n:
        sizes = [rng.randrange(4) for _ in range(rng.randrange(5))]
        found["batch_sampler"] = [
            [rng.randrange(n) for _ in range(size)] for size in sizes
        ]
    elif order == "single":
        found["batch_size"] = None
    else:
        found |= {"batch_size": rng.randrange(1, 6), "drop_last": rng.random() < 0.3}
    if not iterable and found.get("batch_size", 1) and rng.random() < 0.15:
        found["collate_fn"] = len
    return found


def told(lib, d, seed):
    """All that two epochs give, exceptions among it."""
    rng = random.Random(seed)
    data = dataset(lib, d, rng)
    loader = d.DataLoader(
        data, **arguments(data, isinstance(data, d.IterableDataset), rng)
    )
    try:
        found = [len(loader)]
    except TypeError:
        found = ["no length"]
    for _ in range(2):
        batches = iter(loader)
        while len(found) < 99:
            try:
                found.append(plain(next(batches)))
            except StopIteration:
                break
            except Exception as error:
                found.append(type(error).__name__)
        found.append("the end")
    return found


@pytest.mark.filterwarnings("ignore:[Tt]his DataLoader")  # more workers than cores
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
@pytest.mark.parametrize("seed", range(24))
def test_a_random_loader(seed):
    assert told(plugrad, ours, seed) == told(torch, theirs, seed)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    first, seconds = int(sys.argv[1]), float(sys.argv[2])
    until, seed = time.monotonic() + seconds, first
    while time.monotonic() < until:
        test_a_random_loader(seed)
        seed += 1
    print(f"{seed - first} loaders")
