"""The sampler of training on several machines: each takes its share of the indices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import plugrad
from plugrad import Generator

from .samplers import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """The share of the indices that one of `num_replicas` processes takes: every
    num_replicas-th, from the `rank`-th on. All shares have one length: indices are
    repeated for that, or left out with `drop_last`. With `shuffle`, the order depends
    on `seed` and on what `set_epoch` was given, and so is the same in all processes.

    >>> from plugrad.utils.data import DistributedSampler
    >>> [list(DistributedSampler(range(5), 2, rank, shuffle=False)) for rank in (0, 1)]
    [[0, 2, 4], [1, 3, 0]]
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise RuntimeError(
                "DistributedSampler needs num_replicas and rank: there is no process "
                "group to ask for them"
            )
        if not 0 <= rank < num_replicas:
            raise ValueError(
                f"rank {rank} is not one of 0 to {num_replicas - 1}, the ranks of "
                f"{num_replicas} replicas"
            )
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        self.shuffle = shuffle
        self.seed = seed
        n = len(dataset)
        self.num_samples = n // num_replicas if drop_last else -(-n // num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        indices = list(range(len(self.dataset)))
        if self.shuffle:
            g = Generator().manual_seed(self.seed + self.epoch)
            indices = plugrad.randperm(len(indices), generator=g).tolist()
        if not self.drop_last and indices:
            indices *= -(-self.total_size // len(indices))
        return iter(indices[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch; without it, all epochs have the same."""
        self.epoch = epoch
