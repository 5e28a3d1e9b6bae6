"""Getting: blocking and awaited, from caches, getters and peers; keys and values of every kind."""

import asyncio
import sys
import threading
import time

import pytest

import cohort
from cohort.testing import Counting
from conftest import wait_until


def upper(key: str) -> bytes:
    return key.upper().encode()


def test_the_getter_runs_once(node: cohort.Instance) -> None:
    load = Counting(upper)
    group = node.new_group("g", load)
    assert [group.get("a"), group.get("a"), group.get(b"a")] == [b"A"] * 3
    assert load.count() == 1


def test_a_decorated_function_becomes_the_group(node: cohort.Instance) -> None:
    @node.group("pages", codec=cohort.TEXT, cache_bytes=1 << 20)
    def pages(key: str) -> str:
        """Renders."""
        return "page " + key

    assert pages.get("index") == "page index"
    assert pages.name == "pages"
    assert node.get_group("pages") is pages
    assert pages.instance is node


@pytest.mark.parametrize("policy", list(cohort.Policy))
def test_only_the_adaptive_policy_keeps_what_is_popular_beside_a_scan(
    node: cohort.Instance, policy: cohort.Policy
) -> None:
    group = node.new_group("g", upper, max_entries=16, policy=policy)
    popular = [f"popular{n}" for n in range(10)]
    for key in popular * 5 + [f"once{n}" for n in range(100)]:
        group.get(key)
    kept = sum(group.peek(key) is not None for key in popular)
    assert (kept >= 8) == (policy is cohort.Policy.ADAPTIVE)


def test_str_and_bytes_are_the_same_key(node: cohort.Instance) -> None:
    seen = []
    group = node.new_group("g", lambda key: (seen.append(key), key.encode("utf-8", "surrogateescape"))[1])
    assert group.get("schlüssel") == group.get("schlüssel".encode())
    raw = bytes(range(256))
    assert group.get(raw) == raw
    assert group.peek(cohort.key_text(raw)) == raw
    assert seen == ["schlüssel", cohort.key_text(raw)]
    assert cohort.key_bytes(seen[1]) == raw


@pytest.mark.parametrize("key", [None, 3, ["a"]])
def test_a_key_of_another_type_is_refused(node: cohort.Instance, key: object) -> None:
    with pytest.raises(TypeError, match="str or a bytes-like object is needed"):
        node.new_group("g", upper).get(key)  # type: ignore[arg-type]


def test_a_lone_surrogate_that_escapes_nothing_is_refused(node: cohort.Instance) -> None:
    with pytest.raises(UnicodeEncodeError):
        node.new_group("g", upper).get("\ud800")


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_timeout_that_is_no_time_is_refused(node: cohort.Instance, timeout: float) -> None:
    group = node.new_group("g", upper)
    with pytest.raises(ValueError, match="timeout must be more than 0"):
        group.get("a", timeout=timeout)


def test_an_entry_tells_where_it_came_from(node: cohort.Instance) -> None:
    group = node.new_group("g", lambda key: cohort.Expiring(b"v", ttl=100))
    now = time.time()
    first, second = group.get_entry("a"), group.get_entry("a")
    assert (first.value, first.source, second.source) == (b"v", cohort.Source.LOAD, cohort.Source.MAIN)
    for entry in (first, second, group.peek_entry("a")):
        assert entry is not None
        assert entry.expires_at is not None
        assert 99 < entry.expires_at - now < 101
    assert asyncio.run(group.aget_entry("a")).source is cohort.Source.MAIN
    assert group.peek_entry("b") is None


def test_a_peek_never_loads(node: cohort.Instance) -> None:
    load = Counting(upper)
    group = node.new_group("g", load)
    assert group.peek("a") is None
    assert group.peek("a", 7) == 7
    group.get("a")
    assert group.peek("a", 7) == b"A"
    assert load.count() == 1


def test_a_deadline_is_a_timeout_error_of_python(node: cohort.Instance) -> None:
    go_on = threading.Event()
    group = node.new_group("g", lambda key: (go_on.wait(), b"v")[1])

    async def impatient() -> None:
        await group.aget("a", timeout=0.01)

    try:
        with pytest.raises(TimeoutError) as caught:
            asyncio.run(impatient())
        assert isinstance(caught.value, cohort.Timeout)
        with pytest.raises(cohort.Timeout):
            group.get("a", timeout=0.01)  # it joins the load that goes on
    finally:
        go_on.set()


