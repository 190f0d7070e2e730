"""Transformers beside torch's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import plugrad
from tests.against_torch.nn.layers import In, Layer, check, differences, find

ENCODER = "TransformerEncoderLayer"
DECODER = "TransformerDecoderLayer"
SIZES = (4, 2, 3, 0.0)  # d_model, nhead, dim_feedforward, dropout


def masks(*shape):
    """A mask of booleans, under which each place sees the first one."""
    mask = np.random.default_rng(3).random(shape) > 0.6
    mask[..., 0] = False
    return mask


def numbers(*shape):
    return np.random.default_rng(4).standard_normal(shape)


def later(n):
    return np.triu(np.full((n, n), -np.inf), 1)


def activations():
    yield from ("relu", "gelu")
    yield In(lambda t: t.tanh)
    yield In(lambda t: t.nn.functional.gelu)
    yield In(lambda t: t.nn.ELU())


def shared(name, inputs, turned):
    """What layers of encoders and decoders both take."""
    yield Layer(name, SIZES, {}, inputs)

    def layer(args, kwargs, given=inputs, **options):  # second derivatives take long
        return Layer(name, args, kwargs, given, higher=False, **options)

    for activation in activations():
        yield layer((*SIZES, activation), {"layer_norm_eps": 0.1})
    yield layer(SIZES, {"batch_first": True}, turned)
    yield layer(SIZES, {"norm_first": True})
    yield layer(SIZES, {"bias": False, "norm_first": True})
    yield layer((4, 1, 3, 0.0), {"bias": False})
    yield layer(SIZES, {"dtype": plugrad.float64})
    yield layer((4, 2, 3, 0.1), {}, random=True)
    yield layer((4, 2, 3, 1.0), {"norm_first": True})
    yield layer(SIZES, {}, [(shape[0], 4) for shape in inputs])


def layers():
    one, two = [(3, 2, 4)], [(3, 2, 4), (5, 2, 4)]
    yield from shared(ENCODER, one, [(2, 3, 4)])
    yield from shared(DECODER, two, [(2, 3, 4), (2, 5, 4)])
    for mask, padding in (
        (masks(3, 3), masks(2, 3)),
        (numbers(3, 3), numbers(2, 3)),
        (masks(4, 3, 3), None),
        (None, masks(2, 3)),
    ):
        call = {"src_mask": mask, "src_key_padding_mask": padding}
        yield Layer(ENCODER, SIZES, {}, one, call, higher=False)
        turned = {"batch_first": True}
        yield Layer(ENCODER, SIZES, turned, [(2, 3, 4)], call, higher=False)
        call = {"tgt_mask": mask, "tgt_key_padding_mask": padding}
        yield Layer(DECODER, SIZES, {}, two, call, higher=False)
    call = {"memory_mask": masks(3, 5), "memory_key_padding_mask": masks(2, 5)}
    yield Layer(DECODER, SIZES, {}, two, call, higher=False)
    call = {"src_mask": later(3), "is_causal": True}
    yield Layer(ENCODER, SIZES, {}, one, call, smooth=False)
    square = {"memory_mask": later(3), "memory_is_causal": True}
    call = {"tgt_mask": later(3), "tgt_is_causal": True, **square}
    yield Layer(DECODER, SIZES, {}, [(3, 2, 4), (3, 2, 4)], call, smooth=False)


def stack(kind, *args, **options):
    """A stack of layers, made with the library's own."""
    return In(lambda t: find(t.nn, f"Transformer{kind}Layer")(*SIZES, **options)), *args


def norm():
    return In(lambda t: t.nn.LayerNorm(4))


def stacks():
    kind, one = "TransformerEncoder", [(3, 2, 4)]
    yield Layer(kind, stack("Encoder", 2), {}, one, higher=False)
    yield Layer(kind, stack("Encoder", 2, norm()), {}, one, higher=False)
    yield Layer(kind, stack("Encoder", 1, None, False, False), {}, one)
    for options in ({}, {"batch_first": True}):
        inputs = [(2, 3, 4)] if options else one
        for mask in (None, masks(3, 3), later(3)):
            args = stack("Encoder", 1, **options)
            yield Layer(kind, args, {}, inputs, {"mask": mask}, smooth=False)
        for causal in (True, False, None):
            call = {"mask": later(3), "is_causal": causal}
            yield Layer(kind, args, {}, inputs, call, smooth=False)
    call = {"mask": masks(3, 3), "src_key_padding_mask": masks(2, 3)}
    yield Layer(kind, stack("Encoder", 2), {}, one, call, higher=False)
    kind, two = "TransformerDecoder", [(3, 2, 4), (5, 2, 4)]
    yield Layer(kind, stack("Decoder", 2), {}, two, higher=False)
    yield Layer(kind, stack("Decoder", 1, norm()), {}, two, higher=False)
    for causal in (True, False, None):
        call = {"tgt_mask": later(3), "tgt_is_causal": causal}
        yield Layer(kind, stack("Decoder", 1), {}, two, call, smooth=False)
    call = {"tgt_key_padding_mask": masks(2, 3), "memory_mask": masks(3, 5)}
    call["memory_key_padding_mask"] = masks(2, 5)
    yield Layer(kind, stack("Decoder", 1), {}, two, call, higher=False)


