"""Where the results go besides the terminal: looked at before anything is measured, and written in the end."""

from __future__ import annotations

import json
import os
import pathlib
from dataclasses import dataclass

from . import svg, text
from .page import page
from .results import PartResult, as_json
from .sessions import Failure

TABLES, SPEED = "tables", "speed"


@dataclass(frozen=True)
class Outputs:
    """The files and the folder that were asked for."""

    json: pathlib.Path | None
    html: pathlib.Path | None
    markdown: pathlib.Path | None
    readme: pathlib.Path | None
    svg: pathlib.Path | None

    def check(self) -> None:
        """Fails now where writing would fail after a long run."""
        for option, file in (("--json", self.json), ("--html", self.html), ("--markdown", self.markdown)):
            if file is not None:
                check_file(option, file)
        if self.markdown is not None and self.markdown.suffix == ".md" and self.markdown.exists():
            text.check_marks(self.markdown, TABLES)
        if self.readme is not None:
            if not self.readme.is_file():
                raise Failure(f"--readme: there is no page {self.readme}")
            check_file("--readme", self.readme)
            text.check_marks(self.readme, SPEED)
        if self.svg is not None and self.svg.exists() and not (self.svg.is_dir() and os.access(self.svg, os.W_OK)):
            raise Failure(f"--svg: {self.svg} is not a folder that can be written to")

    def write(self, results: list[PartResult], how: str) -> None:
        if self.json is not None:
            self.json.write_text(json.dumps(as_json(results), indent=1) + "\n", encoding="utf-8")
        if self.markdown is not None:
            text.put(self.markdown, TABLES, f"{how}\n\n{text.markdown(results)}")
        if self.readme is not None:
            text.put(self.readme, SPEED, f"{text.short(results)}\n{how}\n")
        if self.html is not None:
            self.html.write_text(page(results, how), encoding="utf-8")
        if self.svg is not None:
            self.svg.mkdir(parents=True, exist_ok=True)
            for result in results:
                if result.rows:
                    (self.svg / f"{result.part.name}.svg").write_text(svg.figure(result), encoding="utf-8")


def check_file(option: str, file: pathlib.Path) -> None:
    if file.is_dir():
        raise Failure(f"{option}: {file} is a folder")
    if not file.parent.is_dir():
        raise Failure(f"{option}: there is no folder {file.parent}")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise Failure(f"{option}: {file} cannot be written")
