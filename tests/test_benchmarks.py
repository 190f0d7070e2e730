"""What the benchmarks rest on: workers that take turns, and pictures that tell."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ElementTree
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pytest

import plugrad
import plugrad.nn.functional
from benchmarks import peak, picture
from benchmarks.networks import TASKS
from benchmarks.timing import Plan, Spread
from benchmarks.trainers import start
from benchmarks.training import PLAIN, SERVED, TORCH, contestant, mean
from benchmarks.workers import Failed, Worker, group

PLAN = Plan(rounds=4, turn=1e-6, patience=5.0)


# ---- Makers, for processes of their own.


def writer(name, file):
    """Calls that leave their name in a file."""

    def call():
        with open(file, "a", encoding="ascii") as opened:
            opened.write(f"{name}\n")

    return call, name


def absent():
    raise ModuleNotFoundError("No module named 'absent'")


def raiser():
    calls = []

    def call():
        calls.append(1)
        if len(calls) > 5:
            raise ValueError("the sixth call")

    return call, "raiser"


def dier():
    return lambda: os._exit(7), "dier"


def sees(name):
    return lambda: None, os.environ.get(name)


# ---- Workers.


def test_turns_alternate_and_never_overlap(tmp_path):
    file = tmp_path / "calls.txt"
    with group() as contestants:
        for name in "ab":
            shown = contestants.start(name, writer, name, str(file), variables={})
            assert shown == name
        times, busy = contestants.alternate(PLAN)
    order = [name for name, _ in groupby(file.read_text().split())]
    assert order == ["a", "b"] * (PLAN.rounds + 1)  # a first turn is to count calls
    assert {name: len(found) for name, found in times.items()} == {"a": 4, "b": 4}
    assert min(times["a"] + times["b"]) > 0 and busy.keys() == times.keys()


def test_a_process_has_the_variables_that_it_is_given(monkeypatch):
    monkeypatch.setenv("OUTSIDE", "1")
    with group() as contestants:
        given = {"INSIDE": "2"}
        assert contestants.start("x", sees, "INSIDE", variables=given) == "2"
        assert contestants.start("y", sees, "OUTSIDE", variables=given) == "1"
    assert "INSIDE" not in os.environ


def test_who_cannot_start_is_noted(tmp_path):
    with group() as contestants:
        assert contestants.start("x", absent, variables={}) is None
        assert contestants.notes == ["x: ModuleNotFoundError: No module named 'absent'"]
        assert contestants.alternate(PLAN) == ({}, {})


@pytest.mark.parametrize(
    "maker, why", [(raiser, "the sixth call"), (dier, "exit code 7")]
)
def test_who_fails_on_the_way_is_dropped(tmp_path, maker, why):
    with group() as contestants:
        contestants.start("bad", maker, variables={})
        contestants.start("good", writer, "good", str(tmp_path / "x"), variables={})
        times, _ = contestants.alternate(PLAN)
        assert [*times] == ["good"] and len(times["good"]) == PLAN.rounds
        (note,) = contestants.notes
        assert note.startswith("bad: ") and why in note


def test_a_process_ends_with_its_worker(tmp_path):
    worker = Worker(writer, "a", str(tmp_path / "x"))
    assert worker.process.is_alive()
    worker.close()
    assert worker.process.exitcode == 0
    with pytest.raises(Failed, match="absent"):
        Worker(absent)


# ---- Training, and what is computed at the processor's peak.


def test_a_contestant_trains():
    step, losses = contestant("plugrad", "MLP, SGD")
    losses.append(step())
    assert all(after < before for before, after in pairwise(losses)), losses


@pytest.mark.parametrize("name", TASKS)
def test_peers_start_from_weights_of_every_shape(name):
    begun = start(name)
    state = TASKS[name](plugrad).network.state_dict()
    assert {key: each.shape for key, each in begun.weights.items()} == {
        key: tuple(each.shape) for key, each in state.items()
    }


def test_geometric_mean():
    assert mean([0.5, 2.0, 4.0]) == pytest.approx(np.cbrt(4.0))
    assert np.isnan(mean([]))


@pytest.mark.parametrize("case", [peak.Product(12), peak.Convolution(8, 6)])
def test_corners_of_large_results_are_known(case, monkeypatch):
    monkeypatch.setattr(peak, "BATCH", 2)
    numbers = [plugrad.tensor(each) for each in case.numbers()]
    y = case.corner(case.call(plugrad, *numbers)())
    np.testing.assert_allclose(y.tolist(), case.expected(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("case", [peak.Product(12), peak.Convolution(8, 6)])
def test_operations_are_counted(case, monkeypatch):
    """Two for each number of the result and each weight that goes into it."""
    monkeypatch.setattr(peak, "BATCH", 2)
    numbers = [plugrad.tensor(each) for each in case.numbers()]
    y = case.call(plugrad, *numbers)()
    weights = numbers[1][:, 0] if y.ndim == 2 else numbers[1][0]
    assert case.flops == 2 * y.numel() * weights.numel()


# ---- The picture and the table.


def results(**ratios):
    """Figures as `python -m benchmarks training --json` writes them."""
    spread = {
        network: {who: vars(Spread(r, r * 0.9, r * 1.1)) for who, r in each.items()}
        for network, each in ratios.items()
    }
    training = {
        "ratios": spread,
        "times": {network: {TORCH: [0.003, 0.001, 0.002]} for network in ratios},
        "means": {SERVED: 0.71, PLAIN: 1.83},
    }
    machine = {"processor": "A <processor>", "versions": "a 1, b absent, c 2"}
    return {"machine": machine, "training": training}


FIGURES = results(
    MLP={SERVED: 0.5, PLAIN: 0.9, "jax.jit": 0.3}, LeNet={SERVED: 0.6, PLAIN: 8.2}
)


def places(svg):
    """The marks of the rows, without the legend's: (x, y, colour)."""
    tree = ElementTree.fromstring(svg)
    circles = [e.attrib for e in tree.iter() if e.tag.endswith("circle")]
    rows = [c for c in circles if float(c["cy"]) > picture.TOP]
    return [(float(c["cx"]), float(c["cy"]), c["stroke"]) for c in rows]


