"""One number of threads rules all that compute on several."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from threading import Barrier, BrokenBarrierError, current_thread, main_thread
from weakref import ref

import pytest

import plugrad
from plugrad import sharing


@pytest.fixture
def restored():
    before = plugrad.get_num_threads()
    yield
    plugrad.set_num_threads(before)


def test_the_number_is_told_to_those_registered(restored):
    told = []
    plugrad.register_threads(told.append)
    already = list(told)
    plugrad.set_num_threads(3)
    plugrad.set_num_threads(1)
    assert told[len(already) :] == [3, 1] and plugrad.get_num_threads() == 1
    late = []
    plugrad.register_threads(late.append)
    assert late == [1]


@pytest.mark.parametrize("wrong", [0, -1])
def test_a_number_that_is_not_positive(wrong, restored):
    with pytest.raises(RuntimeError, match="positive"):
        plugrad.set_num_threads(wrong)


@pytest.mark.parametrize("wrong", ["2", 1.0, True, None])
def test_what_is_not_a_number(wrong, restored):
    with pytest.raises(TypeError, match="expects an int"):
        plugrad.set_num_threads(wrong)


def names_of_threads(count):
    """Those that call parts which wait for each other; None for a part alone."""
    there, found = Barrier(count, timeout=0.5), []

    def part():
        try:
            there.wait()
        except BrokenBarrierError:
            found.append(None)
        else:
            found.append(current_thread().name)

    plugrad.in_threads([part] * count)
    return found


def test_work_is_shared_among_so_many(restored):
    for number in (2, 3):
        plugrad.set_num_threads(number)
        assert len({*names_of_threads(number)} - {None}) == number
    plugrad.set_num_threads(1)
    assert names_of_threads(2) == [None, None]


def test_each_part_is_called_once(restored):
    plugrad.set_num_threads(3)
    found = []
    for count in (0, 1, 2, 300):
        found.clear()
        plugrad.in_threads([lambda i=i: found.append(i) for i in range(count)])
        assert sorted(found) == list(range(count))


def test_an_error_of_a_part_is_the_callers(restored):
    plugrad.set_num_threads(2)
    there = Barrier(2, timeout=30)

    def fails(name):
        there.wait()
        if (current_thread() is main_thread()) == (name == "caller"):
            raise ArithmeticError(name)

    for name in ("caller", "helper"):
        with pytest.raises(ArithmeticError, match=name):
            plugrad.in_threads([lambda n=name: fails(n)] * 2)
    assert len(names_of_threads(2)) == 2  # the helper lives on


def test_shared_work_shares_work(restored):
    plugrad.set_num_threads(3)
    found = []

    def part():
        plugrad.in_threads([lambda: found.append(1)] * 10)

    plugrad.in_threads([part] * 10)
    assert len(found) == 100


@pytest.mark.skipif(sharing.processor() is None, reason="processors have no names here")
def test_a_helper_wakes_elsewhere_and_may_go_everywhere(restored):
    allowed = os.sched_getaffinity(0)
    if len(allowed) < 2:
        pytest.skip("this process may use one processor only")
    plugrad.set_num_threads(2)
    names_of_threads(2)  # starts it
    asked = []
    there = Barrier(2, timeout=30)

    def part():
        there.wait()
        asked.append(os.sched_getaffinity(0))

    work, (helper,) = sharing.Work([]), sharing.helpers[:1]
    sharing.keep_apart(work, [helper])
    woken = os.sched_getaffinity(helper.native_id)
    assert work.places == allowed and len(allowed - woken) == 1
    plugrad.in_threads([part] * 2)
    assert asked == [allowed] * 2


@pytest.mark.skipif(sharing.processor() is None, reason="processors have no names here")
def test_helpers_compute_where_the_caller_may(restored):
    plugrad.set_num_threads(2)
    names_of_threads(2)
    allowed, asked = os.sched_getaffinity(0), []
    there = Barrier(2, timeout=30)

    def part():
        there.wait()
        asked.append(os.sched_getaffinity(0))

    os.sched_setaffinity(0, {min(allowed)})
    try:
        plugrad.in_threads([part] * 2)
    finally:
        os.sched_setaffinity(0, allowed)
    assert asked == [{min(allowed)}] * 2


def test_an_interrupt_waits_for_the_helpers(restored):
    plugrad.set_num_threads(2)
    there, ended = Barrier(2, timeout=30), []

    def part():
        there.wait()
        if current_thread() is main_thread():
            return  # and wait for the helper
        time.sleep(0.1)
        signal.raise_signal(signal.SIGINT)
        time.sleep(0.3)
        ended.append(1)

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            plugrad.in_threads([part] * 2)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert ended == [1]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
def test_nothing_goes_on_after_an_interrupt(restored):
    class Late(Exception):
        pass

    def late(*_):
        raise Late

    plugrad.set_num_threads(3)
    handler, late_parts = signal.signal(signal.SIGALRM, late), []
    try:
        for i in range(100):
            called = []
            part = partial(lambda into: into.append(time.sleep(1e-4)), called)
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-5 * (i + 1))
                plugrad.in_threads([part] * 40)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except Late:
                count = len(called)
                time.sleep(5e-4)
                late_parts.append(len(called) - count)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    assert len(late_parts) > 10 and {*late_parts} == {0}
    assert len({*names_of_threads(3)} - {None}) == 3  # no helper was lost


def test_without_more_threads_the_caller_computes_alone(restored, monkeypatch):
    def refused(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(sharing.Helper, "start", refused)
    monkeypatch.setattr(sharing, "helpers", [])
    plugrad.set_num_threads(3)
    found = []
    plugrad.in_threads([lambda: found.append(current_thread())] * 5)
    assert found == [main_thread()] * 5


def test_nothing_is_kept_of_the_work(restored):
    class Part:
        def __call__(self):
            if current_thread() is not main_thread():
                raise ArithmeticError
            time.sleep(0.01)

    plugrad.set_num_threads(2)
    gc.disable()
    try:
        parts = [Part() for _ in range(10)]
        kept = [ref(each) for each in parts]
        with suppress(ArithmeticError):
            plugrad.in_threads(parts)
        del parts
        names_of_threads(2)
        assert [each() for each in kept] == [None] * 10
    finally:
        gc.enable()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_has_helpers_of_its_own():
    code = """
