"""The pictures that a training draws: what is on them is where it should be."""

from __future__ import annotations

import math
import string

import pytest

import plugrad
from plugrad.plugins.vision.io import read_image
from plugrad.plugins.vision.train.canvas import (
    BLUE,
    INK,
    ORANGE,
    Canvas,
    glyph,
    letters,
    text_width,
)
from plugrad.plugins.vision.train.confusion import confusion_table, counts
from plugrad.plugins.vision.train.pictures import (
    Axis,
    Panel,
    averaged,
    draw_curves,
    draw_misread,
    linear,
    logarithmic,
)


def covered(canvas):
    """How much of the sheet is not white, in pixels of black ink."""
    return (1 - canvas.pixels[0]).sum().item()


BLACK = (0.0, 0.0, 0.0)


@pytest.mark.parametrize("radius", [2, 5, 11.5])
def test_a_dot_has_the_area_of_a_circle(radius):
    canvas = Canvas(40, 40)
    canvas.dot(20.3, 19.8, radius, BLACK)
    assert covered(canvas) == pytest.approx(math.pi * radius**2, rel=0.03)


@pytest.mark.parametrize("end", [(35, 8), (8, 35), (30, 30), (20, 8)])
def test_a_line_has_the_area_of_its_length(end):
    canvas = Canvas(60, 60)
    canvas.line([(8, 8), end], BLACK, 3)
    area = 3 * math.dist((8, 8), end) + math.pi * 1.5**2  # with its round ends
    assert covered(canvas) == pytest.approx(area, rel=0.05)


def test_what_is_outside_is_left_out():
    canvas = Canvas(20, 10)
    canvas.dot(-50, 5, 3, BLACK)
    canvas.rectangle(30, 30, 5, 5, BLACK)
    canvas.text(-100, 0, "text")
    assert covered(canvas) == 0
    canvas.rectangle(-5, -5, 10, 10, BLACK)
    assert covered(canvas) == 25


def test_every_letter_is_there_and_differs():
    printable = string.digits + string.ascii_letters + string.punctuation + "→"
    assert set(printable) == set(letters())
    for rows in letters().values():
        assert 7 <= len(rows) <= 9 and {len(row) for row in rows} == {5}
        assert set("".join(rows)) <= {"#", "."}
    shapes = {tuple(glyph(letter).flatten().tolist()) for letter in printable}
    assert len(shapes) == len(printable)


def test_text_stands_where_it_is_put():
    canvas = Canvas(200, 40)
    canvas.text(100, 10, "HIH", place=0.5)
    columns = (canvas.pixels[0] < 1).any(0).nonzero().flatten()
    left, right = columns.min().item(), columns.max().item() + 1
    assert right - left == text_width("HIH", 2)
    assert (left + right) / 2 == pytest.approx(100, abs=1)
    colours = canvas.pixels[:, canvas.pixels[0] < 1]
    assert colours[:, 0].tolist() == pytest.approx(INK)


@pytest.mark.parametrize("low, high", [(0, 12), (66.2, 100), (0, 1), (98.9, 100)])
def test_ticks_are_round_and_within(low, high):
    axis = linear(low, high, 5)
    assert 2 <= len(axis.ticks) <= 11
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in axis.ticks)
    assert all(len(f"{tick:g}") <= 5 for tick in axis.ticks)


def test_a_logarithmic_axis():
    axis = logarithmic(0.015, 3)
    assert axis.ticks == pytest.approx([0.02, 0.05, 0.1, 0.2, 0.5, 1, 2])
    assert axis.share(0.015) == 0 and axis.share(3) == 1
    assert axis.share(0.015 * math.sqrt(200)) == pytest.approx(0.5)
    assert axis.share(0) == 0  # a loss of nothing at all lies on the edge


def test_averages_keep_the_mean_and_the_middle():
    values = [float(i) for i in range(1000)]
    points = averaged(values, 100)
    assert len(points) <= 120
    assert all(x * 100 - 1 == pytest.approx(y, abs=0.51) for x, y in points)


