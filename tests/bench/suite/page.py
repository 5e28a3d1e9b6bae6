"""The results as one page of HTML that needs nothing else: the plots, and below each its table. Light and dark."""

from __future__ import annotations

from html import escape

from . import text
from .results import PartResult
from .svg import figure

HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Cohort beside its peers</title>
<style>
  :root { --ink: #1f2937; --paper: #ffffff; --faint: #d1d5db; --band: #f3f4f6; --good: #047857; --bad: #b91c1c }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #e5e7eb; --paper: #111827; --faint: #374151; --band: #1f2937; --good: #34d399; --bad: #f87171 }
  }
  body { color: var(--ink); background: var(--paper); font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem;
         padding: 0 1rem }
  svg { max-width: 100%; height: auto }
  .wide { overflow-x: auto }
  table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums }
  td, th { padding: 2px 10px; text-align: right; border-bottom: 1px solid var(--faint); white-space: nowrap }
  td:first-child, td:last-child, th:first-child, .row { text-align: left }
  .row { background: var(--band); font-weight: 600 }
  .met { color: var(--good) } .missed { color: var(--bad); font-weight: 600 }
</style>
</head>
<body>
<h1>Cohort beside its peers</h1>
"""


def verdict_class(cell: str) -> str:
    return (
        ' class="missed"'
        if "MISSED" in cell
        else ' class="met"'
        if cell.endswith(("met", ")")) and "met" in cell
        else ""
    )


def table(part: PartResult) -> str:
    head = text.head(part)
    out = ['<div class="wide"><table>', "<tr>" + "".join(f"<th>{escape(h)}</th>" for h in head) + "</tr>"]
    for title, lines in text.cells(part):
        out.append(f'<tr><td class="row" colspan="{len(head)}">{escape(title)}</td></tr>')
        for line in lines:
            cells = "".join(f"<td>{escape(c)}</td>" for c in line[:-1])
            out.append(f"<tr>{cells}<td{verdict_class(line[-1])}>{escape(line[-1])}</td></tr>")
    out.append("</table></div>")
    return "\n".join(out)


def page(results: list[PartResult], how: str) -> str:
    out = [HEAD, f"<p>{escape(how)}</p>", f"<pre>{escape(text.summary(results))}</pre>"]
    for part in results:
        out += [f"<h2>{escape(part.part.title)}</h2>", *([figure(part), table(part)] if part.rows else [])]
        out += [f"<p>{escape(note)}.</p>" for note in part.part.notes]
    return "\n".join([*out, "</body>", "</html>", ""])
