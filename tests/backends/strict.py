"""A backend on array-api-strict, which has the array API standard and nothing else.

Whatever runs on it uses only the standard: so do the default bodies of the ops, their
rules, and the engine.
"""

from __future__ import annotations

import array_api_strict
import numpy as np

import plugrad

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
