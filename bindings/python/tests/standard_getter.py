"""The standard getter of the shared behaviours, as a function and as a coroutine, with its table of loads."""

import asyncio
import re
import threading
import time
from collections import Counter
from collections.abc import Callable

import cohort

LIMIT_S = 60.0


class Panic(BaseException):
    """The worst that a getter can raise: nothing that says `except Exception` sees it."""


class Table:
    """Which getters were entered how often, and which hanging ones may go on."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.loads: Counter[tuple[int, str, bytes]] = Counter()
        self._released: set[bytes] = set()
        self._tasks: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self.release_all = False

    def enter(self, member: int, group: str, key: bytes) -> int:
        with self.changed:
            self.loads[member, group, key] += 1
            self.changed.notify_all()
            return self.count(group, key)

    def count(self, group: str, key: bytes, member: int | None = None) -> int:
        return sum(n for (m, g, k), n in self.loads.items() if g == group and k == key and member in (None, m))

    def release(self, key: bytes | None) -> None:
        """That key, or, without one, every key now and later."""
        with self.changed:
            if key is None:
                self.release_all = True
            else:
                self._released.add(key)
            self.changed.notify_all()
            for loop, event in self._tasks:
                loop.call_soon_threadsafe(event.set)

    def is_released(self, key: bytes) -> bool:
        return self.release_all or key in self._released

    def hang(self, key: bytes) -> None:
        """Until the key is released, or nobody waits for the load any more."""
        load = cohort.current_load()
        assert load is not None
        with self.changed:
            while not self.is_released(key):
                if load.cancelled:
                    raise RuntimeError("nobody waits for it")
                self.changed.wait(0.02)

    async def ahang(self, key: bytes) -> None:
        entry = (asyncio.get_running_loop(), asyncio.Event())
        with self.changed:
            self._tasks.append(entry)
        while not self.is_released(key):
            await entry[1].wait()
            entry[1].clear()

    def wait_for(self, condition: Callable[[], bool], what: str, limit: float) -> None:
        with self.changed:
            if not self.changed.wait_for(condition, limit):
                raise AssertionError(f"this did not come true in {limit} s: {what}")


def _answer(key: str, rest: str, raw: bytes, group: str, runs: int) -> bytes | cohort.Expiring[bytes]:
    """What needs no waiting: the rest decides, values and messages have the whole key."""
    if rest.startswith("missing-"):
        raise cohort.NotFound(f"not found: {key}")
    if rest.startswith("fail-"):
        raise RuntimeError(f"load failed: {key}")
    if rest.startswith("panic-"):
        raise Panic(key)
    if rest.startswith("empty-"):
        return b""
    if found := re.match(r"size-(\d+)-", rest):
        return b"." * int(found[1])
    value = group.encode() + b":" + raw
    if found := re.match(r"exp-(-?\d+)-", rest):
        return cohort.Expiring(value, expires_at=time.time() + int(found[1]) / 1000)
    return value + b"#%d" % runs if rest.startswith("count-") else value


def _rest(key: str) -> str:
    while key.startswith("hang-"):
        key = key.removeprefix("hang-")
    return key


def function_getter(
    table: Table, member: int, group: str, groups: dict[str, "cohort.Group[bytes]"]
) -> Callable[[str], object]:
    def get(key: str) -> object:
        raw = cohort.key_bytes(key)
        runs = table.enter(member, group, raw)
        if key.startswith("hang-"):
            table.hang(raw)
        rest = _rest(key)
        try:
            if rest.startswith("other-"):
                return groups["h"].get(rest.removeprefix("other-"))
            if rest.startswith("self-"):
                return groups[group].get(key, timeout=0.5)
        except cohort.NotFound:
            raise
        except BaseException as error:
            raise RuntimeError(str(error)) from error
        return _answer(key, rest, raw, group, runs)

    return get


def coroutine_getter(
    table: Table, member: int, group: str, groups: dict[str, "cohort.Group[bytes]"]
) -> Callable[[str], object]:
    async def get(key: str) -> object:
        raw = cohort.key_bytes(key)
        runs = table.enter(member, group, raw)
        if key.startswith("hang-"):
            await table.ahang(raw)
        rest = _rest(key)
        try:
            if rest.startswith("other-"):
                return await groups["h"].aget(rest.removeprefix("other-"))
            if rest.startswith("self-"):
                return await groups[group].aget(key, timeout=0.5)
            if rest.startswith("drop-"):
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
                await asyncio.sleep(0)
        except (cohort.NotFound, asyncio.CancelledError):
            raise
        except BaseException as error:
            raise RuntimeError(str(error)) from error
        return _answer(key, rest, raw, group, runs)

    return get
