"""The command `plugrad`: its tables, its JSON, its exit status."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import plugrad
from plugrad.__main__ import main
from tests.core.hostile.distributions import GOOD, install
from tests.core.hostile.plugins import HOOK


def run(*arguments, folder=None, **variables):
    """`python -m plugrad` in an interpreter that finds what is in the folder."""
    from os import environ

    path = {} if folder is None else {"PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "plugrad", *arguments],
        env={**environ, **path, **variables}, cwd=folder, timeout=300,
        capture_output=True, text=True,
    )  # fmt: skip


@pytest.fixture
def plugins(tmp_path):
    install(tmp_path, "good", GOOD)
    install(tmp_path, "crashes", HOOK + " import os; os._exit(9)")
    install(tmp_path, "broken", "raise RuntimeError('out of order')")
    install(tmp_path, "denied", GOOD)
    needs = "Requires-Dist: no-such-thing; extra == 'lacking'\n"
    install(tmp_path, "lacking", GOOD, metadata=needs)
    return tmp_path


def test_the_tables_are_those_of_python(capsys):
    for command, listing in [
        ("plugins", plugrad.list_plugins),
        ("backends", plugrad.list_backends),
    ]:
        assert main([command]) == 0
        assert capsys.readouterr().out == f"{listing()}\n"
        assert main([command, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == json.loads(
            json.dumps(listing().to_dicts())
        )


def test_plugins_lists_without_running_any(plugins):
    done = run("plugins", "--json", folder=plugins, PLUGRAD_PLUGINS="-denied")
    found = {each["name"]: each for each in json.loads(done.stdout)}
    states = {name: found[name]["status"] for name in ("good", "crashes", "broken")}
    assert set(states.values()) == {"available"}  # not known better before its use
    assert found["denied"]["status"] == "denied"
    assert found["lacking"]["status"] == "not installed"
    assert found["lacking"]["hint"] == "pip install 'lacking-plugin[lacking]'"
    assert found["good"]["distribution"] == "good-plugin"
    assert found["good"]["version"] == "1.5"
    assert found["good"]["file"] == str(plugins / "good_plugin.py")


def test_doctor_tries_every_backend(plugins):
    done = run("doctor", "--json", folder=plugins, PLUGRAD_PLUGINS="-denied")
    report = json.loads(done.stdout)
    found = {each["name"]: each for each in report["backends"]}
    assert done.returncode == 0 and report["works"]
    assert found["numpy"]["works"] and found["good"]["works"]
    assert found["numpy"]["seconds"] > 0
    assert not found["crashes"]["works"] and "9" in found["crashes"]["reason"]
    assert not found["broken"]["works"] and "out of order" in found["broken"]["reason"]
    assert found["lacking"]["install"] == "pip install 'lacking-plugin[lacking]'"
    assert "PLUGRAD_PLUGINS=-denied" in found["denied"]["reason"]
    assert report["environment"]["PLUGRAD_PLUGINS"] == "-denied"


@pytest.mark.parametrize("default, status", [("good", 0), ("broken", 1), ("nosuch", 1)])
def test_doctors_status_is_that_of_the_default_backend(default, status, plugins):
    rules = "-cupy,-dask,-jax,-sparse,-torch"  # for speed
    done = run("doctor", folder=plugins, PLUGRAD_BACKEND=default, PLUGRAD_PLUGINS=rules)
    assert done.returncode == status
    assert ("does not work." in done.stdout) == bool(status)
    assert max(map(len, done.stdout.splitlines()[4:])) <= 100
    assert f"plugrad     {plugrad.__version__}" in done.stdout
    assert "numpy " in done.stdout and "out of order" in done.stdout


def test_new_backend_writes_a_package_once(tmp_path, capsys):
    arguments = ["new-backend", "thing", "--folder", str(tmp_path)]
    assert main(arguments) == 0
    assert (tmp_path / "plugrad-thing" / "pyproject.toml").exists()
    assert main(arguments) == 1
    assert "exists already" in capsys.readouterr().err


def test_version_and_help(capsys):
    for arguments, text in [
        (["--version"], f"plugrad {plugrad.__version__}\n"),
        (["--help"], "doctor"),
    ]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        assert text in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--nonsense"], ["plugins", "--nonsense"]])
def test_what_is_no_command_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: plugrad" in capsys.readouterr().err


COMMAND = """
import plugrad

def shout(words):
    print(" ".join(words).upper())
    return len(words)

@plugrad.hookimpl
def plugrad_command(name):
    return {what} if name == "shout" else None
"""


def test_a_plugin_brings_a_command(tmp_path):
    install(tmp_path, "shout", COMMAND.format(what="shout"))
    done = run("shout", "--help", "me", folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "--HELP ME\n", "")
    assert "shout" in run("--help", folder=tmp_path).stdout
    done = run("shout", "me", folder=tmp_path, PLUGRAD_PLUGINS="-shout")
    assert done.returncode == 2 and "denied" in done.stderr and not done.stdout


@pytest.mark.parametrize(
    "name, source, text",
    [
        ("nonsense", "import plugrad", "unknown command 'nonsense'"),
        ("good", GOOD, "offers no command; what it offers: backend"),
        ("shout", COMMAND.format(what="3"), "returned a int, not a function"),
        ("broken", "raise RuntimeError('out of order')", "out of order"),
    ],
)
def test_a_command_that_cannot_be_had_says_why(tmp_path, name, source, text):
    install(tmp_path, "other" if name == "nonsense" else name, source)
    done = run(name, folder=tmp_path)
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith(f"plugrad {name}: ")
    assert text in done.stderr and "Traceback" not in done.stderr
