"""The worker processes of a loader: start them, talk to them, end them.

- A worker that ends by itself is found by its connection, which the system closes: the
  loader, which waits at it, hears of it at once.
- `close` leaves no process behind. Who does not end by itself when the connection is
  closed is terminated after a moment, and killed after another.
- A process that is forked later closes its copies of the connections, and never ends
  what is not its own.
"""

from __future__ import annotations

import os
import pickle
import selectors
import socket
import time
import weakref
from contextlib import suppress
from multiprocessing.process import BaseProcess
from typing import Any

from .blocks import Maps
from .channel import Channel, Hangup, Selector
from .failures import ended, late, named
from .worker import Setup, main

GRACE = 0.15  # seconds that a worker has to end by itself, and again after SIGTERM
LOOK = 0.5  # seconds between two looks at processes whose connections stay silent
Message = tuple[int, list[memoryview]]  # the worker, and the pieces it sent


class Pool:
    """So many workers, and the messages between them and the loader."""

    def __init__(self, context: Any, setups: list[Setup], prefetch: int) -> None:
        self.owner = os.getpid()
        self.processes: list[BaseProcess] = []
        self.channels: list[Channel] = []
        self.arrived: list[Message] = []
        self.selector = Selector()
        POOLS.add(self)
        try:
            for setup in setups:
                self.start(context, setup, prefetch)
        except BaseException:
            self.close()
            raise

    def start(self, context: Any, setup: Setup, prefetch: int) -> None:
        ours, theirs = socket.socketpair()
        # a block for each batch that waits, one that is written, one that is in use
        self.channels.append(Channel(ours, maps=Maps(prefetch + 2)))
        with theirs:
            process = context.Process(
                target=main,
                args=(theirs, setup),
                name=f"plugrad-data-worker-{setup.number}",
                daemon=True,
            )
            process.start()
        self.processes.append(process)
        self.selector.register(ours, selectors.EVENT_READ, setup.number)

    def who(self, worker: int) -> str:
        """A worker as errors name it."""
        return named(worker, self.processes[worker].pid)

    def send(self, worker: int, task: tuple[Any, ...]) -> None:
        """Send a task as soon as the worker has room for it."""
        channel = self.channels[worker]
        message = (*task, *channel.maps.returned())  # type: ignore[union-attr]
        try:
            done = channel.send([pickle.dumps(message)])
        except Hangup:
            return  # why, receive() finds out; the worker may have said something
        if not done:
            both = selectors.EVENT_READ | selectors.EVENT_WRITE
            self.selector.modify(channel.end, both, worker)

    def receive(self, begun: float, timeout: float, awaited: int) -> list[Message]:
        """The next messages of any workers; a RuntimeError if a worker is gone, or if
        it takes longer than `timeout` since `begun`, unless that is 0."""
        while not self.arrived:
            left = begun + timeout - time.monotonic() if timeout else LOOK
            events = self.selector.select(min(LOOK, max(0.0, left)))
            for key, event in events:
                self.serve(key.data, event)
            if not events:
                self.look()
                if left <= 0:
                    raise self.overdue(awaited, timeout)
        return self.taken()

    def poll(self) -> list[Message]:
        """The messages that have arrived, perhaps none."""
        for key, event in self.selector.select(0):
            self.serve(key.data, event)
        return self.taken()

    def taken(self) -> list[Message]:
        messages, self.arrived = self.arrived, []
        return messages

    def serve(self, worker: int, event: int) -> None:
        """Read from and write to a connection that is ready."""
        channel = self.channels[worker]
        with suppress(Hangup):
            if event & selectors.EVENT_WRITE and channel.flush():
                self.selector.modify(channel.end, selectors.EVENT_READ, worker)
            try:
                for pieces in channel.receive():
                    self.arrived.append((worker, pieces))
            except OSError as error:  # no memory or no more files for a batch
                raise OSError(
                    f"a batch of {self.who(worker)} cannot be received: {error}"
                ) from error
            return
        self.processes[worker].join(GRACE)
        if not self.arrived:  # else once that has been read
            raise self.gone(worker)

    def look(self) -> None:
        """Find workers that ended while children of theirs hold their connections."""
        for worker, process in enumerate(self.processes):
            if not process.is_alive():
                raise self.gone(worker)

    def overdue(self, worker: int, timeout: float) -> RuntimeError:
        """The error of a worker that took too long. All are killed: those that hang do
        not listen, and the error is not to come later than was asked for."""
        error = late(self.who(worker), self.processes[worker].pid, timeout)
        for process in self.processes:
            process.kill()
        return error

    def gone(self, worker: int) -> RuntimeError:
        return ended(self.who(worker), self.processes[worker].exitcode)

    def close(self) -> None:
        """End all workers, and wait for that."""
        POOLS.discard(self)
        self.hang_up()
        if self.owner != os.getpid():
            return
        processes, self.processes = self.processes, []
        for end in (lambda _: None, BaseProcess.terminate, BaseProcess.kill):
            for process in processes:
                end(process)
            processes = still_running(processes)
        for process in processes:  # one in an uninterruptible call of the system
            process.join()

    def hang_up(self) -> None:
        """Close this process's ends of the connections."""
        self.arrived.clear()
        self.selector.close()
        for channel in self.channels:
            channel.close()


def still_running(processes: list[BaseProcess]) -> list[BaseProcess]:
    """Those that have not ended after a moment."""
    until = time.monotonic() + GRACE
    for process in processes:
        process.join(max(0.0, until - time.monotonic()))
    running = []
    for process in processes:
        if process.is_alive():
            running.append(process)
        else:
            process.close()
    return running


POOLS: weakref.WeakSet[Pool] = weakref.WeakSet()


def hang_up_in_child() -> None:
    """A forked process closes its copies: its parent's workers are to notice when
    their own loader is gone."""
    for pool in list(POOLS):
        with suppress(OSError):
            pool.hang_up()
    POOLS.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=hang_up_in_child)
