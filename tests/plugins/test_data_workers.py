"""Workers of a DataLoader: what goes wrong in them is told at once, by name, and
nothing stays behind."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import plugrad
from plugrad.utils.data import DataLoader, Dataset
from tests.house.layout import ROOT
from tests.plugins import data_cases
from tests.plugins.data_cases import (
    LARGE,
    Faulty,
    FaultyStream,
    NotHere,
    Numbers,
    RaisesCustom,
    RaisesStop,
    Seeds,
    Stream,
)

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads /proc"),
    pytest.mark.filterwarnings("ignore:this DataLoader starts:UserWarning"),
    # Python 3.12 and later, where a library has threads
    pytest.mark.filterwarnings(
        "ignore:.*multi-threaded, use of fork:DeprecationWarning"
    ),
]
METHODS = ["fork", "spawn"]
# Seconds in which an error has to come, more where others use the cores.
SLACK = max(1.0, os.getloadavg()[0] / len(os.sched_getaffinity(0)))


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


def open_files():
    return len(os.listdir("/proc/self/fd"))


def mapped_batches():
    return Path("/proc/self/maps").read_text().count("plugrad-batch")


def shared_names():
    """Shared memory with a name; not the semaphores of other programs' pools."""
    return {name for name in os.listdir("/dev/shm") if not name.startswith("sem.")}


@pytest.fixture(scope="module")
def spawned_once():
    """multiprocessing keeps a helper, and a connection to it, after the first spawn."""
    next(iter(DataLoader(Numbers(2), num_workers=1, multiprocessing_context="spawn")))


@pytest.fixture(autouse=True)
def nothing_left_behind(spawned_once):
    """No process, no file and no memory is there after a test that was not before."""
    gc.collect()
    before = open_files(), mapped_batches(), shared_names(), children()
    yield
    gc.collect()
    assert (open_files(), mapped_batches(), shared_names(), children()) == before


def outcome(loader):
    """The batches that came, the exception, and the seconds from the last batch."""
    came, error = [], None
    begun = time.monotonic()
    try:
        for batch in loader:
            came.append(batch)
            begun = time.monotonic()
    except Exception as raised:
        error = raised.with_traceback(None)
    return came, error, time.monotonic() - begun


WORKER = re.compile(r"worker (\d) \(pid (\d+)\)")

CAUSES = {
    "raises": (KeyError, "no such image"),
    "exits": (RuntimeError, "status 3"),
    "exits hard": (RuntimeError, "status 5"),
    "is killed": (RuntimeError, "SIGKILL"),
    "crashes": (RuntimeError, "SIGSEGV"),
    "cannot be pickled": (TypeError, r"batch\[1\].*generator"),
}


@pytest.mark.parametrize(
    "width, persistent", [(3, False), (LARGE, True)], ids=["small", "large-persistent"]
)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("how", CAUSES)
def test_a_worker_that_fails(how, method, persistent, width):
    kind, cause = CAUSES[how]
    dataset = Faulty(how, width=width)
    loader = DataLoader(
        dataset,
        batch_size=4,
        num_workers=2,
        multiprocessing_context=method,
        persistent_workers=persistent,
        collate_fn=data_cases.as_list,
    )
    if how == "cannot be pickled":
        cause = r"batch\[1\].part\['generator'\], a generator"
    came, error, seconds = outcome(loader)
    assert type(error) is kind
    assert re.search(cause, str(error)), error
    worker, pid = WORKER.search(str(error)).groups()
    assert worker == "1"  # index 13 is in batch 3
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
    assert children() == []
    assert len(came) <= 3
    if method == "fork":  # a spawned worker may die before the first batch
        assert seconds < SLACK
    if how == "raises":
        assert len(came) == 3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("how", ["is stopped", "sleeps", "sleeps in C"])
