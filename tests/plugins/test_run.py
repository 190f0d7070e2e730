"""`plugrad run`: `import torch` is plugrad, and the program runs as Python runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import plugrad
from plugrad.plugins import run as plugin
from plugrad.plugins.run.names import FUNCTIONAL, METHODS, REFUSED, STANDINS

ROOT = Path(__file__).parents[2]


def start(command, folder, **variables):
    """Run a command in a folder; its exit status and what it wrote."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", **variables}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def plugrad_run(folder, *words, **variables):
    return start([sys.executable, "-m", "plugrad", "run", *words], folder, **variables)


def python(folder, *words):
    return start([sys.executable, *words], folder)


def script(folder, text, name="script.py"):
    """A file with a program in it."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(textwrap.dedent(text))
    return name


def ran(folder, text, *options, **variables):
    """What a program prints under `plugrad run`; it must not fail."""
    done = plugrad_run(folder, *options, script(folder, text), **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def torch():
    """What `import torch` gives, in this process."""
    if "torch" in sys.modules:
        pytest.skip("PyTorch is imported in this process")
    yield plugin.install()
    plugin.uninstall()


# --- torch is plugrad ---------------------------------------------------------------


def test_modules_are_the_same_objects(torch):
    import torch.nn.functional as F
    import torch.optim.lr_scheduler as schedules
    from torch import nn
    from torch.utils import data

    import plugrad.optim.lr_scheduler

    assert torch.Tensor is plugrad.Tensor and torch.nn is nn is plugrad.nn
    assert F is plugrad.nn.functional and data is plugrad.utils.data
    assert schedules is plugrad.optim.lr_scheduler
    assert sys.modules["torch.nn.functional"] is sys.modules["plugrad.nn.functional"]
    assert nn.__spec__.name == "plugrad.nn" and nn.__name__ == "plugrad.nn"


def test_torchvision_is_plugrads(torch):
    import torchvision.transforms

    import plugrad.plugins.vision

    assert torchvision is plugrad.plugins.vision
    assert torchvision.transforms is plugrad.plugins.vision.transforms


def test_only_torch_says_that_it_is_this_version(torch):
    assert torch.__version__ == plugin.VERSION == "2.13.0+plugrad"
    assert torch.version.__version__ == plugin.VERSION
    assert plugrad.__version__ != plugin.VERSION and not hasattr(plugrad, "version")


def test_every_name_that_the_plugin_promises_is_there(torch):
    for name in FUNCTIONAL | METHODS:
        assert callable(getattr(torch, name)), name
    for name in STANDINS:
        __import__(name)
        assert name in sys.modules
    assert set(plugrad.__all__) <= set(dir(torch))


def test_functions_that_plugrad_has_elsewhere(torch):
    x = torch.tensor([[-1.0, 2.0]])
    assert torch.conv2d is plugrad.nn.functional.conv2d
    assert torch.detach(x).tolist() == x.detach().tolist()
    y = x.clone()
    assert torch.relu_(y) is y and y.tolist() == torch.relu(x).tolist()


def test_what_plugrad_lacks_says_so(torch):
    for name in ("no_such_thing", "no_such_thing_", "__nothing__", "_C"):
        with pytest.raises(AttributeError, match=f"torch.{name}: plugrad .* has no"):
            getattr(torch, name)
        assert not hasattr(plugrad, name)
    with pytest.raises(ModuleNotFoundError, match="torch.no_such.*plugrad .* has none"):
        import torch.no_such_module
    with pytest.raises(ModuleNotFoundError, match="torch.nn.no_such.*plugrad"):
        import torch.nn.no_such_module
    with pytest.raises(ImportError, match="cannot import name 'no_such_name'"):
        from torch import no_such_name  # noqa: F401
    for name, reason in REFUSED.items():
        with pytest.raises(ModuleNotFoundError) as raised:
            __import__(name)
        assert reason in str(raised.value)


def test_uninstall_takes_everything_back(torch):
    import torch.nn  # noqa: F401

    plugin.uninstall()
    assert not plugin.is_installed()
    assert not [name for name in sys.modules if name.partition(".")[0] == "torch"]
    assert plugrad.nn.__name__ == "plugrad.nn"


def test_installing_after_torch_was_imported_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", plugrad)
    with pytest.raises(ImportError, match="torch is imported already"):
        plugin.install()


def test_an_installed_torch_is_not_found(tmp_path):
    script(tmp_path, "raise SystemExit('the real one')", "site/torch/__init__.py")
    text = "import torch, importlib.util as u; print(torch, u.find_spec('torch').name)"
    said = ran(tmp_path, text, PYTHONPATH=str(tmp_path / "site"))
    assert said == f"<module 'torch', which is plugrad {plugrad.__version__}> torch\n"


# --- options ------------------------------------------------------------------------


def test_backend_and_device_are_the_defaults(tmp_path):
    text = "import torch; print(torch.ones(1).backend, torch.get_default_device())"
    said = ran(tmp_path, text, "--backend", "numpy", "--device", "cpu")
    assert said == "numpy cpu\n"
    found = ran(tmp_path, text, "--backend", "array_api_strict")
    assert found == "array_api_strict cpu\n"


@pytest.mark.parametrize("how", ["option", "environment"])
def test_the_backend_that_needs_torch_is_refused(tmp_path, how):
    words = ["--backend", "torch"] if how == "option" else []
    chosen = {} if words else {"PLUGRAD_BACKEND": "torch"}
    done = plugrad_run(tmp_path, *words, "-c", "import torch", **chosen)
    assert done.returncode == 2 and "computes with PyTorch itself" in done.stderr
    text = "import torch; torch.ones(1).to(backend='torch')"
    done = plugrad_run(tmp_path, "-c", text)
    assert done.returncode == 1 and "computes with PyTorch itself" in done.stderr


def test_arrays_go_to_the_chosen_backend(tmp_path):
    text = """
    import numpy as np, torch
    a = np.arange(3.0)
    made = [torch.from_numpy(a), torch.tensor(a), torch.as_tensor(a), torch.asarray(a)]
    w = torch.tensor(a, requires_grad=True)
    assert w.is_leaf
    for x in made:
        (x * w * torch.ones(3)).sum().backward()
    print({x.backend for x in [w, *made]}, w.grad.tolist() == (4 * a).tolist())
    """
    said = ran(tmp_path, text, "--backend", "array_api_strict")
    assert said == "{'array_api_strict'} True\n"


def test_an_unknown_backend_is_refused(tmp_path):
    done = plugrad_run(tmp_path, "--backend", "nunpy", "-c", "")
    assert done.returncode == 2 and "did you mean 'numpy'" in done.stderr
    done = plugrad_run(tmp_path)
    assert done.returncode == 2 and "say what to run" in done.stderr


# --- as Python runs it --------------------------------------------------------------

SEEN = """
import sys, os
print(__name__, sys.argv, os.path.realpath(sys.path[0]), __spec__ and __spec__.name)
print(globals().get("__file__"), __package__)
print(vars(sys.modules["__main__"]) is globals())
print(__builtins__ is not None, sorted(k for k in globals() if k.startswith("__")))
"""


def test_programs_see_what_they_see_under_python(tmp_path):
    script(tmp_path, SEEN, "folder/script.py")
    script(tmp_path, SEEN, "folder/__main__.py")
    script(tmp_path, SEEN, "package/inner.py")
    script(tmp_path, SEEN, "package/__main__.py")
    script(tmp_path, "", "package/__init__.py")
    for words in (
        ["folder/script.py", "a", "--backend", "-m"],
        ["./folder/script.py"],
        [str(tmp_path / "folder" / "script.py"), "--report"],
        ["folder", "b"],
        ["-m", "package.inner", "--lr", "3"],
        ["-m", "package", "-c"],
    ):
        ours, theirs = plugrad_run(tmp_path, *words), python(tmp_path, *words)
        assert theirs.returncode == 0 and ours.stdout == theirs.stdout, words


def test_a_text_sees_what_it_sees_under_python(tmp_path):
    words = ["-c", "import sys; print(__name__, sys.argv, sys.path[0])", "x", "--y"]
    assert plugrad_run(tmp_path, *words).stdout == python(tmp_path, *words).stdout


@pytest.mark.parametrize(
    "text",
    [
        "pass",
        "import sys; sys.exit(7)",
        "import sys; sys.exit()",
        "raise SystemExit('words')",
        "raise KeyboardInterrupt",
        "1 / 0",
        "import atexit; atexit.register(print, 'bye'); raise ValueError('x')",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "import sys; sys.excepthook = lambda *e: print('mine', e[0].__name__); 1 / 0",
        "def f(:",
    ],
)
def test_exit_status_and_output_are_pythons(tmp_path, text):
    name = script(tmp_path, text)
    ours, theirs = plugrad_run(tmp_path, name), python(tmp_path, name)
    assert ours.returncode == theirs.returncode
    assert ours.stdout == theirs.stdout
    assert ours.stderr.splitlines()[-1:] == theirs.stderr.splitlines()[-1:]


def test_what_is_not_there_is_said(tmp_path):
    script(tmp_path, "", "folder/empty.txt")
    for words in (["no.py"], ["folder"], ["-m", "no_such"], ["-m", "os.no_such"]):
        ours, theirs = plugrad_run(tmp_path, *words), python(tmp_path, *words)
        assert ours.returncode == theirs.returncode != 0, words
        assert ours.stderr.startswith("plugrad run: "), ours.stderr


# --- tracebacks ---------------------------------------------------------------------


def files(traceback):
    lines = [line for line in traceback.splitlines() if line.startswith('  File "')]
    return [line.split('"')[1].rpartition("/")[2] for line in lines]


WRONG = """
import torch
class Net(torch.nn.Module):
    def forward(self, x):
        return x @ torch.ones(3)
