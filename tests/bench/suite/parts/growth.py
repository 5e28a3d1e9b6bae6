"""Growth: the ring with 1 to 1,000 peers, and the cache with ten thousand to ten million entries."""

from __future__ import annotations

from collections.abc import Callable

from ..build import Programs
from ..model import Line, Part, Row, Settings, Subject
from ..names import CPP, FLAT, GO, OTTER, QUICK, UPSTREAM
from . import memory

RINGS = {CPP: "cpp", GO: "cohort-go", UPSTREAM: "groupcache-go"}


def peers_part(settings: Settings, programs: Programs) -> Part:
    rows, subjects = [], {}
    for peers in settings.growth_peers:
        for name, program in RINGS.items():
            if programs.has(program):
                subjects[f"{name}, {peers}"] = programs.opener(program, "ring", "-peers", peers)
        for words, title, measure, unit in (
            ("set", "set_peers", "ms", "ms"),
            (f"owner {settings.seconds}", "owner of a key", "ops_per_s", "lookups/s"),
            (f"hit {settings.seconds}", "hit", "ops_per_s", "gets/s"),
        ):
            rows.append(
                Row(
                    f"{title}, {peers} peer{'s' if peers > 1 else ''}",
                    tuple(Line(n, f"{n}, {peers}", words) for n in RINGS),
                    measure=measure,
                    unit=unit,
                    higher_is_better=measure != "ms",
                    plot=f"peers: {title}",
                    x=peers,
                )
            )
    return Part("peers", "Growth: peers in the ring", dict(subjects), rows, min(settings.rounds, 3), settings.seconds)


def available_bytes() -> float:
    with open("/proc/meminfo", encoding="ascii") as file:
        return next(float(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable:"))


def entries_part(settings: Settings, programs: Programs) -> Part:
    names = (CPP, GO, QUICK, OTTER, FLAT)
    subjects: dict[str, Callable[[], Subject]] = dict(memory.subjects(programs, names))
    rows, notes = [], []
    for entries in settings.growth_entries:
        if entries * 700 > available_bytes():
            notes.append(f"{entries:,} entries are left out: this machine has not enough memory for them")
            continue
        words = f"-entries {entries} -size 100 | hits {settings.seconds}"
        lines = tuple(Line(n, n, words) for n in names)
        for measure, title, unit in (
            ("fills_per_s", "filling", "entries/s"),
            ("ops_per_s", "hits, uniform, 1 thread", "gets/s"),
            ("bytes_per_entry", "bytes an entry", "bytes"),
        ):
            rows.append(
                Row(
                    f"{title}, {entries:,} entries",
                    lines,
                    measure=measure,
                    unit=unit,
                    higher_is_better=measure != "bytes_per_entry",
                    plot=f"entries: {title}",
                    x=entries,
                )
            )
    seconds = sum(settings.growth_entries) / len(settings.growth_entries) / 3e5 + 1
    return Part("entries", "Growth: entries of 100 bytes", subjects, rows, settings.memory_rounds, seconds, notes=notes)
