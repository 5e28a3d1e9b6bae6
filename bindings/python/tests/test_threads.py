"""Threads: ten thousand waiting gets hold none, getters hold as many as run."""

import asyncio
import threading

import pytest

import cohort
from cohort.testing import Cluster
from conftest import threads_now, wait_until

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
