"""Getters: functions and coroutines, what they raise, what they may know, and what they may call."""

import asyncio
import contextvars
import functools
import threading
import time
import traceback
from collections.abc import Callable

import pytest

import cohort
from cohort import _failures
from cohort.testing import Cluster
from conftest import wait_until


class Mine(Exception):
    """An exception of the program's own."""


def test_a_getters_own_exception_reaches_all_who_wait(node: cohort.Instance) -> None:
    go_on = threading.Event()
    error = Mine("database is down")

    def getter(key: str) -> bytes:
        go_on.wait()
        raise error

    group = node.new_group("g", getter)

    async def gets() -> list[BaseException | bytes]:
        tasks = [asyncio.create_task(group.aget("a")) for _ in range(50)]
        while group.stats().waiting < 50:
            await asyncio.sleep(0)
        go_on.set()
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    assert all(found is error for found in asyncio.run(gets()))
    with pytest.raises(Mine) as caught:
        group.get("a")
    assert caught.value is error
    depth = len(traceback.extract_tb(error.__traceback__))
    assert depth < 20, "a traceback must not grow with each waiter"
    wait_until(lambda: _failures.open_count() == 0, "every tag was taken")


def test_a_caller_that_is_cancelled_as_its_answer_comes_leaves_nothing(node: cohort.Instance) -> None:
    async def getter(key: str) -> bytes:
        await asyncio.sleep(0)
        raise Mine(key)

    async def main() -> None:
        group = node.new_group("g", getter)
        for i in range(200):
            task = asyncio.create_task(group.aget(f"k{i}"))
            for _ in range(i % 20):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises((asyncio.CancelledError, Mine)):
                await task
        while group.stats().loading:
            await asyncio.sleep(0.001)
        while _failures.open_count():
            await asyncio.sleep(0.001)

    asyncio.run(main())


def test_what_a_peer_raised_is_a_load_error() -> None:
    def getter(key: str) -> bytes:
        raise cohort.NotFound("no " + key) if key.startswith("missing") else Mine("broken " + key)

    with Cluster(2) as cluster:
        groups = cluster.new_group("g", lambda member: getter)
        for asker in (0, 1):
            with pytest.raises(Mine if asker == 0 else cohort.LoadError, match="broken"):
                groups[asker].get(cluster.key_of(0, "key"))
            with pytest.raises(cohort.NotFound, match="no missing"):
                groups[asker].get(cluster.key_of(0, "missing"))


def test_an_exception_without_a_message_is_named() -> None:
    def getter(key: str) -> bytes:
        raise Mine

    with Cluster(2) as cluster:
        groups = cluster.new_group("g", lambda member: getter)
        with pytest.raises(cohort.LoadError, match=r"^Mine$"):
            groups[1].get(cluster.key_of(0))


def test_coroutines_run_on_the_loop_that_made_the_group(node: cohort.Instance) -> None:
    async def main() -> None:
        here = asyncio.get_running_loop()

        async def getter(key: str) -> bytes:
            assert asyncio.get_running_loop() is here
            await asyncio.sleep(0)
            return key.encode()

        group = node.new_group("g", getter)
        assert await group.aget("a") == b"a"
        assert await asyncio.to_thread(group.get, "b") == b"b"
        with pytest.raises(cohort.WouldDeadlock, match="would block the event loop"):
            group.get("c")
        assert group.get("a") == b"a", "a hit blocks nothing"

    asyncio.run(main())


def test_coroutines_run_without_a_loop_of_the_programs(node: cohort.Instance) -> None:
    async def getter(key: str) -> bytes:
        await asyncio.sleep(0)
        return key.encode()

    group = node.new_group("g", getter)
    assert group.get("a") == b"a"
    assert asyncio.run(group.aget("b")) == b"b"


def test_a_coroutine_is_cancelled_when_nobody_waits(node: cohort.Instance) -> None:
    async def main() -> None:
        began, cancelled = asyncio.Event(), asyncio.Event()

        async def getter(key: str) -> bytes:
            began.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise
            return b""

        group = node.new_group("g", getter)
        tasks = [asyncio.create_task(group.aget("a")) for _ in range(3)]
        await began.wait()
        tasks[0].cancel()
        tasks[1].cancel()
        await asyncio.wait(tasks[:2])
        assert not cancelled.is_set(), "one still waits"
        tasks[2].cancel()
        await asyncio.wait(tasks[2:])
        back = asyncio.create_task(group.aget("a", timeout=0.6))
        while group.stats().waiting < 1:
            await asyncio.sleep(0)
        with pytest.raises(cohort.Timeout):
            await back
        assert group.stats().loads_deduped == 1, "who came back at once has joined the load"
        await cancelled.wait()

    asyncio.run(main())


