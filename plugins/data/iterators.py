"""The iterators of a loader: over batches made here, or in workers.

- Both begin an epoch by drawing a seed, then the order, so that the order does not
  depend on the number of workers.
- Batch i of an epoch is the task of worker i modulo their number, and batches are given
  in that order, unless `in_order` is False: then whoever is free gets the next task,
  and batches are given as they come.
- What a dataset, a sampler or a collate_fn raises is raised in the place of the batch,
  and the next one can be asked for. A worker that is gone, late or cannot begin ends
  the iteration.
- Each worker has `prefetch_factor` tasks at a time. The iterator ends its workers when
  the epoch ends, when it cannot go on, and when it is dropped; persistent ones stay for
  the next epoch.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any
from warnings import warn

from . import seeding
from .failures import again
from .fetching import Ended
from .pinning import find_pin
from .resuming import Epoch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .loader import DataLoader


class Batches(Iterator[Any]):
    """What the two iterators have in common: the epoch, pinning, the count."""

    def __init__(self, loader: DataLoader, resumed: dict[str, Any] | None) -> None:
        self.loader = loader
        self.pin = find_pin(loader.pin_memory, loader.pin_memory_device)
        self.begin(resumed)

    def begin(self, resumed: dict[str, Any] | None) -> None:
        """Begin an epoch."""
        self.epoch = Epoch(self.loader, resumed)
        self.told_length = self.loader.told_length
        self.finished = False
        self.broken = ""  # why it has ended, if it was not at its end

    def __iter__(self) -> Batches:
        return self

    def __len__(self) -> int:
        return len(self.loader)

    def counted(self, batch: Any) -> Any:
        """A batch that is given now."""
        self.epoch.given += 1
        if self.told_length is not None and self.epoch.given > self.told_length:
            warn(
                f"the IterableDataset said that it has {self.told_length} samples, and "
                f"this is batch {self.epoch.given}; with workers, each must give a "
                "part of the samples only (get_worker_info says which it is)",
                stacklevel=3,
            )
        return batch

    def close(self) -> None:
        """End what the iterator has started."""


class Here(Batches):
    """Batches made in this process."""

    def begin(self, resumed: dict[str, Any] | None) -> None:
        super().begin(resumed)
        self.fetch = self.loader.recipe().fetcher(self.loader.dataset)
        if self.epoch.passed:
            state = seeding.random_state()
            try:
                for _ in range(self.epoch.passed):
                    with suppress(Exception):  # as the program that is resumed did
                        self.fetch(next(self.epoch.indices))
            finally:
                seeding.set_random_state(state)

    def __next__(self) -> Any:
        try:
            index = next(self.epoch.indices)
        except StopIteration:
            self.finished = True
            raise
        try:
            batch = self.fetch(index)
            if self.pin is not None:
                batch = self.pin(batch)
        except Ended:
            self.finished = True
            raise StopIteration from None
        except Exception:
            self.epoch.given += 1
            raise
        return self.counted(batch)


class FromWorkers(Batches):
    """Batches that worker processes make."""

    def __init__(self, loader: DataLoader, resumed: dict[str, Any] | None) -> None:
        self.workers = loader.num_workers
        self.number = 0  # of the epoch
        self.pool: Any = None
        self.thread: Any = None
        super().__init__(loader, resumed)

    # --- an epoch -------------------------------------------------------------------

    def begin(self, resumed: dict[str, Any] | None) -> None:
        """Begin an epoch, with the workers that are there already, if any."""
        if self.pool is not None and resumed is not None:
            self.close()  # workers are started anew, with their states
        super().begin(resumed)
        self.number += 1
        self.passing = self.epoch.passed  # batches still to be dropped
        first = 0 if self.passing else self.epoch.given
        self.next_task = self.next_given = first
        self.turn = first % self.workers
        self.owners: dict[int, int] = {}  # task -> its worker, until it is given
        self.results: dict[int, Any] = {}  # task -> what came of it
        self.pending = [0] * self.workers  # tasks that a worker has
        self.at_end = [False] * self.workers
        self.exhausted = False
        self.failure: Exception | None = None  # of the sampler
        if self.pool is None:
            self.start()
        try:
            for _ in range(self.workers * self.loader.prefetch_factor):
                self.hand_out()
        except BaseException:
            self.close()
            raise

    def start(self) -> None:
        from .pool import Pool
        from .worker import Setup

        loader, setups = self.loader, []
        for i in range(self.workers):
            state = self.epoch.states[i]
            setup = Setup(i, self.workers, self.epoch.base_seed, state)
            setup.shape = loader.iterable, loader.batched, loader.drop_last
            setup.add("dataset", loader.dataset)
            setup.add("collate_fn", loader.collate_fn)
            setup.add("worker_init_fn", loader.worker_init_fn)
            setups.append(setup)
        self.pool = Pool(loader.context(), setups, loader.prefetch_factor)
        if self.pin is not None:
            from concurrent.futures import ThreadPoolExecutor

            self.thread = ThreadPoolExecutor(1, "plugrad-data-pinning")

    def hand_out(self) -> None:
        """Give a worker the next task, if there is one."""
        worker = self.free_worker()
        if worker is None or self.exhausted:
            return
        try:
            index = next(self.epoch.indices)
        except StopIteration:
            self.exhausted = True
            return
        except Exception as error:  # raised once the batches before it are given
            self.exhausted = True
            self.failure = error
            return
        task = self.next_task
        self.next_task += 1
        self.owners[task] = worker
        self.pending[worker] += 1
        wanted = task >= self.epoch.passed
        self.pool.send(worker, (self.number, task, index, wanted))

    def free_worker(self) -> int | None:
        """Whose turn it is; out of order, who has the fewest tasks."""
        turns = [(self.turn + i) % self.workers for i in range(self.workers)]
        able = [w for w in turns if not self.at_end[w]]
        if not able:
            return None
        worker = able[0]
        if not self.loader.in_order:
            worker = min(able, key=lambda w: self.pending[w])
        self.turn = (worker + 1) % self.workers
        return worker

    # --- batches --------------------------------------------------------------------

    def __next__(self) -> Any:
        if self.finished:
            if self.broken:
                raise RuntimeError(self.broken)
            raise StopIteration
        try:
            found = self.next_result()
        except BaseException as error:  # Ctrl-C, too: a notebook keeps the traceback,
            self.break_off(error)  # and with it this iterator
            raise
        if found is None:
            self.finished = True
            if not self.loader.persistent_workers or self.failure is not None:
                self.close()
            if self.failure is not None:
                raise self.failure
            raise StopIteration
        try:
            batch = found()
        except BaseException:
            self.epoch.given += 1
            del self, found  # or the traceback would keep the workers and the memory
            raise
        return self.counted(batch)

    def next_result(self) -> Callable[[], Any] | None:
        """What gives the next batch, or raises what came in its place; None at the end
        of the epoch."""
        while (task := self.await_result()) is not None:
            kind, state, result = self.results.pop(task)
            worker = self.owners.pop(task)
            self.hand_out()
            if kind == "end":
                continue
            self.epoch.states[worker] = state or self.epoch.states[worker]
            if self.passing:
                self.passing -= 1
                continue
            return result
        return None

    def break_off(self, error: BaseException) -> None:
        """End the iteration, which cannot go on."""
        self.close()
        lines = f"{type(error).__name__}: {error}".splitlines()
        self.broken = (
            f"this iteration of a DataLoader has ended with {lines[0]}; "
            "iter(loader) begins another"
        )

    def await_result(self) -> int | None:
        """The task whose result is given next; None at the end of the epoch."""
        self.take(self.pool.poll())
        begun = time.monotonic()
        while self.owners:
            if not self.loader.in_order:
                task = next(iter(self.results), None)
                if task is not None:
                    return task
            else:
                while self.next_given not in self.owners:
                    self.next_given += 1
                if self.next_given in self.results:
                    return self.next_given
            awaited = self.owners[min(self.owners)]
            self.take(self.pool.receive(begun, self.loader.timeout, awaited))
        return None

    def take(self, messages: list[Any]) -> None:
        """Note what workers sent."""
        for worker, (control, state, *pieces) in messages:
            kind, number, task = pickle.loads(control)
            if number not in (self.number, 0):
                continue  # of an epoch that was broken off
            if kind == "error":
                error = again(self.pool.who(worker), *pickle.loads(pieces[0]))
                if not number:  # it could not begin
                    raise error
                result = partial(thrown, error)
            else:
                result = partial(loaded, pieces, self.pool.who(worker), self.pin)
                if kind == "batch" and self.thread is not None:
                    result = self.thread.submit(result).result
            self.pending[worker] -= 1
            self.at_end[worker] |= kind == "end"
            self.results[task] = kind, bytes(state), result

    # --- the end --------------------------------------------------------------------

    def close(self) -> None:
        """End the workers."""
        pool, self.pool = self.pool, None
        thread, self.thread = self.thread, None
        self.finished = True
        self.results.clear()
        if thread is not None:
            thread.shutdown(wait=True, cancel_futures=True)
        if pool is not None:
            pool.close()

    def __del__(self) -> None:
        if getattr(self, "pool", None) is not None:
            self.close()


def thrown(error: BaseException) -> None:
    """Raise what came in the place of a batch."""
    try:
        raise error
    finally:
        del error  # which would refer to itself by its traceback


def loaded(pieces: list[Any], who: str, pin: Callable[[Any], Any] | None) -> Any:
    """The batch out of its pickle, on the memory that came with it."""
    try:
        batch = pickle.loads(pieces[0], buffers=pieces[1:])
    except Exception as error:
        raise RuntimeError(
            f"{who} sent a batch whose pickle cannot be read: "
            f"{type(error).__name__}: {error}"
        ) from error
    return batch if pin is None else pin(batch)
