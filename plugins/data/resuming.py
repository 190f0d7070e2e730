"""Where an epoch is, as plain data, and going on from there.

- A state says where the generators were when the epoch began, and how many batches were
  given. Who resumes draws the same order anew and passes over that many batches; a
  dataset with indices is not asked for their samples, an iterable one is.
- Workers send the states of their random generators with their batches. A loader with
  as many workers goes on with them, so that random transforms come out the same, too.
  An iterable dataset comes to the same states by giving its samples once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice, repeat
from typing import Any

import plugrad
from plugrad.random import default_generator, fork_rng

from .samplers import draw_seed

VERSION = 1
SAME = ("iterable", "samples", "batch_size", "drop_last")  # what has to be as it was


class Epoch:
    """What is drawn for an epoch: a seed for the workers, then the indices."""

    def __init__(self, loader: Any, resumed: dict[str, Any] | None) -> None:
        self.sources = generators(loader)
        self.given = 0  # batches
        self.passed = 0  # batches that an iterable dataset has to draw once more
        self.states: list[bytes | None] = [None] * loader.num_workers
        self.number: int | None = getattr(loader.sampler, "epoch", None)
        with fork_rng(enabled=resumed is not None):
            if resumed is not None:
                self.go_back(loader, resumed)
            self.began = [bytes(g.get_state().tolist()) for g in self.sources]
            self.base_seed = draw_seed(loader.generator)
            self.indices = self.draw(loader)

    def go_back(self, loader: Any, resumed: dict[str, Any]) -> None:
        """Put generators and sampler where they were when the epoch began. What the
        default generator draws outside of this epoch stays as it is."""
        if self.number is not None and resumed["epoch"] is not None:
            loader.sampler.set_epoch(resumed["epoch"])
            self.number = resumed["epoch"]
        for generator, state in zip(self.sources, resumed["generators"]):
            generator.set_state(plugrad.tensor(list(state), dtype=plugrad.uint8))
        self.given = resumed["batches"]
        if not loader.iterable and len(resumed["workers"]) == loader.num_workers:
            self.states = list(resumed["workers"])

    def draw(self, loader: Any) -> Iterator[Any]:
        """What the sampler gives for each batch, from the first that is wanted on."""
        if loader.iterable:
            self.passed = self.given
            return repeat(loader.batch_size)
        indices = iter(loader.index_sampler)
        # the first one now: samplers draw when they are first asked
        return chain(list(islice(indices, self.given, self.given + 1)), indices)


def generators(loader: Any) -> list[Any]:
    """The generators that an epoch may draw from, plugrad's default one first."""
    found = [default_generator]
    inner = getattr(loader.batch_sampler, "sampler", None)
    for owner in (loader, loader.sampler, loader.batch_sampler, inner):
        g = getattr(owner, "generator", None)
        if isinstance(g, plugrad.Generator) and all(g is not each for each in found):
            found.append(g)
    return found


def described(loader: Any) -> dict[str, Any]:
    """What a loader must have in common with the one whose state it is given."""
    samples = None
    if not loader.iterable:
        samples = len(loader.dataset) if hasattr(loader.dataset, "__len__") else None
    return {
        "samples": samples,
        "batch_size": loader.batch_size,
        "drop_last": loader.drop_last,
        "iterable": loader.iterable,
    }


def state_of(loader: Any, epoch: Epoch | None) -> dict[str, Any]:
    """The state of a loader in the midst of an epoch; None stands for between two."""
    state = {"version": VERSION, **described(loader), "batches": 0}
    if epoch is not None:
        state["batches"] = epoch.given
        state["epoch"] = epoch.number
        state["generators"] = list(epoch.began)
        state["workers"] = list(epoch.states)
    return state


def checked(loader: Any, state: Any) -> dict[str, Any] | None:
    """A state that this loader can resume from; None for one between two epochs."""
    if not isinstance(state, dict) or state.get("version") != VERSION:
        raise ValueError("load_state_dict takes what state_dict() of a DataLoader gave")
    mine = described(loader)
    for name in SAME:
        if mine[name] != state.get(name):
            raise ValueError(
                f"the state is of a DataLoader with {name} {state.get(name)}, this one "
                f"has {mine[name]}: it cannot go on there"
            )
    if "generators" not in state:
        return None
    if len(generators(loader)) != len(state["generators"]):
        raise ValueError(
            "the state is of a DataLoader with other generators: pass `generator` to "
            "this loader, or its sampler, as to that one"
        )
    if loader.iterable and len(state["workers"]) != loader.num_workers:
        raise ValueError(
            f"the state is of a DataLoader with num_workers={len(state['workers'])}, "
            f"this one has {loader.num_workers}: an iterable dataset gives its samples "
            "in another order then"
        )
    return state
