"""Workers of a DataLoader: what they are told, what they share, what they send."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import resource
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import plugrad
from plugrad.utils.data import DataLoader, Dataset
from tests.plugins import data_cases
from tests.plugins.data_cases import (
    LARGE,
    Faulty,
    FaultyOften,
    FaultyStream,
    NoBeginning,
    NotHere,
    Numbers,
    RaisesCustom,
    RaisesStop,
    Seeds,
    Stream,
)
from tests.plugins.data_processes import (
    MARKS,
    METHODS,
    WORKER,
    children,
    gone,
    in_time,
    mapped_batches,
    named_memory,
    nothing_left_behind,  # noqa: F401
    outcome,
    run,
    spawned_once,  # noqa: F401
)

pytestmark = [*MARKS, pytest.mark.usefixtures("nothing_left_behind")]
SOON = 1.0  # seconds


@pytest.mark.parametrize("method", METHODS)
def test_what_a_worker_is_given_must_be_picklable_where_it_is_spawned(method):
    class Hidden(Numbers):
        pass

    loader = DataLoader(Hidden(), 4, num_workers=2, multiprocessing_context=method)
    came, error, _ = outcome(loader)
    if method == "fork":
        assert len(came) == 10 and error is None
    else:
        assert isinstance(error, RuntimeError) and "dataset" in str(error)
        assert "Hidden" in str(error)
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
    _, error, _ = outcome(loader)
    assert type(error) is RuntimeError and "not where it was pickled" in str(error)
    assert WORKER.search(str(error))


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


CAUSES = {"raises": (KeyError, "no such image"), "is killed": (RuntimeError, "SIGKILL")}


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize("how", CAUSES)
def test_an_iterable_dataset_that_fails(how, in_order):
    kind, cause = CAUSES[how]
    loader = DataLoader(FaultyStream(how), 4, num_workers=2, in_order=in_order)
    batches = iter(loader)
    _, error, _ = outcome(batches)
    assert type(error) is kind and re.search(cause, str(error))
    rest, error, _ = outcome(batches)
    if how == "raises":  # the other worker has more
        found = sorted(i for x in rest for i in x.tolist())
        assert set(found) <= set(range(0, 23, 2)) and error is None
    else:
        assert rest == [] and "has ended with RuntimeError" in str(error)


def test_an_iterable_dataset_that_cannot_begin():
    loader = DataLoader(NoBeginning(), 4, num_workers=2)
    batches = iter(loader)
    _, error, _ = outcome(batches)
    assert type(error) is OSError and "no such folder" in str(error)
    assert "before batch" in str(error) and children() == []
    _, error, _ = outcome(batches)
    assert "iter(loader) begins another" in str(error)


@pytest.mark.parametrize("in_order", [True, False])
def test_after_an_exception_the_next_batch_comes(in_order):
    found = {}
    for workers in (0, 1, 2, 3):
        loader = DataLoader(
            FaultyOften(), 2, shuffle=True, num_workers=workers, in_order=in_order
        )
        plugrad.manual_seed(3)
        batches, rows = iter(loader), []
        while True:
            came, error, _ = outcome(batches)
            rows += [x.tolist() for x in came]
            if error is None:
                break
            rows.append(str(error).splitlines()[-1].removeprefix("ValueError: "))
        found[workers] = rows if in_order else sorted(rows, key=str)
        assert len(rows) == 10 and children() == []
    assert found[0] == found[1] == found[2] == found[3]
    assert 3 <= sum(type(row) is str for row in found[0]) <= 5


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("before", [2, 4, 7])
def test_after_an_exception_a_state_goes_on_behind_it(before, workers):
    def some(batches, count):
        rows = []
        while len(rows) < count:
            try:
                rows.append(next(batches).tolist())
            except ValueError as error:
                rows.append(str(error).splitlines()[-1].removeprefix("ValueError: "))
            except StopIteration:
                break
        return rows

    loader = DataLoader(FaultyOften(), 2, num_workers=workers)
    batches = iter(loader)
    some(batches, before)
    state, rest = loader.state_dict(), some(batches, 99)
    loader = DataLoader(FaultyOften(), 2, num_workers=workers)
    loader.load_state_dict(state)
    assert some(iter(loader), 99) == rest and len(rest) == 10 - before


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
    from tests.plugins.data_processes import children
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
    def case():
        begun = time.monotonic()
        batches = iter(
            DataLoader(Numbers(), 4, num_workers=2, multiprocessing_context=method)
        )
        next(batches)
        return time.monotonic() - begun

    in_time(case, 2 * SOON)


# --- Unusual ways to use it -----------------------------------------------------------


def call(function):
    """A dataset of eight samples that a function of the index gives."""
    dataset = Numbers(8)
    dataset.__class__ = type(
        "Called", (Numbers,), {"__getitem__": lambda self, i: function(i)}
    )
    return dataset


def test_several_threads_have_loaders():
    found = []

    def load():
        for _ in range(2):
            loader = DataLoader(range(20), batch_size=3, num_workers=2)
            found.append(sum(x.sum().item() for x in loader))

    threads = [threading.Thread(target=load) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == [190] * 6


def test_an_iterator_goes_from_thread_to_thread():
    batches = iter(DataLoader(range(20), batch_size=3, num_workers=2))
    found = [next(batches).tolist()]
    thread = threading.Thread(target=lambda: found.append(next(batches).tolist()))
    thread.start()
    thread.join()
    assert [*found, next(batches).tolist()] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_a_loader_in_a_worker():
    def total(workers):
        inner = DataLoader(range(4), num_workers=workers)
        dataset = call(lambda i: sum(x.item() for x in inner))
        return next(iter(DataLoader(dataset, num_workers=1))).tolist()

    assert total(0) == [6]
    with pytest.raises(AssertionError, match="daemonic processes"):
        total(1)


def test_two_iterators_at_once():
    loader = DataLoader(range(6), batch_size=2, num_workers=1)
    pairs = [[x.tolist(), y.tolist()] for x, y in zip(loader, loader)]
    assert pairs == [[[i, i + 1]] * 2 for i in (0, 2, 4)]


def test_large_batches_and_many_small_tensors():
    large = call(lambda i: plugrad.full((25_000_000,), float(i)))  # 100 MB
    for i, x in enumerate(DataLoader(large, num_workers=1, prefetch_factor=1)):
        assert x.shape == (1, 25_000_000) and x[0, ::999_999].eq(float(i)).all()
        if i == 1:
            break
    small = call(lambda i: {str(j): plugrad.full((3,), j + i) for j in range(1000)})
    for batch in DataLoader(small, batch_size=4, num_workers=2):
        assert len(batch) == 1000
        assert batch["7"].equal(batch["0"] + 7)


def test_shared_memory_has_no_name():
    """Nothing is in /dev/shm, so it does not matter if that is small or full."""
    batches = iter(DataLoader(Numbers(width=LARGE), 4, num_workers=2))
    held = next(batches)
    assert mapped_batches() > 0 and named_memory() == []
    assert [named_memory(pid) for pid in children()] == [[], []]
    del held, batches


@pytest.mark.parametrize("width", [2_000_000, 100_000])
def test_no_room_for_a_batch(width):
    def limited(i):
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        return plugrad.full((width if i % 2 else 2,), float(i))

    batches = iter(DataLoader(call(limited), batch_size=None, num_workers=1))
    for i in range(8):
        if i % 2 and width > 1 << 18:
            with pytest.raises(OSError, match=r"7\.6 MiB, through shared memory") as it:
                next(batches)
            assert WORKER.search(str(it.value))
        else:
            assert next(batches)[0].item() == i


def test_what_has_a_graph_is_not_sent():
    weight = plugrad.ones(3, requires_grad=True)
    for found in DataLoader(call(lambda i: weight), None, num_workers=1):
        assert found.requires_grad
    batches = iter(DataLoader(call(lambda i: [weight * 2]), None, num_workers=1))
    with pytest.raises(RuntimeError, match="computed from others cannot be") as error:
        next(batches)
    assert "batch[0], a plugrad.tensor.Tensor" in str(error.value)


def test_iterable_datasets_share_their_samples():
    loader = DataLoader(Stream(23), batch_size=4, num_workers=3)
    found = [x.tolist() for x in loader]
    assert found[:3] == [[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]]
    assert sorted(sum(found, [])) == list(range(23))
    assert children() == []


def test_signal_handlers_of_the_program_do_not_run_in_workers():
    heard = []

    def case():
        batches = iter(DataLoader(Faulty("sleeps", at=4), 4, num_workers=2))
        next(batches)
        begun = time.monotonic()
        del batches
        assert heard == []
        return time.monotonic() - begun

    before = signal.signal(signal.SIGTERM, lambda *_: heard.append(os.getpid()))
    try:
        in_time(case, SOON)
    finally:
        signal.signal(signal.SIGTERM, before)
