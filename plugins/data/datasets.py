"""Datasets: what answers `dataset[i]` and `len(dataset)`, or is iterated.

Those made of other datasets look nothing up until they are asked. Errors are PyTorch's
types, an AssertionError for arguments that do not fit together among them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import isclose
from typing import Any, Generic, TypeVar
from warnings import warn

from plugrad import Generator, Tensor, randperm

T = TypeVar("T", covariant=True)


class Dataset(Generic[T]):
    """Samples by index. A subclass has `__getitem__`, and `__len__` for most samplers;
    with `__getitems__`, from a list of indices to a list of samples, it can fetch the
    samples of a batch together. `a + b` is `ConcatDataset([a, b])`.

    >>> from plugrad.utils.data import Dataset
    >>> class Squares(Dataset):
    ...     def __getitem__(self, index):
    ...         return index * index
    ...     def __len__(self):
    ...         return 3
    >>> both = Squares() + Squares()
    >>> len(both), both[4]
    (6, 1)
    """

    def __getitem__(self, index: Any) -> T:
        raise NotImplementedError(
            f"{type(self).__name__} has no __getitem__: a Dataset must say what "
            "dataset[index] is, or be an IterableDataset"
        )

    def __add__(self, other: Dataset[T]) -> ConcatDataset[T]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T], ABC):
    """Samples one after the other, as `__iter__` gives them. Each worker of a loader
    iterates over a copy of its own: `get_worker_info()` says which it is, and so which
    part to give. `a + b` is `ChainDataset([a, b])`.

    >>> from plugrad.utils.data import DataLoader, IterableDataset
    >>> class Words(IterableDataset):
    ...     def __iter__(self):
    ...         return iter("to be or not".split())
    >>> list(DataLoader(Words(), batch_size=3))
    [['to', 'be', 'or'], ['not']]
    """

    @abstractmethod
    def __iter__(self) -> Iterator[T]:
        """The samples."""

    def __add__(self, other: Dataset[T]) -> Any:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors with the same first dimension: sample i is the i-th part of each.

    >>> import plugrad
    >>> from plugrad.utils.data import TensorDataset
    >>> TensorDataset(plugrad.arange(3.0), plugrad.arange(3))[1]
    (tensor(1.), tensor(1))
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        sizes = {x.size(0) for x in tensors}
        if len(sizes) > 1:
            raise AssertionError(
                "TensorDataset needs tensors of one length, not of shapes "
                f"{', '.join(str(list(x.shape)) for x in tensors)}"
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(x[index] for x in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class StackDataset(Dataset[Any]):
    """Datasets side by side: sample i has the i-th sample of each, in a tuple, or in a
    dict if they are given by name.

    >>> from plugrad.utils.data import StackDataset
    >>> StackDataset([10, 20], "ab")[1]
    (20, 'b')
    >>> StackDataset(image=[10, 20], label="ab")[0]
    {'image': 10, 'label': 'a'}
    """

    datasets: tuple[Any, ...] | dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError(
                "StackDataset takes datasets by position, for tuples, or by name, for "
                "dicts, but not both"
            )
        if not args and not kwargs:
            raise ValueError("StackDataset needs at least one dataset")
        self.datasets = args or kwargs
        sizes = [len(each) for each in args or kwargs.values()]
        if len(set(sizes)) > 1:
            raise ValueError(f"StackDataset needs datasets of one length, not {sizes}")
        self._length = sizes[0]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: each[index] for name, each in self.datasets.items()}
        return tuple(each[index] for each in self.datasets)

    def __getitems__(self, indices: list[Any]) -> list[Any]:
        if isinstance(self.datasets, dict):
            columns = [fetched(each, indices) for each in self.datasets.values()]
            return [dict(zip(self.datasets, samples)) for samples in zip(*columns)]
        return list(zip(*(fetched(each, indices) for each in self.datasets)))

    def __len__(self) -> int:
        return self._length


def fetched(dataset: Any, indices: list[Any]) -> list[Any]:
    """The samples of some indices, together where the dataset knows how."""
    together = getattr(dataset, "__getitems__", None)
    if not callable(together):
        return [dataset[i] for i in indices]
    samples = together(indices)
    if len(samples) != len(indices):
        raise ValueError(
            f"{type(dataset).__name__}.__getitems__ gave {len(samples)} samples for "
            f"{len(indices)} indices"
        )
    return samples


class ConcatDataset(Dataset[T]):
    """Datasets one behind the other, as one.

    >>> from plugrad.utils.data import ConcatDataset
    >>> both = ConcatDataset([range(3), range(10, 12)])
    >>> len(both), both[3], both[-1]
    (5, 10, 11)
    """

    datasets: list[Any]
    cumulative_sizes: list[int]

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("ConcatDataset needs at least one dataset")
        if any(isinstance(each, IterableDataset) for each in self.datasets):
            raise AssertionError(
                "ConcatDataset takes datasets with an index; iterable ones go into a "
                "ChainDataset"
            )
        self.cumulative_sizes = list(accumulate(map(len, self.datasets)))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> T:
        if index < 0:
            if -index > len(self):
                raise ValueError(f"index {index} of a ConcatDataset of {len(self)}")
            index += len(self)
        at = bisect_right(self.cumulative_sizes, index)
        if at == len(self.datasets):
            raise IndexError(f"index {index} of a ConcatDataset of {len(self)}")
        before = self.cumulative_sizes[at - 1] if at else 0
        return self.datasets[at][index - before]


class ChainDataset(IterableDataset[T]):
    """Iterable datasets one after the other, as one.

    >>> from plugrad.utils.data import ChainDataset, IterableDataset
    >>> class Count(IterableDataset):
    ...     def __iter__(self):
    ...         return iter(range(2))
    >>> list(ChainDataset([Count(), Count()]))
    [0, 1, 0, 1]
    """

    datasets: Iterable[Any]

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[T]:
        for each in self.datasets:
            self._check(each)
            yield from each

    def __len__(self) -> int:
        total = 0
        for each in self.datasets:
            self._check(each)
            total += len(each)  # type: ignore[arg-type]
        return total

    def _check(self, dataset: Any) -> None:
        if not isinstance(dataset, IterableDataset):
            raise AssertionError(
                f"ChainDataset takes iterable datasets, not {type(dataset).__name__}; "
                "those with an index go into a ConcatDataset"
            )


class Subset(Dataset[T]):
    """The samples of a dataset at some indices.

    >>> from plugrad.utils.data import Subset
    >>> part = Subset("abcde", [4, 0])
    >>> part[0], part[1]
    ('e', 'a')
    """

    dataset: Any
    indices: Sequence[int]

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> T:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[int]) -> list[T]:
        return fetched(self.dataset, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


def random_split(
    dataset: Any,
    lengths: Sequence[int | float],
    generator: Generator | None = None,
) -> list[Subset[Any]]:
    """Parts of a dataset without overlap, chosen at random; `lengths` are numbers of
    samples that add up to all of them, or fractions that add up to 1. Samples that
    fractions leave over go to the first parts, one to each.

    >>> import plugrad
    >>> from plugrad.utils.data import random_split
    >>> g = plugrad.Generator().manual_seed(0)
    >>> train, test = random_split(range(10), [0.75, 0.25], generator=g)
    >>> len(train), len(test)
    (8, 2)
    """
    total = len(dataset)
    if isclose(sum(lengths), 1) and sum(lengths) <= 1:
        for i, part in enumerate(lengths):
            if not 0 <= part <= 1:
                raise ValueError(f"fraction {i} is {part}, not between 0 and 1")
        sizes = [int(total * part) for part in lengths]
        for i in range(total - sum(sizes)):
            sizes[i % len(sizes)] += 1
        for i, size in enumerate(sizes):
            if size == 0:
                warn(f"random_split: part {i} has no samples", stacklevel=2)
    else:
        sizes = list(lengths)  # type: ignore[arg-type]
    if sum(sizes) != total:
        raise ValueError(
            f"random_split: the lengths {list(lengths)} add up to {sum(sizes)}, but "
            f"the dataset has {total} samples"
        )
    indices = randperm(total, generator=generator).tolist()
    stops = list(accumulate(sizes))
    return [
        Subset(dataset, indices[stop - size : stop]) for stop, size in zip(stops, sizes)
    ]
