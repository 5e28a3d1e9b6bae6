"""Gets that wait for slow getters: what each costs, and how many threads there are meanwhile."""

from __future__ import annotations

from functools import partial

from ..build import Programs
from ..model import Line, Part, Row, Settings, Target
from ..names import CPP, GO, UPSTREAM
from ..servers import Waiting

SUBJECTS = {CPP: "cpp", GO: "cohort-go", UPSTREAM: "groupcache-go"}


def part(settings: Settings, programs: Programs) -> Part:
    rows = []
    for where, title in (("alone", "for this process's getter"), ("peer", "for a peer's getter")):
        words = f"{where} {settings.waiting}"
        rows.append(
            Row(
                f"{settings.waiting:,} gets waiting {title}",
                tuple(Line(n, n, words) for n in SUBJECTS),
                (Target(None, at_most=1024), Target(None, at_most=100, measure="threads")),
                measure="bytes_per_get",
                unit="bytes a get",
                higher_is_better=False,
                details=("threads", "threads_before", "owner_threads"),
            )
        )
    subjects = {n: partial(Waiting, programs, program) for n, program in SUBJECTS.items() if programs.has(program)}
    return Part(
        "waiting",
        "Waiting gets; in Go a goroutine and its stack are counted in",
        dict(subjects),
        rows,
        min(settings.rounds, 3),
        1.5,
    )
