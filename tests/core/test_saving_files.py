"""A path is replaced as a whole or not at all, whatever fails."""

from __future__ import annotations

import errno
import io
import os
import random
import stat
import threading

import pytest

import plugrad
from plugrad.saving import atomic
from tests.campaigns.checkpoint_kills import kill_once

OLD = {"which": 0, "w": plugrad.zeros(1 << 19)}
NEW = {"which": 1, "w": plugrad.ones(1 << 19)}


class Failing(atomic.Part):
    """A file whose writes fail from the `last` on, after having written a part."""

    left = 0

    def write(self, data):
        Failing.left -= 1
        if Failing.left < 0:
            super().write(bytes(data)[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def fail_write(monkeypatch, n):
    Failing.left = n
    monkeypatch.setattr(atomic, "Part", Failing)


def fail_call(name, error):
    """Make the n-th call of a function of `os` fail."""

    def patch(monkeypatch, n):
        real, left = getattr(os, name), [n]

        def call(*args, **kwargs):
            left[0] -= 1
            if left[0] < 0:
                raise OSError(error, os.strerror(error))
            return real(*args, **kwargs)

        monkeypatch.setattr(os, name, call)

    return patch


FAILURES = {
    **{f"write {n}": (fail_write, n) for n in range(3)},
    "fsync of the file": (fail_call("fsync", errno.EIO), 0),
    "fsync of the folder": (fail_call("fsync", errno.EIO), 1),
    "rename": (fail_call("replace", errno.EIO), 0),
    "open": (fail_call("open", errno.ENOSPC), 0),
    "chmod": (fail_call("fchmod", errno.EPERM), 0),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_leaves_the_old_or_the_new(name, tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pt"
    plugrad.save(OLD, path)
    patch, n = FAILURES[name]
    with monkeypatch.context() as patched:
        patch(patched, n)
        with pytest.raises(OSError):
            plugrad.save(NEW, path)
    found = plugrad.load(path)
    expected = NEW if name == "fsync of the folder" else OLD
    assert found["which"] == expected["which"]
    assert bool((found["w"] == expected["w"]).all())
    assert os.listdir(tmp_path) == [path.name]
    plugrad.save(NEW, path)
    assert plugrad.load(path)["which"] == 1
    assert os.listdir(tmp_path) == [path.name]


def test_every_write_may_fail(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pt"
    plugrad.save(OLD, path)
    many = {"which": 1, "w": [plugrad.ones(300_000) for _ in range(4)]}
    for n in range(100):
        with monkeypatch.context() as patched:
            fail_write(patched, n)
            try:
                plugrad.save(many, path)
                break
            except OSError:
                assert plugrad.load(path)["which"] == 0
                assert os.listdir(tmp_path) == [path.name]
    assert n > 6
    assert plugrad.load(path)["which"] == 1


def test_a_failure_while_the_disk_is_written_to_is_an_error(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pt"
    plugrad.save(OLD, path)
    with monkeypatch.context() as patched:
        patched.setattr(atomic, "EARLY", 1 << 20)
        fail_call("fdatasync", errno.EIO)(patched, 1)
        with pytest.raises(OSError):
            plugrad.save({"which": 1, "w": plugrad.ones(1 << 22)}, path)
    assert plugrad.load(path)["which"] == 0
    assert os.listdir(tmp_path) == [path.name]


def test_a_failure_of_a_first_save_leaves_nothing(tmp_path, monkeypatch):
    fail_write(monkeypatch, 2)
    with pytest.raises(OSError):
        plugrad.save(NEW, tmp_path / "checkpoint.pt")
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_saved_touches_no_file(tmp_path):
    path = tmp_path / "checkpoint.pt"
    plugrad.save(OLD, path)
    with pytest.raises(TypeError):
        plugrad.save([OLD, object()], path)
    assert plugrad.load(path)["which"] == 0
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("seed", range(4))
def test_kill_9(seed, tmp_path):
    kill_once(tmp_path, random.Random(seed))


def test_strays_are_removed_and_others_are_not(tmp_path):
    path = tmp_path / "a.pt"
    stray = tmp_path / f"{atomic.start('a.pt')}{'0' * 12}{atomic.ENDING}"
    others = [
        tmp_path / f"{atomic.start('b.pt')}{'0' * 12}{atomic.ENDING}",
        tmp_path / f"{atomic.start('a.pt')}{'0' * 11}{atomic.ENDING}",
        tmp_path / ".a.pt.swp",
    ]
    for each in [stray, *others]:
        each.write_bytes(b"x")
    plugrad.save(OLD, path)
    assert sorted(os.listdir(tmp_path)) == sorted(p.name for p in [path, *others])


def test_a_save_that_goes_on_is_no_stray(tmp_path):
    path = tmp_path / "a.pt"
    with atomic.replacing(str(path)) as file:
        plugrad.save(NEW, path)
        plugrad.save(OLD, file)
    assert plugrad.load(path)["which"] == 0
    assert os.listdir(tmp_path) == [path.name]


def test_saves_at_the_same_time(tmp_path):
    path = tmp_path / "a.pt"
    small = [{"which": i, "w": plugrad.full((1000,), float(i))} for i in range(4)]

    def work(obj):
        for _ in range(20):
            plugrad.save(obj, path)
            found = plugrad.load(path)
            assert bool((found["w"] == found["which"]).all())

    errors = []

    def guarded(obj):
        try:
            work(obj)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(obj,)) for obj in small]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert os.listdir(tmp_path) == [path.name]


# --- Modes, links, names --------------------------------------------------------------


@pytest.fixture
def umask():
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_a_new_file_follows_the_umask(tmp_path, umask):
    plugrad.save(OLD, tmp_path / "a.pt")
    assert mode(tmp_path / "a.pt") == 0o666 & ~umask


@pytest.mark.parametrize("bits", [0o600, 0o644, 0o666, 0o755])
def test_an_existing_file_keeps_its_mode(tmp_path, umask, bits):
    path = tmp_path / "a.pt"
    path.write_bytes(b"")
    os.chmod(path, bits)
    plugrad.save(OLD, path)
    assert mode(path) == bits
    assert plugrad.load(path)["which"] == 0


def test_a_link_stays_a_link(tmp_path):
    real, link = tmp_path / "run" / "real.pt", tmp_path / "latest.pt"
    real.parent.mkdir()
    link.symlink_to(real)
    for obj in (OLD, NEW):
        plugrad.save(obj, link)
        assert link.is_symlink() and plugrad.load(real)["which"] == obj["which"]
    assert os.listdir(real.parent) == ["real.pt"]


def test_names_and_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.pt", "\u00fc \u4e2d.pt", "x" * 252 + ".pt", ".hidden", "-"):
        plugrad.save({"which": name}, name)
        assert plugrad.load(name) == {"which": name}
        plugrad.save({"which": name}, tmp_path / name)
        os.remove(name)
    assert os.listdir(tmp_path) == []
    with pytest.raises(FileNotFoundError):
        plugrad.save(OLD, "none/a.pt")
    with pytest.raises(IsADirectoryError):
        plugrad.save(OLD, tmp_path)


def test_what_is_no_regular_file_is_written_to():
    plugrad.save(OLD, "/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_file_objects():
    class Slow(io.RawIOBase):
        """Takes and gives a few bytes at a time."""

        def __init__(self):
            self.inner = io.BytesIO()

        def writable(self):
            return True

        def readable(self):
            return True

        def seekable(self):
            return True

        def write(self, data):
            return self.inner.write(bytes(data)[:700])

        def readinto(self, target):
            data = self.inner.read(min(len(target), 900))
            target[: len(data)] = data
            return len(data)

        def seek(self, *args):
            return self.inner.seek(*args)

        def tell(self):
            return self.inner.tell()

    obj = {"w": plugrad.arange(5000)}
    for file in (io.BytesIO(), Slow()):
        file.seek(0)
        plugrad.save(obj, file)
        file.seek(0)
        found = plugrad.load(file)
        assert found["w"].tolist() == obj["w"].tolist()
    with pytest.raises(AttributeError, match="write"):
        plugrad.save(obj, 5)
    with pytest.raises(AttributeError, match="read"):
        plugrad.load(5)


def test_a_file_object_that_stands_in_the_middle():
    file = io.BytesIO()
    file.write(b"front")
    plugrad.save({"w": plugrad.ones(3)}, file)
    file.seek(5)
    assert plugrad.load(file)["w"].tolist() == [1.0, 1.0, 1.0]
