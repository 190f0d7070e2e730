"""The programs of examples/notes print the same under PyTorch and under `plugrad run`.

They are what notes of people learning PyTorch write down, a program for each piece.
Compared is the text: words as they are, numbers closely.
"""

from __future__ import annotations

import math
import re
import runpy
import subprocess
import sys
import warnings
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "notes"
# PyTorch has no transforms of pictures without torchvision.
NOTES = sorted(p.stem for p in FOLDER.glob("*.py") if p.stem != "transforms")
NUMBER = re.compile(r"-?\d+\.\d*(?:e[-+]\d+)?")

# Runs some programs, one after the other.
DRIVER = """
import runpy, sys
for path in sys.argv[1:]:
    print("=====", path)
    runpy.run_path(path, run_name="__main__")
"""


@pytest.fixture(scope="module")
def by_plugrad():
    """What each program prints under `plugrad run`."""
    paths = [str(FOLDER / f"{name}.py") for name in NOTES]
    command = [sys.executable, "-m", "plugrad", "run", "-c", DRIVER, *paths]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    parts = re.split(r"^===== (.*)\n", done.stdout, flags=re.M)[1:]
    return {Path(p).stem: text for p, text in zip(parts[::2], parts[1::2])}


def by_torch(name):
    """What a program prints in this process, which has imported PyTorch."""
    said = StringIO()
    with redirect_stdout(said), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    return said.getvalue()


def words(text):
    """A text without its numbers, and without what is plugrad's name or torch's."""
    text = text.replace("plugrad.tensor.Tensor", "torch.Tensor")
    text = text.replace("plugrad.", "torch.")
    text = re.sub(r"grad_fn=<\w+>", "grad_fn", text)  # of a linear layer: Addmm, Linear
    return re.sub(r"\s+", " ", NUMBER.sub("#", text)).replace(" #", "#")


def numbers(text):
    return [float(each) for each in NUMBER.findall(text)]


def close(a, b):
    return len(a) == len(b) and all(
        math.isclose(x, y, rel_tol=2e-5, abs_tol=2e-5) for x, y in zip(a, b)
    )


@pytest.mark.parametrize("name", NOTES)
def test_they_print_the_same(name, by_plugrad):
    ours, theirs = by_plugrad[name], by_torch(name)
    assert ours.strip()
    assert words(ours) == words(theirs)
    assert close(numbers(ours), numbers(theirs)), (ours, theirs)


def test_a_difference_is_noticed():
    assert words("tensor([1., 2.])") != words("tensor([1, 2])")
    assert not close(numbers("tensor([1.5, 2.])"), numbers("tensor([1.5, 2.1])"))
