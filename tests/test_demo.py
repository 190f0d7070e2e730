"""`make demo`: in a fresh process, with nothing but what plugrad needs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

import plugrad
from plugrad.plugins.vision.io import read_image

ROOT = Path(__file__).parents[1]
NEEDED = ("numpy", "pluggy", "array_api_compat")
SECONDS = 20.0

# All but the standard library, plugrad and what it needs is absent.
FENCE = """
import sys

class Fence:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in {allowed}:
            return None
        if top.startswith("__editable__"):
            return None
        raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Fence())
from plugrad.__main__ import main
status = main(sys.argv[1:])
heavy = set(sys.modules) & {{"matplotlib", "PIL", "torch", "scipy"}}
sys.exit(status or f"it has imported {{heavy}}" if heavy else status)
"""


def recipe() -> list[str]:
    """The words after `plugrad` that `make demo` runs."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return re.search(r"^\t@\$\(BIN\)/plugrad (train .*)$", text, re.M)[1].split()


def python(folder: Path, code: str, *words: str) -> tuple[str, float]:
    """Run code in a bare interpreter, where every warning is an error; what it says,
    and the seconds that it takes of the processor."""
    environment = {**os.environ, "PYTHONNOUSERSITE": "1"}
    environment.pop("PLUGRAD_BACKEND", None)
    command = [sys.executable, "-W", "error", "-c", code, *words]
    before = os.times()
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    after = os.times()
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    used = after.children_user + after.children_system
    return done.stdout, used - before.children_user - before.children_system


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The folder in which the demo ran, what it said, and its time."""
    folder = tmp_path_factory.mktemp("demo")
    code = FENCE.format(allowed={"plugrad", *NEEDED})
    return folder, *python(folder, code, *recipe())


def test_the_digits_are_read(demo):
    folder, said, seconds = demo
    share = float(re.search(r"([\d.]+)% of the 355 test pictures", said)[1])
    assert share >= 97
    assert seconds < SECONDS


def test_it_says_where_its_files_are(demo):
    folder, said, _ = demo
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    assert [each.name for each in files] == [
        "checkpoint.pt", "curves.png", "misread.png", "sample.png",
    ]  # fmt: skip
    for each in files:
        assert str(each.relative_to(folder)) in said
    state = plugrad.load(files[0])
    assert state["epoch"] == len(state["history"]["epochs"]) > 1
    for each in files[1:]:
        assert read_image(each).shape[0] in (1, 3)


def test_what_it_says_to_try_next_works(demo):
    folder, said, _ = demo
    words = said.splitlines()[-1].partition(" plugrad ")[2].split()
    code = FENCE.format(allowed={"plugrad", *NEEDED})
    answer, _ = python(folder, code, *words, "--json")
    [picture] = json.loads(answer)
    assert f"a test picture: {picture['class']}" in said


def test_twice_is_no_error(demo):
    folder, _, _ = demo
    code = FENCE.format(allowed={"plugrad", *NEEDED})
    python(folder, code, *recipe(), "--epochs", "1")
    [checkpoint] = folder.rglob("*.pt")
    assert plugrad.load(checkpoint)["epoch"] == 1


def test_the_fence_can_fail(tmp_path):
    code = FENCE.format(allowed={"plugrad", "numpy"}) + "\nimport pluggy"
    command = [sys.executable, "-c", "import sys\n" + code, "--version"]
    assert find_spec("pluggy") is not None
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "plugrad" in done.stdout
    done = subprocess.run(
        [sys.executable, "-c", code, "train", "--epochs", "1"],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode != 0 and "pluggy" in done.stderr


def test_the_same_written_out_by_hand(tmp_path):
    """examples/digits.py, which also keeps to what is needed."""
    example = ROOT / "examples" / "digits.py"
    code = FENCE.format(allowed={"plugrad", *NEEDED}).partition("from plugrad")[0]
    code += f"import runpy\nrunpy.run_path({str(example)!r}, run_name='__main__')"
    begin = time.monotonic()
    said, _ = python(tmp_path, code)
    assert time.monotonic() - begin < 300
    assert float(re.search(r"([\d.]+)% of 355", said)[1]) >= 97
    assert set(plugrad.load(tmp_path / "digits.pt")) == {
        f"{layer}.{part}"
        for layer in ("conv1", "conv2", "fc1", "fc2")
        for part in ("weight", "bias")
    }
    assert read_image(tmp_path / "digits.png").shape[0] == 3
