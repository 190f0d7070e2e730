"""What hostile plugins cost those who do not use them.

All hostile plugins of the tests are installed at once, and one that sleeps for a second
when it is imported. Fresh interpreters with and without them take turns to import
plugrad, compute on NumPy, and use another distribution's backend, which takes the scan
of the entry points.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from tests.core.hostile.distributions import GOOD, install, python
from tests.core.hostile.plugins import HOSTILE, install_hostile

from .timing import Plan, Spread, alternate, progress, table, verdict

BAR_MS = 50.0
ADD = "plugrad.ones(2) + 1"
STATEMENTS = {
    "import plugrad": "import plugrad",
    "import, and NumPy": f"import plugrad; {ADD}",
    "import, and a plugin's backend": (
        f"import plugrad\nwith plugrad.backend('good'): {ADD}"
    ),
}
SLOW = "import time\ntime.sleep(1)\n"


def run(quick: bool = False) -> dict[str, Any]:
    plan = Plan(rounds=7 if quick else 21, turn=0.0, patience=10.0 if quick else 40.0)
    results: dict[str, Any] = {"plugins": len(HOSTILE) + 1, "bar, ms": BAR_MS}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        good = install(Path(folder, "good"), "good", GOOD)
        hostile = install(Path(folder, "hostile"), "slow", SLOW)
        for name in HOSTILE:
            install_hostile(hostile, name)
        for name, code in STATEMENTS.items():
            progress(f"plugins: {name}")
            more = _more(code, plan, good, hostile)
            results[name] = more
            outcome = verdict(more.median, BAR_MS)
            rows.append([name, more.text(1), f"{BAR_MS:.0f}", outcome])
    progress("")
    print(
        f"{results['plugins']} hostile plugins installed: ms slower than without them"
    )
    table(["", "ms slower", "asked", ""], rows)
    return results


def _more(code: str, plan: Plan, good: Path, hostile: Path) -> Spread:
    """How many ms longer a program takes with the hostile plugins, round by round."""
    times = alternate(
        {
            "without": lambda: _checked(code, good),
            "with": lambda: _checked(code, good, hostile),
        },
        plan,
    )
    pairs = zip(times["with"], times["without"], strict=False)
    return Spread.of([(a - b) * 1e3 for a, b in pairs])


def _checked(code: str, *folders: Path) -> None:
    done = python(code, *folders, PYTHONDONTWRITEBYTECODE="")
    if done.returncode:
        raise RuntimeError(done.stderr)
