"""From answers to results: medians, extremes, ratios and whether the targets are met."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from .model import Answer, Line, Part, Row, Target

Answers = dict[tuple[str, str], list[Answer]]  # by (subject, words), one a round


@dataclass
class Verdict:
    """A target, the number that was held against it, and whether that is good enough."""

    target: Target
    number: float
    met: bool


@dataclass
class LineResult:
    """One line with its numbers. The ratio says how many times better ours is: more of what should be much, or less of what
    should be little. It is the median of the rounds' ratios, since the rounds' programs were disturbed alike."""

    line: Line
    median: float
    least: float
    most: float
    ratio: float | None  # None: this line is ours
    details: dict[str, float]
    verdicts: list[Verdict]


@dataclass
class RowResult:
    row: Row
    lines: list[LineResult]


@dataclass
class PartResult:
    part: Part
    rows: list[RowResult]


def numbers(answers: list[Answer], measure: str) -> list[float]:
    return [a[measure] for a in answers if measure in a]


def ratio_of(ours: list[float], peers: list[float], higher_is_better: bool) -> float:
    pairs = [(o, p) if higher_is_better else (p, o) for o, p in zip(ours, peers, strict=False)]
    return statistics.median(a / b if b else float("inf") for a, b in pairs)


def judge(row: Row, line: Line, target: Target, answers: Answers, ours: Line) -> Verdict | None:
    measure = target.measure or row.measure
    own = numbers(answers[(ours.subject, ours.words)], measure)
    if target.beside is None:
        # Ours alone: the worst round counts for what must never be more.
        number = max(own) if target.at_most is not None else statistics.median(own)
        if target.at_least is not None and target.at_least == target.at_most and min(own) != target.at_least:
            number = min(own)
        return Verdict(target, number, target.is_met(number)) if line == ours else None
    if line.label != target.beside:
        return None
    peers = numbers(answers[(line.subject, line.words)], measure)
    higher_is_better = row.higher_is_better and not measure.endswith(("_us", "_ms"))
    number = ratio_of(own, peers, higher_is_better)
    return Verdict(target, number, target.is_met(number))


def result_of_row(row: Row, answers: Answers) -> RowResult | None:
    """None when ours has failed; a peer that has is left out."""
    ours = row.lines[0]
    if not answers[(ours.subject, ours.words)]:
        return None
    own = numbers(answers[(ours.subject, ours.words)], row.measure)
    lines = []
    for line in row.lines:
        given = answers[(line.subject, line.words)]
        found = numbers(given, row.measure)
        if not found:
            continue
        ratio = None if line is ours else ratio_of(own, found, row.higher_is_better)
        verdicts = [v for t in row.targets if (v := judge(row, line, t, answers, ours)) is not None]
        details = {d: statistics.median(numbers(given, d)) for d in row.details if numbers(given, d)}
        lines.append(LineResult(line, statistics.median(found), min(found), max(found), ratio, details, verdicts))
    return RowResult(row, lines)


def result_of_part(part: Part, answers: Answers) -> PartResult:
    return PartResult(part, [r for row in part.rows if (r := result_of_row(row, answers)) is not None])


def as_json(results: list[PartResult]) -> list[dict[str, object]]:
    """The same as plain data."""
    return [
        {
            "part": result.part.name,
            "row": row.row.title,
            "unit": row.row.unit,
            "program": line.line.label,
            "ours": line.ratio is None,
            "median": line.median,
            "min": line.least,
            "max": line.most,
            "ratio": line.ratio,
            **({"details": line.details} if line.details else {}),
            "targets": [{"target": v.target.text(), "number": v.number, "met": v.met} for v in line.verdicts],
        }
        for result in results
        for row in result.rows
        for line in row.lines
    ]
