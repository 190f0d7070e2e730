"""Datasets of pictures: where their files may lie, what a sample is, downloads, and the
digits that come with plugrad-vision."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import subprocess
import sys
import tarfile
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import plugrad
from plugrad import nn
from plugrad.plugins.vision import datasets, models, transforms
from plugrad.plugins.vision.datasets import (
    EMNIST,
    KMNIST,
    MNIST,
    DataError,
    DatasetFolder,
    Digits,
    FakeData,
    FashionMNIST,
    ImageFolder,
    VisionDataset,
    downloads,
)
from plugrad.plugins.vision.datasets.downloads import fetch, md5_of, unpack_members
from plugrad.utils.data import DataLoader, Subset
from tests.plugins.vision_cases import (
    SmallCIFAR10,
    bytes_of,
    idx,
    write_cifar,
    write_mnist,
)

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
STEPS = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.5, 0.25)])


# ---- Digits


def test_digits_are_split_by_the_rule():
    train, test = Digits(), Digits(train=False)
    assert len(train) + len(test) == 1797
    for digit in range(10):
        held, kept = (int((each.targets == digit).sum()) for each in (test, train))
        assert held == (held + kept) // 5
    both = plugrad.cat([train.data, test.data])
    assert both.min().item() == 0 and both.max().item() == 255
    assert len(plugrad.unique(both)) == 17


def test_digits_take_the_place_of_mnist():
    digits = Digits("nowhere", train=False, download=True)
    assert digits.data.equal(Digits(train=False).data)
    assert Path(digits.root).is_dir()


def test_digits_can_be_learnt():
    plugrad.manual_seed(0)
    net = models.MLP(64, 64, 10)
    adam = plugrad.optim.Adam(net.parameters(), 0.003)
    loader = DataLoader(Digits(transform=STEPS), 64, shuffle=True)
    for _ in range(12):
        for x, y in loader:
            adam.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            adam.step()
    x, y = next(iter(DataLoader(Digits(train=False, transform=STEPS), 355)))
    assert (net(x).argmax(1) == y).float().mean().item() > 0.93


# ---- Where files lie


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("kind", [MNIST, FashionMNIST, KMNIST])
@pytest.mark.parametrize("place", ["raw", "flat"])
def test_files_are_found(tmp_path, kind, place, zipped):
    folder = tmp_path / kind.__name__ / "raw" if place == "raw" else tmp_path
    written = write_mnist(folder, zipped=zipped)
    for part, train in (("train", True), ("t10k", False)):
        dataset = kind(tmp_path, train=train)
        images, labels = written[part]
        np.testing.assert_array_equal(dataset.data.numpy(), images)
        assert dataset.targets.tolist() == labels.tolist()
        image, label = dataset[3]
        assert (image.mode, label) == ("L", labels[3])
        np.testing.assert_array_equal(np.asarray(image), images[3])


def test_emnist_has_names_of_its_own(tmp_path):
    images, labels = bytes_of((5, 28, 28)), bytes_of((5,)) % 47
    for name, array in (("images-idx3", images), ("labels-idx1", labels)):
        path = tmp_path / f"emnist-balanced-test-{name}-ubyte"
        path.write_bytes(idx(array))
    dataset = EMNIST(tmp_path, "balanced", train=False)
    np.testing.assert_array_equal(dataset.data.numpy(), images)
    with pytest.raises(ValueError, match="Unknown value 'all'"):
        EMNIST(tmp_path, "all")
    with pytest.raises(RuntimeError, match="emnist-letters-train-images"):
        EMNIST(tmp_path, "letters")


@pytest.mark.skipif(
    not DEBIAN.is_dir(), reason="dataset-fashion-mnist is not installed"
)
def test_debians_fashion_mnist():
    train, test = FashionMNIST(DEBIAN), FashionMNIST(str(DEBIAN), train=False)
    assert (len(train), len(test)) == (60_000, 10_000)
    assert set(plugrad.bincount(train.targets).tolist()) == {6000}


def test_missing_files_are_named(tmp_path):
    with pytest.raises(RuntimeError, match="Dataset not found") as raised:
        FashionMNIST(tmp_path)
    text = str(raised.value)
    assert "download=True" in text and "train-labels-idx1-ubyte[.gz]" in text
    assert str(tmp_path / "FashionMNIST" / "raw") in text


def test_a_home_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_mnist(tmp_path / "data")
    assert len(MNIST("~/data")) == 20


# ---- Samples


TRANSFORMS = {
    "none": None,
    "no steps": transforms.Compose([]),
    "to tensor": transforms.ToTensor(),
    "and normalised": STEPS,
    "twice": transforms.Compose([STEPS, transforms.Normalize(0.1, 2.0)]),
    "and at random": transforms.Compose(
        [*STEPS.transforms, transforms.RandomErasing()]
    ),
    "cropped": transforms.Compose([transforms.RandomCrop(6), transforms.ToTensor()]),
    "with margins": transforms.Compose(
        [transforms.RandomCrop(9, (1, 2), fill=7), STEPS, transforms.Normalize(1, 2)]
    ),
    "wider": transforms.Compose(
        [transforms.RandomCrop(40, [3], pad_if_needed=True), transforms.PILToTensor()]
    ),
    "mirrored": transforms.Compose(
        [
            transforms.RandomHorizontalFlip(),
            transforms.RandomVerticalFlip(),
            transforms.ToTensor(),
        ]
    ),
    "and erased": transforms.Compose(
        [transforms.RandomHorizontalFlip(), STEPS, transforms.RandomErasing()]
    ),
    "reflected": transforms.Compose(
        [transforms.RandomCrop(9, 2, padding_mode="reflect"), transforms.ToTensor()]
    ),
    "margins cut off": transforms.Compose(
        [transforms.RandomCrop(5, -1), transforms.ToTensor()]
    ),
    "much too light": transforms.Compose(
        [transforms.RandomCrop(8, 2, fill=300), transforms.ToTensor()]
    ),
    "by Pillow": transforms.Compose(
        [transforms.CenterCrop(6), transforms.RandomCrop(5), transforms.ToTensor()]
    ),
    "bytes": transforms.PILToTensor(),
    "in place": transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize(0.5, 0.25, inplace=True)]
    ),
}


def sample_of(dataset, index, transform):
    """The sample as torchvision's rule has it: the transform of a Pillow image."""
    image = Image.fromarray(np.ascontiguousarray(np.asarray(dataset.data[index])))
    return (image if transform is None else transform(image)), dataset.targets[index]


