"""The soak: everything at once for COHORT_SOAK_SECONDS; memory, threads, descriptors and open failures do not grow.

What happens is told in tests/soak/README.md of the repository.
"""

import asyncio
import gc
import os
import random
import statistics
import time

import pytest

import cohort
from cohort import _failures
from cohort.testing import Cluster
from conftest import descriptors_now, resident_kib, threads_now, wait_until

SECONDS = float(os.environ.get("COHORT_SOAK_SECONDS", 0))
ROUNDS = 30
WORKERS = 30
KEYS = 3000
CONNECTIONS = 8  # to each peer
MEMBERS = 3


def getter(key: str) -> cohort.Expiring[bytes]:
    if key.startswith("missing"):
        raise cohort.NotFound(key)
    if key.startswith("fail"):
        raise RuntimeError(key)
    return cohort.Expiring(key.encode() * random.randrange(1, 200), ttl=random.choice([None, 0.05, 5]))


async def coroutine_getter(key: str) -> cohort.Expiring[bytes]:
    await asyncio.sleep(random.random() / 1000)
    return getter(key)


def a_key() -> str:
    return random.choice(["missing", "fail", "k", "k", "k"]) + str(random.randrange(KEYS))


async def one_call(group: "cohort.Group[bytes]") -> None:
    match random.randrange(12):
        case 0:
            await group.aset(a_key(), b"set" * 50, ttl=random.random())
        case 1:
            await group.aremove(a_key())
        case 2:
            await group.aget_many([a_key() for _ in range(20)], return_exceptions=True)
        case 3:
            await asyncio.to_thread(group.get, a_key())
        case 4:
            await group.aget(a_key(), timeout=0.0005)
        case 5:
            await asyncio.wait_for(group.aget(a_key()), 0.0005)
        case 6:
            await asyncio.to_thread(group.get_many, [a_key() for _ in range(5)])
        case 7:
            await group.aremove_many([a_key() for _ in range(5)])
        case _:
            await group.aget(a_key())


async def worker(groups: "list[cohort.Group[bytes]]", end: float) -> None:
    while time.monotonic() < end:
        try:
            await one_call(random.choice(groups))
        except (cohort.CohortError, RuntimeError, TimeoutError):
            pass


async def changes(cluster: Cluster, end: float) -> None:
    """Groups and members that come and go, and members that stop to listen."""
    while time.monotonic() < end:
        member = random.randrange(MEMBERS)
        short = cluster[member].new_group("short", coroutine_getter)
        await asyncio.gather(*(short.aget(f"k{i}") for i in range(10)), return_exceptions=True)
        cluster[member].remove_group("short")
        async with cohort.Instance("127.0.0.1:0", logger=None) as fourth:
            await fourth.new_group("g", coroutine_getter).aget("k")
        await asyncio.to_thread(cluster.stop, member)
        await asyncio.sleep(0.01)
        await asyncio.to_thread(cluster.start, member)
        await asyncio.sleep(0.1)


async def soak() -> None:
    transport = cohort.Transport.http(max_connections_per_peer=CONNECTIONS)
    async with Cluster(MEMBERS, logger=None, transport=transport, max_getter_threads=8) as cluster:
        groups = cluster.new_group("functions", lambda member: getter, cache_bytes=1 << 20)
        groups += cluster.new_group("coroutines", lambda member: coroutine_getter, cache_bytes=1 << 20)
        samples: list[tuple[int, int, int]] = []
        for round in range(ROUNDS):
            end = time.monotonic() + SECONDS / ROUNDS
            await asyncio.gather(changes(cluster, end), *(worker(groups, end) for _ in range(WORKERS)))
            while any(group.stats().waiting + group.stats().loading for group in groups):
                await asyncio.sleep(0.01)  # loads that nobody waits for go on
            gc.collect()
            if round >= ROUNDS // 10:
                samples.append((resident_kib(), descriptors_now(), threads_now()))
        third = len(samples) // 3
        first, last = (
            [statistics.median(column) for column in zip(*part, strict=True)]
            for part in (samples[:third], samples[-third:])
        )
        print(f"KiB, descriptors, threads: first {first}, last {last}")
        connections = 2 * MEMBERS * (MEMBERS - 1) * CONNECTIONS  # idle ones come and go
        assert last[0] < first[0] * 1.15 + 8192, f"memory grew from {first[0]} to {last[0]} KiB"
        assert last[1] <= first[1] + connections, f"descriptors grew from {first[1]} to {last[1]}"
        assert last[2] <= first[2] + connections, f"threads grew from {first[2]} to {last[2]}"


@pytest.mark.skipif(SECONDS == 0, reason="COHORT_SOAK_SECONDS says for how long")
@pytest.mark.timeout(SECONDS * 2 + 300)
def test_soak() -> None:
    with cohort.Instance() as node:  # what is made once for the process is there before the beginning
        node.new_group("g", coroutine_getter).get("k")
    gc.collect()
    descriptors, threads = descriptors_now(), threads_now()
    asyncio.run(soak())
    gc.collect()
    wait_until(lambda: threads_now() <= threads, f"as many threads as before: {threads}")
    # Queues of blocking calls are kept for the next ones.
    assert descriptors_now() <= descriptors + 4
    assert _failures.open_count() == 0, "every failure has reached those who waited"
