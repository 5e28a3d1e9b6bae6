"""The version of this package, and a check that the library that was loaded is new enough for it."""

from __future__ import annotations

from . import _core

__version__ = "0.1.0"
_API_LEVEL = 1

if _core.cohort_api_level() < _API_LEVEL:
    raise ImportError(
        f"cohort {__version__} needs API level {_API_LEVEL} of libcohort; version {_core.cohort_version()}, "
        f"which was loaded, has {_core.cohort_api_level()}"
    )
