"""pytest's way into plugrad's conformance suite.

pytest loads this module in every run of an environment that has plugrad. So it is a
package of its own, which imports nothing of plugrad until `--plugrad-backend` is given.
"""

from __future__ import annotations

import pytest

SUITE = "plugrad.conformance"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("plugrad", "plugrad's conformance suite")
    add = group.addoption
    add("--plugrad-backend", metavar="NAME", help="the backend to try")
    add("--plugrad-device", metavar="DEVICE", help="its device, such as cuda:0")
    add("--plugrad-level", metavar="N", type=int, default=None, help="levels up to N")
    add("--plugrad-suite", metavar="NAME", help="a frozen set of tests: 2026.1")
    add("--plugrad-ops", metavar="A,B", help="these ops, layers, optimizers only")
    add(
        "--plugrad-sample",
        metavar="PART",
        type=float,
        default=1.0,
        help="a part of the tests, between 0 and 1, drawn by --plugrad-seed",
    )
    add("--plugrad-seed", metavar="N", type=int, default=0, help="of that part")
    add("--plugrad-xfails", metavar="FILE", help="the failures that are expected")
    add("--plugrad-report", metavar="FILE", help="write what was found, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.plugrad_backend:
        from plugrad.conformance.session import Session

        config.pluginmanager.register(Session(config), SUITE)
    elif any(arg.partition("::")[0] == SUITE for arg in config.args):
        raise pytest.UsageError(
            f"{SUITE} tries a backend: say which, as in "
            f"`pytest --pyargs {SUITE} --plugrad-backend=numpy`"
        )
