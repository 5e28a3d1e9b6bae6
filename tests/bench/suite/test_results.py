"""What the suite makes of answers: pytest tests/bench/suite."""

from __future__ import annotations

import pathlib
import tempfile
import xml.dom.minidom

import pytest

from . import svg, text
from .model import Line, Part, Row, Target
from .page import page
from .results import Answers, PartResult, result_of_part
from .sessions import Failure

OURS, PEER = Line("ours", "a", "get"), Line("peer", "b", "get")


def result(
    ours: list[float], peer: list[float], *targets: Target, measure: str = "ops_per_s", more: bool = True
) -> PartResult:
    row = Row("a row", (OURS, PEER), targets, measure=measure, higher_is_better=more)
    answers: Answers = {("a", "get"): [{measure: n} for n in ours], ("b", "get"): [{measure: n} for n in peer]}
    return result_of_part(Part("part", "A part", {}, [row], 1, 1), answers)


class TestResults:
    def test_a_ratio_says_how_many_times_better_ours_is(self) -> None:
        assert result([10], [5]).rows[0].lines[1].ratio == 2
        assert result([10], [5], more=False).rows[0].lines[1].ratio == 0.5

    def test_a_ratio_is_that_of_the_rounds_not_of_the_medians(self) -> None:
        # Both were disturbed in the second round.
        assert result([10, 2, 12], [5, 1, 6]).rows[0].lines[1].ratio == 2

    def test_a_target_beside_a_peer_is_judged_by_the_ratio(self) -> None:
        line = result([10], [5], Target("peer", 2), Target("peer", 2.1)).rows[0].lines[1]
        assert [v.met for v in line.verdicts] == [True, False]

    def test_less_of_what_must_be_little_is_judged_by_the_worst_round(self) -> None:
        line = result([3, 5], [1, 1], Target(None, at_most=4), measure="bytes").rows[0].lines[0]
        assert [(v.number, v.met) for v in line.verdicts] == [(5, False)]

    def test_exactly_one_is_missed_by_none_and_by_two(self) -> None:
        for loads, met in (([1.0, 1], True), ([1.0, 2], False), ([0.0, 1], False)):
            line = result(loads, [1, 1], Target(None, 1, 1), measure="loads").rows[0].lines[0]
            assert line.verdicts[0].met == met

    def test_times_are_better_when_they_are_shorter_whatever_the_row_measures(self) -> None:
        row = Row("a row", (OURS, PEER), (Target("peer", 1, measure="p50_us"),))
        ours, peer = {"ops_per_s": 1.0, "p50_us": 5.0}, {"ops_per_s": 1.0, "p50_us": 10.0}
        part = Part("part", "A part", {}, [row], 1, 1)
        made = result_of_part(part, {("a", "get"): [ours], ("b", "get"): [peer]})
        assert [(v.number, v.met) for v in made.rows[0].lines[1].verdicts] == [(2, True)]

    def test_who_failed_is_left_out_and_a_row_without_ours_as_well(self) -> None:
        assert [line.line.label for line in result([10], []).rows[0].lines] == ["ours"]
        assert result([], [10]).rows == []

    def test_a_part_without_a_subject_keeps_no_line_or_target_of_it(self) -> None:
        row = Row("a row", (OURS, PEER), (Target("peer", 1),))
        part = Part("part", "A part", {"a": lambda: pytest.fail("opened")}, [row], 1, 1)
        part.keep_only_known()
        assert (part.rows[0].lines, part.rows[0].targets) == ((OURS,), ())


class TestShown:
    def test_numbers_have_three_digits_that_count(self) -> None:
        shown = [text.number(n) for n in (0.1234, 3, 12.345, 1234, 12345, 999600, 1234567, 2.5e9)]
        assert shown == ["0.123", "3", "12.3", "1234", "12.3k", "1000k", "1.23M", "2.5G"]

    def test_tables_and_plots_name_every_line_and_need_nothing_else(self) -> None:
        made = [result([10, 11], [5, 6], Target("peer", 2))]
        for shown in (text.plain(made[0]), text.markdown(made), svg.figure(made[0]), page(made, "somehow")):
            assert "ours" in shown
            assert "peer" in shown
        xml.dom.minidom.parseString(svg.figure(made[0]))
        assert "http" not in page(made, "somehow").replace("http://www.w3.org/2000/svg", "")

    def test_plots_have_plain_colours_first(self) -> None:
        drawn = svg.figure(result([10, 11], [5, 6]))
        assert "var(" not in drawn
        plain, _, dark = drawn.partition("@media (prefers-color-scheme: dark)")
        assert svg.OURS[0] in plain
        assert svg.OURS[1] in dark

    def test_a_page_keeps_what_is_outside_of_its_marks(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "page.md"
            file.write_text("before\n<!-- tables -->\nold\n<!-- end of tables -->\nafter\n")
            text.put(file, "tables", r"new \1")
            assert file.read_text() == "before\n<!-- tables -->\n\nnew \\1\n<!-- end of tables -->\nafter\n"
            with pytest.raises(Failure):
                text.put(file, "others", "new")