def test_blocked_threads_let_others_run(node: cohort.Instance) -> None:
    go_on = threading.Event()
    group = node.new_group("g", lambda key: (go_on.wait(), b"v")[1])
    got: list[bytes] = []
    threads = [threading.Thread(target=lambda: got.append(group.get("a"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    wait_until(lambda: group.stats().waiting == 19, "one leads, all others wait")
    go_on.set()
    for thread in threads:
        thread.join()
    assert got == [b"v"] * 20
    assert group.stats().local_loads == 1


def test_getting_in_two_loops_at_once(node: cohort.Instance) -> None:
    load = Counting(upper)
    group = node.new_group("g", load)
    both = threading.Barrier(2)

    async def gets() -> list[bytes]:
        both.wait()
        return list(await asyncio.gather(*(group.aget(f"k{i}") for i in range(200))))

    results: list[list[bytes]] = []
    threads = [threading.Thread(target=lambda: results.append(asyncio.run(gets()))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[0] == results[1] == [b"K%d" % i for i in range(200)]
    assert load.count() == 200


def test_many(node: cohort.Instance) -> None:
    def getter(key: str) -> bytes:
        if key == "missing":
            raise cohort.NotFound(key)
        if key == "fail":
            raise ZeroDivisionError(key)
        return key.encode()

    group = node.new_group("g", getter)
    group.get("b")
    assert group.get_many(["a", "missing", "b", "a"]) == {"a": b"a", "b": b"b"}
    assert list(group.get_many([b"b", b"a"])) == [b"b", b"a"]
    assert group.get_many([]) == {}
    with pytest.raises(ZeroDivisionError, match="fail"):
        group.get_many(["a", "fail"])
    found = group.get_many(["fail", "missing", "a"], return_exceptions=True)
    assert [type(value) for value in found.values()] == [ZeroDivisionError, cohort.NotFound, bytes]
    assert list(found) == ["fail", "missing", "a"]

    async def many() -> None:
        assert await group.aget_many(["a", "missing", "c"]) == {"a": b"a", "c": b"c"}
        assert await group.aget_many([]) == {}
        with pytest.raises(ZeroDivisionError):
            await group.aget_many(["x", "fail"])

    asyncio.run(many())


def test_a_generator_of_keys_will_do(node: cohort.Instance) -> None:
    assert node.new_group("g", upper).get_many(key for key in "ab") == {"a": b"A", "b": b"B"}


def test_many_end_by_their_deadline(node: cohort.Instance) -> None:
    go_on = threading.Event()
    group = node.new_group("g", lambda key: (go_on.wait(), b"v")[1] if key == "slow" else b"v")
    try:
        found = group.get_many(["slow", "quick"], timeout=0.2, return_exceptions=True)
        assert isinstance(found["slow"], cohort.Timeout)
        assert found["quick"] == b"v"
    finally:
        go_on.set()


def test_set_and_remove(node: cohort.Instance) -> None:
    load = Counting(upper)
    group = node.new_group("g", load)
    group.set("a", b"set", ttl=50)
    entry = group.get_entry("a")
    assert entry.value == b"set"
    assert entry.expires_at is not None
    group.remove("a")
    assert group.get("a") == b"A"
    group.set("b", b"set")
    group.remove_many(["a", b"b", "c"])
    assert group.get_many(["a", "b"]) == {"a": b"A", "b": b"B"}
    assert load.count("a") == 2

    async def change() -> None:
        await group.aset("a", b"again", expires_at=time.time() + 5)
        assert await group.aget("a") == b"again"
        await group.aremove("a")
        assert group.peek("a") is None
        await group.aset("a", b"again")
        await group.aremove_many(["a"])
        assert group.peek("a") is None

    asyncio.run(change())


def test_an_expiry_is_given_once(node: cohort.Instance) -> None:
    with pytest.raises(ValueError, match="not both"):
        node.new_group("g", upper).set("a", b"", ttl=1, expires_at=time.time())


def test_the_groups_own_time_to_live(node: cohort.Instance) -> None:
    group = node.new_group("g", lambda key: cohort.Expiring(b"v") if key == "for-ever" else b"v", ttl=30)
    assert group.get_entry("for-ever").expires_at is None
    assert group.get_entry("a").expires_at is not None
    group.set("b", b"v")
    assert group.get_entry("b").expires_at is not None


def test_the_budget_can_be_changed(node: cohort.Instance) -> None:
    group = node.new_group("g", upper)
    group.get("a")
    assert group.cache_stats(cohort.Tier.MAIN).items == 1
    group.reset_cache(0)
    assert group.peek("a") is None
    assert group.stats().local_loads == 1


def test_evictions_are_told(node: cohort.Instance) -> None:
    told: list[cohort.Eviction] = []
    group = node.new_group("g", lambda key: b"." * 1000, cache_bytes=64 << 10, on_eviction=told.append)
    for i in range(100):
        group.get(f"k{i}")
    wait_until(lambda: len(told) == group.cache_stats(cohort.Tier.MAIN).evictions > 0, "each eviction was told")
    first = told[0]
    assert (first.tier, first.reason, bytes(first.data)) == (cohort.Tier.MAIN, cohort.Reason.ROOM, b"." * 1000)


def test_a_listener_that_raises_is_reported_and_survived(node: cohort.Instance) -> None:
    group = node.new_group("g", lambda key: b"." * 1000, cache_bytes=64 << 10, on_eviction=lambda eviction: 1 / 0)
    reported: list[object] = []
    before, sys.unraisablehook = sys.unraisablehook, reported.append
    try:
        for i in range(100):
            group.get(f"k{i}")
        evictions = group.cache_stats(cohort.Tier.MAIN).evictions
        wait_until(lambda: len(reported) == evictions > 0, "each was reported")
    finally:
        sys.unraisablehook = before
