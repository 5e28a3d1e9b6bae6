"""Runs the shared list of behaviours (tests/behaviours of the repository) through the public face.

Once with blocking calls and functions as getters, once with awaited calls and coroutines as getters. What is begun
without waiting is a task in both.
"""

import asyncio
import base64
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, ClassVar

import cohort
from network import Network
from standard_getter import LIMIT_S, Table, coroutine_getter, function_getter

KINDS: list[tuple[type[BaseException], str]] = [
    (cohort.NotFound, "not_found"),
    (cohort.Timeout, "timeout"),
    (asyncio.CancelledError, "cancelled"),
    (cohort.Closed, "closed"),
    (cohort.InvalidArgument, "invalid_argument"),
    (cohort.TooLarge, "too_large"),
    (cohort.WouldDeadlock, "would_deadlock"),
    (cohort.NoGetter, "no_getter"),
    (cohort.Unreachable, "unreachable"),
    (cohort.LoadAbandoned, "load_abandoned"),
    (cohort.AlreadyExists, "already_exists"),
]

# What Python has nothing for.
SKIPPED_FOR_FUNCTIONS = {
    "ALoadThatIsLetGoFails": "a function returns or raises: only a coroutine can let go of a load, by being cancelled",
    "ALoadThatTheOwnerLetsGoIsLoadedHere": "a function returns or raises: only a coroutine can let go of a load",
}


class Failed(AssertionError):
    """A step found something else than it expected."""

    def __init__(self, step: int, message: str) -> None:
        super().__init__(f"step {step}: {message}")
        self.step = step


def kind_of(error: BaseException) -> str:
    if isinstance(error, cohort.LoadError):
        return "remote_failed" if error.status == cohort.LoadError.status else "load_failed"
    return next((name for kind, name in KINDS if isinstance(error, kind)), "load_failed")


class Blocking:
    """Calls that block, getters that are functions."""

    getter = staticmethod(function_getter)
    skipped: ClassVar[dict[str, str]] = SKIPPED_FOR_FUNCTIONS

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    def make(self, make: Callable[[], Any]) -> Any:
        return make()

    def call(self, target: Any, name: str, *arguments: Any, **options: Any) -> Any:
        return getattr(target, name)(*arguments, **options)


class Awaiting(Blocking):
    """Calls that are awaited, getters that are coroutines on the same loop."""

    getter = staticmethod(coroutine_getter)
    skipped: ClassVar[dict[str, str]] = {}

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def make(self, make: Callable[[], Any]) -> Any:
        async def on_the_loop() -> Any:
            return make()

        return self.run(on_the_loop())

    def call(self, target: Any, name: str, *arguments: Any, **options: Any) -> Any:
        return self.run(getattr(target, "a" + name)(*arguments, **options))


