"""Whatever ends a worker or the main process, the error comes at once and names the
worker, its process and the cause, and no process, file or memory is left behind."""

from __future__ import annotations

import gc
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from plugrad.utils.data import DataLoader
from tests.house.layout import ROOT
from tests.plugins import data_cases
from tests.plugins.data_cases import LARGE, Faulty, Numbers
from tests.plugins.data_processes import (
    MARKS,
    METHODS,
    WORKER,
    children,
    gone,
    in_time,
    left_in_memory,
    nothing_left_behind,  # noqa: F401
    outcome,
    shared_names,
    spawned_once,  # noqa: F401
)

pytestmark = [*MARKS, pytest.mark.usefixtures("nothing_left_behind")]

SOON = 1.0  # seconds in which an error comes, and what has to end has ended
AT = 29  # the index where things go wrong; in batch 7, which worker 1 loads

# --- Worker: it ends, hangs, or sends what it should not ------------------------------

CAUSES = {
    "raises": (KeyError, "no such image"),
    "exits": (RuntimeError, "exited unexpectedly, with status 3"),
    "exits hard": (RuntimeError, "exited unexpectedly, with status 5"),
    "is killed": (RuntimeError, "was killed by signal SIGKILL"),
    "crashes": (RuntimeError, "was killed by signal SIGSEGV"),
    "cannot be pickled": (TypeError, r"batch\[1\].part\['generator'\], a generator"),
}
GOES_ON = ("raises", "cannot be pickled")  # with the next batch


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("how", CAUSES)
def test_a_worker_fails(how, method):
    kind, cause = CAUSES[how]

    def case():
        loader = DataLoader(
            Faulty(how, AT, width=3 if method == "spawn" else LARGE),
            batch_size=4,
            num_workers=2,
            multiprocessing_context=method,
            collate_fn=data_cases.as_list,
        )
        came, error, seconds = outcome(loader)
        assert type(error) is kind
        assert re.search(cause, str(error)), error
        worker, pid = WORKER.search(str(error)).groups()
        assert worker == "1"
        assert children() == [] and gone(pid)
        assert len(came) == 7 if how in GOES_ON else 4 <= len(came) <= 7
        return seconds

    in_time(case, SOON)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("how", ["is stopped", "sleeps", "sleeps in C"])
def test_a_worker_hangs(how, method):
    timeout = 0.5

    def case():
        batches = iter(
            DataLoader(Faulty(how), 4, num_workers=2, multiprocessing_context=method)
        )
        first = [y.tolist()[0] for _, y in (next(batches) for _ in range(3))]
        assert first == [0, 4, 8]
        batches.loader.timeout = timeout  # not before: starting takes longer
        came, error, seconds = outcome(batches)
        assert came == [] and children() == []
        assert type(error) is RuntimeError
        assert f"timed out after {timeout:g} seconds" in str(error)
        assert WORKER.search(str(error))[1] == "1"
        assert ("stopped" in str(error)) == (how == "is stopped")
        assert seconds >= timeout
        return seconds

    in_time(case, 1.1 * timeout)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("how", ["works", "sleeps", "sleeps in C", "is stopped"])
def test_an_iterator_is_dropped_while_its_worker(how, method):
    def case():
        width = LARGE if how == "works" else 3
        batches = iter(
            DataLoader(
                Faulty(how, width=width),
                batch_size=4,
                num_workers=2,
                multiprocessing_context=method,
            )
        )
        for _ in range(3):
            next(batches)
        assert len(children()) == 2
        begun = time.monotonic()
        del batches
        assert children() == []
        return time.monotonic() - begun

    in_time(case, SOON)


# --- Main: the program ends, in whatever way, or gives what it should not -------------

PROGRAM = """
import os, signal, subprocess, sys, time
from multiprocessing import active_children
from plugrad.utils.data import DataLoader
from tests.plugins.data_cases import Faulty, Local, LARGE
if __name__ == "__main__":
    how, method, worker = sys.argv[1:]
    dataset = Faulty(worker, width=LARGE)
    if how == "cannot be pickled":
        dataset.local = Local()
    loader = DataLoader(dataset, batch_size=4, num_workers=2,
                        multiprocessing_context=method, persistent_workers=True)
    count, begun = 0, time.monotonic()
    try:
        for x, y in loader:
            count += 1
            if count != 3:
                continue
            print(*(p.pid for p in active_children()), flush=True)
            if how == "raises":
                raise ValueError("the loss is nan")
            if how == "exits":
                sys.exit(0)
            if how == "exits hard":
                os._exit(0)
            if how == "is killed":
                os.kill(os.getpid(), signal.SIGKILL)
            if how == "is interrupted":
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(1)
            if how == "is terminated":
                os.kill(os.getpid(), signal.SIGTERM)
            if how == "is stopped":
                waker = f"sleep 0.3; kill -CONT {os.getpid()}"
                subprocess.Popen(["sh", "-c", waker])
                os.kill(os.getpid(), signal.SIGSTOP)
            if how == "drops it":
                break
        if how == "drops it":
            del loader
            print(len(active_children()), flush=True)
        else:
            print(count, flush=True)
    except RuntimeError as error:
        print(time.monotonic() - begun, error)
"""
SAYS = {"raises": "ValueError: the loss is nan", "is interrupted": "KeyboardInterrupt"}
ENDS = ["exits", "exits hard", "is killed", "is terminated", *SAYS]