def main():
    Net()(torch.ones(2, 2))
main()
"""


def test_tracebacks_show_the_lines_of_the_script(tmp_path):
    done = plugrad_run(tmp_path, script(tmp_path, WRONG))
    assert done.returncode == 1
    assert files(done.stderr) == ["script.py"] * 3
    assert "x @ torch.ones(3)" in done.stderr and "cannot be multiplied" in done.stderr
    assert "During handling" not in done.stderr and "direct cause" not in done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "from torch import no_such_name",
        "from torch.nn import NoSuchLayer",
        "import torch; torch.nn.NoSuchLayer",
        "import torch; torch.ones(1).no_such_method()",
        "import torch; torch.no_such_name",
        "import torch.no_such_module",
    ],
)
def test_what_ends_a_script_says_that_plugrad_lacks_it(tmp_path, text):
    done = plugrad_run(tmp_path, "-c", text)
    assert done.returncode == 1
    assert done.stderr.count(f"plugrad {plugrad.__version__}") == 1, done.stderr


def test_whole_tracebacks_show_plugrads_lines_too(tmp_path):
    done = plugrad_run(tmp_path, "--whole-traceback", script(tmp_path, WRONG))
    assert set(files(done.stderr)) > {"script.py"}
    assert not {"command.py", "program.py", "__main__.py"} & set(files(done.stderr))


def test_causes_of_the_script_are_shown(tmp_path):
    text = """
    import torch
    try:
        torch.zeros(2) @ torch.zeros(3)
    except RuntimeError as error:
        raise ValueError("in the script") from error
    """
    done = plugrad_run(tmp_path, script(tmp_path, text))
    assert files(done.stderr) == ["script.py", "script.py"]
    assert "direct cause" in done.stderr and "cannot be multiplied" in done.stderr


# --- other processes ----------------------------------------------------------------

WORKERS = """
import pickle, sys
import multiprocessing
import torch
from torch.utils.data import DataLoader, Dataset

