"""What an entry costs: the resident memory of a process that does nothing but fill a cache, divided by the entries."""

from __future__ import annotations

from functools import partial

from ..build import Programs
from ..model import Line, Part, Row, Settings, Target
from ..names import CAFFEINE, CPP, FLAT, GO, JAVA, MOKA, ORIGINAL, OTTER, QUICK, RISTRETTO, RUST, UPSTREAM
from ..servers import Fresh

SUBJECTS = {
    CPP: ("cpp", "fill", "-cache", "cohort"),
    GO: ("cohort-go", "fill"),
    RUST: ("rust", "fill", "-cache", "cohort"),
    JAVA: ("java-fill", "fill", "-cache", "cohort"),
    FLAT: ("cpp", "fill", "-cache", "flat"),
    QUICK: ("rust", "fill", "-cache", "quick_cache"),
    MOKA: ("rust", "fill", "-cache", "moka"),
    CAFFEINE: ("java-fill", "fill", "-cache", "caffeine"),
    OTTER: ("go-caches", "fill", "-cache", "otter"),
    RISTRETTO: ("go-caches", "fill", "-cache", "ristretto"),
    ORIGINAL: ("go-caches", "fill", "-cache", "groupcache"),
    UPSTREAM: ("groupcache-go", "fill"),
}


def subjects(programs: Programs, names: tuple[str, ...] = tuple(SUBJECTS)) -> dict[str, partial[Fresh]]:
    return {n: partial(Fresh, programs, *SUBJECTS[n]) for n in names if programs.has(SUBJECTS[n][0])}


def part(settings: Settings, programs: Programs) -> Part:
    rows = []
    for size in settings.memory_sizes:
        words = f"-entries {settings.memory_entries} -size {size}"
        rows.append(
            Row(
                f"bytes an entry, values of {size} bytes",
                tuple(Line(n, n, words) for n in SUBJECTS),
                (Target(None, at_most=170),) if size == 100 else (),
                measure="bytes_per_entry",
                unit="bytes",
                higher_is_better=False,
                details=("heap_per_entry", "fills_per_s"),
            )
        )
    return Part(
        "memory",
        f"Memory: {settings.memory_entries:,} entries, 12-byte keys",
        dict(subjects(programs)),
        rows,
        settings.memory_rounds,
        6 * settings.memory_entries / 1e6,
    )
