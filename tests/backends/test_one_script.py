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


def both(backend: str, call: str, seed: int) -> tuple[list, list]:
    """A draw of a backend and of NumPy; skips dtypes that the backend does not have."""
    ours, wanted = draws(backend, seed)[call], draws("numpy", seed)[call]
    if ours[0] == "UnsupportedOpError" or wanted[0] == "UnsupportedOpError":
        pytest.skip(next(x[1] for x in (ours, wanted) if x[0] == "UnsupportedOpError"))
    return ours, wanted


def parts(draw: list) -> np.ndarray:
    """The real numbers in a draw, one after the other."""
    name, _, data = draw
    name = {"complex64": "float32", "complex128": "float64"}.get(name, name)
    return np.frombuffer(bytes.fromhex(data), name)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("call", KINDS["exact"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_draws_are_numpys_bit_by_bit(backend, call, seed):
    ours, wanted = both(backend, call, seed)
    assert ours == wanted


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("call", KINDS["normal"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_normal_draws_differ_in_the_last_bits_alone(backend, call, seed):
    ours, wanted = both(backend, call, seed)
    assert ours[:2] == wanted[:2]
    a, b = parts(ours), parts(wanted)
    ulps = np.abs(a - b) / np.spacing(np.maximum(np.abs(a), np.abs(b)))
    assert ulps.max() <= ULPS


@pytest.mark.parametrize("call", KINDS["further"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_other_draws_are_close(backend, call):
    ours, wanted = both(backend, call, SEEDS[0])
    assert ours[:2] == wanted[:2]
    rtol, atol = TOLERANCES[ours[0]]
    np.testing.assert_allclose(parts(ours), parts(wanted), rtol, atol)


def test_another_seed_gives_other_draws():
    """The comparisons can fail: nearly no draw is the same for two seeds."""
    one, other = (draws("numpy", seed) for seed in SEEDS)
    same = [call for call in one if one[call] == other[call]]
    trivial = {"T.rand(0)", "T.randperm(0)", "T.randperm(1)"}
    assert len(set(same) - trivial) <= 2, same
