"""Without torch these tests fail; they are never skipped."""

from __future__ import annotations

import pytest

try:
    import torch
except ImportError as error:
    raise pytest.UsageError(
        "tests/against_torch needs torch; `make compare` installs it"
    ) from error

# Workers of pytest-xdist share the cores.
torch.set_num_threads(1)