def whole():
    sizes = (4, 2, 1, 1, 3, 0.0)
    two = [(5, 2, 4), (3, 2, 4)]
    yield Layer("Transformer", sizes, {}, two, higher=False)
    yield Layer("Transformer", (4, 2, 2, 1, 3, 0.0), {"bias": False}, two, higher=False)
    options = {"batch_first": True, "norm_first": True, "activation": "gelu"}
    yield Layer("Transformer", sizes, options, [(2, 5, 4), (2, 3, 4)], higher=False)
    yield Layer("Transformer", sizes, {}, [(5, 4), (3, 4)], higher=False)
    call = {
        "src_mask": masks(5, 5),
        "tgt_mask": masks(3, 3),
        "memory_mask": masks(3, 5),
        "src_key_padding_mask": masks(2, 5),
        "tgt_key_padding_mask": masks(2, 3),
        "memory_key_padding_mask": masks(2, 5),
    }
    yield Layer("Transformer", sizes, {}, two, call, higher=False)
    call = {"src_mask": later(5), "tgt_mask": later(3), "tgt_is_causal": True}
    yield Layer("Transformer", sizes, {}, two, call, smooth=False)
    custom = {
        "custom_encoder": In(lambda t: t.nn.TransformerEncoder(*made(t, "Encoder"))),
        "custom_decoder": In(lambda t: t.nn.TransformerDecoder(*made(t, "Decoder"))),
    }
    yield Layer("Transformer", (4,), custom, two, higher=False)


def made(t, kind):
    return find(t.nn, f"Transformer{kind}Layer")(*SIZES), 1


@pytest.mark.filterwarnings("ignore:Support for mismatched")
@pytest.mark.parametrize("layer", [*layers(), *stacks(), *whole()], ids=str)
def test_layer(layer):
    check(layer)


def test_subsequent_mask():
    for options in ({}, {"dtype": "float64"}):
        ours, theirs = (
            t.nn.Transformer.generate_square_subsequent_mask(
                3, **{key: getattr(t, value) for key, value in options.items()}
            )
            for t in (plugrad, torch)
        )
        assert not differences({"mask": ours}, {"mask": theirs}, 1.0)


def model(t, *args, **options):
    return t.nn.Transformer(4, 2, 1, 1, 3, *args, **options)


WRONG = [
    lambda t: t.nn.TransformerEncoderLayer(4, 2, 3, activation="tanh"),
    lambda t: t.nn.TransformerDecoderLayer(4, 2, 3, activation="tanh"),
    lambda t: t.nn.TransformerEncoderLayer(4, 3),
    lambda t: model(t)(t.zeros(5, 2, 4), t.zeros(3, 3, 4)),
    lambda t: model(t, batch_first=True)(t.zeros(2, 5, 4), t.zeros(3, 5, 4)),
    lambda t: model(t)(t.zeros(5, 2, 4), t.zeros(3, 2, 3)),
    lambda t: model(t)(t.zeros(5, 2, 3), t.zeros(3, 2, 4)),
    lambda t: model(t)(t.zeros(5, 2, 4), t.zeros(3, 2, 4), src_mask=t.zeros(3, 3)),
    lambda t: model(t)(t.zeros(5, 2, 4), t.zeros(3, 2, 4), src_is_causal=True),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_errors(number):
    found = []
    for library in (plugrad, torch):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                WRONG[number](library)
            found.append(None)
        except Exception as error:
            found.append(type(error))
    assert found[0] is found[1] and found[0] is not None


def test_layers_of_a_stack_have_parameters_of_their_own():
    layer = plugrad.nn.TransformerEncoderLayer(*SIZES)
    encoder = plugrad.nn.TransformerEncoder(layer, 3)
    assert len({id(p) for p in encoder.parameters()}) == 3 * len([*layer.parameters()])
    assert all(p is not q for p in layer.parameters() for q in encoder.parameters())


def test_attributes():
    def described(t):
        found = model(t, norm_first=True, batch_first=True)
        layer = found.encoder.layers[0]
        kept = found.d_model, found.nhead, found.batch_first, found.encoder.num_layers
        return *kept, layer.norm_first, layer.self_attn.num_heads

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert described(plugrad) == described(torch)


def test_a_model_learns_to_copy():
    """Trained by Adam, a small one gives back the words that it has read."""
    plugrad.manual_seed(0)
    nn = plugrad.nn
    embed, head = nn.Parameter(plugrad.randn(5, 8)), nn.Linear(8, 5)
    body = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, 0.0), 1)
    parameters = [embed, *head.parameters(), *body.parameters()]
    optimizer = plugrad.optim.Adam(parameters, lr=0.01)
    words = plugrad.randint(5, (6, 16))
    losses = []
    for _ in range(60):
        scores = head(body(embed[words]))
        loss = -scores.log_softmax(-1).gather(-1, words.unsqueeze(-1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
    assert (head(body(embed[words])).argmax(-1) == words).all()
