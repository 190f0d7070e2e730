"""Transforms and networks for pictures against what torch itself has.

torchvision is made of these functions; it is no dependency here.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as TF

import plugrad
from plugrad.plugins.vision import models
from plugrad.plugins.vision.transforms import InterpolationMode
from plugrad.plugins.vision.transforms import functional as F

SHAPES = [(1, 28, 28), (3, 17, 23), (2, 3, 12, 9)]


def pictures(shape, dtype):
    r = np.random.default_rng(len(shape))
    array = r.random(shape, np.float32)
    return array if dtype == "float32" else (array * 256).astype(np.uint8)


def close(ours, theirs, levels=1):
    """Equal up to rounding: a last digit of floats, a level of bytes."""
    ours, theirs = ours.numpy(), theirs.numpy()
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    most = levels if ours.dtype == np.uint8 else 2e-5
    difference = abs(ours.astype(np.float64) - theirs.astype(np.float64))
    assert difference.max() <= most
    assert (difference > 1e-4).mean() < 0.05


def in_floats(function, x):
    """A function of torch's for floats, of pictures of bytes: rounded, not cut off."""
    made = function(x.float().reshape(-1, *x.shape[-3:]))
    made = made.reshape(*x.shape[:-2], *made.shape[-2:])
    return made if x.is_floating_point() else made.round().clamp(0, 255).to(x.dtype)


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic"])
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("size", [(9, 7), (40, 31)])
def test_resize(shape, dtype, mode, antialias, size):
    array = pictures(shape, dtype)
    smooth = mode in ("bilinear", "bicubic")
    options = {"align_corners": False, "antialias": antialias} if smooth else {}
    theirs = in_floats(
        lambda x: TF.interpolate(x, size, mode=mode, **options),
        torch.from_numpy(array),
    )
    ours = F.resize(
        plugrad.from_numpy(array), size, InterpolationMode(mode), antialias=antialias
    )
    close(ours, theirs)


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "ours, theirs",
    [
        (F.hflip, lambda x: x.flip(-1)),
        (F.vflip, lambda x: x.flip(-2)),
        (
            lambda x: F.pad(x, (1, 2, 3, 4), 5),
            lambda x: TF.pad(x, (1, 3, 2, 4), value=5),
        ),
        (lambda x: F.pad(x, 3, 0, "edge"), lambda x: padded(x, "replicate")),
        (lambda x: F.pad(x, 3, 0, "reflect"), lambda x: padded(x, "reflect")),
        (lambda x: F.crop(x, 2, 3, 5, 4), lambda x: x[..., 2:7, 3:7]),
    ],
)
def test_places(shape, dtype, ours, theirs):
    array = pictures(shape, dtype)
    found = ours(plugrad.from_numpy(array)).numpy()
    expected = theirs(torch.from_numpy(array)).numpy()
    np.testing.assert_array_equal(found, expected)


def padded(x, mode):
    return in_floats(lambda batch: TF.pad(batch, (3, 3, 3, 3), mode=mode), x)


@pytest.mark.parametrize("angle", [0.0, 10.0, 33.3, 90.0, 200.0, -75.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_rotation_is_a_sampled_affine_grid(angle, shape):
    array = pictures(shape, "float32")
    batch = torch.from_numpy(array).reshape(-1, *shape[-3:])
    height, width = shape[-2:]
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    theta = torch.tensor([[c, -s * height / width, 0], [s * width / height, c, 0]])
    theta = theta.expand(len(batch), 2, 3)
    grid = TF.affine_grid(theta, batch.shape, align_corners=False)
    theirs = TF.grid_sample(batch, grid, "bilinear", "zeros", align_corners=False)
    ours = F.rotate(plugrad.from_numpy(array), angle, InterpolationMode.BILINEAR)
    close(ours, theirs.reshape(shape))


@pytest.mark.parametrize("sizes, sigma", [(3, 0.5), ((5, 3), (1.0, 2.0)), (7, 1.4)])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_blur_is_a_convolution(sizes, sigma, dtype):
    array = pictures((3, 17, 23), dtype)
    widths = (sizes, sizes) if isinstance(sizes, int) else sizes
    sigmas = (sigma, sigma) if isinstance(sigma, float) else sigma
    bells = []
    for n, s in zip(widths, sigmas):
        bells.append(torch.exp(-0.5 * ((torch.arange(n) - n // 2) / s) ** 2))
    kernel = torch.outer(bells[1] / bells[1].sum(), bells[0] / bells[0].sum())
    margins = [widths[0] // 2] * 2 + [widths[1] // 2] * 2

    def blurred(batch):
        around = TF.pad(batch, margins, mode="reflect")
        return TF.conv2d(around, kernel.expand(3, 1, *kernel.shape), groups=3)

    theirs = in_floats(blurred, torch.from_numpy(array))
    close(F.gaussian_blur(plugrad.from_numpy(array), sizes, sigma), theirs)


def torchs_lenet():
    nn = torch.nn
    return nn.Sequential(
        *[nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)],
        *[nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()],
        *[nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU()],
        nn.Linear(84, 10),
    )


def test_lenet_trains_as_torchs():
    """The same parameters, pictures and steps give the same losses."""
    theirs, ours = torchs_lenet(), models.LeNet()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        p.data = plugrad.from_numpy(q.detach().numpy().copy())
    x = np.random.default_rng(0).random((16, 1, 28, 28), np.float32)
    y = np.arange(16) % 10
    losses = []
    for library, net in ((torch, theirs), (plugrad, ours)):
        sgd = library.optim.SGD(net.parameters(), 0.1, momentum=0.9)
        inputs, labels = library.from_numpy(x), library.from_numpy(y)
        losses.append([])
        for _ in range(5):
            sgd.zero_grad()
            loss = library.nn.functional.cross_entropy(net(inputs), labels)
            loss.backward()
            sgd.step()
            losses[-1].append(loss.item())
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)


def test_lenet_starts_like_torchs():
    """The spread of the first weights is that of torch's layers."""
    ours, theirs = models.LeNet(), torchs_lenet()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        if p.ndim > 1 and p.numel() > 500:
            assert abs(p.std().item() / q.std().item() - 1) < 0.1
