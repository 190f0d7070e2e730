"""Transforms against NumPy, against Pillow, and on other backends."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

import plugrad
from plugrad import nn
from plugrad.plugins.vision import draws, transforms
from plugrad.plugins.vision.transforms import InterpolationMode
from plugrad.plugins.vision.transforms import functional as F
from plugrad.testing import assert_close
from plugrad.utils.data import DataLoader, Dataset
from tests.plugins.vision_cases import bytes_of

COLOUR = bytes_of((13, 17, 3))
GREY = bytes_of((28, 28), 1)
# Neighbours are alike, as in photographs; noise shows every rounding.
SMOOTH = (
    np.stack(
        [
            np.add.outer(np.arange(24) * a, np.arange(32) * b)
            for a, b in [(5, 2), (2, 4), (1, 7)]
        ],
        -1,
    )
    .clip(0, 255)
    .astype(np.uint8)
)


def image_of(array):
    return Image.fromarray(array)


def tensor_of(array):
    """(height, width[, channels]) as a tensor (channels, height, width)."""
    array = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    return plugrad.from_numpy(array.copy())


def array_of(picture):
    """A tensor or an image as an array of the form that tensors have."""
    if isinstance(picture, plugrad.Tensor):
        return picture.detach().cpu().numpy()
    array = np.asarray(picture)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


# ---- To tensors and back


@pytest.mark.parametrize("array", [GREY, COLOUR, bytes_of((5, 6, 4)), COLOUR[:, ::-1]])
def test_to_tensor(array):
    expected = (array_of(array).astype(np.float64) / 255).astype(np.float32)
    for pic in (array, image_of(np.ascontiguousarray(array))):
        found = transforms.ToTensor()(pic)
        assert found.dtype is plugrad.float32 and found.is_contiguous()
        np.testing.assert_array_equal(found.numpy(), expected)
        np.testing.assert_array_equal(F.pil_to_tensor(pic).numpy(), array_of(array))


def test_to_tensor_of_other_numbers():
    for array in (np.arange(6.0).reshape(2, 3), np.arange(6).reshape(2, 3)):
        assert F.to_tensor(array).numpy().dtype == array.dtype
        np.testing.assert_array_equal(F.to_tensor(array).numpy()[0], array)
    for mode, dtype in (("I", "int32"), ("F", "float32")):
        image = image_of(GREY).convert(mode)
        assert F.to_tensor(image).dtype is getattr(plugrad, dtype)
        np.testing.assert_array_equal(F.to_tensor(image).numpy()[0], np.asarray(image))
    bits = image_of(GREY).convert("1")
    np.testing.assert_array_equal(F.to_tensor(bits).numpy()[0], np.asarray(bits))


def test_the_array_is_not_shared():
    array = np.zeros((2, 2), np.float32)
    for function in (F.to_tensor, F.pil_to_tensor):
        function(array).add_(1)
    assert not array.any()


def test_the_default_dtype_counts():
    plugrad.set_default_dtype(plugrad.float64)
    try:
        found = F.to_tensor(GREY)
    finally:
        plugrad.set_default_dtype(plugrad.float32)
    assert found.dtype is plugrad.float64
    np.testing.assert_array_equal(found.numpy()[0], GREY / 255)


@pytest.mark.parametrize(
    "array", [GREY, COLOUR, bytes_of((4, 6, 2)), bytes_of((4, 6, 4))]
)
def test_to_pil_image(array):
    expected = array_of(array)
    for pic in (array, tensor_of(array)):
        np.testing.assert_array_equal(array_of(F.to_pil_image(pic)), expected)
    again = F.to_pil_image(F.to_tensor(array))
    assert abs(array_of(again).astype(int) - expected).max() <= 1
    assert F.to_pil_image(GREY.astype(np.float32), "F").mode == "F"


@pytest.mark.parametrize(
    "program, error, reason",
    [
        (lambda: F.to_tensor([1]), TypeError, "PIL Image or ndarray"),
        (lambda: F.to_tensor(np.zeros(3)), ValueError, "2/3 dimensional"),
        (lambda: F.to_pil_image([1]), TypeError, "Tensor or ndarray"),
        (lambda: F.to_pil_image(np.zeros((2, 2, 5))), ValueError, "> 4 channels"),
        (lambda: F.to_pil_image(GREY, "RGB"), ValueError, "Incorrect mode"),
        (lambda: F.hflip(GREY), TypeError, "makes a tensor of an array"),
        (lambda: F.normalize(tensor_of(GREY), 1, 1), TypeError, "float tensor"),
        (lambda: F.normalize(plugrad.ones(2, 2), 1, 1), ValueError, "C, H, W"),
        (lambda: F.normalize(plugrad.ones(1, 2, 2), 1, 0), ValueError, "zero"),
        (lambda: F.normalize(plugrad.ones(1, 2, 2), [1, 2], 1), RuntimeError, "each"),
        (lambda: F.resize(tensor_of(GREY), (1, 2, 3)), ValueError, "1 or 2 element"),
        (lambda: F.resize(tensor_of(GREY), 5, "bilinear"), TypeError, "Interpolation"),
        (lambda: F.pad(tensor_of(GREY), (1, 2, 3)), ValueError, "1, 2, or 4"),
        (lambda: F.pad(tensor_of(GREY), 28, 0, "reflect"), RuntimeError, "larger"),
        (lambda: F.five_crop(tensor_of(GREY), 29), ValueError, "bigger than input"),
        (lambda: transforms.RandomCrop(29)(tensor_of(GREY)), ValueError, "is larger"),
        (lambda: F.adjust_hue(tensor_of(COLOUR), 0.6), ValueError, "not in"),
        (lambda: F.adjust_contrast(tensor_of(COLOUR), -1), ValueError, "non-negative"),
        (lambda: F.invert(plugrad.ones(2, 4, 4)), TypeError, "1 or 3"),
        (lambda: F.gaussian_blur(tensor_of(GREY), 4), ValueError, "odd and positive"),
        (lambda: F.rotate(tensor_of(GREY), 3, 3), ValueError, "bicubic"),
        (lambda: transforms.RandomErasing(value="a"), ValueError, "random"),
        (lambda: transforms.RandomRotation(-1), ValueError, "must be positive"),
        (lambda: transforms.Lambda(3), TypeError, "callable"),
        (lambda: transforms.ColorJitter(hue=0.7), ValueError, "between"),
    ],
)
def test_what_cannot_be_done_says_so(program, error, reason):
    with pytest.raises(error, match=reason):
        program()


# ---- Scale


@pytest.mark.parametrize(
    "mean, std",
    [
        ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6)),
        ([0.1], [0.5]),
        (0.5, 2),
        (plugrad.tensor([0.1, 0.2, 0.3]), plugrad.tensor([0.4, 0.5, 0.6])),
        (np.array([0.1, 0.2, 0.3]), np.array(0.7)),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normalize(mean, std, dtype):
    x = plugrad.rand(2, 3, 5, 4, dtype=getattr(plugrad, dtype))
    shape = lambda v: np.asarray(v, dtype).reshape(-1, 1, 1)  # noqa: E731
    expected = (x.numpy() - shape(mean)) / shape(std)
    steps = transforms.Normalize(mean, std)
    kept = x.clone()
    for found in (F.normalize(x, mean, std), steps(x), steps(x), steps(x[0])[None]):
        assert found.dtype is x.dtype
        np.testing.assert_array_equal(found.numpy(), expected[: len(found)])
    assert x.equal(kept)
    assert F.normalize(x, mean, std, inplace=True) is x
    np.testing.assert_array_equal(x.numpy(), expected)


def test_normalize_sees_what_is_changed():
    steps = transforms.Normalize([0.5], [0.5])
    x = plugrad.ones(1, 1, 1)
    assert steps(x).item() == 1.0
    steps.mean[0] = 0.0
    assert steps(x).item() == 2.0
    steps.std = (0.25,)
    assert steps(x).item() == 4.0
    steps.std = (0.0,)
    with pytest.raises(ValueError, match="division by zero"):
        steps(x)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "float32"])
def test_dtypes_keep_white_and_black(dtype):
    d = getattr(plugrad, dtype)
    white = 1 if d.is_floating_point else plugrad.iinfo(d).max
    ends = plugrad.tensor([0, white], dtype=d)
    for other in ("uint8", "int16", "float32", "float64"):
        o = getattr(plugrad, other)
        if d is not plugrad.float32 and not o.is_floating_point:
            continue  # integers to integers lose or gain bits below
        found = F.convert_image_dtype(ends, o)
        top = 1 if o.is_floating_point else plugrad.iinfo(o).max
        assert found.dtype is o and found.tolist() == [0, top]


def test_integers_of_other_sizes_come_back():
    levels = plugrad.arange(128, dtype=plugrad.uint8)
    wide = F.convert_image_dtype(levels, plugrad.int32)
    assert F.convert_image_dtype(wide, plugrad.uint8).equal(levels)
    with pytest.raises(RuntimeError, match="safely"):
        F.convert_image_dtype(plugrad.ones(2), plugrad.int64)


# ---- The same on a tensor, with a gradient, on another backend, and on an image

# Functions that give just the same on tensors and on Pillow images, and the same with
# NumPy on an array (channels, height, width), where that is short to say.
EXACT = {
    "hflip": (F.hflip, lambda a: a[..., ::-1]),
    "vflip": (F.vflip, lambda a: a[:, ::-1]),
    "crop": (lambda x: F.crop(x, 2, 3, 5, 6), lambda a: a[:, 2:7, 3:9]),
    "crop beyond": (
        lambda x: F.crop(x, -2, 3, 30, 40),
        lambda a: np.pad(a, ((0, 0), (2, 40), (0, 60)))[:, :30, 3:43],
    ),
    "center crop": (lambda x: F.center_crop(x, (6, 7)), None),
    "center crop of more": (lambda x: F.center_crop(x, (40, 8)), None),
    "pad": (
        lambda x: F.pad(x, (1, 2, 3, 4), 9),
        lambda a: np.pad(a, ((0, 0), (2, 4), (1, 3)), constant_values=9),
    ),
    "pad by edges": (
        lambda x: F.pad(x, (1, 2), 0, "edge"),
        lambda a: np.pad(a, ((0, 0), (2, 2), (1, 1)), "edge"),
    ),
    "pad by reflection": (
        lambda x: F.pad(x, 3, 0, "reflect"),
        lambda a: np.pad(a, ((0, 0), (3, 3), (3, 3)), "reflect"),
    ),
    "pad by symmetry": (
        lambda x: F.pad(x, 3, 0, "symmetric"),
        lambda a: np.pad(a, ((0, 0), (3, 3), (3, 3)), "symmetric"),
    ),
    "pad less": (lambda x: F.pad(x, (-1, 2, 0, -2)), None),
    "rotate by 90": (
        lambda x: F.rotate(F.crop(x, 0, 0, 12, 12), 90),
        lambda a: np.rot90(a[:, :12, :12], 1, (1, 2)),
    ),
    "rotate by 180": (lambda x: F.rotate(x, 180), lambda a: a[:, ::-1, ::-1]),
    "rotate and expand": (
        lambda x: F.rotate(x, 270, expand=True),
        lambda a: np.rot90(a, 3, (1, 2)),
    ),
    "move": (
        lambda x: F.affine(x, 0, [2, 1], 1.0, 0, fill=5),
        lambda a: np.pad(a, ((0, 0), (1, 0), (2, 0)), constant_values=5)[:, :-1, :-2],
    ),
    "invert": (F.invert, lambda a: 255 - a),
    "posterize": (lambda x: F.posterize(x, 3), lambda a: a & 0b11100000),
    "solarize": (lambda x: F.solarize(x, 99), lambda a: np.where(a >= 99, 255 - a, a)),
    "equalize": (F.equalize, None),
}
# Those that round differently, and the most levels that they then differ by.
CLOSE = {
    "smaller": (lambda x: F.resize(x, 9), 1),
    "larger": (lambda x: F.resize(x, (50, 61)), 1),
    "smaller and cubic": (lambda x: F.resize(x, 9, InterpolationMode.BICUBIC), 1),
    "resized crop": (lambda x: F.resized_crop(x, 2, 3, 8, 9, (5, 6)), 1),
    "brightness": (lambda x: F.adjust_brightness(x, 1.4), 1),
    "contrast": (lambda x: F.adjust_contrast(x, 0.4), 1),
    "saturation": (lambda x: F.adjust_saturation(x, 1.6), 2),
    "hue": (lambda x: F.adjust_hue(x, 0.2), 5),
    "gamma": (lambda x: F.adjust_gamma(x, 1.7, 0.9), 1),
    "grey": (F.rgb_to_grayscale, 1),
    "three times grey": (lambda x: F.rgb_to_grayscale(x, 3), 1),
    "autocontrast": (F.autocontrast, 1),
    "sharpness": (lambda x: F.adjust_sharpness(x, 1.8), 1),
    "blur": (lambda x: F.gaussian_blur(x, (3, 5), 1.2), 0),
}
# Only of tensors as exactly as here.
WARPED = {
    "rotate": lambda x: F.rotate(x, 33, InterpolationMode.BILINEAR, fill=0.25),
    "rotate about": lambda x: F.rotate(x, 33, center=[3, 4]),
    "affine": lambda x: F.affine(
        x, 20, [1, 2], 1.3, [5, 3], InterpolationMode.BILINEAR, center=(2, 3)
    ),
    "perspective": lambda x: F.perspective(
        x, [[0, 0], [9, 0], [9, 9], [0, 9]], [[1, 1], [8, 0], [9, 8], [0, 9]], fill=1
    ),
    "elastic": lambda x: F.elastic_transform(
        x, plugrad.from_numpy(np.full((1, *x.shape[-2:], 2), 0.1, np.float32))
    ),
    "erase": lambda x: F.erase(x, 1, 2, 3, 4, plugrad.zeros(1).to(backend=x.backend)),
    "normalize": lambda x: F.normalize(x, 0.5, [0.1, 0.2, 0.3][: x.shape[-3]]),
}
BYTES_ONLY = ("posterize", "equalize", "solarize")


@pytest.mark.parametrize(
    "array", [GREY, COLOUR, SMOOTH], ids=["grey", "noise", "smooth"]
)
@pytest.mark.parametrize("name", EXACT)
def test_tensors_images_and_numpy_agree(name, array):
    function, numpys = EXACT[name]
    found = array_of(function(tensor_of(array)))
    np.testing.assert_array_equal(found, array_of(function(image_of(array))))
    if numpys is not None:
        np.testing.assert_array_equal(found, numpys(array_of(array)))


@pytest.mark.parametrize("array", [GREY, SMOOTH], ids=["grey", "smooth"])
@pytest.mark.parametrize("name", CLOSE)
def test_tensors_and_images_are_close(name, array):
    function, most = CLOSE[name]
    if name == "three times grey" and array is GREY:
        pytest.skip("a grey tensor keeps its one channel, as in torchvision")
    found = array_of(function(tensor_of(array))).astype(int)
    expected = array_of(function(image_of(array)))
    assert found.shape == expected.shape
    assert abs(found - expected).max() <= most


ALL = {**{k: v[0] for k, v in {**EXACT, **CLOSE}.items()}, **WARPED}
STRICT = sorted(ALL.keys() - {"equalize"})  # bincount has as many numbers as it finds


@pytest.mark.parametrize("name", STRICT)
def test_other_backends_and_gradients(name):
    """What NumPy's arrays are quickly done with, against plugrad's own functions."""
    function = ALL[name]
    pictures = [tensor_of(SMOOTH)]
    if name not in BYTES_ONLY:
        pictures += [tensor_of(SMOOTH) / 255.0, plugrad.rand(2, 3, 24, 32)]
    if name in WARPED:
        pictures = pictures[1:]
    for x in pictures:
        expected = function(x)
        other = function(x.to(backend="array_api_strict"))
        assert other.backend == "array_api_strict" and other.dtype is expected.dtype
        level = 1e-4 if expected.is_floating_point() else 1
        assert_close(other.to(backend="numpy"), expected, rtol=1e-4, atol=level)
        if x.is_floating_point():
            watched = x.clone().requires_grad_()
            made = function(watched)
            assert_close(made.detach(), expected, rtol=1e-4, atol=1e-4)
            made.sum().backward()
            assert watched.grad.shape == x.shape


def test_to_tensor_goes_to_the_default_backend():
    with plugrad.backend("array_api_strict"):
        found = transforms.Compose(
            [transforms.ToTensor(), transforms.Normalize(0.5, 0.5)]
        )(COLOUR)
    assert found.backend == "array_api_strict"
    assert_close(found.to(backend="numpy"), (F.to_tensor(COLOUR) - 0.5) / 0.5)


# ---- Pillow, called by itself


def test_pillow_does_what_pillow_does():
    image = image_of(COLOUR)
    for ours, theirs in (
        (F.resize(image, (7, 9)), image.resize((9, 7), Image.Resampling.BILINEAR)),
        (F.rotate(image, 30, fill=7), image.rotate(30, fillcolor=(7, 7, 7))),
        (F.adjust_sharpness(image, 1.5), ImageEnhance.Sharpness(image).enhance(1.5)),
        (F.equalize(image), ImageOps.equalize(image)),
        (F.pad(image, 2, (1, 2, 3)), ImageOps.expand(image, 2, (1, 2, 3))),
        (F.to_grayscale(image, 3), image.convert("L").convert("RGB")),
    ):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
    with pytest.warns(UserWarning, match="Anti-alias"):
        F.resize(image, 5, antialias=False)


def test_palettes_keep_their_colours():
    image = image_of(COLOUR).quantize(16)
    for padded in (F.pad(image, 2), F.pad(image, 2, 0, "edge")):
        inner = padded.crop((2, 2, 2 + image.width, 2 + image.height))
        np.testing.assert_array_equal(inner.convert("RGB"), image.convert("RGB"))


# ---- Sizes


@pytest.mark.parametrize("size", [5, [5], (6, 7), 40])
def test_sizes(size):
    x = tensor_of(COLOUR)  # 13 x 17
    found = F.resize(x, size).shape[-2:]
    if isinstance(size, tuple):
        assert found == size
    else:
        short = size if isinstance(size, int) else size[0]
        assert found == (short, int(short * 17 / 13))
    limited = transforms.Resize(10, max_size=12)(x).shape[-2:]
    assert limited == (int(12 * 10 / 13), 12)
    five, ten = transforms.FiveCrop(5)(x), transforms.TenCrop(5, True)(x)
    assert {each.shape for each in (*five, *ten)} == {(3, 5, 5)}
    for a, b in zip(ten[5:], F.five_crop(F.vflip(x), 5)):
        assert a.equal(b)


# ---- Chance


def test_draws_are_those_of_plugrad():
    """The same numbers as `plugrad.rand` and `randint` give, in any order."""
    programs = [
        (draws.fraction, lambda: plugrad.rand(1).item()),
        (lambda: draws.integer(-3, 40), lambda: plugrad.randint(-3, 40, (1,)).item()),
        (lambda: draws.integer(0, 1), lambda: plugrad.randint(0, 1, (1,)).item()),
    ]
    found = []
    for which in range(2):
        plugrad.manual_seed(3)
        found.append([programs[i % 3][which]() for i in range(200)])
        plugrad.manual_seed(4)
        found[-1] += [
            programs[0][which](),
            plugrad.rand(3).tolist(),
            programs[1][which](),
        ]
    assert found[0] == found[1]


def test_draws_are_even():
    plugrad.manual_seed(0)
    assert sorted(draws.permutation(6)) == list(range(6))
    orders = {tuple(draws.permutation(3)) for _ in range(200)}
    assert len(orders) == 6
    chosen = [draws.choice([1.0, 0.0, 3.0]) for _ in range(4000)]
    assert chosen.count(1) == 0 and 0.2 < chosen.count(0) / 4000 < 0.3
    numbers = [draws.between(2.0, 4.0) for _ in range(4000)]
    assert 2.0 <= min(numbers) and max(numbers) < 4.0
    assert abs(np.mean(numbers) - 3.0) < 0.05


RANDOM = {
    "RandomHorizontalFlip": transforms.RandomHorizontalFlip,
    "RandomVerticalFlip": transforms.RandomVerticalFlip,
    "RandomGrayscale": transforms.RandomGrayscale,
    "RandomInvert": transforms.RandomInvert,
    "RandomAutocontrast": transforms.RandomAutocontrast,
    "RandomEqualize": transforms.RandomEqualize,
    "RandomPosterize": lambda p: transforms.RandomPosterize(2, p),
    "RandomSolarize": lambda p: transforms.RandomSolarize(100, p),
    "RandomAdjustSharpness": lambda p: transforms.RandomAdjustSharpness(2.0, p),
    "RandomErasing": lambda p: transforms.RandomErasing(p, value=7),
    "RandomPerspective": lambda p: transforms.RandomPerspective(0.5, p),
    "RandomApply": lambda p: transforms.RandomApply([transforms.CenterCrop(5)], p),
}


@pytest.mark.parametrize("name", RANDOM)
def test_probabilities(name):
    plugrad.manual_seed(1)
    x = tensor_of(bytes_of((24, 24, 3))) // 2
    changed = {}
    for p in (0.0, 0.3, 1.0):
        steps = RANDOM[name](p)
        pictures = [steps(x) for _ in range(150)]
        changed[p] = np.mean([y.shape != x.shape or not y.equal(x) for y in pictures])
    assert changed[0.0] == 0.0 and changed[1.0] == 1.0
    assert 0.15 < changed[0.3] < 0.45


ALWAYS = {
    "RandomCrop": transforms.RandomCrop(9, padding=2),
    "RandomCrop needed": transforms.RandomCrop((30, 9), pad_if_needed=True, fill=3),
    "RandomResizedCrop": transforms.RandomResizedCrop(7),
    "RandomRotation": transforms.RandomRotation(40, fill=(1, 2, 3)),
    "RandomAffine": transforms.RandomAffine(10, (0.2, 0.1), (0.5, 2), (1, 5, 2, 8)),
    "ColorJitter": transforms.ColorJitter(0.4, (0.5, 2.0), 0.3, 0.1),
    "GaussianBlur": transforms.GaussianBlur(5),
    "ElasticTransform": transforms.ElasticTransform(30.0, 2.0),
    "RandomChoice": transforms.RandomChoice(
        [transforms.CenterCrop(i) for i in range(3, 12)]
    ),
    "RandomOrder": transforms.RandomOrder(
        [transforms.RandomCrop(10), transforms.CenterCrop(14), transforms.Pad(1)]
    ),
}


@pytest.mark.parametrize("name", ALWAYS)
def test_a_seed_fixes_what_is_drawn(name):
    steps = ALWAYS[name]
    for picture in (tensor_of(SMOOTH), image_of(SMOOTH)):
        runs = []
        for seed in (5, 5, 6):
            plugrad.manual_seed(seed)
            runs.append([array_of(steps(picture)) for _ in range(8)])
        same = [np.array_equal(a, b) for a, b in zip(runs[0], runs[1], strict=True)]
        assert all(same)
        others = [np.array_equal(a, b) for a, b in zip(runs[0], runs[2], strict=True)]
        assert not all(others)


def test_crops_reach_every_place():
    plugrad.manual_seed(0)
    steps = transforms.RandomCrop(2)
    x = plugrad.arange(16).view(1, 4, 4)
    assert {int(steps(x)[0, 0, 0]) for _ in range(300)} == {0, 1, 2, 4, 5, 6, 8, 9, 10}


def test_resized_crops_have_the_areas_that_are_asked_for():
    plugrad.manual_seed(0)
    x = plugrad.zeros(1, 100, 120)
    for _ in range(200):
        params = transforms.RandomResizedCrop.get_params(x, (0.2, 0.5), (0.5, 2.0))
        top, left, height, width = params
        assert top >= 0 <= left and top + height <= 100 and left + width <= 120
        assert 0.19 < height * width / 12_000 < 0.51 and 0.48 < width / height < 2.1
    wide = transforms.RandomResizedCrop.get_params(x[:, :10], (5.0, 6.0), (0.5, 2.0))
    assert wide == (0, 50, 10, 20)


class Pictures(Dataset):
    def __init__(self):
        self.steps = transforms.Compose(
            [
                transforms.ToTensor(),
                transforms.RandomCrop(9),
                transforms.RandomErasing(),
            ]
        )

    def __len__(self):
        return 12

    def __getitem__(self, index):
        return self.steps(COLOUR)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:this DataLoader starts:UserWarning")
def test_workers_draw_numbers_of_their_own():
    def epoch(seed):
        plugrad.manual_seed(seed)
        return list(DataLoader(Pictures(), batch_size=6, num_workers=2))

    first, again, other = epoch(0), epoch(0), epoch(1)
    assert all(a.equal(b) for a, b in zip(first, again))
    assert not any(a.equal(b) for a, b in zip(first, other))
    assert not first[0].equal(first[1])


# ---- Modules and printed forms


def test_transforms_are_modules():
    steps = nn.Sequential(
        transforms.CenterCrop(10), transforms.ConvertImageDtype(plugrad.float32)
    )
    assert steps(tensor_of(COLOUR)).shape == (3, 10, 10)
    matrix, mean = plugrad.rand(12, 12), plugrad.rand(12)
    x = plugrad.rand(5, 3, 2, 2)
    found = transforms.LinearTransformation(matrix, mean)(x)
    expected = (x.numpy().reshape(5, 12) - mean.numpy()) @ matrix.numpy()
    np.testing.assert_allclose(found.numpy().reshape(5, 12), expected, rtol=1e-5)


PRINTED = [
    transforms.ToTensor(),
    transforms.PILToTensor(),
    transforms.ToPILImage(),
    transforms.Normalize([0.5], (0.25,)),
    transforms.CenterCrop(7),
    transforms.FiveCrop((3, 4)),
    transforms.TenCrop(5, vertical_flip=True),
    transforms.RandomCrop(9, padding=2),
    transforms.RandomHorizontalFlip(0.25),
    transforms.RandomErasing(0.1, value=3),
    transforms.GaussianBlur(3),
    transforms.ColorJitter((0.5, 1.5), hue=(-0.1, 0.1)),
    transforms.RandomAffine([-3.0, 3.0], translate=(0.1, 0.2), fill=2),
    transforms.RandomPosterize(2, 0.3),
    transforms.Grayscale(3),
]


@pytest.mark.parametrize("steps", PRINTED, ids=lambda each: type(each).__name__)
def test_the_printed_form_makes_the_same(steps):
    again = eval(repr(steps).replace("None", "0"), vars(transforms))
    assert repr(again) == repr(steps)


def test_printed_forms_of_several():
    steps = [transforms.ToTensor(), transforms.CenterCrop(3)]
    lines = ["    ToTensor()", "    CenterCrop(size=(3, 3))", ")"]
    assert repr(transforms.Compose(steps)).splitlines() == ["Compose(", *lines]
    apply = transforms.RandomApply(steps, 0.3)
    assert repr(apply).splitlines() == ["RandomApply(", "    p=0.3", *lines]
    assert repr(transforms.RandomChoice(steps)).endswith(")(p=None)")


def test_pickles_of_transforms():
    import pickle

    steps = transforms.Compose([*PRINTED[:1], *ALWAYS.values()])
    assert repr(pickle.loads(pickle.dumps(steps))) == repr(steps)


def test_ranges_in_the_wrong_order_are_warned_of():
    with pytest.warns(UserWarning, match="min, max"):
        transforms.RandomResizedCrop(5, scale=(1.0, 0.5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        transforms.RandomResizedCrop(5)
