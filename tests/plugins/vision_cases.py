"""Files of pictures, whole, damaged and hostile, and what may come of reading them."""

from __future__ import annotations

import gzip
import io
import pickle
import random
import struct
import tracemalloc
import warnings
import zlib
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

import plugrad
from plugrad.plugins.vision.datasets import CIFAR10, DataError, read_idx
from plugrad.plugins.vision.datasets.folder import default_loader
from plugrad.plugins.vision.datasets.pickles import read_pickle
from plugrad.plugins.vision.io import ImageError, decode_png

LIMIT = 1 << 20  # of an IDX file's numbers
# What reading a file of a few kB may take, Pillow's own memory aside.
MOST_MEMORY = 16 << 20


def bytes_of(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def idx(array):
    """An IDX file of bytes, written here and not by the code that is tested."""
    header = struct.pack(">HBB", 0, 8, array.ndim)
    return header + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_mnist(folder, count=20, size=8, zipped=False, classes=10):
    """The four files of a small MNIST; returns pictures and labels by part."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for seed, part in enumerate(("train", "t10k")):
        images = bytes_of((count, size, size), seed)
        labels = bytes_of((count,), seed + 9) % classes
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            data = idx(array)
            path = folder / f"{part}-{name}-ubyte{'.gz' if zipped else ''}"
            path.write_bytes(gzip.compress(data) if zipped else data)
        found[part] = images, labels.astype(int)
    return found


def cifar_batch(count=12, seed=0):
    """What a batch of CIFAR-10 holds."""
    pixels = bytes_of((count, 3072), seed)
    labels = [int(label) for label in bytes_of((count,), seed + 5) % 10]
    names = [f"picture_{i}.png" for i in range(count)]
    return {"batch_label": "one", "labels": labels, "data": pixels, "filenames": names}


class SmallCIFAR10(CIFAR10):
    """CIFAR-10 with files of our own, whose MD5 nobody published."""

    train_list = [["data_batch_1", None], ["data_batch_2", None]]
    test_list = [["test_batch", None]]
    meta = {"filename": "batches.meta", "key": "label_names", "md5": None}


def write_cifar(root, protocol=2):
    """The files of a SmallCIFAR10; returns their batches."""
    folder = root / SmallCIFAR10.base_folder
    folder.mkdir(parents=True)
    names = [name for name, _ in SmallCIFAR10.train_list + SmallCIFAR10.test_list]
    batches = {name: cifar_batch(seed=i) for i, name in enumerate(names)}
    for name, batch in batches.items():
        (folder / name).write_bytes(pickle.dumps(batch, protocol))
    meta = {"label_names": [f"class {i}" for i in range(10)]}
    (folder / "batches.meta").write_bytes(pickle.dumps(meta, protocol))
    return batches


# --- Damage -------------------------------------------------------------------------


def damaged(data: bytes, r: random.Random) -> bytes:
    """A file with one to three faults."""
    made = bytearray(data)
    for _ in range(r.randint(1, 3)):
        at = r.randrange(len(made) + 1)
        fault = r.randrange(6)
        if fault == 0:
            del made[at:]
        elif fault == 1:
            made[at:at] = r.randbytes(r.randint(1, 40))
        elif fault == 2:
            del made[at : at + r.randint(1, 40)]
        elif fault == 3 and made:
            made[min(at, len(made) - 1)] ^= 1 << r.randrange(8)
        elif fault == 4:
            extreme = r.choice([0, 1, 2**31 - 1, 2**31, 2**32 - 1, 10**9])
            made[at : at + 4] = struct.pack(r.choice("<>") + "I", extreme)
        else:
            made[at:at] = made[: r.randint(0, 200)]
    return bytes(made)


def with_checksums(data: bytes) -> bytes:
    """A damaged PNG file whose chunks have the right checksums again, so that the
    damage gets further than these."""
    made, place = bytearray(data), 8
    while place + 12 <= len(made):
        (size,) = struct.unpack_from(">I", made, place)
        end = place + 12 + size
        if end > len(made):
            break
        check = zlib.crc32(bytes(made[place + 4 : end - 4]))
        struct.pack_into(">I", made, end - 4, check)
        place = end
    return bytes(made)


def picture_file(kind: str, r: random.Random) -> bytes:
    """A picture as Pillow writes it."""
    mode = r.choice(["L", "RGB", "P", "RGBA", "1"] if kind == "PNG" else ["L", "RGB"])
    image = Image.frombytes("RGB", (9, 7), bytes_of((7, 9, 3), r.random() > 0.5))
    file = io.BytesIO()
    image.convert(mode).save(file, kind)
    return file.getvalue()


def idx_case(r, folder):
    data = idx(bytes_of(r.choice([(5, 4, 4), (20,), (2, 3, 5)])))
    if r.random() < 0.5:
        data = damaged(data, r)
    if r.random() < 0.5:
        data = gzip.compress(data, mtime=0)
    path = folder / "a-idx3-ubyte"
    path.write_bytes(damaged(data, r))
    limit = {"limit": LIMIT} if r.random() < 0.8 else {}
    return lambda: read_idx(path, **limit).numpy()


def pickle_case(r, folder):
    batch = cifar_batch(r.randint(0, 3))
    data = damaged(pickle.dumps(batch, r.randint(0, 5)), r)
    return lambda: read_pickle(data, "a batch")


def png_case(r, folder):
    data = damaged(picture_file("PNG", r), r)
    if r.random() < 0.7:
        data = with_checksums(data)
    tensor = plugrad.from_numpy(np.frombuffer(bytearray(data), np.uint8))
    return lambda: decode_png(tensor).numpy()


def image_case(r, folder):
    kind = r.choice(["PNG", "JPEG", "BMP", "GIF", "PPM", "TIFF", "WEBP"])
    data = damaged(picture_file(kind, r), r)
    path = folder / f"a.{kind.lower()}"
    path.write_bytes(with_checksums(data) if kind == "PNG" else data)
    return lambda: default_loader(path).size


KINDS = {
    "IDX": idx_case,
    "pickle": pickle_case,
    "PNG": png_case,
    "image": image_case,
}


@cache
def load_libraries() -> None:
    """What is imported on its first use takes memory, too, and is no file's fault."""
    Image.init()
    plugrad.zeros(1).numpy()
    read_pickle(pickle.dumps(["a", 1], 0), "a list")


def try_damaged(kind: str, seed: object, folder: Path) -> tuple[str, str]:
    """Read a damaged file: ("read" or "refused", what is wrong with that, if so)."""
    read = KINDS[kind](random.Random(f"{kind}/{seed}"), folder)
    load_libraries()
    tracemalloc.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of pictures that are large
            read()
        how, wrong = "read", ""
    except (DataError, ImageError) as error:
        how, wrong = "refused", "" if str(error).strip() else "an error without reason"
    except Exception as error:
        how, wrong = "failed", f"{type(error).__name__}: {error}"
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    if not wrong and peak > MOST_MEMORY:
        wrong = f"{peak:,} bytes of memory"
    return how, wrong


# --- Malice -------------------------------------------------------------------------


class Calls:
    """Pickled, it is a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def hostile_pickles() -> dict[str, bytes]:
    """Pickles that do something when Python's unpickler reads them; what they do is
    announced to audit hooks."""
    import os
    import subprocess

    found = {}
    for protocol in range(6):
        for name, call in (
            ("system", Calls(os.system, "true")),
            ("exec", Calls(exec, "import ftplib")),
            ("eval", Calls(eval, "__import__('ftplib')")),
            ("popen", Calls(subprocess.Popen, ["true"])),
            ("import", Calls(__import__, "ftplib")),
            ("open", Calls(open, "/dev/null", "w")),
        ):
            batch = {"labels": [1], "data": call}
            found[f"{name}, protocol {protocol}"] = pickle.dumps(batch, protocol)
    found["INST"] = b"(S'true'\nios\nsystem\n."
    found["OBJ"] = b"(cos\nsystem\nS'true'\no."
    found["NEWOBJ"] = b"cos\nsystem\n(S'true'\nt\x81."
    found["NEWOBJ_EX"] = b"\x80\x04cos\nsystem\n(S'true'\nt}\x92."
    found["STACK_GLOBAL"] = b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R."
    found["EXT1"] = b"\x82\x01."
    found["PERSID"] = b"Pthing\n."
    found["BINPERSID"] = b"S'thing'\nQ."
    found["a name below numpy"] = b"cnumpy\nload\n(S'/etc/passwd'\ntR."
    found["a dotted name"] = b"\x80\x04\x8c\x05numpy\x8c\x0bndarray.dump\x93."
    found["an object array"] = pickle.dumps(np.array([Calls(os.system, "true")], "O"))
    found["a nested key"] = b"(" + b")" + b"\x85" * 200_000 + b"I1\nd."
    return found


def bomb(size: int) -> bytes:
    """A gzip file of an IDX file of so many zeros."""
    header = struct.pack(">HBBI", 0, 8, 1, size)
    machine = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [machine.compress(header)]
    parts += [machine.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    return b"".join([*parts, machine.flush()])
