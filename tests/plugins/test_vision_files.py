"""Files that are damaged, oversized or hostile: a clear error, little memory, and
nothing in them is executed."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import subprocess
import sys
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from PIL import Image

import plugrad
from plugrad.plugins.vision import png
from plugrad.plugins.vision.datasets import (
    CIFAR10,
    MNIST,
    DataError,
    ImageFolder,
    read_idx,
    write_idx,
)
from plugrad.plugins.vision.datasets.folder import default_loader
from plugrad.plugins.vision.datasets.pickles import read_pickle
from plugrad.plugins.vision.io import (
    ImageError,
    decode_png,
    encode_png,
    read_file,
    read_image,
)
from tests.plugins.vision_cases import (
    KINDS,
    SmallCIFAR10,
    bomb,
    bytes_of,
    cifar_batch,
    hostile_pickles,
    idx,
    try_damaged,
    write_cifar,
    write_mnist,
)

SAMPLES = 800  # of each kind; the campaign `pictures` goes on


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_read_or_refused(kind, tmp_path):
    outcomes, wrongs = Counter(), []
    for seed in range(SAMPLES):
        how, wrong = try_damaged(kind, seed, tmp_path)
        outcomes[how] += 1
        if wrong:
            wrongs.append(f"{seed}: {how}, {wrong}")
    assert wrongs == []
    assert outcomes["refused"] > SAMPLES / 4 and outcomes["read"] > 0


# ---- IDX


@pytest.mark.parametrize("zipped", ["", ".gz"])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "float32"])
def test_idx_goes_out_and_in(tmp_path, dtype, zipped):
    values = (plugrad.randn(3, 4, 5) * 50).to(getattr(plugrad, dtype))
    write_idx(tmp_path / f"a{zipped}", values)
    found = read_idx(tmp_path / f"a{zipped}")
    assert found.dtype is values.dtype and found.equal(values)


def test_idx_is_what_others_write(tmp_path):
    array = bytes_of((3, 5, 4))
    (tmp_path / "plain").write_bytes(idx(array))
    write_idx(tmp_path / "ours", plugrad.from_numpy(array))
    assert (tmp_path / "ours").read_bytes() == idx(array)
    np.testing.assert_array_equal(read_idx(tmp_path / "plain").numpy(), array)


def memory_of(read, error):
    """The most memory that it takes to refuse a file."""
    tracemalloc.start()
    try:
        with pytest.raises(error) as raised:
            read()
        return tracemalloc.get_traced_memory()[1], str(raised.value)
    finally:
        tracemalloc.stop()


CLAIMS = {
    "10**12 pictures": (b"\0\0\x08\3" + struct.pack(">III", 10**6, 1000, 1000), ""),
    "more than there are": (
        b"\0\0\x08\1" + struct.pack(">I", 10**8) + b"abc",
        "after 3",
    ),
    "less than there are": (b"\0\0\x08\1" + struct.pack(">I", 2) + b"abc", "more"),
    "100 dimensions": (
        b"\0\0\x08\x64" + struct.pack(">100I", *[1] * 100) + b"a",
        "shape",
    ),
    "255 dimensions": (b"\0\0\x08\xff" + bytes(100), "within its header"),
    "an unknown type": (b"\0\0\x0a\1" + bytes(8), "not an IDX file"),
    "nothing": (b"", "nothing"),
}


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("claim", CLAIMS)
def test_a_header_that_lies_takes_no_memory(tmp_path, claim, zipped):
    data, reason = CLAIMS[claim]
    path = tmp_path / "lies-idx3-ubyte"
    path.write_bytes(gzip.compress(data) if zipped else data)
    peak, text = memory_of(lambda: read_idx(path), DataError)
    assert peak < 4 << 20
    assert "lies-idx3-ubyte" in text and reason in text


def test_a_bomb_stops_at_the_limit(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(bomb(64 << 20))
    assert path.stat().st_size < 100_000
    peak, text = memory_of(lambda: read_idx(path, limit=1 << 20), DataError)
    assert peak < 8 << 20 and "limit" in text
    assert len(read_idx(path)) == 64 << 20  # by default there is room for that


def test_gzip_is_checked_to_its_end(tmp_path):
    data = bytearray(gzip.compress(idx(bytes_of((4, 4, 4)))))
    path = tmp_path / "a.gz"
    for change in (lambda: data.__setitem__(-5, data[-5] ^ 1), lambda: data.pop()):
        change()
        path.write_bytes(data)
        with pytest.raises(DataError, match="not a whole gzip file"):
            read_idx(path)


@pytest.mark.parametrize(
    "name, array, reason",
    [
        (
            "train-labels-idx1-ubyte",
            np.zeros(19, np.uint8),
            "19 labels for 20 pictures",
        ),
        ("train-labels-idx1-ubyte", np.full(20, 10, np.uint8), "there are 10 classes"),
        ("train-labels-idx1-ubyte", np.zeros((20, 1), np.uint8), "a byte for each"),
        ("train-images-idx3-ubyte", np.zeros((20, 8), np.uint8), "pictures of bytes"),
    ],
)
def test_files_that_do_not_fit_together(tmp_path, name, array, reason):
    write_mnist(tmp_path)
    (tmp_path / name).write_bytes(idx(array))
    with pytest.raises(DataError, match=reason) as raised:
        MNIST(tmp_path)
    assert name in str(raised.value)


# ---- Pickles


@pytest.mark.parametrize("protocol", range(6))
def test_batches_are_what_the_unpickler_gives(protocol):
    batch = cifar_batch()
    ours = read_pickle(pickle.dumps(batch, protocol), "batch")
    theirs = pickle.loads(pickle.dumps(batch, protocol))
    np.testing.assert_array_equal(ours.pop("data"), theirs.pop("data"))
    assert ours == theirs


def test_a_batch_of_python_2():
    """Where strings are bytes, arrays hold one, and integers may be LONG."""
    data = bytes_of((2, 3))
    written = (
        b"\x80\x02}q\x01(U\x06labelsq\x02]q\x03(K\x03\x8a\x01\x05eU\x04dataq\x04"
        b"cnumpy.core.multiarray\n_reconstruct\nq\x05cnumpy\nndarray\nq\x06K\x00\x85"
        b"U\x01b\x87Rq\x07(K\x01K\x02K\x03\x86cnumpy\ndtype\nq\x08U\x02u1K\x00K\x01\x87R"
        b"q\x09(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x06"
        + data.tobytes()
        + b"tbu."
    )
    ours = read_pickle(written, "batch")
    theirs = pickle.loads(written, encoding="latin1")
    assert ours["labels"] == theirs["labels"] == [3, 5]
    np.testing.assert_array_equal(ours["data"], theirs["data"])
    np.testing.assert_array_equal(ours["data"], data)


AUDIT = """
import pickle
import sys
from plugrad.plugins.vision.datasets import DataError
from plugrad.plugins.vision.datasets.pickles import read_pickle
from tests.plugins.vision_cases import hostile_pickles

