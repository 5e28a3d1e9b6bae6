"""GetMany: 100 keys a call, all of one peer, beside the multi-gets of memcached and redis with as many clients."""

from __future__ import annotations

from ..build import Programs
from ..model import Line, Part, Row, Settings, Target
from ..names import CPP, GO, JAVA, MEMCACHED, REDIS
from . import remote


def part(settings: Settings, programs: Programs) -> Part:
    rows = []
    for callers in settings.batch_callers:
        words = f"many {callers} {settings.seconds}"
        beside = [Line(MEMCACHED, MEMCACHED, words), Line(REDIS, REDIS, words)]
        clients = f"{callers} client{'s' if callers > 1 else ''}"
        for ours in (CPP, GO, *remote.OTHERS):
            rows.append(
                Row(
                    f"{ours}, 100 keys a call, {clients}",
                    (Line(ours, ours, words), *beside),
                    (Target(MEMCACHED, 1),) if ours == CPP else (),
                    unit="keys/s",
                    details=remote.DETAILS,
                    plot="batch: 100 keys a call",
                    x=callers,
                )
            )
    pairs = {n: open_it for n, open_it in remote.pairs(programs).items() if n in (CPP, GO)}
    return Part(
        "batch",
        "GetMany: 100 keys of one peer",
        {**pairs, **remote.other_askers(programs), **remote.servers(programs)},
        rows,
        settings.rounds,
        settings.seconds,
        short="GetMany: ",
        notes=remote.absent_servers(),
        warm_up={JAVA: ["many 2 1.5"]} if settings.rounds > 1 else {},  # Until then the JVM is still compiling it.
    )
