"""How optimizers find their way: two animations, drawn without any plotting library.

`python examples/loss_surface.py` writes two SVG files that any browser plays:

- `loss_surface.svg`: from one point down Beale's function, a long bent valley;
- `saddle_point.svg`: from close to the ridge of a saddle, where plain gradient descent
  lingers and the others leave.

With `--matplotlib`, the end of both is also drawn by matplotlib, if that is installed.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import plugrad
from plugrad import Tensor
from plugrad.optim import SGD, Adadelta, Adagrad, Adam, Optimizer, RMSprop

Path2d = list[tuple[float, float]]
Make = Callable[[Sequence[Tensor]], Optimizer]


@dataclass
class Scene:
    """A surface, where everybody starts, and who goes."""

    name: str
    title: str
    surface: Callable[[Tensor, Tensor], Tensor]
    x: tuple[float, float]  # from, to
    y: tuple[float, float]
    start: tuple[float, float]
    racers: dict[str, Make]
    minimum: tuple[float, float] | None = None


def beale(x: Tensor, y: Tensor) -> Tensor:
    """Steep walls around a flat valley; its minimum, 0, is at (3, 0.5)."""
    return (
        (1.5 - x + x * y) ** 2
        + (2.25 - x + x * y**2) ** 2
        + (2.625 - x + x * y**3) ** 2
    )


def saddle(x: Tensor, y: Tensor) -> Tensor:
    """Up along x, down along y."""
    return x**2 - y**2


def racers(scale: float) -> dict[str, Make]:
    """The optimizers, with rates that suit a surface of some steepness."""
    return {
        "SGD": lambda p: SGD(p, lr=0.01 * scale),
        "Momentum": lambda p: SGD(p, lr=0.01 * scale, momentum=0.9),
        "Nesterov": lambda p: SGD(p, lr=0.01 * scale, momentum=0.9, nesterov=True),
        "Adagrad": lambda p: Adagrad(p, lr=0.5),
        "Adadelta": lambda p: Adadelta(p, lr=20.0),
        "RMSprop": lambda p: RMSprop(p, lr=0.02),
        "Adam": lambda p: Adam(p, lr=0.1),
    }


SCENES = [
    Scene(
        "loss_surface", "Beale's function", beale, (-0.5, 4.3), (-1.6, 1.9),
        (1.0, 1.5), racers(0.3), (3.0, 0.5),
    ),
    Scene(
        "saddle_point", "A saddle point", saddle, (-1.6, 1.6), (-1.8, 1.8),
        (1.2, 0.001), racers(2.0),
    ),
]  # fmt: skip

COLORS = "#e6194b #3cb44b #4363d8 #f58231 #911eb4 #008080 #000000".split()


def race(scene: Scene, steps: int) -> dict[str, Path2d]:
    """Where each optimizer is after every step."""
    paths: dict[str, Path2d] = {}
    for name, make in scene.racers.items():
        x = plugrad.tensor(scene.start[0], requires_grad=True)
        y = plugrad.tensor(scene.start[1], requires_grad=True)
        optimizer = make([x, y])
        path = [scene.start]
        for _ in range(steps):
            optimizer.zero_grad()
            scene.surface(x, y).backward()
            optimizer.step()
            path.append((x.item(), y.item()))
        paths[name] = path
    return paths


def heights(scene: Scene, n: int) -> list[list[float]]:
    """The surface on a grid, a list for each y."""
    x = plugrad.linspace(*scene.x, n)
    y = plugrad.linspace(*scene.y, n)
    return scene.surface(x.reshape(1, n), y.reshape(n, 1)).tolist()


# --- Lines of equal height ------------------------------------------------------------


def levels(grid: list[list[float]], count: int) -> list[float]:
    """Heights that a like part of the surface lies between, closer at the bottom."""
    every = sorted(value for row in grid for value in row)
    return [every[int((i / count) ** 1.5 * len(every))] for i in range(1, count)]


def contour(grid: list[list[float]], level: float) -> Path2d:
    """The ends of short lines at a height, in units of the grid: two per triangle that
    the height cuts, each cell of the grid being two triangles."""
    ends: Path2d = []
    for j in range(len(grid) - 1):
        for i in range(len(grid[0]) - 1):
            a, b, c, d = (i, j), (i + 1, j), (i, j + 1), (i + 1, j + 1)
            for triangle in ((a, b, d), (a, d, c)):
                ends += cuts(grid, level, triangle)
    return ends


def cuts(
    grid: list[list[float]], level: float, corners: Sequence[tuple[int, int]]
) -> Path2d:
    """Where a height cuts the sides of a triangle: at two points, or nowhere."""
    found: Path2d = []
    for (i, j), (k, m) in zip(corners, (*corners[1:], corners[0])):
        a, b = grid[j][i] - level, grid[m][k] - level
        if (a < 0) != (b < 0):
            t = a / (a - b)
            found.append((i + t * (k - i), j + t * (m - j)))
    return found


# --- SVG ------------------------------------------------------------------------------

SIZE, MARGIN, SECONDS = 560, 130, 8


def svg(scene: Scene, paths: dict[str, Path2d], n: int = 60) -> str:
    """A drawing that plays the race again and again."""
    grid = heights(scene, n)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE + MARGIN} {SIZE}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{SIZE + MARGIN}" height="{SIZE}" fill="white"/>',
        f'<clipPath id="map"><rect width="{SIZE}" height="{SIZE}"/></clipPath>',
        '<g clip-path="url(#map)">',
    ]
    cell = SIZE / (n - 1)
    chosen = levels(grid, 24)
    for i, level in enumerate(chosen):
        ends = [(x * cell, SIZE - y * cell) for x, y in contour(grid, level)]
        data = "".join(
            f"M{a[0]:.1f} {a[1]:.1f}L{b[0]:.1f} {b[1]:.1f}"
            for a, b in zip(ends[::2], ends[1::2])
        )
        hue = 250 - 210 * i / len(chosen)
        lines.append(f'<path d="{data}" stroke="hsl({hue:.0f},60%,70%)" fill="none"/>')
    if scene.minimum is not None:
        x, y = placed(scene, scene.minimum)
        lines.append(f'<text x="{x - 5:.1f}" y="{y + 5:.1f}">★</text>')
    for (name, path), color in zip(paths.items(), COLORS):
        lines.append(racer(scene, name, path, color))
    lines.append("</g>")
    lines.append(f'<text x="{SIZE + 10}" y="20">{scene.title}</text>')
    for i, (name, color) in enumerate(zip(paths, COLORS)):
        y = 50 + 22 * i
        lines.append(f'<circle cx="{SIZE + 16}" cy="{y - 4}" r="5" fill="{color}"/>')
        lines.append(f'<text x="{SIZE + 28}" y="{y}">{name}</text>')
    return "\n".join([*lines, "</svg>", ""])


def racer(scene: Scene, name: str, path: Path2d, color: str) -> str:
    """An optimizer's line, which grows, and the dot at its head."""
    points = [placed(scene, each) for each in path]
    lengths = [0.0]
    for a, b in zip(points, points[1:]):
        lengths.append(lengths[-1] + math.dist(a, b))
    whole = lengths[-1] or 1.0
    left = ";".join(f"{whole - each:.1f}" for each in lengths)
    share = ";".join(f"{each / whole:.4f}" for each in lengths)
    times = ";".join(f"{i / (len(path) - 1):.4f}" for i in range(len(path)))
    data = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    timing = f'dur="{SECONDS}s" repeatCount="indefinite"'
    return (
        f'<path d="{data}" fill="none" stroke="{color}" stroke-width="2" '
        f'stroke-dasharray="{whole:.1f}"><title>{name}</title>'
        f'<animate attributeName="stroke-dashoffset" values="{left}" {timing}/>'
        f"</path>\n"
        f'<circle r="5" fill="{color}"><animateMotion path="{data}" '
        f'calcMode="linear" keyPoints="{share}" keyTimes="{times}" {timing}/></circle>'
    )


