"""The ops, one file for each family."""

from __future__ import annotations

from . import (
    activation,
    aliases,
    assigning,
    axes,
    bessel,
    choosing,
    compare,
    complexes,
    contraction,
    counting,
    cutting,
    decompositions,
    draws,
    equations,
    extremes,
    gammas,
    indexing,
    joining,
    linalg,
    math,
    matrices,
    middles,
    normal,
    norms,
    picking,
    pointwise,
    positions,
    powers,
    putting,
    reduce,
    reflections,
    repeating,
    scan,
    scattering,
    shape,
    signs,
    softmaxes,
    sorting,
    special,
    strided,
)
from .activation import *
from .aliases import *
from .assigning import *
from .axes import *
from .bessel import *
from .choosing import *
from .compare import *
from .complexes import *
from .contraction import *
from .counting import *
from .cutting import *
from .decompositions import *
from .equations import *
from .extremes import *
from .gammas import *
from .indexing import *
from .joining import *
from .linalg import *
from .math import *
from .matrices import *
from .middles import *
from .norms import *
from .picking import *
from .pointwise import *
from .positions import *
from .powers import *
from .putting import *
from .reduce import *
from .reflections import *
from .repeating import *
from .scan import *
from .scattering import *
from .shape import *
from .signs import *
from .softmaxes import *
from .sorting import *
from .special import *
from .strided import *

__all__: list[str] = []
__all__ += activation.__all__
__all__ += aliases.__all__
__all__ += assigning.__all__
__all__ += axes.__all__
__all__ += bessel.__all__
__all__ += choosing.__all__
__all__ += compare.__all__
__all__ += complexes.__all__
__all__ += contraction.__all__
__all__ += counting.__all__
__all__ += cutting.__all__
__all__ += decompositions.__all__
__all__ += draws.__all__
__all__ += equations.__all__
__all__ += extremes.__all__
__all__ += gammas.__all__
__all__ += indexing.__all__
__all__ += joining.__all__
__all__ += linalg.__all__
__all__ += math.__all__
__all__ += matrices.__all__
__all__ += middles.__all__
__all__ += normal.__all__
__all__ += norms.__all__
__all__ += picking.__all__
__all__ += pointwise.__all__
__all__ += positions.__all__
__all__ += powers.__all__
__all__ += putting.__all__
__all__ += reduce.__all__
__all__ += reflections.__all__
__all__ += repeating.__all__
__all__ += scan.__all__
__all__ += scattering.__all__
__all__ += shape.__all__
__all__ += signs.__all__
__all__ += softmaxes.__all__
__all__ += sorting.__all__
__all__ += special.__all__
__all__ += strided.__all__
