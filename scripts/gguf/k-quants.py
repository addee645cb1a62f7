"""What ggml makes of the numbers and toys of k-quants.ts, as test/golden/k-quants.json has it.

    npx tsx scripts/gguf/k-quants.ts FOLDER
    python3 scripts/gguf/k-quants.py FOLDER LIBRARIES > test/golden/k-quants.json

LIBRARIES is a folder with libggml-base.so and libllama.so (@node-llama-cpp/linux-x64 has them). Needs nothing but the standard library.
"""
import ctypes
import hashlib
import json
import pathlib
import struct
import sys

NUMBERS = {'IQ4_NL': 20, 'Q2_K': 10, 'Q3_K': 11, 'Q4_K': 12, 'Q5_K': 13, 'Q6_K': 14}
# Made by a search where columns have an importance.
SEARCHED = {'Q4_0': 2, 'Q4_1': 3, 'Q5_0': 6, 'Q5_1': 7, 'Q8_0': 8, **NUMBERS}
NAMES = {0: 'F32', 1: 'F16', 2: 'Q4_0', 3: 'Q4_1', 6: 'Q5_0', 7: 'Q5_1', 8: 'Q8_0', 30: 'BF16', **{v: k for k, v in NUMBERS.items()}}
BLOCKS = {'F32': (1, 4), 'F16': (1, 2), 'BF16': (1, 2), 'Q4_0': (32, 18), 'Q4_1': (32, 20), 'Q5_0': (32, 22), 'Q5_1': (32, 24),
          'Q8_0': (32, 34), 'IQ4_NL': (32, 18), 'Q2_K': (256, 84), 'Q3_K': (256, 110), 'Q4_K': (256, 144), 'Q5_K': (256, 176), 'Q6_K': (256, 210)}
MIXES = {'q4_0': 2, 'q4_1': 3, 'q8_0': 7, 'q5_0': 8, 'q5_1': 9, 'q2_k': 10, 'q3_k_s': 11, 'q3_k_m': 12, 'q3_k_l': 13, 'q4_k_s': 14,
         'q4_k_m': 15, 'q5_k_s': 16, 'q5_k_m': 17, 'q6_k': 18, 'iq4_nl': 25}
VALUES = {0: 'B', 1: 'b', 2: 'H', 3: 'h', 4: 'I', 5: 'i', 6: 'f', 7: '?', 10: 'Q', 11: 'q', 12: 'd'}

folder, libraries = map(pathlib.Path, sys.argv[1:3])
ggml = ctypes.CDLL(libraries / 'libggml-base.so', mode=ctypes.RTLD_GLOBAL)
for name in ('libggml-cpu-x64*.so', 'libggml[.v]*.so', 'libllama[.v]*.so'):
    llama = ctypes.CDLL(next(libraries.glob(name)), mode=ctypes.RTLD_GLOBAL)


def quantized(raw, number, importance=None):
    columns = len(importance) // 4 if importance else len(raw) // 4
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    ggml.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
    into = ctypes.create_string_buffer(len(raw))
    size = ggml.ggml_quantize_chunk(number, raw, into, 0, len(raw) // 4 // columns, columns, importance)
    return into.raw[:size]


class Params(ctypes.Structure):
    """The first fields of llama_model_quantize_params; the others keep their defaults."""
    _fields_ = [('threads', ctypes.c_int32), ('mix', ctypes.c_int32), ('types', ctypes.c_int32 * 2), ('flags', ctypes.c_byte * 8),
                ('importance', ctypes.c_void_p), ('rest', ctypes.c_byte * 224)]


class Importance(ctypes.Structure):
    """An entry of the importance matrix; one without a name ends the list."""
    _fields_ = [('name', ctypes.c_char_p), ('values', ctypes.POINTER(ctypes.c_float)), ('count', ctypes.c_size_t)]


def tensors(path):
    """Name, type and bytes of every tensor of a GGUF file."""
    data = path.read_bytes()
    at = 8

    def take(form):
        nonlocal at
        value, = struct.unpack_from('<' + form, data, at)
        at += struct.calcsize('<' + form)
        return value

    def string():
        nonlocal at
        size = take('Q')
        at += size
        return data[at - size:at].decode()

    def skip(kind):
        if kind == 8:
            string()
        elif kind == 9:
            inner = take('I')
            for _ in range(take('Q')):
                skip(inner)
        else:
            take(VALUES[kind])

    count, fields = take('Q'), take('Q')
    for _ in range(fields):
        string()
        skip(take('I'))
    found = []
    for _ in range(count):
        name = string()
        elements = 1
        for _ in range(take('I')):
            elements *= take('Q')
        kind = NAMES[take('I')]
        found.append((name, kind, elements, take('Q')))
    begin = (at + 31) // 32 * 32
    for name, kind, elements, offset in found:
        block, size = BLOCKS[kind]
        yield name, kind, data[begin + offset:begin + offset + elements // block * size]


def mixed(source, mix, importance=None):
    out = source.with_suffix('.out')
    llama.llama_model_quantize_default_params.restype = Params
    llama.llama_model_quantize.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(Params)]
    params = llama.llama_model_quantize_default_params()
    params.threads, params.mix = 1, MIXES[mix]
    entries = [Importance(name.encode(), (ctypes.c_float * len(values))(*values), len(values)) for name, values in (importance or {}).items()]
    listed = (Importance * (len(entries) + 1))(*entries)
    if importance:
        params.importance = ctypes.addressof(listed)
    if llama.llama_model_quantize(str(source).encode(), str(out).encode(), ctypes.byref(params)) != 0:
        raise SystemExit(f'{source} as {mix} failed')
    return list(tensors(out))


def sha(raw):
    return hashlib.sha256(raw).hexdigest()


numbers = (folder / 'numbers.f32').read_bytes()
importance = (folder / 'importance.f32').read_bytes()


def by_type(found):
    """The type of most matrices, and the names of those of each other type."""
    types = {}
    for name, kind, _ in sorted(found):
        if kind != 'F32':
            types.setdefault(kind, []).append(name)
    most = max(types, key=lambda kind: len(types[kind]))
    return {'most': most, **{kind: ' '.join(names) for kind, names in types.items() if kind != most}}


def all_bytes(found):
    return sha(b''.join(raw for _, kind, raw in sorted(found) if kind != 'F32'))


golden = {'numbers': {name: sha(quantized(numbers, number)) for name, number in NUMBERS.items()}, 'types': {}, 'bytes': {},
          'important': {'numbers': {name: sha(quantized(numbers, number, importance)) for name, number in SEARCHED.items()}, 'types': {}, 'bytes': {}}}
for toy in ('tied', 'shared', 'apart', 'fused'):
    columns = json.loads((folder / f'{toy}.importance.json').read_text())
    for place, given in ((golden, None), (golden['important'], columns)):
        place['types'][toy] = {}
        for mix in MIXES:
            found = mixed(folder / f'{toy}.gguf', mix, given)
            types = by_type(found)
            # With an importance, only those that it changes.
            if given is None or types != golden['types'][toy][mix]:
                place['types'][toy][mix] = types
            if toy == 'tied':
                place['bytes'][mix] = all_bytes(found)
json.dump(golden, sys.stdout, indent=1)
