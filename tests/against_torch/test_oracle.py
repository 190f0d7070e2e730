"""The torch that is compared with is the one that pyproject.toml names."""

from __future__ import annotations

import tomllib
from pathlib import Path

import torch

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_torch_is_the_pinned_release():
    extras = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]
    pin = next(line for line in extras["compare"] if line.startswith("torch=="))
    assert torch.__version__.partition("+")[0] == pin.removeprefix("torch==")
