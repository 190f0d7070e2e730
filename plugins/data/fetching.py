"""Fetch the samples of a batch, and make the batch of them.

A fetcher is made once for an epoch, in the main process or in each worker: called with
what the sampler gave, it returns a batch. At the end of an iterable dataset it raises
`Ended`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import plugrad
from plugrad import Tensor

from .collating import default_collate, default_collate_fn_map
from .datasets import Subset, TensorDataset, fetched


class Ended(Exception):
    """An iterable dataset has no more samples."""


class Recipe:
    """What makes batches of a dataset: how samples are collated, and whether there are
    several in a batch."""

    def __init__(
        self, iterable: bool, batched: bool, drop_last: bool, collate_fn: Any
    ) -> None:
        self.iterable = iterable
        self.batched = batched
        self.drop_last = drop_last
        self.collate_fn = collate_fn

    def fetcher(self, dataset: Any) -> FromIndices | FromIterator:
        """A fetcher at the beginning of an epoch."""
        return (FromIterator if self.iterable else FromIndices)(self, dataset)


class FromIndices:
    """Batches of a dataset with indices."""

    def __init__(self, recipe: Recipe, dataset: Any) -> None:
        self.dataset = dataset
        self.batched = recipe.batched
        self.collate = recipe.collate_fn
        self.whole: Callable[[list[int]], Any] | None = None
        if recipe.batched and recipe.collate_fn is default_collate:
            self.whole = batches_of(dataset)

    def __call__(self, indices: Any) -> Any:
        if self.whole is not None and type(indices) is list:
            if set(map(type, indices)) == {int} and not default_collate_fn_map:
                return self.whole(indices)
        if self.batched:
            return self.collate(fetched(self.dataset, indices))
        return self.collate(self.dataset[indices])


def batches_of(dataset: Any) -> Callable[[list[int]], Any] | None:
    """A function that indexes the tensors of a dataset once for a whole batch, which
    gives what the default collation of its samples does; None if it has no such."""
    if type(dataset) is Subset:
        inner, places = batches_of(dataset.dataset), dataset.indices
        if inner is None or type(places) is not list:
            return None
        if set(map(type, places)) != {int}:
            return None
        return lambda indices: inner([places[i] for i in indices])
    if type(dataset) is not TensorDataset:
        return None
    tensors = dataset.tensors
    if any(type(x) is not Tensor or x.layout is not plugrad.strided for x in tensors):
        return None
    return lambda indices: [x[indices] for x in tensors]


class FromIterator:
    """Batches of an iterable dataset."""

    def __init__(self, recipe: Recipe, dataset: Any) -> None:
        self.samples: Iterator[Any] = iter(dataset)
        self.batched = recipe.batched
        self.drop_last = recipe.drop_last
        self.collate = recipe.collate_fn
        self.ended = False

    def __call__(self, count: Any) -> Any:
        if self.ended:
            raise Ended
        if not self.batched:
            for sample in self.samples:
                return self.collate(sample)
            self.ended = True
            raise Ended
        samples = list(islice(self.samples, count))
        if len(samples) < count:
            self.ended = True
            if not samples or self.drop_last:
                raise Ended
        return self.collate(samples)
