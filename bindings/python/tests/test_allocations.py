"""What a hit makes: the one object that is handed out. Counted by tracemalloc as the most that was alive at once."""

import sys
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import cohort
from cohort import _core, _wait

SIZE = 1000
DATA = b"." * SIZE
VALUE = sys.getsizeof(DATA)


@pytest.fixture(autouse=True)
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def most(call: Callable[[], Any]) -> int:
    """The most bytes that were alive at once while it ran, its result included."""
    for _ in range(2):  # the first time makes what lasts
        kept = None
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        kept = call()
        peak = tracemalloc.get_traced_memory()[1]
        del kept
    return peak - before


def test_one_object_is_told_from_two() -> None:
    one = most(lambda: bytes(SIZE))
    assert abs(one - VALUE) < 100
    assert most(lambda: (bytes(SIZE), bytes(8))) > one


def test_a_hit_is_one_object(node: cohort.Instance) -> None:
    group = node.new_group("g", lambda key: DATA)
    assert group.get("key") == DATA
    one = most(lambda: bytes(SIZE))
    assert most(lambda: group.get("key")) == one
    assert most(lambda: group.get(b"key")) == one
    assert most(lambda: group.peek("key")) == one
    assert most(lambda: group.peek("another")) == most(lambda: None)


def test_a_hit_of_text_is_one_object(node: cohort.Instance) -> None:
    group = node.new_group("g", lambda key: "." * SIZE, codec=cohort.TEXT)
    group.get("key")
    assert most(lambda: group.get("key")) == most(DATA.decode)


def test_a_view_has_none_of_the_bytes(node: cohort.Instance) -> None:
    group = node.new_group("g", lambda key: memoryview(DATA), codec=cohort.VIEW)
    group.get("key")
    assert most(lambda: group.get("key")) < SIZE / 2


def test_many_hits_are_their_objects_and_the_dict(node: cohort.Instance) -> None:
    group = node.new_group("g", lambda key: DATA)
    keys = [f"key-{i}" for i in range(100)]
    values = group.get_many(keys)
    # The keys asked for, as a dict and as a list, the list of values, their dict; and what C is asked with.
    beside = 2 * sys.getsizeof(values) + 2 * sys.getsizeof(keys) + 100 * 64 + 4096
    assert 100 * VALUE < most(lambda: group.get_many(keys)) < 100 * VALUE + beside


def test_hits_leave_the_waiters_alone(node: cohort.Instance) -> None:
    for name, hash_of in (("plain", None), ("hashed", lambda data: len(data))):
        with cohort.Instance(hash=hash_of) as own:
            group = own.new_group(name, lambda key: b".")
            group.get("key")
            idle = list(_wait.idle)
            assert idle
            for _ in range(100):
                group.get("key")
            assert _wait.idle == idle


def test_a_getter_is_called_as_it_says(node: cohort.Instance) -> None:
    group = node.new_group("g", lambda key: b".")
    begin = group._begin
    for arguments in ((), ("k", 1, 2), ("k", 1, 2, 3, 4)):
        with pytest.raises(TypeError, match=r"\(key\), \(key, timeout_ms\) or"):
            begin(*arguments)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="takes"):
        begin("k", timeout_ms=1)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="integer"):
        begin("k", "soon")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="queue handle is needed"):
        begin("k", 0, "queue", 1)  # type: ignore[call-overload]
    with pytest.raises((TypeError, OverflowError)):
        begin("k", 0, _core.cohort_queue_new(), -1)
    with pytest.raises(TypeError, match="list of waiters"):
        _core.getter_new(group._handle, (), _wait.Waiter, 0, 0, 0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="group handle is needed"):
        _core.getter_new(_core.cohort_queue_new(), [], _wait.Waiter, 0, 0, 0)
    with pytest.raises(TypeError, match="list of results"):
        _core.queue_take_many(_core.cohort_queue_new(), (), 0, 0, -1)  # type: ignore[arg-type]
    broken = _core.getter_new(group._handle, [], lambda: 1, 0, 0, 0)
    with pytest.raises(AttributeError, match="queue"):
        broken("k", 0)
    assert begin("k") is None
    assert group.get("k") == begin("k") == b"."
