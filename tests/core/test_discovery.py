"""Plugins are found by name, and one that goes wrong harms nobody else.

The plugins are installed as distributions and used in interpreters of their own.
"""

from __future__ import annotations

import re

import pytest

from tests.core.hostile.distributions import GOOD, answer, install, python
from tests.core.hostile.plugins import HOOK, HOSTILE, backend, install_hostile

# What every program here begins with: two backends that work, and have to go on.
USE = """
import json, sys
import plugrad

def works(name):
    with plugrad.backend(name):
        x = plugrad.tensor([1.0, 2.0], requires_grad=True)
        (x * x).sum().backward()
        return x.grad.backend == name and x.grad.tolist() == [2.0, 4.0]

def attempt(use):
    try:
        use()
    except plugrad.BackendError as error:
        cause = type(error.__cause__).__name__
        return {"says": str(error), "cause": cause.replace("NoneType", "None")}
    return {"says": "", "cause": "it works"}
"""

TRY = """
before = set(plugrad.interface.OPS), set(vars(plugrad.Tensor))
assert works("numpy") and works("good")
first = attempt(lambda: {use})
again = attempt(lambda: {use})
assert works("numpy") and works("good")
assert before == (set(plugrad.interface.OPS), set(vars(plugrad.Tensor)))
listed = [each.status for each in plugrad.plugins() if each.name == {name!r}]
print(json.dumps([first, again, listed]))
"""


@pytest.fixture
def good(tmp_path):
    return install(tmp_path / "good", "good", GOOD)


@pytest.fixture(scope="module")
def all_hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    for name in HOSTILE:
        install_hostile(folder, name)
    return folder


def program(name: str) -> str:
    return USE + TRY.format(name=name, use=HOSTILE[name].use.format(name=name))


# ---- Plugins that go wrong.


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_plugin_is_an_error_where_it_is_used(name, tmp_path, good):
    folder = install_hostile(tmp_path / "hostile", name)
    first, again, listed = answer(program(name), folder, good)
    for error in (first, again):
        assert HOSTILE[name].says in error["says"]
        assert error["cause"] in HOSTILE[name].cause.split("|")
        assert name in error["says"]
    assert listed in (["failed"], ["ignored"], ["not installed"]) or (
        error["cause"] == "None" and listed == ["loaded"]  # it has not what was asked
    )


def test_there_are_enough_of_them():
    assert len(HOSTILE) >= 25


def test_all_of_them_together(all_hostile, good):
    """Each says the same as alone, and the two that work go on working."""
    uses = {name: each.use.format(name=name) for name, each in HOSTILE.items()}
    code = f"""
uses = {uses!r}
assert works("numpy") and works("good")
found = {{name: attempt(lambda: eval(use)) for name, use in uses.items()}}
assert works("numpy") and works("good")
print(json.dumps(found))
"""
    found = answer(USE + code, all_hostile, good)
    for name, error in found.items():
        assert HOSTILE[name].says in error["says"], name
        assert error["cause"] in HOSTILE[name].cause.split("|"), name


# An import statement is one event, the code of a module that runs another.
WATCH = """
import sys
ran = set()
def watch(event, args):
    if event == "import":
        ran.add(args[0])
    elif event == "exec":
        ran.add(getattr(args[0], "co_filename", ""))
sys.addaudithook(watch)
"""


def test_none_of_them_is_imported_until_it_is_used(all_hostile, good):
    code = """
assert works("numpy") and works("good")
try:
    plugrad.get_backend("no_such_backend")
except plugrad.BackendError:
    pass
try:
    plugrad.no_such_name
except AttributeError:
    pass
str(plugrad.plugins()), str(plugrad.backends())
hit = lambda: [each for each in ran if "_plugin" in each and "good" not in each]
before = hit()
attempt(lambda: plugrad.get_backend("hook_raises"))
print(json.dumps([before, hit()]))
"""
    before, after = answer(WATCH + USE + code, all_hostile, good)
    assert before == []
    assert after and all("hook_raises_plugin" in each for each in after)


def test_the_users_interrupt_is_no_fault_of_the_plugin(tmp_path):
    folder = install(tmp_path, "stopped", "raise KeyboardInterrupt")
    done = python("import plugrad; plugrad.get_backend('stopped')", folder)
    assert "KeyboardInterrupt" in done.stderr and "BackendError" not in done.stderr


