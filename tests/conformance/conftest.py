"""Without a backend to try there is nothing to collect here."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    is_test = collection_path.name.startswith("test_")
    given = config.getoption("plugrad_backend", None)
    return True if is_test and not given else None
