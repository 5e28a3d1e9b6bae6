"""Local hits: a value that this process has, as a handle and as a copy, by 1, 2 and 8 threads, in every language."""

from __future__ import annotations

from ..build import Programs
from ..model import Line, Part, Row, Settings, Target
from ..names import (
    CACHETOOLS,
    CAFFEINE,
    CPP,
    DICT,
    FLAT,
    FLAT_HUGE,
    GO,
    GO_ADAPTIVE,
    JAVA,
    MEMCPY,
    MOKA,
    ORIGINAL,
    OTTER,
    PYTHON,
    QUICK,
    RISTRETTO,
    RUST,
    UPSTREAM,
)

# (subject, kind) -> what a table calls it
SUBJECTS = {
    CPP: ("cpp", "hits", "-cache", "cohort"),
    FLAT: ("cpp", "hits", "-cache", "flat"),
    FLAT_HUGE: ("cpp", "hits", "-cache", "flat-huge"),
    MEMCPY: ("cpp", "hits", "-cache", "none"),
    GO: ("cohort-go", "hits"),
    GO_ADAPTIVE: ("cohort-go", "hits", "-adaptive", "1"),
    UPSTREAM: ("groupcache-go", "hits"),
    ORIGINAL: ("go-caches", "hits", "-cache", "groupcache"),
    OTTER: ("go-caches", "hits", "-cache", "otter"),
    RISTRETTO: ("go-caches", "hits", "-cache", "ristretto"),
    RUST: ("rust", "hits", "-cache", "cohort"),
    QUICK: ("rust", "hits", "-cache", "quick_cache"),
    MOKA: ("rust", "hits", "-cache", "moka"),
    JAVA: ("java", "hits", "-cache", "cohort"),
    CAFFEINE: ("java", "hits", "-cache", "caffeine"),
    PYTHON: ("python", "hits", "-cache", "cohort"),
    DICT: ("python", "hits", "-cache", "dict"),
    CACHETOOLS: ("python", "hits", "-cache", "cachetools"),
}


def part(settings: Settings, programs: Programs) -> Part:
    rows = []
    for threads in settings.threads:

        def line(subject: str, kind: str, threads: int = threads) -> Line:
            return Line(f"{subject}, {kind}", subject, f"{kind} {threads} {settings.seconds}")

        def row(title: str, ours: Line, beside: list[Line], *targets: Target, threads: int = threads) -> None:
            who = f"{threads} thread{'s' if threads > 1 else ''}"
            rows.append(Row(f"{title}, {who}", (ours, *beside), targets, plot=f"hits: {title}", x=threads))

        decisive = threads == 2
        view, quick, quick_copy = line(UPSTREAM, "view"), line(QUICK, "reference"), line(QUICK, "copy")
        fresh, otter_copy, floor = line(UPSTREAM, "fresh"), line(OTTER, "copy"), line(FLAT, "reference")
        row(
            "handle",
            line(CPP, "handle"),
            [
                view,
                quick,
                line(MOKA, "reference"),
                line(OTTER, "reference"),
                line(RISTRETTO, "reference"),
                line(CAFFEINE, "reference"),
                floor,
                line(FLAT_HUGE, "reference"),
            ],
            *([Target(view.label, 12), Target(quick.label, 1.5), Target(floor.label, 0.5)] if decisive else []),
        )
        row(
            "copy into a buffer",
            line(CPP, "copy"),
            [
                quick_copy,
                line(MOKA, "copy"),
                otter_copy,
                line(RISTRETTO, "copy"),
                line(FLAT, "copy"),
                line(FLAT_HUGE, "copy"),
                line(MEMCPY, "copy"),
            ],
            *([Target(quick_copy.label, 1.2)] if decisive else []),
        )
        row(
            "from Go into a reused buffer",
            line(GO, "into"),
            [view, otter_copy, line(RISTRETTO, "copy")],
            *([Target(view.label, 4)] if threads in (2, 8) else []),
            *([Target(otter_copy.label, 1.2)] if decisive else []),
        )
        row(
            "from Go into a reused buffer, adaptive policy",
            line(GO_ADAPTIVE, "into"),
            [line(GO, "into"), view, otter_copy],
        )
        row(
            "from Go, a fresh slice",
            line(GO, "fresh"),
            [fresh, line(ORIGINAL, "fresh"), line(OTTER, "fresh"), line(RISTRETTO, "fresh")],
            *([Target(fresh.label, 1.5)] if decisive else []),
        )
        row("from Go, a view", line(GO, "view"), [view])
        row("from Go, 100 keys a call", line(GO, "many"), [view, otter_copy])
        row(
            "from Rust, handle",
            line(RUST, "handle"),
            [quick, line(MOKA, "reference")],
            *([Target(quick.label, 1)] if decisive else []),
        )
        row(
            "from Rust, copy into a buffer",
            line(RUST, "copy"),
            [quick_copy, line(MOKA, "copy")],
            *([Target(quick_copy.label, 1)] if decisive else []),
        )
        caffeine = line(CAFFEINE, "fresh")
        row(
            "from Java, a fresh array",
            line(JAVA, "fresh"),
            [caffeine, line(CAFFEINE, "reference")],
            *([Target(caffeine.label, 1)] if decisive else []),
        )
        row(
            "from Java, 100 keys a call",
            line(JAVA, "many"),
            [caffeine],
            *([Target(caffeine.label, 3)] if decisive else []),
        )
        if threads < 8:
            row(
                "from Python, a bytes object",
                line(PYTHON, "fresh"),
                [line(CACHETOOLS, "reference"), line(DICT, "reference")],
            )
            row("from Python, 100 keys a call", line(PYTHON, "many"), [line(CACHETOOLS, "reference")])
    subjects = {name: programs.opener(*command) for name, command in SUBJECTS.items() if programs.has(command[0])}
    warm = {JAVA: ["fresh 1 1", "many 1 1"], CAFFEINE: ["fresh 1 1", "reference 1 1"]} if settings.rounds > 1 else {}
    return Part(
        "hits",
        "Local hits: 100,000 entries of 1 KiB, Zipf 0.99",
        subjects,
        rows,
        settings.rounds,
        settings.seconds,
        short="hit: ",
        warm_up=warm,
    )
