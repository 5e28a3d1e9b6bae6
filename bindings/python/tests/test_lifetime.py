"""Lifetimes: closing with loads open, objects that are dropped, forks, and the end of the interpreter."""

import asyncio
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import weakref

import pytest

import cohort
from cohort import _core, _failures
from cohort.testing import Cluster
from conftest import descriptors_now, threads_now, wait_until


def run_python(program: str, *, expect: int = 0) -> str:
    """Runs a program in a process of its own, so that a crash is a failure and no more."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-W", "error", "-W", "ignore::DeprecationWarning", "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def test_closing_ends_all_that_waits() -> None:
    go_on = threading.Event()
    node = cohort.Instance()
    group = node.new_group("g", lambda key: (go_on.wait(), b"v")[1])

    async def main() -> None:
        tasks = [asyncio.create_task(group.aget(f"k{i % 10}")) for i in range(100)]
        while group.stats().waiting < 100:
            await asyncio.sleep(0)
        await node.aclose(0.01)
        for found in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(found, cohort.Closed)

    try:
        asyncio.run(main())
    finally:
        go_on.set()
    with pytest.raises(cohort.Closed):
        group.get("a")
    with pytest.raises(cohort.Closed):
        group.set("a", b"v")
    with pytest.raises(cohort.Closed):
        node.new_group("h")
    assert group.peek("a") is None
    node.close()
    assert node.closed


def test_closing_ends_a_blocked_thread() -> None:
    node = cohort.Instance()

    async def getter(key: str) -> bytes:
        await asyncio.Event().wait()
        return b""

    group = node.new_group("g", getter)
    found: list[object] = []

    def get() -> None:
        try:
            group.get("a")
        except cohort.CohortError as error:
            found.append(error)

    thread = threading.Thread(target=get)
    thread.start()
    wait_until(lambda: group.stats().waiting == 1, "it waits")
    node.close(0)
    thread.join()
    assert isinstance(found[0], cohort.Closed)


def test_removing_a_group_ends_its_waits(node: cohort.Instance) -> None:
    async def main() -> None:
        async def getter(key: str) -> bytes:
            await asyncio.Event().wait()
            return b""

        group = node.new_group("g", getter)
        task = asyncio.create_task(group.aget("a"))
        while group.stats().waiting < 1:
            await asyncio.sleep(0)
        node.remove_group("g")
        with pytest.raises(cohort.Closed):
            await task
        with pytest.raises(KeyError):
            node.get_group("g")
        assert node.new_group("g", lambda key: b"new").get("a") == b"new"

    asyncio.run(main())


def test_the_async_with_block_closes() -> None:
    async def main() -> cohort.Instance:
        async with cohort.Instance() as node:
            assert await node.new_group("g", lambda key: b"v").aget("a") == b"v"
        return node

    assert asyncio.run(main()).closed


def test_a_dropped_instance_is_closed_with_a_warning() -> None:
    def drop() -> tuple[weakref.ref[cohort.Instance], str]:
        node = cohort.Instance("127.0.0.1:0")

        @node.group("g")
        def group(key: str) -> bytes:
            return b"v" if key == "a" else group.get("a")  # the getter knows its group: a cycle

        assert group.get("b") == b"v"
        return weakref.ref(node), node.address

    gone, address = drop()
    with pytest.warns(ResourceWarning, match="unclosed <cohort.Instance"):
        gc.collect()
    assert gone() is None
    with cohort.Instance(address):
        pass  # the port is free


def test_a_group_keeps_its_instance() -> None:
    group = cohort.Instance().new_group("g", lambda key: b"v")
    gc.collect()
    assert group.get("a") == b"v"
    group.instance.close()


def test_views_outlive_everything() -> None:
    with cohort.Instance() as node:
        group = node.new_group("g", lambda key: b"." * 100_000, codec=cohort.VIEW)
        group.get("a")
        view = group.get("a")
        assert view.readonly
        assert group.get("a").obj is not view.obj
        part = view[10:20]
        group.remove("a")
    del group, node, view
    gc.collect()
    assert part == b"." * 10


def test_a_handle_can_be_ended_once() -> None:
    queue = _core.cohort_queue_new()
    options = _core.cohort_group_options_new()
    _core.cohort_group_options_set_getter_queue(options, queue, 7)
    instance = _core.cohort_instance_new(_core.cohort_instance_options_new())
    group = _core.cohort_instance_new_group(instance, "g", options)
    load = _core.group_begin(group, "a", _core.COHORT_GET_CAN_LEAD, 0, queue, 1, 0, 0)
    assert isinstance(load, _core.Handle)
    with pytest.raises(TypeError, match="a cohort queue handle is needed"):
        _core.cohort_queue_close(load)
    with pytest.raises(TypeError, match="a cohort load handle is needed"):
        _core.load_complete(b"load", b"v", 0)  # type: ignore[arg-type]
    _core.load_complete(load, b"v", 0)
    for again in (lambda: _core.load_complete(load, b"v", 0), lambda: _core.load_fail(load, 2, "", 0)):
        with pytest.raises(ValueError, match="the load has been ended already"):
            again()
    with pytest.raises(TypeError, match="cannot create"):
        _core.Handle()


def test_a_dropped_load_passes_on() -> None:
    queue = _core.cohort_queue_new()
    options = _core.cohort_group_options_new()
    _core.cohort_group_options_set_getter_queue(options, queue, 7)
    instance = _core.cohort_instance_new(_core.cohort_instance_options_new())
    group = _core.cohort_instance_new_group(instance, "g", options)
    lead = _core.group_begin(group, "a", _core.COHORT_GET_CAN_LEAD, 0, queue, 1, 0, 0)
    for tag, flags in ((2, _core.COHORT_GET_CAN_LEAD), (3, 0)):
        assert isinstance(_core.group_begin(group, "a", flags, 0, queue, tag, 0, 0), int)
    del lead
    kind, _, tag, load, key, _ = _core.queue_take(queue, 1, 60_000, -1)[0]
    assert (kind, tag, key) == (_core.COHORT_EVENT_LEAD, 2, b"a")
    del load
    kind, _, tag, load, _, _ = _core.queue_take(queue, 1, 60_000, -1)[0]
    assert (kind, tag) == (_core.COHORT_EVENT_LOAD, 7), "nobody who waits can lead: the group's queue is asked"
    del load
    _, status, tag, _, _, _ = _core.queue_take(queue, 1, 60_000, -1)[0]
    assert (status, tag) == (_core.COHORT_LOAD_ABANDONED, 3)


def test_ctrl_c_ends_a_blocking_get() -> None:
    program = """
