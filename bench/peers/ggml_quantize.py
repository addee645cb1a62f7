"""Seconds in which ggml quantizes numbers on one thread: ggml_quantize.py LIBGGML_BASE NUMBERS.f32 ROUNDS TYPE=NUMBER … prints medians."""
import ctypes
import json
import statistics
import sys
import time

library, file, rounds, *types = sys.argv[1:]
ggml = ctypes.CDLL(library)
ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
ggml.ggml_quantize_chunk.argtypes = [ctypes.c_int, *[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 3, ctypes.c_void_p]
raw = open(file, 'rb').read()
into = ctypes.create_string_buffer(len(raw))
found = {}
for name, number in (each.split('=') for each in types):
    seconds = []
    for _ in range(int(rounds)):
        start = time.perf_counter()
        ggml.ggml_quantize_chunk(int(number), raw, into, 0, 1, len(raw) // 4, None)
        seconds.append(time.perf_counter() - start)
    found[name] = statistics.median(seconds)
print(json.dumps(found))
