"""What a test of data loading has to know of processes, files and memory."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plugrad.utils.data import DataLoader
from tests.house.layout import ROOT
from tests.plugins.data_cases import Numbers

MARKS = [
    pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads /proc"),
    pytest.mark.filterwarnings("ignore:this DataLoader starts:UserWarning"),
    # Python 3.12 and later, where a library has threads
    pytest.mark.filterwarnings(
        "ignore:.*multi-threaded, use of fork:DeprecationWarning"
    ),
]
METHODS = ["fork", "spawn"]
WORKER = re.compile(r"worker (\d) \(pid (\d+)\)")


def children(pid="self"):
    """The processes that a process has started, but for multiprocessing's helpers."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in path.read_text().split():
            try:
                command = Path(f"/proc/{child}/cmdline").read_text()
            except OSError:
                continue
            if "resource_tracker" not in command and "forkserver" not in command:
                found.append(int(child))
    return found


def gone(pid):
    """Whether a process has ended; its parent may not have asked for it yet."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def open_files():
    return len(os.listdir("/proc/self/fd"))


def mapped_batches():
    return Path("/proc/self/maps").read_text().count("plugrad-batch")


def shared_names():
    """Shared memory with a name; not the semaphores of other programs' pools."""
    files = [path.name for path in Path("/dev/shm").iterdir() if path.is_file()]
    return {name for name in files if not name.startswith("sem.")}


def left_in_memory(before):
    """Shared memory with a name that was not there before, and that no process holds:
    other programs have some for a while."""
    return {name for name in shared_names() - before if not held(f"/dev/shm/{name}")}


def named_memory(pid="self"):
    """What a process has mapped of shared memory that has a name."""
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return [each for each in lines if "/dev/shm/" in each and "/sem." not in each]


def held(name):
    """Whether any process has a file open or mapped."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if name in (process / "maps").read_text():
                return True
            if any(os.readlink(each) == name for each in (process / "fd").iterdir()):
                return True
    return not Path(name).exists()  # it is gone meanwhile


def in_time(case, limit, tries=3):
    """Run a case until its seconds, which it returns, are few enough: others use the
    cores, too, and where they are more than those, all takes longer."""
    limit *= max(1.0, os.getloadavg()[0] / len(os.sched_getaffinity(0)))
    seconds = []
    while not seconds or seconds[-1] > limit:
        assert len(seconds) < tries, seconds
        seconds.append(case())


@pytest.fixture(scope="module")
def spawned_once():
    """multiprocessing keeps a helper, and a connection to it, after the first spawn."""
    next(iter(DataLoader(Numbers(2), num_workers=1, multiprocessing_context="spawn")))


@pytest.fixture
def nothing_left_behind(spawned_once):
    """No process, no file and no memory is there after a test that was not before."""
    gc.collect()
    names, before = shared_names(), (open_files(), mapped_batches(), children())
    yield
    gc.collect()
    assert (open_files(), mapped_batches(), children()) == before
    assert left_in_memory(names) == set()


def outcome(batches):
    """The batches that came, the exception, and the seconds from the last batch."""
    came, error = [], None
    begun = time.monotonic()
    try:
        for batch in batches:
            came.append(batch)
            begun = time.monotonic()
    except Exception as raised:
        error = raised.with_traceback(None)
    return came, error, time.monotonic() - begun


def run(code, *words, **options):
    """A program of its own, from the root of the repository."""
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, **options
    )
