"""How the members of a case reach each other: over HTTP on loopback, inside the process, or by transports of the program's own,
which carry HTTP requests to mounted members, or calls to their groups."""

import threading
from typing import Any

import cohort

NETWORKS = ["http", "inproc", "mounted", "calls"]


class Network:
    """Makes the members of one case."""

    def __init__(self, kind: str, awaiting: bool) -> None:
        self.kind = kind
        self._lock = threading.Lock()
        self._listening: dict[str, cohort.Instance] = {}
        self._transport: cohort.Transport | None = None
        if kind == "inproc":
            self._transport = cohort.Transport.inproc()
        elif kind == "mounted":
            self._transport = cohort.Transport.raw(self._asend_raw if awaiting else self._send_raw)
        elif kind == "calls":
            self._transport = cohort.Transport.calls(self._asend_call if awaiting else self._send_call)

    @property
    def is_own(self) -> bool:
        """Whether members do not listen by themselves."""
        return self.kind in ("mounted", "calls")

    def new_member(self, number: int) -> tuple[cohort.Instance, str]:
        """A member and its address."""
        if self.kind == "http":
            member = cohort.Instance("127.0.0.1:0", logger=None)
            return member, member.address
        address = f"member{number}.test:{number + 1}"
        member = cohort.Instance(None if self.is_own else address, transport=self._transport, logger=None)
        self._listening[address] = member
        return member, address

    def stop_listening(self, member: cohort.Instance, address: str) -> None:
        if self.is_own:
            with self._lock:
                del self._listening[address]
        else:
            member.stop_listening(0)

    def listen(self, member: cohort.Instance, address: str) -> None:
        if self.is_own:
            with self._lock:
                self._listening[address] = member
        else:
            member.listen(address)

    def _find(self, request: cohort.Request) -> cohort.Instance:
        with self._lock:
            member = self._listening.get(request.peer)
        if member is None:
            raise ConnectionRefusedError(f"peer {request.peer} refused the connection")
        return member

    def _group(self, request: cohort.Request) -> "cohort.Group[Any]":
        try:
            return self._find(request).get_group(request.group)
        except KeyError:
            raise ConnectionError(f"there is no group {request.group}") from None

    def _send_raw(self, request: cohort.Request) -> cohort.Response:
        parts = (request.method, request.target, request.headers, request.data)
        return self._find(request).handle_request(*parts, timeout=request.time_left)

    async def _asend_raw(self, request: cohort.Request) -> cohort.Response:
        parts = (request.method, request.target, request.headers, request.data)
        return await self._find(request).ahandle_request(*parts, timeout=request.time_left)

    def _send_call(self, request: cohort.Request) -> Any:
        group = self._group(request)
        if request.op is not cohort.Op.GET:
            return self._change(group, request)
        try:
            return self._reply(group.local_get(request.key, timeout=request.time_left))
        except Exception as error:
            raise self._answer(error) from error

    async def _asend_call(self, request: cohort.Request) -> Any:
        group = self._group(request)
        if request.op is not cohort.Op.GET:
            return self._change(group, request)
        try:
            return self._reply(await group.alocal_get(request.key, timeout=request.time_left))
        except Exception as error:
            raise self._answer(error) from error

    @staticmethod
    def _change(group: "cohort.Group[Any]", request: cohort.Request) -> None:
        if request.op is cohort.Op.SET:
            group.local_set(request.key, request.data, expires_at=request.expires_at)
        else:
            for key in request.keys:
                group.local_remove(key)

    @staticmethod
    def _reply(entry: "cohort.Entry[bytes]") -> "cohort.Expiring[bytes]":
        return cohort.Expiring(entry.value, expires_at=entry.expires_at)

    @staticmethod
    def _answer(error: Exception) -> Exception:
        """A getter's own exception is the owner's last word; what else went wrong is not."""
        return error if isinstance(error, cohort.CohortError) else cohort.LoadError(str(error))
