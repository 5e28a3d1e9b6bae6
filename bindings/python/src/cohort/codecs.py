"""Codecs say how the values of a group become bytes and what gets hand out. None of them executes what it reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from typing_extensions import Buffer

T = TypeVar("T")
M = TypeVar("M", bound="_Message")


class Codec(Protocol[T]):
    """Any object with these two methods. They run on the thread of the call, or the getter's; they may raise."""

    def encode(self, value: T, /) -> Buffer:
        """The bytes of `value`."""

    def decode(self, data: memoryview, /) -> T:
        """The value of `data`, which is read-only, needs no copy, and stays valid for as long as it is referenced."""


class _Bytes:
    """bytes as they are. Getters may return any bytes-like object."""

    def encode(self, value: Buffer, /) -> Buffer:
        if isinstance(value, (bytes, bytearray, memoryview)):
            return value
        raise TypeError(
            f"a value must be bytes-like, not {type(value).__name__}; a codec turns other values into bytes"
        )

    def decode(self, data: memoryview, /) -> bytes:
        return bytes(data)


class _View(_Bytes):
    def decode(self, data: memoryview, /) -> memoryview:  # type: ignore[override]
        return data


class _Text:
    def encode(self, value: str, /) -> Buffer:
        if not isinstance(value, str):
            raise TypeError(f"a value must be str, not {type(value).__name__}")
        return value.encode()

    def decode(self, data: memoryview, /) -> str:
        return str(data, "utf-8")


class Json:
    """What the json module reads and writes. Each get decodes a new object, so callers may change what they get."""

    def __init__(
        self, *, dumps: Callable[[Any], str | bytes] | None = None, loads: Callable[[bytes], Any] | None = None
    ) -> None:
        self._dumps = dumps or json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
        self._loads = loads or json.loads

    def encode(self, value: Any, /) -> Buffer:
        text = self._dumps(value)
        return text.encode() if isinstance(text, str) else text

    def decode(self, data: memoryview, /) -> Any:
        return self._loads(bytes(data))


class _Message(Protocol):
    """What a protobuf message can do."""

    def SerializeToString(self) -> bytes: ...  # noqa: N802 (protobuf's own name)
    def ParseFromString(self, serialized: bytes) -> Any: ...  # noqa: N802


class Protobuf(Codec[M]):
    """Protobuf messages of one type: ``codecs.Protobuf(User)``."""

    def __init__(self, message_type: type[M]) -> None:
        self._type = message_type

    def encode(self, value: M, /) -> Buffer:
        if not isinstance(value, self._type):
            raise TypeError(f"a value must be a {self._type.__name__}, not {type(value).__name__}")
        return value.SerializeToString()

    def decode(self, data: memoryview, /) -> M:
        message = self._type()
        message.ParseFromString(bytes(data))
        return message


#: bytes; the default.
BYTES: Codec[bytes] = _Bytes()
#: Read-only memoryviews over the engine's own memory: nothing is copied. A view keeps its value alive.
VIEW: Codec[memoryview] = _View()
#: str, as UTF-8.
TEXT: Codec[str] = _Text()
#: Anything that JSON can say.
JSON: Codec[Any] = Json()
