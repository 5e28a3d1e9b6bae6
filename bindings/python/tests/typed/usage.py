"""What type checkers must see: never run, checked by mypy --strict."""

import asyncio
from collections.abc import Callable
from typing import Any, assert_type

from google.protobuf.descriptor_pb2 import FileDescriptorProto

import cohort
from cohort.testing import Cluster


def load(key: str) -> bytes:
    return key.encode()


async def aload(key: str) -> bytes:
    return key.encode()


def expiring(key: str) -> cohort.Expiring[bytes] | bytes:
    return cohort.Expiring(key.encode(), ttl=1)


def text(key: str) -> str:
    return key


async def message(key: str) -> FileDescriptorProto:
    return FileDescriptorProto(name=key)


node = cohort.Instance()
assert_type(node.new_group("a", load), cohort.Group[bytes])
assert_type(node.new_group("b", aload, ttl=1), cohort.Group[bytes])
assert_type(node.new_group("c", expiring), cohort.Group[bytes])
assert_type(node.new_group("d"), cohort.Group[bytes])
assert_type(node.new_group("e", text, codec=cohort.TEXT), cohort.Group[str])
assert_type(node.new_group("f", message, codec=cohort.Protobuf(FileDescriptorProto)), cohort.Group[FileDescriptorProto])
assert_type(node.new_group("g", codec=cohort.VIEW), cohort.Group[memoryview])

node.new_group("wrong", text)  # type: ignore[arg-type]
node.new_group("wrong", load, codec=cohort.TEXT)  # type: ignore[arg-type]


@node.group("h", codec=cohort.JSON)
def h(key: str) -> Any:
    return {"key": key}


@node.group("i")
async def i(key: str) -> bytes:
    return key.encode()


assert_type(i, cohort.Group[bytes])
assert_type(i.get("a"), bytes)
assert_type(i.peek("a"), bytes | None)
assert_type(i.peek("a", 3), bytes | int)
assert_type(i.get_many(["a"]), dict[str, bytes])
assert_type(i.get_many([b"a"], return_exceptions=True), dict[bytes, bytes | Exception])
assert_type(i.get_entry("a"), cohort.Entry[bytes])
i.set("a", "text")  # type: ignore[arg-type]
i.get(3)  # type: ignore[arg-type]


async def main() -> None:
    assert_type(await i.aget("a", timeout=1), bytes)
    assert_type(await i.aget_many(["a"]), dict[str, bytes])
    async with cohort.Instance() as other:
        assert_type(other, cohort.Instance)


def test_of_a_user(cohort_cluster: Callable[..., Cluster]) -> None:
    assert_type(cohort_cluster(3)[0], cohort.Instance)


asyncio.run(main())
