"""What `import plugrad` adds to a bare interpreter's start, and what it drags in.

Every run is a fresh process; interpreters with and without the import take turns. The
first runs, which write the byte code, are not counted. They run without `site`, on a
copy of the package: the hook of an editable install imports `re`, `enum`, `pathlib` and
more at every start, which would then look free to plugrad.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from .timing import Plan, Spread, alternate, print_notes, progress, table, verdict

BAR_MS = 30.0
BARE = "a bare interpreter"
STATEMENTS = {
    BARE: "pass",
    "plugrad": "import plugrad",
    "numpy": "import numpy",
    "torch": "import torch",
}
# What must wait until a program uses it.
UNWANTED = ("numpy", "cupy", "scipy", "pluggy", "inspect", "importlib.metadata")


def run(quick: bool = False, detail: bool = False) -> dict[str, Any]:
    with installed_copy() as folder:
        results = _measure(quick, folder)
        found = unwanted_modules(folder)
        results["unwanted modules"] = found
        print(f"of {', '.join(UNWANTED)}, it loads: {', '.join(found) or 'none'}")
        print(f"unwanted modules: {verdict(len(found), 0)}\n")
        if detail:
            print(_python("import plugrad", folder, "-X", "importtime").stderr)
    return results


@contextmanager
def installed_copy() -> Iterator[str]:
    """A folder that holds plugrad's core the way a wheel would lay it down."""
    spec = find_spec("plugrad")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("plugrad is not installed: pip install -e .")
    with tempfile.TemporaryDirectory() as folder:
        source = spec.submodule_search_locations[0]
        skip = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, os.path.join(folder, "plugrad"), ignore=skip)
        yield folder


def unwanted_modules(folder: str) -> list[str]:
    """Which of the unwanted modules `import plugrad` leaves in `sys.modules`."""
    show = f"import plugrad, sys; print(*[m for m in {UNWANTED} if m in sys.modules])"
    return _python(show, folder).stdout.split()


def _measure(quick: bool, folder: str) -> dict[str, Any]:
    plan = Plan(rounds=7 if quick else 21, turn=0.0, patience=8.0 if quick else 40.0)
    calls, notes = {}, []
    for name, statement in STATEMENTS.items():
        progress(f"import: {name}")
        try:
            _python(statement, folder)
        except subprocess.CalledProcessError as error:
            notes.append(f"{name}: {error.stderr.strip().splitlines()[-1]}")
        else:
            calls[name] = lambda statement=statement: _python(statement, folder)
    progress("import: taking turns")
    times = alternate(calls, plan)
    progress("")
    bare = Spread.of([t * 1e3 for t in times[BARE]])
    added = {
        name: Spread.of(
            [(t - b) * 1e3 for t, b in zip(times[name], times[BARE], strict=False)]
        )
        for name in calls
        if name != BARE
    }
    _report(bare, added, notes)
    return {"bare, ms": bare, "added, ms": added, "bar, ms": BAR_MS, "notes": notes}


def _report(bare: Spread, added: dict[str, Spread], notes: list[str]) -> None:
    print(f"Import: ms added to a bare interpreter's {bare.text(1)}")
    rows = [[name, spread.text(1), "", ""] for name, spread in added.items()]
    for row in rows:
        if row[0] == "plugrad":
            row[2:] = [f"{BAR_MS:.0f}", verdict(added["plugrad"].median, BAR_MS)]
    table(["", "ms added", "asked", ""], rows)
    print_notes(notes)


def _python(
    statement: str, folder: str, *flags: str
) -> subprocess.CompletedProcess[str]:
    packages = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    path = os.pathsep.join([folder, *dict.fromkeys(packages)])
    environment = os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": ""}
    return subprocess.run(
        [sys.executable, "-S", *flags, "-c", statement],
        cwd=folder, env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
