"""Files go both ways: torch loads what plugrad saves, and the other way round.

Every object is saved by one library, loaded by the other, and compared bit for bit:
values, dtypes, shapes, steps, what shares memory, and the containers around it.
"""

from __future__ import annotations

import io
import subprocess
import sys
from collections import Counter, OrderedDict

import numpy as np
import pytest
import torch

import plugrad
from plugrad.testing import assert_close
from tests.against_torch.same import DTYPES

pytestmark = [
    pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta"),
    pytest.mark.filterwarnings("ignore:.*TypedStorage is deprecated"),
]
MODULES = [plugrad, torch]


def buffer(save, obj):
    file = io.BytesIO()
    save(obj, file)
    file.seek(0)
    return file


def bits(x):
    """The bytes of a tensor's elements, in order."""
    x = x.detach()
    if isinstance(x, torch.Tensor):
        x = x.resolve_conj().resolve_neg().contiguous()
        return x.reshape(-1).view(torch.uint8).numpy().tobytes()
    return np.ascontiguousarray(x._k.to_numpy(x._a)).tobytes()


def plain(value, memories):
    """A value of either library as the same words; `memories` numbers what tensors lie
    in, so that sharing shows."""
    if isinstance(value, (torch.Tensor, plugrad.Tensor)):
        name = str(value.dtype).rpartition(".")[2]
        layout = str(value.layout).rpartition(".")[2]
        kind = type(value).__name__
        if isinstance(value, plugrad.nn.Buffer):
            kind = "Tensor"  # torch's are tensors with a mark
        head = kind, name, layout, tuple(value.shape), value.requires_grad
        if layout != "strided":
            parts = {
                "sparse_coo": ("_indices", "_values"),
                "sparse_csr": ("crow_indices", "col_indices", "values"),
                "sparse_csc": ("ccol_indices", "row_indices", "values"),
            }[layout]
            parts = [getattr(value, part)() for part in parts]
            return head, [(str(each.dtype)[-5:], each.tolist()) for each in parts]
        if not value.numel():
            return head
        start = value.data_ptr() - value.storage_offset() * value.element_size()
        number = memories.setdefault(start, len(memories))
        steps = [s for s, n in zip(value.stride(), value.shape) if n > 1]
        return head, steps, value.storage_offset(), number, bits(value)
    if isinstance(value, (OrderedDict, Counter, dict)):
        items = [(plain(k, memories), plain(v, memories)) for k, v in value.items()]
        metadata = getattr(value, "_metadata", None)
        return type(value).__name__, items, plain(metadata, memories)
    if isinstance(value, (torch.Size, plugrad.Size)):
        return "Size", tuple(value)
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(each, memories) for each in value]
    if isinstance(value, (set, frozenset)):
        return type(value).__name__, sorted(map(repr, value))
    if type(value).__module__.partition(".")[0] in ("torch", "plugrad"):
        return repr(value).replace("torch.", "plugrad.")
    return type(value).__name__, repr(value)


def check(obj, save=plugrad.save, again=(plugrad.save, torch.save)):
    """Both libraries load what one saved, and find the same in it; and once more in
    what they save of that."""
    expected = plain(obj, {})
    file = buffer(save, obj)
    for load in (plugrad.load, torch.load):
        file.seek(0)
        found = load(file)
        assert plain(found, {}) == expected
        own = plugrad.save if load is plugrad.load else torch.save
        if own in again:
            second = buffer(own, found)
            for load_again in (plugrad.load, torch.load):
                second.seek(0)
                assert plain(load_again(second), {}) == expected


def tensor(m, dtype, shape):
    n = int(np.prod(shape))
    data = (np.arange(n) * 37 % 11).reshape(shape)
    made = m.tensor(data.tolist(), dtype=getattr(m, dtype)).reshape(shape)
    return made


SHAPES = [(), (0,), (3,), (2, 3), (2, 0, 3), (2, 3, 4)]


@pytest.mark.parametrize("m", MODULES, ids=lambda m: m.__name__)
@pytest.mark.parametrize("dtype", DTYPES)
def test_all_dtypes_and_shapes(m, dtype):
    obj = {shape: tensor(m, dtype, shape) for shape in SHAPES}
    check(obj, m.save)


