"""Fresh environments, to install things in and run them elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path


class Environment:
    """A fresh environment, and a folder to run things in.

    Everything but what is installed there is taken from where the tests run: of the
    folder named in a .pth file Python reads no further .pth files, so that an editable
    plugrad there is not found.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "elsewhere"
        self.folder.mkdir()
        self.place = folder / "venv"
        venv.create(self.place, with_pip=False)
        scripts = "Scripts" if os.name == "nt" else "bin"
        self.python = str(self.place / scripts / "python")
        site = self.say("import sysconfig; print(sysconfig.get_path('purelib'))")
        others = {sysconfig.get_path(each) for each in ("purelib", "platlib")}
        Path(site, "others.pth").write_text("\n".join(sorted(others)))

    def install(self, *what: str) -> None:
        """Let pip install wheels or folders, without the network, and whether or not
        they are installed where the tests run."""
        pip = [sys.executable, "-m", "pip", "--python", self.python, "install"]
        pip += ["--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
        self.run(*pip, "--ignore-installed", *what)

    def run(self, *command: str, **environ: str) -> str:
        """What a command prints."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PLUGRAD_")}
        kept.pop("PYTHONPATH", None)
        kept.pop("PYTEST_ADDOPTS", None)
        done = subprocess.run(
            command,
            env=kept | environ,
            cwd=self.folder,
            timeout=300,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def say(self, code: str) -> str:
        """What a program prints."""
        return self.run(self.python, "-c", code).strip()