def test_damaged_metadata_harm_their_own_distribution_only(tmp_path, good):
    for name, file, content in [
        ("a", "entry_points.txt", b"[plugrad]\nno equals sign\n= nothing\n\xff\xfe"),
        ("b", "METADATA", b"\xff\xfe\0"),
        ("c", "entry_points.txt", b"[plugrad\nx"),
        ("d", "METADATA", None),
    ]:
        install(tmp_path / "bad", name, "")
        path = tmp_path / "bad" / f"{name}_plugin-1.5.dist-info" / file
        path.unlink() if content is None else path.write_bytes(content)
    code = "\nassert works('numpy') and works('good')\nstr(plugrad.plugins())\nprint(1)"
    assert answer(USE + code, tmp_path / "bad", good) == 1


def test_what_failed_can_be_used_once_it_is_mended(tmp_path):
    folder = install(tmp_path, "mended", "raise RuntimeError('not yet')")
    code = f"""
from pathlib import Path
first = attempt(lambda: plugrad.get_backend("mended"))
failed = plugrad.backends().named("mended").status
Path("mended_plugin.py").write_text({backend("mended")!r})
second = attempt(lambda: works("mended"))
print(json.dumps([first, failed, second, plugrad.backends().named("mended").status]))
"""
    first, failed, second, loaded = answer(
        USE + code, folder, PYTHONDONTWRITEBYTECODE="1"
    )
    assert "not yet" in first["says"] and failed == "failed"
    assert second["cause"] == "it works" and loaded == "loaded"


def test_a_plugin_installed_meanwhile_is_found(tmp_path, good):
    folder = tmp_path / "later"
    folder.mkdir()
    code = f"""
from tests.core.hostile.distributions import install
from pathlib import Path
first = attempt(lambda: plugrad.get_backend("late"))
install(Path({str(folder)!r}), "late", {backend("late")!r})
import importlib; importlib.invalidate_caches()
print(json.dumps([first["says"], works("late")]))
"""
    from tests.core.hostile.distributions import ROOT

    says, worked = answer(USE + code, folder, ROOT)
    assert "unknown backend 'late'" in says and worked


# ---- Names.


def test_a_plugin_cannot_take_the_name_of_a_backend(tmp_path):
    folder = install(tmp_path, "numpy", "raise RuntimeError", distribution="fast-numpy")
    code = """
listed = [e for e in plugrad.plugins() if e.name == "numpy"]
rows = [[e.distribution, e.status, e.reason] for e in listed]
print(json.dumps([works("numpy"), rows]))
"""
    worked, rows = answer(USE + code, folder)
    assert worked
    assert [row[:2] for row in rows if row[0] != "plugrad"] == [
        ["fast-numpy", "ignored"]
    ]
    assert "plugrad's own" in rows[-1][2]


@pytest.fixture
def twins(tmp_path):
    folder = tmp_path / "twins"
    for each in ("red", "blue"):
        install(folder, "twin", backend("twin"), distribution=f"{each}-twin")
    return folder


TWIN = """
name = lambda: plugrad.get_backend("twin").__class__.__module__
print(json.dumps([attempt(name)["says"], [e.status for e in plugrad.plugins()
    if e.name == "twin"], attempt(name)["cause"] == "it works" and name()]))
"""


def test_two_plugins_of_one_name_are_an_error_that_names_both(twins):
    says, listed, _ = answer(USE + TWIN, twins)
    assert "red-twin 1.5" in says and "blue-twin 1.5" in says
    assert listed == ["duplicate", "duplicate"]


@pytest.mark.parametrize(
    "rule, used",
    [
        ("-twin@red-twin", "blue_twin"),
        ("-twin@Blue_Twin", "red_twin"),
        ("twin@blue-twin", "blue_twin"),
    ],
)
def test_one_of_two_is_chosen(rule, used, twins):
    says, listed, module = answer(USE + TWIN, twins, PLUGRAD_PLUGINS=rule)
    assert says == "" and module == used
    assert sorted(listed) == ["denied", "loaded"]


def test_what_the_error_of_two_says_helps(twins):
    says, _, _ = answer(USE + TWIN, twins)
    [rule] = re.findall(r"PLUGRAD_PLUGINS=(\S+)", says)
    assert answer(USE + TWIN, twins, PLUGRAD_PLUGINS=rule)[0] == ""


# ---- Allowing and denying.

DENIED = """
found = attempt(lambda: plugrad.get_backend("probe"))
status = plugrad.plugins().named("probe").status
touched = [e for e in ran if "probe" in e]
print(json.dumps([found["says"], status, touched, works("numpy")]))
"""


@pytest.mark.parametrize("rule", ["-probe", "none", "0", "other", "probe,-probe"])
def test_a_denied_plugin_is_never_imported(rule, tmp_path):
    folder = install(tmp_path, "probe", backend("probe"))
    found = answer(WATCH + USE + DENIED, folder, PLUGRAD_PLUGINS=rule)
    says, status, touched, worked = found
    assert rule in says and touched == []
    assert status == "denied" and worked