import asyncio, os, signal, threading, time
import cohort
with cohort.Instance() as node:
    async def getter(key):
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        await asyncio.Event().wait()
    group = node.new_group("g", getter)
    try:
        group.get("a")
    except KeyboardInterrupt:
        print("interrupted")
    while group.stats().waiting:
        time.sleep(0.001)
    print(node.new_group("h", lambda key: b"v").get("a"))
"""
    assert run_python(program) == "interrupted\nb'v'\n"


def test_a_signal_handler_may_get_while_its_thread_waits() -> None:
    program = """
import asyncio, os, signal, threading
import cohort
with cohort.Instance() as node:
    go_on = threading.Event()
    async def getter(key):
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        await asyncio.to_thread(go_on.wait)
        return b"slow"
    slow, quick = node.new_group("slow", getter), node.new_group("quick", lambda key: b"quick")
    def handler(*_):
        print(quick.get("a"))
        go_on.set()
    signal.signal(signal.SIGUSR1, handler)
    print(slow.get("a"))
"""
    assert run_python(program) == "b'quick'\nb'slow'\n"


@pytest.mark.parametrize(
    "end", ["pass", "sys.exit(0)", "threading.Thread(target=group.get, args=('hang',), daemon=True).start()"]
)
def test_a_program_may_end_without_closing(end: str) -> None:
    run_python(f"""
import sys, threading
import cohort
node = cohort.Instance("127.0.0.1:0")
hang = threading.Event()
evicted = []
group = node.new_group("g", lambda key: (hang.wait() if key == "hang" else None, b"." * 1000)[1], cache_bytes=1 << 16,
                       on_eviction=evicted.append)
