"""node-python is the conformance node in Python: it joins a cluster through the package and is driven over HTTP."""

import argparse
import asyncio
import logging
import re
import sys

from control import Control
from loader import Loader

import cohort

UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def duration(text: str) -> float:
    """A Go duration such as "1m30s" or "250ms", in seconds."""
    if text == "0":
        return 0.0
    if not re.fullmatch(r"([0-9.]+(ns|us|µs|ms|s|m|h))+", text):
        raise argparse.ArgumentTypeError(f"not a duration: {text}")
    return sum(float(number) * UNITS[unit] for number, unit in re.findall(r"([0-9.]+)(ns|us|µs|ms|s|m|h)", text))


def flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="node-python", prefix_chars="-", allow_abbrev=False)
    for name, kind, default in (
        ("listen", str, "127.0.0.1:0"),
        ("ctl", str, "127.0.0.1:0"),
        ("peers", str, ""),
        ("name", str, "n"),
        ("group", str, "g"),
        ("bytes", int, 64 << 20),
        ("replicas", int, 50),
        ("expire", duration, 0.0),
    ):
        parser.add_argument("-" + name, "--" + name, type=kind, default=default)
    return parser.parse_args()


async def main() -> None:
    options = flags()
    async with cohort.Instance(options.listen, name=options.name, replicas=options.replicas) as node:
        loader = Loader(options.name, options.expire)
        group = node.new_group(options.group, loader, cache_bytes=options.bytes)
        if options.peers:
            node.set_peers(options.peers.split(","), options.listen)
        await Control(options.name, options.listen, node, group, loader).serve(options.ctl)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    try:
        asyncio.run(main())
    except (cohort.CohortError, OSError) as problem:
        sys.exit(f"node-python: {problem}")