@pytest.mark.parametrize(
    "rule", ["", "probe", " other , probe ", "-other", "none,probe"]
)
def test_an_allowed_plugin_is_used(rule, tmp_path):
    folder = install(tmp_path, "probe", backend("probe"))
    found = answer(WATCH + USE + DENIED, folder, PLUGRAD_PLUGINS=rule)
    says, status, touched, worked = found
    assert says == "" and status == "loaded" and touched and worked


def test_a_backend_of_plugrads_own_can_be_denied():
    code = """
says = attempt(lambda: plugrad.zeros(1))["says"]
loaded = [each in sys.modules for each in ("plugrad.backends.numpy", "numpy")]
print(json.dumps([says, *loaded]))
"""
    says, *loaded = answer(USE + code, PLUGRAD_PLUGINS="-numpy")
    assert "PLUGRAD_PLUGINS=-numpy" in says and loaded == [False, False]


def test_with_discovery_off_nothing_is_scanned(tmp_path):
    """The plugin's metadata are not even opened."""
    folder = install(tmp_path, "probe", backend("probe"))
    code = """
import json, sys
opened = []
sys.addaudithook(lambda event, args: event == "open" and opened.append(str(args[0])))
from plugrad.plugging.discovery import find
find("probe")
print(json.dumps([each for each in opened if "probe_plugin" in each]))
"""
    assert answer(code, folder, PLUGRAD_PLUGINS="none") == []
    assert answer(code, folder) != []


# ---- What plugins bring.

NAMESPACE = """
import plugrad
__path__ = __path__ if "__path__" in globals() else []
@plugrad.hookimpl
def plugrad_namespace(name):
    import vis
    return vis
"""


@pytest.fixture
def vis(tmp_path):
    """A package `vis` with a module in it, to be mounted as plugrad.sight."""
    folder = install(
        tmp_path / "vis", "sight", None, entry="sight = vis", distribution="vis"
    )
    (folder / "vis").mkdir()
    (folder / "vis" / "__init__.py").write_text(NAMESPACE + "from .deep import Thing\n")
    (folder / "vis" / "deep.py").write_text("class Thing: pass\n")
    return folder


@pytest.mark.parametrize(
    "statement",
    [
        "import plugrad; Thing = plugrad.sight.Thing",
        "import plugrad.sight; Thing = plugrad.sight.Thing",
        "from plugrad import sight; Thing = sight.Thing",
        "from plugrad.sight import Thing",
        "from plugrad.sight.deep import Thing",
        "import plugrad; plugrad.load_plugin('sight'); Thing = plugrad.sight.Thing",
    ],
)
def test_a_package_is_mounted(statement, vis):
    """It is one package under both names, and its own name stays."""
    code = f"""
import json
{statement}
import vis, vis.deep, plugrad.sight.deep
assert Thing is vis.Thing is plugrad.sight.deep.Thing
assert plugrad.sight is vis and plugrad.sight.deep is vis.deep
print(json.dumps([vis.__spec__.name, vis.deep.__spec__.name, Thing.__module__]))
"""
    assert answer(code, vis) == ["vis", "vis.deep", "vis.deep"]


def test_a_package_is_mounted_among_the_utilities(tmp_path):
    source = """
import sys, plugrad
@plugrad.hookimpl
def plugrad_namespace(name):
    return {f"utils.{name}": sys.modules[__name__]}
"""
    folder = install(tmp_path, "sight", source, distribution="vis")
    code = """
import json, pickle, sys
from plugrad.utils import sight
import plugrad.utils.sight as again, plugrad, vis
print(json.dumps([sight is again is plugrad.utils.sight is vis, sight.__spec__.name,
    hasattr(plugrad, "sight"), hasattr(plugrad.utils, "nothing")]))
"""
    assert answer(code, folder) == [True, "vis", False, False]


def test_a_package_takes_no_module_of_the_utilities(tmp_path):
    source = """
import sys, plugrad
@plugrad.hookimpl
def plugrad_namespace(name):
    return {f"utils.{name}": sys.modules[__name__]}
"""
    folder = install(tmp_path, "checkpoint", source)
    code = """
import json, plugrad
try:
    plugrad.load_plugin("checkpoint")
except plugrad.BackendError as error:
    print(json.dumps([str(error), plugrad.utils.checkpoint.__name__]))
"""
    said, name = answer(code, folder)
    assert "plugrad.utils.checkpoint: that exists" in said
    assert name == "plugrad.utils.checkpoint"