class Point:
    def __init__(self, x):
        self.x = x

class Numbers(Dataset):
    def __len__(self):
        return 4
    def __getitem__(self, i):
        assert torch.__version__.endswith("+plugrad")
        return torch.full((2,), float(i), dtype=torch.float64)

def doubled(point):
    import torch.nn
    return Point(torch.nn.functional.relu(point.x * 2))

if __name__ == "__main__":
    assert pickle.loads(pickle.dumps(Point(3))).x == 3
    method = sys.argv[1]
    context = multiprocessing.get_context(method)
    loader = DataLoader(Numbers(), 2, num_workers=1, multiprocessing_context=context)
    print([batch.tolist() for batch in loader])
    with context.Pool(1) as pool:
        print([p.x.tolist() for p in pool.map(doubled, [Point(torch.ones(2))])])
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver", "spawn -m"])
def test_workers_import_the_same_torch(tmp_path, method):
    name = script(tmp_path, WORKERS)
    method, _, module = method.partition(" ")
    words = ["-m", "script"] if module else [name]
    done = plugrad_run(tmp_path, *words, method)
    assert done.returncode == 0, done.stderr
    expected = "[[[0.0, 0.0], [1.0, 1.0]], [[2.0, 2.0], [3.0, 3.0]]]\n[[2.0, 2.0]]\n"
    assert done.stdout == expected


