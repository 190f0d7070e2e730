"""Damaged and hostile files: samples of the campaigns, and proof that they can fail."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
from pathlib import Path
from zlib import crc32

import pytest

import plugrad
from plugrad.saving import digests, names, sources, torch_zip, zip_reader, zip_writer
from tests.campaigns import checkpoint_flips, checkpoint_mutants, checkpoints
from tests.campaigns.checkpoints import legacy, parts, sample, saved, words, zipped
from tests.campaigns.hostile_pickles import MARK, pickles

ROOT = Path(__file__).parents[2]
COUNTS = {"refused": 0, "loaded": 0}


def test_the_ways_to_write_a_sample_load_alike():
    expected = words(sample())
    for data in (saved(sample()), zipped(*parts(sample())), legacy(sample())):
        assert words(checkpoints.load(data)) == expected


# --- Damage ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_no_flipped_bit_loads_wrong(seed):
    assert checkpoint_flips.wrong(f"test {seed}", 100, COUNTS) == []


def test_every_bit_of_the_structures():
    obj = {"w": plugrad.arange(3.0), "n": 1}
    data, expected = saved(obj), words(obj)
    table = zip_reader.find_table(torch_zip.Source(io.BytesIO(data), ""))[0]
    for bit in range(8 * table, 8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        result, value = checkpoints.outcome(bytes(damaged))
        assert result == "refused" or value == expected, bit


def test_two_swapped_bytes_and_a_lost_block_are_noticed():
    obj = {"w": plugrad.arange(100_000)}
    data = saved(obj)
    at = data.index(b"\x07\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0")
    for damaged in (
        data[:at] + b"\x08" + data[at + 1 : at + 8] + b"\x07" + data[at + 9 :],
        data[:at] + bytes(4096) + data[at + 4096 :],
        data[:at] + data[at + 4096 :],
    ):
        with pytest.raises(plugrad.CheckpointError, match="damaged"):
            checkpoints.load(damaged)


def test_the_checksums_within_a_record_count():
    """What has the same CRC-32 as a whole is noticed by that of its first 4 MiB."""
    size = digests.CHUNK + 1000
    data = bytearray(saved({"w": plugrad.zeros(size, dtype=plugrad.uint8)}))
    begin = data.index(bytes(size))
    at = begin + digests.CHUNK - 2
    # the polynomial of CRC-32, bits turned around: adding it leaves the sum as it is
    polynomial = (0xEDB88320 << 1 | 1) << 3
    for i, byte in enumerate(polynomial.to_bytes(5, "little")):
        data[at + i] ^= byte
    assert crc32(data[begin : begin + size]) == crc32(bytes(size))
    with pytest.raises(plugrad.CheckpointError, match="checksum differs"):
        checkpoints.load(bytes(data))


@pytest.mark.parametrize("size", [0, 1, 3, 255, 4096, 100_003])
def test_sums_of_chunks_are_put_together(size):
    rng = random.Random(size)
    first, second = rng.randbytes(777), rng.randbytes(size)
    digest = digests.Digest()
    for data in (first, second):
        digest.join(crc32(data), len(data))
    assert digest.marks == [crc32(first), crc32(first + second)]


@pytest.mark.parametrize("chunks", [1, 2, 5.3])
def test_large_files_are_read_by_two_threads(chunks, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "CHUNK", 1 << 16)
    monkeypatch.setattr(torch_zip, "CHUNK", 1 << 16)
    monkeypatch.setattr(zip_writer, "CHUNK", 1 << 16)
    monkeypatch.setattr(sources, "LARGE", 1 << 15)
    n = int(chunks * (1 << 16))
    obj = {"w": plugrad.arange(n).to(plugrad.uint8), "n": plugrad.ones(n)}
    path = tmp_path / "large.pt"
    for data in (saved(obj), zipped(*parts(obj))):
        path.write_bytes(data)
        found = plugrad.load(path)
        for name, x in obj.items():
            assert found[name].numpy().tobytes() == x.numpy().tobytes()
        for part in (0.1, 0.5, 0.9):
            damaged = bytearray(data)
            damaged[int(part * len(data))] ^= 1
            path.write_bytes(damaged)
            with pytest.raises(plugrad.CheckpointError, match="checksum differs"):
                plugrad.load(path)


def test_a_failure_in_the_other_thread_is_raised_here():
    def fail():
        raise OSError(5, "lost")

    for jobs in ([fail, fail], [fail, int, int, fail], [int, fail]):
        with pytest.raises(OSError, match="lost"), digests.Summing() as summing:
            summing.share(jobs)


def test_a_flip_would_be_seen(monkeypatch):
    monkeypatch.setattr(torch_zip.Reader, "finish", lambda self: None)
    monkeypatch.setattr(torch_zip.Reader, "read_sums", lambda self: None)
    assert checkpoint_flips.wrong("test", 100, COUNTS)


@pytest.mark.parametrize("seed", range(5))
def test_mutants_are_refused_quickly(seed):
    assert checkpoint_mutants.wrong(f"test {seed}", 100, COUNTS) == []


def test_a_mutant_would_be_seen(monkeypatch):
    def careless(self, stored, dtype):
        raise KeyError("no check")

    monkeypatch.setattr(checkpoint_mutants, "saved", lambda obj: saved(0))
    monkeypatch.setattr(checkpoint_mutants, "legacy", lambda obj: legacy(0))
    monkeypatch.setattr(torch_zip.Reader, "fetch", careless)
    monkeypatch.setattr("plugrad.saving.files.UNFORESEEN", ())
    found = checkpoint_mutants.wrong("test", 100, COUNTS)
    assert found and "KeyError" in found[0]


def test_the_error_names_the_file_and_the_reason(tmp_path):
    path = tmp_path / "model.pt"
    for data, reason in (
        (b"", "the file is empty"),
        (b"text", "it is no checkpoint"),
        (b"\x80\x02N.", "magic number"),
        (saved({"w": plugrad.ones(9)})[:-30], "cut off, or damaged"),
    ):
        path.write_bytes(data)
        with pytest.raises(plugrad.CheckpointError, match=f"model.pt: .*{reason}"):
            plugrad.load(path)
    with pytest.raises(FileNotFoundError):
        plugrad.load(tmp_path / "none.pt")


def test_a_zip_file_of_something_else():
    import zipfile

    for name, reason in (("a.txt", "no data.pkl"), ("a.npy", "format='npz'")):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(name, "x")
        with pytest.raises(plugrad.CheckpointError, match=reason):
            checkpoints.load(file.getvalue())
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", "x" * 1000)
    with pytest.raises(plugrad.CheckpointError, match="compressed"):
        checkpoints.load(file.getvalue())


# --- Harm -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def attempts():
    """What became of all hostile pickles, loaded by a process under an audit hook."""
    run = [sys.executable, "-m", "tests.campaigns.hostile_pickles"]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert MARK not in done.stdout.replace(f"echo {MARK}", "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_hostile_pickles_are_refused_by_name(attempts):
    assert len(pickles()) >= 200
    assert len(attempts) == 4 * len(pickles()) + 1
    for name, kind, weights_only, raised, said, word, _ in attempts[:-1]:
        case = name, kind, weights_only
        assert raised == "CheckpointError", (case, raised, said)
        assert word in said, (case, said, word)


def test_no_code_of_hostile_pickles_runs(attempts):
    heard = {(each[0], each[1]): each[-1] for each in attempts[:-1] if each[-1]}
    assert heard == {}
    assert {"compile", "exec"} <= set(attempts[-1][-1])  # the hook hears


def test_a_pickle_that_runs_would_be_seen(monkeypatch):
    monkeypatch.setitem(names.RENAMED, "os", "builtins")
    data = b"\x80\x02cos\nset\n(]tR."
    assert checkpoints.load(zipped(data, {})) == set()


def test_keys_that_take_long_to_hash_are_refused():
    deep = b"\x80\x02K\1" + b"2\x86" * 40 + b"q\0}h\0Ns."
    with pytest.raises(plugrad.CheckpointError, match="too many parts"):
        checkpoints.load(zipped(deep, {}))