def test_a_worker_that_hangs(how, method):
    timeout = 0.8
    loader = DataLoader(
        Faulty(how), batch_size=4, num_workers=2, multiprocessing_context=method
    )
    batches = iter(loader)
    assert [y.tolist()[0] for _, y in (next(batches) for _ in range(3))] == [0, 4, 8]
    loader.timeout = timeout  # not before: starting takes long on a busy machine
    came, error, seconds = outcome(batches)
    assert came == [] and children() == []
    assert isinstance(error, RuntimeError)
    assert f"timed out after {timeout:g} seconds" in str(error)
    assert WORKER.search(str(error))[1] == "1"
    assert ("stopped" in str(error)) == (how == "is stopped")
    assert timeout <= seconds < timeout + 0.1 * SLACK


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("width", [3, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("how", ["break", "del", "cycle", "persistent"])
def test_an_iterator_that_is_dropped(how, method, width):
    loader = DataLoader(
        Numbers(width=width),
        batch_size=4,
        num_workers=2,
        multiprocessing_context=method,
        persistent_workers=how == "persistent",
    )
    batches = iter(loader)
    next(batches)
    assert len(children()) == 2
    begun = time.monotonic()
    if how == "cycle":
        ring = [batches]
        ring.append(ring)
        del ring
    del batches
    if how == "persistent":
        assert len(children()) == 2
        del loader
    gc.collect()
    assert children() == []
    assert time.monotonic() - begun < SLACK


@pytest.mark.parametrize("method", METHODS)
def test_what_a_worker_is_given_must_be_picklable_where_it_is_spawned(method):
    class Hidden(Numbers):
        pass

    loader = DataLoader(Hidden(), 4, num_workers=2, multiprocessing_context=method)
    came, error, seconds = outcome(loader)
    if method == "fork":
        assert len(came) == 10 and error is None
    else:
        assert isinstance(error, RuntimeError) and "dataset" in str(error)
        assert "Hidden" in str(error) and seconds < SLACK
    loader = DataLoader(
        Numbers(),
        4,
        num_workers=1,
        multiprocessing_context=method,
        collate_fn=lambda samples: len(samples),
    )
    came, error, seconds = outcome(loader)
    if method == "fork":
        assert came == [4] * 10
    else:
        assert "collate_fn has to be pickled" in str(error)
        assert "fails at collate_fn, a function" in str(error)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("at", [0, 5, 12])
def test_a_sampler_that_fails(at, workers):
    def sample():
        yield from range(at)
        raise LookupError("no more")

    class Sampler:
        def __iter__(self):
            return sample()

    loader = DataLoader(Numbers(), batch_size=2, sampler=Sampler(), num_workers=workers)
    with pytest.raises(LookupError, match="no more"):
        list(loader)
    assert children() == []


def test_collate_fn_can_be_set_later():
    for workers in (0, 1):
        loader = DataLoader(range(4), batch_size=2, num_workers=workers)
        loader.collate_fn = sum
        assert list(loader) == [1, 5]


def test_a_dataset_that_cannot_be_read_in_a_worker():
    loader = DataLoader(NotHere(), 4, num_workers=1, multiprocessing_context="spawn")
    _, error, _ = outcome(loader)
    assert type(error) is ImportError and "not where it was pickled" in str(error)
    assert "before its first batch" in str(error) and WORKER.search(str(error))


def test_a_batch_that_cannot_be_read_in_the_loader():
    loader = DataLoader(Numbers(), 4, num_workers=1, collate_fn=data_cases.sealed)
    _, error, seconds = outcome(loader)
    assert type(error) is RuntimeError and "not where it was pickled" in str(error)
    assert WORKER.search(str(error)) and seconds < SLACK


@pytest.mark.parametrize("method", METHODS)
def test_worker_init_fn_that_raises(method):
    loader = DataLoader(
        Numbers(),
        4,
        num_workers=2,
        worker_init_fn=data_cases.bad_init,
        multiprocessing_context=method,
    )
    _, error, _ = outcome(loader)
    assert type(error) is OSError and "no such camera" in str(error)
    assert WORKER.search(str(error))[1] == "1"


def test_exceptions_that_cannot_be_made_again():
    _, error, _ = outcome(DataLoader(RaisesCustom(), 4, num_workers=1))
    assert type(error) is RuntimeError and "Caught Custom in" in str(error)
    _, error, _ = outcome(DataLoader(RaisesStop(), 4, num_workers=1))
    assert type(error) is RuntimeError and "Caught StopIteration in" in str(error)


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize("how", ["raises", "is killed"])
def test_an_iterable_dataset_that_fails(how, in_order):
    kind, cause = CAUSES[how]
    loader = DataLoader(FaultyStream(how), 4, num_workers=2, in_order=in_order)
    _, error, seconds = outcome(loader)
    assert type(error) is kind and re.search(cause, str(error))
    assert seconds < SLACK


def test_after_an_error_the_loader_can_be_used_again():
    dataset = Faulty("is killed")
    loader = DataLoader(dataset, 4, num_workers=2, persistent_workers=True)
    assert outcome(loader)[1] is not None
    dataset.at = None
    came, error, _ = outcome(loader)
    assert error is None and len(came) == 10
    del loader


def test_batches_outlive_their_workers_and_free_their_memory():
    before = mapped_batches()
    loader = DataLoader(Numbers(12, LARGE), batch_size=2, num_workers=2)
    kept = [x for x, _ in loader]
    assert children() == [] and mapped_batches() == before + len(kept) > 0
    for i, x in enumerate(kept):
        expected = np.repeat([[2.0 * i], [2.0 * i + 1]], LARGE, axis=1)
        np.testing.assert_array_equal(x.numpy(), expected)
        x.add_(1.0)  # the memory is the tensor's own
    part = kept[0][0, :5]
    del kept, x
    assert mapped_batches() == before + 1
    assert part.tolist() == [1.0] * 5


def test_memory_is_written_anew_only_once_nobody_holds_it():
    loader = DataLoader(Numbers(400, 9000), batch_size=4, num_workers=2)
    kept, most = {}, 0
    for n, (x, _) in enumerate(loader):
        if n % 7 == 0:
            kept[n] = x[1:3]
        if n % 21 == 20:
            kept.pop(n - 20)
        most = max(most, mapped_batches())
    assert most < 2 * 6 + len(kept) + 20 < n  # few blocks, many batches
    for n, x in kept.items():
        assert x[:, 0].tolist() == [4 * n + 1, 4 * n + 2] and x.std(1).max() == 0


def test_more_batches_are_held_than_files_may_be_open():
    code = """
import resource, warnings
from plugrad.utils.data import DataLoader
from tests.plugins.data_cases import Numbers
resource.setrlimit(resource.RLIMIT_NOFILE, (600, 600))
kept = list(DataLoader(Numbers(1500, 17000), num_workers=2))
assert [int(x[0, -1]) for x, _ in kept] == list(range(1500))
print("all there")
"""
    done = run(code)
    assert done.returncode == 0 and done.stdout == "all there\n", done.stderr


def run(code, **options):
    """A program of its own, from the root of the repository."""
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, **options
    )


# --- The main process ends, in whatever way -------------------------------------------

PROGRAM = """
import os, sys, time, signal, warnings
from plugrad.utils.data import DataLoader
from tests.plugins.data_cases import Faulty, LARGE
if __name__ == "__main__":
    method, how, worker = sys.argv[1:]
    loader = DataLoader(Faulty(worker, width=LARGE), batch_size=4, num_workers=2,
                        multiprocessing_context=method, persistent_workers=True)
    for i, (x, y) in enumerate(loader):
        if i == 2:
            pids = [p.pid for p in __import__("multiprocessing").active_children()]
            print(*pids, flush=True)
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
"""


def gone(pid):
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        )
    except OSError:
        return True


