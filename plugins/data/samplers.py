"""Samplers: in which order the indices of a dataset come.

A sampler without a generator takes a seed from plugrad's default one when it is first
asked for an index, so that `plugrad.manual_seed` fixes the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice, repeat
from typing import Any, Generic, TypeVar

import plugrad
from plugrad import Generator, Tensor

T = TypeVar("T", covariant=True)
CHUNK = 32  # indices drawn with replacement at a time, as PyTorch draws them


def draw_seed(generator: Generator | None = None) -> int:
    """A seed for another generator, or for workers."""
    return int(plugrad.randint(0, 2**63 - 1, (), generator=generator))


class Sampler(Generic[T]):
    """Indices, or lists of them, in some order. A subclass has `__iter__`, and
    `__len__` if the loader is to have a length.

    >>> from plugrad.utils.data import DataLoader, Sampler
    >>> class Backwards(Sampler):
    ...     def __iter__(self):
    ...         return iter([2, 1, 0])
    >>> list(DataLoader("abc", sampler=Backwards(), batch_size=None))
    ['c', 'b', 'a']
    """

    def __iter__(self) -> Iterator[T]:
        raise NotImplementedError(
            f"{type(self).__name__} has no __iter__: a Sampler must say which indices "
            "it gives"
        )


class SequentialSampler(Sampler[int]):
    """All indices in their order.

    >>> from plugrad.utils.data import SequentialSampler
    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """All indices in a random order; with `replacement`, each drawn from all of them.
    `num_samples` may be more or less than there are.

    >>> import plugrad
    >>> from plugrad.utils.data import RandomSampler
    >>> g = plugrad.Generator().manual_seed(0)
    >>> sorted(RandomSampler("abc", generator=g))
    [0, 1, 2]
    >>> len(RandomSampler("abc", replacement=True, num_samples=7))
    7
    """

    data_source: Sized
    replacement: bool

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        check_bool("replacement", replacement, TypeError)
        check_positive("num_samples", self.num_samples)

    @property
    def num_samples(self) -> int:
        """How many indices are given."""
        if self._num_samples is None:  # the dataset may have grown
            return len(self.data_source)
        return self._num_samples

    def __iter__(self) -> Iterator[int]:
        g = self.generator
        if g is None:
            g = Generator().manual_seed(draw_seed())
        return islice(self._endless(len(self.data_source), g), self.num_samples)

    def _endless(self, n: int, g: Generator) -> Iterator[int]:
        while True:
            if self.replacement:
                yield from plugrad.randint(0, n, (CHUNK,), generator=g).tolist()
            else:
                yield from plugrad.randperm(n, generator=g).tolist()

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """Some indices, in a random order.

    >>> from plugrad.utils.data import SubsetRandomSampler
    >>> sorted(SubsetRandomSampler([5, 3, 8]))
    [3, 5, 8]
    """

    indices: Sequence[int]

    def __init__(
        self, indices: Sequence[int], generator: Generator | None = None
    ) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        order = plugrad.randperm(len(self.indices), generator=self.generator)
        for i in order.tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn with the probability that their weight has among all.

    >>> from plugrad.utils.data import WeightedRandomSampler
    >>> list(WeightedRandomSampler([0.0, 1.0, 0.0], 4))
    [1, 1, 1, 1]
    """

    weights: Tensor
    num_samples: int
    replacement: bool

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        check_positive("num_samples", num_samples)
        check_bool("replacement", replacement, ValueError)
        self.weights = plugrad.as_tensor(weights, dtype=plugrad.float64)
        if self.weights.ndim != 1:
            raise ValueError(
                "WeightedRandomSampler needs one weight for each index, not weights "
                f"of shape {list(self.weights.shape)}"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = plugrad.multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        )
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class EndlessSampler(Sampler[None]):
    """What stands for the sampler of an iterable dataset: None, without end."""

    def __iter__(self) -> Iterator[None]:
        return repeat(None)


class BatchSampler(Sampler[list[int]]):
    """The indices of another sampler in lists of `batch_size`; `drop_last` leaves out
    the last list if it is shorter.

    >>> from plugrad.utils.data import BatchSampler
    >>> list(BatchSampler(range(5), 2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    >>> list(BatchSampler(range(5), 2, drop_last=True))
    [[0, 1], [2, 3]]
    """

    sampler: Iterable[int]
    batch_size: int
    drop_last: bool

    def __init__(
        self, sampler: Iterable[int], batch_size: int, drop_last: bool
    ) -> None:
        check_positive("batch_size", batch_size)
        check_bool("drop_last", drop_last, ValueError)
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(islice(indices, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


def check_positive(name: str, value: Any) -> None:
    """Raise for what is not a positive integer."""
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} should be a positive integer, but it is {value!r}")


def check_bool(name: str, value: Any, kind: type[Exception]) -> None:
    """Raise for what is neither True nor False."""
    if not isinstance(value, bool):
        raise kind(f"{name} should be True or False, but it is {value!r}")
