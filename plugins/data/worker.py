"""What a worker process does: wait for tasks, load batches, send them.

- `Setup` is what a worker is started with. Where processes do not share their parent's
  memory (spawn), its parts are pickled one by one, so that an error can name the part.
- The worker ends when the loader closes its connection, or is gone. A thread sees to
  that where the dataset does not come to an end.
- Every exception is sent to the loader, with where it came from.
"""

from __future__ import annotations

import copyreg
import io
import os
import pickle
import select
import selectors
import signal
import socket
import threading
import time
from collections import ChainMap
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.reduction import ForkingPickler
from typing import Any

from plugrad import Tensor

from . import seeding
from .blocks import Blocks
from .channel import Channel, Hangup, Selector
from .failures import culprit, told
from .fetching import Ended, Recipe

LARGE = 4096  # bytes of an array that are not copied into the pickle
IDLE = 5.0  # seconds between two looks whether the loader is still there
LAST = 0.5  # seconds that a worker may go on after the loader has hung up


class Part:
    """An object for a worker, which names itself if it cannot be pickled."""

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value
        self.data: bytes | None = None

    def __getstate__(self) -> Any:
        try:
            data = bytes(ForkingPickler.dumps(self.value))
        except Exception as error:
            place = culprit(self.value, ForkingPickler.dumps, self.name)
            raise RuntimeError(
                f"DataLoader cannot start workers by this method: {self.name} has to "
                f"be pickled, which fails at {place}: {error}"
            ) from error
        return {"name": self.name, "value": None, "data": data}

    def get(self) -> Any:
        if self.data is not None:
            self.value, self.data = pickle.loads(self.data), None
        return self.value


class Setup:
    """All that a worker has to know."""

    def __init__(
        self, number: int, workers: int, base_seed: int, state: bytes | None
    ) -> None:
        self.number = number
        self.workers = workers
        self.base_seed = base_seed
        self.state = state  # of the random generators, to go on from
        self.shape: tuple[bool, bool, bool] = (False, True, False)  # of a Recipe
        self.parts: list[Part] = []

    def add(self, name: str, value: Any) -> None:
        self.parts.append(Part(name, value))


def main(end: socket.socket, setup: Setup) -> None:
    """The function of the process."""
    # Ctrl-C goes to the whole group: the loader decides what it means. A handler that
    # does nothing is not inherited by programs that the dataset starts, SIG_IGN is.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(ValueError):
        signal.set_wakeup_fd(-1)  # an event loop's, which is not ours
    channel = Channel(end, blocks=Blocks())
    if hasattr(select, "poll"):
        threading.Thread(target=end_with_loader, args=(end,), daemon=True).start()
    with suppress(Hangup):
        Worker(channel, setup).serve()


def end_with_loader(end: socket.socket) -> None:
    """End this process soon after the other end of the connection is closed."""
    poll = select.poll()
    poll.register(end, 0)  # hanging up is always reported
    poll.poll()
    time.sleep(LAST)
    os.kill(os.getpid(), signal.SIGKILL)


