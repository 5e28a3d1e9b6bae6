"""The parts of the suite, in the order in which they run."""

from collections.abc import Callable

from ..build import Programs
from ..model import Part, Settings
from . import batch, changes, cold, growth, hits, memory, puts, remote, traces, waiting

PARTS: dict[str, Callable[[Settings, Programs], Part]] = {
    "hits": hits.part,
    "memory": memory.part,
    "remote": remote.part,
    "batch": batch.part,
    "cold": cold.part,
    "waiting": waiting.part,
    "changes": changes.part,
    "cluster-changes": changes.cluster_part,
    "traces": traces.part,
    "puts": puts.part,
    "peers": growth.peers_part,
    "entries": growth.entries_part,
}
