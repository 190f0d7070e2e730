"""What `plugrad doctor` says of OpenBLAS's kernels."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from plugrad.backends.numpy import openblas

SAY = "from plugrad.backends.numpy import openblas; print(*openblas.notes(), sep='\\n')"
CAN = ["fpu", *openblas.NEEDED]


@pytest.fixture
def notes(monkeypatch):
    """What is said of kernels on a processor."""

    def said(used, flags, chosen=None):
        monkeypatch.setattr(openblas, "core", lambda: used)
        monkeypatch.setattr(openblas, "processor_flags", lambda: flags)
        monkeypatch.delenv(openblas.VARIABLE, raising=False)
        if chosen:
            monkeypatch.setenv(openblas.VARIABLE, chosen)
        return openblas.notes()

    return said


def test_kernels_that_do_not_use_the_processor(notes):
    first, hint = notes("Haswell", CAN)
    assert "Haswell" in first
    assert f"{openblas.VARIABLE}={openblas.BETTER}" in hint
    assert "environment" not in hint


def test_the_environment_that_chose_them_is_named(notes):
    assert (
        "(OPENBLAS_CORETYPE=Haswell in the environment)"
        in notes("Haswell", CAN, "Haswell")[1]
    )


@pytest.mark.parametrize(
    "used, flags", [("SkylakeX", CAN), ("Haswell", CAN[:-1]), ("Haswell", [])]
)
def test_no_hint_where_nothing_is_better(used, flags, notes):
    assert len(notes(used, flags)) == 1


def test_nothing_is_said_of_another_library(notes):
    assert notes("", CAN) == []


def test_the_hint_helps():
    """Where it is given, the kernels that it names are in use afterwards."""
    env = {k: v for k, v in os.environ.items() if k != openblas.VARIABLE}

    def said(**more):
        run = [sys.executable, "-c", SAY]
        done = subprocess.run(run, env=env | more, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    old = said(OPENBLAS_CORETYPE="Nehalem")
    if len(old) < 2:
        pytest.skip("this is not OpenBLAS, or a processor without AVX-512")
    assert said(OPENBLAS_CORETYPE=openblas.BETTER) == [
        f"OpenBLAS, with its kernels for {openblas.BETTER}"
    ]
