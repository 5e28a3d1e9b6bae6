"""The Python side of the benchmarks, beside a dict and cachetools: hits, misses, an asker and a node of a cluster.

The first argument names a subject; the others are flags. A line of JSON says that the subject is ready; each line of the
input is answered with one.
"""

from __future__ import annotations

import bisect
import itertools
import json
import random
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

import cachetools

import cohort

VALUE_BYTES = 1024
ORDER = 1 << 18
MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15
Answer = dict[str, float]


def key_of(i: int) -> str:
    return f"key-{i:08}"


def mixed(state: int) -> int:
    """The word that splitmix64 (Steele, Lea and Flood 2014), which each language has in the same words, makes of a state."""
    x = state
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def value_of(i: int, size: int = VALUE_BYTES) -> bytes:
    """The value of the i-th key, made in the same way in each language: a word of its own, little endian, again and again.

    Every byte is written, so that no value is a page of zeroes that the kernel shares among all of them.
    """
    word = mixed((i + GAMMA) & MASK).to_bytes(8, "little")
    return (word * -(-size // 8))[:size]


def load(key: str) -> bytes:
    return value_of(int(key.removeprefix("key-")))


def zipf_order(n: int, seed: int) -> list[int]:
    """Numbers below n by a Zipf distribution with exponent 0.99."""
    sums = list(itertools.accumulate((i + 1) ** -0.99 for i in range(n)))
    order = []
    state = seed
    for _ in range(ORDER):
        state = (state + GAMMA) & MASK
        rank = min(bisect.bisect_left(sums, (mixed(state) >> 11) * 2.0**-53 * sums[-1]), n - 1)
        order.append(rank * 48271 % n)
    return order


def serve(answer: Callable[[list[str]], Answer]) -> NoReturn:
    print("{}", flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(line.split())), flush=True)
    sys.exit(0)


def on_threads(n: int, seconds: float, work: Callable[[int], int]) -> Answer:
    """Measures `work(thread)`, which does some operations and says how many."""
    stop = False
    done = [0] * n

    def run(thread: int) -> None:
        while not stop:
            done[thread] += work(thread)

    threads = [threading.Thread(target=run, args=(t,)) for t in range(n)]
    cpu, begun = time.process_time(), time.perf_counter()
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    stop = True
    for thread in threads:
        thread.join()
    total = sum(done)
    return {"ops_per_s": total / (time.perf_counter() - begun), "cpu_us": (time.process_time() - cpu) / total * 1e6}


def hits(flags: dict[str, str]) -> NoReturn:
    """hits -cache cohort|dict|cachetools -entries N: asked "fresh|reference|many THREADS SECONDS"; Cohort's are fresh."""
    entries = int(flags.get("-entries", "100000"))
    keys = [key_of(i) for i in range(entries)]
    # Each thread's keys in the order in which it asks; one order, begun at different places.
    asked = [keys[i] for i in zipf_order(entries, 0)]
    get: Callable[[str], bytes]
    node = cohort.Instance()
    group = node.new_group("bench", load, cache_bytes=512 << 20)
    match flags["-cache"]:
        case "cohort":
            get = group.get
            for key in keys:
                get(key)
        case "dict":
            get = {key: load(key) for key in keys}.__getitem__
        case "cachetools":
            # As its documentation says for threads: a lock around the cache.
            lru: cachetools.LRUCache[str, bytes] = cachetools.LRUCache(entries)
            lru.update({key: load(key) for key in keys})
            get = cachetools.cached(lru, key=str, lock=threading.Lock())(lambda key: b"")
        case other:
            sys.exit(f"bench: no cache is called '{other}'")
    for i, key in enumerate(keys):
        if get(key) != value_of(i):
            sys.exit(f"bench: the value of {key} is not the one that was set")
    turns = [itertools.cycle(range(t * 1000, ORDER - 256, 256)) for t in range(8)]
    sums = [0] * 8

    def ones(thread: int) -> int:
        begin = next(turns[thread])
        consumed = 0
        for key in asked[begin : begin + 256]:
            consumed += get(key)[VALUE_BYTES // 2]
        sums[thread] += consumed
        return 256

    def many(thread: int) -> int:
        begin = next(turns[thread])
        consumed = 0
        for value in group.get_many(asked[begin : begin + 100]).values():
            consumed += value[VALUE_BYTES // 2]
        sums[thread] += consumed
        return 100

    serve(lambda words: on_threads(int(words[1]), float(words[2]), many if words[0] == "many" else ones))


def changes(flags: dict[str, str]) -> NoReturn:
    """changes -cache cohort|cachetools -entries N: asked "miss THREADS SECONDS": gets that load and evict."""
    entries = int(flags.get("-entries", "100000"))
    numbers = itertools.count()
    get: Callable[[str], bytes]
    if flags["-cache"] == "cohort":
        node = cohort.Instance()
        get = node.new_group("bench", load, cache_bytes=entries * VALUE_BYTES).get
    else:
        lru: cachetools.LRUCache[str, bytes] = cachetools.LRUCache(entries * 3 // 4)
        get = cachetools.cached(lru, key=str, lock=threading.Lock())(load)
    for _ in range(entries):
        get(key_of(next(numbers)))

    def misses(thread: int) -> int:
        for _ in range(16):
            get(key_of(next(numbers)))
        return 16

    serve(lambda words: on_threads(int(words[1]), float(words[2]), misses))


def asker(flags: dict[str, str]) -> NoReturn:
    """asker -listen B -peers A,B -owner A: keeps nothing; asked "get|many THREADS SECONDS", as remote.cc says."""

    def unreached(key: str) -> bytes:
        raise OSError(f"the owner of {key} was not reached")

    with cohort.Instance(flags["-listen"]) as instance:
        instance.set_peers(flags["-peers"].split(","))
        group = instance.new_group("bench", unreached, cache_bytes=0)
        keys: list[str] = []
        for i in itertools.count():
            key = key_of(i)
            if instance.owner(key) != flags["-owner"]:
                continue
            if group.get(key) != value_of(i):
                sys.exit(f"bench: the value of {key} is not the owner's")
            keys.append(key)
            if len(keys) == 10_000:
                break

        def ask(words: list[str]) -> Answer:
            threads = int(words[1])
            chance = [random.Random(thread) for thread in range(threads)]

            def one(thread: int) -> int:
                group.get(chance[thread].choice(keys))
                return 1

            def many(thread: int) -> int:
                group.get_many(chance[thread].choices(keys, k=100))
                return 100

            return on_threads(threads, float(words[2]), many if words[0] == "many" else one)

        serve(ask)


def node(flags: dict[str, str]) -> NoReturn:
    """node -listen A -peers A,B,...: asked "cold KEY CALLERS", and "loads", as node.cc says."""
    loads: list[str] = []

    def load_slowly(key: str) -> str:
        loads.append(key)
        time.sleep(0.1)
        return "cold"

    with cohort.Instance(flags["-listen"]) as instance:
        instance.set_peers(flags["-peers"].split(","))
        group = instance.new_group("bench", load_slowly, codec=cohort.TEXT)

        def ask(words: list[str]) -> Answer:
            if words[0] == "loads":
                return {"loads": len(loads)}
            begun = time.perf_counter()
            callers = [threading.Thread(target=group.get, args=(words[1],)) for _ in range(int(words[2]))]
            for caller in callers:
                caller.start()
            for caller in callers:
                caller.join()
            return {"ms": (time.perf_counter() - begun) * 1e3}

        serve(ask)


def main() -> None:
    subjects = {"hits": hits, "changes": changes, "asker": asker, "node": node}
    if len(sys.argv) < 2 or sys.argv[1] not in subjects:
        sys.exit(f"usage: main.py {'|'.join(subjects)} [-flag value]...")
    subjects[sys.argv[1]](dict(zip(sys.argv[2::2], sys.argv[3::2], strict=True)))


if __name__ == "__main__":
    main()
