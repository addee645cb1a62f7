"""Seconds in which ggml quantizes numbers on one thread: ggml_quantize.py LIBGGML_BASE NUMBERS.f32 IMPORTANCE.f32 ROUNDS TYPE=NUMBER … prints
medians of each type, with all columns alike and by their importance."""
import ctypes
import json
import statistics
import sys
import time

library, file, columns, rounds, *types = sys.argv[1:]
ggml = ctypes.CDLL(library)
ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
ggml.ggml_quantize_chunk.argtypes = [ctypes.c_int, *[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 3, ctypes.c_void_p]
raw = open(file, 'rb').read()
importance = open(columns, 'rb').read()
width = len(importance) // 4
into = ctypes.create_string_buffer(len(raw))


def measured(number, weights):
    seconds = []
    for _ in range(int(rounds)):
        start = time.perf_counter()
        ggml.ggml_quantize_chunk(number, raw, into, 0, len(raw) // 4 // width, width, weights)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


found = {name: {'alike': measured(int(number), None), 'weighed': measured(int(number), importance)} for name, number in (each.split('=') for each in types)}
print(json.dumps(found))
