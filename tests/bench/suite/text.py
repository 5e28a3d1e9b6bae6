"""The table as text for a terminal, and as Markdown for docs/performance.md."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator

from .results import LineResult, PartResult
from .sessions import Failure

DETAILS = {
    "p50_us": "p50 us",
    "p99_us": "p99 us",
    "p999_us": "p99.9 us",
    "cpu_us": "CPU us",
    "peer_cpu_us": "owner CPU us",
    "connections": "connections",
    "heap_per_entry": "live heap",
    "fills_per_s": "fills/s",
    "threads": "threads",
    "threads_before": "threads before",
    "owner_threads": "owner threads",
    "points_below_best": "points below the best",
    "nodes": "nodes",
    "ms": "ms",
    "evictions_per_set": "evictions a Set",
}


def number(value: float) -> str:
    """Three significant digits and no more words than needed."""
    for bound, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= bound:
            scaled = value / {"G": 1e9, "M": 1e6, "k": 1e3}[letter]
            return f"{scaled:.3g}{letter}" if scaled < 999.5 else f"{scaled:.0f}{letter}"
    if value == int(value) and abs(value) < 1e4:
        return str(int(value))
    return f"{value:.3g}" if abs(value) < 999.5 else f"{value:.0f}"


def ratio_text(line: LineResult) -> str:
    return "" if line.ratio is None else f"{line.ratio:.3g}x" if line.ratio < 1000 else f"{line.ratio:.0f}x"


def verdict_text(line: LineResult) -> str:
    texts = []
    for v in line.verdicts:
        said = f" ({number(v.number)}{'x' if v.target.beside else ''})" if v.target.measure else ""
        texts.append(f"{v.target.text()}: {'met' if v.met else 'MISSED'}{said}")
    return "; ".join(texts)


def details_of(part: PartResult) -> list[str]:
    """The details that any row of the part has, in the order of DETAILS."""
    had = {d for row in part.rows for line in row.lines for d in line.details}
    return [d for d in DETAILS if d in had]


def cells(part: PartResult) -> Iterator[tuple[str, list[list[str]]]]:
    """For each row its title, and for each line the cells after it."""
    details = details_of(part)
    for row in part.rows:
        lines = []
        for line in row.lines:
            lines.append(
                [
                    line.line.label,
                    number(line.median),
                    number(line.least),
                    number(line.most),
                    row.row.unit,
                    *(number(line.details[d]) if d in line.details else "" for d in details),
                    ratio_text(line),
                    verdict_text(line),
                ]
            )
        yield row.row.title, lines


def head(part: PartResult) -> list[str]:
    return ["", "median", "min", "max", "", *(DETAILS[d] for d in details_of(part)), "ours is", "target"]


def plain(part: PartResult) -> str:
    """For a terminal: a line of its own for each title, the programs indented below it."""
    notes = [f"  ({note})" for note in part.part.notes]
    notes += [f"  FAILED: {failure}" for failure in part.part.failures]
    if not part.rows:
        return "\n".join([f"== {part.part.title}", *notes]) + "\n"
    table = list(cells(part))
    lines = [head(part), *(line for _, lines in table for line in lines)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]

    def aligned(line: list[str]) -> str:
        left = {0, 4, len(line) - 1}
        padded = [c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True))]
        return ("  " + "  ".join(padded)).rstrip()

    out = [f"== {part.part.title}", aligned(head(part))]
    for title, of_row in table:
        out.append(title)
        out += [aligned(line) for line in of_row]
    return "\n".join([*out, *notes]) + "\n"


def markdown(results: list[PartResult]) -> str:
    """One table a part."""
    out = []
    for part in results:
        out += [f"### {part.part.title}", ""]
        out += [f"{note[0].upper()}{note[1:]}.\n" for note in part.part.notes]
        if not part.rows:
            continue
        out += ["| | " + " | ".join(head(part)[:1] + head(part)[1:]) + " |"]
        out.append("| --- " * (len(head(part)) + 1) + "|")
        for title, lines in cells(part):
            for i, line in enumerate(lines):
                out.append("| " + " | ".join([title if i == 0 else "", *line]) + " |")
        out.append("")
    return "\n".join(out)


def summary(results: list[PartResult]) -> str:
    """How many targets are met, and which are not."""
    met, missed = 0, []
    for part in results:
        for row in part.rows:
            for line in row.lines:
                for v in line.verdicts:
                    if v.met:
                        met += 1
                    else:
                        beside = f" beside {line.line.label}" if v.target.beside else ""
                        missed.append(f"  {row.row.title}{beside}: {number(v.number)}, target {v.target.text()}")
    return "\n".join([f"{met} targets met, {len(missed)} missed", *missed])


def short(results: list[PartResult]) -> str:
    """What README shows: a line for each row whose ratios have targets, and for each that has one alone."""
    out = ["| | Cohort | times better than |", "| --- | --- | --- |"]
    for part in results:
        for row in part.rows:
            beside = [
                line for line in row.lines if line.ratio is not None and any(v.target.beside for v in line.verdicts)
            ]
            alone = any(t.beside is None and t.measure is None for t in row.row.targets)
            if beside or alone:
                beside = beside or row.lines[1:]
                ours = f"{number(row.lines[0].median)} {row.row.unit}"
                others = [line for line in beside if not line.line.label.startswith("cohort")]
                ratios = ", ".join(f"{line.line.label} {ratio_text(line)}" for line in others)
                out.append(f"| {part.part.short}{row.row.title} | {ours} | {ratios} |")
    return "\n".join(out) + "\n"


def marks(name: str) -> tuple[str, str]:
    return f"<!-- {name} -->\n", f"<!-- end of {name} -->"


def check_marks(path: pathlib.Path, name: str) -> None:
    """Fails when the page has no place for what is to stand between the marks of that name."""
    begin, end = marks(name)
    page = path.read_text(encoding="utf-8")
    if begin not in page or end not in page:
        raise Failure(f"{path} has no marks '{begin.strip()}' and '{end}'")


def put(path: pathlib.Path, name: str, content: str) -> None:
    """Writes a file, or, when it is a page with the marks `<!-- NAME -->` and `<!-- end of NAME -->`, what is between them."""
    if path.suffix == ".md" and path.exists():
        check_marks(path, name)
        begin, end = marks(name)
        content = re.sub(
            f"{re.escape(begin)}.*?{re.escape(end)}",
            lambda _: f"{begin}\n{content}\n{end}",
            path.read_text(encoding="utf-8"),
            flags=re.DOTALL,
        )
    path.write_text(content, encoding="utf-8")
