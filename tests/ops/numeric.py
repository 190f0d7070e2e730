"""The samples of an op against numeric gradients."""

from __future__ import annotations

import plugrad
from plugrad.declare import Sample
from plugrad.interface import OPS
from plugrad.samples import tensors_in
from plugrad.testing import Make, samples_of

# These read one triangle; the other one has to be changed with it.
SYMMETRIC = ("cholesky", "eigh")
DIFFERENTIABLE = [name for name, op in OPS.items() if op.has_gradient]


def replaced(value, changed):
    """`value` with other tensors in it: `changed` says which, by id."""
    if isinstance(value, plugrad.Tensor):
        return changed.get(id(value), value)
    if isinstance(value, dict):
        return {key: replaced(each, changed) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(replaced(each, changed) for each in value)
    return value


def as_function(op, sample: Sample):
    """A sample call as a function of the tensors that want a gradient, and those."""
    wanted = [t for t in tensors_in(sample) if t.requires_grad]
    wanted = list({id(t): t for t in wanted}.values())

    def function(*inputs):
        changed = {id(t): x for t, x in zip(wanted, inputs, strict=True)}
        if op.name in SYMMETRIC:
            changed = {key: (x + x.mT.conj()) / 2 for key, x in changed.items()}
        args, kwargs = replaced(sample.args, changed), replaced(sample.kwargs, changed)
        return op.function(*args, **kwargs)

    return function, wanted


def takes(op, sample) -> bool:
    """Whether the op takes the sample at all, and gives results in double precision."""
    try:
        found = op.function(*sample.args, **sample.kwargs)
    except (TypeError, RuntimeError, ValueError, IndexError):
        return False  # that it should, or not, is compared with torch
    found = [y for y in tensors_in([found]) if y.requires_grad]
    return all(y.dtype in (plugrad.float64, plugrad.complex128) for y in found)


def run_op(name, dtype, check, seed=0):
    """(failures, number of samples checked)."""
    op, failures, count = OPS[name], [], 0
    for sample in samples_of(op, Make(dtype, seed=seed)):
        if not sample.smooth or not takes(op, sample):
            continue
        function, wanted = as_function(op, sample)
        if not wanted:
            continue
        try:
            check(function, wanted, check_grad_dtypes=True)
            count += 1
        except Exception as error:
            failures.append(
                f"{name}[{dtype.name}, {sample.kind}] {sample}: "
                f"{type(error).__name__}: {error}"
            )
    return failures, count
