"""Recurrent layers, over whole sequences and as single steps."""

from __future__ import annotations

import warnings
from math import sqrt
from numbers import Number
from typing import Any

import plugrad
from plugrad import Parameter, Tensor

from ..functional import recurrent as F
from ..utils.rnn import PackedSequence
from .module import Module

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "RNNBase",
]

GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}


class RNNBase(Module):
    """What RNN, LSTM and GRU share: their weights, and how they are called.

    >>> import plugrad
    >>> isinstance(plugrad.nn.GRU(2, 3), plugrad.nn.RNNBase)
    True
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        check_arguments(self, dropout)
        gates = GATES[mode] * hidden_size
        out = proj_size or hidden_size
        self._all_weights: list[list[str]] = []
        for i in range(num_layers):
            into = input_size if i == 0 else out * (2 if bidirectional else 1)
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (gates, into)}
            shapes["weight_hh"] = (gates, out)
            if bias:
                shapes["bias_ih"] = shapes["bias_hh"] = (gates,)
            if proj_size:
                shapes["weight_hr"] = (proj_size, hidden_size)
            for end in ("", "_reverse")[: 2 if bidirectional else 1]:
                for name, shape in shapes.items():
                    empty = plugrad.empty(shape, device=device, dtype=dtype)
                    setattr(self, f"{name}_l{i}{end}", Parameter(empty))
                self._all_weights.append([f"{name}_l{i}{end}" for name in shapes])
        self.reset_parameters()

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The weights of each layer and direction."""
        return [[getattr(self, name) for name in each] for each in self._all_weights]

    def reset_parameters(self) -> None:
        """Draw all weights anew, within 1 / sqrt(hidden_size)."""
        reset(self)

    def flatten_parameters(self) -> None:
        """Does nothing: weights lie where backends have them."""

    def extra_repr(self) -> str:
        parts = [f"{self.input_size}, {self.hidden_size}"]
        if self.proj_size != 0:
            parts.append(f"proj_size={self.proj_size}")
        if self.num_layers != 1:
            parts.append(f"num_layers={self.num_layers}")
        if self.bias is not True:
            parts.append(f"bias={self.bias}")
        if self.batch_first is not False:
            parts.append(f"batch_first={self.batch_first}")
        if self.dropout != 0:
            parts.append(f"dropout={self.dropout}")
        if self.bidirectional is not False:
            parts.append(f"bidirectional={self.bidirectional}")
        return ", ".join(parts)

    # --- A call -----------------------------------------------------------------------

    def forward(self, input: Any, hx: Any = None) -> Any:
        states = hx
        if self.mode != "LSTM" and hx is not None:
            states = (hx,)
        if isinstance(input, PackedSequence):
            data, batch_sizes, order, back = input
            sizes = tuple(batch_sizes.tolist())
            check_data(self, data, 2)
            if states is not None:
                states = tuple(permuted(each, order) for each in states)
            y, ends = self.run(data, states, sizes)
            y = PackedSequence(y, batch_sizes, order, back)
            ends = tuple(permuted(each, back) for each in ends)
        else:
            y, ends = self.run_padded(input, states)
        return y, ends if self.mode == "LSTM" else ends[0]

    def run_padded(self, x: Tensor, states: Any) -> Any:
        """A call on sequences of one length, or on one sequence."""
        if x.ndim not in (2, 3):
            name = self._get_name()
            raise ValueError(
                f"{name}: Expected input to be 2D or 3D, got {x.ndim}D tensor instead"
            )
        single, first = x.ndim == 2, self.batch_first
        for each in states or ():
            if each.ndim != x.ndim:
                raise RuntimeError(
                    f"For {'unbatched' if single else 'batched'} {x.ndim}-D input, the "
                    f"hidden state should also be {x.ndim}-D, but got {each.ndim}-D"
                )
        if single:
            x = x.unsqueeze(1)
            states = states and tuple(each.unsqueeze(1) for each in states)
        elif first:
            x = x.transpose(0, 1)
        check_data(self, x, 3)
        steps, batch, width = x.shape
        if not steps:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        rows = x.reshape(steps * batch, width)
        y, ends = self.run(rows, states, (batch,) * steps)
        if single:
            return y, tuple(each.squeeze(1) for each in ends)
        y = y.view(steps, batch, y.shape[1])
        return y.transpose(0, 1) if first else y, ends

    def run(self, x: Tensor, states: Any, sizes: tuple[int, ...]) -> Any:
        """A call on packed rows."""
        widths = (self.proj_size or self.hidden_size,)
        if self.mode == "LSTM":
            widths = (*widths, self.hidden_size)
        if states is not None:
            check_states(self, states, widths, sizes[0])
        weights = []
        for each in self.all_weights:
            w_ih, w_hh, *rest = each
            b_ih, b_hh = rest[:2] if self.bias else (None, None)
            weights.append(
                (w_ih, w_hh, b_ih, b_hh, rest[-1] if self.proj_size else None)
            )
        dropout = self.dropout if self.training else 0.0
        return F.layers(
            self.mode, x, states, weights, sizes, widths, dropout, self.bidirectional
        )


def reset(module: Module) -> None:
    """Draw all parameters within 1 / sqrt(hidden_size)."""
    bound = 1 / sqrt(module.hidden_size) if module.hidden_size > 0 else 0
    with plugrad.no_grad():
        for weight in module.parameters():
            weight.uniform_(-bound, bound)