@pytest.fixture
def main(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)

    def run(*words):
        """The program's output, and that of its errors; all is gone when it is."""
        names = shared_names()
        done = subprocess.run(
            [sys.executable, str(program), *words],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
            capture_output=True,
            text=True,
            timeout=60,
        )
        pids, *rest = done.stdout.splitlines() or [""]
        ended = time.monotonic()
        while not all(map(gone, pids.split())):
            assert time.monotonic() < ended + 5 * SOON
            time.sleep(0.02)
        assert left_in_memory(names) == set()
        assert "worker" not in done.stderr  # they say nothing
        return time.monotonic() - ended, pids, rest, done.stderr

    return run


@pytest.mark.parametrize(
    "worker, method", [("works", "fork"), ("works", "spawn"), ("sleeps", "fork")]
)
@pytest.mark.parametrize("how", ENDS)
def test_the_main_process(how, worker, method, main):
    def case():
        seconds, pids, rest, errors = main(how, method, worker)
        assert len(pids.split()) == 2, errors
        assert SAYS.get(how, "") in errors and (errors == "") == (how not in SAYS)
        assert rest == []
        return seconds

    in_time(case, SOON)


@pytest.mark.parametrize("method", METHODS)
def test_the_main_process_is_stopped_for_a_while(method, main):
    _, pids, rest, errors = main("is stopped", method, "works")
    assert len(pids.split()) == 2 and errors == "" and rest == ["10"]


@pytest.mark.parametrize("method", METHODS)
def test_the_main_process_drops_it(method, main):
    _, pids, rest, errors = main("drops it", method, "works")
    assert len(pids.split()) == 2 and errors == "" and rest == ["0"]


def test_what_the_main_process_gives_cannot_be_pickled(main):
    def case():
        _, seconds, rest, errors = main("cannot be pickled", "spawn", "works")
        seconds, _, said = seconds.partition(" ")
        place = "dataset.local.part['generator'], a generator"
        assert f"dataset has to be pickled, which fails at {place}" in said
        assert rest == [] and errors == ""
        return float(seconds)

    in_time(case, SOON)


def test_where_it_is_forked_it_need_not_be(main):
    _, pids, rest, errors = main("cannot be pickled", "fork", "works")
    assert len(pids.split()) == 2 and errors == "" and rest == ["10"]


# --- What is kept does not keep the workers -------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("how", ["break", "cycle", "persistent"])
def test_an_iterator_is_dropped(how, method):
    def case():
        loader = DataLoader(
            Numbers(width=LARGE),
            batch_size=4,
            num_workers=2,
            multiprocessing_context=method,
            persistent_workers=how == "persistent",
        )
        for _ in loader:
            assert len(children()) == 2
            break
        ring = []
        if how == "cycle":
            ring += [iter(loader), ring]
            next(ring[0])
        assert len(children()) == (0 if how == "break" else 2)
        begun = time.monotonic()
        del ring, loader
        if how == "cycle":
            gc.collect()
        assert children() == []
        return time.monotonic() - begun

    in_time(case, SOON)


@pytest.mark.parametrize("how", CAUSES)
def test_persistent_workers_after_one_fails(how):
    loader = DataLoader(
        Faulty(how, AT),
        batch_size=4,
        num_workers=2,
        persistent_workers=True,
        collate_fn=data_cases.as_list,
    )
    came, error, _ = outcome(loader)
    assert error is not None and (len(came) == 7 or how not in GOES_ON)
    assert len(children()) == (2 if how in GOES_ON else 0)
    loader.dataset.at = None
    assert len(children()) == (2 if how in GOES_ON else 0)
    again, error, _ = outcome(loader)
    if how in GOES_ON:  # they have their own copy of the dataset
        assert error is not None
    else:
        assert error is None and len(again) == 10
    del loader
    assert children() == []


@pytest.mark.parametrize("seed", range(8))
def test_a_worker_is_ended_at_any_moment(seed):
    """In the middle of a message, too: what came before it stays whole."""
    rng = random.Random(seed)
    signals = signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV
    batches = iter(
        DataLoader(
            Numbers(100_000, rng.choice([3, 5000, 200_000])),
            batch_size=2,
            num_workers=rng.choice([1, 2, 3]),
            in_order=rng.random() < 0.7,
        )
    )
    pids = children()
    timer = threading.Timer(
        rng.random() / 20, os.kill, (rng.choice(pids), rng.choice(signals))
    )
    timer.start()
    came, error, _ = outcome(batches)
    timer.join()
    assert "was killed by signal" in str(error)
    assert int(WORKER.search(str(error))[2]) in pids and children() == []
    for x, y in came:
        assert x.eq(y.float()[:, None]).all()


def test_an_exception_that_is_kept_does_not_keep_workers_or_memory():
    loader = DataLoader(Faulty("raises", AT, width=LARGE), batch_size=4, num_workers=2)
    with pytest.raises(KeyError) as kept:
        for _ in loader:
            pass
    assert children() == [] and kept.value.__traceback__ is not None
