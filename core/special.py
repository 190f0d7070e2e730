"""Special functions under PyTorch's names: `plugrad.special`.

>>> import plugrad
>>> plugrad.special.ndtr(plugrad.tensor([-1.0, 0.0, 1.0]))
tensor([0.1587, 0.5000, 0.8413])
"""

from __future__ import annotations

from .ops.activation import logit
from .ops.activation import sigmoid as expit
from .ops.bessel import i0, i0e, i1, i1e
from .ops.gammas import digamma, polygamma
from .ops.gammas import lgamma as gammaln
from .ops.gammas import mvlgamma as multigammaln
from .ops.math import exp2, expm1, log1p, xlogy
from .ops.normal import erfcx, log_ndtr, ndtr, ndtri
from .ops.signs import round
from .ops.softmaxes import log_softmax, logsumexp, softmax
from .ops.special import entr, erf, erfc, erfinv, sinc, xlog1py

__all__ = [
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "exp2",
    "expit",
    "expm1",
    "gammaln",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "log1p",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "multigammaln",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "round",
    "sinc",
    "softmax",
    "xlog1py",
    "xlogy",
]

psi = digamma
