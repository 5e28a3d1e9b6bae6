"""Puts over REST and gRPC beside go-tinystore: of a node of Cohort's own, once there is one with such doors."""

from __future__ import annotations

from ..build import Programs
from ..model import Part, Settings


def part(settings: Settings, programs: Programs) -> Part:
    note = "Cohort has no node that serves REST and gRPC yet: the rows of 10,000 and 50,000 puts beside go-tinystore are absent"
    return Part("puts", "Puts over REST and gRPC", {}, [], 1, 1, notes=[note])
