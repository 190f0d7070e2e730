"""`torch.multiprocessing`: Python's, with `spawn` of several processes.

Tensors are sent to other processes by value: what one of them writes, the others do not
see.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing import *  # noqa: F403
from multiprocessing.connection import wait
from typing import Any

__all__ = ["ProcessRaisedException", "spawn"]
__all__ += [name for name in dir(multiprocessing) if not name.startswith("_")]


class ProcessRaisedException(Exception):
    """A process that `spawn` started has failed."""


def spawn(
    fn: Callable[..., Any],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> list[Any] | None:
    """Run `fn(i, *args)` in `nprocs` processes, wait for all; raise if one fails."""
    context = multiprocessing.get_context(start_method)
    failures = context.SimpleQueue()
    processes = [
        context.Process(target=run, args=(fn, i, args, failures), daemon=daemon)
        for i in range(nprocs)
    ]
    for each in processes:
        each.start()
    if not join:
        return processes
    waiting = {each.sentinel: i for i, each in enumerate(processes)}
    while waiting:
        for sentinel in wait(list(waiting)):
            i = waiting.pop(sentinel)
            processes[i].join()
            status = processes[i].exitcode
            if status:
                stop(processes)
                told = failures.get() if not failures.empty() else (i, "")
                raise ProcessRaisedException(
                    f"process {told[0]} ended with status {status}\n{told[1]}"
                )
    return None


def stop(processes: list[Any]) -> None:
    """End the processes that still run."""
    for each in processes:
        if each.is_alive():
            each.terminate()
    for each in processes:
        each.join()


def run(fn: Callable[..., Any], i: int, args: tuple[Any, ...], failures: Any) -> None:
    """What a process of `spawn` does."""
    import traceback

    try:
        fn(i, *args)
    except KeyboardInterrupt:
        pass
    except Exception:
        failures.put((i, traceback.format_exc()))
        raise SystemExit(1) from None


def get_all_sharing_strategies() -> set[str]:
    """Tensors are copied; there is nothing to choose."""
    return {"file_descriptor", "file_system"}


strategy = ["file_descriptor"]


def get_sharing_strategy() -> str:
    """What `set_sharing_strategy` was told."""
    return strategy[0]


def set_sharing_strategy(new_strategy: str) -> None:
    """Remember the choice, which changes nothing: tensors are copied."""
    if new_strategy not in get_all_sharing_strategies():
        raise ValueError(f"unknown sharing strategy {new_strategy!r}")
    strategy[0] = new_strategy