def test_a_panel_puts_points_where_its_axes_say():
    panel = Panel(Canvas(10, 10), 100, 50, 200, 80, Axis(0, 10, []), Axis(1, 3, []))
    assert panel.place(0, 1) == (100, 130) and panel.place(10, 3) == (300, 50)
    assert panel.place(5, 2) == (200, 90)


def history(epochs, steps=30):
    return {
        "steps": [2.3 / (1 + i / 10) for i in range(epochs * steps)],
        "epochs": [
            {
                "loss": 1 / i,
                "test_loss": 1.1 / i,
                "accuracy": 1 - 0.3 / i,
                "test_accuracy": 1 - 0.35 / i,
            }
            for i in range(1, epochs + 1)
        ],
    }


def near(picture, colour):
    """Which pixels have about that colour."""
    aim = plugrad.tensor(colour).view(3, 1, 1) * 255
    return ((picture.float() - aim).abs() < 3).all(0)


@pytest.mark.parametrize("epochs", [1, 2, 12, 200])
def test_curves_have_both_colours_in_both_halves(epochs, tmp_path):
    draw_curves(history(epochs), "title", tmp_path / "curves.png")
    picture = read_image(tmp_path / "curves.png")
    assert picture.shape[0] == 3
    middle = picture.shape[2] // 2
    for half in (picture[:, :, :middle], picture[:, :, middle:]):
        assert near(half, BLUE).sum() > 100 and near(half, ORANGE).sum() > 100
    assert [each.name for each in tmp_path.iterdir()] == ["curves.png"]


def test_curves_of_extreme_values(tmp_path):
    for values in ([0.0, 0.0], [1e8, 1e-8], [2.0, 2.0]):
        record = history(2, 1) | {"steps": values}
        for each in record["epochs"]:
            each |= {"test_loss": values[0], "accuracy": 1.0, "test_accuracy": 1.0}
        draw_curves(record, "title", tmp_path / "curves.png")
        assert read_image(tmp_path / "curves.png").shape[0] == 3


@pytest.mark.parametrize("count", [1, 5, 24])
@pytest.mark.parametrize("channels, side", [(1, 8), (3, 32), (1, 200)])
def test_misread_pictures_are_on_it_enlarged(count, channels, side, tmp_path):
    pictures = list(plugrad.rand(count, channels, side, side))
    names = ["7 - seven"] * count
    draw_misread(
        pictures, names, ["9 - nine"] * count, [0.5] * count, "t", tmp_path / "m.png"
    )
    sheet = read_image(tmp_path / "m.png").float() / 255
    scale = max(112 // side, 1)
    shown = 1 - pictures[0] if channels == 1 else pictures[0]
    large = shown.repeat_interleave(scale, 1).repeat_interleave(scale, 2)
    part = sheet[:, 60 : 60 + large.shape[1]]
    fits = [
        x
        for x in range(sheet.shape[2] - large.shape[2])
        if (part[:, :, x : x + large.shape[2]] - large).abs().max() < 0.01
    ]
    assert fits


def test_confusion_counts():
    truths, reads = [0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 2, 0]
    table = counts(truths, reads, 3)
    assert table == [[1, 1, 0], [0, 1, 0], [1, 0, 2]]
    text = confusion_table(table, ["0 - zero", "one", "2 - two"])
    rows = [line.split() for line in text.splitlines()[2:]]
    assert rows == [["0", "1", "1", "."], ["1", "one", ".", "1", "."],
                    ["2", "1", ".", "2"]]  # fmt: skip


def test_of_many_classes_the_commonest_mistakes():
    n = 30
    table = [[5 if i == j else 0 for j in range(n)] for i in range(n)]
    table[3][4], table[9][1] = 2, 7
    text = confusion_table(table, [f"c{i}" for i in range(n)])
    assert [line.split()[0] for line in text.splitlines()] == ["7", "2"]
    assert "c9 read as c1" in text
