"""Single steps of recurrent networks."""

from __future__ import annotations

from typing import Any

import plugrad
from plugrad import Parameter, Tensor

from ..functional import recurrent as F
from .module import Module
from .recurrent import reset

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]


class RNNCellBase(Module):
    """What the cells share.

    >>> import plugrad
    >>> isinstance(plugrad.nn.GRUCell(2, 3), plugrad.nn.RNNCellBase)
    True
    """

    bias_ih: Tensor | None
    bias_hh: Tensor | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        gates = num_chunks * hidden_size

        def empty(*shape: int) -> Parameter:
            return Parameter(plugrad.empty(shape, device=device, dtype=dtype))

        self.weight_ih = empty(gates, input_size)
        self.weight_hh = empty(gates, hidden_size)
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, empty(gates) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew, within 1 / sqrt(hidden_size)."""
        reset(self)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        if nonlinearity != "tanh":
            text += f", nonlinearity={nonlinearity}"
        return text

    def weights(self) -> Any:
        """All weights, in the order in which the functions take them."""
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def prepared(self, x: Tensor, states: Any) -> tuple[Tensor, Any]:
        """The input and the states with a batch; states that are missing are zeros."""
        for what, each in (("input", x), *[("hidden", each) for each in states or ()]):
            if each.ndim not in (1, 2):
                raise ValueError(
                    f"{self._get_name()}: Expected {what} to be 1D or 2D, got "
                    f"{each.ndim}D instead"
                )
        single = x.ndim == 1
        if single:
            x = x.unsqueeze(0)
        if states is None:
            zeros = x.new_zeros(x.shape[0], self.hidden_size)
            return x, (zeros, zeros)
        return x, tuple(each.unsqueeze(0) for each in states) if single else states


class RNNCell(RNNCellBase):
    """One step of an RNN.

    >>> import plugrad
    >>> cell = plugrad.nn.RNNCell(10, 20)
    >>> cell(plugrad.zeros(3, 10), plugrad.zeros(3, 20)).shape
    plugrad.Size([3, 20])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        x, states = self.prepared(input, None if hx is None else (hx,))
        if self.nonlinearity == "tanh":
            y = F.rnn_tanh_cell(x, states[0], *self.weights())
        elif self.nonlinearity == "relu":
            y = F.rnn_relu_cell(x, states[0], *self.weights())
        else:
            raise RuntimeError(
                f"Unknown nonlinearity: {self.nonlinearity}; there are tanh and relu"
            )
        return y.squeeze(0) if input.ndim == 1 else y


class LSTMCell(RNNCellBase):
    """One step of an LSTM; the state is a pair of output and cell.

    >>> import plugrad
    >>> h, c = plugrad.nn.LSTMCell(10, 20)(plugrad.zeros(3, 10))
    >>> h.shape, c.shape
    (plugrad.Size([3, 20]), plugrad.Size([3, 20]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: Any = None) -> tuple[Tensor, Tensor]:
        x, states = self.prepared(input, hx)
        h, c = F.lstm_cell(x, states, *self.weights())
        return (h.squeeze(0), c.squeeze(0)) if input.ndim == 1 else (h, c)


class GRUCell(RNNCellBase):
    """One step of a GRU.

    >>> import plugrad
    >>> plugrad.nn.GRUCell(10, 20)(plugrad.zeros(3, 10)).shape
    plugrad.Size([3, 20])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        x, states = self.prepared(input, None if hx is None else (hx,))
        y = F.gru_cell(x, states[0], *self.weights())
        return y.squeeze(0) if input.ndim == 1 else y