def same(a, b):
    if isinstance(a, plugrad.Tensor):
        return a.dtype is b.dtype and a.equal(b)
    return np.array_equal(np.asarray(a), np.asarray(b)) and a.mode == b.mode


def small_dataset(kind, folder, transform):
    if kind == "MNIST":
        write_mnist(folder)
        return MNIST(folder, transform=transform)
    write_cifar(folder)
    return SmallCIFAR10(folder, transform=transform)


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("kind", ["MNIST", "CIFAR10"])
def test_samples_one_by_one_and_together(kind, name, tmp_path):
    transform = TRANSFORMS[name]
    dataset = small_dataset(kind, tmp_path, transform)
    indices = [3, 0, 11, 3, -1]
    plugrad.manual_seed(0)
    expected = [sample_of(dataset, i, transform) for i in indices]
    plugrad.manual_seed(0)
    single = [dataset[i] for i in indices]
    plugrad.manual_seed(0)
    together = dataset.__getitems__(indices)
    for found in (single, together):
        for (image, label), (wanted, target) in zip(found, expected, strict=True):
            assert same(image, wanted)
            assert type(label) is int and label == target


def test_a_crop_may_change_what_it_does(tmp_path):
    crop = transforms.RandomCrop(9, padding=2)
    transform = transforms.Compose([crop, transforms.ToTensor()])
    dataset = small_dataset("MNIST", tmp_path, transform)
    for mode in ("constant", "edge"):
        crop.padding_mode = mode
        plugrad.manual_seed(3)
        found, _ = dataset[5]
        plugrad.manual_seed(3)
        expected, _ = sample_of(dataset, 5, transform)
        assert same(found, expected)


