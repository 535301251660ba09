"""How well the tables read what they were not made for: figures, and not line by line, since no table
is right for every program. A figure may rise and never falls."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from cloudbang.domain.levels import level_of
from tests.domain.log_formats import read_formats
from tests.domain.test_entries import LETTERS, told


class Figures(NamedTuple):
    """``levels``: lines with the level that a person gives them; ``belong``: lines in the entry of
    the line before, where they belong; ``taken``: lines of their own that are in it, too;
    ``alarms``: lines that are called errors and are none."""

    levels: int
    belong: int
    taken: int
    alarms: int


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("reported_programs.txt", Figures(466, 270, 3, 0)),
        ("reported_programs_2.txt", Figures(338, 183, 2, 1)),
        ("reported_programs_3.txt", Figures(317, 84, 4, 3)),
        ("reported_programs_4.txt", Figures(536, 294, 0, 0)),
        ("reported_programs_5.txt", Figures(330, 84, 3, 0)),
        ("reported_programs_6.txt", Figures(260, 151, 0, 0)),
        ("found_lines_a.txt", Figures(267, 79, 0, 0)),
        ("found_lines_b.txt", Figures(261, 134, 2, 0)),
    ],
)
def test_reported_programs(name: str, least: Figures) -> None:
    """The figures of a file, with what is wrong where one of them is worse than it was."""
    levels, belong, taken, alarms = 0, 0, 0, 0
    wrong = []
    for program, lines in read_formats(name).items():
        marks = told([line.text for line in lines])
        for line, mark in zip(lines, marks, strict=True):
            level = level_of(line.text)
            if line.continues:
                belong += mark == "+"
            else:
                levels += level == line.level
                taken += mark == "+"
                alarms += level == "error" != line.level
            if (mark == "+") != line.continues or not (line.continues or level == line.level):
                wrong.append(f"{program}: {line.text} is {mark}, of itself {LETTERS[level]}")
    figures = Figures(levels, belong, taken, alarms)
    enough = levels >= least.levels and belong >= least.belong
    assert enough, (figures, *wrong)
    assert taken <= least.taken, (figures, *wrong)
    assert alarms <= least.alarms, (figures, *wrong)
