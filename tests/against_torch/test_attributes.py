"""What can be asked of a tensor, and Size, beside PyTorch's."""

from __future__ import annotations

import copy
import operator
import pickle

import numpy as np
import pytest
import torch

import plugrad
from tests.against_torch.same import DTYPES, SHAPES, cases, grown, same, x

# Functions made in a loop are called in its same turn.
# ruff: noqa: B023


QUESTIONS = """size dim ndimension numel nelement element_size stride storage_offset
    is_contiguous is_floating_point is_complex is_signed is_conj is_neg is_inference
    is_pinned get_device type is_leaf requires_grad shape ndim dtype device layout
    itemsize nbytes grad is_cpu is_cuda is_meta is_mps is_xpu is_mkldnn is_nested
    is_quantized is_sparse is_sparse_csr retains_grad __len__ is_shared""".split()


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions(question):
    def ask(t):
        found = getattr(t, question)
        return found() if callable(found) else found

    for shape in SHAPES:
        same(lambda m: ask(m.ones(shape)))
    for dtype in DTYPES:
        same(lambda m: ask(m.ones(2, dtype=getattr(m, dtype))))
    same(lambda m: ask(x(m, 3, 4).t()))
    same(lambda m: ask(x(m, 3, 4)[1:, 2]))
    same(lambda m: ask(x(m, 3, 4)[:, ::2]))
    same(lambda m: ask(x(m, 2, 3, requires_grad=True)))
    same(lambda m: ask(grown(m)))


@cases(
    *[
        lambda m, f=f, shape=shape, d=d: getattr(m.ones(shape), f)(d)
        for f in ("size", "stride")
        for shape in ((), (3,), (2, 3))
        for d in (0, 1, -1, -2, 2, -3)
    ],
    lambda m: m.ones(2, 3).size(dim=1),
    lambda m: m.ones(2, 3).size(None),
    lambda m: m.ones(2, 3).size("a"),
    lambda m: m.ones(2, 3).size(1.0),
    lambda m: m.ones(2, 3).size(1, 2),
    lambda m: m.ones(2, 3).stride("a"),
    lambda m: m.ones(2, 3).is_contiguous(m.contiguous_format),
    lambda m: m.ones(2, 3).is_contiguous(memory_format=m.contiguous_format),
    lambda m: m.ones(2, 3).is_contiguous(memory_format=m.preserve_format),
    lambda m: m.ones(2, 3).is_contiguous(memory_format=m.channels_last),
    lambda m: m.ones(2, 3).is_contiguous(memory_format="x"),
    lambda m: m.ones(2, 1, 4, 5).is_contiguous(memory_format=m.channels_last),
    lambda m: m.ones(2, 3, 1, 1).is_contiguous(memory_format=m.channels_last),
    lambda m: m.ones(2, 3, 4, 5).is_contiguous(memory_format=m.channels_last),
    lambda m: m.ones(0, 3).t().is_contiguous(),
    lambda m: m.ones(1, 3, 1)[:, :, ::2].is_contiguous(),
    lambda m: m.ones(2, 3).is_same_size(m.ones(2, 3)),
    lambda m: m.ones(2, 3).is_same_size(m.ones(3, 2)),
    lambda m: (t := m.ones(2, 3)).is_set_to(t.view(2, 3)),
    lambda m: (t := m.ones(2, 3)).is_set_to(t.view(3, 2)),
    lambda m: (t := m.ones(2, 3)).is_set_to(t[:]),
    lambda m: m.ones(2, 3).is_set_to(m.ones(2, 3)),
    lambda m: m.ones(0).data_ptr(),
    lambda m: (t := m.ones(2, 3))[1:, 2:].data_ptr() - t.data_ptr(),
    lambda m: m.ones(2).pin_memory(),
)
def test_sizes_and_memory(call):
    same(call)


@pytest.mark.parametrize("attribute", "shape dtype device grad_fn is_leaf ndim".split())
def test_what_is_constant(attribute):
    same(lambda m: setattr(m.ones(2), attribute, 3))


def views(m):
    t = x(m, 4, 3)
    return [t, t[1], t.t(), t.view(-1)[2:], t.detach(), t[:, 1].unsqueeze(0)]


def test_storages():
    for i in range(len(views(plugrad))):
        same(lambda m: views(m)[i].untyped_storage().nbytes())
        same(lambda m: len(views(m)[i].untyped_storage()))
        same(lambda m: views(m)[i].untyped_storage().element_size())
        same(lambda m: views(m)[i].storage().size())
        same(lambda m: views(m)[i].storage().tolist())
        same(lambda m: views(m)[i].storage().dtype)
        same(lambda m: views(m)[i].storage()[4])
        same(lambda m: views(m)[i].storage_offset())
        same(lambda m: views(m)[i].untyped_storage().device)
        same(lambda m: (v := views(m))[0].untyped_storage() == v[i].untyped_storage())
        same(
            lambda m: (
                (v := views(m))[0].untyped_storage().data_ptr()
                == v[i].untyped_storage().data_ptr()
            )
        )
    one, two = plugrad.ones(2), plugrad.ones(2)
    assert one.untyped_storage() != two.untyped_storage()


def test_version_counts_writes():
    for m in (torch, plugrad):
        t = m.ones(3)
        view = t[1:]
        before = t._version
        view.add_(1)
        assert t._version == view._version > before
        assert t.clone()._version != t._version


# --- Size


@cases(
    lambda m: m.Size([2, 3, 4]),
    lambda m: repr(m.Size([2, 3])),
    lambda m: str(m.Size([])),
    lambda m: m.Size([2, 3, 4])[1:],
    lambda m: m.Size([2, 3, 4])[::2],
    lambda m: m.Size([2, 3, 4])[-1],
    lambda m: m.Size([2, 3, 4])[3],
    lambda m: m.Size([2, 3]) + (1,),
    lambda m: (1,) + m.Size([2, 3]),
    lambda m: m.Size([2]) + m.Size([3]),
    lambda m: m.Size([2]) + [3],
    lambda m: m.Size([2, 3]) * 2,
    lambda m: 2 * m.Size([2, 3]),
    lambda m: m.Size([2, 3]) * 1.5,
    lambda m: operator.iadd(m.Size([1]), (2,)),
    lambda m: pickle.loads(pickle.dumps(m.Size([2, 3]))),
    lambda m: copy.deepcopy(m.Size([2, 3])),
    lambda m: copy.copy(m.Size([2, 3])),
    lambda m: m.Size([2, 3]).numel(),
    lambda m: m.Size([]).numel(),
    lambda m: m.Size([2, 0]).numel(),
    lambda m: m.Size([2, 3]) == (2, 3),
    lambda m: m.Size([2, 3]) == [2, 3],
    lambda m: hash(m.Size([2, 3])) == hash((2, 3)),
    lambda m: m.Size([1.5]),
    lambda m: m.Size("ab"),
    lambda m: m.Size(1, 2),
    lambda m: m.Size([m.tensor(2)]),
    lambda m: m.Size([np.int64(2)]),
    lambda m: m.Size([True]),
    lambda m: m.Size([-1]),
    lambda m: m.Size(),
    lambda m: m.Size(range(3)),
    lambda m: m.ones(2, 3).shape + m.ones(4).size(),
    lambda m: m.ones(m.Size([2, 3])),
)
def test_size(call):
    same(call)
