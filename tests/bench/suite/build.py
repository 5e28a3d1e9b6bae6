"""Builds the programs of the suite, each by the ordinary means of its language, and knows how they are started."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
from collections.abc import Callable, Sequence

from .sessions import Failure, Session

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
OUT = ROOT / "build" / "bench"
LIBRARY = OUT / "library"


def quietly(command: list[str | pathlib.Path], cwd: pathlib.Path = ROOT, **environment: str) -> str:
    """Runs a command that is silent unless it fails; returns what it printed."""
    done = subprocess.run(
        [str(c) for c in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cwd,
        env={**os.environ, **environment},
        check=False,
    )
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))} failed:\n{done.stdout}")
    return done.stdout


class Programs:
    """The programs by name: commands, and the environment that they need. A language without tools here has none."""

    def __init__(self) -> None:
        self.commands: dict[str, list[str]] = {}
        self.environments: dict[str, dict[str, str]] = {}
        self.absent: list[str] = []
        self.wrapped: Callable[[list[str]], list[str]] = lambda command: command  # what the next session runs under

    def add(self, name: str, *command: str | pathlib.Path, **environment: str) -> None:
        self.commands[name] = [str(c) for c in command]
        self.environments[name] = environment

    def has(self, name: str) -> bool:
        return name in self.commands

    def session(self, name: str, *arguments: object) -> Session:
        command = self.wrapped([*self.commands[name], *map(str, arguments)])
        return Session(command, {**os.environ, **self.environments[name]})

    def opener(self, name: str, *arguments: object) -> Callable[[], Session]:
        return lambda: self.session(name, *arguments)


def build_library() -> None:
    quietly([ROOT / "tests/lib/install_missing.sh", "build", "bench"])
    OUT.mkdir(parents=True, exist_ok=True)
    quietly(
        [
            "cmake",
            "-S",
            ROOT,
            "-B",
            LIBRARY,
            "-G",
            "Ninja",
            "-DCMAKE_BUILD_TYPE=Release",
            "-DCOHORT_TESTS=OFF",
            "-DCOHORT_EXAMPLES=OFF",
        ]
    )
    quietly(["cmake", "--build", LIBRARY, "--target", "cohort"])


def pkg_config_path() -> str:
    return f"{LIBRARY}/pkgconfig:{os.environ.get('PKG_CONFIG_PATH', '')}"


def build_cpp(programs: Programs) -> None:
    tree = OUT / "cpp"
    quietly(
        ["cmake", "-S", HERE / "cpp", "-B", tree, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"],
        PKG_CONFIG_PATH=pkg_config_path(),
    )
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
        quietly(
            ["go", "build", *more, "-o", OUT / f"bench-{name}", package],
            cwd=HERE / "go",
            PKG_CONFIG_PATH=pkg_config_path(),
        )
        programs.add(name, OUT / f"bench-{name}")


def build_rust(programs: Programs) -> None:
    if shutil.which("cargo") is None:
        programs.absent.append("cargo is not installed: Rust's rows are absent")
        return
    target = OUT / "rust"
    quietly(
        ["cargo", "build", "--release", "--quiet"],
        cwd=HERE / "rust",
        PKG_CONFIG_PATH=pkg_config_path(),
        CARGO_TARGET_DIR=str(target),
    )
    programs.add("rust", target / "release" / "cohort-bench")


def build_java(programs: Programs) -> None:
    """The binding is compiled beside its own build, which stays what its tests left."""
    javac = shutil.which("javac")
    if javac is None or shutil.which("mvn") is None:
        programs.absent.append("a JDK and Maven are not installed: Java's rows are absent")
        return
    tree, binding = OUT / "java", ROOT / "bindings/java/core"
    classes, core, lib = tree / "classes", tree / "core", tree / "lib"
    pom = HERE / "java/pom.xml"
    if is_older(lib / "made", [pom]):
        quietly(
            [
                "mvn",
                "-B",
                "-ntp",
                "-q",
                "-f",
                pom,
                "dependency:copy-dependencies",
                f"-DoutputDirectory={lib}",
                "-DincludeScope=runtime",
            ]
        )
        (lib / "made").touch()
    sources = sorted((binding / "src/main/java").rglob("*.java"))
    if is_older(core / "made", sources):
        quietly(["javac", "-nowarn", "-d", core, *sources])
        (core / "made").touch()
    quietly([binding / "build-native", LIBRARY, core / "natives", pathlib.Path(javac).resolve().parent.parent])
    programs_sources = sorted((HERE / "java/src").glob("*.java"))
    if is_older(classes / "made", [*programs_sources, core / "made"]):
        quietly(["javac", "-Xlint:all", "-Werror", "-d", classes, "-cp", f"{core}:{lib}/*", *programs_sources])
        (classes / "made").touch()
    command = ("-cp", f"{classes}:{core}:{lib}/*", "Bench")
    programs.add("java", "java", *command)
    # Where memory is measured the heap is given back, so that its size says what is in it.
    programs.add("java-fill", "java", "-XX:MinHeapFreeRatio=5", "-XX:MaxHeapFreeRatio=10", *command)


def build_python(programs: Programs) -> None:
    python = quietly([ROOT / "bindings/python/environment"]).strip().splitlines()[-1]
    site = quietly([ROOT / "bindings/python/make_site", LIBRARY]).strip().splitlines()[-1]
    programs.add("python", python, HERE / "python/main.py", PYTHONPATH=site)


def build_replay(programs: Programs) -> None:
    """cohort-replay is built in a tree of its own, with the tests to which it belongs, from the engine's sources."""
    if not (HERE / "replay/CMakeLists.txt").exists():
        return
    quietly([ROOT / "tests/lib/install_missing.sh", "build", "check"])
    tree = OUT / "replay"
    quietly(["cmake", "-S", ROOT, "-B", tree, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DCOHORT_EXAMPLES=OFF"])
    quietly(["cmake", "--build", tree, "--target", "cohort-replay"])
    programs.add("replay", next(p for p in tree.rglob("cohort-replay") if p.is_file()))


def is_older(made: pathlib.Path, than: Sequence[pathlib.Path]) -> bool:
    return not made.exists() or any(path.stat().st_mtime > made.stat().st_mtime for path in than)


BUILDERS = {
    "programs in C++": build_cpp,
    "programs in Go": build_go,
    "programs in Rust": build_rust,
    "programs in Java": build_java,
    "programs in Python": build_python,
    "replay of traces": build_replay,
}


def build_all(say: Callable[[str], None]) -> Programs:
    programs = Programs()
    say("building libcohort")
    build_library()
    for what, build in BUILDERS.items():
        say(f"building the {what}")
        build(programs)
    return programs
