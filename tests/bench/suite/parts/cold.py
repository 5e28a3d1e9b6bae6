"""One cold key: everybody on every node asks for it at once. However many, its getter runs once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..build import Programs
from ..model import Line, Part, Row, Settings, Subject, Target
from ..servers import ColdCluster

MIXED, OURS, UPSTREAM = (
    "cohort, every language and groupcache-go",
    "cohort, three nodes (C++)",
    "groupcache-go, three nodes",
)


def part(settings: Settings, programs: Programs) -> Part:
    mixed = [n for n in ("cpp", "cohort-go", "java", "rust", "python", "groupcache-go") if programs.has(n)]
    subjects: dict[str, Callable[[], Subject]] = {
        MIXED: partial(ColdCluster, programs, mixed),
        OURS: partial(ColdCluster, programs, ["cpp"] * 3),
    }
    if programs.has("groupcache-go"):
        subjects[UPSTREAM] = partial(ColdCluster, programs, ["groupcache-go"] * 3)
    words = str(settings.cold_callers)
    once = Target(None, at_least=1, at_most=1)
    rows = [
        Row(
            f"one cold key, {settings.cold_callers} callers a node, {title}",
            tuple(Line(n, n, words) for n in names),
            (once,),
            measure="loads",
            unit="loads",
            higher_is_better=False,
            details=("nodes", "ms"),
        )
        for title, names in (("mixed", (MIXED,)), ("one language", (OURS, UPSTREAM)))
    ]
    return Part("cold", "Loads of one cold key; its getter takes 100 ms", subjects, rows, settings.rounds, 0.5)
