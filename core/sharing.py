"""Work that several threads share: the calling one, and helpers that stay.

- Array libraries let other threads run while they compute. So a large job is cut into
  parts, and each thread takes the next one that is left.
- A helper is woken on another processor than the caller's. Linux may wake it on the
  caller's while another one is idle, and move it only milliseconds later: an
  optimizer's step on 10 million parameters then takes as long as on one thread.
"""

from __future__ import annotations

import os
from collections import deque
from functools import cache
from queue import SimpleQueue
from threading import Lock, Thread

from .threads import get_num_threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

__all__ = ["in_threads"]

MOST = 8  # threads for one job: for more of them memory is not faster

helpers: list[Thread] = []
waiting: list[SimpleQueue[Work]] = []  # where all helpers wait, once there is one
starting = Lock()


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
    if count > 1:
        call_helpers(work, count - 1)
    try:
        work.run()
    finally:
        work.left.clear()
        # who has not begun finds nothing left, and need not be waited for
        errors = [work.ended.get() for _ in range(len(work.begun))]
    for error in errors:
        if error is not None:
            raise error


class Work:
    """The parts of one job."""

    def __init__(self, parts: Sequence[Callable[[], object]]) -> None:
        self.left = deque(parts)
        self.begun: list[None] = []  # one for each helper
        self.ended: SimpleQueue[BaseException | None] = SimpleQueue()
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

    def help(self) -> None:
        """The same on a helper."""
        self.begun.append(None)
        error = None
        try:
            if self.places:
                os.sched_setaffinity(0, self.places)
            self.run()
        except BaseException as raised:  # it is the caller's
            error = raised
            self.left.clear()
        self.ended.put(error)


def call_helpers(work: Work, count: int) -> None:
    """Have so many helpers work."""
    with starting:
        if not waiting:
            waiting.append(SimpleQueue())
        while len(helpers) < count:
            name = f"plugrad-{len(helpers)}"
            helper = Thread(target=wait_for_work, args=waiting, name=name, daemon=True)
            helper.start()
            helpers.append(helper)
    work.places = keep_apart(helpers[:count])
    for _ in range(count):
        waiting[0].put(work)


def wait_for_work(queue: SimpleQueue[Work]) -> None:
    """What a helper does."""
    while True:
        queue.get().help()


def keep_apart(threads: list[Thread]) -> set[int]:
    """Let sleeping threads wake on none but the processors that this one does not
    compute on; returns those that they may use once they are awake, if it was done."""
    ask = processor()
    if ask is None:
        return set()
    try:
        places = os.sched_getaffinity(0)
        others = places - {ask()}
        if not others:
            return set()
        for thread in threads:
            os.sched_setaffinity(thread.native_id or 0, others)
    except OSError:  # forbidden here, and not needed for what is computed
        return set()
    return places


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
    waiting.clear()
    starting.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=starting.acquire,
        after_in_parent=starting.release,
        after_in_child=in_child,
    )
