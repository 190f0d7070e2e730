"""Feeding the training: datasets, samplers, and a loader with worker processes.

- A dataset answers `dataset[i]`, or is iterated; a sampler says in which order its
  indices come; `collate` makes a batch of samples.
- `DataLoader` puts them together. With workers, other processes load the batches ahead
  of time, and tensors come over in shared memory that has no name: it is gone when the
  last tensor on it is, however a process ends.
- Whatever is drawn at random comes from plugrad's generators: the same seed gives the
  same order with any number of workers.

>>> import plugrad
>>> from plugrad.utils.data import DataLoader, TensorDataset
>>> dataset = TensorDataset(plugrad.arange(5.0), plugrad.arange(5))
>>> for x, y in DataLoader(dataset, batch_size=2):
...     print(x, y)
tensor([0., 1.]) tensor([0, 1])
tensor([2., 3.]) tensor([2, 3])
tensor([4.]) tensor([4])
"""

from __future__ import annotations

import sys
from types import ModuleType

from plugrad import hookimpl

from . import distributed
from .collating import default_collate, default_collate_fn_map, default_convert
from .datasets import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from .distributed import DistributedSampler
from .loader import DataLoader
from .samplers import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from .seeding import WorkerInfo, get_worker_info

__all__ = [
    "BatchSampler",
    "ChainDataset",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "DistributedSampler",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StackDataset",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "WorkerInfo",
    "default_collate",
    "default_collate_fn_map",
    "default_convert",
    "distributed",
    "get_worker_info",
    "random_split",
]


@hookimpl
def plugrad_namespace(name: str) -> dict[str, ModuleType]:
    """The package itself as `plugrad.utils.data`, for plugrad's plugin manager."""
    return {f"utils.{name}": sys.modules[__name__]}
