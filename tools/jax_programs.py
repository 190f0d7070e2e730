"""A plugin of pytest that forgets the programs which JAX has compiled, now and then.

JAX keeps all: one takes 1.7 MB and three of the 65,530 mappings of memory that Linux
gives a process, and the conformance suite makes some hundred thousand. Those that are
needed again come from `JAX_COMPILATION_CACHE_DIR`.
"""

from __future__ import annotations

from typing import Any

import jax

MOST = 1000  # programs in a process: 1.7 GB
EVENT = "/jax/core/compile/backend_compile_duration"  # those from the folder, too

made = [0]


def note(event: str, duration: float, **about: Any) -> None:
    """Count a program."""
    made[0] += event == EVENT


jax.monitoring.register_event_duration_secs_listener(note)


def pytest_runtest_teardown() -> None:
    """Forget them if there are many."""
    if made[0] > MOST:
        jax.clear_caches()
        made[0] = 0