def test_workers_get_the_chosen_backend(tmp_path):
    text = """
    import multiprocessing
    def where(_):
        import torch
        return torch.ones(1).backend
    if __name__ == "__main__":
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            print(pool.map(where, [0]))
    """
    said = ran(tmp_path, text, "--backend", "array_api_strict")
    assert said == "['array_api_strict']\n"


def test_the_page_is_true(tmp_path):
    """The blocks of docs/run.md, in a process that has not imported PyTorch."""
    program = """
    from tests.test_docs import ROOT, run_page
    text = (ROOT / "docs" / "run.md").read_text()
    parts = text.split("<!-- not run: ")
    print(run_page("".join(part.partition("-->")[2] for part in parts[1:]), "run.md"))
    """
    name = script(tmp_path, program)
    done = start([sys.executable, name], tmp_path, PYTHONPATH=str(ROOT))
    assert done.stdout == "2\n", done.stderr + done.stdout


# --- the repository's examples ------------------------------------------------------

NOTES = sorted((ROOT / "examples" / "notes").glob("*.py"))
AGAIN = """
import runpy, sys
for path in sys.argv[1:]:
    runpy.run_path(path, run_name="__main__")
"""


def test_the_notes_run(tmp_path):
    done = plugrad_run(tmp_path, "-c", AGAIN, *map(str, NOTES))
    assert done.returncode == 0 and len(NOTES) > 20, done.stderr


@pytest.mark.parametrize("name", ["tree_network", "data_pipeline"])
def test_scripts_learn(name, tmp_path):
    """All of them are compared with PyTorch in tests/against_torch."""
    done = plugrad_run(tmp_path, str(ROOT / "examples" / "scripts" / f"{name}.py"))
    assert done.returncode == 0, done.stderr
    found = [float(x) for x in re.findall(r"^step \d+ loss (\S+)$", done.stdout, re.M)]
    assert len(found) > 10 and sum(found[-3:]) < 0.8 * sum(found[:3])


def test_a_report_names_what_is_used_and_lacking(tmp_path):
    text = """
    import torch, helper
    from torch import nn
    import torch.nn.functional as F
    if False:
        torch.no_such_name(nn.NoSuchLayer)
        torch.distributed.barrier()
    F.relu(torch.ones(1))
    """
    script(tmp_path, "from torch.optim import SGD, NoSuchOptimizer as N", "other.py")
    script(tmp_path, "from torch.optim import SGD", "helper.py")
    done = plugrad_run(tmp_path, "--report", script(tmp_path, text))
    assert done.returncode == 0 and done.stdout == ""
    assert done.stderr.splitlines() == [
        "plugrad run: 6 names of torch in 2 files",
        "  torch.nn.functional.relu",
        "  torch.ones",
        "  torch.optim.SGD",
        "plugrad run: 3 of them plugrad lacks",
        "  torch.distributed.barrier",
        "  torch.nn.NoSuchLayer",
        "  torch.no_such_name",
    ]
