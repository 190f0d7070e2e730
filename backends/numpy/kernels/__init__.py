"""Kernels that NumPy does better than the default bodies: the name is the op's.

A ufunc stands for itself, with no frame between it and the call.
"""

from ..random import *
from .activation import *
from .attention import *
from .choosing import *
from .columns import *
from .convolution import *
from .counting import *
from .extremes import *
from .index import *
from .kinds import isdtype as isdtype
from .linalg import *
from .losses import *
from .matrices import *
from .norms import *
from .padding import *
from .pointwise import *
from .pooling import *
from .recurrent import *
from .reduce import *
from .resampling import *
from .scan import *
from .select import *
from .softmax import *
from .standardizing import standardize as standardize
from .standardizing import standardize_back as standardize_back
