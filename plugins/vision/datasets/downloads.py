"""Files from the network, whole or not at all.

A file is written under another name beside its place, checked, and then renamed: what
has the name is complete. Nothing is downloaded unless `download=True` was said.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from .idx import DataError

CHUNK = 1 << 18
TIMEOUT = 30  # seconds without a byte
WIDTH = 30  # of the bar


def md5_of(path: Path) -> str:
    """The MD5 of a file. It tells a whole file from a damaged one, no more."""
    with open(path, "rb") as file:
        return hashlib.file_digest(
            file, lambda: hashlib.md5(usedforsecurity=False)
        ).hexdigest()


def is_whole(path: Path, md5: str | None) -> bool:
    """Whether the file is there, and has that MD5 if one is known."""
    return path.is_file() and (md5 is None or md5_of(path) == md5)


def fetch(urls: Sequence[str], path: Path, md5: str | None) -> None:
    """Bring a file from the first of several addresses that has it."""
    if is_whole(path, md5):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    reasons = []
    for url in urls:
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            save(url, part)
            if md5 is not None and md5_of(part) != md5:
                raise DataError(f"MD5 {md5_of(part)} instead of {md5}")
            os.replace(part, path)
            return
        except (OSError, DataError) as error:  # those of urllib are OSErrors
            reasons.append(f"  {url}: {error}")
        finally:
            part.unlink(missing_ok=True)
    raise RuntimeError(
        "\n".join(
            [
                f"{path.name} could not be downloaded:",
                *reasons,
                f"Without a network, bring the file by hand to {path}",
            ]
        )
    )


def save(url: str, path: Path) -> None:
    """Write what an address gives into a file."""
    from urllib.request import Request, urlopen  # not for those who have their files

    request = Request(url, headers={"User-Agent": "plugrad"})
    with urlopen(request, timeout=TIMEOUT) as answer, open(path, "wb") as file:
        total = int(answer.headers.get("Content-Length") or 0)
        done = 0
        while chunk := answer.read(CHUNK):
            file.write(chunk)
            done += len(chunk)
            show(path.name.split(".")[0], done, total)
        if sys.stderr.isatty():
            print(file=sys.stderr)
        if total and done != total:
            raise DataError(f"{done} bytes instead of {total}")


def show(name: str, done: int, total: int) -> None:
    """The bar, on a terminal only."""
    if not sys.stderr.isatty():
        return
    part = min(done / total, 1.0) if total else 0.0
    bar = "#" * int(WIDTH * part)
    line = f"\r{name} [{bar:<{WIDTH}}] {done / 1e6:.1f} MB"
    print(line, end="", file=sys.stderr, flush=True)


def unpack_members(
    archive: Path, folder: Path, prefix: str, files: Sequence[tuple[str, str | None]]
) -> None:
    """Write some files of a tar archive, each with its MD5, into a folder. Nothing else
    of the archive is written, whatever names it has."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as tar:
        for name, md5 in files:
            try:
                source = tar.extractfile(f"{prefix}/{name}")
            except KeyError:
                source = None
            if source is None:
                raise DataError(f"{archive}: it has no file {prefix}/{name}")
            write_whole(source, folder / name, md5)


def write_whole(source: IO[bytes], path: Path, md5: str | None) -> None:
    """Copy an open file to a place, where it appears when it is whole."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            shutil.copyfileobj(source, file, CHUNK)
        if md5 is not None and md5_of(part) != md5:
            raise DataError(f"{path.name}: MD5 {md5_of(part)} instead of {md5}")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