def placed(scene: Scene, point: tuple[float, float]) -> tuple[float, float]:
    """A point of the surface on the drawing; far outside, at its border's side."""
    found = []
    for value, (low, high) in zip(point, (scene.x, scene.y)):
        share = (value - low) / (high - low)
        found.append(SIZE * min(max(share, -0.1), 1.1))
    return found[0], SIZE - found[1]


def draw_with_matplotlib(scene: Scene, paths: dict[str, Path2d], file: Path) -> None:
    """The end of a race as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    n = 200
    x, y = (plugrad.linspace(*ends, n).tolist() for ends in (scene.x, scene.y))
    grid = heights(scene, n)
    figure, axes = pyplot.subplots(figsize=(8, 7))
    axes.contour(x, y, grid, levels=sorted(set(levels(grid, 24))))
    for (name, path), color in zip(paths.items(), COLORS):
        axes.plot(*zip(*path), color=color, label=name)
    axes.set(xlim=scene.x, ylim=scene.y, title=scene.title)
    axes.legend()
    figure.savefig(file)
    pyplot.close(figure)


def main() -> None:
    """Race, draw, and say who got how far."""
    parser = argparse.ArgumentParser(description="Draw the paths of optimizers.")
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--out", type=Path, default=Path())
    parser.add_argument("--matplotlib", action="store_true", help="draw pictures, too")
    options = parser.parse_args()
    for scene in SCENES:
        paths = race(scene, options.steps)
        file = options.out / f"{scene.name}.svg"
        file.write_text(svg(scene, paths), encoding="utf-8")
        print(f"{file}: {scene.title}, the loss after {options.steps} steps")
        for name, path in paths.items():
            x, y = path[-1]
            loss = scene.surface(plugrad.tensor(x), plugrad.tensor(y)).item()
            print(f"  {name:9} {loss:10.3g}  at ({x:.2f}, {y:.2f})")
        if options.matplotlib:
            draw_with_matplotlib(scene, paths, file.with_suffix(".png"))


if __name__ == "__main__":
    main()
