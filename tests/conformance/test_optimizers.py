"""Optimizers take the steps that they take on NumPy, and schedules give those rates."""

from __future__ import annotations

from typing import Any

import plugrad
import plugrad.optim as optim
from plugrad.conformance.calls import tensors_in
from plugrad.conformance.cells import Cell
from plugrad.conformance.compared import check_same, make_for
from plugrad.conformance.optimizers import OPTIMIZERS, SCHEDULES

STEPS = 10


class Run:
    """An optimizer on one backend, and the sum of squares that it makes smaller."""

    def __init__(self, cell: Cell, k: plugrad.Backend) -> None:
        self.k, self.row = k, OPTIMIZERS[cell.case]
        make = make_for(cell, k)
        self.params = [make(*shape) for shape in self.row.shapes]
        self.targets = [make(*shape, requires_grad=False) for shape in self.row.shapes]
        self.rows = make.integers(3, high=5)
        self.optimizer = self.row.make(self.params)
        self.losses: list[Any] = []

    def loss(self) -> Any:
        """How far the parameters are from their targets, to the second and fourth
        power; of some rows only where gradients are sparse."""
        if self.row.sparse:
            (p,), (target,) = self.params, self.targets
            lookup = plugrad.nn.functional.embedding
            far = [lookup(self.rows, p, sparse=True) - target[self.rows]]
        else:
            far = [p - target for p, target in zip(self.params, self.targets)]
        return sum((d * d + 0.1 * d**4).sum() for d in far)

    def closure(self) -> Any:
        self.optimizer.zero_grad()
        loss = self.loss()
        loss.backward()
        return loss

    def steps(self, count: int) -> None:
        with plugrad.backend(self.k.name):
            for _ in range(count):
                self.losses.append(self.optimizer.step(self.closure).detach())

    def go_on_from(self, before: Run) -> None:
        """Take the parameters and the state of a run on another backend."""
        with plugrad.backend(self.k.name), plugrad.no_grad():
            self.optimizer.load_state_dict(before.optimizer.state_dict())
            for mine, other in zip(self.params, before.params):
                mine.copy_(other.to(backend=self.k.name))

    def found(self) -> dict[str, Any]:
        """The losses of all steps, the parameters, and the state of the optimizer
        (counts of steps are wherever they were made)."""
        state = tensors_in([self.optimizer.state_dict()["state"]])
        state = [t.to(backend=self.k.name) for t in state]
        named = {"loss": self.losses, "parameter": self.params, "state": state}
        return {
            f"{name} {i}": t for name, all_ in named.items() for i, t in enumerate(all_)
        }


def test_steps(cell: Cell) -> None:
    """The losses, parameters and state of ten steps."""
    ours, theirs = Run(cell, cell.subject.k), Run(cell, cell.subject.reference)
    for run in (ours, theirs):
        run.steps(STEPS)
    check_same(cell, ours.found(), theirs.found())


def test_state(cell: Cell) -> None:
    """An optimizer goes on where one of the reference stopped, from its state."""
    k, reference = cell.subject.k, cell.subject.reference
    ours, theirs, before = Run(cell, k), Run(cell, reference), Run(cell, reference)
    before.steps(STEPS // 2)
    for run in (ours, theirs):
        run.go_on_from(before)
        run.steps(STEPS // 2)
    check_same(cell, ours.found(), theirs.found())


def test_schedule(cell: Cell) -> None:
    """The rates of twelve steps, and where the parameters are then."""
    ours = scheduled(cell, cell.subject.k)
    theirs = scheduled(cell, cell.subject.reference)
    rates = ours.pop("rates"), theirs.pop("rates")
    assert rates[0] == rates[1], rates
    assert len(set(rates[1])) > 1, "the schedule does nothing"
    check_same(cell, ours, theirs)


def scheduled(cell: Cell, k: plugrad.Backend) -> dict[str, Any]:
    """Twelve steps with a schedule on one backend."""
    make = make_for(cell, k)
    p, target = make(3, 2), make(3, 2, requires_grad=False)
    with plugrad.backend(k.name):
        optimizer = optim.SGD([p], lr=0.1, momentum=0.9)
        schedule = SCHEDULES[cell.case](optimizer)
        rates = []
        for step in range(12):
            optimizer.zero_grad()
            ((p - target) ** 2).sum().backward()
            optimizer.step()
            rates.append(optimizer.param_groups[0]["lr"])
            if isinstance(schedule, optim.lr_scheduler.ReduceLROnPlateau):
                schedule.step(max(1.0, 4.0 - step))
            elif step < 11:
                schedule.step()
    return {"rates": rates, "parameter": p}
