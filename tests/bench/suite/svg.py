"""Plots as SVG that need nothing else: bars for rows that stand alone, lines where something grows. Light and dark."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

from .results import PartResult, RowResult
from .text import number

WIDTH, LEFT, RIGHT = 760, 260, 150
BAR, GAP = 16, 6
COLOURS = ("#d97706", "#059669", "#9333ea", "#dc2626", "#0891b2", "#a16207", "#be185d", "#64748b", "#4d7c0f")
# Plain colours, which every viewer knows, and others where the viewer says that it is dark.
INK, FAINT, OURS, PEER = ("#1f2937", "#e5e7eb"), ("#d1d5db", "#4b5563"), ("#2563eb", "#60a5fa"), ("#9ca3af", "#6b7280")


def colours(dark: int) -> str:
    """The rules that give what is drawn its colours: on white, or on black."""
    rules = {
        "text": f"fill: {INK[dark]}",
        "rect.ours, .plot circle.ours": f"fill: {OURS[dark]}",
        "rect.peer": f"fill: {PEER[dark]}",
        ".grid": f"stroke: {FAINT[dark]}",
        ".range": f"stroke: {INK[dark]}",
        "path.us": f"stroke: {OURS[dark]}",
    }
    return " ".join(f".plot {what} {{ {how} }}" for what, how in rules.items())


STYLE = f"""<style>
  .plot text {{ font: 12px system-ui, sans-serif }} .plot .title {{ font-weight: 600; font-size: 13px }}
  .plot text.us {{ font-weight: 600 }} .plot .grid, .plot .range {{ stroke-width: 1 }}
  .plot path {{ fill: none; stroke-width: 1.5 }} .plot path.us {{ stroke-width: 3 }}
  {colours(0)}
  @media (prefers-color-scheme: dark) {{ {colours(1)} }}
</style>"""


def text(x: float, y: float, content: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(content)}</text>'


def bars(row: RowResult, top: float) -> tuple[str, float]:
    """A bar for each line, the rounds' range on it; returns where the next panel begins."""
    most = max(line.most for line in row.lines) or 1
    wide = WIDTH - LEFT - RIGHT
    out = [text(0, top + 14, f"{row.row.title} ({row.row.unit})", "title")]
    y = top + 24
    for line in row.lines:
        ours = line.ratio is None
        end, least, greatest = (LEFT + wide * value / most for value in (line.median, line.least, line.most))
        middle = y + BAR / 2
        note = "" if ours else f"  ours {line.ratio:.3g}x"
        out += [
            text(LEFT - 8, y + 12, line.line.label, "us" if ours else "", "end"),
            f'<rect x="{LEFT}" y="{y:.1f}" width="{max(end - LEFT, 1):.1f}" height="{BAR}" '
            f'class="{"ours" if ours else "peer"}"/>',
            f'<line x1="{least:.1f}" y1="{middle:.1f}" x2="{greatest:.1f}" y2="{middle:.1f}" class="range"/>',
            text(max(end, greatest) + 6, y + 12, number(line.median) + note, "us" if ours else ""),
        ]
        y += BAR + GAP
    return "\n".join(out), y + 14


def marks(low: float, high: float) -> Iterator[float]:
    """Powers of ten, and where these are few what lies between them."""
    steps = (1.0, 2.0, 5.0) if high / low < 50 else (1.0,)
    decade = 10.0 ** math.floor(math.log10(low))
    while decade <= high:
        yield from (decade * step for step in steps if low <= decade * step <= high)
        decade *= 10


def spread(wanted: list[float], apart: float) -> list[float]:
    """Moves positions, given from the top down, so that labels do not cover each other."""
    placed: list[float] = []
    for at in wanted:
        placed.append(max(at, placed[-1] + apart) if placed else at)
    return placed


def lines(title: str, rows: list[RowResult], top: float) -> tuple[str, float]:
    """A curve for each label over the rows' x; both axes are logarithmic."""
    height, left = 240, 60
    # Labels stand beside the lines' ends.
    right = max(26 + 6.6 * len(f"{line.line.label}: {number(line.median)}") for row in rows for line in row.lines)
    series: dict[str, list[tuple[float, float]]] = {}
    ours = rows[0].lines[0].line.label
    for row in rows:
        for line in row.lines:
            if row.row.x is not None and line.median > 0:
                series.setdefault(line.line.label, []).append((row.row.x, line.median))
    xs = [x for points in series.values() for x, _ in points]
    ys = [y for points in series.values() for _, y in points]
    low, high = min(ys) / 1.2, max(ys) * 1.2

    def place(x: float, y: float) -> tuple[float, float]:
        across = math.log(x / min(xs)) / (math.log(max(xs) / min(xs)) or 1)
        up = math.log(y / low) / math.log(high / low)
        return left + across * (WIDTH - left - right), top + 24 + (1 - up) * height

    out = [text(0, top + 14, f"{title} ({rows[0].row.unit})", "title")]
    for y in marks(low, high):
        at = place(min(xs), y)[1]
        out += [f'<line x1="{left}" y1="{at:.1f}" x2="{WIDTH - right}" y2="{at:.1f}" class="grid"/>']
        out += [text(left - 6, at + 4, number(y), "", "end")]
    bottom = top + 24 + height
    out += [text(place(x, low)[0], bottom + 16, f"{x:,.0f}", "", "middle") for x in sorted(set(xs))]
    ends = sorted(((place(*points[-1])[1], label) for label, points in series.items()), key=lambda pair: pair[0])
    labels = dict(zip((label for _, label in ends), spread([y for y, _ in ends], 15), strict=True))
    for i, (label, points) in enumerate(series.items()):
        path = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in (place(*p) for p in points))
        colour = "" if label == ours else f' style="stroke: {COLOURS[i % len(COLOURS)]}"'
        out.append(f'<path d="{path}" class="{"us" if label == ours else ""}"{colour}/>')
        x, y = WIDTH - right + 10, labels[label]
        colour = colour.replace("stroke", "fill")
        out.append(f'<circle cx="{x}" cy="{y:.1f}" r="4" class="ours"{colour}/>')
        out.append(text(x + 9, y + 4, f"{label}: {number(points[-1][1])}", "us" if label == ours else ""))
    return "\n".join(out), max(bottom + 34, *(y + 20 for y in labels.values()))


def figure(part: PartResult) -> str:
    """The part's panels, one below the other, as a whole SVG document."""
    by_plot: dict[str, list[RowResult]] = {}
    for row in [r for r in part.rows if r.row.is_drawn]:
        by_plot.setdefault(row.row.plot or row.row.title, []).append(row)
    panels: list[str] = []
    y = 4.0
    for name, rows in by_plot.items():
        if len({row.row.x for row in rows}) > 1:
            panel, y = lines(name.partition(": ")[2] or name, rows, y)
            panels.append(panel)
        else:
            for row in rows:
                panel, y = bars(row, y)
                panels.append(panel)
    body = "\n".join(panels)
    size = f'width="{WIDTH}" height="{y:.0f}" viewBox="0 0 {WIDTH} {y:.0f}"'
    title = f"<title>{escape(part.part.title)}</title>"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" {size}>\n{title}\n{STYLE}\n{body}\n</svg>\n'
    )