def views(m, dtype="float32"):
    w = tensor(m, dtype, (4, 6))
    one = tensor(m, dtype, (1,))
    return [
        w,
        w.t(),
        w[1],
        w[:, 2:5],
        w[::2, ::3],
        one.expand(5),
        one.expand(3, 4),
        w[2, 3],
        w.reshape(2, 2, 6).permute(2, 0, 1),
        w[1:1],
        w.t().contiguous(),
    ]


@pytest.mark.parametrize("m", MODULES, ids=lambda m: m.__name__)
@pytest.mark.parametrize(
    "dtype", ["float32", "int16", "bfloat16", "complex128", "uint32"]
)
def test_views_stay_views_of_one_memory(m, dtype):
    found = views(m, dtype)
    check(found, m.save)
    check(found[::-1], m.save)
    check(found[2:3], m.save)


def test_a_write_to_a_loaded_tensor_shows_in_its_views():
    w, t = plugrad.load(buffer(torch.save, [(x := torch.ones(2, 3)), x.t()]))
    w[0, 1] = 5
    assert t.tolist() == w.t().tolist()
    w.requires_grad_()
    assert not t.requires_grad


def test_memory_read_as_two_dtypes():
    x = plugrad.tensor([1 + 2j, 3 + 4j])
    obj = [x, plugrad.view_as_real(x), x.real]
    with pytest.raises(RuntimeError, match="view the same data as different types"):
        torch.save([(z := torch.ones(2, dtype=torch.complex64)), z.real], io.BytesIO())
    check(obj, again=[plugrad.save])
    check(obj[::-1], again=[plugrad.save])


CONTAINERS = [
    None,
    True,
    [1, -1, 255, 256, 65536, -(2**31), 2**31, 2**63, -(2**100)],
    [0.0, -0.0, 1.5, float("inf"), 1e-320],
    float("nan"),
    1 - 2j,
    ["", "text", "\u00fc\u20ac\U0001f600", "\n\\", "x" * 300],
    {"a": {"b": [({"c": 1},)]}, 2: 3, 2.5: 4, None: 5, (1, "x"): 6, True: 7},
    OrderedDict([("z", 1), ("a", 2)]),
    Counter("aabbb"),
    {1, 2, "three"},
    (),
    (1,),
    (1, 2),
    (1, 2, 3),
    tuple(range(5)),
    [],
    {},
    list(range(3000)),
    {i: str(i) for i in range(2500)},
    bytearray(b"\x00\xff"),
    b"\x00\x80\xff" * 100,
    [b""],
]


@pytest.mark.parametrize("obj", CONTAINERS, ids=range(len(CONTAINERS)))
def test_containers_and_numbers(obj):
    if obj == [b""]:  # torch.save writes the name of bytes, which torch.load refuses
        check(obj, again=[plugrad.save])
    else:
        check(obj)
        check(obj, torch.save)


def test_what_torch_saves_and_does_not_load_by_default():
    obj = [slice(1, None, 2), frozenset({1, 2}), b""]
    for save in (plugrad.save, torch.save):
        assert plugrad.load(buffer(save, obj)) == obj
        assert torch.load(buffer(save, obj), weights_only=False) == obj
        with pytest.raises(Exception, match="Unsupported global"):
            torch.load(buffer(save, obj))


def small_objects(m):
    return [
        m.Size([1, 2]),
        m.float32,
        m.bfloat16,
        m.uint16,
        m.bool,
        m.device("cpu"),
        m.device("cuda", 1),
        m.sparse_coo,
    ]


def test_small_objects():
    check(small_objects(plugrad))
    ours = plain(plugrad.load(buffer(torch.save, small_objects(torch)[:-1])), {})
    assert ours == plain(small_objects(torch)[:-1], {})


@pytest.mark.parametrize("m", MODULES, ids=lambda m: m.__name__)
def test_parameters_gradients_and_attributes(m):
    p = m.nn.Parameter(tensor(m, "float32", (2, 3)))
    frozen = m.nn.Parameter(m.ones(2), requires_grad=False)
    leaf = m.ones(3, requires_grad=True)
    marked = m.ones(1)
    marked.note = "kept"
    with_note = m.nn.Parameter(m.ones(1))
    with_note.note = [1]
    tied = {"a": p, "b": p, "data": p.data, "grad": leaf * 2}
    obj = [p, frozen, leaf, tied, marked, with_note]
    check(obj, m.save)
    for load in (plugrad.load, torch.load):
        found = load(buffer(m.save, obj))
        assert found[3]["a"] is found[0] is found[3]["b"]
        assert found[4].note == "kept" and found[5].note == [1]


