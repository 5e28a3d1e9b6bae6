"""Builds the package with scikit-build-core. A source distribution carries the engine's sources in `engine/`, so that it needs
nothing beside it; in a checkout they are two folders up."""

import contextlib
import os
import pathlib
import shutil
import tempfile

from scikit_build_core import build as base
from scikit_build_core.build import *  # noqa: F403 (every other hook is scikit-build-core's own)

ENGINE = ["CMakeLists.txt", "cmake", "include", "src", "capi", "LICENSE"]


def build_sdist(sdist_directory, config_settings=None):
    here = pathlib.Path.cwd()
    if (here / "engine").exists():  # this is a source distribution already
        return base.build_sdist(sdist_directory, config_settings)
    out = os.path.abspath(sdist_directory)
    with tempfile.TemporaryDirectory() as folder:
        staged = pathlib.Path(folder) / "cohort"
        skipped = shutil.ignore_patterns("__pycache__", "build", "*.so", ".*_cache", "*.egg-info")
        shutil.copytree(here, staged, ignore=skipped)
        for name in ENGINE:
            source = here / ".." / ".." / name
            if source.is_dir():
                shutil.copytree(source, staged / "engine" / name, ignore=skipped)
            else:
                (staged / "engine").mkdir(exist_ok=True)
                shutil.copy2(source, staged / "engine" / name)
        with contextlib.chdir(staged):
            return base.build_sdist(out, config_settings)
