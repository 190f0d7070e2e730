"""docs/adding_an_op.md is true: its change touches one file, and all of it works."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "adding_an_op.md").read_text()

# run in the copy: every test that finds ops by itself, narrowed to the new one
CHECKS = """
import doctest, plugrad
op = plugrad.softcap.op
from plugrad.testing import Make, samples_of
samples = list(samples_of(op, Make(plugrad.float64, requires_grad=True)))
assert len(samples) >= 10, len(samples)
for sample in samples:
    if not sample.smooth:
        continue
    assert plugrad.autograd.gradcheck(plugrad.softcap, sample.args), sample
    assert plugrad.autograd.gradgradcheck(plugrad.softcap, sample.args), sample
finder = doctest.DocTestFinder()
runner = doctest.DocTestRunner()
for test in finder.find(plugrad.softcap, "softcap", globs={}):
    runner.run(test)
assert runner.summarize().attempted == 2 and not runner.failures
"""


def mounted(folder: Path) -> Path:
    """A copy of the package as it is installed."""
    package = folder / "plugrad"
    for source, target in [
        ("core", ""),
        ("backends", "backends"),
        ("nn", "nn"),
        ("optim", "optim"),
        ("plugins", "plugins"),
    ]:
        shutil.copytree(
            ROOT / source,
            package / target,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    return package


def changes(page: str) -> dict[str, str]:
    """What the page's diffs add, by file."""
    found: dict[str, str] = {}
    for diff in re.findall(r"```diff\n(.*?)```", page, re.S):
        name = re.search(r"^\+\+\+ b/(\S+)$", diff, re.M)
        assert name is not None, diff
        body = diff.split("@@ at the end\n")[1]
        lines = body.splitlines()
        assert all(line.startswith("+") for line in lines), diff
        found[name[1]] = "\n".join(line[1:] for line in lines) + "\n"
    return found


def test_the_page_adds_an_op_in_one_file(tmp_path: Path) -> None:
    added = changes(PAGE)
    assert len(added) == 1, "the point of the page is that one file is touched"
    package = mounted(tmp_path)
    for name, text in added.items():
        target = package / Path(name).relative_to("core")
        target.write_text(target.read_text() + text)
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.S)) + CHECKS
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_without_the_change_there_is_no_such_op() -> None:
    import plugrad

    assert not hasattr(plugrad, "softcap")
