"""Threads: ten thousand waiting gets hold none; getters hold as many as run; and a soak, when there is time for it."""

import asyncio
import gc
import random
import threading
import time

import pytest

import cohort
from cohort import _failures
from cohort.testing import Cluster
from conftest import LONG, descriptors_now, resident_kib, threads_now, wait_until

WAITING = 10_000


@pytest.mark.parametrize("kind", ["function", "coroutine"])
def test_ten_thousand_waiting_gets_hold_no_threads(kind: str) -> None:
    before = threads_now()

    async def main() -> None:
        go_on = threading.Event()
        go_on_here = asyncio.Event()

        def function(key: str) -> bytes:
            go_on.wait()
            return key.encode()

        async def coroutine(key: str) -> bytes:
            await go_on_here.wait()
            return key.encode()

        async with cohort.Instance(max_getter_threads=8) as node:
            group = node.new_group("g", function if kind == "function" else coroutine)
            tasks = [asyncio.create_task(group.aget(f"k{i}")) for i in range(WAITING)]
            while group.stats().waiting < WAITING:
                await asyncio.sleep(0.001)
            now = threads_now()
            assert now - before <= 8 + 16, f"{WAITING} waiting gets hold {now - before} threads"
            go_on.set()
            go_on_here.set()
            assert await asyncio.gather(*tasks) == [b"k%d" % i for i in range(WAITING)]

    asyncio.run(main())


def test_ten_thousand_gets_that_wait_for_a_peer_hold_no_threads() -> None:
    async def main() -> None:
        go_on = asyncio.Event()

        async def getter(key: str) -> bytes:
            await go_on.wait()
            return key.encode()

        async with Cluster(2) as cluster:
            groups = cluster.new_group("g", lambda member: getter)
            keys = [f"k{i}" for i in range(WAITING)]
            before = threads_now()
            tasks = [asyncio.create_task(groups[0].aget(key)) for key in keys]
            while groups[0].stats().waiting < WAITING or groups[1].stats().loading == 0:
                await asyncio.sleep(0.001)
            now = threads_now()
            most = 2 * 64 + 24  # both ends of the connections to one peer
            assert now - before <= most, f"{WAITING} waiting gets hold {now - before} threads"
            go_on.set()
            assert await asyncio.gather(*tasks) == [key.encode() for key in keys]

    asyncio.run(main())


def test_idle_threads_of_getters_are_few() -> None:
    with cohort.Instance(max_getter_threads=30) as node:
        all_run = threading.Barrier(30)
        group = node.new_group("g", lambda key: (all_run.wait(), b"v")[1])

        async def gets() -> None:
            await asyncio.gather(*(group.aget(f"k{i}") for i in range(30)))

        asyncio.run(gets())
        wait_until(lambda: node._runner._threads <= 2, "the pool shrinks when it is idle")


@pytest.mark.skipif(not LONG, reason="ten minutes: only with COHORT_LONG=1")
@pytest.mark.timeout(1200)
def test_soak() -> None:
    """Ten minutes of everything: memory, descriptors, threads and open failures do not grow."""

    def getter(key: str) -> bytes:
        if key.startswith("missing"):
            raise cohort.NotFound(key)
        if key.startswith("fail"):
            raise RuntimeError(key)
        return key.encode() * random.randrange(1, 200)

    async def coroutine(key: str) -> bytes:
        await asyncio.sleep(random.random() / 1000)
        return getter(key)

    async def worker(groups: "list[cohort.Group[bytes]]", end: float) -> None:
        while time.monotonic() < end:
            group = random.choice(groups)
            key = random.choice(["missing", "fail", "k", "k", "k"]) + str(random.randrange(3000))
            try:
                match random.randrange(12):
                    case 0:
                        await group.aset(key, b"set" * 50, ttl=random.random())
                    case 1:
                        await group.aremove(key)
                    case 2:
                        await group.aget_many([f"k{random.randrange(3000)}" for _ in range(20)], return_exceptions=True)
                    case 3:
                        await asyncio.to_thread(group.get, key)
                    case 4:
                        await group.aget(key, timeout=0.0005)
                    case 5:
                        await asyncio.wait_for(group.aget(key), 0.0005)
                    case _:
                        await group.aget(key)
            except (cohort.CohortError, RuntimeError, TimeoutError):
                pass

    async def main() -> None:
        # Connections come and go with the load: what bounds them is known.
        few = cohort.Transport.http(max_connections_per_peer=8)
        most_descriptors = descriptors_now() + 2 * 6 * 8 + 60
        most_threads = threads_now() + 2 * 6 * 8 + 3 * 8 + 40
        async with Cluster(3, logger=None, transport=few, max_getter_threads=8) as cluster:
            groups = cluster.new_group("f", lambda member: getter, cache_bytes=1 << 20)
            groups += cluster.new_group("c", lambda member: coroutine, cache_bytes=1 << 20)

            async def round_of(seconds: float) -> tuple[int, int, int]:
                end = time.monotonic() + seconds
                await asyncio.gather(*(worker(groups, end) for _ in range(30)))
                gc.collect()
                return resident_kib(), descriptors_now(), threads_now()

            memory, _, _ = await round_of(60)
            for _ in range(9):
                now = await round_of(60)
                print(f"{now[0]} KiB, {now[1]} descriptors, {now[2]} threads")
                assert now[0] < memory * 1.15 + 8192, f"memory grew from {memory} to {now[0]} KiB"
                assert now[1] <= most_descriptors
                assert now[2] <= most_threads
            assert _failures.open_count() < 100
            assert all(group.stats().waiting == group.stats().loading == 0 for group in groups)

    asyncio.run(main())
