"""`plugrad train`: it trains, goes on as if never stopped, and says what is wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

import plugrad
from plugrad.plugins.vision import datasets
from plugrad.plugins.vision.io import read_image, write_png
from plugrad.plugins.vision.train.command import (
    CHECKPOINT,
    CURVES,
    MISREAD,
    SAMPLE,
    main,
)
from plugrad.plugins.vision.train.training import Training
from tests.plugins.train_cases import plain, trained, write_mnist

COMMAND = [sys.executable, "-W", "error", "-m", "plugrad", "train"]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A folder with a small MNIST of 28 x 28."""
    return write_mnist(tmp_path_factory.mktemp("mnist"), 200)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Two epochs on the digits, and their checkpoint."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, trained(folder, "--epochs", 2)


# --- What comes out -----------------------------------------------------------------


def test_two_epochs_learn_and_leave_all_files(whole):
    folder, state = whole
    assert {each.name for each in folder.iterdir()} == {
        CHECKPOINT, CURVES, MISREAD, SAMPLE,
    }  # fmt: skip
    first, second = state["history"]["epochs"]
    assert second["test_accuracy"] > first["test_accuracy"] > 0.5
    assert second["loss"] < first["loss"]
    assert len(state["history"]["steps"]) == 2 * -(-1442 // 32)


def test_the_sample_is_the_first_test_picture(whole):
    picture = read_image(whole[0] / SAMPLE)
    assert picture.equal(datasets.Digits(train=False).data[:1])


def test_the_table_that_is_printed_is_what_the_network_reads(whole, capsys, tmp_path):
    state = trained(tmp_path, "--epochs", 1)
    said = capsys.readouterr().out
    rows = [line.split() for line in said.split("\n\n")[1].splitlines()[2:]]
    table = [[int(n) if n != "." else 0 for n in row[1:]] for row in rows]
    truths = datasets.Digits(train=False).targets
    assert [sum(row) for row in table] == truths.bincount().tolist()
    right = sum(table[i][i] for i in range(10)) / len(truths)
    assert right == state["history"]["epochs"][-1]["test_accuracy"]
    assert f"{right:.2%} of the 355" in said


@pytest.mark.parametrize("model", ["cnn", "lenet", "mlp", "resnet18"])
def test_every_network_trains(model, small, tmp_path):
    words = ["--data", "mnist", "--root", small, "--model", model, "--epochs", 1]
    state = trained(tmp_path, *words, "--batch-size", 40)
    losses = state["history"]["steps"]
    assert len(losses) == 5 and losses[-1] != losses[0]
    assert state["model"] == model and state["shape"] == [1, 28, 28]


def test_pictures_in_folders(tmp_path):
    pytest.importorskip("PIL", reason="ImageFolder reads by Pillow")
    digits = datasets.Digits(train=False)
    for i, (picture, label) in enumerate(zip(digits.data[:60], digits.targets[:60])):
        part = "test" if i % 3 == 0 else "train"
        folder = tmp_path / "pictures" / part / ("odd" if label % 2 else "even")
        folder.mkdir(parents=True, exist_ok=True)
        write_png(picture[None], folder / f"{i}.png")
    root = tmp_path / "pictures"
    words = ["--data", "folder", "--root", root, "--size", 16, "--epochs", 1]
    state = trained(tmp_path / "out", *words)
    assert state["classes"] == ["even", "odd"] and state["shape"] == [3, 16, 16]


def test_another_backend_gives_the_same_losses(small, tmp_path):
    words = ["--data", "mnist", "--root", small, "--model", "mlp", "--epochs", 1]
    ours = trained(tmp_path / "a", *words)
    words += ["--backend", "array_api_strict"]
    theirs = trained(tmp_path / "b", *words)
    expected = pytest.approx(ours["history"]["steps"], rel=1e-4)
    assert theirs["history"]["steps"] == expected
    assert {each.backend for each in theirs["network"].values()} == {"numpy"}


def test_workers_change_nothing(whole, tmp_path):
    state = trained(tmp_path, "--epochs", 2, "--workers", 2)
    assert plain(state["network"]) == plain(whole[1]["network"])


# --- Going on -----------------------------------------------------------------------


def stop_after(monkeypatch, epochs):
    """Let trainings meet Ctrl-C in the epoch after so many."""
    run = Training.run_epoch

    def run_epoch(self):
        if self.epoch == epochs:
            raise KeyboardInterrupt
        return run(self)

    monkeypatch.setattr(Training, "run_epoch", run_epoch)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--optimizer", "sgd", "--schedule", "constant", "--seed", "3"],
        ["--optimizer", "adamw", "--model", "mlp", "--workers", "2"],
    ],
    ids=["adam", "sgd", "adamw, workers"],
)
def test_it_goes_on_to_the_same_result_bit_for_bit(
    words, tmp_path, monkeypatch, capsys
):
    expected = trained(tmp_path / "whole", "--epochs", 3, *words)
    with monkeypatch.context() as patch:
        stop_after(patch, 1)
        folder = tmp_path / "parts"
        assert main(["--epochs", "3", "--out", str(folder), *words]) == 130
    said = capsys.readouterr().err
    checkpoint = folder / CHECKPOINT
    assert "epoch 1 is saved" in said and f"--resume {checkpoint}" in said
    plugrad.rand(5)  # what happened in between does not matter
    assert main(["--resume", str(checkpoint)]) == 0
    assert "going on after epoch 1" in capsys.readouterr().out
    assert plain(plugrad.load(checkpoint)) == plain(expected)


