"""Cohort: an in-process, read-through cache whose processes find each other's values.

import cohort

with cohort.Instance("10.0.0.1:8080") as node:
    node.set_peers(["10.0.0.1:8080", "10.0.0.2:8080"])

    @node.group("pages", codec=cohort.TEXT)
    def pages(key: str) -> str:
        return "page " + key

    print(pages.get("index"))
"""

from ._errors import (
    AlreadyExists,
    Closed,
    CohortError,
    Forked,
    InvalidArgument,
    LoadAbandoned,
    LoadError,
    NoGetter,
    NotFound,
    SystemFailure,
    Timeout,
    TooLarge,
    Unreachable,
    Unsupported,
    WouldDeadlock,
)
from ._getter import Expiring, Getter
from ._kinds import Entry, Eviction, Policy, Reason, Ring, Source, Tier
from ._load import Load, current_load, key_bytes, key_text
from ._stats import CacheStats, GroupStats
from ._version import __version__
from .codecs import BYTES, JSON, TEXT, VIEW, Codec, Protobuf
from .group import Group, Key
from .instance import Instance
from .transport import TLS, Op, Request, Response, Transport

__all__ = [
    "BYTES",
    "JSON",
    "TEXT",
    "TLS",
    "VIEW",
    "AlreadyExists",
    "CacheStats",
    "Closed",
    "Codec",
    "CohortError",
    "Entry",
    "Eviction",
    "Expiring",
    "Forked",
    "Getter",
    "Group",
    "GroupStats",
    "Instance",
    "InvalidArgument",
    "Key",
    "Load",
    "LoadAbandoned",
    "LoadError",
    "NoGetter",
    "NotFound",
    "Op",
    "Policy",
    "Protobuf",
    "Reason",
    "Request",
    "Response",
    "Ring",
    "Source",
    "SystemFailure",
    "Tier",
    "Timeout",
    "TooLarge",
    "Transport",
    "Unreachable",
    "Unsupported",
    "WouldDeadlock",
    "__version__",
    "current_load",
    "key_bytes",
    "key_text",
]
