"""Random operands of the ops of two tensors: promotion and broadcasting, against torch.

Values, dtypes, shapes, exceptions, and the gradients of what was broadcast. A case is a
batch of operands for one op or operator. What differs on purpose stands in
`tests/against_torch/differences.txt`.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

from plugrad.interface import OPS
from tests.against_torch import operands as two
from tests.campaigns.generated import falsified
from tests.campaigns.runner import Report, cases, dealt, salted

BATCH = 100
ROUNDS = 20

any_shape = array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)
fitting = mutually_broadcastable_shapes(num_shapes=2, max_dims=4)


def check_fitting(name, shapes):
    two.check_shapes(name, *shapes.input_shapes)


def checks():
    """Each check with what it is given."""
    for name in two.BINARY:
        yield two.check_promotion, {"name": name, "pair": two.operands(OPS[name])}
    for name in two.OPERATORS:
        form = st.sampled_from(two.forms_of(name))
        given = {"x": two.tensors(two.small), "number": two.scalars, "form": form}
        yield two.check_operator, {"name": name, **given}
    for name in two.BROADCAST:
        yield check_fitting, {"name": name, "shapes": fitting}
        yield two.check_shapes, {"name": name, "a": any_shape, "b": any_shape}


def run(seed: int, budget: float) -> Report:
    found, every = Report(), list(checks())
    for case in cases(f"{BATCH} operands", ROUNDS * len(every), budget, found):
        (check, strategies), _ = dealt(every, seed, case)
        text = falsified(check, strategies, salted(seed, case), BATCH)
        if text:
            found.fail(case, text)
    found.notes.append(
        f"{BATCH} pairs of operands to a case, for {len(two.BINARY)} ops and "
        f"{len(two.OPERATORS)} operators."
    )
    return found
