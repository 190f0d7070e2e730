"""Which worker this process is, and the random numbers that it draws.

- A loader draws one number per epoch; worker i seeds Python's, NumPy's and plugrad's
  default generators with that number plus i.
- The states of the three travel as one piece of bytes, so that a worker can go on where
  another one was.
"""

from __future__ import annotations

import pickle
import random
from typing import Any

import plugrad


class WorkerInfo:
    """What a worker knows of itself: its `id`, from 0 to `num_workers` - 1, its `seed`
    and its copy of the `dataset`.

    >>> from plugrad.utils.data import WorkerInfo
    >>> WorkerInfo(id=0, num_workers=2, seed=7, dataset="abc")
    WorkerInfo(id=0, num_workers=2, seed=7, dataset='abc')
    """

    __slots__ = ("id", "num_workers", "seed", "dataset")
    id: int
    num_workers: int
    seed: int
    dataset: Any

    def __init__(self, id: int, num_workers: int, seed: int, dataset: Any) -> None:
        for name, value in zip(self.__slots__, (id, num_workers, seed, dataset)):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise RuntimeError(f"a WorkerInfo is constant: cannot set {name!r}")

    def __repr__(self) -> str:
        items = (f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"WorkerInfo({', '.join(items)})"


HERE: list[WorkerInfo] = []  # of this process: empty in the main one


def get_worker_info() -> WorkerInfo | None:
    """Which worker of a loader this process is; None in the main process.

    >>> from plugrad.utils.data import DataLoader, IterableDataset, get_worker_info
    >>> get_worker_info() is None
    True
    >>> class Shared(IterableDataset):
    ...     def __iter__(self):
    ...         info = get_worker_info()
    ...         return iter(range(info.id, 6, info.num_workers))
    >>> list(DataLoader(Shared(), batch_size=3, num_workers=2))
    [tensor([0, 2, 4]), tensor([1, 3, 5])]
    """
    return HERE[0] if HERE else None


def numpys_random() -> Any:
    """NumPy's module of random numbers."""
    return plugrad.get_backend("numpy").namespace.random


def seed_all(seed: int) -> None:
    """Seed the three default generators of this process."""
    random.seed(seed)
    plugrad.manual_seed(seed)
    words = seed % 2**64
    numpys_random().seed([words & 0xFFFFFFFF, words >> 32])  # it takes 32 bits a word


def random_state() -> bytes:
    """Where the three generators are."""
    name, words, *rest = numpys_random().get_state()
    ours = plugrad.get_rng_state().tolist()
    return pickle.dumps((random.getstate(), (name, words.tobytes(), *rest), ours))


def set_random_state(state: bytes) -> None:
    """Put the three generators where others were."""
    pythons, (name, words, *rest), ours = pickle.loads(state)
    random.setstate(pythons)
    numpys_random().set_state((name, memoryview(words).cast("I"), *rest))
    plugrad.set_rng_state(plugrad.tensor(ours, dtype=plugrad.uint8))
