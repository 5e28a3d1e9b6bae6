"""What a part of the suite is made of: rows, each with a line for ours and a line for each peer beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

Answer = dict[str, float]


class Subject(Protocol):
    """Who is asked: a process that has set up what it is asked about, or several of them."""

    def ready(self) -> None:
        """Waits until it can be asked."""

    def ask(self, words: str) -> Answer:
        """Asks one question."""

    def close(self) -> None:
        """Ends it."""


@dataclass(frozen=True)
class Settings:
    """How thoroughly to measure."""

    rounds: int
    seconds: float  # for each question
    threads: tuple[int, ...]
    callers: tuple[int, ...]
    batch_callers: tuple[int, ...]
    memory_entries: int
    memory_sizes: tuple[int, ...]
    memory_rounds: int
    growth_entries: tuple[int, ...]
    growth_peers: tuple[int, ...]
    waiting: int
    cold_callers: int
    traces: str | None


WHOLE = Settings(
    5,
    0.5,
    (1, 2, 8),
    (1, 16, 64, 256),
    (1, 2, 8),
    1_000_000,
    (100, 1024),
    2,
    (10_000, 100_000, 1_000_000, 10_000_000),
    (1, 10, 100, 1000),
    10_000,
    1000,
    None,
)
QUICK = Settings(2, 0.2, (2,), (1, 256), (2,), 500_000, (100,), 1, (10_000, 1_000_000), (1, 100), 10_000, 1000, None)
CHECK = Settings(1, 0.02, (2,), (16,), (2,), 20_000, (100,), 1, (10_000,), (10,), 1000, 100, None)


@dataclass(frozen=True)
class Line:
    """One program's line in a row: the label, and the question that measures it."""

    label: str
    subject: str
    words: str


@dataclass(frozen=True)
class Target:
    """What ours is held to: a ratio to the line of that label, or, without one, a number of our own line."""

    beside: str | None
    at_least: float | None = None
    at_most: float | None = None
    measure: str | None = None  # when it is not the row's

    def text(self) -> str:
        bounds = [
            f"at least {self.at_least:g}" if self.at_least is not None else "",
            f"at most {self.at_most:g}" if self.at_most is not None else "",
        ]
        if self.at_least is not None and self.at_least == self.at_most:
            bounds = [f"exactly {self.at_least:g}"]
        text = " and ".join(b for b in bounds if b)
        return text + ("x" if self.beside else f" {self.measure.replace('_', ' ')}" if self.measure else "")

    def is_met(self, number: float) -> bool:
        return (self.at_least is None or number >= self.at_least) and (self.at_most is None or number <= self.at_most)


@dataclass(frozen=True)
class Row:
    """One comparison. The first line is ours."""

    title: str
    lines: tuple[Line, ...]
    targets: tuple[Target, ...] = ()
    measure: str = "ops_per_s"
    unit: str = "gets/s"
    higher_is_better: bool = True
    details: tuple[str, ...] = ()  # other numbers of the answers that are worth a column
    plot: str = ""  # rows of the same plot are drawn together
    x: float | None = None  # where in that plot
    is_drawn: bool = True


@dataclass
class Part:
    """Rows, and who is asked for them."""

    name: str
    title: str
    subjects: Mapping[str, Callable[[], Subject]]
    rows: list[Row]
    rounds: int
    question_s: float  # about how long a question takes
    short: str = ""  # what its rows' titles begin with where they stand alone
    warm_up: dict[str, list[str]] = field(default_factory=dict)  # asked once before, by subject
    notes: list[str] = field(default_factory=list)  # what is left out, and why
    failures: list[str] = field(default_factory=list)  # who did not do what it was asked

    def questions(self) -> list[tuple[str, str]]:
        """Each (subject, words) once, in the order of the rows."""
        seen: dict[tuple[str, str], None] = {}
        for row in self.rows:
            for line in row.lines:
                seen[(line.subject, line.words)] = None
        return list(seen)

    def keep_only_known(self) -> None:
        """Leaves out the lines whose subject is not there, and rows of which nothing or not our line remains."""
        kept = []
        for row in self.rows:
            lines = tuple(line for line in row.lines if line.subject in self.subjects)
            if not lines or lines[0] != row.lines[0]:
                continue
            labels = {line.label for line in lines}
            targets = tuple(t for t in row.targets if t.beside is None or t.beside in labels)
            kept.append(Row(**{**row.__dict__, "lines": lines, "targets": targets}))
        self.rows = kept
