"""Processes that are asked: starting them, asking a line at a time, and ending each of them whatever happens."""

from __future__ import annotations

import contextlib
import json
import pathlib
import select
import signal
import socket
import subprocess
from typing import IO, Any

from .model import Answer

PATIENCE_S = 240.0
running: list[subprocess.Popen[str]] = []
logs: pathlib.Path | None = None  # where the programs' complaints go


def use_logs(folder: pathlib.Path) -> None:
    """Says where the logs go; those of an earlier run go away."""
    global logs
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    logs = folder


class Failure(Exception):
    """A program did not do what it was asked; the message is one for the person at the terminal."""


def free_addresses(count: int) -> list[str]:
    """So many addresses of this machine on which nobody listens."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [f"127.0.0.1:{s.getsockname()[1]}" for s in sockets]


def start(command: list[str], **more: Any) -> subprocess.Popen[str]:
    """Starts a process that end_all() will end."""
    process = subprocess.Popen(command, text=True, start_new_session=True, **more)
    running.append(process)
    return process


def end(process: subprocess.Popen[str]) -> None:
    """Ends a process at once: none of them has anything to lose."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
    if process in running:
        running.remove(process)


def end_all() -> None:
    for process in list(running):
        end(process)


class Session:
    """A program of the suite. It says when it is ready, and then answers a line with a line."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        assert logs is not None
        self.name = " ".join([pathlib.Path(command[0]).name, *command[1:]])
        self.log: IO[str] = (logs / f"{len(list(logs.iterdir()))}.log").open("w+", encoding="utf-8")
        self.process = start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, env=environment)
        self.first: Answer | None = None

    @property
    def pid(self) -> int:
        return self.process.pid

    def ready(self) -> None:
        if self.first is None:
            self.first = self.receive()

    def send(self, words: str) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(words + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self.failure("it has ended") from None

    def receive(self) -> Answer:
        assert self.process.stdout is not None
        # A line is complete once its beginning is there: programs write it at once.
        if not select.select([self.process.stdout], [], [], PATIENCE_S)[0]:
            raise self.failure(f"no answer in {PATIENCE_S:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            raise self.failure("it has ended")
        try:
            answer: Answer = json.loads(line)
        except json.JSONDecodeError:
            raise self.failure(f"this is no answer: {line.strip()}") from None
        return answer

    def ask(self, words: str) -> Answer:
        self.send(words)
        try:
            return self.receive()
        except Failure as failure:
            raise Failure(f"asked '{words}': {failure}") from None

    def failure(self, what: str) -> Failure:
        self.log.seek(0)
        said = self.log.read().strip().splitlines()[-5:]
        return Failure("\n".join([f"{self.name}: {what}", *(f"  {line}" for line in said)]))

    def close(self) -> None:
        end(self.process)
        self.log.close()
