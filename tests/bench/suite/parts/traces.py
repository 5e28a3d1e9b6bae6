"""Hit ratios on recorded requests: the cache's own policy beside models of others, one key a line, all values of one size."""

from __future__ import annotations

import pathlib
import re
import subprocess
from collections.abc import Callable
from functools import partial
from statistics import fmean

from ..build import OUT, Programs
from ..model import Answer, Line, Part, Row, Settings, Subject, Target
from ..sessions import PATIENCE_S, Failure

OURS = "adaptive"
REFERENCES = ("lru", "sieve", "s3fifo", "arc", "wtinylfu")
SHARES = ("1%", "5%", "20%")
RESULT = re.compile(r"ratio=([0-9.]+)$", re.MULTILINE)


class Replay:
    """Runs cohort-replay for all policies at once: "POLICY --entries|--bytes SHARE FILE", or "POLICY mean"."""

    def __init__(self, programs: Programs) -> None:
        self.command = programs.commands["replay"][0]
        self.measured: dict[str, dict[str, float]] = {}  # by room and file: percent by policy

    def ready(self) -> None:
        pass

    def percents(self, where: str) -> dict[str, float]:
        if where not in self.measured:
            policies = [OURS, *(f"reference:{r}" for r in REFERENCES)]
            room, share, file = where.split(" ", 2)
            command = [self.command, "--policy", ",".join(policies), room, share, file]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
            ratios = RESULT.findall(done.stdout)
            if done.returncode != 0 or len(ratios) != len(policies):
                raise Failure(f"{' '.join(command)} failed:\n{done.stderr}")
            self.measured[where] = dict(zip((OURS, *REFERENCES), (float(r) * 100 for r in ratios), strict=True))
        return self.measured[where]

    def ask(self, words: str) -> Answer:
        policy, where = words.split(" ", 1)
        if where == "mean":
            percents = {p: fmean(m[p] for m in self.measured.values()) for p in (OURS, *REFERENCES)}
        else:
            percents = self.percents(where)
        best = max(percents[r] for r in REFERENCES)
        return {"hit_percent": percents[policy], "points_below_best": best - percents[policy]}

    def close(self) -> None:
        pass


def some_trace() -> pathlib.Path:
    """A trace that shows that replaying works, and nothing about policies: popular keys between ever new ones."""
    file = OUT / "some-trace.txt"
    file.write_text("".join(f"{i * i * 7919 % 1000 if i % 3 else i}\n" for i in range(20_000)), encoding="ascii")
    return file


def traces_in(folder: str) -> list[pathlib.Path]:
    """The traces of a folder, which must have some."""
    if not pathlib.Path(folder).is_dir():
        raise Failure(f"--traces: there is no folder {folder}")
    files = sorted(p for p in pathlib.Path(folder).iterdir() if p.name.endswith((".txt", ".txt.gz")))
    if not files:
        raise Failure(f"--traces: {folder} holds no traces, which are files named *.txt or *.txt.gz")
    return files


def part(settings: Settings, programs: Programs) -> Part:
    title = "Hit ratios on traces, in % of the requests"
    if not programs.has("replay"):
        return Part("traces", title, {}, [], 1, 1, notes=["tests/bench/replay is not there: its rows are absent"])
    notes = []
    if settings.traces is None:
        files = [some_trace()]
        notes.append("no traces were given (--traces FOLDER): a made-up one shows that replaying works")
    else:
        files = traces_in(settings.traces)
    rows = []
    for room in ("--entries", "--bytes"):
        for file in files:
            for share in SHARES if settings.rounds > 2 else SHARES[1:2]:
                where = f"{room} {share} {file}"
                rows.append(row(f"{file.name.partition('.')[0]}, {share} of the {room[2:]}", where, True))
    if settings.traces is not None:
        rows.append(row("mean of all", "mean", False))
    subjects: dict[str, Callable[[], Subject]] = {"replay": partial(Replay, programs)}
    return Part("traces", title, subjects, rows, 1, 0.5, notes=notes)


def row(title: str, where: str, each: bool) -> Row:
    labels = {OURS: f"cohort, {OURS}", **{r: r for r in REFERENCES}}
    targets = (
        (Target(None, at_most=1, measure="points_below_best"),) if each else tuple(Target(r, 1) for r in REFERENCES)
    )
    return Row(
        title,
        tuple(Line(label, "replay", f"{policy} {where}") for policy, label in labels.items()),
        targets,
        measure="hit_percent",
        unit="%",
        details=("points_below_best",),
        is_drawn=not each or " 5% " in where,
    )