def test_buffers():
    for persistent in (True, False):
        ours = plugrad.nn.Buffer(plugrad.ones(2), persistent=persistent)
        theirs = torch.nn.Buffer(torch.ones(2), persistent=persistent)
        for save, obj in ((plugrad.save, ours), (torch.save, theirs)):
            found = plugrad.load(buffer(save, obj))
            assert type(found) is plugrad.nn.Buffer
            assert found.persistent is persistent
            found = torch.load(buffer(save, obj))
            assert isinstance(found, torch.nn.Buffer)
            assert found.persistent is persistent


@pytest.mark.parametrize("m", MODULES, ids=lambda m: m.__name__)
def test_sparse_tensors(m):
    coo = m.sparse_coo_tensor([[1, 0, 1], [2, 0, 2]], [3.0, 4.0, 5.0], (2, 3))
    dense = m.tensor([[0.0, 1.0, 0.0], [2.0, 0.0, 3.0]])
    obj = [coo, coo.coalesce(), dense.to_sparse_csr(), dense.to_sparse_csc()]
    hybrid = m.sparse_coo_tensor([[0, 2]], [[1.0, 2.0], [3.0, 4.0]], (3, 2))
    check([*obj, hybrid], m.save)


def test_conjugated_and_negated_views_of_torch():
    z = torch.tensor([1 + 2j, 3 - 4j])
    obj = [z.conj(), z.conj().imag, z]
    for each in obj:
        found = plugrad.load(buffer(torch.save, each))
        assert found.tolist() == each.tolist()


# --- Whole trainings ------------------------------------------------------------------


def trained(m, optimizer, **options):
    """A few steps; the state of the module, of the optimizer and of a schedule."""
    m.manual_seed(0)
    net = m.nn.Sequential(
        m.nn.Linear(4, 3), m.nn.BatchNorm1d(3), m.nn.Tanh(), m.nn.Linear(3, 2)
    )
    o = getattr(m.optim, optimizer)(net.parameters(), lr=0.1, **options)
    schedule = m.optim.lr_scheduler.StepLR(o, 2, gamma=0.5)
    x = m.tensor([[0.5, -1.0, 1.5, 2.0], [1.0, 0.0, -0.5, 1.0], [0.1, 0.2, 0.3, 0.4]])
    for _ in range(3):
        o.zero_grad()
        (net(x) ** 2).sum().backward()
        o.step()
        schedule.step()
    return net, o, schedule


STATES = [
    ("SGD", {"momentum": 0.9}),
    ("Adam", {}),
    ("AdamW", {"amsgrad": True}),
    ("Adagrad", {}),
    ("RMSprop", {"centered": True}),
]


@pytest.mark.parametrize("name, options", STATES, ids=[s[0] for s in STATES])
def test_states_of_trainings_go_over(name, options):
    ours, theirs = trained(plugrad, name, **options), trained(torch, name, **options)
    for saved, save, load, others in (
        (ours, plugrad.save, torch.load, theirs),
        (theirs, torch.save, plugrad.load, ours),
    ):
        states = {i: each.state_dict() for i, each in enumerate(saved)}
        found = load(buffer(save, states))
        assert plain(found[0], {}) == plain(states[0], {})
        for i, other in enumerate(others):
            other.load_state_dict(found[i])
        x = [[0.5, -1.0, 1.5, 2.0], [1.0, 0.0, -0.5, 1.0]]
        for net, m in ((saved[0], plugrad), (others[0], torch)):
            m = sys.modules[type(net).__module__.partition(".")[0]]
            net.eval()
            out = net(m.tensor(x)).tolist()
            net.train()
            if net is saved[0]:
                expected = out
        assert_close(plugrad.tensor(out), plugrad.tensor(expected))
        assert others[2].state_dict()["last_epoch"] == 3


# --- Files ----------------------------------------------------------------------------


