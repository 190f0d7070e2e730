"""Examine this installation: `plugrad doctor`.

Each backend is loaded in an interpreter of its own, makes a tensor and computes a
gradient there: what crashes, exits or never returns is one line of the report. Plugins
with kernels are loaded likewise. What either says of itself (`notes`) is told.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from time import perf_counter

import plugrad

from ..plugging.installed import said_by

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..plugging.listing import PluginInfo

PATIENCE = 120.0  # seconds for one backend
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LIBRARIES = ("numpy", "array-api-compat", "pluggy")

TRIAL = """
import sys, plugrad
try:
    with plugrad.backend(sys.argv[1]):
        x = plugrad.ones(2, requires_grad=True)
        (x * x).sum().backward()
        assert x.grad.tolist() == [2.0, 2.0], f"wrong gradient: {x.grad}"
    print(*plugrad.get_backend(sys.argv[1]).notes(), sep="\\n")
except plugrad.UnsupportedOpError:
    pass  # it was loaded, and says that it leaves this out
except Exception as error:
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    sys.exit(1)
"""

KERNELS = """
import sys
from plugrad.plugging.discovery import activate
try:
    kernels = activate(sys.argv[1]).call("kernels", name=sys.argv[1])
    print(f"kernels for {kernels.backend}: {len(kernels.entries)} ops")
    print(*kernels.notes, sep="\\n")
except Exception as error:
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    sys.exit(1)
"""


def examine(as_json: bool) -> int:
    """Print the report; 0 if the default backend works, else 1."""
    default = os.environ.get("PLUGRAD_BACKEND", "numpy")
    facts = system()
    trials = []
    for each in plugrad.list_backends():
        if not as_json and sys.stderr.isatty():
            print(f"\r\033[Ktrying {each.name}", end="", file=sys.stderr, flush=True)
        trials.append(trial(each))
    if not as_json and sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    if default not in [each["name"] for each in trials]:  # of the plugin array_api
        trials.append(tried(default))
    kernels = [trial(each, KERNELS) for each in kernel_plugins()]
    works = any(each["name"] == default and each["works"] for each in trials)
    report = {**facts, "default backend": default, "works": works}
    report |= {"backends": trials, "kernels": kernels}
    print(json.dumps(report, indent=1) if as_json else text(report))
    return 0 if works else 1


def system() -> dict[str, Any]:
    """What plugrad runs on."""
    return {
        "plugrad": plugrad.__version__,
        "folder": os.path.dirname(plugrad.__file__),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "executable": sys.executable,
        "platform": platform.platform(),
        "cores": cores(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "environment": {
            name: value
            for name, value in sorted(os.environ.items())
            if name.startswith("PLUGRAD_") or name in THREADS
        },
    }


def cores() -> int:
    """The processors that this process may use; BLAS starts a thread on each, unless a
    variable of THREADS says otherwise."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def version(library: str) -> str | None:
    """The version of an installed distribution, or None."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        return said_by(distribution(library), "Version")
    except PackageNotFoundError:
        return None


def kernel_plugins() -> list[PluginInfo]:
    """The plugins that bring kernels for backends."""
    return [each for each in plugrad.list_plugins() if "kernels" in each.kinds]


def trial(each: PluginInfo, program: str = TRIAL) -> dict[str, Any]:
    """What came of a plugin; one that cannot work as it is is not tried."""
    if each.name == "array_api":  # it gives backends by the names of libraries
        return found(each.name, None, "serves array API libraries by their names")
    if each.status not in ("available", "loaded"):
        return found(each.name, False, f"{each.status}: {each.reason}", each.hint)
    return tried(each.name, each.hint, program)


def tried(name: str, hint: str = "", program: str = TRIAL) -> dict[str, Any]:
    """What came of loading a plugin and, of a backend, computing a gradient on it."""
    start = perf_counter()
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, name],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return found(name, False, f"no answer within {PATIENCE:.0f} s", hint)
    seconds = perf_counter() - start
    if done.returncode == 0:
        return found(name, True, done.stdout.strip(), "", seconds)
    lines = done.stderr.strip().splitlines()
    why = lines[-1] if lines else f"the interpreter ended with {done.returncode}"
    return found(name, False, why, hint, seconds)


def found(
    name: str,
    works: bool | None,
    why: str,
    hint: str = "",
    seconds: float | None = None,
) -> dict[str, Any]:
    """A line of the report."""
    taken = None if seconds is None else round(seconds, 2)
    return {
        "name": name, "works": works, "seconds": taken, "reason": why, "install": hint
    }  # fmt: skip


def text(report: dict[str, Any]) -> str:
    """The report as people read it."""
    from ..plugging.listing import wrapped

    lines = [f"plugrad     {report['plugrad']}, in {report['folder']}"]
    lines += [f"python      {report['python']}, {report['executable']}"]
    lines += [f"platform    {report['platform']}, {report['cores']} cores"]
    libraries = report["libraries"].items()
    named = ", ".join(f"{name} {version or 'absent'}" for name, version in libraries)
    lines += [f"libraries   {named}"]
    settings = [f"{name}={value}" for name, value in report["environment"].items()]
    if not any(name in report["environment"] for name in THREADS):
        settings.append(f"BLAS: as it likes, up to {report['cores']} threads")
    lines += [f"settings    {settings[0]}"]
    lines += [f"            {each}" for each in settings[1:]]
    lines += [f"default     {report['default backend']}", ""]
    plugins = [*report["backends"], *report["kernels"]]
    width = max(len(each["name"]) for each in plugins)
    for i, each in enumerate(plugins):
        if i == len(report["backends"]):
            lines += ["", "kernels"]
        word = {True: "works", False: "does not work", None: "not tried"}[each["works"]]
        seconds = "" if each["seconds"] is None else f"  {each['seconds']:.2f} s"
        lines.append(f"{each['name']:{width}}  {word}{seconds}")
        for line in each["reason"].splitlines() or [""]:
            lines += wrapped(line)
        lines += wrapped(each["install"])
    if not report["works"]:
        lines += [
            "",
            f"The default backend, {report['default backend']}, does not work.",
        ]
    return "\n".join(lines)