def test_a_subclass_says_what_a_sample_is(tmp_path):
    class Reversed(MNIST):
        resources = MNIST.resources

        def __getitem__(self, index):
            image, label = super().__getitem__(index)
            return image, 9 - label

    write_mnist(tmp_path)
    dataset = Reversed(tmp_path, transform=STEPS)
    assert dataset.__getitems__([1, 2])[1][1] == 9 - int(dataset.targets[2])


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:this DataLoader starts:UserWarning")
def test_a_loader_gives_the_same_batches(tmp_path, workers):
    write_mnist(tmp_path)
    dataset = MNIST(tmp_path, transform=STEPS, target_transform=lambda y: y + 100)
    part = Subset(dataset, [5, 1, 7, 2])
    batches = list(DataLoader(part, batch_size=3, num_workers=workers))
    x = plugrad.cat([images for images, _ in batches])
    y = plugrad.cat([labels for _, labels in batches])
    assert x.equal(plugrad.stack([dataset[i][0] for i in part.indices]))
    assert y.tolist() == [dataset.targets[i].item() + 100 for i in part.indices]


def test_data_and_transform_may_be_replaced(tmp_path):
    write_mnist(tmp_path)
    dataset = MNIST(tmp_path)
    dataset.data, dataset.targets = dataset.data[5:], dataset.targets[5:]
    dataset.transform = transforms.ToTensor()
    assert len(dataset) == 15
    expected = dataset.data[2].float() / 255
    assert dataset[2][0].equal(expected[None])


def test_a_dataset_goes_to_another_process():
    dataset = Digits(train=False, transform=STEPS)
    again = pickle.loads(pickle.dumps(dataset))
    assert repr(again) == repr(dataset)
    assert again[7][0].equal(dataset[7][0])


def test_data_may_be_a_list(tmp_path):
    write_mnist(tmp_path)
    dataset = MNIST(tmp_path, transform=STEPS)
    expected = dataset.__getitems__([1, 2])
    dataset.data, dataset.targets = list(dataset.data.numpy()), [3] * 20
    found = dataset.__getitems__([1, 2])
    assert [x.equal(y) for (x, _), (y, _) in zip(found, expected)] == [True, True]
    assert [label for _, label in found] == [3, 3]


def test_cifar(tmp_path):
    batches = write_cifar(tmp_path)
    train = SmallCIFAR10(tmp_path)
    rows = np.concatenate([batches[f"data_batch_{i}"]["data"] for i in (1, 2)])
    assert train.data.shape == (24, 32, 32, 3)
    image, label = train[13]
    assert label == batches["data_batch_2"]["labels"][1]
    for channel in range(3):
        plane = rows[13].reshape(3, 32, 32)[channel]
        np.testing.assert_array_equal(np.asarray(image)[..., channel], plane)
    assert train.class_to_idx["class 3"] == 3
    assert len(SmallCIFAR10(tmp_path, train=False)) == 12


# ---- Printed


def test_printed_forms(tmp_path):
    write_mnist(tmp_path)
    shown = repr(MNIST(tmp_path, transform=transforms.ToTensor()))
    assert shown.splitlines() == [
        "Dataset MNIST",
        "    Number of datapoints: 20",
        f"    Root location: {tmp_path}",
        "    Split: Train",
        "    StandardTransform",
        "Transform: ToTensor()",
    ]
    with pytest.raises(ValueError, match="Only transforms or"):
        VisionDataset(tmp_path, transforms=max, transform=max)


# ---- Folders


def fill_folders(root):
    for i, name in enumerate(["cat", "dog", "dog/small"]):
        (root / name).mkdir()
        for j in range(2):
            pixels = bytes_of((5, 4, 3), 10 * i + j)
            Image.fromarray(pixels).save(root / name / f"{j}.PNG", "PNG")
        (root / name / "notes.txt").write_text("no picture")