def test_a_path_and_mmap(tmp_path):
    path = tmp_path / "checkpoint.pt"
    obj = {f"w{i}": tensor(plugrad, "float32", (i, 7)) for i in range(1, 60)}
    plugrad.save(obj, path)
    expected = plain(obj, {})
    assert plain(torch.load(path), {}) == expected
    assert plain(torch.load(path, mmap=True), {}) == expected
    assert plain(plugrad.load(path, mmap=True), {}) == expected
    torch.save(torch.load(path), path)
    mapped = plugrad.load(path, mmap=True)
    assert plain(mapped, {}) == expected
    mapped["w1"].zero_()  # stays here
    assert plain(plugrad.load(path), {}) == expected
    for offsets in (torch.utils.serialization.config.patch,):
        plugrad.save(obj, path)
        with offsets("load.calculate_storage_offsets", True):
            assert plain(torch.load(path, mmap=True), {}) == expected


def test_the_file_is_a_zip_archive_as_torch_lays_it_out(tmp_path):
    import zipfile

    obj = {"w": plugrad.ones(3), "e": plugrad.zeros(0), "v": plugrad.ones(100)}
    ours, theirs = tmp_path / "ours.pt", tmp_path / "theirs.pt"
    plugrad.save(obj, ours)
    torch.save(torch.load(ours), theirs)
    names = []
    for path in (ours, theirs):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            for info in archive.infolist():
                with open(path, "rb") as file:
                    file.seek(info.header_offset + 26)
                    sizes = np.frombuffer(file.read(4), "<u2")
                assert (info.header_offset + 30 + int(sizes.sum())) % 64 == 0
            names.append([n.partition("/")[2] for n in archive.namelist()])
    assert names[0][:-1] == names[1][:-1]


def test_old_files():
    obj = [*views(torch), {"p": torch.nn.Parameter(torch.ones(2))}, "text"]
    file = io.BytesIO()
    torch.save(obj, file, _use_new_zipfile_serialization=False)
    end = file.tell()
    file.write(b"more")
    file.seek(0)
    assert plain(plugrad.load(file), {}) == plain(obj, {})
    file.seek(0, 0)
    shifted = io.BytesIO(b"front" + file.getvalue()[:end])
    shifted.seek(5)
    assert plain(plugrad.load(shifted), {}) == plain(obj, {})
    for dtype in DTYPES:
        file = io.BytesIO()
        obj = [tensor(torch, dtype, shape) for shape in SHAPES]
        torch.save(obj, file, _use_new_zipfile_serialization=False)
        file.seek(0)
        assert plain(plugrad.load(file), {}) == plain(obj, {})


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_all_protocols(protocol):
    obj = {"a": [torch.ones(2), {1, 2}, (1, 2, 3, 4), "x" * 300, b"yz"], "n": 2**70}
    for zipped in (True, False):
        file = io.BytesIO()
        torch.save(
            obj, file, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped
        )
        file.seek(0)
        assert plain(plugrad.load(file), {}) == plain(obj, {})


def test_dtypes_that_plugrad_has_not_are_named():
    for dtype in (torch.float8_e4m3fn, torch.complex32):
        file = buffer(torch.save, torch.zeros(2, dtype=dtype))
        with pytest.raises(plugrad.CheckpointError, match="float8|complex32"):
            plugrad.load(file)


def test_storages_and_classes_by_themselves_are_refused():
    for obj in (
        torch.ones(2).untyped_storage(),
        [torch.ones(2).storage()],
        {"a": (torch.ones(2).untyped_storage(), 1)},
    ):
        for zipped in (True, False):
            file = io.BytesIO()
            torch.save(obj, file, _use_new_zipfile_serialization=zipped)
            file.seek(0)
            with pytest.raises(plugrad.CheckpointError, match="storage by itself"):
                plugrad.load(file)
    with pytest.raises(plugrad.CheckpointError, match="OrderedDict"):
        plugrad.load(buffer(torch.save, [OrderedDict]))


def test_loading_takes_no_torch(tmp_path):
    path = tmp_path / "theirs.pt"
    torch.save({"w": torch.arange(6.0).reshape(2, 3)}, path)
    code = (
        "import sys; sys.modules['torch'] = None; import plugrad; "
        f"print(plugrad.load({str(path)!r})['w'].tolist())"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]", done.stderr
