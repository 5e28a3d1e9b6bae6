"""Remote gets: values of 1 KiB that another process owns, by callers that block and by gets in flight."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..build import Programs
from ..model import Line, Part, Row, Settings, Subject, Target
from ..names import CPP, GO, JAVA, MEMCACHED, PYTHON, REDIS, RUST, TUNED, UPSTREAM
from ..servers import CacheServer, OwnerAndAsker

SERVERS = {MEMCACHED: "memcached", REDIS: "redis"}
OTHERS = {RUST: "Rust", JAVA: "Java", PYTHON: "Python"}
is_there = CacheServer.is_installed
DETAILS = ("p50_us", "p99_us", "cpu_us", "peer_cpu_us", "connections")


def pairs(programs: Programs, *flags: str) -> dict[str, Callable[[], Subject]]:
    """Owner and asker of each program that there is."""
    named = {CPP: ("cpp",), GO: ("cohort-go",), UPSTREAM: ("groupcache-go",), TUNED: ("groupcache-go", "-tuned", "1")}
    return {n: partial(OwnerAndAsker, programs, *words, *flags) for n, words in named.items() if programs.has(words[0])}


def servers(programs: Programs) -> dict[str, Callable[[], Subject]]:
    return {n: partial(CacheServer, programs, kind) for n, kind in SERVERS.items() if is_there(kind)}


def other_askers(programs: Programs) -> dict[str, Callable[[], Subject]]:
    """Askers in the other languages, of an owner in C++."""
    named = {n: language.lower() for n, language in OTHERS.items()}
    return {n: partial(OwnerAndAsker, programs, p, owner="cpp") for n, p in named.items() if programs.has(p)}


def absent_servers() -> list[str]:
    return [f"{kind} is not installed: its rows are absent" for kind in SERVERS.values() if not is_there(kind)]


def part(settings: Settings, programs: Programs) -> Part:
    rows = []
    seconds = settings.seconds * 2
    for callers in settings.callers:
        many = callers == max(settings.callers)
        default = Line(UPSTREAM, UPSTREAM, f"get {callers} {seconds}")
        tuned = Line(TUNED, TUNED, f"get {callers} {seconds}")
        others = [Line(n, n, f"get {callers} {seconds}") for n in (MEMCACHED, REDIS)]
        alone = (Target(TUNED, 1, measure="p50_us"),) if callers == 1 else ()
        few = Target(None, at_most=4, measure="connections")
        for title, ours, targets in (
            (
                "callback gets in flight",
                Line(CPP, CPP, f"async {callers} {seconds}"),
                (Target(UPSTREAM, 40), Target(TUNED, 20)) if many else (),
            ),
            (
                "blocking threads",
                Line(CPP, CPP, f"blocking {callers} {seconds}"),
                (Target(UPSTREAM, 20),) if many else alone,
            ),
            (
                "goroutines",
                Line(GO, GO, f"get {callers} {seconds}"),
                (Target(UPSTREAM, 15), Target(TUNED, 8)) if many else alone,
            ),
            *((f"{language} threads", Line(n, n, f"get {callers} {seconds}"), None) for n, language in OTHERS.items()),
        ):
            rows.append(
                Row(
                    f"{callers} {title if callers > 1 else title.removesuffix('s').replace('gets', 'get')}",
                    (ours, default, tuned, *others),
                    (*targets, few) if targets is not None else (),
                    details=DETAILS,
                    plot=f"remote: {title}",
                    x=callers,
                )
            )
    return Part(
        "remote",
        "Remote gets: 1 KiB that another process owns",
        {**pairs(programs), **other_askers(programs), **servers(programs)},
        rows,
        settings.rounds,
        seconds,
        short="remote get: ",
        notes=absent_servers(),
        warm_up={JAVA: ["get 16 1.5"]} if settings.rounds > 1 else {},  # Until then the JVM is still compiling it.
    )
