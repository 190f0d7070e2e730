"""`plugrad predict`: what the network says, and what is wrong with a file."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys

import pytest

import plugrad
from plugrad.plugins.vision import datasets
from plugrad.plugins.vision.datasets import write_idx
from plugrad.plugins.vision.io import write_png
from plugrad.plugins.vision.predict.command import main
from plugrad.plugins.vision.train import load_trained
from plugrad.plugins.vision.train.command import CHECKPOINT, SAMPLE
from plugrad.plugins.vision.train.sets import open_pictures
from plugrad.testing import assert_close
from tests.plugins.train_cases import trained

COUNT = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A trained network, and test pictures: each as PNG, and all as IDX."""
    folder = tmp_path_factory.mktemp("trained")
    trained(folder, "--epochs", 2)
    pictures = datasets.Digits(train=False).data[:COUNT]
    for i, picture in enumerate(pictures):
        write_png(picture[None], folder / f"{i}.png")
    write_idx(folder / "pictures-idx3-ubyte.gz", pictures)
    write_idx(folder / "labels-idx1-ubyte", plugrad.zeros(3, dtype=plugrad.uint8))
    return folder


def asked(capsys, folder, *words):
    """What `plugrad predict --json` prints."""
    names = [str(folder / word) if word[0] != "-" else word for word in words]
    status = main([str(folder / CHECKPOINT), *names, "--json"])
    return status, json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def expected(folder):
    """The probabilities as the training computes them."""
    network = load_trained(folder / CHECKPOINT).network
    test = open_pictures("digits", None, False, 32).test
    with plugrad.no_grad():
        batch = plugrad.stack([test[i][0] for i in range(COUNT)])
        return network(batch).softmax(1)


def test_pictures_are_read_as_in_the_training(folder, expected, capsys):
    names = [f"{i}.png" for i in range(COUNT)]
    status, answers = asked(capsys, folder, *names)
    assert status == 0
    found = plugrad.tensor([list(each["probabilities"].values()) for each in answers])
    assert_close(found, expected, rtol=1e-4, atol=1e-6)
    assert [each["number"] for each in answers] == expected.argmax(1).tolist()
    assert [each["file"] for each in answers] == [str(folder / each) for each in names]
    for each in answers:
        assert each["class"] == datasets.Digits.classes[each["number"]]
        assert each["probability"] == max(each["probabilities"].values())


def test_a_picture_in_an_idx_file_is_the_same_picture(folder, capsys):
    _, alone = asked(capsys, folder, "3.png", "0.png")
    status, within = asked(capsys, folder, "pictures-idx3-ubyte.gz", "--index=3,0")
    assert status == 0 and [each["index"] for each in within] == [3, 0]
    for one, other in zip(alone, within):
        assert one["probabilities"] == other["probabilities"]


def test_colours_and_other_sizes_are_made_fit(folder, capsys):
    picture = datasets.Digits(train=False).data[:1]
    large = picture.repeat_interleave(4, 1).repeat_interleave(4, 2)
    write_png(large.repeat(3, 1, 1), folder / "large.png")
    _, [small, same] = asked(capsys, folder, "0.png", "large.png")
    assert small["number"] == same["number"]


def test_invert(folder, capsys):
    write_png(255 - datasets.Digits(train=False).data[:1], folder / "ink.png")
    _, [plain] = asked(capsys, folder, "0.png")
    _, [inverted] = asked(capsys, folder, "ink.png", "--invert")
    assert inverted["probabilities"] == plain["probabilities"]


def test_words(folder, capsys, expected):
    assert main([str(folder / CHECKPOINT), str(folder / SAMPLE)]) == 0
    said = capsys.readouterr().out.splitlines()
    share, number = expected[0].max(0)
    name = datasets.Digits.classes[number]
    assert said[0] == f"{folder / SAMPLE}: {name}" and len(said) == 4
    assert said[1].split() == [*name.split(), f"{share.item():.2%}"]


def test_a_bad_file_does_not_keep_the_others(folder, capsys):
    status = main([str(folder / CHECKPOINT), "none.png", str(folder / "0.png")])
    said = capsys.readouterr()
    assert status == 1 and said.out.startswith(f"{folder / '0.png'}: ")
    assert said.err == "plugrad predict: none.png: there is no such file\n"


def write_bad(folder):
    whole = (folder / "0.png").read_bytes()
    (folder / "short.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.png").write_text("not a picture")
    packed = (folder / "pictures-idx3-ubyte.gz").read_bytes()
    (folder / "short.gz").write_bytes(packed[:60])
    (folder / "cut.gz").write_bytes(packed[:12])
    (folder / "text.gz").write_bytes(gzip.compress(b"not a picture"))
    (folder / "folder").mkdir(exist_ok=True)


BAD = {
    "short.png": "",
    "empty.png": "",
    "text.png": "",
    "short.gz --index 0": "gzip",
    "cut.gz --index 0": "gzip",
    "text.gz": "",
    "folder": "it is a folder",
    "none.png": "there is no such file",
    "0.png --index 1": "--index is for IDX files",
    "pictures-idx3-ubyte.gz": f"holds {COUNT} pictures: say which",
    f"pictures-idx3-ubyte.gz --index {COUNT}": f"only 0 to {COUNT - 1}",
    "labels-idx1-ubyte --index 0": "not pictures",
}


@pytest.mark.parametrize("line", BAD)
def test_errors_name_file_and_reason(line, folder, capsys):
    write_bad(folder)
    name, *words = line.split()
    assert main([str(folder / CHECKPOINT), str(folder / name), *words]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"plugrad predict: {folder / name}: ")
    assert BAD[line] in said.err and "0x" not in said.err


# --- Checkpoints that are none ------------------------------------------------------


DAMAGES = {
    "kind": "something else",
    "version": 99,
    "model": "nosuchnet",
    "shape": [1, 10**6, 10**6],
    "classes": [],
    "mean": [0.0, 0.0],
    "std": [0.0],
    "network": {},
    "settings": None,
}


@pytest.mark.parametrize("key", DAMAGES)
def test_a_damaged_checkpoint_is_refused(key, folder, tmp_path, capsys):
    state = plugrad.load(folder / CHECKPOINT)
    path = tmp_path / "bad.pt"
    plugrad.save({**state, key: DAMAGES[key]}, path)
    with pytest.raises(plugrad.CheckpointError, match="bad.pt"):
        load_trained(path)
    assert main([str(path), str(folder / "0.png")]) == 1
    assert f"plugrad predict: {path}: " in capsys.readouterr().err


def test_other_files_are_no_checkpoints(folder, tmp_path, capsys):
    for path in (folder / "0.png", tmp_path, tmp_path / "none.pt"):
        assert main([str(path), str(folder / "0.png")]) == 1
        assert f"plugrad predict: {path}: " in capsys.readouterr().err


def test_it_is_a_command_of_plugrad(folder):
    command = [sys.executable, "-W", "error", "-m", "plugrad", "predict", CHECKPOINT]
    done = subprocess.run(
        [*command, SAMPLE], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith(f"{SAMPLE}: ")