def test_image_folder(tmp_path):
    fill_folders(tmp_path)
    dataset = ImageFolder(tmp_path, transforms.PILToTensor(), lambda y: -y)
    assert dataset.classes == ["cat", "dog"]
    assert dataset.targets == [0, 0, 1, 1, 1, 1]
    names = [Path(path).relative_to(tmp_path).as_posix() for path, _ in dataset.imgs]
    assert names[2:] == ["dog/0.PNG", "dog/1.PNG", "dog/small/0.PNG", "dog/small/1.PNG"]
    image, label = dataset[5]
    assert label == -1
    np.testing.assert_array_equal(
        image.permute(1, 2, 0).numpy(), bytes_of((5, 4, 3), 21)
    )


def test_folders_without_files_or_classes(tmp_path):
    with pytest.raises(FileNotFoundError, match="any class folder"):
        ImageFolder(tmp_path)
    fill_folders(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="classes empty. Supported .*webp"):
        ImageFolder(tmp_path)
    assert len(ImageFolder(tmp_path, allow_empty=True)) == 6
    only = ImageFolder(
        tmp_path, is_valid_file=lambda p: p.endswith("0.PNG"), allow_empty=True
    )
    assert len(only) == 3
    with pytest.raises(ValueError, match="Both extensions and is_valid_file"):
        DatasetFolder(tmp_path, loader=str)


def test_fake_data_leaves_the_stream_alone():
    fake = FakeData(5, (3, 6, 7), 4, random_offset=2)
    state = plugrad.get_rng_state()
    first, again = fake[2], fake[2]
    assert plugrad.get_rng_state().equal(state)
    assert first[1] == again[1] in range(4)
    np.testing.assert_array_equal(np.asarray(first[0]), np.asarray(again[0]))
    assert first[0].size == (7, 6)
    assert not np.array_equal(np.asarray(first[0]), np.asarray(fake[3][0]))
    with pytest.raises(IndexError):
        fake[5]