class Case:
    """One case on members of its own."""

    def __init__(self, case: dict[str, Any], face: Blocking, network: str = "http", limit: float = LIMIT_S) -> None:
        self.case, self.face, self.limit = case, face, limit
        self.network: Network = face.make(lambda: Network(network, isinstance(face, Awaiting)))
        self.table = Table()
        self.vars: dict[str, bytes] = {}
        self.started: dict[str, list[Future[Any]]] = {}
        self.members: list[cohort.Instance] = []
        self.addresses: list[str] = []
        self.groups: list[dict[str, cohort.Group[bytes]]] = []
        self.closing: dict[int, threading.Thread] = {}

    def run(self) -> None:
        try:
            for number in range(self.case.get("nodes", 1)):
                member, address = self.network.new_member(number)
                self.members.append(member)
                self.addresses.append(address)
                self.groups.append({})
                for name in ("g", "h"):
                    self.new_group(number, name)
            if len(self.members) > 1:
                for member, address in zip(self.members, self.addresses, strict=True):
                    member.set_peers(self.addresses, address)
            for position, step in enumerate(self.case["steps"], 1):
                try:
                    getattr(self, "do_" + step["do"])(step)
                except Failed as failed:
                    raise Failed(position, f"{step}: {failed}") from failed
                except AssertionError as failed:
                    raise Failed(position, f"{step}: {failed}") from failed
        finally:
            self.table.release(None)
            for future in [future for futures in self.started.values() for future in futures]:
                future.cancel()
            for thread in self.closing.values():
                thread.join()
            for member in self.members:
                member.close(0)

    def new_group(self, number: int, name: str) -> None:
        has_getter = number not in self.case.get("no_getter_on", [])
        options: dict[str, Any] = {"cache_bytes": self.case.get("cache_bytes", 64 << 20)}
        if "load_timeout_ms" in self.case:
            options["load_timeout"] = self.case["load_timeout_ms"] / 1000
        getter: Any = self.face.getter(self.table, number, name, self.groups[number]) if has_getter else None
        group = self.face.make(lambda: self.members[number].new_group(name, getter, **options))
        self.groups[number][name] = group

    # ---- what a step names

    def bytes_of(self, form: Any) -> bytes:
        if isinstance(form, str):
            return form.encode()
        if "base64" in form:
            return base64.b64decode(form["base64"])
        if "repeat" in form:
            return self.bytes_of(form["repeat"]) * form["count"]
        if "concat" in form:
            return b"".join(map(self.bytes_of, form["concat"]))
        return self.vars[form["var"]] if "var" in form else self.addresses[form["address"]].encode()

    def group(self, step: dict[str, Any]) -> "cohort.Group[bytes]":
        return self.groups[step.get("node", 0)][step.get("group", "g")]

    def timeout(self, step: dict[str, Any]) -> dict[str, Any]:
        return {"timeout": step["timeout_ms"] / 1000} if "timeout_ms" in step else {}

    def outcome(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except BaseException as error:
            if isinstance(error, (KeyboardInterrupt, AssertionError)):
                raise
            return error

    # ---- what it expects

    def check(self, expect: dict[str, Any], found: Any) -> None:
        if "any_of" in expect:
            if not any(self.meets(one, found) for one in expect["any_of"]):
                raise AssertionError(f"found {shown(found)}")
        elif not self.meets(expect, found):
            raise AssertionError(f"found {shown(found)}")

    def meets(self, expect: dict[str, Any], found: Any) -> bool:
        if "error" in expect:
            if not isinstance(found, BaseException) or kind_of(found) != expect["error"]:
                return False
            message = str(found).encode("utf-8", "surrogateescape")
            return ("message" not in expect or message == self.bytes_of(expect["message"])) and (
                "message_contains" not in expect or self.bytes_of(expect["message_contains"]) in message
            )
        if isinstance(found, BaseException):
            return False
        if "miss" in expect or "ok" in expect:
            return found is None
        entry = found if isinstance(found, cohort.Entry) else cohort.Entry(found, cohort.Source.NONE, None)
        if not isinstance(entry.value, bytes):
            return False
        if "value" in expect and entry.value != self.bytes_of(expect["value"]):
            return False
        if "value_size" in expect and len(entry.value) != expect["value_size"]:
            return False
        if found is entry and "source" in expect and entry.source.name.lower() != expect["source"]:
            return False
        if found is entry and "expires_in_ms" in expect:
            most = expect["expires_in_ms"]
            if most == 0:
                return entry.expires_at is None
            left = (entry.expires_at or 0) * 1000 - time.time() * 1000
            return bool(most / 2 <= left <= most)
        return True

    # ---- the steps

    def do_get(self, step: dict[str, Any]) -> None:
        name = "get_entry" if {"source", "expires_in_ms"} & set(step["expect"]) else "get"
        key = self.bytes_of(step["key"])
        self.check(
            step["expect"], self.outcome(lambda: self.face.call(self.group(step), name, key, **self.timeout(step)))
        )

    def do_get_many(self, step: dict[str, Any]) -> None:
        keys = [self.bytes_of(key) for key in step["keys"]]
        found = self.outcome(
            lambda: self.face.call(self.group(step), "get_many", keys, return_exceptions=True, **self.timeout(step))
        )
        if "expect_all" in step:
            for one in found.values() if isinstance(found, dict) else [found]:
                self.check(step["expect_all"], one)
            return
        if isinstance(found, BaseException):
            raise AssertionError(f"found {shown(found)}")
        assert len(step["expect"]) == len(keys)
        for key, expect in zip(keys, step["expect"], strict=True):
            self.check(expect, found[key])

    def do_peek(self, step: dict[str, Any]) -> None:
        self.check(step["expect"], self.outcome(lambda: self.group(step).peek_entry(self.bytes_of(step["key"]))))

    def do_set(self, step: dict[str, Any]) -> None:
        key, value = self.bytes_of(step["key"]), self.bytes_of(step["value"])
        passed: Any = bytearray(value) if step.get("scribble") else value
        options = self.timeout(step)
        if "expire_ms" in step:
            options["expires_at"] = time.time() + step["expire_ms"] / 1000
        self.check(
            step.get("expect", {"ok": True}),
            self.outcome(lambda: self.face.call(self.group(step), "set", key, passed, **options)),
        )
        if step.get("scribble"):
            passed[:] = b"!" * len(passed)

    def do_remove(self, step: dict[str, Any]) -> None:
        key = self.bytes_of(step["key"])
        self.check(
            step.get("expect", {"ok": True}),
            self.outcome(lambda: self.face.call(self.group(step), "remove", key, **self.timeout(step))),
        )

    def do_remove_keys(self, step: dict[str, Any]) -> None:
        keys = [self.bytes_of(key) for key in step["keys"]]
        self.check(
            step.get("expect", {"ok": True}),
            self.outcome(lambda: self.face.call(self.group(step), "remove_many", keys, **self.timeout(step))),
        )

    def do_start(self, step: dict[str, Any]) -> None:
        group, key = self.group(step), self.bytes_of(step["key"])
        self.started[step["as"]] = [
            asyncio.run_coroutine_threadsafe(group.aget_entry(key, **self.timeout(step)), self.face.loop)
            for _ in range(step.get("count", 1))
        ]

    def do_await(self, step: dict[str, Any]) -> None:
        for future in self.started[step["as"]]:
            try:
                found = self.outcome(lambda future=future: future.result(self.limit))
            except BaseException as error:
                found = error
            if isinstance(found, TimeoutError) and not isinstance(found, cohort.Timeout):
                raise AssertionError(f"the get has not ended after {self.limit} s")
            if type(found).__name__ == "CancelledError":
                found = asyncio.CancelledError()
            self.check(step["expect"], found)

    def do_cancel(self, step: dict[str, Any]) -> None:
        for future in self.started[step["as"]]:
            future.cancel()

    def do_release(self, step: dict[str, Any]) -> None:
        self.table.release(self.bytes_of(step["key"]))

    def do_wait_loading(self, step: dict[str, Any]) -> None:
        group, key = step.get("group", "g"), self.bytes_of(step["key"])
        self.table.wait_for(
            lambda: self.table.count(group, key, step.get("node")) >= step["count"], str(step), self.limit
        )

    def do_wait_gone(self, step: dict[str, Any]) -> None:
        key = self.bytes_of(step["key"])
        self.until(lambda: self.group(step).peek(key) is None, step)

    def do_loads(self, step: dict[str, Any]) -> None:
        with self.table.changed:
            found = self.table.count(step.get("group", "g"), self.bytes_of(step["key"]), step.get("node"))
        if found != step["count"]:
            raise AssertionError(f"found {found} loads")

    def do_stats(self, step: dict[str, Any]) -> None:
        def value() -> int:
            group, field = self.group(step), step["field"]
            for tier in cohort.Tier:
                if field.startswith(tier.name.lower() + "_"):
                    return int(getattr(group.cache_stats(tier), field.partition("_")[2]))
            return int(getattr(group.stats(), field))

        self.until(lambda: value() == step["value"] if "value" in step else value() >= step["at_least"], step, value)

    def until(
        self, condition: Callable[[], bool], step: dict[str, Any], found: Callable[[], Any] = lambda: None
    ) -> None:
        end = time.monotonic() + self.limit
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"this did not come true in {self.limit} s: {step}; found {found()}")
            time.sleep(0.001)

    def do_reset_cache(self, step: dict[str, Any]) -> None:
        self.group(step).reset_cache(step["cache_bytes"])

    def do_new_group(self, step: dict[str, Any]) -> None:
        name = self.bytes_of(step["name"]).decode()
        self.check(step.get("expect", {"ok": True}), self.outcome(lambda: self.new_group(step.get("node", 0), name)))

    def do_close_group(self, step: dict[str, Any]) -> None:
        self.members[step.get("node", 0)].remove_group(step.get("group", "g"))

    def do_close(self, step: dict[str, Any]) -> None:
        number = step.get("node", 0)
        self.closing[number] = threading.Thread(target=self.members[number].close, args=(0,))
        self.closing[number].start()

    def do_closed(self, step: dict[str, Any]) -> None:
        thread = self.closing[step.get("node", 0)]
        thread.join(self.limit)
        assert not thread.is_alive(), f"the member has not closed after {self.limit} s"

    def do_stop_listening(self, step: dict[str, Any]) -> None:
        number = step.get("node", 0)
        self.network.stop_listening(self.members[number], self.addresses[number])

    def do_listen(self, step: dict[str, Any]) -> None:
        number = step.get("node", 0)
        self.network.listen(self.members[number], self.addresses[number])

    def do_set_peers(self, step: dict[str, Any]) -> None:
        number = step.get("node", 0)
        self.members[number].set_peers([self.addresses[peer] for peer in step["peers"]], self.addresses[number])

    def do_owned_key(self, step: dict[str, Any]) -> None:
        node, owner = self.members[step.get("node", 0)], self.addresses[step["owner"]]
        prefix, number = self.bytes_of(step["prefix"]), 0
        while (key := prefix + b"%d" % number) in self.vars.values() or node.owner(key) != owner:
            number += 1
        self.vars[step["as"]] = key


def shown(found: Any) -> str:
    text = repr(found)
    return text if len(text) < 300 else text[:300] + "..."