def test_more_epochs_than_were_planned(whole, tmp_path):
    checkpoint = whole[0] / CHECKPOINT
    words = ["--resume", str(checkpoint), "--epochs", "3", "--out", str(tmp_path)]
    assert main(words) == 0
    state = plugrad.load(tmp_path / CHECKPOINT)
    assert state["epoch"] == 3 == len(state["history"]["epochs"])
    assert plain(plugrad.load(checkpoint)) == plain(whole[1]), "it has been written"


def test_ctrl_c_in_a_process_of_its_own(tmp_path):
    constant = ["--schedule", "constant"]
    folder = tmp_path / "parts"
    command = [*COMMAND, "--out", str(folder), "--epochs", "500", *constant]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        for line in process.stdout:
            if line.startswith("epoch"):
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in errors and "is saved; go on by" in errors
    checkpoint = folder / CHECKPOINT
    epoch = plugrad.load(checkpoint)["epoch"]
    assert f"epoch {epoch} is saved" in errors
    assert list(folder.iterdir()) == [checkpoint]
    epochs = ["--epochs", str(epoch + 1)]
    assert main(["--resume", str(checkpoint), *epochs]) == 0
    expected = trained(tmp_path / "whole", *epochs, *constant)
    assert plain(plugrad.load(checkpoint)) == plain(expected)


def test_ctrl_c_in_the_first_epoch(tmp_path, monkeypatch, capsys):
    stop_after(monkeypatch, 0)
    assert main(["--out", str(tmp_path)]) == 130
    assert "nothing is saved" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_of_every_epoch_replaces_the_last(tmp_path, monkeypatch):
    saved = []
    save = plugrad.save

    def noted(state, path):
        save(state, path)
        saved.append(plugrad.load(path)["epoch"])

    monkeypatch.setattr(plugrad, "save", noted)
    trained(tmp_path, "--epochs", 3)
    assert saved == [1, 2, 3]


# --- What is refused ----------------------------------------------------------------

MISUSES = {
    "--backend nosuch": "unknown backend 'nosuch'",
    "--data mnist --root {tmp}": "fetch them by --download",
    "--data fashion-mnist --root {tmp}": "package dataset-fashion-mnist",
    "--data cifar10 --root {tmp}": "the files of cifar10 are not in {tmp}",
    "--data folder": "needs --root",
    "--data folder --root {tmp}": "{tmp}/train is not there",
    "--model lenet": "pictures of 28 x 28, but these are grey pictures of 8 x 8",
    "--model resnet18 --batch-size 11": "choose another",
    "--size 8": "--size is for --data folder",
    "--root {tmp}": "leave out --root",
    "--resume {tmp}/none.pt": "{tmp}/none.pt: No such file",
    "--resume {whole}/sample.png": "sample.png: it is no checkpoint",
    "--resume {whole}/checkpoint.pt": "has had its 2 epochs",
    "--resume {whole}/checkpoint.pt --lr 1": "leave out --lr",
    "--resume {whole}/checkpoint.pt --seed 5": "leave out --seed",
    "--out {whole}": "holds the results of another training",
    "--optimizer sgd --lr 1e9 --out {tmp}": "try a smaller --lr",
}


@pytest.mark.parametrize("line", MISUSES)
def test_a_misuse_is_named_with_the_way_out(line, whole, tmp_path, capsys):
    places = {"tmp": tmp_path, "whole": whole[0]}
    before = sorted(whole[0].iterdir())
    assert main(line.format(**places).split()) == 2
    said = capsys.readouterr().err
    assert said.startswith("plugrad train: ")
    assert MISUSES[line].format(**places) in said
    assert sorted(whole[0].iterdir()) == before


@pytest.mark.parametrize(
    "line",
    ["--epochs 0", "--epochs x", "--lr nan", "--lr 0", "--workers -1", "--dat x"],
)
def test_words_that_mean_nothing(line, capsys):
    with pytest.raises(SystemExit) as error:
        main(line.split())
    assert error.value.code == 2 and "error" in capsys.readouterr().err


def test_without_out_nothing_is_overwritten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert main(["--epochs", "1"]) == 0
    names = sorted(each.name for each in (tmp_path / "runs").iterdir())
    assert names == ["digits-cnn", "digits-cnn-2"]


def test_threads(tmp_path, capsys):
    before = plugrad.get_num_threads()
    for words, said in (([], "threads: 1\n"), (["--threads", "2"], "threads: 2\n")):
        trained(tmp_path, "--epochs", 1, "--overwrite", *words)
        assert said in capsys.readouterr().out
        assert plugrad.get_num_threads() == before


def test_overwrite(whole, tmp_path):
    trained(tmp_path, "--epochs", 1, "--seed", 7)
    state = trained(tmp_path, "--epochs", 2, "--overwrite")
    assert plain(state) == plain(whole[1])


def test_a_damaged_data_set_is_named(tmp_path, capsys):
    write_mnist(tmp_path, 20)
    file = tmp_path / "t10k-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-1])
    assert main(["--data", "mnist", "--root", str(tmp_path)]) == 1
    assert f"{file}: its header says" in capsys.readouterr().err


def test_help_names_every_option():
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    for (
        word
    ) in "data model backend epochs root out seed batch-size lr optimizer".split():
        assert f"--{word}" in done.stdout


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no terminals")
def test_on_a_terminal_a_bar_is_shown(tmp_path):
    leader, follower = os.openpty()
    command = [*COMMAND, "--epochs", "1", "--out", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=follower) as process:
        os.close(follower)
        shown = b""
        while True:
            try:
                part = os.read(leader, 4096)
            except OSError:  # how Linux says that the other end is closed
                break
            if not part:
                break
            shown += part
        plain_text = process.stdout.read().decode()
    os.close(leader)
    assert process.returncode == 0
    text = shown.decode()
    assert "epoch 1/1 [" in text and "100%" in text and text.endswith("\r\033[K")
    assert "\r" not in plain_text and plain_text.count("epoch 1/1") == 1
