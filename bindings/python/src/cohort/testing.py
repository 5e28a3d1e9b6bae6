"""A whole cluster in one process, for the tests of programs that use Cohort."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .codecs import BYTES
from .group import Group, Key
from .instance import Instance
from .transport import Transport

if TYPE_CHECKING:
    from typing import Self

T = TypeVar("T")


class Cluster:
    """That many instances that know each other, over real HTTP on loopback, or inside the process.

        with cohort.testing.Cluster(3) as cluster:
            pages = cluster.new_group("pages", lambda member: lambda key: b"page " + key.encode())
            assert pages[0].get("index") == pages[1].get("index")
            cluster.stop(2)     # its peers cannot reach it any more
            cluster.start(2)

    `options` go to each `Instance`. With `network="inproc"` nothing leaves the process and no port is used.
    """

    def __init__(self, size: int, *, network: str = "http", **options: Any) -> None:
        if size < 1:
            raise ValueError(f"a cluster has at least 1 member; size is {size}")
        if network not in ("http", "inproc"):
            raise ValueError(f'network is "http" or "inproc"; it is {network!r}')
        self._http = network == "http"
        if not self._http:
            options.setdefault("transport", Transport.inproc())
        self.members: list[Instance] = []
        self.addresses: list[str] = []
        try:
            for position in range(size):
                listen = "127.0.0.1:0" if self._http else f"member{position}.test:{position + 1}"
                member = Instance(listen, **{"name": f"member{position}", **options})
                self.members.append(member)
                self.addresses.append(member.address if self._http else listen)
            for member, address in zip(self.members, self.addresses, strict=True):
                member.set_peers(self.addresses, address)
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self.members)

    def __getitem__(self, position: int) -> Instance:
        return self.members[position]

    def __iter__(self) -> Iterator[Instance]:
        return iter(self.members)

    def new_group(
        self, name: str, getter_of: Callable[[int], Any] | None = None, *, codec: Any = BYTES, **options: Any
    ) -> list[Group[Any]]:
        """Makes the group on every member, each with the getter that `getter_of(position)` returns."""
        return [
            member.new_group(name, getter_of(position) if getter_of else None, codec=codec, **options)
            for position, member in enumerate(self.members)
        ]

    def owner(self, key: Key) -> int:
        """The position of the member that owns the key."""
        owner = self.members[0].owner(key)
        return self.addresses.index(owner) if owner else 0

    def key_of(self, position: int, prefix: str = "key-") -> str:
        """A key with that prefix which the member at that position owns."""
        number = 0
        # The default ring hardly tells keys apart that differ in their last bytes only.
        while self.owner(key := f"{prefix}{number}-key") != position:
            number += 1
        return key

    def stop(self, position: int) -> None:
        """Cuts the member off: peers find nobody at its address. It goes on asking them."""
        self.members[position].stop_listening(0.001)

    def start(self, position: int) -> None:
        """Lets peers reach it again, at the same address."""
        self.members[position].listen(self.addresses[position])

    def close(self) -> None:
        """Closes every member, giving what is under way no time."""
        for member in self.members:
            member.close(0)

    async def aclose(self) -> None:
        """As `close`, for tests that are coroutines."""
        for member in self.members:
            await member.aclose(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class Counting(Generic[T]):
    """A getter around another one that counts its runs: ``Counting(load).count("key")``."""

    def __init__(self, getter: Callable[[str], T]) -> None:
        self._getter = getter
        self._runs: list[str] = []

    def __call__(self, key: str) -> T:
        self._runs.append(key)
        return self._getter(key)

    def count(self, key: str | None = None) -> int:
        """How often it ran, for that key or in all."""
        return len(self._runs) if key is None else self._runs.count(key)


def free_address() -> str:
    """An address of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
