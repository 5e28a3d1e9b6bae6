"""Builds the programs of the suite, each by the ordinary means of its language, and knows how they are started."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
from collections.abc import Callable

from .sessions import Failure, Session

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
OUT = ROOT / "build" / "bench"
LIBRARY = OUT / "library"


def quietly(command: list[str | pathlib.Path], cwd: pathlib.Path = ROOT, **environment: str) -> str:
    """Runs a command that is silent unless it fails; returns what it printed."""
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=cwd,
                          env={**os.environ, **environment}, check=False)  # fmt: skip
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))} failed:\n{done.stdout}")
    return done.stdout


class Programs:
    """The programs by name: commands, and the environment that they need. A language without tools here has none."""

    def __init__(self) -> None:
        self.commands: dict[str, list[str]] = {}
        self.environments: dict[str, dict[str, str]] = {}
        self.absent: list[str] = []

    def add(self, name: str, *command: str | pathlib.Path, **environment: str) -> None:
        self.commands[name] = [str(c) for c in command]
        self.environments[name] = environment

    def has(self, name: str) -> bool:
        return name in self.commands

    def session(self, name: str, *arguments: object) -> Session:
        return Session([*self.commands[name], *map(str, arguments)], {**os.environ, **self.environments[name]})

    def opener(self, name: str, *arguments: object) -> Callable[[], Session]:
        return lambda: self.session(name, *arguments)


def build_library() -> None:
    quietly([ROOT / "tests/lib/install_missing.sh", "build", "bench"])
    OUT.mkdir(parents=True, exist_ok=True)
    quietly(["cmake", "-S", ROOT, "-B", LIBRARY, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DCOHORT_TESTS=OFF",
             "-DCOHORT_EXAMPLES=OFF"])  # fmt: skip
    quietly(["cmake", "--build", LIBRARY, "--target", "cohort"])


def pkg_config_path() -> str:
    return f"{LIBRARY}/pkgconfig:{os.environ.get('PKG_CONFIG_PATH', '')}"


def build_cpp(programs: Programs) -> None:
    tree = OUT / "cpp"
    quietly(["cmake", "-S", HERE / "cpp", "-B", tree, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"],
            PKG_CONFIG_PATH=pkg_config_path())  # fmt: skip
    quietly(["cmake", "--build", tree])
    programs.add("cpp", tree / "bench-cpp")


def build_go(programs: Programs) -> None:
    if shutil.which("go") is None:
        programs.absent.append("Go is not installed: its rows are absent")
        return
    for name, package, more in (
        ("groupcache-go", "./groups", []),
        ("cohort-go", "./groups", ["-modfile=cohort.mod", "-tags=cohort"]),
        ("go-caches", "./caches", []),
    ):
        quietly(["go", "build", *more, "-o", OUT / f"bench-{name}", package], cwd=HERE / "go", PKG_CONFIG_PATH=pkg_config_path())
        programs.add(name, OUT / f"bench-{name}")


def build_all(say: Callable[[str], None]) -> Programs:
    programs = Programs()
    say("building libcohort")
    build_library()
    for language, build in (("C++", build_cpp), ("Go", build_go)):
        say(f"building the programs in {language}")
        build(programs)
    return programs
