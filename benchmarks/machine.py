"""The machine that figures are of: processor, system, versions."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version

from .peers import PIP_NAMES

LIBRARIES = {
    "scipy": "scipy",
    "oneDNN": "onednn-cpu-gomp",
    "mkl": "mkl",
    "numba": "numba",
}
LSCPU = {
    "Model name": "{}",
    "CPU(s)": "{} CPUs",
    "Thread(s) per core": "threads a core: {}",
    "L2 cache": "L2 {}",
    "L3 cache": "L3 {}",
}


def machine() -> dict[str, str]:
    """What is printed above all figures."""
    names = PIP_NAMES | LIBRARIES
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}, {cores()} cores",
        "processor": processor(),
        "load": load(),
        "versions": ", ".join(f"{n} {installed(p)}" for n, p in names.items()),
    }


def processor() -> str:
    """As lscpu has it; without lscpu, as Python does."""
    try:
        said = subprocess.run(
            ["lscpu"], capture_output=True, text=True, check=True,
            env=os.environ | {"LC_ALL": "C"},
        ).stdout  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return platform.processor() or platform.machine()
    pairs = [line.partition(":") for line in said.splitlines()]
    fields = {name.strip(): value.strip() for name, _, value in pairs}
    parts = [text.format(fields[n]) for n, text in LSCPU.items() if n in fields]
    if "avx512f" in fields.get("Flags", "").split():
        parts.append("AVX-512")
    return ", ".join(parts)


def cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load() -> str:
    """The load at the start: well above zero, the spreads will be wide."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def installed(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "absent"
