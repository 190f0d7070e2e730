"""DataLoader: its arguments, what they imply, and what a user can ask it."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable
from copy import copy
from typing import Any, Generic, TypeVar
from warnings import warn

from plugrad import Generator

from .collating import default_collate, default_convert
from .datasets import IterableDataset
from .fetching import Recipe
from .iterators import Batches, FromWorkers, Here
from .resuming import checked, state_of
from .samplers import BatchSampler, EndlessSampler, RandomSampler, SequentialSampler

T = TypeVar("T", covariant=True)

# what the sampler and the workers were made from, so that a change would do nothing
FIXED = {
    "batch_size",
    "batch_sampler",
    "sampler",
    "drop_last",
    "dataset",
    "persistent_workers",
}


class DataLoader(Generic[T]):
    """Batches of a dataset, in the order of a sampler, loaded here or by workers.

    The arguments are PyTorch's: `batch_size` samples make a batch (None: each sample by
    itself), in the order of the dataset, in a random one (`shuffle`), or as `sampler`
    or `batch_sampler` say; `drop_last` leaves out a shorter last batch, `collate_fn`
    makes a batch of a list of samples. `generator` draws the order and the workers'
    seeds.

    `num_workers` processes load batches ahead, `prefetch_factor` each; they are started
    as `multiprocessing_context` says ("fork", "spawn", "forkserver"), call
    `worker_init_fn` with their number, and stay from one epoch to the next if
    `persistent_workers`. A batch that takes longer than `timeout` seconds is an error.
    Without `in_order`, batches come as they are ready. `pin_memory` copies them to
    memory that a GPU reads directly.

    >>> import plugrad
    >>> from plugrad.utils.data import DataLoader, TensorDataset
    >>> dataset = TensorDataset(plugrad.arange(10.0))
    >>> loader = DataLoader(dataset, batch_size=4, shuffle=True)
    >>> len(loader), [len(x) for (x,) in loader]
    (3, [4, 4, 2])
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        iterable = isinstance(dataset, IterableDataset)
        if iterable:
            check_iterable(shuffle, sampler, batch_sampler)
        check_order(batch_size, shuffle, sampler, batch_sampler, drop_last)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = prefetch_factor
        if num_workers and prefetch_factor is None:
            self.prefetch_factor = 2
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.generator = generator
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        if batch_sampler is not None:
            batch_size, drop_last = None, False
        if iterable:
            sampler = EndlessSampler()
        elif sampler is None and shuffle:
            sampler = RandomSampler(dataset, generator=generator)
        elif sampler is None:
            sampler = SequentialSampler(dataset)
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        batched = batch_size is not None or batch_sampler is not None
        if collate_fn is None:
            collate_fn = default_collate if batched else default_convert
        self.collate_fn = collate_fn
        self.iterable = iterable
        self.batched = batched
        self.told_length: int | None = None  # by an iterable dataset, in samples
        self._state: dict[str, Any] | None = None  # to resume from
        self._kept: FromWorkers | None = None
        self._latest: Any = None
        self._made = True

    def __setattr__(self, name: str, value: Any) -> None:
        if name in FIXED and hasattr(self, "_made"):
            raise ValueError(f"{name} is fixed once a DataLoader is made; make another")
        if name == "multiprocessing_context":
            value = checked_context(value, self.num_workers)
        super().__setattr__(name, value)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_kept": None, "_latest": None}  # a copy iterates anew

    @property
    def index_sampler(self) -> Any:
        """What is iterated for the indices of each batch."""
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def recipe(self) -> Recipe:
        """What makes batches of the dataset."""
        return Recipe(self.iterable, self.batched, self.drop_last, self.collate_fn)

    def context(self) -> Any:
        """The module or object whose processes are the workers."""
        import multiprocessing

        chosen = self.multiprocessing_context
        return multiprocessing.get_context() if chosen is None else chosen

    def __len__(self) -> int:
        if not self.iterable:
            return len(self.index_sampler)
        n = self.told_length = len(self.dataset)
        if self.batch_size is not None:
            n = n // self.batch_size if self.drop_last else -(-n // self.batch_size)
        return n

    def __iter__(self) -> Batches:
        if self.num_workers and not self.prefetch_factor:
            raise AssertionError("prefetch_factor is 0: workers would get no tasks")
        state, self._state = self._state, None
        if not self.num_workers:
            if self.timeout:
                raise AssertionError("timeout is for workers: give num_workers, too")
            made: Batches = Here(self, state)
        elif self._kept is not None:
            made = self._kept
            made.loader = copy(self)
            made.begin(state)
        elif self.persistent_workers:
            check_cores(self.num_workers)
            # of a copy, or each would keep the other, and the workers with them
            made = self._kept = FromWorkers(copy(self), state)
        else:
            check_cores(self.num_workers)
            made = FromWorkers(self, state)
        self._latest = weakref.ref(made)
        return made

    def state_dict(self) -> dict[str, Any]:
        """Where the latest iteration is: give it to `load_state_dict` of a loader made
        with the same arguments, and its next iteration goes on from there.

        >>> import plugrad
        >>> from plugrad.utils.data import DataLoader
        >>> loader = DataLoader(range(6), batch_size=2)
        >>> batches = iter(loader)
        >>> next(batches)
        tensor([0, 1])
        >>> state = loader.state_dict()
        >>> other = DataLoader(range(6), batch_size=2)
        >>> other.load_state_dict(state)
        >>> list(other)
        [tensor([2, 3]), tensor([4, 5])]
        """
        if self._state is not None:
            return self._state
        latest = None if self._latest is None else self._latest()
        begun = latest is not None and not latest.finished
        return state_of(self, latest.epoch if begun else None)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Let the next iteration go on where the state was taken, the one after it
        begin a new epoch."""
        self._state = checked(self, state_dict)


# --- Arguments that do not fit -------------------------------------------------------


def check_workers(
    num_workers: int, timeout: float, prefetch_factor: Any, persistent: bool
) -> None:
    if num_workers < 0:
        raise ValueError(f"num_workers is {num_workers}; 0 loads in this process")
    if timeout < 0:
        raise ValueError(f"timeout is {timeout}; 0 waits without end")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError("prefetch_factor is for workers: give num_workers, too")
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError(
            f"prefetch_factor is {prefetch_factor}, but cannot be negative"
        )
    if persistent and num_workers == 0:
        raise ValueError("persistent_workers is for workers: give num_workers, too")


def check_iterable(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    if shuffle not in (False, None):
        raise ValueError(
            f"shuffle={shuffle}: an IterableDataset has an order of its own; shuffle "
            "in its __iter__"
        )
    for name, given in (("sampler", sampler), ("batch_sampler", batch_sampler)):
        if given is not None:
            raise ValueError(
                f"{name}={given}: an IterableDataset has an order of its own and takes "
                "no sampler"
            )


def check_order(
    batch_size: Any, shuffle: Any, sampler: Any, batch_sampler: Any, drop_last: bool
) -> None:
    if sampler is not None and shuffle:
        raise ValueError("sampler and shuffle exclude each other: give one of them")
    if batch_sampler is not None:
        if batch_size != 1 or shuffle or sampler is not None or drop_last:
            raise ValueError(
                "batch_sampler says all of batch_size, shuffle, sampler and drop_last: "
                "leave these out"
            )
    elif batch_size is None and drop_last:
        raise ValueError("drop_last needs batches: with batch_size=None there are none")


def checked_context(context: Any, num_workers: int) -> Any:
    """What multiprocessing_context means: a context of multiprocessing, or None."""
    if context is None:
        return None
    if num_workers == 0:
        raise ValueError(
            "multiprocessing_context is for workers: give num_workers, too"
        )
    import multiprocessing
    from multiprocessing.context import BaseContext

    methods = multiprocessing.get_all_start_methods()
    if isinstance(context, str):
        if context not in methods:
            raise ValueError(
                f"multiprocessing_context={context!r}: this system can start processes "
                f"by {', '.join(methods)}"
            )
        return multiprocessing.get_context(context)
    if not isinstance(context, BaseContext):
        raise TypeError(
            "multiprocessing_context is the name of a start method or what "
            f"multiprocessing.get_context returns, not {context!r}"
        )
    return context


def check_cores(num_workers: int) -> None:
    """Warn if there are more workers than cores."""
    cores = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    if num_workers > cores:
        warn(
            f"this DataLoader starts {num_workers} workers, but the process may use "
            f"{cores} cores: fewer workers may be faster",
            stacklevel=3,
        )
