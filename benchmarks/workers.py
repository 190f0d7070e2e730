"""Contestants in processes of their own, who take turns.

Threads that have finished wait for more by spinning: OpenMP's (of which several may be
in a process, each with threads of its own), OpenBLAS's, XLA's. Whoever comes next in
the same process computes beside them. So:

- Each contestant has a process that lives as long as the comparison, and computes only
  when it is told to, over a pipe. It replies once its threads have gone to sleep.
- Turns alternate, round by round; what is compared is the ratio within a round.
- How busy the processors were tells how many threads a contestant really used.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

from .isolation import environment
from .timing import Plan, Times, brief, progress

Call = Callable[[], object]
Maker = Callable[..., tuple[Call, Any]]  # the call, and what shows that it is right

MOST_CALLS = 100  # in a turn
LONGEST = 600.0  # seconds for an answer, compilation included
QUIET = 0.02  # of a processor, that Python and the clock may take


class Failed(Exception):
    """A contestant that cannot compute: absent, wrong, ended, or too slow."""


@dataclass(frozen=True)
class Turn:
    """The seconds of each call, and how many processors were busy meanwhile."""

    seconds: list[float]
    busy: float


class Worker:
    """A process that holds one contestant; `shown` is what its maker showed of it."""

    def __init__(
        self, make: Maker, *args: Any, variables: dict[str, str] | None = None
    ) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=_work, args=(theirs, make, args), daemon=True
        )
        with environment(variables):
            self.process.start()
        theirs.close()
        try:
            self.shown = self._answer()
        except Failed:
            self.close()
            raise

    def turn(self, calls: int) -> Turn:
        """Call so many times, after one call that is not counted."""
        self.pipe.send(calls)
        return self._answer()

    def _answer(self) -> Any:
        try:
            if not self.pipe.poll(LONGEST):
                raise Failed(f"no answer in {LONGEST:.0f} s")
            answer = self.pipe.recv()
        except (EOFError, ConnectionError):
            self.process.join(10)
            code = self.process.exitcode
            raise Failed(f"its process ended with exit code {code}") from None
        if isinstance(answer, Failed):
            raise answer
        return answer

    def close(self) -> None:
        self.pipe.close()  # so that it ends, and what it has started with it
        self.process.join(5)
        self.process.kill()
        self.process.join()


def _work(pipe: Connection, make: Maker, args: tuple[Any, ...]) -> None:
    """What runs in the process."""
    try:
        call, shown = make(*args)
        pipe.send(shown)
        while True:
            calls = pipe.recv()
            call()
            turn = _timed(call, calls)
            _until_quiet()
            pipe.send(turn)
    except EOFError:
        return
    except Exception as error:  # becomes a note below the table
        pipe.send(Failed(brief(error)))


def _timed(call: Call, calls: int) -> Turn:
    seconds = []
    before, busy = time.perf_counter(), time.process_time()
    for _ in range(calls):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    busy = time.process_time() - busy  # of all threads
    return Turn(seconds, busy / (time.perf_counter() - before))


def _until_quiet(longest: float = 1.0, slice_: float = 0.02) -> None:
    """Wait until the process's threads sleep; OpenMP's may spin for 0.2 s."""
    end = time.perf_counter() + longest
    while time.perf_counter() < end:
        before, busy = time.perf_counter(), time.process_time()
        time.sleep(slice_)
        busy = time.process_time() - busy
        if busy < QUIET * (time.perf_counter() - before):
            return


@dataclass
class Group:
    """Contestants of a comparison, and notes about those that do not take part."""

    workers: dict[str, Worker] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def start(
        self, name: str, make: Maker, *args: Any, variables: dict[str, str]
    ) -> Any:
        """Have one more, and give what it shows of itself; None where it fails."""
        try:
            worker = Worker(make, *args, variables=variables)
        except Failed as failure:
            self.notes.append(f"{name}: {failure}")
            return None
        self.workers[name] = worker
        return worker.shown

    def drop(self, name: str, why: str = "") -> None:
        """Go on without a contestant."""
        self.workers.pop(name).close()
        if why:
            self.notes.append(f"{name}: {why}")

    def alternate(self, plan: Plan) -> tuple[Times, dict[str, float]]:
        """Seconds per call of each, one figure a round; and the processors it kept
        busy. What fails on the way is dropped with a note, and has no figures.

        Lists of different length belong to the same rounds, counted from the first.
        """
        counts: dict[str, tuple[int, int]] = {}
        for name in list(self.workers):
            if turn := self._turn(name, 2):
                counts[name] = _affordable(min(turn.seconds), plan)
        times: Times = {name: [] for name in counts}
        busy: dict[str, list[float]] = {name: [] for name in counts}
        for number in range(max((rounds for rounds, _ in counts.values()), default=0)):
            for name, (rounds, calls) in counts.items():
                if number < rounds and (turn := self._turn(name, calls)):
                    times[name].append(median(turn.seconds))
                    busy[name].append(turn.busy)
        done = [name for name in times if name in self.workers]
        return {n: times[n] for n in done}, {n: median(busy[n]) for n in done}

    def _turn(self, name: str, calls: int) -> Turn | None:
        if name not in self.workers:
            return None
        progress(f"{name}: {calls} calls")
        try:
            return self.workers[name].turn(calls)
        except Failed as failure:
            self.drop(name, str(failure))
            return None


def _affordable(once: float, plan: Plan) -> tuple[int, int]:
    """Rounds, and calls in a turn, for a call that takes so many seconds."""
    calls = min(max(2, math.ceil(plan.turn / once)), MOST_CALLS)
    rounds = int(plan.patience / ((calls + 1) * once))
    return min(plan.rounds, max(3, rounds)), calls


@contextmanager
def group() -> Iterator[Group]:
    """Contestants whose processes end with the block."""
    found = Group()
    try:
        yield found
    finally:
        for worker in found.workers.values():
            worker.close()
