"""Plugrad's own packages are plugins: listed, denied, and replaced by another's."""

from __future__ import annotations

import pytest

import plugrad
from tests.core.hostile.distributions import answer, install, python

# the plugin, and the name under plugrad that it is imported by
OWN = {"cuda": "cuda", "data": "utils.data", "nn": "nn", "optim": "optim"}

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
    place = OWN[name]
    own = next(p for p in plugrad.list_plugins() if p.name == name).module
    code = f"""
import json, sys
opened = []
sys.addaudithook(lambda event, args: opened.append(args[0])
    if event == "import" and args[0] == "plugrad.{place}" else None)
import plugrad
said = []
for statement in ("import plugrad.{place}", "plugrad.{place}",
                  "from plugrad.{place} import Module", "import {own}"):
    try:
        exec(statement)
    except (ImportError, AttributeError) as error:
        said.append([type(error).__name__, str(error)])
loaded = {{"plugrad.{place}", "{own}"}} & set(sys.modules)
print(json.dumps([said, sorted(loaded), plugrad.ones(2).tolist()]))
"""
    said, loaded, ones = answer(code, PLUGRAD_PLUGINS=f"-{name}")
    kinds = [kind for kind, _ in said]
    assert kinds == ["ImportError", "AttributeError", "ImportError", "ImportError"]
    assert all(f"denied by PLUGRAD_PLUGINS=-{name}" in text for _, text in said)
    assert not loaded and ones == [1.0, 1.0]


def test_a_denied_backend_is_not_imported_by_its_module_either():
    done = python("import plugrad.backends.torch", PLUGRAD_PLUGINS="-torch")
    assert "ImportError" in done.stderr and "denied" in done.stderr


@pytest.mark.parametrize("name", ["nn", "optim"])
def test_another_distribution_takes_the_place(name, tmp_path):
    install(tmp_path, name, OTHER, distribution=f"other-{name}")
    code = f"""
import json, plugrad
from plugrad.{name} import Linear
print(json.dumps([Linear(2, 3), plugrad.{name}.Linear(2), plugrad.{name}.__name__]))
"""
    found = answer(code, tmp_path, PLUGRAD_PLUGINS=f"{name}@other-{name}")
    assert found == ["another's", "another's", f"other_{name}"]


def test_another_distribution_takes_the_place_among_the_utilities(tmp_path):
    module = "sys.modules[__name__]"
    source = OTHER.replace(module, f"{{'utils.data': {module}}}")
    install(tmp_path, "data", source, distribution="other-data")
    code = """
import json, plugrad.plugins.data
from plugrad.utils.data import Linear
print(json.dumps([Linear(2), plugrad.utils.data.__name__,
    plugrad.utils.data is plugrad.plugins.data]))
"""
    found = answer(code, tmp_path, PLUGRAD_PLUGINS="data@other-data")
    assert found == ["another's", "other_data", True]


def test_it_does_not_unless_it_is_named(tmp_path):
    install(tmp_path, "nn", OTHER, distribution="other-nn")
    code = "import json, plugrad; print(json.dumps(plugrad.nn.__name__))"
    for rules in ("", "nn", "-nn@other-nn"):
        assert answer(code, tmp_path, PLUGRAD_PLUGINS=rules) == "plugrad.nn"