def test_a_loop_that_ends_gives_its_loads_up(node: cohort.Instance) -> None:
    async def main() -> cohort.Group[bytes]:
        async def getter(key: str) -> bytes:
            return key.encode()

        return node.new_group("g", getter)

    group = asyncio.run(main())
    with pytest.raises((cohort.LoadAbandoned, cohort.NoGetter)):
        group.get("a")
    group.set("a", b"set")
    assert group.get("a") == b"set"


def test_a_loop_that_was_just_closed_gives_its_loads_up(node: cohort.Instance) -> None:
    async def make() -> cohort.Group[bytes]:
        async def getter(key: str) -> bytes:
            return key.encode()

        group = node.new_group("g", getter)
        assert await group.aget("a") == b"a"
        return group

    loop = asyncio.new_event_loop()
    group = loop.run_until_complete(make())
    loop.close()  # without shutdown_asyncgens, which asyncio.run would have called
    with pytest.raises((cohort.LoadAbandoned, cohort.NoGetter)):
        group.get("b")
    with pytest.raises((cohort.LoadAbandoned, cohort.NoGetter)):
        asyncio.run(group.aget("b"))


def test_a_getter_may_close_its_instance() -> None:
    function, coroutine = cohort.Instance(), cohort.Instance()
    assert function.new_group("g", lambda key: (function.close(0), b"v")[1]).get("a") == b"v"

    async def main() -> None:
        async def getter(key: str) -> bytes:
            await coroutine.aclose(0)
            return b"v"

        with pytest.raises(cohort.Closed):
            await coroutine.new_group("g", getter).aget("a")

    asyncio.run(main())


def test_a_function_may_ask_about_its_load(node: cohort.Instance) -> None:
    seen: list[cohort.Load] = []

    def getter(key: str) -> bytes:
        load = cohort.current_load()
        assert load is not None
        assert not load.cancelled
        assert 0 < load.time_left <= 20
        seen.append(load)
        return b"v"

    group = node.new_group("g", getter, load_timeout=20)
    group.get("a")
    assert (seen[0].key, seen[0].group) == (b"a", "g")
    assert seen[0].cancelled, "a load that has ended waits for nobody"
    assert seen[0].time_left == 0
    assert cohort.current_load() is None


def test_a_function_is_told_that_nobody_waits(node: cohort.Instance) -> None:
    stopped = threading.Event()

    def getter(key: str) -> bytes:
        load = cohort.current_load()
        assert load is not None
        while not load.cancelled:
            time.sleep(0.001)
        stopped.set()
        raise RuntimeError("nobody waits")

    group = node.new_group("g", getter)

    async def impatient() -> None:
        with pytest.raises(TimeoutError):
            await group.aget("a", timeout=0.05)

    asyncio.run(impatient())
    assert stopped.wait(60)


def test_a_getter_that_gets_its_own_key_is_told(node: cohort.Instance) -> None:
    def of_functions(key: str) -> bytes:
        return functions.get(key)

    async def of_coroutines(key: str) -> bytes:
        return await coroutines.aget(key)

    async def of_many(key: str) -> bytes:
        return (await many.aget_many(["x", key]))[key]

    functions = node.new_group("functions", of_functions)
    coroutines = node.new_group("coroutines", of_coroutines)
    many = node.new_group("many", lambda key: b"x" if key == "x" else asyncio.run(of_many(key)))
    for group in (functions, coroutines, many):
        with pytest.raises(cohort.WouldDeadlock, match="asked for the key that it is loading"):
            group.get("a")
    with pytest.raises(cohort.WouldDeadlock):
        asyncio.run(functions.aget("a"))


def test_a_task_that_outlives_its_load_may_get_the_key(node: cohort.Instance) -> None:
    async def main() -> None:
        go_on = asyncio.Event()
        later: list[asyncio.Task[bytes]] = []

        async def afterwards(key: str) -> bytes:
            await go_on.wait()
            return await group.aget(key)

        async def getter(key: str) -> bytes:
            if not later:
                later.append(asyncio.create_task(afterwards(key)))
            return b"v"

        group = node.new_group("g", getter)
        assert await group.aget("a") == b"v"
        await group.aremove("a")
        go_on.set()
        assert await later[0] == b"v"

    asyncio.run(main())


