"""Threads do not disturb each other: 16 at once compute what they do one by one."""

from __future__ import annotations

import threading
from collections.abc import Callable

import plugrad
from plugrad import modes

THREADS = 16


def train(seed: int) -> list[bytes]:
    """Train a small network on data of its own; the bytes of all that it learnt."""
    generator = plugrad.Generator().manual_seed(seed)

    def draw(*size: int) -> plugrad.Tensor:
        return plugrad.randn(*size, generator=generator)

    x, y = draw(64, 8), draw(64, 1)
    parameters = [draw(8, 16), draw(16), draw(16, 1), draw(1)]
    for p in parameters:
        p.requires_grad_()
    w1, b1, w2, b2 = parameters
    running = plugrad.zeros(16)
    for _ in range(40):
        hidden = (x @ w1 + b1).tanh()
        with plugrad.no_grad():
            running.mul_(0.9).add_(hidden.mean(0), alpha=0.1)
        noise = draw(64, 16) * 0.01
        loss = (((hidden + noise) @ w2 + b2 - y) ** 2).mean()
        loss.backward()
        with plugrad.no_grad():
            for p in parameters:
                p -= 0.05 * p.grad
                p.grad = None
    return [p.detach().numpy().tobytes() for p in (*parameters, running)]


def at_once(functions: list[Callable[[], object]]) -> None:
    """Run functions in threads that start together."""
    barrier = threading.Barrier(len(functions))
    failures: list[BaseException] = []

    def body(function: Callable[[], object]) -> None:
        try:
            barrier.wait(30)
            function()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=body, args=(f,)) for f in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def test_training_in_threads_is_bitwise_the_same() -> None:
    expected = [train(seed) for seed in range(THREADS)]
    assert len({each[0] for each in expected}) == THREADS
    found: list[list[bytes] | None] = [None] * THREADS

    def run(i: int) -> None:
        found[i] = train(i)

    at_once([lambda i=i: run(i) for i in range(THREADS)])
    assert found == expected


def test_recording_is_switched_per_thread() -> None:
    x = plugrad.ones(3, requires_grad=True)
    inside, outside = threading.Event(), threading.Event()
    seen: list[bool] = []

    def quiet() -> None:
        with plugrad.no_grad():
            inside.set()
            assert outside.wait(10)
            seen.append((x * 2).requires_grad)

    def recording() -> None:
        assert inside.wait(10)
        seen.append((x * 2).requires_grad)
        outside.set()

    at_once([quiet, recording])
    assert seen == [True, False]
    assert (x * 2).requires_grad


def test_a_thread_that_ends_without_grad_leaves_nothing_behind() -> None:
    thread = threading.Thread(target=lambda: plugrad.set_grad_enabled(False))
    thread.start()
    thread.join()
    results: list[bool] = []
    for _ in range(8):  # thread numbers are reused
        thread = threading.Thread(
            target=lambda: results.append(plugrad.is_grad_enabled())
        )
        thread.start()
        thread.join()
    assert results == [True] * 8


def test_first_calls_from_many_threads() -> None:
    """Functions are written on their first call, whoever makes it."""
    import subprocess
    import sys

    program = """
import sys, threading, plugrad
sys.setswitchinterval(1e-6)
barrier = threading.Barrier(8)
results = []
def run():
    x = plugrad.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    barrier.wait(30)
    y = ((x * 2 + 1).exp().log() / 3 - x).tanh().reshape(2, 2)
    (y @ y).sum().backward()
    results.append(x.grad.tolist())
threads = [threading.Thread(target=run) for _ in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
assert len(results) == 8 and all(r == results[0] for r in results), results
"""
    for _ in range(5):
        run = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert run.returncode == 0, run.stderr


def test_a_thread_that_ends_without_recording_leaves_nothing_behind() -> None:
    """Else every later call would ask for this thread's mode."""
    before = len(modes.OFF)
    at_once([lambda: plugrad.set_grad_enabled(False) and None])
    assert len(modes.OFF) == before