def test_marks_stand_where_the_ratios_are():
    found = places(picture.picture(FIGURES))
    assert len(found) == 5
    axis = picture.Axis(FIGURES["training"]["ratios"])
    served = [m for m in found if m[2] == picture.COLOURS[SERVED]]
    assert [m[0] for m in served] == pytest.approx([axis.x(0.5), axis.x(0.6)], abs=0.1)
    assert served[0][1] < served[1][1]  # MLP above LeNet
    slower = [m for m in found if m[0] > axis.x(1)]
    assert [m[2] for m in slower] == [picture.COLOURS[PLAIN]]
    right = picture.WIDTH - picture.RIGHT
    assert all(picture.LEFT <= x <= right for x, _, _ in found)


def test_the_table_has_the_figures():
    block = picture.block(FIGURES)
    assert f"| step over torch's | torch, ms | {SERVED} | {PLAIN} | jax.jit |" in block
    assert "| MLP | 2.0 | 0.50 | 0.90 | 0.30 |" in block
    assert "| LeNet | 2.0 | 0.60 | 8.20 |  |" in block
    assert "| geometric mean | | 0.71 | 1.83 |  |" in block
    assert "A <processor>" in block and "a 1, c 2" in block and "absent" not in block


def test_the_block_replaces_itself_and_nothing_else():
    page = f"# Title\n\n{picture.BEFORE}\n\nEarly.\n"
    once = picture.placed(page, picture.block(FIGURES))
    assert once.startswith("# Title\n\n") and once.endswith(page[9:])
    other = picture.block(results(MLP={SERVED: 0.4, PLAIN: 0.8}))
    twice = picture.placed(once, other)
    assert twice == picture.placed(page, other)
    with pytest.raises(SystemExit, match="has neither"):
        picture.placed("# Title\n", other)


def test_the_command_writes_both(tmp_path, monkeypatch, capsys):
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text(f"{picture.BEFORE}\n")
    for name in ("PICTURE", "README"):
        path = getattr(picture, name).relative_to(picture.ROOT)
        monkeypatch.setattr(picture, name, tmp_path / path)
    monkeypatch.setattr(picture, "ROOT", tmp_path)
    file = Path(tmp_path, "figures.json")
    file.write_text(json.dumps(FIGURES))
    monkeypatch.setattr("sys.argv", ["picture", str(file)])
    picture.main()
    assert picture.PICTURE.read_text() == picture.picture(FIGURES)
    assert picture.block(FIGURES) in picture.README.read_text()
    assert "written" in capsys.readouterr().out
