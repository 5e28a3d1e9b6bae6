"""A user's program: a cluster in one process, on the installed package alone. Its argument is the folder of its venv."""

import asyncio
import importlib.metadata
import pathlib
import sys

import cohort
from cohort.testing import Cluster


def loaded_libraries() -> set[pathlib.Path]:
    """The shared libraries of this process."""
    lines = pathlib.Path("/proc/self/maps").read_text().splitlines()
    return {pathlib.Path(line.split(maxsplit=5)[5]) for line in lines if ".so" in line}


def check_libraries(venv: pathlib.Path) -> None:
    """All that libcohort needs came with the package, but for OpenSSL, zlib and the runtimes of C and C++."""
    carried = ("libcohort", "libprotobuf-lite", "libcpp-httplib", "libxxhash", "libbrotli")
    found = {path for path in loaded_libraries() if path.name.startswith(carried)}
    assert {name for name in carried if any(path.name.startswith(name) for path in found)} == set(carried), found
    for path in found:
        assert path.is_relative_to(venv), f"{path} is not the package's"


async def wait_for_many(group: "cohort.Group[str]") -> None:
    pages = await asyncio.gather(*(group.aget(f"page{i}") for i in range(100)))
    assert pages == [f"page{i} rendered" for i in range(100)]


def main() -> None:
    venv = pathlib.Path(sys.argv[1]).resolve()
    assert pathlib.Path(cohort.__file__).resolve().is_relative_to(venv)
    check_libraries(venv)
    assert importlib.metadata.version("cohort") == cohort.__version__
    plugins = importlib.metadata.entry_points(group="pytest11")
    assert [plugin.value for plugin in plugins if plugin.name == "cohort"] == ["cohort.pytest_plugin"]
    with Cluster(2) as cluster:
        groups = cluster.new_group("pages", lambda member: lambda key: f"{key} rendered", codec=cohort.TEXT)
        for group in groups:
            asyncio.run(wait_for_many(group))
        groups[0].set("page1", "set")
        assert groups[1].get("page1") == "set"
    print("a cluster of two has answered, on the installed package alone")


if __name__ == "__main__":
    main()
