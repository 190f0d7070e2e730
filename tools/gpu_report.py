"""Run what needs a GPU, and write docs/gpu.md.

    python -m tools.gpu_report [--quick]

- Without a GPU it says why there is none, and writes nothing; its exit status is 1.
- With one: the conformance suite on the CuPy backend, and what an op and a training
  step cost beside torch's CUDA, if torch is installed. The page has the date, the card
  and the versions; the exit status is that of the suite.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import plugrad
from plugrad.backends.cupy import why_not

PAGE = Path(__file__).parents[1] / "docs" / "gpu.md"
SUITE = ["--pyargs", "plugrad.conformance", "--plugrad-backend=cupy", "-q"]


def conformance() -> tuple[int, str]:
    """The suite's exit status, and its last lines. It runs in an empty folder, so that
    neither this repository's settings nor its folders play a part."""
    with tempfile.TemporaryDirectory() as folder:
        run = [sys.executable, "-m", "pytest", *SUITE, "-p", "no:cacheprovider"]
        done = subprocess.run(run, cwd=folder, capture_output=True, text=True)
    return done.returncode, "\n".join(done.stdout.splitlines()[-40:])


# --- Costs ----------------------------------------------------------------------------


def programs(lib: Any, n: int) -> dict[str, Any]:
    """What is timed, on n x n matrices, written for plugrad and torch alike."""
    lib.manual_seed(0)
    x, w = (lib.randn(n, n).to("cuda") for _ in range(2))
    leaf = lib.randn(n, n).to("cuda").requires_grad_()
    rows = lib.randint(0, n, (4 * n,)).to("cuda")

    def backward() -> None:
        leaf.grad = None
        (lib.softmax(x @ leaf, 1) * w).sum().backward()

    return {
        "add": lambda: x + w,
        "sigmoid": lambda: lib.sigmoid(x),
        "softmax": lambda: lib.softmax(x, 1),
        "matmul": lambda: x @ w,
        "sum": lambda: x.sum(),
        "add_, scaled": lambda: x.add_(w, alpha=1e-9),
        "index_select": lambda: lib.index_select(x, 0, rows),
        "sort": lambda: lib.sort(x, 1),
        "rand": lambda: lib.rand(n, n, device="cuda"),
        "forward and backward": backward,
    }


def microseconds(program: Any, lib: Any, seconds: float) -> float:
    """The time of one call, once warm; the best of five rounds."""
    for _ in range(3):
        program()
    lib.cuda.synchronize()
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < seconds / 10:
        program()
        count += 1
    lib.cuda.synchronize()
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(count):
            program()
        lib.cuda.synchronize()
        best = min(best, (time.perf_counter() - start) / count)
    return best * 1e6


def costs(quick: bool) -> list[str]:
    """The rows of the table."""
    libraries: list[Any] = [plugrad]
    try:
        import torch

        if torch.cuda.is_available():
            libraries.append(torch)
    except ImportError:
        pass
    names = [lib.__name__ for lib in libraries]
    rows = [f"| | {' | '.join(names)} |", f"| --- |{' --- |' * len(names)}"]
    for n in (16, 1024) if quick else (16, 256, 1024, 4096):
        tables = [programs(lib, n) for lib in libraries]
        for name in tables[0]:
            times = [
                f"{microseconds(table[name], lib, 0.1 if quick else 0.5):.1f}"
                for table, lib in zip(tables, libraries)
            ]
            rows.append(f"| {name}, {n} x {n} | {' | '.join(times)} |")
    return rows


def versions() -> list[str]:
    """What the numbers hold for."""
    import cupy

    found = plugrad.cuda.get_device_properties(0)
    lines = [
        f"- date: {datetime.date.today()}",
        f"- card: {found.name}, {found.total_memory / 2**30:.0f} GiB, "
        f"compute capability {found.major}.{found.minor}",
        f"- CUDA: runtime {cupy.cuda.runtime.runtimeGetVersion()}, "
        f"driver {cupy.cuda.runtime.driverGetVersion()}",
        f"- Python {platform.python_version()}, plugrad {plugrad.__version__}, "
        f"CuPy {cupy.__version__}",
    ]
    try:
        import torch

        lines.append(f"- torch {torch.__version__}")
    except ImportError:
        lines.append("- torch is not installed: nothing to compare with")
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Write the page; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer sizes, less time")
    quick = parser.parse_args(arguments).quick
    reason = why_not()
    if reason is not None:
        print(f"No GPU can be used here: {reason}\nNothing was written.")
        return 1
    status, tail = conformance()
    word = "passed" if status == 0 else f"did not pass (exit status {status})"
    page = [
        "# On a GPU",
        "",
        "Written by `python -m tools.gpu_report`; it holds for this machine alone.",
        "",
        *versions(),
        "",
        "## Conformance",
        "",
        f"The suite {word}; its last lines:",
        "",
        "```text",
        tail,
        "```",
        "",
        "## Costs",
        "",
        "Microseconds a call, the best of five rounds, the GPU's work included.",
        "",
        *costs(quick),
        "",
    ]
    PAGE.write_text("\n".join(page))
    print(f"{PAGE}: conformance {word}")
    return status


if __name__ == "__main__":
    sys.exit(main())
