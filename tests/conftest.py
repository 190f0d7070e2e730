"""What plain `pytest` leaves alone, and one Hypothesis profile for everybody."""

from __future__ import annotations

from pathlib import Path

import hypothesis

import plugrad.nn  # noqa: F401  (declares its ops)

HERE = Path(__file__).parent

# conformance: by path, pytest would import a second copy of plugrad.conformance.
# against_torch: needs torch. Each is collected where the command line names it.
LEFT_OUT = [HERE / "conformance", HERE / "against_torch"]

# Shared machines stall, so no deadline; and a run that failed can be run again.
hypothesis.settings.register_profile("plugrad", deadline=None, derandomize=True)
hypothesis.settings.load_profile("plugrad")


def pytest_ignore_collect(collection_path: Path, config) -> bool | None:
    if config.option.pyargs or collection_path not in LEFT_OUT:
        return None
    start = config.invocation_params.dir
    named = [(start / arg.split("::")[0]).resolve() for arg in config.args]
    if any(path.is_relative_to(collection_path) for path in named):
        return None
    return True
