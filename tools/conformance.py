"""Run the conformance suite on every backend that is installed, and write
docs/conformance/ and README.md's table of what it finds: `make conformance`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import plugrad

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "conformance"
REPORTS = ROOT / "build" / "conformance"
BACKENDS = ("numpy", "array_api_strict", "torch", "jax", "dask", "cupy")

# JAX, which compiles every call, and Dask, which plans it, take about 40 minutes of two
# processors each; the others take minutes.
# What XLA compiles runs once or twice on a few elements, and there are a hundred
# thousand of these programs: so they are compiled quickly, not well (17 ms each, for
# 34), and kept in a folder for the other workers and for later (8 ms).
QUICK = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
SETTINGS = {
    "jax": {
        "XLA_FLAGS": f"{QUICK} --xla_cpu_use_fusion_emitters=false",
        "JAX_COMPILATION_CACHE_DIR": str(REPORTS / "jax-programs"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "PYTHONPATH": str(ROOT / "tools"),  # jax_programs
    },
    "dask": {"DASK_SCHEDULER": "synchronous"},  # the workers are enough threads
}

START, END = "<!-- conformance: written by make conformance -->", "<!-- end -->"

HEAD = """# What works on which backend

Written by `make conformance`; [how to read it](../conformance.md). Every op, layer,
optimizer and model stands in [matrix.html](matrix.html) by dtype, which a browser shows
without any other file.
JAX runs with the optimizations of its compiler turned off, Dask in one thread for each
worker.

"""

SPARSE_HEAD = """# Sparse tensors

Written by `make conformance`. Each op's samples of two-dimensional floats, with zeros
put in, were made sparse: the first tensor alone, then all. *Right* is the dense op's
result; *refused* raises an error that says so, as ops do whose result would not be
sparse. Nothing is made dense without being asked.

| op | sparse_coo | sparse_csr |
| --- | --- | --- |"""


def why_not(name: str) -> str | None:
    """Why a backend cannot be tried here, or None."""
    try:
        plugrad.get_backend(name)
        with plugrad.backend(name):
            plugrad.zeros(1)
    except (plugrad.BackendError, ImportError, RuntimeError) as error:
        return str(error)
    return None


def try_backend(name: str, jobs: str) -> int:
    """Run the suite from an empty folder."""
    command = [sys.executable, "-m", "pytest", "-q", "--tb=line", "-n", jobs]
    command += ["-p", "no:cacheprovider", "--pyargs", "plugrad.conformance"]
    command += ["-p", "jax_programs"] if name == "jax" else []
    command += [f"--plugrad-backend={name}"]
    command += [f"--plugrad-report={REPORTS / name}.json"]
    with tempfile.TemporaryDirectory() as empty:
        env = os.environ | SETTINGS.get(name, {})
        return subprocess.run(command, cwd=empty, env=env).returncode


def write_pages(names: list[str]) -> None:
    """The pages of what was found."""
    table = REPORTS / "table.md"
    command = [sys.executable, "-m", "plugrad.conformance", "report"]
    command += [str(REPORTS / f"{name}.json") for name in names]
    command += ["--html", str(PAGES / "matrix.html"), "--markdown", str(table)]
    subprocess.run([*command, "--badge", str(PAGES)], check=True)
    (PAGES / "README.md").write_text(HEAD + table.read_text(), encoding="utf-8")
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    after = rest.partition(END)[2]
    text = f"{before}{START}\n{table.read_text()}{END}{after}"
    readme.write_text(text, encoding="utf-8")


def write_sparse_page() -> None:
    """docs/conformance/sparse.md: the suite is of dense arrays, so that sparse tensors
    have a comparison of their own, tests/backends/test_sparse_ops.py."""
    from tests.backends.sparse_cases import PAGE, row

    rows = [line for line in map(row, sorted(plugrad.Backend.ops)) if line]
    PAGE.write_text("\n".join([SPARSE_HEAD, *rows, ""]), encoding="utf-8")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.conformance")
    parser.add_argument("--jobs", default=str(min(os.cpu_count() or 1, 4)))
    parser.add_argument("--only", nargs="+", choices=BACKENDS, metavar="NAME")
    options = parser.parse_args(argv)
    reasons = {name: why_not(name) for name in options.only or BACKENDS}
    for name, why in reasons.items():
        if why is not None:
            print(f"not tried: {name}: {why}", flush=True)
    there = [name for name, why in reasons.items() if why is None]
    codes = {name: try_backend(name, options.jobs) for name in there}
    found = [name for name in BACKENDS if (REPORTS / f"{name}.json").exists()]
    write_pages(found)
    write_sparse_page()
    failed = [name for name, code in codes.items() if code]
    print(f"failed: {', '.join(failed)}" if failed else "all passed")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
