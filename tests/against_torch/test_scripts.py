"""The scripts of examples/scripts, unmodified: under PyTorch, and under `plugrad run`.

Both start from the weights that PyTorch drew. The losses that they print at every tenth
step must agree, and fall.
"""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import warnings
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "scripts"
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "start")
EXACT = 1e-4  # the losses; their rounding errors grow over a hundred steps


def losses(text):
    """{step: loss} of the lines `step 10 loss 0.5`."""
    found = re.findall(r"^step (\d+) loss (\S+)$", text, re.M)
    return {int(step): float(loss) for step, loss in found}


def by_torch(path, monkeypatch):
    """What a script prints, run in this process, which has imported PyTorch."""
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr(sys, "argv", [str(path)])
    said = StringIO()
    try:
        with redirect_stdout(said), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            runpy.run_path(str(path), run_name="__main__")
    finally:
        sys.modules.pop("start", None)
    return said.getvalue()


def by_plugrad(path):
    """What a script prints under `plugrad run`."""
    command = [sys.executable, "-m", "plugrad", "run", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_are_more_than_twenty():
    assert len(SCRIPTS) > 20


@pytest.mark.parametrize("name", SCRIPTS)
def test_losses_agree_and_fall(name, tmp_path, monkeypatch):
    monkeypatch.setenv("START", str(tmp_path / "weights.npz"))
    path = FOLDER / f"{name}.py"
    theirs = losses(by_torch(path, monkeypatch))
    assert os.path.exists(tmp_path / "weights.npz")
    ours = losses(by_plugrad(path))
    steps = list(range(0, 101, 10))
    assert list(theirs)[: len(steps)] == steps and list(ours) == list(theirs)
    for step, loss in theirs.items():
        assert ours[step] == pytest.approx(loss, rel=EXACT, abs=EXACT), step
    first, *_, last = ours.values()
    assert last < first - 0.2 * abs(first)


def test_other_weights_are_noticed(tmp_path, monkeypatch):
    """Without a common start the losses do not agree: the comparison can fail."""
    monkeypatch.delenv("START", raising=False)
    path = FOLDER / "mlp.py"
    theirs, ours = losses(by_torch(path, monkeypatch)), losses(by_plugrad(path))
    assert ours[0] != pytest.approx(theirs[0], rel=EXACT, abs=EXACT)
