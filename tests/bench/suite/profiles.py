"""Where the time goes: samples of perf, or, where that is not allowed, instructions that callgrind counts."""

from __future__ import annotations

import pathlib
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass

from .build import OUT, Programs
from .sessions import Failure, Session, end, free_addresses, start

PERF_LINE = re.compile(r"^\s*([0-9.]+)%\s+(\S+)\s+\[(.)\]\s+(.*)$")
CALLGRIND_LINE = re.compile(r"^\s*([0-9,]+) \(\s*([0-9.]+)%\)\s+(?:\?\?\?|[^:]*):(.*?)(?: \[([^\]]+)\])?$")


@dataclass
class Place:
    """A function and its share of all, in percent."""

    share: float
    function: str
    library: str


@dataclass
class Profile:
    title: str
    how: str
    places: list[Place]

    def markdown(self) -> str:
        lines = [f"**{self.title}** ({self.how})", "", "| % | function | in |", "| --- | --- | --- |"]
        lines += [f"| {p.share:.1f} | `{p.function}` | {p.library} |" for p in self.places]
        return "\n".join(lines) + "\n"


def shortened(function: str) -> str:
    """Without arguments, what is in templates' brackets, and the namespaces that all share."""
    function = re.sub(r"\(anonymous namespace\)::|cohort::| \[clone [^]]*\]", "", function).replace(
        "operator()", "call"
    )
    for inner in (r"<[^<>]*>", r"\([^()]*\)") * 20:
        function = re.sub(inner, "", function)
    return function.removesuffix(" const").split(" ")[-1][:70] or "?"


def merged(places: list[Place], least: float) -> list[Place]:
    """One place a function, the largest first; the small ones are added up."""
    shares: dict[tuple[str, str], float] = {}
    for place in places:
        key = (place.function, place.library)
        shares[key] = shares.get(key, 0) + place.share
    kept = [Place(share, *key) for key, share in shares.items() if share >= least]
    rest = sum(share for share in shares.values() if share < least)
    kept.sort(key=lambda p: -p.share)
    return [*kept, Place(rest, "everything below that", "")]


class Perf:
    """Samples processes while they are asked."""

    how = "samples of perf, kernel included"

    @staticmethod
    def works() -> bool:
        if shutil.which("perf") is None:
            return False
        command = ["perf", "record", "-q", "-o", str(OUT / "perf.probe"), "true"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def wrap(self, command: list[str]) -> list[str]:
        return command

    def measure(self, sessions: dict[str, Session], asked: Session, words: str) -> dict[str, list[Place]]:
        files = {name: OUT / f"perf.{name}" for name in sessions}
        for file in files.values():
            file.unlink(missing_ok=True)
        recording = [
            start(
                ["perf", "record", "-q", "-F", "1999", "-o", str(file), "-p", str(sessions[name].pid)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for name, file in files.items()
        ]
        until = time.monotonic() + 20
        while not all(file.exists() for file in files.values()) and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.5)  # it attaches
        asked.ask(words)
        for process in recording:
            process.send_signal(signal.SIGINT)
            process.wait(20)
            end(process)
        return {name: self.read(file) for name, file in files.items()}

    def read(self, file: pathlib.Path) -> list[Place]:
        command = [
            "perf",
            "report",
            "-i",
            str(file),
            "--stdio",
            "--no-children",
            "-F",
            "overhead,dso,symbol",
            "-g",
            "none",
        ]
        report = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        found = [PERF_LINE.match(line) for line in report.splitlines()]
        places = [
            Place(float(m[1]), shortened(m[4]), "kernel" if m[3] == "k" else pathlib.Path(m[2]).name.split(".so")[0])
            for m in found
            if m
        ]
        if not places:
            raise Failure(f"perf saw nothing of {file.name}")
        return places


class Callgrind:
    """Counts the instructions of one process: the one that is asked."""

    how = "instructions that callgrind counted"

    def wrap(self, command: list[str]) -> list[str]:
        for old in OUT.glob("callgrind.out*"):
            old.unlink()
        return [
            "valgrind",
            "--tool=callgrind",
            "--instr-atstart=no",
            f"--callgrind-out-file={OUT}/callgrind.out.%p",
            *command,
        ]

    def measure(self, sessions: dict[str, Session], asked: Session, words: str) -> dict[str, list[Place]]:
        name = next(name for name, session in sessions.items() if session is asked)
        subprocess.run(["callgrind_control", "-i", "on", str(asked.pid)], capture_output=True, check=True)
        asked.ask(words)
        subprocess.run(["callgrind_control", "-d", str(asked.pid)], capture_output=True, check=True)
        files = sorted(OUT.glob(f"callgrind.out.{asked.pid}*"), key=lambda p: p.stat().st_size)
        command = ["callgrind_annotate", "--threshold=99.5", str(files[-1])]
        report = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        found = [CALLGRIND_LINE.match(line) for line in report.splitlines()]
        return {
            name: [
                Place(float(m[2]), shortened(m[3]), pathlib.Path(m[4] or "").name.split(".so")[0]) for m in found if m
            ]
        }


def tool(name: str) -> Perf | Callgrind:
    if name in ("auto", "perf") and Perf.works():
        return Perf()
    if name == "perf":
        raise Failure("perf is not allowed here, or not installed; see kernel.perf_event_paranoid")
    if shutil.which("valgrind") is None:
        raise Failure("neither perf nor valgrind can be used here")
    return Callgrind()


def hit(programs: Programs, using: Perf | Callgrind, seconds: float, least: float) -> list[Profile]:
    out = []
    for kind in ("handle", "copy"):
        programs.wrapped = using.wrap
        session = programs.session("cpp", "hits", "-cache", "cohort")
        session.ready()
        places = using.measure({"hit": session}, session, f"{kind} 1 {seconds}")["hit"]
        session.close()
        out.append(Profile(f"A local hit, {kind}, one thread", using.how, merged(places, least)))
    return out


def between_members(title: str, words: str, programs: Programs, using: Perf | Callgrind, least: float) -> list[Profile]:
    owner_address, asker_address = free_addresses(2)
    peers = f"{owner_address},{asker_address}"
    owner = programs.session("cpp", "owner", "-listen", owner_address, "-peers", peers)
    owner.ready()
    programs.wrapped = using.wrap
    asker = programs.session("cpp", "asker", "-listen", asker_address, "-peers", peers, "-owner", owner_address)
    asker.ready()
    measured = using.measure({"asker": asker, "owner": owner}, asker, words)
    asker.close()
    owner.close()
    return [Profile(f"{title}, the {who}", using.how, merged(places, least)) for who, places in measured.items()]


def profile(what: str, programs: Programs, name: str, seconds: float, least: float) -> list[Profile]:
    using = tool(name)
    if what == "hit":
        return hit(programs, using, seconds, least)
    if what == "remote":
        return between_members("256 remote gets in flight", f"async 256 {seconds}", programs, using, least)
    return between_members("GetMany of 100 keys, two clients", f"many 2 {seconds}", programs, using, least)
