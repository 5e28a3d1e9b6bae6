"""What a getter may know of the load that it runs for, and who else is loading above it."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING, Any

from . import _core

if TYPE_CHECKING:
    from ._getter import Loader


class Load:
    """The load that the running getter is for: see `current_load`. Any thread may ask it."""

    __slots__ = ("_handle", "_loader", "_parent", "key")

    #: The key's bytes.
    key: bytes

    def __init__(self, handle: _core.Handle, loader: Loader[Any], key: bytes, parent: Load | None) -> None:
        self._handle = handle
        self._loader = loader
        self._parent = parent
        self.key = key

    @property
    def group(self) -> str:
        """The name of the group."""
        return self._loader.name

    @property
    def cancelled(self) -> bool:
        """Nobody waits for it any more, so a long getter may as well stop."""
        try:
            return _core.cohort_load_cancelled(self._handle) != 0
        except ValueError:  # it has ended
            return True

    def _is_open(self) -> bool:
        try:
            _core.cohort_load_cancelled(self._handle)
        except ValueError:
            return False
        return True

    @property
    def time_left(self) -> float:
        """Seconds until the latest deadline among those who wait now; 0 when nobody does."""
        try:
            return _core.cohort_load_time_left_ms(self._handle) / 1000
        except ValueError:
            return 0.0


_current: contextvars.ContextVar[Load | None] = contextvars.ContextVar("cohort_current_load", default=None)


def current_load() -> Load | None:
    """The load that the getter is running for which this is called; None outside getters."""
    return _current.get()


def enter(handle: _core.Handle, loader: Loader[Any], key: bytes) -> contextvars.Token[Load | None]:
    return _current.set(Load(handle, loader, key, _current.get()))


def leave(token: contextvars.Token[Load | None]) -> None:
    _current.reset(token)


def is_loading(loader: Loader[Any], key: str | bytes) -> bool:
    """Whether the caller is, at whatever depth, a getter that loads this very key: it would wait for itself."""
    load = _current.get()
    if load is None:
        return False
    wanted = key_bytes(key)
    while load is not None:
        if load._loader is loader and load.key == wanted and load._is_open():
            return True
        load = load._parent
    return False


def key_bytes(key: str | bytes) -> bytes:
    """A key's bytes: UTF-8, with the bytes that are none as lone surrogates (as in os.fsdecode)."""
    return key.encode("utf-8", "surrogateescape") if isinstance(key, str) else bytes(key)


def key_text(key: str | bytes) -> str:
    """A key as getters see it; `key_bytes` gives the bytes back, whatever they were."""
    return key if isinstance(key, str) else bytes(key).decode("utf-8", "surrogateescape")