for i in range(200):
    group.get(str(i))
{end}
""")


def test_a_forked_child_is_told_and_may_begin_anew() -> None:
    program = """
import os, sys
import cohort
node = cohort.Instance("127.0.0.1:0")
async def coroutine(key): return b"c"
groups = [node.new_group("g", lambda key: b"v"), node.new_group("c", coroutine)]
assert [group.get("a") for group in groups] == [b"v", b"c"]
view = memoryview(groups[0].get("a"))
pid = os.fork()
if pid == 0:
    for group in groups:
        try:
            group.get("b")
        except cohort.Forked as error:
            assert "parent" in str(error) or "fork" in str(error), error
        else:
            sys.exit("the parent's group answered")
    assert view == b"v"
    node.close()
    del node, groups, group
    with cohort.Instance("127.0.0.1:0") as own:
        assert own.new_group("g", lambda key: b"mine").get("a") == b"mine"
        assert own.new_group("c", coroutine).get("a") == b"c"
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
assert [group.get("b") for group in groups] == [b"v", b"c"]
node.close()
print("ok")
"""
    assert run_python(program) == "ok\n"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_multiprocessing_may_cache(method: str, node: cohort.Instance) -> None:
    node.new_group("g", lambda key: b"parent").get("a")
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(_work, range(4)) == [b"worker"] * 4


def _work(number: int) -> bytes:
    with cohort.Instance() as own:
        return own.new_group("g", lambda key: b"worker").get("a")


def test_clusters_come_and_go_without_a_trace() -> None:
    def once() -> None:
        with Cluster(3) as cluster:
            groups = cluster.new_group("g", lambda member: lambda key: key.encode())
            for i in range(30):
                assert groups[i % 3].get(f"k{i}") == b"k%d" % i
            asyncio.run(groups[0].aget_many([f"m{i}" for i in range(20)]))

    once()
    gc.collect()
    threads, descriptors = threads_now(), descriptors_now()
    for _ in range(5):
        once()
    gc.collect()
    wait_until(lambda: threads_now() <= threads, f"no threads are left over: {threads}")
    assert descriptors_now() <= descriptors
    assert _failures.open_count() == 0


def test_loops_come_and_go_without_a_trace(node: cohort.Instance) -> None:
    def once() -> None:
        async def main() -> None:
            async def getter(key: str) -> bytes:
                return key.encode()

            group = node.new_group("g", getter)
            await group.aget("a")
            node.remove_group("g")

        asyncio.run(main())

    once()
    gc.collect()
    descriptors = descriptors_now()
    for _ in range(20):
        once()
    gc.collect()
    assert descriptors_now() <= descriptors


def test_bad_options_leave_nothing_behind() -> None:
    gc.collect()
    threads, descriptors = threads_now(), descriptors_now()
    for bad in (
        {"replicas": 0},
        {"base_path": "x"},
        {"max_getter_threads": 0},
        {"listen": "nonsense"},
        {"name": "x" * 300},
    ):
        with pytest.raises(ValueError, match=r".+"):
            cohort.Instance(**bad)  # type: ignore[arg-type]
    with cohort.Instance("127.0.0.1:0") as node, pytest.raises(OSError, match=node.address):
        cohort.Instance(node.address)
    gc.collect()
    wait_until(lambda: threads_now() <= threads, "no threads are left over")
    assert descriptors_now() <= descriptors


def test_no_signal_is_lost_to_the_engines_threads() -> None:
    before, got = signal.getsignal(signal.SIGUSR2), threading.Event()
    signal.signal(signal.SIGUSR2, lambda *_: got.set())
    try:
        with Cluster(2) as cluster:
            groups = cluster.new_group("g", lambda member: lambda key: b"v")
            groups[0].get(cluster.key_of(1))
            os.kill(os.getpid(), signal.SIGUSR2)
            end = time.monotonic() + 60
            while not got.is_set() and time.monotonic() < end:
                time.sleep(0.001)
        assert got.is_set()
    finally:
        signal.signal(signal.SIGUSR2, before)
