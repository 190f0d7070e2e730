"""A save that is killed leaves the old checkpoint or the new one, whole.

A process saves two checkpoints of 4 MiB over each other, without end, and is killed by
`kill -9` at a random moment. The file must load, and be one of the two; the next save
must leave no other file in the folder. A case is a kill.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import plugrad
from tests.campaigns.runner import Report, cases

KILLS = 200
SIZE = 1 << 20  # numbers
PROGRAM = f"""
import sys, plugrad
both = [{{"w": plugrad.full(({SIZE},), float(i)), "which": i}} for i in (0, 1)]
plugrad.save(both[0], sys.argv[1])
print("saving", flush=True)
while True:
    for each in both:
        plugrad.save(each, sys.argv[1])
"""


def run(seed: int, budget: float) -> Report:
    found = Report()
    strays = 0
    for case in cases("a kill", KILLS, budget, found):
        with tempfile.TemporaryDirectory() as folder:
            try:
                strays += kill_once(Path(folder), random.Random(f"{seed}/{case}"))
            except AssertionError as error:
                found.fail(case, str(error))
    found.notes.append(
        f"{strays} of the kills left a temporary file, which the next save removed."
    )
    return found


def kill_once(folder: Path, rng: random.Random) -> int:
    """Kill a process that saves; returns how many temporary files it left."""
    path = folder / "checkpoint.pt"
    command = [sys.executable, "-c", PROGRAM, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"saving\n"
        time.sleep(rng.random() * 0.2)
        process.send_signal(signal.SIGKILL)
    found = plugrad.load(path)
    which = found["which"]
    assert which in (0, 1) and bool((found["w"] == which).all()), "it is neither"
    strays = len(os.listdir(folder)) - 1
    plugrad.save({"next": True}, path)
    left = os.listdir(folder)
    assert left == [path.name], f"the next save leaves {left}"
    return strays
