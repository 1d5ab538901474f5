# Python that computes: objects, dictionaries, strings, floating point, one thread.
import hashlib
import json
import math


def sieve(n):
    flags = bytearray([1]) * (n + 1)
    for i in range(2, int(math.sqrt(n)) + 1):
        if flags[i]:
            flags[i * i :: i] = bytes(len(range(i * i, n + 1, i)))
    return sum(flags) - 2


def words(n):
    counts = {}
    state = 1
    for _ in range(n):
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        word = "w%d" % (state % 5000)
        counts[word] = counts.get(word, 0) + 1
    return json.dumps(sorted(counts.items()))


def orbit(n):
    x, y, vx, vy = 1.0, 0.0, 0.0, 0.5
    for _ in range(n):
        r = math.sqrt(x * x + y * y) ** 3
        vx, vy = vx - x / r * 1e-3, vy - y / r * 1e-3
        x, y = x + vx * 1e-3, y + vy * 1e-3
    return x


result = (sieve(5_000_000), hashlib.sha256(words(3_000_000).encode()).hexdigest(), orbit(4_000_000))
assert result[0] == 348513
