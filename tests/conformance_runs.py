"""The conformance suite in a process of its own, from an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@dataclass
class Run:
    """What a run printed and found."""

    code: int
    text: str
    found: dict[str, Any]

    def ended(self, outcome: str) -> dict[str, str]:
        """The tests that ended so, with their reasons."""
        tests = self.found["tests"].items()
        return {
            name: each["reason"] for name, each in tests if each["outcome"] == outcome
        }


def run_suite(
    folder: Path, backend: str, *options: str, wrong: bool = False, cwd: Any = None
) -> Run:
    """Run the suite on a backend; `wrong` registers those of wrong_backends.py."""
    empty = folder / "empty"
    empty.mkdir(exist_ok=True)
    report = folder / f"{backend}.json"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["--pyargs", "plugrad.conformance", f"--plugrad-backend={backend}"]
    command += [f"--plugrad-report={report}", *options]
    return run(command + ["-p", "tests.wrong_backends"] * wrong, empty, report)


def run(command: list[str], folder: Path, report: Path | None = None) -> Run:
    """Run a command in a folder."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    for name in [each for each in variables if each.startswith("PYTEST_")]:
        del variables[name]  # of the pytest that runs this
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=600
    )
    found = {"tests": {}}
    if report is not None and report.exists():
        found = json.loads(report.read_text(encoding="utf-8"))
    return Run(done.returncode, done.stdout + done.stderr, found)
