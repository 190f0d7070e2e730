"""Networks for pictures, grids of pictures, and pictures in files."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import plugrad
from plugrad import nn
from plugrad.plugins.vision import models
from plugrad.plugins.vision.io import decode_image, encode_png, write_png
from plugrad.plugins.vision.models.resnet import BasicBlock, Bottleneck, ResNet
from plugrad.plugins.vision.utils import make_grid, save_image
from tests.plugins.vision_cases import bytes_of

SMALL = {
    "LeNet": (models.LeNet, (1, 28, 28)),
    "DigitsNet": (models.DigitsNet, (1, 8, 8)),
    "MLP": (lambda: models.MLP(784, 100, 10), (1, 28, 28)),
    "resnet18": (lambda: models.resnet18(num_classes=10), (3, 32, 32)),
}


@pytest.mark.parametrize("name", SMALL)
def test_a_network_learns_a_few_pictures(name):
    plugrad.manual_seed(0)
    make, shape = SMALL[name]
    net, x, y = make(), plugrad.randn(8, *shape), plugrad.arange(8)
    optimizer = plugrad.optim.Adam(net.parameters(), 0.002)
    losses = []
    for _ in range(15):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    assert all(p.grad is not None for p in net.parameters())


@pytest.mark.parametrize("name", SMALL)
def test_a_state_goes_from_one_network_to_another(name):
    make, shape = SMALL[name]
    first, second, x = make().eval(), make().eval(), plugrad.randn(2, *shape)
    assert not first(x).equal(second(x))
    second.load_state_dict(first.state_dict())
    assert first(x).equal(second(x))


def test_sizes_of_mlp():
    assert [p.shape[0] for p in models.MLP().parameters()][::2] == [400, 200, 100, 10]
    with pytest.raises(ValueError, match="two sizes"):
        models.MLP(5)


@pytest.mark.parametrize("dilate, side", [(None, 1), ((False, True, True), 4)])
def test_blocks_may_dilate_instead_of_stride(dilate, side):
    net = ResNet(
        Bottleneck, [1, 1, 1, 1], 5, replace_stride_with_dilation=dilate
    ).eval()
    sizes = []
    net.layer4.register_forward_hook(lambda m, x, y: sizes.append(y.shape))
    assert net(plugrad.zeros(1, 3, 32, 32)).shape == (1, 5)
    assert sizes[0] == (1, 2048, side, side)


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
def test_blocks_may_start_as_the_identity(block):
    net = ResNet(block, [2, 1, 1, 1], 5, zero_init_residual=True).eval()
    x = plugrad.rand(2, 64 * block.expansion, 4, 4)
    assert net.layer1[1](x).equal(x)


def test_blocks_say_what_they_cannot_do():
    with pytest.raises(ValueError, match="groups=1"):
        ResNet(BasicBlock, [1, 1, 1, 1], groups=2)
    with pytest.raises(NotImplementedError, match="Dilation"):
        ResNet(BasicBlock, [1, 1, 1, 2], replace_stride_with_dilation=(0, 0, 1))
    with pytest.raises(ValueError, match="3-element"):
        ResNet(Bottleneck, [1, 1, 1, 1], replace_stride_with_dilation=(True,))
    wide = ResNet(Bottleneck, [1, 1, 1, 1], groups=4, width_per_group=8)
    assert wide.layer1[0].conv2.weight.shape == (32, 8, 3, 3)


FAMOUS = ["alexnet", "resnet18", "resnet50", "vgg11", "vgg16_bn"]


@pytest.mark.parametrize("name", FAMOUS)
@pytest.mark.parametrize("asked", [{"pretrained": True}, {"weights": "DEFAULT"}])
def test_there_are_no_weights(name, asked):
    with pytest.raises(RuntimeError, match=f"{name}: plugrad has no trained weights"):
        getattr(models, name)(**asked)


@pytest.mark.parametrize("name", ["ResNet18", "VGG16_BN", "AlexNet"])
def test_names_of_weights_are_there_to_be_refused(name):
    weights = getattr(models, f"{name}_Weights").DEFAULT
    with pytest.raises(RuntimeError, match="has no trained weights"):
        getattr(models, name.lower())(weights=weights)
    for unknown in ("Inception_V3_Weights", "resnet19", "LeNet_Weight"):
        with pytest.raises(AttributeError, match=unknown):
            getattr(models, unknown)


def test_vgg_has_as_many_layers_as_it_says():
    for depth in (11, 13, 16, 19):
        for bn in (False, True):
            layers = models.vgg.convolutions(depth, bn)
            counts = [
                sum(isinstance(each, kind) for each in layers)
                for kind in (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d)
            ]
            assert counts == [depth - 3, bn * (depth - 3), 5]


# ---- Grids and files


@pytest.mark.parametrize("count, nrow, padding", [(5, 3, 2), (6, 3, 0), (2, 8, 1)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_make_grid(count, nrow, padding, channels):
    pictures = plugrad.rand(count, channels, 4, 5)
    grid = make_grid(pictures, nrow, padding, pad_value=7).numpy()
    columns = min(nrow, count)
    rows = -(-count // columns)
    high, wide = 4 + padding, 5 + padding
    assert grid.shape[1:] == (rows * high + padding, columns * wide + padding)
    expected = np.full_like(grid, 7)
    for i, picture in enumerate(pictures.numpy()):
        y, x = i // columns * high + padding, i % columns * wide + padding
        expected[:, y : y + 4, x : x + 5] = picture
    np.testing.assert_array_equal(grid, expected)
    assert make_grid(list(pictures.unbind(0)), nrow, padding, pad_value=7).shape


def test_grids_are_stretched():
    x = plugrad.tensor([1.0, 3.0, 5.0, 9.0]).view(2, 1, 1, 2)
    whole = make_grid(x, padding=0, normalize=True)[0].flatten()
    assert whole.tolist() == [0.0, 0.25, 0.5, 1.0]
    each = make_grid(x, padding=0, normalize=True, scale_each=True)[0].flatten()
    assert each.tolist() == [0.0, 1.0, 0.0, 1.0]
    part = make_grid(x, padding=0, normalize=True, value_range=(3.0, 5.0))[0].flatten()
    assert part.tolist() == [0.0, 0.0, 1.0, 1.0]
    assert x.flatten().tolist() == [1.0, 3.0, 5.0, 9.0]
    with pytest.raises(TypeError, match="tensor or list of tensors"):
        make_grid((x,))


@pytest.mark.parametrize("kind", ["png", "bmp"])
def test_save_image(tmp_path, kind):
    pixels = bytes_of((3, 6, 7))
    picture = plugrad.from_numpy(pixels) / 255
    path = tmp_path / f"a.{kind}"
    save_image(picture, path)
    np.testing.assert_array_equal(
        np.asarray(Image.open(path)), pixels.transpose(1, 2, 0)
    )
    file = io.BytesIO()
    save_image(picture, file, format=kind)
    assert file.getvalue() == path.read_bytes()


def test_other_formats_are_read_by_pillow(tmp_path):
    file = io.BytesIO()
    Image.fromarray(bytes_of((6, 7, 3))).quantize(9).save(file, "GIF")
    data = plugrad.frombuffer(bytearray(file.getvalue()), dtype=plugrad.uint8)
    expected = np.asarray(Image.open(file).convert("RGB")).transpose(2, 0, 1)
    np.testing.assert_array_equal(decode_image(data).numpy(), expected)
    with pytest.raises(ValueError, match="not a whole picture"):
        decode_image(data[:20])


@pytest.mark.parametrize(
    "picture, error, reason",
    [
        (plugrad.zeros(1, 2, 2), TypeError, "uint8, not of plugrad.float32"),
        (plugrad.zeros(2, 2, dtype=plugrad.uint8), ValueError, "1 to 4 channels"),
        (plugrad.zeros(5, 2, 2, dtype=plugrad.uint8), ValueError, "1 to 4 channels"),
        (plugrad.zeros(1, 0, 2, dtype=plugrad.uint8), ValueError, "no pixels"),
        ([1], TypeError, "not of list"),
    ],
)
def test_what_is_no_picture_is_not_written(tmp_path, picture, error, reason):
    with pytest.raises(error, match=reason):
        write_png(picture, tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()
    with pytest.raises(ValueError, match="compression_level is 11"):
        encode_png(plugrad.zeros(1, 2, 2, dtype=plugrad.uint8), 11)