class Worker:
    """The state of a worker process."""

    def __init__(self, channel: Channel, setup: Setup) -> None:
        self.channel = channel
        self.setup = setup
        self.selector = Selector()
        self.selector.register(channel.end, selectors.EVENT_READ)
        self.parent = os.getppid()
        self.epoch = self.task = 0
        self.state = b""
        self.fetch: Callable[[Any], Any]

    def serve(self) -> None:
        """Answer until the loader hangs up."""
        tasks: list[Any] = []
        try:
            self.prepare()
        except Exception as error:
            self.fail(error, "before its first batch")
            while True:  # the loader will hang up
                self.wait(selectors.EVENT_READ)
                self.channel.receive()
        while True:
            if not tasks:
                self.wait(selectors.EVENT_READ)
            tasks += [pickle.loads(each[0]) for each in self.channel.receive()]
            latest = max((t[0] for t in tasks), default=self.epoch)
            while tasks and tasks[0][0] < latest:  # nobody waits for them any more
                self.get_back(*tasks.pop(0)[-2:])
            if tasks:
                *task, reuse, drop = tasks.pop(0)
                self.get_back(reuse, drop)
                self.answer(*task)

    def prepare(self) -> None:
        """Take over the dataset and the functions, and seed."""
        setup = self.setup
        self.dataset, collate_fn, init = (part.get() for part in setup.parts)
        self.recipe = Recipe(*setup.shape, collate_fn)
        seed = setup.base_seed + setup.number
        seeding.seed_all(seed)
        info = seeding.WorkerInfo(setup.number, setup.workers, seed, self.dataset)
        seeding.HERE[:] = [info]
        if init is not None:
            init(setup.number)
        if setup.state is not None:
            seeding.set_random_state(setup.state)

    def get_back(self, reuse: list[int], drop: list[int]) -> None:
        """Take back blocks of memory that the loader no longer needs."""
        if self.channel.blocks is not None:
            self.channel.blocks.free.update(reuse)
            self.channel.blocks.drop(drop)

    def answer(self, epoch: int, task: int, index: Any, wanted: bool) -> None:
        """Do a task, and send what came of it, if that is wanted; the first one of an
        epoch begins it."""
        where = f"loading batch {task}"
        begins, self.epoch, self.task = epoch != self.epoch, epoch, task
        if begins:
            try:
                self.fetch = self.recipe.fetcher(self.dataset)
            except Exception as error:
                self.epoch = 0  # which says that there will be no batches at all
                self.fail(error, f"before batch {task}")
                return
        try:
            data = self.fetch(index)
        except Ended:
            self.send("end", [b""])
            return
        except Exception as error:
            self.fail(error, where)
            return
        try:
            pieces = pickled(data) if wanted else [b""]
        except Exception as error:
            place = culprit(data, pickled, "batch")
            self.fail(error, f"sending batch {task}: cannot pickle {place}")
            return
        try:
            self.send("batch", pieces)
        except OSError as error:
            size = sum(map(len, pieces)) / 2**20
            where = f"sending batch {task}, {size:.1f} MiB, through shared memory"
            self.fail(error, where)

    def fail(self, error: Exception, where: str) -> None:
        self.send("error", [pickle.dumps((*told(error), where))])

    def send(self, kind: str, pieces: list[Any]) -> None:
        """Send a message, once there is room for it."""
        before, self.state = self.state, seeding.random_state()
        changed = self.state if self.state != before else b""
        control = pickle.dumps((kind, self.epoch, self.task))
        done = self.channel.send([control, changed, *pieces])
        while not done:
            self.wait(selectors.EVENT_WRITE)
            done = self.channel.flush()

    def wait(self, what: int) -> None:
        """Wait until the connection can be read or written."""
        self.selector.modify(self.channel.end, what)
        while not self.selector.select(IDLE):
            if os.getppid() != self.parent:
                raise Hangup


def pickled(data: Any) -> list[Any]:
    """The pickle of a batch, and behind it the memory of its large arrays."""
    buffers: list[Any] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < LARGE:
            return True
        buffers.append(raw)
        return False

    out = io.BytesIO()
    pickler = pickle.Pickler(out, 5, buffer_callback=keep)
    pickler.dispatch_table = REDUCED
    pickler.dump(data)
    return [out.getbuffer(), *buffers]


def reduced(x: Tensor) -> Any:
    """How a tensor is pickled. One that was computed from others would lose its graph
    without a word."""
    if x.requires_grad and not x.is_leaf:
        raise RuntimeError(
            "a tensor that wants a gradient and was computed from others cannot be "
            "sent: the gradient would not come back. Call .detach() on it"
        )
    return x.__reduce_ex__(5)


REDUCED = ChainMap({Tensor: reduced}, copyreg.dispatch_table)
