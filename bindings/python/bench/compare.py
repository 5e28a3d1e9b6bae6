"""Measures hits and misses of one process, beside cachetools' LRU and a plain dict, and gets that wait together.

usage: PYTHONPATH=$(bindings/python/make_site) $(bindings/python/environment) bindings/python/bench/compare.py [SECONDS]

Each line is the median of several rounds. A dict and cachetools hand out the object that was put in, in this process
alone; Cohort hands out a new bytes object of a value that the whole cluster shares.
"""

import asyncio
import statistics
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import cachetools

import cohort

T = TypeVar("T")
ROUNDS = 5
KEYS = [f"key-{i}" for i in range(1000)]
SIZES = (100, 1024, 65536)


def measure(name: str, work: Callable[[int], None], seconds: float) -> None:
    """`work(n)` does n of it."""
    count = 1
    while True:
        began = time.perf_counter()
        work(count)
        took = time.perf_counter() - began
        if took > seconds / 20:
            break
        count *= 2
    count = max(1, int(count * seconds / ROUNDS / took))
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work(count)
        times.append((time.perf_counter() - began) / count)
    print(f"{name:58} {statistics.median(times) * 1e9:12,.0f} ns")


def hits(get: Callable[[str], object]) -> Callable[[int], None]:
    def work(count: int) -> None:
        keys = KEYS
        for i in range(count):
            get(keys[i % 1000])

    return work


def misses(get: Callable[[str], object]) -> Callable[[int], None]:
    number = 0

    def work(count: int) -> None:
        nonlocal number
        for _ in range(count):
            number += 1
            get(str(number))

    return work


def in_threads(work: Callable[[int], None], count: int) -> Callable[[int], None]:
    def all_threads(total: int) -> None:
        threads = [threading.Thread(target=work, args=(total // count,)) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return all_threads


def constant(value: T) -> Callable[[str], T]:
    """A getter that costs next to nothing."""
    return lambda key: value


async def awaited(node: cohort.Instance, seconds: float) -> None:
    loop = asyncio.get_running_loop()

    async def getter(key: str) -> bytes:
        return b"v"

    coroutines = node.new_group("coroutines", getter)
    functions = node.get_group("g1024")

    def tasks_of(get: Callable[[str], Awaitable[bytes]], width: int) -> Callable[[int], None]:
        number = 0

        async def gets(count: int) -> None:
            nonlocal number
            while count > 0:
                await asyncio.gather(*(get(f"{id(get)}-{number + i}") for i in range(width)))
                number += width
                count -= width

        return lambda count: asyncio.run_coroutine_threadsafe(gets(count), loop).result()

    async def hit(count: int) -> None:
        for i in range(count):
            await functions.aget(KEYS[i % 1000])

    def run(name: str, work: Callable[[int], None]) -> asyncio.Future[None]:
        return loop.run_in_executor(None, measure, name, work, seconds)

    await run("aget, a hit of 1 KiB", lambda count: asyncio.run_coroutine_threadsafe(hit(count), loop).result())
    await run("aget, a miss, coroutine getter, one at a time", tasks_of(coroutines.aget, 1))
    await run("aget, a miss, coroutine getter, 100 at a time", tasks_of(coroutines.aget, 100))
    await run("aget, a miss, function getter, 100 at a time", tasks_of(functions.aget, 100))


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    for size in SIZES:
        value = b"." * size
        plain = dict.fromkeys(KEYS, value)
        measure(f"dict, a hit of {size} bytes", hits(plain.__getitem__), seconds)
        lru: cachetools.LRUCache[str, bytes] = cachetools.LRUCache(100_000)
        lru.update(plain)
        measure(f"cachetools.LRUCache, a hit of {size} bytes", hits(lru.__getitem__), seconds)
        locked = cachetools.cached(lru, key=str, lock=threading.Lock())(constant(value))
        measure(f"cachetools.cached with a lock, a hit of {size} bytes", hits(locked), seconds)
        with cohort.Instance() as node:
            group = node.new_group("bytes", constant(value), cache_bytes=256 << 20)
            views = node.new_group("views", constant(memoryview(value)), codec=cohort.VIEW, cache_bytes=256 << 20)
            measure(f"Cohort get, a hit of {size} bytes", hits(group.get), seconds)
            measure(f"Cohort get, a view of {size} bytes", hits(views.get), seconds)
    small: cachetools.LRUCache[str, bytes] = cachetools.LRUCache(10_000)
    cached = cachetools.cached(small, key=str, lock=threading.Lock())(constant(b"v"))
    measure("cachetools.cached with a lock, a miss", misses(cached), seconds)
    with cohort.Instance() as node:
        group = node.new_group("g1024", lambda key: b"." * 1024)
        measure("Cohort get, a miss that leads", misses(group.get), seconds)
        measure("Cohort get, a hit of 1 KiB in each of 4 threads", in_threads(hits(group.get), 4), seconds)
        measure("Cohort get_many, 100 hits of 1 KiB, each", lambda count: many(group, count), seconds)
        asyncio.run(awaited(node, seconds))


def many(group: "cohort.Group[bytes]", count: int) -> None:
    for _ in range(max(1, count // 100)):
        group.get_many(KEYS[:100])


if __name__ == "__main__":
    main()
