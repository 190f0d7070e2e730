"""Pickles that would run code, were they unpickled, and a process that loads them.

Each comes with a word that the error must say: the name that it would have called, or
the instruction. Run as a program, this loads them all under an audit hook, and prints
for each what was raised, and what the hook heard.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
import sys
import warnings

MARK = "HOSTILE_CODE_RAN"
COMMAND = f"echo {MARK}"

# functions, and how they are called
CALLS = {
    "os.system": (COMMAND,),
    "posix.system": (COMMAND,),
    "nt.system": (COMMAND,),
    "os.popen": (COMMAND,),
    "os.execv": ("/bin/true", ["true"]),
    "os.spawnl": (0, "/bin/true", "true"),
    "os.remove": ("/tmp/none",),
    "os._wrap_close": (),
    "subprocess.Popen": (["true"],),
    "subprocess.run": (["true"],),
    "subprocess.check_output": (["true"],),
    "builtins.eval": ("print()",),
    "builtins.exec": ("print()",),
    "builtins.compile": ("print()", "x", "exec"),
    "builtins.open": ("/etc/passwd",),
    "builtins.getattr": ("x", "upper"),
    "builtins.setattr": ("x", "y", 1),
    "builtins.__import__": ("os",),
    "builtins.input": (),
    "builtins.breakpoint": (),
    "builtins.globals": (),
    "builtins.type": ("X", (), {}),
    "builtins.map": (),
    "builtins.apply": (),
    "builtins.memoryview": (b"x",),
    "builtins.object": (),
    "__builtin__.eval": ("print()",),
    "__builtin__.execfile": ("x",),
    "__builtin__.file": ("x",),
    "importlib.import_module": ("os",),
    "importlib._bootstrap._gcd_import": ("os",),
    "imp.load_source": ("x", "x"),
    "runpy.run_path": ("x.py",),
    "runpy._run_code": ("print()", {}),
    "pickle.loads": (b"N.",),
    "_pickle.loads": (b"N.",),
    "pickle.Unpickler": (),
    "marshal.loads": (b"N",),
    "types.CodeType": (),
    "types.FunctionType": (),
    "functools.partial": (print, "x"),
    "functools.reduce": (),
    "operator.attrgetter": ("system",),
    "operator.methodcaller": ("system", COMMAND),
    "operator.itemgetter": (0,),
    "itertools.starmap": (),
    "collections.defaultdict": (list,),
    "collections.namedtuple": ("X", "a b"),
    "collections.UserDict": (),
    "copyreg._reconstructor": (object, object, None),
    "copyreg.__newobj__": (object,),
    "copyreg.add_extension": ("os", "system", 1),
    "copy_reg._reconstructor": (object, object, None),
    "ctypes.CDLL": ("libc.so.6",),
    "_ctypes.dlopen": ("libc.so.6", 0),
    "socket.create_connection": (("localhost", 1),),
    "socket.socket": (),
    "urllib.request.urlopen": ("http://localhost",),
    "http.client.HTTPConnection": ("localhost",),
    "webbrowser.open": ("http://localhost",),
    "smtplib.SMTP": (),
    "ftplib.FTP": (),
    "shutil.rmtree": ("/tmp/none",),
    "pathlib.Path": ("x",),
    "pathlib.PosixPath": ("x",),
    "tempfile.mktemp": (),
    "linecache.getline": ("/etc/passwd", 1),
    "code.interact": (),
    "code.InteractiveInterpreter": (),
    "codeop.compile_command": ("1",),
    "pdb.run": ("print()",),
    "bdb.Bdb": (),
    "cProfile.run": ("print()",),
    "profile.run": ("print()",),
    "timeit.timeit": ("print()",),
    "timeit.main": (),
    "trace.Trace": (),
    "doctest.debug_script": ("print()",),
    "pty.spawn": ("/bin/true",),
    "platform.popen": (COMMAND,),
    "commands.getoutput": (COMMAND,),
    "pip.main": (["list"],),
    "pip._internal.main": (["list"],),
    "pkgutil.resolve_name": ("os:system",),
    "idlelib.pyshell.ModifiedInterpreter.runcode": ("print()",),
    "lib2to3.pgen2.grammar.Grammar.loads": (b"N.",),
    "ensurepip._run_pip": (["list"],),
    "asyncio.unix_events._UnixSubprocessTransport._start": (),
    "multiprocessing.util.spawnv_passfds": (b"/bin/true", [b"true"], []),
    "logging.config._resolve": ("os.system",),
    "logging.FileHandler": ("x",),
    "sys.exit": (0,),
    "sys.setprofile": (None,),
    "sys.modules": (),
    "threading.Thread": (),
    "signal.raise_signal": (9,),
    "gc.get_objects": (),
    "inspect.getattr_static": ("x", "upper"),
    "site.addsitedir": ("x",),
    "zipimport.zipimporter": ("x",),
    "numpy.load": ("x",),
    "numpy.core.multiarray._reconstruct": (),
    "numpy._core.multiarray.scalar": (),
    "numpy.testing._private.utils.runstring": ("print()", {}),
    "numpy.f2py.crackfortran.getlincoef": ("print()", {}),
    "torch.load": ("x",),
    "torch.hub.load": ("x", "x"),
    "torch.utils.model_zoo.load_url": ("http://localhost",),
    "torch.jit.unsupported_tensor_ops.execWrapper": ("print()", {}),
    "torch.utils._config_module.ConfigModule.load_config": (b"N.",),
    "torch.utils.bottleneck.__main__.run_cprofile": (),
    "torch.utils.collect_env.run": (COMMAND,),
    "torch.utils.data.datapipes.utils.decoder.basichandlers": ("pickle", b"N."),
    "torch.serialization.load": ("x",),
    "torch.storage._load_from_bytes": (b"N.",),
    "torch.fx.experimental.symbolic_shapes.ShapeEnv.evaluate_guards_expression": (),
    "torch.fx._graph_pickler.GraphPickler.loads": (),
    "torch._dynamo.guards.GuardBuilder.get": (),
    "torch._utils._rebuild_qtensor": (),
    "torch._utils._rebuild_wrapper_subclass": (),
    "torch._utils._rebuild_meta_tensor_no_storage": (),
    "torch._utils._rebuild_device_tensor_from_numpy": (),
    "torch._tensor._convert": (),
    "torch.distributed.rpc.internal._run_function": (),
    "torch.nn.modules.linear.Linear": (1, 1),
    "plugrad.load": ("x",),
    "plugrad.saving.load": ("x",),
    "plugrad.serialization.add_safe_globals": ([],),
    "plugrad.saving.names.set_state": (),
    "plugrad.load_plugin": ("cuda",),
    "plugrad.nn.Linear": (1, 1),
    "plugrad.tensor.Tensor": (),
    "__main__.helper": (),
    "__main__.sys": (),
    "dill._dill._create_function": (),
    "cloudpickle.cloudpickle._make_function": (),
    "joblib._store_backends.FileSystemStoreBackend": (),
    "pandas.read_pickle": ("x",),
    "yaml.unsafe_load": ("!!python/object/apply:os.system [x]",),
}


def named(full: str) -> bytes:
    """The instruction that puts a name on the stack."""
    module, name = full.rsplit(".", 1)
    return f"c{module}\n{name}\n".encode()


def value(obj: object) -> bytes:
    """Instructions for some plain values, whatever stands for others."""
    try:
        return pickle.dumps(obj, 2)[2:-1]
    except Exception:
        return b"N"


def args(values: tuple) -> bytes:
    return b"(" + b"".join(map(value, values)) + b"t"


def text(words: str) -> bytes:
    data = words.encode()
    return b"X" + struct.pack("<I", len(data)) + data


SYSTEM = named("os.system")
RUN = args((COMMAND,))
HOOKS = b"ccollections\nOrderedDict\n)R"
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
STORAGE = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu")


def rebuilt(stored: bytes = STORAGE + b"K\4tQ", where: bytes = b"K\0") -> bytes:
    return REBUILD + b"(" + stored + where + b"K\4\x85K\1\x85\x89" + HOOKS + b"tR"


# What is no simple call: (name, the pickle without its first and last byte, the word).
SHAPES: list[tuple[str, bytes, str]] = [
    ("nested in a list", b"](" + SYSTEM + RUN + b"Re", "os.system"),
    ("a value of a dict", b"}" + text("w") + SYSTEM + RUN + b"Rs", "os.system"),
    ("a key of a dict", b"}" + SYSTEM + RUN + b"RNs", "os.system"),
    ("in a tuple", b"(" + SYSTEM + RUN + b"Rt", "os.system"),
    ("thrown away after", SYSTEM + RUN + b"R0N", "os.system"),
    ("thrown away by mark", b"(" + SYSTEM + RUN + b"R1N", "os.system"),
    ("from the memo", SYSTEM + b"q\x050h\5" + RUN + b"R", "os.system"),
    ("by a long memo", SYSTEM + b"r\5\0\0\x000j\5\0\0\0" + RUN + b"R", "os.system"),
    ("duplicated", SYSTEM + b"2" + RUN + b"R", "os.system"),
    (
        "names put together",
        text("os") + text("system") + b"\x93" + RUN + b"R",
        "os.system",
    ),
    (
        "names from the memo",
        text("os") + b"q\x000" + text("system") + b"q\x010h\0h\1\x93" + RUN + b"R",
        "os.system",
    ),
    ("a name that is a number", b"K\1K\2\x93)R", "name"),
    ("a name that is bytes", b"C\2osC\6system\x93" + RUN + b"R", "name"),
    ("a dotted name", text("os") + text("path.os.system") + b"\x93" + RUN + b"R", "os"),
    ("a module of dots", b"cos.path\nos.system\n" + RUN + b"R", "os.path"),
    ("builtins by dots", b"cbuiltins\nset.__class__\n)R", "set.__class__"),
    ("beyond an allowed name", b"ccollections\nOrderedDict.__init__\n)R", "__init__"),
    ("globals of an allowed function", b"ctorch\nSize.__new__.__globals__\n)R", "Size"),
    ("INST", b"(" + text(COMMAND) + b"ios\nsystem\n", "os.system"),
    ("OBJ", b"(" + SYSTEM + text(COMMAND) + b"o", "os.system"),
    ("OBJ of what is allowed", b"(ccollections\nOrderedDict\no", "OBJ"),
    ("NEWOBJ", named("subprocess.Popen") + args(("true",)) + b"\x81", "subprocess"),
    ("NEWOBJ of text", text("x") + b")\x81", "instance"),
    ("NEWOBJ of an object", HOOKS + b")\x81", "instance"),
    (
        "NEWOBJ_EX",
        named("subprocess.Popen") + args(("true",)) + b"}\x92",
        "subprocess",
    ),
    ("NEWOBJ_EX of what is allowed", b"ccollections\nCounter\n)}NNs\x92", "Counter"),
    ("EXT1", b"\x82\1)R", "EXT1"),
    ("EXT2", b"\x83\1\0)R", "EXT2"),
    ("EXT4", b"\x84\1\0\0\0)R", "EXT4"),
    ("PERSID", b"Pos.system\n", "PERSID"),
    ("a next buffer", b"\x97", "NEXT_BUFFER"),
    ("a read-only buffer", b"N\x98", "READONLY_BUFFER"),
    ("BUILD of a dict", b"}}" + text("x") + b"Nsb", "dict"),
    ("BUILD of a list", b"]}" + text("x") + b"Nsb", "list"),
    ("BUILD of a set", b"\x8f}" + text("x") + b"Nsb", "set"),
    (
        "BUILD of an OrderedDict's methods",
        HOOKS + b"}" + text("items") + b"Nsb",
        "OrderedDict",
    ),
    (
        "BUILD of __class__",
        HOOKS + b"}" + text("__class__") + b"Nsb",
        "OrderedDict",
    ),
    (
        "BUILD with _metadata and more",
        HOOKS + b"}(" + text("_metadata") + b"N" + text("keys") + b"Nub",
        "OrderedDict",
    ),
    (
        "BUILD by __setstate__",
        HOOKS + b"}" + text("__setstate__") + SYSTEM,
        "os.system",
    ),
    ("BUILD of a tensor", rebuilt() + b"}" + text("x") + b"Nsb", "Tensor"),
    ("BUILD of a tensor's parts", rebuilt() + b"(K\0)))tb", "Tensor"),
    ("BUILD of a dtype", b"ctorch\nfloat32\n}" + text("name") + b"Nsb", "dtype"),
    ("BUILD of a name", b"ctorch\nSize\n}" + text("call") + b"Nsb", "Named"),
    ("BUILD of a size", b"ctorch\nSize\n()tR}" + text("x") + b"Nsb", "Size"),
    ("a call of text", text("x") + b")R", "str"),
    ("a call of a list", b"])R", "list"),
    ("a call of a dtype", b"ctorch\nfloat32\n)R", "dtype"),
    ("a call of a storage's class", b"ctorch\nFloatStorage\n)R", "FloatStorage"),
    ("a call of the class of tensors", b"ctorch\nTensor\n)R", "torch.Tensor"),
    ("a call with no tuple", b"ctorch\nSize\n]R", "list"),
    ("a call of what a call gave", HOOKS + b")R", "OrderedDict"),
    (
        "bytes by another encoding",
        b"c_codecs\nencode\n" + args(("x", "zip")) + b"R",
        "enc",
    ),
    ("bytes by rot13", b"c_codecs\nencode\n" + args(("x", "rot13")) + b"R", "enc"),
    (
        "a bytearray of a number",
        b"cbuiltins\nbytearray\n" + args((1 << 40,)) + b"R",
        "int",
    ),
    ("bytes of a number", b"cbuiltins\nbytes\n" + args((1 << 40,)) + b"R", "int"),
    ("a set of a string", b"cbuiltins\nset\n" + args(("abc",)) + b"R", "str"),
    ("a complex number of text", b"cbuiltins\ncomplex\n" + args(("1",)) + b"R", "str"),
    ("a reference to text", text("x") + b"Q", "str"),
    ("a reference to a module", b"(" + text("module") + SYSTEM + b"tQ", "os.system"),
    ("a reference to a module of text", b"(" + text("module") + b"NNNNtQ", "refers"),
    ("a reference to nothing", b")Q", "storage"),
    (
        "a storage of a function",
        b"(" + text("storage") + SYSTEM + text("0") + text("cpu") + b"K\4tQ",
        "os.system",
    ),
    (
        "a storage of a tensor's function",
        b"(" + text("storage") + REBUILD + text("0") + text("cpu") + b"K\4tQ",
        "storage",
    ),
    (
        "a storage of an OrderedDict",
        b"(" + text("storage") + HOOKS + text("0") + text("cpu") + b"K\4tQ",
        "storage",
    ),
    (
        "a storage elsewhere",
        b"("
        + text("storage")
        + b"ctorch\nFloatStorage\n"
        + text("../../../etc/passwd")
        + text("cpu")
        + b"K\4tQ"
        + b"0"
        + rebuilt(
            STORAGE.replace(text("0"), text("../../../etc/passwd")) + b"K\4tQ",
        ),
        "it has",
    ),
    # CVE-2025-32434: what a list of allowed functions lets through to the next one
    ("a tensor of the wrong storage", rebuilt(HOOKS), "OrderedDict"),
    ("a tensor of text", rebuilt(text("x")), "str"),
    ("a tensor of a tensor", rebuilt(rebuilt()), "Tensor"),
    ("a tensor of too few bytes", rebuilt(STORAGE + b"K\3tQ"), "3"),
    ("a tensor of too many bytes", rebuilt(STORAGE + b"K\5tQ"), "storage '0'"),
    ("a tensor beyond its storage", rebuilt(where=b"K\1"), "reaches"),
    ("a tensor before its storage", rebuilt(where=b"J\xff\xff\xff\xff"), "begins"),
    ("a tensor at a fraction", rebuilt(where=b"G" + struct.pack(">d", 0.5)), "float"),
    ("a tensor at a truth value", rebuilt(where=b"\x88"), "bool"),
    (
        "a parameter of text",
        b"ctorch._utils\n_rebuild_parameter\n" + args(("x", True)) + b"R",
        "str",
    ),
    (
        "a parameter of a function",
        b"ctorch._utils\n_rebuild_parameter\n(" + SYSTEM + b"\x88" + HOOKS + b"tR",
        "os.system",
    ),
    # CVE-2026-24747: entries set in what is no dictionary, and sizes that do not match
    ("SETITEM of a tensor", rebuilt() + b"K\0K\1s", "Tensor"),
    ("SETITEMS of a tensor", rebuilt() + b"(K\0K\1u", "Tensor"),
    ("SETITEM of a list", b"]K\0K\1s", "list"),
    ("SETITEM of a storage", STORAGE + b"K\4tQK\0K\1s", "Stored"),
    ("APPEND to a tensor", rebuilt() + b"K\0a", "Tensor"),
    ("APPENDS to a dict", b"}(K\0e", "dict"),
    ("ADDITEMS to a list", b"](K\0\x90", "list"),
    (
        "a storage of two sizes",
        b"(" + rebuilt() + rebuilt(STORAGE + b"K\x08tQ") + b"t",
        "two sizes",
    ),
    (
        "a type of a tensor",
        b"ctorch._tensor\n_rebuild_from_type_v2\n(" + SYSTEM + RUN + b"NNtR",
        "os.system",
    ),
    (
        "a type of a tensor that is none",
        b"ctorch._tensor\n_rebuild_from_type_v2\n("
        + b"ctorch\nSize\nctorch\nTensor\n()t}tR",
        "class",
    ),
    (
        "a tensor's attribute",
        b"ctorch._tensor\n_rebuild_from_type_v2\n("
        + REBUILD
        + b"ctorch\nTensor\n("
        + STORAGE
        + b"K\4tQK\0K\4\x85K\1\x85\x89"
        + HOOKS
        + b"t}"
        + text("numpy")
        + b"NstR",
        "numpy",
    ),
    (
        "a tensor's private attribute",
        b"ctorch._tensor\n_rebuild_from_type_v2\n("
        + REBUILD
        + b"ctorch\nTensor\n("
        + STORAGE
        + b"K\4tQK\0K\4\x85K\1\x85\x89"
        + HOOKS
        + b"t}"
        + text("__class__")
        + b"NstR",
        "__class__",
    ),
    ("memo of nothing", b"h\7", "object 7"),
    ("memo far away", b"Nr\xff\xff\xff\x7f", "numbers an object"),
    ("mark of nothing", b"t", "not there"),
    ("an empty stack", b"R", "not there"),
    ("an unknown instruction", b"\xff", "instruction"),
    ("a frame of any length", b"\x95" + b"\xff" * 8 + SYSTEM + RUN + b"R", "os.system"),
    ("a second protocol", b"\x80\x04" + SYSTEM + RUN + b"R", "os.system"),
    ("text by protocol 0", b"S'x'\n", "instruction"),
    ("a number by protocol 0", b"I1\n", "instruction"),
    (
        "a name in another alphabet",
        "c\u043es\nsystem\n".encode() + RUN + b"R",
        "system",
    ),
    ("a name with a null", b"cos\0\nsystem\n" + RUN + b"R", "system"),
    ("a name of nothing", b"c\n\n" + RUN + b"R", "'.'"),
]


def calls() -> list[tuple[str, bytes, str]]:
    """A call of each function, which must be refused by its name."""
    found = []
    for full, values in CALLS.items():
        shown = full.replace("__builtin__", "builtins")
        found.append((full, named(full) + args(values) + b"R", shown))
    return found


def pickles() -> list[tuple[str, bytes, str]]:
    """All of them: (name, pickle, word of the error)."""
    return [
        (name, b"\x80\x02" + body + b".", word) for name, body, word in calls() + SHAPES
    ]


def helper() -> None:
    """What a file might name in the running program."""
    print(MARK)


def main() -> None:
    """Load all in both formats, with and without `weights_only`."""
    import plugrad
    from tests.campaigns.checkpoints import legacy, sample, saved, zipped

    heard: list[str] = []
    listening = False

    def hook(event: str, details: object) -> None:
        if listening and event not in QUIET:
            heard.append(event)

    def attempt(data: bytes, weights_only: bool) -> tuple[str, str]:
        nonlocal listening
        file = io.BytesIO(data)
        listening = True
        try:
            plugrad.load(file, weights_only=weights_only)
            said = "loaded", ""
        except Exception as error:
            said = type(error).__name__, str(error)
        finally:
            listening = False
        return said

    front = legacy(0)
    front = front[: front.index(pickle.dumps(0, 2)[2:], 40) - 2]
    for good in (saved(sample()), legacy(sample()), legacy(0)):
        for weights_only in (True, False):  # whatever is imported, once
            plugrad.load(io.BytesIO(good), weights_only=weights_only)
    attempt(saved({})[:-1], True)
    sys.addaudithook(hook)
    warnings.simplefilter("error")
    for name, data, word in pickles():
        for kind in ("zip", "legacy"):
            whole = zipped(data, {"0": bytes(16)}) if kind == "zip" else front + data
            if kind == "legacy":
                whole += pickle.dumps(["0"], 2) + struct.pack("<q", 4) + bytes(16)
            for weights_only in (True, False):
                heard.clear()
                raised, said = attempt(whole, weights_only)
                print(json.dumps([name, kind, weights_only, raised, said, word, heard]))
    heard.clear()
    listening = True
    pickle.loads(b"\x80\x02" + named("builtins.eval") + args(("1",)) + b"R.")
    listening = False
    print(json.dumps(["control", "", True, "", "", "", heard]))


# Nothing of the user's: the interpreter's own noise.
QUIET = {"builtins.id", "object.__getattr__", "sys._getframe"}

if __name__ == "__main__":
    main()