@pytest.mark.parametrize("worker", ["works", "sleeps"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "how",
    ["raises", "exits", "exits hard", "is killed", "is interrupted", "is terminated"],
)
def test_the_main_process_ends(how, method, worker, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    names = shared_names()
    done = subprocess.run(
        [sys.executable, str(program), method, how, worker],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    pids = done.stdout.split()
    assert len(pids) == 2, done.stderr
    until = time.monotonic() + 2 * SLACK
    while not all(map(gone, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    assert all(map(gone, pids))
    assert shared_names() == names
    expected = {
        "raises": "ValueError: the loss is nan",
        "is interrupted": "KeyboardInterrupt",
    }
    assert expected.get(how, "") in done.stderr
    assert "worker" not in done.stderr  # they say nothing
    assert how in expected or done.stderr == ""


def test_ctrl_c_while_waiting_ends_the_workers():
    code = """
import os, signal, threading, time
from plugrad.utils.data import DataLoader
from tests.plugins.data_cases import Faulty
loader = DataLoader(Faulty("sleeps", at=0), batch_size=4, num_workers=2)
batches = iter(loader)
threading.Timer(0.5, os.killpg, (0, signal.SIGINT)).start()
try:
    next(batches)
except KeyboardInterrupt:
    from tests.plugins.test_data_workers import children
    print(children())
"""
    done = run(code, start_new_session=True)
    assert done.stdout == "[]\n" and done.stderr == ""


def sockets(pid):
    """What connections a process holds an end of."""
    found = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(os.readlink(path))
    return {name for name in found if name.startswith("socket:")}


def test_a_worker_of_another_loader_does_not_hold_connections():
    """The second loader's workers are forked while the first one's are there."""
    before = sockets("self")
    first = iter(DataLoader(Numbers(), 4, num_workers=1))
    next(first)
    [one] = children()
    [ours] = sockets("self") - before
    second = iter(DataLoader(Numbers(), 4, num_workers=1))
    next(second)
    [two] = set(children()) - {one}
    assert ours not in sockets(two) and sockets(two) - before
    del first
    assert gone(one) and len(list(second)) == 9


def test_a_forked_process_leaves_the_workers_alone():
    batches = iter(DataLoader(Numbers(), 4, num_workers=1))
    next(batches)
    pid = os.fork()
    if not pid:
        del batches
        gc.collect()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert len(list(batches)) == 9


def test_a_forked_process_keeps_its_batches():
    """It has the memory of those that the loader's process no longer holds."""
    batches = iter(DataLoader(Numbers(200, LARGE), 4, num_workers=1))
    held = next(batches)
    there, here = os.pipe()
    pid = os.fork()
    if not pid:
        os.read(there, 1)
        os._exit(held[0].std(1).max().item() != 0 or held[0][3, 0].item() != 3)
    del held
    assert sum(1 for _ in batches) == 49
    os.write(here, b"x")
    assert os.waitpid(pid, 0)[1] == 0
    os.close(there), os.close(here)


# --- What workers are told ------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_seeds_and_identities(method):
    def rows():
        plugrad.manual_seed(5)
        loader = DataLoader(
            Seeds(),
            batch_size=None,
            num_workers=2,
            multiprocessing_context=method,
        )
        return list(loader)

    found, again = rows(), rows()
    assert [row[1:] for row in found] == [row[1:] for row in again]
    assert [row[1] for row in found] == [0, 1] * 4
    assert {row[2] for row in found} == {2}
    seeds = [row[3] for row in found]
    assert seeds[1] == seeds[0] + 1 and len(set(seeds)) == 2
    assert len({row[0] for row in found} - {os.getpid()}) == 2
    for column in (4, 5, 6):  # no number is drawn twice
        assert len({row[column] for row in found}) == 8


def test_the_seed_is_another_one_in_the_next_epoch():
    loader = DataLoader(Seeds(), batch_size=None, num_workers=1)
    assert next(iter(loader))[3] != next(iter(loader))[3]


def test_worker_init_fn_comes_after_the_seeds():
    loader = DataLoader(
        Seeds(), batch_size=None, num_workers=2, worker_init_fn=data_cases.reseed
    )
    first = [row[4] for row in loader][:2]
    expected = []
    for number in (0, 1):
        data_cases.reseed(number)
        expected.append(data_cases.random.random())
    assert first == expected


def test_persistent_workers_stay():
    loader = DataLoader(Seeds(), None, num_workers=2, persistent_workers=True)
    first = {row[0] for row in loader}
    assert set(children()) == first
    assert {row[0] for row in loader} == first
    next(iter(loader))  # and an epoch that is broken off
    assert [row[1] for row in loader] == [0, 1] * 4
    other = DataLoader(Seeds(), None, num_workers=2)
    assert {row[0] for row in other} & {row[0] for row in other} == set()
    del loader
    gc.collect()


def test_blocks_are_reused_across_epochs_of_persistent_workers():
    loader = DataLoader(
        Numbers(60, LARGE), batch_size=4, num_workers=2, persistent_workers=True
    )
    most = []
    for _ in range(4):
        assert sum(len(x) for x, _ in loader) == 60
        most.append(mapped_batches())
    assert 0 < most[-1] <= 2 * (2 + 3) and len(set(most[1:])) == 1
    del loader
    gc.collect()


def test_batches_of_growing_size():
    def collate(samples):
        return plugrad.ones(len(samples) * int(samples[-1][1] ** 2))

    loader = DataLoader(Numbers(300), batch_size=3, num_workers=2, collate_fn=collate)
    sizes = [len(x) for x in loader]
    assert sizes == [3 * i**2 for i in range(2, 300, 3)]


def test_out_of_order_a_slow_worker_holds_nobody_up():
    class Slow(Dataset):
        def __len__(self):
            return 8

        def __getitem__(self, i):
            time.sleep(0.4 if i == 0 else 0.0)
            return i

    found = [int(i) for i in DataLoader(Slow(), None, num_workers=2, in_order=False)]
    assert sorted(found) == list(range(8)) and found[0] != 0
    assert list(DataLoader(Slow(), None, num_workers=2)) == list(range(8))


def test_prefetching_is_bounded():
    class Told(Dataset):
        def __len__(self):
            return 100

        def __getitem__(self, i):
            Path(f"seen-{i}").touch()
            return i

    loader = DataLoader(Told(), None, num_workers=2, prefetch_factor=3)
    batches = iter(loader)
    for _ in range(5):
        next(batches)
    time.sleep(0.3)
    assert len(list(Path().glob("seen-*"))) == 5 + 2 * 3


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_large_list_of_indices_does_not_block():
    """Both ends would send more than the connection holds."""
    loader = DataLoader(
        range(400_000),
        batch_size=50_000,
        num_workers=1,
        prefetch_factor=8,
        collate_fn=data_cases.as_list,
        timeout=60,
    )
    assert sum(map(len, loader)) == 400_000


@pytest.mark.parametrize("method", METHODS)
def test_the_first_batch_comes_soon(method):
    begun = time.monotonic()
    batches = iter(
        DataLoader(Numbers(), 4, num_workers=2, multiprocessing_context=method)
    )
    next(batches)
    assert time.monotonic() - begun < 2.0 * SLACK


def test_iterable_datasets_share_their_samples():
    loader = DataLoader(Stream(23), batch_size=4, num_workers=3)
    found = [x.tolist() for x in loader]
    assert found[:3] == [[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]]
    assert sorted(sum(found, [])) == list(range(23))
    assert children() == []


def test_signal_handlers_of_the_program_do_not_run_in_workers():
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append(os.getpid()))
    try:
        batches = iter(DataLoader(Faulty("sleeps", at=4), 4, num_workers=2))
        next(batches)
        begun = time.monotonic()
        del batches
        assert time.monotonic() - begun < SLACK and heard == []
    finally:
        signal.signal(signal.SIGTERM, before)