@pytest.mark.parametrize("make", [lambda f: f, lambda f: functools.partial(f)], ids=["function", "partial"])
def test_an_awaitable_from_a_plain_function_is_explained(node: cohort.Instance, make: Callable[..., object]) -> None:
    async def load(key: str) -> bytes:
        return b"v"

    group = node.new_group("g", make(lambda key: load(key)))  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="declare it with 'async def'"):
        group.get("a")


def test_a_callable_object_may_be_a_coroutine_getter(node: cohort.Instance) -> None:
    class Getter:
        async def __call__(self, key: str) -> bytes:
            await asyncio.sleep(0)
            return key.encode()

    assert node.new_group("g", Getter()).get("a") == b"a"


def test_a_value_of_another_type_fails_the_load(node: cohort.Instance) -> None:
    group = node.new_group("g", lambda key: 3)  # type: ignore[arg-type,return-value]
    with pytest.raises(TypeError, match="a value must be bytes-like, not int"):
        group.get("a")
    with pytest.raises(TypeError, match="a getter must be callable"):
        node.new_group("h", b"v")  # type: ignore[call-overload]


def test_keyboard_interrupt_is_its_threads_own(node: cohort.Instance) -> None:
    """The load passes to the next waiter that can run the getter."""
    waiting = threading.Event()
    interrupted: list[int] = []

    def getter(key: str) -> bytes:
        if not interrupted:
            interrupted.append(1)
            waiting.wait(60)
            raise KeyboardInterrupt
        return b"v"

    group = node.new_group("g", getter)
    got: list[object] = []

    def lead() -> None:
        try:
            group.get("a")
        except KeyboardInterrupt as error:
            got.append(error)

    leader = threading.Thread(target=lead)
    leader.start()
    wait_until(lambda: bool(interrupted), "the getter runs")
    other = threading.Thread(target=lambda: got.append(group.get("a")))
    other.start()
    wait_until(lambda: group.stats().waiting == 1, "another thread waits")
    waiting.set()
    leader.join()
    other.join()
    assert sorted(type(one).__name__ for one in got) == ["KeyboardInterrupt", "bytes"]


def test_system_exit_ends_no_thread_of_the_pool(node: cohort.Instance) -> None:
    def getter(key: str) -> bytes:
        raise SystemExit(3) if key == "exit" else cohort.NotFound

    group = node.new_group("g", getter)

    async def gets() -> None:
        with pytest.raises(cohort.LoadError, match="SystemExit: 3"):
            await group.aget("exit")
        with pytest.raises(cohort.NotFound):
            await group.aget("a")

    asyncio.run(gets())


def test_getters_have_the_context_of_their_group(node: cohort.Instance) -> None:
    variable = contextvars.ContextVar("variable", default="nothing")

    async def main() -> tuple[bytes, bytes]:
        async def getter(key: str) -> bytes:
            return variable.get().encode()

        variable.set("made here")
        coroutines = node.new_group("c", getter)
        functions = node.new_group("f", lambda key: variable.get().encode())
        variable.set("asked here")
        return await coroutines.aget("a"), await functions.aget("a")

    assert asyncio.run(main()) == (b"made here", b"made here")


def test_many_getters_run_at_once_up_to_the_limit() -> None:
    with cohort.Instance(max_getter_threads=3) as node:
        running, most, lock, go_on = [0], [0], threading.Lock(), threading.Event()

        def getter(key: str) -> bytes:
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            go_on.wait()
            with lock:
                running[0] -= 1
            return b"v"

        group = node.new_group("g", getter)

        async def gets() -> None:
            tasks = [asyncio.create_task(group.aget(f"k{i}")) for i in range(12)]
            while most[0] < 3:
                await asyncio.sleep(0.001)
            go_on.set()
            await asyncio.gather(*tasks)

        asyncio.run(gets())
        assert most[0] == 3


def test_getters_that_wait_for_other_groups_hold_up_nobody() -> None:
    """The only thread waits for a load that has no thread yet: it gets one."""
    with cohort.Instance(max_getter_threads=1) as node:
        inner = node.new_group("inner", lambda key: b"inner")
        entered, go_on = threading.Event(), threading.Event()

        def getter(key: str) -> bytes:
            entered.set()
            go_on.wait()
            return inner.get("k")

        outer = node.new_group("outer", getter)

        async def main() -> None:
            first = asyncio.create_task(outer.aget("k"))
            while not entered.is_set():
                await asyncio.sleep(0.001)
            second = asyncio.create_task(inner.aget("k"))
            while inner.stats().waiting < 1:
                await asyncio.sleep(0)
            assert inner.stats().local_loads == 0
            go_on.set()
            assert await asyncio.gather(first, second) == [b"inner", b"inner"]

        asyncio.run(main())
