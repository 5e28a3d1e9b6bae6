"""Where results go: what cannot be written is told before anything is measured."""

from __future__ import annotations

import json
import pathlib

import pytest

from .model import Line, Part, Row
from .outputs import Outputs
from .parts.traces import traces_in
from .results import PartResult, result_of_part
from .sessions import Failure


def outputs(
    json: pathlib.Path | None = None,
    html: pathlib.Path | None = None,
    markdown: pathlib.Path | None = None,
    readme: pathlib.Path | None = None,
    svg: pathlib.Path | None = None,
) -> Outputs:
    return Outputs(json, html, markdown, readme, svg)


def some_result() -> PartResult:
    row = Row("a row", (Line("ours", "a", "get"), Line("peer", "b", "get")))
    part = Part("part", "A part", {}, [row], 1, 1)
    return result_of_part(part, {("a", "get"): [{"ops_per_s": 2.0}], ("b", "get"): [{"ops_per_s": 1.0}]})


class TestOutputs:
    def test_a_folder_that_is_not_there_is_told(self, tmp_path: pathlib.Path) -> None:
        for given in ({"json": tmp_path / "no/a"}, {"html": tmp_path / "no/a"}, {"markdown": tmp_path / "no/a.md"}):
            with pytest.raises(Failure, match="there is no folder"):
                outputs(**given).check()

    def test_a_folder_in_place_of_a_file_is_told_and_the_reverse(self, tmp_path: pathlib.Path) -> None:
        file = tmp_path / "file"
        file.write_text("")
        with pytest.raises(Failure, match="is a folder"):
            outputs(json=tmp_path).check()
        with pytest.raises(Failure, match="is not a folder"):
            outputs(svg=file).check()

    def test_a_page_without_marks_is_told_and_is_left_as_it_is(self, tmp_path: pathlib.Path) -> None:
        page = tmp_path / "page.md"
        page.write_text("words\n")
        for given in (outputs(markdown=page), outputs(readme=page)):
            with pytest.raises(Failure, match="has no marks"):
                given.check()
        with pytest.raises(Failure, match="there is no page"):
            outputs(readme=tmp_path / "none.md").check()
        assert page.read_text() == "words\n"

    def test_all_of_them_are_written(self, tmp_path: pathlib.Path) -> None:
        readme = tmp_path / "README.md"
        readme.write_text("<!-- speed -->\n<!-- end of speed -->")
        made = outputs(tmp_path / "a.json", tmp_path / "a.html", tmp_path / "a.md", readme, tmp_path / "plots")
        made.check()
        made.write([some_result()], "somehow")
        assert [row["ratio"] for row in json.loads((tmp_path / "a.json").read_text())] == [None, 2.0]
        for file in ("a.html", "a.md", "plots/part.svg"):
            assert "peer" in (tmp_path / file).read_text()
        assert "somehow" in readme.read_text()


class TestTraces:
    def test_a_folder_without_traces_is_told(self, tmp_path: pathlib.Path) -> None:
        with pytest.raises(Failure, match="there is no folder"):
            traces_in(str(tmp_path / "none"))
        (tmp_path / "notes.txt.md").write_text("")
        with pytest.raises(Failure, match="holds no traces"):
            traces_in(str(tmp_path))
        (tmp_path / "a.txt.gz").write_text("")
        assert [file.name for file in traces_in(str(tmp_path))] == ["a.txt.gz"]