# ---- Downloads, from a server on this machine


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    handler = partial(Handler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield folder, f"http://127.0.0.1:{running.server_address[1]}/"
        running.shutdown()
        thread.join()


def md5(data):
    return hashlib.md5(data).hexdigest()


def test_a_download_goes_to_the_next_mirror(server, tmp_path):
    folder, url = server
    (folder / "good").write_bytes(b"content")
    (folder / "bad").write_bytes(b"damaged")
    path = tmp_path / "deep" / "file"
    fetch([url + "missing", url + "bad", url + "good"], path, md5(b"content"))
    assert path.read_bytes() == b"content"
    assert os.listdir(path.parent) == ["file"]


def test_a_failed_download_leaves_nothing_and_says_why(server, tmp_path):
    folder, url = server
    (folder / "bad").write_bytes(b"damaged")
    path = tmp_path / "file"
    dead = "http://127.0.0.1:1/"
    with pytest.raises(RuntimeError) as raised:
        fetch([url + "missing", url + "bad", dead], path, md5(b"content"))
    text = str(raised.value)
    assert "404" in text and f"instead of {md5(b'content')}" in text
    assert dead in text and f"bring the file by hand to {path}" in text
    assert os.listdir(tmp_path) == []


def test_a_download_that_breaks_off_is_no_file(tmp_path, monkeypatch):
    def breaks(url, path):
        path.write_bytes(b"half")
        raise OSError("the line is dead")

    monkeypatch.setattr(downloads, "save", breaks)
    with pytest.raises(RuntimeError, match="the line is dead"):
        fetch(["http://127.0.0.1:1/a"], tmp_path / "a", None)
    assert os.listdir(tmp_path) == []


def test_progress_is_shown_on_a_terminal(server, tmp_path, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    folder, url = server
    (folder / "file").write_bytes(bytes(300_000))
    for stderr in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stderr)
        fetch([url + "file"], tmp_path / type(stderr).__name__, None)
        shown = stderr.getvalue()
        assert ("0.3 MB" in shown) == stderr.isatty() == shown.endswith("\n")


def test_mnist_is_downloaded_once(server, tmp_path):
    folder, url = server
    write_mnist(folder, zipped=True)

    class Local(MNIST):
        mirrors = [url]
        resources = [(name, md5_of(folder / name)) for name, _ in MNIST.resources]

    root = tmp_path / "root"
    dataset = Local(root, download=True)
    assert len(dataset) == 20
    for path in folder.iterdir():
        path.unlink()
    assert Local(root, download=True).data.equal(dataset.data)


def test_cifar_is_downloaded_and_unpacked(server, tmp_path):
    folder, url = server
    write_cifar(tmp_path / "made")
    archive = folder / "small.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "made" / SmallCIFAR10.base_folder, SmallCIFAR10.base_folder)
        outside = tarfile.TarInfo("../outside")
        outside.size = 3
        tar.addfile(outside, io.BytesIO(b"bad"))

    class Local(SmallCIFAR10):
        filename = archive.name
        tgz_md5 = md5_of(archive)

    Local.url = url + archive.name
    assert len(Local(tmp_path / "root", download=True)) == 24
    assert not (tmp_path / "outside").exists()
    found = {path.name for path in (tmp_path / "root").rglob("*") if path.is_file()}
    lists = Local.train_list + Local.test_list
    names = {name for name, _ in lists} | {Local.meta["filename"]}
    assert found == names | {archive.name}


def test_an_archive_without_the_files(tmp_path):
    archive = tmp_path / "a.tar.gz"
    with tarfile.open(archive, "w:gz"):
        pass
    with pytest.raises(DataError, match="it has no file cifar/batch"):
        unpack_members(archive, tmp_path / "out", "cifar", [("batch", None)])


def test_emnist_is_downloaded(server, tmp_path):
    import gzip

    folder, url = server
    with zipfile.ZipFile(folder / "gzip.zip", "w") as archive:
        for part in ("train", "test"):
            for name, shape in (("images-idx3", (4, 28, 28)), ("labels-idx1", (4,))):
                data = gzip.compress(idx(bytes_of(shape) % 10))
                archive.writestr(f"gzip/emnist-digits-{part}-{name}-ubyte.gz", data)

    class Local(EMNIST):
        md5 = md5_of(folder / "gzip.zip")

    Local.url = url + "gzip.zip"
    assert len(Local(tmp_path, "digits", train=False, download=True)) == 4


# ---- Without Pillow

WITHOUT = """
import sys
sys.modules["PIL"] = None
import plugrad
from plugrad.plugins.vision import datasets, io, models, transforms, utils
crop, last = transforms.RandomCrop(8, 2), transforms.Normalize(0.5, 0.5)
for steps in ([transforms.ToTensor(), crop, last], [crop, transforms.ToTensor(), last]):
    test = datasets.Digits(train=False, transform=transforms.Compose(steps))
    assert test[0][0].shape == (1, 8, 8)
utils.save_image(test[0][0], sys.argv[1])
assert io.read_image(sys.argv[1]).shape == (3, 8, 8)
for program in (
    lambda: datasets.Digits()[0],
    lambda: transforms.ToPILImage()(test[0][0]),
    lambda: datasets.folder.default_loader(sys.argv[1]),
    lambda: utils.save_image(test[0][0], "a.jpg"),
):
    try:
        program()
    except ImportError as error:
        assert "pip install 'plugrad-vision[pillow]'" in str(error), error
    else:
        raise AssertionError("Pillow is not needed")
"""


def test_without_pillow(tmp_path):
    command = [sys.executable, "-c", WITHOUT, str(tmp_path / "a.png")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_importing_does_not_load_pillow():
    code = "import sys, plugrad.plugins.vision; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_the_package_is_a_plugin():
    assert plugrad.vision is sys.modules["plugrad.plugins.vision"]
    assert plugrad.vision.datasets is datasets
