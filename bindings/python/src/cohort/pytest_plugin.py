"""The pytest plugin: a fixture that makes clusters and closes them after the test.

Installing the package enables it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .testing import Cluster


@pytest.fixture
def cohort_cluster() -> Iterator[Callable[..., Cluster]]:
    """Makes test clusters: ``cluster = cohort_cluster(3)``, with the arguments of `cohort.testing.Cluster`."""
    from .testing import Cluster  # only tests that ask for it pay for it

    with ExitStack() as clusters:
        yield lambda size=3, **options: clusters.enter_context(Cluster(size, **options))