@pytest.mark.parametrize("place", ["nn.sight", "utils.data", "else", 3])
def test_a_package_is_not_mounted_elsewhere(place, tmp_path):
    source = f"""
import sys, plugrad
@plugrad.hookimpl
def plugrad_namespace(name):
    return {{{place!r}: sys.modules[__name__]}}
"""
    folder = install(tmp_path, "sight", source)
    code = """
import json, plugrad
try:
    plugrad.load_plugin("sight")
except plugrad.BackendError as error:
    print(json.dumps(str(error)))
"""
    assert f"a package for {place!r}" in answer(code, folder)


def test_a_package_that_fails_is_an_attribute_error_with_its_cause(tmp_path):
    source = HOOK.replace("backend", "namespace") + " raise OSError('no eyes')"
    folder = install(tmp_path, "sight", source)
    code = """
import json, plugrad
found = []
for statement in ("plugrad.sight", "import plugrad.sight"):
    try:
        exec(statement)
    except (AttributeError, ImportError) as error:
        while error.__cause__ is not None:
            error = error.__cause__
        found.append([statement, str(error)])
print(json.dumps([found, hasattr(plugrad, "sight"), plugrad.ones(1).tolist()]))
"""
    found, there, ones = answer(code, folder)
    assert [text for _, text in found] == ["no eyes"] * 2
    assert not there and ones == [1.0]


def test_no_module_of_plugrads_is_loaded_for_an_unknown_name(vis):
    code = """
import json, sys, plugrad
found = []
for name in ("nonsense", "sight_", "_sight"):
    try:
        getattr(plugrad, name)
    except AttributeError as error:
        found.append(error.name)
print(json.dumps([found, "vis" in sys.modules]))
"""
    assert answer(code, vis) == [["nonsense", "sight_", "_sight"], False]


OPS = '''
from __future__ import annotations
import plugrad

@plugrad.hookimpl
def plugrad_ops():
    @plugrad.op(promote="float")
    def cubed(k, x: Tensor):
        """x to the third."""
        return x * x * x

    cubed.grad(x=lambda k, g, x: g * 3 * x * x)
    return [cubed]
'''


def test_ops_are_functions_methods_and_have_gradients(tmp_path):
    folder = install(tmp_path, "cubes", OPS)
    code = """
assert not hasattr(plugrad, "cubed")
info = plugrad.load_plugin("cubes")
x = plugrad.tensor([2.0, 3.0], dtype=plugrad.float64, requires_grad=True)
assert plugrad.autograd.gradcheck(plugrad.cubed, (x,))
same = (x.cubed() == x ** 3).all().item()
again = plugrad.load_plugin("cubes")
print(json.dumps([info.status, info.kinds, same, info == again]))
"""
    assert answer(USE + code, folder) == ["loaded", ["ops"], True, True]


# ---- Listing.


def test_listing_says_what_an_optional_library_lacks(tmp_path):
    source = backend("extra")
    metadata = (
        "Requires-Dist: no-such-thing>=2; extra == 'extra'\nProvides-Extra: extra\n"
    )
    folder = install(tmp_path, "extra", source, metadata=metadata)
    code = "print(json.dumps(plugrad.backends().named('extra')))"
    *_, status, reason, hint = answer(USE + code, folder)
    assert (status, hint) == ("not installed", "pip install 'extra-plugin[extra]'")
    assert "'no-such-thing'" in reason


def test_what_is_missing_is_said_when_the_import_fails(tmp_path):
    metadata = "Requires-Dist: no-such-thing; extra == 'extra'\nProvides-Extra: extra\n"
    folder = install(tmp_path, "extra", "import no_such_thing", metadata=metadata)
    code = "print(json.dumps(attempt(lambda: plugrad.get_backend('extra'))))"
    found = answer(USE + code, folder)
    assert "pip install 'extra-plugin[extra]'" in found["says"]
    assert found["cause"] == "ModuleNotFoundError"


def test_a_table_fits_a_terminal(all_hostile):
    code = "print(json.dumps([str(plugrad.plugins()), len(plugrad.plugins())]))"
    text, count = answer(USE + code, all_hostile)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    rows = [line for line in lines if not line.startswith(" ")]
    assert len(rows) == count + 1  # and the head
    assert [row.split()[0] for row in rows[1:]].count("numpy") == 1


def test_threads_that_ask_at_once_get_the_same(tmp_path, good):
    code = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
barrier = Barrier(8)
def ask(i):
    barrier.wait()
    return id(plugrad.get_backend(("good", "numpy")[i % 2]))
with ThreadPoolExecutor(8) as pool:
    print(json.dumps(len(set(pool.map(ask, range(8))))))
"""
    assert answer(USE + code, good) == 2
