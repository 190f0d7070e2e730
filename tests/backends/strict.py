"""A backend on array-api-strict, which has the array API standard and nothing else.

Whatever runs on it uses only the standard: so do the default bodies of the ops, their
rules, and the engine.
"""

from __future__ import annotations

from collections.abc import Iterable

import array_api_strict
import numpy as np

import plugrad
from plugrad.conformance.cells import MAIN, Subject, cells
from plugrad.conformance.known import find_expected
from plugrad.conformance.reference import reference_for
from plugrad.conformance.test_forward import test_op as forward
from plugrad.conformance.test_gradients import test_reference as gradients

NAME = "strict"


class StrictBackend(plugrad.Backend):
    """Arrays of array-api-strict, with the default body of every op."""

    name = NAME
    array_type = type(array_api_strict.zeros(()))
    namespace = array_api_strict

    def to_numpy(self, array):
        return np.asarray(array)


def strict_backend() -> plugrad.Backend:
    """The backend, registered on first use."""
    try:
        return plugrad.get_backend(NAME)
    except plugrad.BackendError:
        plugrad.register_backend(NAME, StrictBackend)
        return plugrad.get_backend(NAME)


SHIPPED = "array_api_strict"  # what plugrad itself makes of that library


def strict_subject(seed: int | str = 0) -> Subject:
    """The backend that comes with plugrad, as the conformance suite tries it."""
    k = plugrad.get_backend(SHIPPED)
    return Subject(k, reference_for(k), seed=seed)


def run_op(
    name: str, subject: Subject, dtypes: Iterable[str] = MAIN
) -> tuple[list[str], int]:
    """(failures, number of tests): an op's forward and gradient tests of conformance,
    but for what is expected to fail."""
    expected = find_expected(SHIPPED, None).failures
    failures, count = [], 0
    for cell in cells(subject, [subject.k.ops[name]], dtypes):
        tests = {"test_forward::test_op": forward}
        if cell.op.has_gradient and cell.dtype.kind in "fc":
            tests["test_gradients::test_reference"] = gradients
        for test, function in tests.items():
            key = f"{test}[{cell.id}]"
            if cell.why is None and key not in expected:
                count += 1
                try:
                    function(cell)
                except AssertionError as error:
                    failures.append(f"{key}: {error}")
    return failures, count
