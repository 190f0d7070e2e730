"""Mutated checkpoints: nothing but CheckpointError, within a second and 64 MiB.

Files of plugrad's, of torch's layout and of torch's old format are flipped, cut,
spliced and overwritten with extreme numbers. Half of the changes are made inside the
pickle, with the checksums made right again, so that they are not noticed before it is
read: shapes without end, steps of 0, sizes that do not match their bytes, deep
nesting, names twice, keys like `../../x`. Others are zip files that unpack to more than
they are. What loads nevertheless must be a value. Memory may grow by twice the file and
64 MiB. A case is a batch of files.
"""

from __future__ import annotations

import random
import struct
import zlib

from tests.campaigns.checkpoints import (
    archive,
    legacy,
    outcome,
    parts,
    peak_kib,
    sample,
    saved,
    zipped,
)
from tests.campaigns.runner import Report, cases

BATCH = 100
BATCHES = 200
ROOM = 64 * 1024
EXTREME = [0, 1, 0x7F, 0xFF, 0xFFFF, 1 << 31, (1 << 32) - 1, 1 << 62, (1 << 63) - 1]


def run(seed: int, budget: float) -> Report:
    found = Report()
    counts = {"refused": 0, "loaded": 0}
    for case in cases(f"{BATCH} files", BATCHES, budget, found):
        for what in wrong(f"{seed}/{case}", BATCH, counts):
            found.fail(case, what)
    found.notes.append(
        f"{BATCH} files to a case: {counts['refused']:,} refused, "
        f"{counts['loaded']:,} loaded."
    )
    return found


def wrong(seed: str, files: int, counts: dict[str, int]) -> list[str]:
    """What went wrong with a batch of files."""
    rng = random.Random(seed)
    found = []
    outcome(saved(sample()))  # what is set up once
    outcome(legacy(sample()))
    for number in range(files):
        kind = rng.choice(KINDS)
        data = kind(rng)
        before = peak_kib(reset=True)
        try:
            result, _ = outcome(data)
        except AssertionError as error:
            found.append(f"file {number}, {kind.__name__}: {error}")
            continue
        grown = peak_kib() - before
        if grown > ROOM + 2 * len(data) / 1024:
            found.append(f"file {number}, {kind.__name__}: {grown:,} KiB more memory")
        counts[result] += 1
    return found


def whole(rng: random.Random) -> bytes:
    """A file of one of the three kinds."""
    obj = sample(rng.randrange(1000))
    kind = rng.randrange(3)
    if kind == 0:
        return saved(obj)
    return legacy(obj) if kind == 1 else zipped(*parts(obj))


