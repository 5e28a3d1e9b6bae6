"""Set and Remove: in one process, with the times of Sets that each evict; and across two members."""

from __future__ import annotations

from ..build import Programs
from ..model import Line, Part, Row, Settings
from ..names import CACHETOOLS, CAFFEINE, CPP, GO, JAVA, MOKA, OTTER, PYTHON, QUICK, RISTRETTO, RUST, TUNED, UPSTREAM
from . import remote

SUBJECTS = {
    CPP: ("cpp", "changes"),
    GO: ("cohort-go", "changes"),
    UPSTREAM: ("groupcache-go", "changes"),
    OTTER: ("go-caches", "changes", "-cache", "otter"),
    RISTRETTO: ("go-caches", "changes", "-cache", "ristretto"),
    QUICK: ("rust", "changes", "-cache", "quick_cache"),
    MOKA: ("rust", "changes", "-cache", "moka"),
    CAFFEINE: ("java", "changes", "-cache", "caffeine"),
    RUST: ("rust", "changes", "-cache", "cohort"),
    JAVA: ("java", "changes", "-cache", "cohort"),
    PYTHON: ("python", "changes", "-cache", "cohort"),
    CACHETOOLS: ("python", "changes", "-cache", "cachetools"),
}
TIMES = ("p50_us", "p99_us", "p999_us")


def part(settings: Settings, programs: Programs) -> Part:
    rows = []
    for kind, title in (
        ("replace", "Set of a key that is there"),
        ("evict", "Set of a new key, each evicting"),
        ("remove", "Set and Remove of a key"),
        ("miss", "miss that loads and evicts"),
    ):
        for threads in [t for t in settings.threads if t < 8]:
            words = f"{kind} {threads} {settings.seconds}"
            names = [n for n in SUBJECTS if kind == "miss" or n not in (PYTHON, CACHETOOLS)]
            rows.append(
                Row(
                    f"{title}, {threads} thread{'s' if threads > 1 else ''}",
                    tuple(Line(n, n, words) for n in names),
                    unit={"remove": "pairs/s", "miss": "loads/s"}.get(kind, "Sets/s"),
                    details=(*TIMES, "evictions_per_set"),
                )
            )
    subjects = {n: programs.opener(*command) for n, command in SUBJECTS.items() if programs.has(command[0])}
    return Part(
        "changes",
        "Set and Remove in one process, 1 KiB, every call timed",
        dict(subjects),
        rows,
        settings.rounds,
        settings.seconds,
    )


def cluster_part(settings: Settings, programs: Programs) -> Part:
    rows = []
    for kind in ("set", "remove"):
        for callers in (1, 16) if settings.rounds > 1 else (4,):
            words = f"{kind} {callers} {settings.seconds}"
            for ours in (CPP, GO):
                rows.append(
                    Row(
                        f"{kind.capitalize()} of a peer's key, {ours}, {callers} callers",
                        tuple(Line(n, n, words) for n in (ours, UPSTREAM, TUNED)),
                        unit="calls/s",
                        details=(*TIMES, "cpu_us", "peer_cpu_us", "connections"),
                    )
                )
    return Part(
        "cluster-changes",
        "Set and Remove across two members, 1 KiB",
        remote.pairs(programs, "-keep", "1"),
        rows,
        settings.rounds,
        settings.seconds,
    )