cases = hostile_pickles()
for protocol in range(6):  # Python imports a codec on its first use
    read_pickle(pickle.dumps(dict(a=[1, "b"]), protocol), "warm")
seen = []
watching = False
sys.addaudithook(lambda event, args: watching and seen.append(event))
for name, data in cases.items():
    watching = True
    try:
        read_pickle(data, "hostile")
        problem = "it was read"
    except DataError as error:
        problem = "" if "hostile: " in str(error) else str(error)
    watching = False
    if problem or seen:
        print(name, problem, seen)
    seen.clear()
assert "ftplib" not in sys.modules
watching = True
{proof}
watching = False
print("done", len(cases), {counted})
"""


def run(code):
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_in_a_pickle_is_executed():
    found = run(AUDIT.format(proof="", counted="len(seen)"))
    assert found == f"done {len(hostile_pickles())} 0\n"


def test_the_audit_hook_sees_what_the_unpickler_executes():
    proof = "pickle.loads(cases['system, protocol 2'])"
    found = run(AUDIT.format(proof=proof, counted="'os.system' in seen"))
    assert found.splitlines()[-1].endswith(" True")


def test_a_hostile_batch_of_cifar(tmp_path):
    write_cifar(tmp_path)
    path = tmp_path / SmallCIFAR10.base_folder / "data_batch_2"
    path.write_bytes(hostile_pickles()["system, protocol 4"])
    with pytest.raises(DataError, match="nothing of it was") as raised:
        SmallCIFAR10(tmp_path)
    assert "data_batch_2" in str(raised.value) and "system" in str(raised.value)
    SmallCIFAR10(tmp_path, train=False)


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"data": bytes_of((12, 3071))}, "shape"),
        ({"data": bytes_of((12, 3072)).astype("i4")}, "no array 'data' of bytes"),
        ({"data": [1, 2]}, "no array 'data' of bytes"),
        ({"labels": [1] * 11}, "of 12 labels"),
        ({"labels": [1] * 11 + [10]}, "from 0 to 9"),
        ({"labels": [1] * 11 + ["1"]}, "from 0 to 9"),
        ({"labels": None}, "of 12 labels"),
    ],
)
def test_a_batch_that_holds_something_else(tmp_path, change, reason):
    write_cifar(tmp_path)
    path = tmp_path / SmallCIFAR10.base_folder / "test_batch"
    path.write_bytes(pickle.dumps({**cifar_batch(), **change}))
    with pytest.raises(DataError, match=reason) as raised:
        SmallCIFAR10(tmp_path, train=False)
    assert "test_batch" in str(raised.value)


def test_published_files_are_known_by_their_md5(tmp_path):
    folder = tmp_path / CIFAR10.base_folder
    folder.mkdir()
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": ["a"] * 10}, 2))
    with pytest.raises(RuntimeError, match="not found or corrupted") as raised:
        CIFAR10(tmp_path)
    assert "with MD5" in str(raised.value) and "batches.meta" in str(raised.value)


# ---- Pictures


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "1"])
def test_png_is_read_as_pillow_reads_it(mode, tmp_path):
    smooth = np.linspace(0, 255, 30 * 40 * 3).astype(np.uint8).reshape(30, 40, 3)
    for pixels in (smooth, bytes_of((30, 40, 3)), bytes_of((1, 1, 3))):
        height, width = pixels.shape[:2]
        image = Image.frombytes("RGB", (width, height), pixels.tobytes()).convert(mode)
        path = tmp_path / "a.png"
        image.save(path, optimize=True)
        expected = image.convert({"P": "RGB", "1": "L"}.get(mode, mode))
        assert read_image(tmp_path / "a.png").equal(decode_png(read_file(path)))
        found = decode_png(read_file(path)).permute(1, 2, 0).numpy()
        expected = np.asarray(expected)
        np.testing.assert_array_equal(found, expected.reshape(found.shape))


@pytest.mark.parametrize("how", range(5))
def test_every_filter_of_png(how):
    """Rows are filtered here as the specification says, one byte after the other."""
    pixels = bytes_of((6, 7, 3), how).astype(int)
    rows = pixels.reshape(6, -1)
    left = np.pad(rows, ((0, 0), (3, 0)))[:, :-3]
    up = np.pad(rows, ((1, 0), (0, 0)))[:-1]
    corner = np.pad(left, ((1, 0), (0, 0)))[:-1]
    far = [abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)]
    paeth = np.where(far[1] <= far[2], up, corner)
    paeth = np.where((far[0] <= far[1]) & (far[0] <= far[2]), left, paeth)
    guess = [0 * rows, left, up, (left + up) // 2, paeth][how]
    lines = np.insert((rows - guess) % 256, 0, how, axis=1).astype(np.uint8)
    found = png.unfiltered(lines, 3)
    np.testing.assert_array_equal(found, rows)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pillow_reads_what_is_written(channels):
    pixels = bytes_of((channels, 5, 9))
    data = encode_png(plugrad.from_numpy(pixels)).numpy().tobytes()
    image = Image.open(io.BytesIO(data))
    image.load()
    found = np.asarray(image).reshape(5, 9, channels)
    np.testing.assert_array_equal(found, pixels.transpose(1, 2, 0))


@pytest.mark.parametrize("mode", ["GRAY", "GRAY_ALPHA", "RGB", "RGB_ALPHA"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_channels_are_converted_as_pillow_does(channels, mode):
    names = {"GRAY": "L", "GRAY_ALPHA": "LA", "RGB": "RGB", "RGB_ALPHA": "RGBA"}
    data = encode_png(plugrad.from_numpy(bytes_of((channels, 5, 9))))
    image = Image.open(io.BytesIO(data.numpy().tobytes()))
    found = decode_png(data, mode).permute(1, 2, 0).numpy()
    expected = np.asarray(image.convert(names[mode]))
    np.testing.assert_array_equal(found, expected.reshape(found.shape))


def png_with(header, packed=b""):
    parts = [(b"IHDR", header), (b"IDAT", packed), (b"IEND", b"")]
    return png.SIGNATURE + b"".join(png.chunk(*part) for part in parts)


def as_tensor(data):
    return plugrad.from_numpy(np.frombuffer(bytearray(data), np.uint8))


@pytest.mark.parametrize(
    "width, height, reason",
    [
        (2**31, 2**31, "pixels, more than"),
        (8_000, 8_000, "do not make up"),
        (0, 5, ""),
    ],
)
def test_a_png_that_claims_much_takes_no_memory(width, height, reason):
    data = as_tensor(png_with(struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))
    peak, text = memory_of(lambda: decode_png(data), ImageError)
    assert peak < 1 << 20 and reason in text


def test_a_bomb_in_a_png_stops():
    import zlib

    packed = zlib.compress(bytes(64 << 20), 9)
    header = struct.pack(">IIBBBBB", 100, 100, 8, 2, 0, 0, 0)
    data = as_tensor(png_with(header, packed))
    peak, text = memory_of(lambda: decode_png(data), ImageError)
    assert peak < 2 << 20 and "do not make up" in text


def test_a_damaged_picture_in_a_folder_is_named(tmp_path):
    (tmp_path / "cat").mkdir()
    path = tmp_path / "cat" / "a.png"
    Image.new("RGB", (40, 40), "red").save(path)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match="a.png: not a whole picture"):
        ImageFolder(tmp_path)[0]
    with pytest.raises(FileNotFoundError):
        default_loader(tmp_path / "cat" / "b.png")
    with pytest.raises(ImageError, match="a.png: "):
        read_image(path)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [9_000, 11_000, 50_000])
def test_a_picture_that_claims_much_is_refused(tmp_path, side):
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    (tmp_path / "a.png").write_bytes(png_with(header))
    with pytest.raises(DataError, match="a.png: .*pixels"):
        default_loader(tmp_path / "a.png")
    with pytest.raises(ImageError, match="a.png: .*pixels"):
        read_image(tmp_path / "a.png")
