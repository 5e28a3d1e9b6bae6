"""Codecs: what values are outside, and that nothing else gets in."""

import dataclasses
import json
from typing import Any

import pytest
from google.protobuf import descriptor_pb2

import cohort
from cohort.codecs import Json


def test_bytes_of_every_kind(node: cohort.Instance) -> None:
    values = {"bytes": b"v", "bytearray": bytearray(b"v"), "view": memoryview(b"xvx")[1:2]}
    group = node.new_group("g", lambda key: values[key])  # type: ignore[arg-type,return-value]
    for key in values:
        assert group.get(key) == b"v"
        assert type(group.get(key)) is bytes
    group.set("b", bytearray(b"set"))  # type: ignore[arg-type]
    assert group.get("b") == b"set"
    with pytest.raises(TypeError, match="must be bytes-like, not str; a codec"):
        group.set("c", "text")  # type: ignore[arg-type]


def test_a_view_that_has_gaps_is_refused(node: cohort.Instance) -> None:
    group = node.new_group("g", lambda key: memoryview(b"abcdef")[::2])
    with pytest.raises(BufferError):
        group.get("a")
    with pytest.raises(BufferError):
        group.get("a")  # the load has ended all the same


def test_views_are_read_only(node: cohort.Instance) -> None:
    group = node.new_group("g", lambda key: memoryview(key.encode()), codec=cohort.VIEW)
    for _ in range(2):
        view = group.get("abc")
        assert view == b"abc"
        with pytest.raises(TypeError, match="read-only"):
            view[0] = 1
    assert json.loads(bytes(view[:0] or b"1")) == 1


def test_what_is_not_text_fails_the_get_alone(node: cohort.Instance) -> None:
    raw = {"a": b"a", "bad": b"\xff", "c": b"c"}
    group = node.new_group("g", str, codec=cohort.TEXT)
    for key, value in raw.items():
        group.local_set(key, value)
    assert (group.get("a"), group.peek("c")) == ("a", "c")
    for get in (group.get, group.peek):
        with pytest.raises(UnicodeDecodeError):
            get("bad")
    with pytest.raises(UnicodeDecodeError):
        group.get_many(["new", "a", "bad", "c"])
    assert group.get_many(["new", "a", "c"]) == {"new": "new", "a": "a", "c": "c"}


def test_text(node: cohort.Instance) -> None:
    group = node.new_group("g", str.upper, codec=cohort.TEXT)
    assert group.get("größe") == group.get("größe") == "GRÖSSE"
    group.set("a", "é")
    assert group.get("a") == "é"
    with pytest.raises(TypeError, match="a value must be str, not bytes"):
        group.set("a", b"v")  # type: ignore[arg-type]


def test_json(node: cohort.Instance) -> None:
    group = node.new_group("g", lambda key: {"key": key, "list": [1, None, 2.5]}, codec=cohort.JSON)
    first, second = group.get("ä"), group.get("ä")
    assert first == second == {"key": "ä", "list": [1, None, 2.5]}
    first["key"] = "changed"
    assert group.get("ä") == second
    group.set("none", None)
    assert group.get("none") is None
    assert group.peek("none", "default") is None
    with pytest.raises(TypeError, match="not JSON serializable"):
        group.set("a", object())


def test_json_of_ones_own(node: cohort.Instance) -> None:
    codec = Json(dumps=lambda value: json.dumps({"wrapped": value}), loads=lambda data: json.loads(data)["wrapped"])
    group = node.new_group("g", lambda key: [key], codec=codec)
    assert group.get("a") == group.get("a") == ["a"]


def test_protobuf(node: cohort.Instance) -> None:
    Message = descriptor_pb2.FileDescriptorProto  # noqa: N806 (it is a class)

    def load(key: str) -> descriptor_pb2.FileDescriptorProto:
        return Message(name=key, dependency=["a", "b"])

    group = node.new_group("g", load, codec=cohort.Protobuf(Message))
    assert group.get("x") == group.get("x") == load("x")
    group.set("y", load("z"))
    assert group.get("y").name == "z"
    with pytest.raises(TypeError, match="must be a FileDescriptorProto, not str"):
        group.set("y", "text")  # type: ignore[arg-type]


def test_a_codec_of_ones_own(node: cohort.Instance) -> None:
    @dataclasses.dataclass
    class Point:
        x: int
        y: int

    class Points:
        def encode(self, value: Point, /) -> bytes:
            return b"%d,%d" % (value.x, value.y)

        def decode(self, data: memoryview, /) -> Point:
            return Point(*map(int, bytes(data).split(b",")))

    group = node.new_group("g", lambda key: Point(len(key), 2), codec=Points())
    assert group.get("abc") == group.get("abc") == Point(3, 2)
    assert group.get_many(["abc", "a"]) == {"abc": Point(3, 2), "a": Point(1, 2)}


def test_a_codec_that_raises_fails_the_load(node: cohort.Instance) -> None:
    class Broken:
        def encode(self, value: Any, /) -> bytes:
            raise ZeroDivisionError("cannot encode")

        def decode(self, data: memoryview, /) -> Any:
            raise ZeroDivisionError("cannot decode")

    group = node.new_group("g", lambda key: 1, codec=Broken())
    with pytest.raises(ZeroDivisionError, match="cannot encode"):
        group.get("a")
    raw = node.new_group("h", lambda key: b"v")
    raw.get("a")
    assert group.stats().local_load_errors == 1
