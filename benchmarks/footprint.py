"""The most memory that training takes, in a process of its own, against PyTorch's.

The networks and programs are those of `training`. The most of a process is what the
system says when it has done a few steps. It is told three ways:

- the most: all that the process had in memory, code and Python's objects included;
- above import: without what it had once its library was imported;
- data alone: without what it had once a layer of 16 weights was trained for a step,
  which loads more modules, and without code that was read from files on the way. What
  is left is weights, batch, what the graph keeps, and what libraries set aside.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from .isolation import in_a_process, threads
from .memory import MiB
from .networks import TASKS
from .timing import brief, print_notes, progress, table, verdict
from .training import OWN, PLAIN, SERVED, THREADS, TORCH

BAR = 1.05  # of torch's
WHO = {**OWN, TORCH: "torch"}
STEPS = 10


@dataclass(frozen=True)
class Footprint:
    """MiB of a process: once its library is imported; once it has trained the least,
    without files; and the most in training, with files and without."""

    imported: float
    least: float
    most: float
    without_files: float

    @property
    def above(self) -> float:
        return self.most - self.imported

    @property
    def data(self) -> float:
        return self.without_files - self.least


Found = dict[str, dict[str, Footprint]]  # by network, by contestant


def run(quick: bool = False) -> dict[str, Any]:
    found: Found = {}
    notes = []
    for name in TASKS:
        found[name] = {}
        for who, module in WHO.items():
            progress(f"footprint: {name}, {who}")
            asked = (module, name, 3 if quick else STEPS)
            try:
                measured = in_a_process(measure, asked, threads(THREADS))
            except Exception as error:  # a crash of the process arrives here too
                notes.append(f"{name}, {who}: {brief(error)}")
            else:
                found[name][who] = measured
    progress("")
    show("the most", "most", found)
    show("above import", "above", found)
    show("data alone", "data", found, judged=False)
    print_notes(notes)
    return {"footprints": found, "notes": notes}


def show(title: str, what: str, found: Found, judged: bool = True) -> None:
    """Print MiB and what they are of torch's."""
    print(f"footprint of training steps, {title}: MiB, and of torch's")
    rows = []
    for name, each in found.items():
        mib = {who: getattr(footprint, what) for who, footprint in each.items()}
        row = [name, *(f"{mib[who]:.0f}" if who in mib else "-" for who in WHO)]
        for who in OWN:
            share = mib[who] / mib[TORCH] if {who, TORCH} <= {*mib} else None
            outcome = [verdict(share, BAR)] if judged else []
            row += ["-" if share is None else f"{share:.2f}", *outcome]
        rows.append(row)
    asked = [f"asked {BAR}"] if judged else []
    table(["", *WHO, f"{PLAIN}/torch", *asked, f"{SERVED}/torch", *asked], rows)


# --- in a process of its own --------------------------------------------------------


def measure(asked: tuple[str, str, int]) -> Footprint:
    """Train a network for some steps."""
    module, name, steps = asked
    trainer = import_module(f"{__package__}.trainers.{module}")
    t = import_module("torch" if module == "torch" else "plugrad")
    for package in ("nn", "optim"):
        import_module(f"{t.__name__}.{package}")
    gc.collect()
    imported = memory("VmRSS")
    train_the_least(t)
    least = memory("VmRSS") - memory("RssFile")
    step = trainer.step(name)
    for _ in range(steps):
        step()
    most = memory("VmHWM")
    # Code that is in memory at the end was there at the most, or this is less than it.
    found = imported, least, most, most - memory("RssFile")
    return Footprint(*(each / MiB for each in found))


def train_the_least(t: Any) -> None:
    layer = t.nn.Linear(4, 4)
    optimizer = t.optim.Adam(layer.parameters())
    layer(t.ones(1, 4)).sum().backward()
    optimizer.step()


def memory(field: str) -> float:
    """Bytes of this process, by a field of Linux's `status`. Of these, VmHWM is the
    most: getrusage's figure a process takes over from the one that started it."""
    with open("/proc/self/status", encoding="ascii") as file:
        lines = dict(line.split(":", 1) for line in file)
    return int(lines[field].split()[0]) * 1024
