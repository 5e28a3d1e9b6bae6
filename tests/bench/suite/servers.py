"""Subjects that are more than one process: a server and who asks it, an owner and who asks that, clusters."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time

from .build import OUT, Programs
from .model import Answer
from .sessions import Failure, Session, end, free_addresses, start


class OwnerAndAsker:
    """Two members: one owns every key that the other asks for. The owner may be another program's."""

    def __init__(self, programs: Programs, name: str, *flags: str, owner: str | None = None) -> None:
        self.programs, self.name, self.flags = programs, name, flags
        self.owner_address, self.asker_address = free_addresses(2)
        self.peers = f"{self.owner_address},{self.asker_address}"
        self.owner = programs.session(
            owner or name, "owner", "-listen", self.owner_address, "-peers", self.peers, *flags
        )
        self.asker: Session | None = None

    def ready(self) -> None:
        self.owner.ready()
        self.asker = self.programs.session(
            self.name,
            "asker",
            "-listen",
            self.asker_address,
            "-peers",
            self.peers,
            "-owner",
            self.owner_address,
            "-owner-pid",
            self.owner.pid,
            *self.flags,
        )
        self.asker.ready()

    def ask(self, words: str) -> Answer:
        assert self.asker is not None
        return self.asker.ask(words)

    def close(self) -> None:
        self.owner.close()
        if self.asker is not None:
            self.asker.close()


class CacheServer:
    """memcached or redis on a free port, and the program that asks it."""

    def __init__(self, programs: Programs, kind: str) -> None:
        self.programs, self.kind = programs, kind
        self.address = free_addresses(1)[0]
        host, _, port = self.address.partition(":")
        commands = {
            "memcached": [
                "memcached",
                "-l",
                host,
                "-p",
                port,
                "-U",
                "0",
                "-m",
                "1024",
                "-c",
                "2048",
                *(["-u", "nobody"] if os.geteuid() == 0 else []),
            ],
            "redis": [
                "redis-server",
                "--bind",
                host,
                "--port",
                port,
                "--save",
                "",
                "--appendonly",
                "no",
                "--dir",
                str(OUT),
            ],
        }
        # It ends with this program, however that ends.
        self.server = start(
            ["setpriv", "--pdeathsig", "KILL", *commands[kind]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.asker: Session | None = None

    @staticmethod
    def is_installed(kind: str) -> bool:
        return shutil.which({"memcached": "memcached", "redis": "redis-server"}[kind]) is not None

    def ready(self) -> None:
        host, _, port = self.address.partition(":")
        until = time.monotonic() + 20
        while True:
            try:
                socket.create_connection((host, int(port)), 1).close()
                break
            except OSError:
                if time.monotonic() > until or self.server.poll() is not None:
                    raise Failure(f"{self.kind} did not start on {self.address}") from None
                time.sleep(0.02)
        self.asker = self.programs.session(
            "cpp", "server", "-kind", self.kind, "-address", self.address, "-owner-pid", self.server.pid
        )
        self.asker.ready()

    def ask(self, words: str) -> Answer:
        assert self.asker is not None
        return self.asker.ask(words)

    def close(self) -> None:
        if self.asker is not None:
            self.asker.close()
        end(self.server)


class Fresh:
    """A new process for each question: "FLAGS" or "FLAGS | WORDS", whose first answer and the answer to WORDS are one."""

    def __init__(self, programs: Programs, name: str, *arguments: str) -> None:
        self.programs, self.name, self.arguments = programs, name, arguments

    def ready(self) -> None:
        pass

    def ask(self, words: str) -> Answer:
        flags, _, question = words.partition("|")
        session = self.programs.session(self.name, *self.arguments, *flags.split())
        try:
            session.ready()
            assert session.first is not None
            return {**session.first, **(session.ask(question.strip()) if question else {})}
        finally:
            session.close()

    def close(self) -> None:
        pass


class ColdCluster:
    """Nodes of several programs; everybody asks for one cold key at the same time: "CALLERS"."""

    def __init__(self, programs: Programs, names: list[str]) -> None:
        self.addresses = free_addresses(len(names))
        peers = ",".join(self.addresses)
        self.nodes = [
            programs.session(name, "node", "-listen", address, "-peers", peers)
            for name, address in zip(names, self.addresses, strict=True)
        ]
        self.keys = 0
        self.loads = 0.0

    def ready(self) -> None:
        for node in self.nodes:
            node.ready()

    def ask(self, words: str) -> Answer:
        self.keys += 1
        for node in self.nodes:
            node.send(f"cold cold-{self.keys} {words}")
        answers = [node.receive() for node in self.nodes]
        # Counted when everybody has an answer: an owner may load for a peer before it is asked itself.
        before, self.loads = self.loads, sum(node.ask("loads")["loads"] for node in self.nodes)
        return {"loads": self.loads - before, "ms": max(a["ms"] for a in answers), "nodes": len(self.nodes)}

    def close(self) -> None:
        for node in self.nodes:
            node.close()


class Waiting:
    """New processes for each question, in which N gets wait: "alone N", or "peer N" for keys that another member owns."""

    def __init__(self, programs: Programs, name: str) -> None:
        self.programs, self.name = programs, name

    def ready(self) -> None:
        pass

    def ask(self, words: str) -> Answer:
        where, n = words.split()
        sessions: list[Session] = []
        try:
            if where == "alone":
                sessions.append(self.programs.session(self.name, "waiting"))
            else:
                owner, asker = free_addresses(2)
                both = f"{owner},{asker}"
                sessions.append(self.programs.session(self.name, "waiting", "-listen", owner, "-peers", both))
                sessions[0].ready()
                sessions.append(
                    self.programs.session(self.name, "waiting", "-listen", asker, "-peers", both, "-owner", owner)
                )
            holder, asks = sessions[0], sessions[-1]
            asks.ready()
            answer = asks.ask(f"ask {n}")
            until = time.monotonic() + 60
            while (state := holder.ask("state"))["held"] < int(n):
                if time.monotonic() > until:
                    raise holder.failure(
                        f"{self.name}: only {state['held']:.0f} of {n} loads have begun after a minute"
                    )
                time.sleep(0.05)
            if holder is not asks:
                answer["owner_threads"] = state["threads"]
                answer["threads"] = asks.ask("state")["threads"]
            holder.ask("release")
            asks.ask("ended")
            return answer
        finally:
            for session in sessions:
                session.close()

    def close(self) -> None:
        pass
