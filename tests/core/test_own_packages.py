"""Plugrad's own packages are plugins: listed, denied, and replaced by another's."""

from __future__ import annotations

import pytest

from tests.core.hostile.distributions import answer, install, python

OWN = ["cuda", "nn", "optim"]

OTHER = """
import sys
import plugrad

def Linear(*sizes):
    return "another's"

@plugrad.hookimpl
def plugrad_namespace(name):
    return sys.modules[__name__]
"""


def test_they_are_listed():
    code = """
import json, plugrad
found = {p.name: [p.status, *p.kinds] for p in plugrad.plugins()}
print(json.dumps(found))
"""
    found = answer(code)
    assert {name: found[name] for name in OWN} == dict.fromkeys(
        OWN, ["available", "namespace"]
    )


@pytest.mark.parametrize("name", OWN)
def test_one_that_is_denied_is_not_imported(name):
    code = f"""
import json, sys
opened = []
sys.addaudithook(lambda event, args: opened.append(args[0])
    if event == "import" and args[0] == "plugrad.{name}" else None)
import plugrad
said = []
for statement in ("import plugrad.{name}", "plugrad.{name}",
                  "from plugrad.{name} import Module"):
    try:
        exec(statement)
    except (ImportError, AttributeError) as error:
        said.append([type(error).__name__, str(error)])
print(json.dumps([said, "plugrad.{name}" in sys.modules, plugrad.ones(2).tolist()]))
"""
    said, loaded, ones = answer(code, PLUGRAD_PLUGINS=f"-{name}")
    kinds = [kind for kind, _ in said]
    assert kinds == ["ImportError", "AttributeError", "ImportError"]
    assert all(f"denied by PLUGRAD_PLUGINS=-{name}" in text for _, text in said)
    assert not loaded and ones == [1.0, 1.0]


def test_a_denied_backend_is_not_imported_by_its_module_either():
    done = python("import plugrad.backends.torch", PLUGRAD_PLUGINS="-torch")
    assert "ImportError" in done.stderr and "denied" in done.stderr


def test_another_distribution_takes_the_place(tmp_path):
    install(tmp_path, "nn", OTHER, distribution="other-nn")
    code = """
import json, plugrad
from plugrad.nn import Linear
print(json.dumps([Linear(2, 3), plugrad.nn.Linear(2), plugrad.nn.__name__]))
"""
    found = answer(code, tmp_path, PLUGRAD_PLUGINS="nn@other-nn")
    assert found == ["another's", "another's", "other_nn"]


def test_it_does_not_unless_it_is_named(tmp_path):
    install(tmp_path, "nn", OTHER, distribution="other-nn")
    code = "import json, plugrad; print(json.dumps(plugrad.nn.__name__))"
    for rules in ("", "nn", "-nn@other-nn"):
        assert answer(code, tmp_path, PLUGRAD_PLUGINS=rules) == "plugrad.nn"
