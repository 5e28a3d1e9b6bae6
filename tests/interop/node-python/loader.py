"""The getter of every conformance node: it makes a value from its key alone, and counts each of its runs."""

import asyncio
import re
from collections import Counter

import cohort


class Loader:
    def __init__(self, name: str, expire: float) -> None:
        self._name = name
        self._expire = expire or None
        self.counts: Counter[bytes] = Counter()

    async def __call__(self, key: str) -> cohort.Expiring[bytes]:
        raw = cohort.key_bytes(key)
        self.counts[raw] += 1
        if key.startswith("missing-"):
            raise cohort.NotFound(f"not found: {key}")
        if key.startswith("fail-"):
            raise RuntimeError(f"load failed: {key}")
        value = self._name.encode() + b":" + raw
        ttl = self._expire
        if key.startswith("empty-"):
            value = b""
        if key.startswith("bin-"):
            value += bytes(range(256))
        if (size := _number(key, "size")) is not None:
            value = value[:size].ljust(size, b".")
        if (ms := _number(key, "slow")) is not None:
            await asyncio.sleep(ms / 1000)
        if (ms := _number(key, "exp")) is not None:
            ttl = ms / 1000
        return cohort.Expiring(value, ttl=ttl)


def _number(key: str, prefix: str) -> int | None:
    """N of "<prefix>-N-..."."""
    found = re.match(prefix + "-([0-9]+)-", key)
    return int(found[1]) if found else None
