"""Work that several threads share: the calling one, and helpers that stay.

- Array libraries let other threads run while they compute. So a large job is cut into
  parts, and each thread takes the next one that is left.
- A job is given to helpers that wait. Those that are busy with another caller's are not
  waited for: the caller computes alone if need be.
- A helper is woken on another processor than the caller's. Linux may wake it on the
  caller's while another one is idle, and move it only milliseconds later: an
  optimizer's step on 10 million parameters then takes as long as on one thread.
"""

from __future__ import annotations

import os
from _thread import RLock
from collections import deque
from contextlib import suppress
from functools import cache
from queue import Empty, SimpleQueue
from threading import Thread

from .threads import get_num_threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Part = Callable[[], object]

__all__ = ["in_threads"]

MOST = 8  # threads for one job: for more of them memory is not faster

helpers: list[Helper] = []
starting = RLock()


def in_threads(parts: Sequence[Callable[[], object]]) -> None:
    """Call functions on as many threads as `set_num_threads` allows, up to 8, the
    calling one among them. An error of one is raised once all have stopped; parts that
    are then left are not called.

    It is worth its 50 µs for parts that leave Python to others for longer, as large
    operations of array libraries do. Modes belong to a thread: a part that needs
    `no_grad` has it itself.

    >>> import plugrad
    >>> found = {}
    >>> plugrad.in_threads([lambda i=i: found.setdefault(i, i * i) for i in range(4)])
    >>> sorted(found.values())
    [0, 1, 4, 9]
    """
    work = Work(parts)
    count = min(get_num_threads(), MOST, len(parts))
    try:
        if count > 1:
            call_helpers(work, count - 1)
        work.run()
    finally:
        work.finish()
    for error in work.errors:
        try:
            raise error
        finally:  # which refers to this frame
            work.errors = []
            del error


class Work:
    """The parts of one job."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.left = deque(parts)
        self.begun: list[None] = []  # one for each helper
        self.ended: list[None] = []
        self.bell: SimpleQueue[None] = SimpleQueue()
        self.errors: list[BaseException] = []  # of helpers
        self.places: set[int] = set()  # processors that the caller may use

    def run(self) -> None:
        """Take one part after the other until none is left."""
        left = self.left
        while left:
            try:
                part = left.popleft()
            except IndexError:  # another thread took the last
                return
            part()

    def help(self, helper: Helper) -> None:
        """The same on a helper."""
        self.begun.append(None)
        try:
            if self.places:
                with suppress(OSError):
                    os.sched_setaffinity(0, self.places)
            self.run()
        except BaseException as raised:  # it is the caller's
            self.errors.append(raised)
            self.left.clear()
        finally:
            helper.working = False  # before the caller goes on, and calls again
            self.ended.append(None)
            self.bell.put(None)

    def finish(self) -> None:
        """Wait until the helpers that have begun have ended, however often a signal's
        handler raises: they write to the caller's memory. Those that have not begun
        find nothing left."""
        self.left.clear()
        interrupted: BaseException | None = None
        while len(self.ended) < len(self.begun):
            try:
                with suppress(Empty):
                    self.bell.get(timeout=0.1)
            except BaseException as raised:
                interrupted = raised
        if interrupted is not None:
            try:
                raise interrupted
            finally:
                del interrupted


class Helper(Thread):
    """A thread that waits for work. A signal's handler may raise anywhere on the main
    thread, so who is idle is not written down there, but seen."""

    def __init__(self) -> None:
        super().__init__(name=f"plugrad-{len(helpers)}", daemon=True)
        self.given: SimpleQueue[Work] = SimpleQueue()
        self.working = False

    def run(self) -> None:
        while True:
            self.take(self.given.get())

    def take(self, work: Work) -> None:
        """Help with a job; what refers to it ends with this call."""
        self.working = True
        work.help(self)

    def is_idle(self) -> bool:
        """Whether it waits; else work that it is given begins later, or finds nothing
        left."""
        return not self.working and self.given.empty()


def call_helpers(work: Work, count: int) -> None:
    """Have so many helpers work, or as many as are idle or can be started."""
    with starting:
        called = [helper for helper in helpers if helper.is_idle()][:count]
        while len(called) < count and len(helpers) < count:
            helper = Helper()
            try:
                helper.start()
            except RuntimeError:  # the system has no more threads
                break
            helpers.append(helper)
            called.append(helper)
    keep_apart(work, called)
    for helper in called:
        helper.given.put(work)


def keep_apart(work: Work, called: list[Helper]) -> None:
    """Let helpers that wait wake on other processors than the one that this thread
    computes on. Once awake, they may use those that it may (`Work.help`)."""
    ask = processor()
    if ask is None:
        return
    with suppress(OSError):  # where it is forbidden, they wake where they may
        work.places = places = os.sched_getaffinity(0)
        others = places - {ask()} or places
        for helper in called:
            os.sched_setaffinity(helper.native_id or 0, others)


@cache
def processor() -> Callable[[], Any] | None:
    """The function that says which processor runs the calling thread, on Linux."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    try:
        from ctypes import PyDLL

        return PyDLL(None).sched_getcpu
    except (ImportError, AttributeError, OSError):
        return None


def in_child() -> None:
    """A forked process has no helpers yet."""
    helpers.clear()
    starting.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=starting.acquire,
        after_in_parent=starting.release,
        after_in_child=in_child,
    )
