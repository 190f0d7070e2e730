"""One script and one seed, the same training in every array library.

`examples/train_anywhere.py` runs as it is, told by PLUGRAD_BACKEND alone where to
compute; its final loss is compared with NumPy's. So are draws of every kind
(`draws.py`): bit by bit, or in units of the last place where logarithms come in.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest

from plugrad.testing import TOLERANCES
from tests.backends.draws import KINDS
from tests.house.layout import ROOT

BACKENDS = ("array_api_strict", "jax", "torch")  # each named as its library
SCRIPT = ROOT / "examples" / "train_anywhere.py"
CLOSE = {"float64": 1e-9, "float32": 1e-4}
SEEDS = (0, 2**64 - 1)
ULPS = 4


@cache
def said_by(backend: str, *command: str) -> str:
    """What a command prints, run where new tensors are of a backend."""
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PLUGRAD_")}
    environ |= {"PLUGRAD_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
    environ.pop("JAX_ENABLE_X64", None)
    done = subprocess.run(
        [sys.executable, *command],
        env=environ,
        cwd=ROOT,
        timeout=300,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# --- The training -------------------------------------------------------------------


def final_loss(backend: str, dtype: str) -> float:
    said = said_by(backend, str(SCRIPT), "--dtype", dtype, "--steps", "100")
    assert said.startswith(f"backend {backend}, {dtype}\n")
    found = re.search(r"^final loss (\S+)$", said, re.M)
    assert found, said
    return float(found[1])


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_script_ends_with_numpys_loss(backend, dtype):
    wanted = final_loss("numpy", dtype)
    assert final_loss(backend, dtype) == pytest.approx(wanted, rel=0, abs=CLOSE[dtype])


def test_the_script_learns():
    """Equal losses say something: fewer steps, or another seed, end elsewhere."""
    wanted = final_loss("numpy", "float64")
    for option in (("--steps", "99"), ("--steps", "100", "--seed", "1")):
        said = said_by("numpy", str(SCRIPT), "--dtype", "float64", *option)
        other = float(said.rpartition("final loss ")[2])
        assert abs(other - wanted) > 1e5 * CLOSE["float64"]
    assert wanted < 0.7 * np.log(3)  # what guessing costs


# --- The draws ----------------------------------------------------------------------


@cache
def draws(backend: str, seed: int) -> dict[str, list]:
    return json.loads(said_by(backend, "-m", "tests.backends.draws", str(seed)))


def parts(draw: list) -> np.ndarray:
    """The real numbers in a draw, one after the other."""
    name, _, data = draw
    name = {"complex64": "float32", "complex128": "float64"}.get(name, name)
    return np.frombuffer(bytes.fromhex(data), name)


def bit_by_bit(ours: list, wanted: list) -> bool:
    return ours == wanted


def in_the_last_bits(ours: list, wanted: list) -> bool:
    a, b = parts(ours), parts(wanted)
    ulps = np.abs(a - b) / np.spacing(np.maximum(np.abs(a), np.abs(b)))
    return ours[:2] == wanted[:2] and ulps.max() <= ULPS


def close(ours: list, wanted: list) -> bool:
    rtol, atol = TOLERANCES[ours[0]]
    return ours[:2] == wanted[:2] and np.allclose(
        parts(ours), parts(wanted), rtol, atol
    )


HOW = {"exact": bit_by_bit, "normal": in_the_last_bits, "further": close}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_draws_are_numpys(backend, seed):
    found, wanted = draws(backend, seed), draws("numpy", seed)
    wrong = []
    for kind, calls in KINDS.items():
        for call in calls:
            ours, numpys = found[call], wanted[call]
            if "UnsupportedOpError" in (ours[0], numpys[0]):  # 16 bits, and only those
                assert "float16" in call, (call, ours, numpys)
            elif not HOW[kind](ours, numpys):
                wrong.append((call, str(ours)[:200], str(numpys)[:200]))
    assert not wrong


@pytest.mark.parametrize("kind", HOW)
def test_the_comparisons_can_fail(kind):
    """Hardly any draw is the same for two seeds."""
    one, other = (draws("numpy", seed) for seed in SEEDS)
    trivial = {"T.rand(0)", "T.randperm(0)", "T.randperm(1)"}
    calls = [call for call in KINDS[kind] if call not in trivial]
    same = [call for call in calls if HOW[kind](one[call], other[call])]
    assert len(same) <= 2, same