import os
import plugrad
from threading import Barrier

plugrad.set_num_threads(2)
for _ in range(2):
    there = Barrier(2, timeout=30)
    plugrad.in_threads([there.wait] * 2)
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0
        break
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.fixture
def blas_threads():
    from plugrad.backends.numpy.pool import asked

    if not asked():
        pytest.skip("NumPy's BLAS does not say how many threads it uses")
    return asked


def test_numpys_blas_uses_so_many(restored, blas_threads):
    for number in (1, 2):
        plugrad.set_num_threads(number)
        assert blas_threads() == number


def with_threads(name):
    return plugrad.Overrides(name, backend="numpy", threads=True)


def test_numpys_blas_rests_beside_kernels_with_threads(restored, blas_threads):
    plugrad.set_num_threads(2)
    with plugrad.use_kernels("numpy", with_threads("a")):
        assert blas_threads() == 1
        with plugrad.use_kernels("numpy", with_threads("b")):
            plugrad.set_num_threads(3)
            assert blas_threads() == 1
        assert blas_threads() == 1
    assert blas_threads() == 3


def test_numpys_blas_does_not_rest_beside_others(restored, blas_threads):
    plugrad.set_num_threads(2)
    with plugrad.use_kernels("numpy", plugrad.Overrides("a", backend="numpy")):
        assert blas_threads() == 2


@pytest.mark.parametrize("asked, expected", [("3", "3"), ("2,1", "2"), ("0", None)])
def test_the_environment_is_asked_first(asked, expected):
    env = {**os.environ, "OMP_NUM_THREADS": asked}
    run = [sys.executable, "-c", "import plugrad; print(plugrad.get_num_threads())"]
    done = subprocess.run(run, capture_output=True, text=True, env=env, timeout=60)
    assert done.stdout.strip() == (expected or str(len(os.sched_getaffinity(0))))