def changed(rng: random.Random, data: bytes, pieces: list[bytes]) -> bytes:
    """Some bytes after a few random changes."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(out) + 1)
        what = rng.randrange(6)
        if what == 0 and at < len(out):
            out[at] ^= 1 << rng.randrange(8)
        elif what == 1:
            n = rng.choice(EXTREME)
            form = rng.choice("<B <H <I <Q <i >d".split())
            number = float(n) if form == ">d" else n % (1 << 31)
            size = struct.calcsize(form)
            piece = struct.pack(form, number % (1 << 8 * min(size, 3)))
            out[at : at + size] = piece
        elif what == 2:
            out[at : at + rng.randrange(40)] = b""
        elif what == 3:
            source = rng.choice([*pieces, bytes(out)])
            begin = rng.randrange(len(source) or 1)
            out[at:at] = source[begin : begin + rng.randrange(200)]
        elif what == 4:
            out[at : at + 8] = struct.pack("<Q", rng.choice(EXTREME))
        else:
            out[at : at + 1] = bytes([rng.choice(OPCODES)])
    return bytes(out)


OPCODES = bytes(range(256)) + b"Rb\x81QctuseahqrjKJMXGB(]}).012dl" * 8


def flipped_or_cut(rng: random.Random) -> bytes:
    data = whole(rng)
    if rng.random() < 0.3:
        return data[: rng.randrange(len(data))]
    return changed(rng, data, [whole(rng)])


def other_pickle(rng: random.Random) -> bytes:
    data, memories = parts(sample(rng.randrange(1000)))
    return zipped(changed(rng, data, [data]), memories)


def other_memories(rng: random.Random) -> bytes:
    data, memories = parts(sample(rng.randrange(1000)))
    for key in rng.sample(sorted(memories), 3):
        what = rng.randrange(4)
        if what == 0:
            del memories[key]
        elif what == 1:
            memories[key] = memories[key][: rng.randrange(len(memories[key]) + 1)]
        elif what == 2:
            memories[key] += bytes(rng.randrange(100))
        else:
            memories[f"../../{key}"] = memories.pop(key)
    return zipped(data, memories)


def other_shape(rng: random.Random) -> bytes:
    """One tensor of any size, steps and offset on a storage of any size."""
    nbytes = rng.choice([0, 4, 64, 4096])

    def integer() -> bytes:
        n = rng.choice([0, 0, 1, 1, 2, 3, 1000, 1 << 20, 1 << 40, 1 << 63, -1, 1 << 70])
        body = n.to_bytes(10, "little", signed=True)
        return b"\x8a\x0a" + body

    dims = rng.choice([0, 1, 2, 2, 3, 70])
    steps = dims if rng.random() < 0.9 else dims + 1
    zero = b"K\0" if rng.random() < 0.5 else None
    size = b"(" + b"".join(integer() for _ in range(dims)) + b"t"
    stride = b"(" + b"".join(zero or integer() for _ in range(steps)) + b"t"
    numel = b"K" + bytes([nbytes // 4 % 256]) if rng.random() < 0.5 else integer()
    data = (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storage"
        b"ctorch\nFloatStorage\nX\x01\0\0\0" + b"0X\x03\0\0\0cpu" + numel + b"tQ"
    )
    data += (b"K\0" if rng.random() < 0.5 else integer()) + size + stride
    data += b"\x89ccollections\nOrderedDict\n)RtR."
    return zipped(data, {"0": bytes(nbytes)})


def nested(rng: random.Random) -> bytes:
    n = rng.choice([10, 1000, 20_000])
    body = {
        0: b"(" * n + b"t" * n,
        1: b"]" * n + b"a" * (n - 1),
        2: b"}K\0" * n + b"N" + b"s" * n,
        3: b")" + b"\x85" * n,
        4: b")" + b"2\x86" * min(n, 60) + b"q\0}h\0Ns",
        5: b"(" + b"]" * n + b"t",
        6: b"(" + b"\x8f" * n + b"t",
        7: b"N" + b"\x94" * n,
        8: b"(" * n,
        9: b"]" + b"q\0h\0a" * n,
        10: b"}" + b"(" + b"\x8a\x0a" + bytes(10) + b"N" + b"u",
    }[rng.randrange(11)]
    return zipped(b"\x80\x04" + body + b".", {})


def many_keys(rng: random.Random) -> bytes:
    """Keys of one hash."""
    n = rng.choice([10, 3000])
    items = b"".join(
        b"\x8a\x0a" + (i * ((1 << 61) - 1)).to_bytes(10, "little") + b"N"
        for i in range(n)
    )
    return zipped(b"\x80\x02}(" + items + b"u.", {})


def odd_archive(rng: random.Random) -> bytes:
    data, memories = parts(sample(rng.randrange(1000)))
    pairs = [("archive/data.pkl", data)]
    pairs += [(f"archive/data/{key}", each) for key, each in memories.items()]
    what = rng.randrange(7)
    if what == 0:
        pairs.append(rng.choice(pairs))
    elif what == 1:
        pairs.append(("other/data.pkl", data))
    elif what == 2:
        pairs.append(("archive/version", rng.choice([b"", b"99", b"x", b"\xff" * 99])))
    elif what == 3:
        pairs.append(("archive/byteorder", rng.choice([b"big", b"odd", b"x" * 99])))
    elif what == 4:
        pairs = [("archive/constants.pkl", b""), *pairs]
    elif what == 5:
        pairs.append(
            ("archive/.data/plugrad_checksums", rng.choice([b"", b"x\n", b"1 2"]))
        )
    else:
        pairs = [(f"../../{name}", each) for name, each in pairs]
    return archive(pairs)


def bomb(rng: random.Random) -> bytes:
    """A record that unpacks to a gigabyte; or many entries for one place."""
    if rng.random() < 0.5:
        return overlapping(rng.choice([2, 1000]))
    size = 1 << 30
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(bytes(1 << 20)) + packer.flush()
    name = b"archive/data.pkl"
    fields = (0, 8, 0, 0, 0, len(packed), size, len(name))
    local = b"PK\3\4" + struct.pack("<HHHHHIIIHH", 20, *fields, 0) + name + packed
    entry = b"PK\1\2" + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, *fields, *[0] * 6)
    return closed(local, [entry + name])


def overlapping(n: int) -> bytes:
    """Many records that are all the same bytes."""
    data = bytes(1000)
    sum_ = zlib.crc32(data)
    fields = (0, 0, 0, 0, sum_, len(data), len(data), 16)
    local = b"PK\3\4" + struct.pack("<HHHHHIIIHH", 20, *fields, 0) + b"archive/data.pkl"
    entries = []
    for i in range(n):
        name = f"archive/data/{i:03}".encode()[:16].ljust(16, b"_")
        entry = b"PK\1\2" + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, *fields, *[0] * 6)
        entries.append(entry + name)
    return closed(local + data, entries)


def closed(front: bytes, entries: list[bytes]) -> bytes:
    """An archive with a table of contents."""
    table, n = b"".join(entries), len(entries)
    end = struct.pack("<HHHHIIH", 0, 0, n, n, len(table), len(front), 0)
    return front + table + b"PK\5\6" + end


KINDS = [
    *[flipped_or_cut] * 6,
    *[other_pickle] * 6,
    *[other_shape] * 3,
    other_memories,
    nested,
    many_keys,
    odd_archive,
    bomb,
]
