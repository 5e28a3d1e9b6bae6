"""The test cluster and the pytest plugin, as users' own tests use them."""

import pathlib
import subprocess
import sys
from collections.abc import Callable

import pytest

from cohort.testing import Cluster, Counting, free_address

pytest_plugins = ["cohort.pytest_plugin"]  # installing the package does this


def test_the_fixture_makes_clusters(cohort_cluster: Callable[..., Cluster]) -> None:
    cluster = cohort_cluster(2)
    load = Counting(lambda key: key.encode())
    groups = cluster.new_group("g", lambda member: load)
    assert {group.get("a") for group in groups} == {b"a"}
    assert load.count("a") == 1
    assert len(cluster) == 2
    assert list(cluster) == [cluster[0], cluster[1]]
    assert len(cohort_cluster()) == 3


def test_the_fixture_closes_what_it_made(tmp_path: pathlib.Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        """
made = []

def test_one(cohort_cluster):
    made.append(cohort_cluster(2, network="inproc"))

def test_two():
    assert all(member.closed for member in made[0])
"""
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "cohort.pytest_plugin", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True, text=True, cwd=tmp_path, timeout=120,
    )  # fmt: skip
    assert "2 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("bad", [{"size": 0}, {"size": 2, "network": "carrier pigeon"}])
def test_bad_arguments_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"size is 0|carrier pigeon"):
        Cluster(**bad)  # type: ignore[arg-type]


def test_a_member_can_be_cut_off_and_return() -> None:
    with Cluster(2, logger=None) as cluster:
        groups = cluster.new_group("g", lambda member: lambda key: b"%d" % member)
        key = cluster.key_of(1)
        cluster.stop(1)
        assert groups[0].get(key) == b"0", "its peers load for themselves"
        cluster.start(1)
        assert cluster[1].address == cluster.addresses[1]


def test_free_addresses_are_free() -> None:
    with Cluster(1) as cluster:
        address = free_address()
        cluster[0].stop_listening(0)
        assert cluster[0].listen(address) == address
