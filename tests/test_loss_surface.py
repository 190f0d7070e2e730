"""examples/loss_surface.py: what it draws is what the optimizers did."""

from __future__ import annotations

import importlib.util
import math
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

SCRIPT = Path(__file__).parents[1] / "examples" / "loss_surface.py"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("loss_surface", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["loss_surface"] = module  # its dataclass looks its own module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["loss_surface"]


def test_it_writes_two_animations(tmp_path):
    command = [sys.executable, str(SCRIPT), "--steps", "5", "--out", str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = {"loss_surface.svg", "saddle_point.svg"}
    assert {file.name for file in tmp_path.iterdir()} == names
    assert all(name in said for name in names)


def test_each_optimizer_has_a_moving_dot_on_its_line(example):
    for scene in example.SCENES:
        paths = example.race(scene, 5)
        assert set(paths) == set(scene.racers)
        assert all(len(path) == 6 and path[0] == scene.start for path in paths.values())
        tree = ElementTree.fromstring(example.svg(scene, paths, 20))
        dots = tree.findall(f".//{SVG}animateMotion")
        assert len(dots) == len(paths)
        for dot, path in zip(dots, paths.values()):
            numbers = [float(v) for v in re.findall(r"-?[\d.]+", dot.get("path"))]
            expected = [v for point in path for v in example.placed(scene, point)]
            assert numbers == pytest.approx(expected, abs=0.06)
            for attribute in ("keyPoints", "keyTimes"):
                shares = [float(v) for v in dot.get(attribute).split(";")]
                assert len(shares) == len(path) and shares == sorted(shares)
                assert shares[0] == 0 and shares[-1] == 1


def test_lines_of_equal_height(example):
    """Of a cone they are circles."""
    n, middle = 41, 20
    grid = [[math.hypot(i - middle, j - middle) for i in range(n)] for j in range(n)]
    for level in (3.5, 10.0, 18.2):
        ends = example.contour(grid, level)
        assert len(ends) > 6 * level and len(ends) % 2 == 0
        distances = [math.hypot(x - middle, y - middle) for x, y in ends]
        assert distances == pytest.approx([level] * len(ends), abs=0.1)


def test_what_the_notes_tell_about_saddle_points(example):
    """Plain gradient descent is the last to leave."""
    scene = next(s for s in example.SCENES if s.name == "saddle_point")
    far = {name: abs(path[-1][1]) for name, path in example.race(scene, 60).items()}
    assert min(far, key=far.get) == "SGD"