def permuted(state: Tensor, order: Tensor | None) -> Tensor:
    """A state with its sequences in another order."""
    return state if order is None else state.index_select(1, order)


# --- What arguments have to be --------------------------------------------------------


def check_arguments(module: RNNBase, dropout: Any) -> None:
    """Raise unless a layer can be made of these."""
    if not isinstance(dropout, Number) or isinstance(dropout, bool):
        raise ValueError(f"dropout should be a number, not {dropout!r}")
    if not 0 <= dropout <= 1:  # type: ignore[operator]
        raise ValueError(f"dropout is a probability, between 0 and 1, not {dropout!r}")
    if dropout > 0 and module.num_layers == 1:  # type: ignore[operator]
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so "
            "non-zero dropout expects num_layers greater than 1, but got "
            f"dropout={dropout} and num_layers=1",
            stacklevel=4,
        )
    for name, kind in KINDS.items():
        value = getattr(module, name)
        if not isinstance(value, kind):
            raise TypeError(
                f"{name} should be of type {kind.__name__}, got: {type(value).__name__}"
            )
    for name in ("input_size", "hidden_size", "num_layers"):
        if getattr(module, name) <= 0:
            raise ValueError(f"{name} must be greater than zero")
    if not 0 <= module.proj_size < module.hidden_size:
        raise ValueError(
            "proj_size has to be smaller than hidden_size, and positive, or zero for "
            f"no projections, but got {module.proj_size} for {module.hidden_size}"
        )
    if module.mode not in GATES:
        raise ValueError(
            f"Unrecognized RNN mode: {module.mode!r}; there are {', '.join(GATES)}"
        )


KINDS = {"bias": bool, "batch_first": bool, "input_size": int, "hidden_size": int}


def check_data(module: RNNBase, x: Tensor, ndim: int) -> None:
    """Raise unless the layer takes such rows."""
    dtype = module.weight_ih_l0.dtype
    if x.dtype is not dtype:
        raise ValueError(
            f"RNN input dtype ({x.dtype}) does not match weight dtype ({dtype}). "
            f"Convert input: input.to({dtype}), or convert model: model.to({x.dtype})"
        )
    if x.ndim != ndim:
        raise RuntimeError(f"input must have {ndim} dimensions, got {x.ndim}")
    if x.shape[-1] != module.input_size:
        raise RuntimeError(
            "input.size(-1) must be equal to input_size. Expected "
            f"{module.input_size}, got {x.shape[-1]}"
        )


def check_states(module: RNNBase, states: Any, widths: Any, batch: int) -> None:
    """Raise unless the first states have the sizes that they need."""
    count = module.num_layers * (2 if module.bidirectional else 1)
    for i, (state, width) in enumerate(zip(states, widths, strict=True)):
        if tuple(state.shape) != (count, batch, width):
            name = f"hidden[{i}]" if len(widths) > 1 else "hidden"
            raise RuntimeError(
                f"Expected {name} size {(count, batch, width)}, got {list(state.shape)}"
            )


# --- The layers -----------------------------------------------------------------------


class RNN(RNNBase):
    """The simplest recurrent network: h = tanh(w_ih @ x + b_ih + w_hh @ h + b_hh).

    The input is (steps, batch, input_size), with `batch_first` (batch, steps,
    input_size); without a batch it is (steps, input_size); or it is a PackedSequence.
    Given back are the states of the last layer at all steps, and those of all layers at
    the last step.

    >>> import plugrad
    >>> layer = plugrad.nn.RNN(10, 20, num_layers=2, nonlinearity="relu")
    >>> y, h = layer(plugrad.zeros(5, 3, 10))
    >>> y.shape, h.shape
    (plugrad.Size([5, 3, 20]), plugrad.Size([2, 3, 20]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        refuse_projection(self, kwargs)
        modes = {"tanh": "RNN_TANH", "relu": "RNN_RELU"}
        if nonlinearity not in modes:
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__(
            modes[nonlinearity],
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
            **kwargs,
        )
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory; inputs as for RNN.

    The state is a pair: the outputs, which `proj_size` makes smaller, and the cells.

    >>> import plugrad
    >>> layer = plugrad.nn.LSTM(10, 20, batch_first=True, bidirectional=True)
    >>> y, (h, c) = layer(plugrad.zeros(3, 5, 10))
    >>> y.shape, h.shape, c.shape
    (plugrad.Size([3, 5, 40]), plugrad.Size([2, 3, 20]), plugrad.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)


class GRU(RNNBase):
    """Gated recurrent units; inputs as for RNN.

    >>> import plugrad
    >>> layer = plugrad.nn.GRU(10, 20, num_layers=2)
    >>> y, h = layer(plugrad.zeros(5, 3, 10), plugrad.zeros(2, 3, 20))
    >>> y.shape, h.shape
    (plugrad.Size([5, 3, 20]), plugrad.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        refuse_projection(self, kwargs)
        super().__init__("GRU", *args, **kwargs)


def refuse_projection(module: Module, kwargs: dict[str, Any]) -> None:
    """Raise if `proj_size` was given to a layer that has none."""
    if "proj_size" in kwargs:
        raise ValueError(
            "proj_size argument is only supported for LSTM, not "
            f"{type(module).__name__}"
        )
