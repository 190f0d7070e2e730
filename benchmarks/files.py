"""Saving and loading 1 GiB: plugrad's files against torch's, and safetensors.

- Each library saves the same tensors to a file of its own and loads it again; they take
  turns, and what is compared is the ratio within a round. plugrad's save is finished
  when the file is on the disk; torch's when the system has taken it. What has to reach
  the disk in the end delays whoever comes next, so it is written out between turns.
- plugrad computes two checksums of everything it saves, and compares both when it
  loads; torch computes one, and does not compare it.
- Memory is measured in fresh processes: the most that loading (or saving) took, beside
  what was there before.
"""

from __future__ import annotations

import gc
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import plugrad

from .isolation import in_a_process
from .timing import (
    Comparison,
    Times,
    brief,
    judge,
    print_notes,
    progress,
    report,
    table,
    verdict,
)

MiB = 1 << 20
SIZES = {
    "1 GiB in 32": (1024, 32),
    "256 MiB in 1": (256, 1),
    "256 MiB in 8192": (256, 8192),
}
BAR = 1.0
AGAINST = {"mapped safetensors": "safetensors"}
ROOM = 64.0  # MiB beside the tensors

Call = Callable[[], object]


def tensors(count: int, nbytes: int) -> dict[str, Any]:
    """So many tensors of so many bytes together, of numbers that differ."""
    n = nbytes // 4 // count
    row = plugrad.arange(n, dtype=plugrad.float32)
    return {f"w{i}": row + float(i) for i in range(count)}


def contestants(
    folder: Path, ours: dict[str, Any]
) -> tuple[dict[str, dict[str, Call]], list[str]]:
    """What is timed, by the kind of call and the library; and who is absent."""
    path = str(folder / "plugrad.pt")
    calls: dict[str, dict[str, Call]] = {
        "save": {"plugrad": lambda: plugrad.save(ours, path)},
        "load": {"plugrad": lambda: plugrad.load(path)},
        "load, mapped": {"plugrad": lambda: plugrad.load(path, mmap=True)},
    }
    notes: list[str] = []
    for add in (add_torch, add_safetensors):
        try:
            add(calls, ours, folder)
        except ModuleNotFoundError as error:
            notes.append(f"absent: pip install {error.name}")
        except Exception as error:
            notes.append(brief(error))
    return calls, notes


def add_torch(calls: Any, ours: dict[str, Any], folder: Path) -> None:
    import torch

    path = str(folder / "torch.pt")
    theirs = {name: torch.from_numpy(x.numpy()) for name, x in ours.items()}
    calls["save"]["torch"] = lambda: torch.save(theirs, path)
    calls["save"]["synced torch"] = lambda: synced(torch.save(theirs, path), path)
    calls["load"]["torch"] = lambda: torch.load(path)
    calls["load, mapped"]["torch"] = lambda: torch.load(path, mmap=True)


def synced(found: object, path: str) -> None:
    """What plugrad's save does, too: wait until the file is on the disk."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def add_safetensors(calls: Any, ours: dict[str, Any], folder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    path = str(folder / "numpy.safetensors")
    arrays = {name: x.numpy() for name, x in ours.items()}
    calls["save"]["safetensors"] = lambda: save_file(arrays, path)
    calls["load"]["safetensors"] = lambda: load_file(path)
    calls["mapped safetensors"] = {
        "plugrad": lambda: plugrad.load(path, mmap=True),
        "safetensors": lambda: load_file(path),
    }


def check(ours: dict[str, Any], folder: Path) -> None:
    """Raise unless every library has read from the others' files what was saved."""
    import torch

    for name, x in plugrad.load(folder / "torch.pt").items():
        assert x.numpy().tobytes() == ours[name].numpy().tobytes(), name
    for name, x in torch.load(folder / "plugrad.pt").items():
        assert x.numpy().tobytes() == ours[name].numpy().tobytes(), name


def timed(calls: dict[str, dict[str, Call]], rounds: int) -> dict[str, Times]:
    """Seconds of every call in every round; nobody waits for what another wrote."""
    times: dict[str, Times] = {
        kind: {name: [] for name in each} for kind, each in calls.items()
    }
    for number in range(rounds + 1):
        for kind, each in calls.items():
            for name in turned(list(each), number):
                gc.collect()
                if kind == "save":
                    os.sync()
                start = time.perf_counter()
                found = each[name]()
                if number:  # the first round makes the files
                    times[kind][name].append(time.perf_counter() - start)
                del found
    return times


def turned(names: list[str], number: int) -> list[str]:
    """The names, another one first in each round."""
    return names[number % len(names) :] + names[: number % len(names)]


def measure(what: str, folder: str, quick: bool) -> tuple[dict[str, Comparison], Any]:
    """The comparisons for one size of tensors."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        size, count = SIZES[what]
        ours = tensors(count, size * MiB // (8 if quick else 1))
        calls, notes = contestants(Path(made), ours)
        times = timed(calls, 3 if quick else 7)
        if "torch" in calls["load"]:
            check(ours, Path(made))
    found = {}
    for kind, each in times.items():
        against = AGAINST.get(kind, "torch")
        found[f"{kind} {what}"] = judge(each, unit=1e-3, bar=BAR, against=against)
    return found, notes


def most_memory(call: str, folder: str, quick: bool) -> float:
    """MiB that a call took at most, beside what was there before it, in this process;
    of a load, beside the tensors too."""
    nbytes = (128 if quick else 1024) * MiB
    with tempfile.TemporaryDirectory(dir=folder) as made:
        path = Path(made) / "plugrad.pt"
        ours: Any = tensors(32, nbytes)
        small = {"w": plugrad.ones(2 * MiB)}
        plugrad.save(small, path)  # what is set up once
        plugrad.load(path)
        if call == "save":
            start = reset_peak()
            plugrad.save(ours, path)
            return peak() - start
        plugrad.save(ours, path)
        del ours
        gc.collect()
        start = reset_peak()
        found = plugrad.load(path, mmap=call == "load, mapped")
        most = peak() - start
        del found
        return most - (0 if call == "load, mapped" else nbytes / MiB)


def reset_peak() -> float:
    """Begin to note the peak anew, where that can be; MiB in use now."""
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5")
    return peak()


def peak() -> float:
    """The most memory so far, in MiB."""
    if sys.platform == "linux":
        lines = Path("/proc/self/status").read_text().splitlines()
        line = next(line for line in lines if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (MiB if sys.platform == "darwin" else 1024)


def run(quick: bool = False) -> dict[str, Any]:
    folder = os.environ.get("PLUGRAD_BENCHMARK_FOLDER", tempfile.gettempdir())
    results: dict[str, Any] = {}
    notes: list[str] = []
    for what in SIZES:
        progress(f"files: {what}")
        found, said = in_a_process(partial(measure, what, folder), quick)
        results.update(found)
        notes += [note for note in said if note not in notes]
    progress("")
    report(f"Files{', an eighth of each' if quick else ''}", "ms", results)
    print_notes(notes)
    rows = []
    for call in ("save", "load", "load, mapped"):
        most = in_a_process(partial(most_memory, call, folder), quick)
        results[f"memory, {call}"] = most
        rows.append([call, f"{ROOM:.0f} MiB", f"{most:.1f} MiB", verdict(most, ROOM)])
    print(
        f"The most memory beside the tensors, {'128 MiB' if quick else '1 GiB'} in 32"
    )
    table(["", "asked", "measured", ""], rows)
    return results
