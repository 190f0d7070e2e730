"""Lay distributions down as pip would, and run Python where they are installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]

GOOD = """
import array_api_strict
import numpy
import plugrad


class GoodBackend(plugrad.Backend):
    name = "good"
    array_type = type(array_api_strict.zeros(()))
    namespace = array_api_strict

    def to_numpy(self, array):
        return numpy.asarray(array)


@plugrad.hookimpl
def plugrad_backend(name):
    return GoodBackend() if name == "good" else None
"""


def install(
    folder: Path,
    name: str,
    source: str | bytes | None,
    *,
    entry: str | None = None,
    distribution: str | None = None,
    metadata: str = "",
) -> Path:
    """Install the plugin `name` into a folder as a distribution with one module, whose
    names follow from the plugin's; returns the folder."""
    distribution = distribution or f"{name.replace('_', '-')}-plugin"
    module = distribution.replace("-", "_")
    folder.mkdir(exist_ok=True)
    if source is not None:
        text = source.encode() if isinstance(source, str) else source
        (folder / f"{module}.py").write_bytes(text)
    info = folder / f"{module}-1.5.dist-info"
    info.mkdir()
    entry = f"{name} = {module}" if entry is None else entry.format(module=module)
    (info / "entry_points.txt").write_text(f"[plugrad]\n{entry}\n")
    head = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n"
    (info / "METADATA").write_text(head + metadata)
    return folder


def python(
    code: str, *folders: Path, timeout: float = 120, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a program in a new interpreter that finds what the folders have."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PLUGRAD_")}
    environment |= {"PYTHONPATH": os.pathsep.join(map(str, folders)), **variables}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment, cwd=folders[0] if folders else None, timeout=timeout,
        capture_output=True, text=True,
    )  # fmt: skip


def answer(code: str, *folders: Path, **variables: str) -> Any:
    """What a program prints last, as JSON; it must end well."""
    done = python(code, *folders, **variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
