"""Members: owners, TLS, rings, transports of the program's own, logs, statistics, and peers that come and go."""

import asyncio
import concurrent.futures
import logging
import pathlib
import subprocess
import zlib
from typing import Any

import pytest

import cohort
from cohort._wait import Waiter
from cohort.testing import Cluster, Counting, free_address
from conftest import wait_until


def test_each_key_is_loaded_once_by_its_owner() -> None:
    with Cluster(3) as cluster:
        loads = [Counting(lambda key, member=member: f"{member}:{key}") for member in range(3)]
        groups = cluster.new_group("g", lambda member: loads[member], codec=cohort.TEXT)
        for i in range(60):
            key = f"k{i}"
            owner = cluster.owner(key)
            assert {group.get(key) for group in groups} == {f"{owner}:{key}"}
            assert [load.count(key) for load in loads] == [int(member == owner) for member in range(3)]
        asker = groups[0]
        key = cluster.key_of(1)
        asker.get(key)
        assert asker.get_entry(key).source is cohort.Source.HOT
        assert groups[1].get_entry(key).source is cohort.Source.MAIN
        assert asker.stats().peer_loads > 0
        assert groups[1].stats().served_to_peers > 0


def test_who_waits_alone_is_lent_unless_others_need_its_thread() -> None:
    """The main thread must hear of signals, and another thread takes the place of a getter's thread that waits."""
    lends: dict[str, bool] = {}

    def ask(name: str, group: cohort.Group[str], others: list[str]) -> str:
        lends[name] = Waiter.lends()
        return "".join(group.get(key) for key in others)

    with Cluster(2) as cluster:
        inner = cluster.new_group("inner", lambda member: lambda key: f"{member}:{key} ", codec=cohort.TEXT)
        others = [cluster.key_of(1, f"{i}-") for i in range(10)]
        outer = cluster.new_group(
            "outer", lambda member: lambda key: ask(f"getter of {member}", inner[0], others), codec=cohort.TEXT
        )
        expected = "".join(f"1:{key} " for key in others)
        assert ask("main", inner[0], others) == expected
        for group in inner:
            group.remove_many(others)
        with concurrent.futures.ThreadPoolExecutor(1) as one:
            assert one.submit(ask, "another", inner[0], others).result() == expected
        for group in inner:
            group.remove_many(others)
        assert outer[0].get(cluster.key_of(1, "outer-")) == expected
    assert lends == {"main": False, "another": True, "getter of 1": False}


def test_get_many_hands_out_what_an_owner_sends_as_it_hands_out_hits() -> None:
    def value(key: str) -> bytes:
        if key.startswith("absent"):
            raise cohort.NotFound
        return b"\xff" if key.startswith("binary") else f"{key}!".encode()

    with Cluster(2) as cluster:
        cluster[1].new_group("g", value)
        reader = cluster[0].new_group("g", codec=cohort.TEXT)
        keys = [cluster.key_of(1, f"{i}-") for i in range(200)]
        absent, binary = cluster.key_of(1, "absent-"), cluster.key_of(1, "binary-")
        for _ in range(2):
            assert reader.get_many([*keys, absent]) == {key: f"{key}!" for key in keys}
        with pytest.raises(UnicodeDecodeError):
            reader.get_many([keys[0], binary])


def test_the_exception_says_which_peer_did_not_hear() -> None:
    with Cluster(2, logger=None) as cluster:
        groups = cluster.new_group("g", lambda member: lambda key: b"v")
        key = cluster.key_of(1)
        cluster.stop(1)
        with pytest.raises(cohort.Unreachable, match=cluster.addresses[1]) as caught:
            groups[0].remove(key)
        assert isinstance(caught.value, ConnectionError)
        assert groups[0].get(key) == b"v", "it is loaded here"
        cluster.start(1)


def test_inproc_members() -> None:
    with Cluster(3, network="inproc") as cluster:
        groups = cluster.new_group("g", lambda member: lambda key: b"%d" % member)
        for member in range(3):
            assert {group.get(cluster.key_of(member)) for group in groups} == {b"%d" % member}


@pytest.mark.parametrize(
    "options",
    [
        {"ring": cohort.Ring.XXH3},
        {"ring": cohort.Ring.GROUPCACHE, "replicas": 3},
        {"hash": zlib.crc32},
        {"base_path": "/x/"},
    ],
    ids=["xxh3", "groupcache", "hash", "path"],
)
def test_rings_and_paths(options: dict[str, Any]) -> None:
    with Cluster(3, **options) as cluster:
        groups = cluster.new_group("g", lambda member: lambda key: b"%d" % member)
        for i in range(30):
            assert {group.get(f"k{i}") for group in groups} == {b"%d" % cluster.owner(f"k{i}")}
        assert len({cluster.owner(f"k{i}-key") for i in range(200)}) == 3


def test_owners_need_peers(node: cohort.Instance) -> None:
    assert node.owner("a") == ""
    node.set_peers(["10.0.0.1:1", "10.0.0.2:1"], "10.0.0.2:1")
    assert {node.owner(f"k{i}-key") for i in range(100)} == {"10.0.0.1:1", "10.0.0.2:1"}
    with pytest.raises(cohort.InvalidArgument, match=r"10\.0\.0\.3:1"):
        node.set_peers(["10.0.0.1:1"], "10.0.0.3:1")
    with pytest.raises(TypeError, match="several strings"):
        node.set_peers("10.0.0.1:1")
    node.set_peers([])
    assert node.owner("a") == ""


def test_tls(tmp_path: pathlib.Path) -> None:
    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority")  # fmt: skip
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "node.key",
            "-out", "node.csr", "-subj", "/CN=node")  # fmt: skip
    (tmp_path / "ext").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "node.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "ext", "-out", "node.pem")  # fmt: skip
    mutual = cohort.TLS(str(tmp_path / "ca.pem"), str(tmp_path / "node.pem"), str(tmp_path / "node.key"), True)
    with Cluster(2, transport=cohort.Transport.http(tls=mutual), logger=None) as cluster:
        groups = cluster.new_group("g", lambda member: lambda key: b"%d" % member)
        assert groups[0].get(cluster.key_of(1)) == b"1"
        stranger = cohort.TLS(str(tmp_path / "ca.pem"))
        with cohort.Instance(transport=cohort.Transport.http(tls=stranger), logger=None) as outside:
            outside.set_peers([cluster.addresses[1], "127.0.0.1:1"], "127.0.0.1:1")
            group = outside.new_group("g", lambda key: b"outside")
            key = next(f"k{i}-key" for i in range(1000) if outside.owner(f"k{i}-key") == cluster.addresses[1])
            assert group.get(key) == b"outside", "without a certificate nobody answers"
    with pytest.raises(OSError, match=r"nowhere\.pem"):
        cohort.Instance(
            "127.0.0.1:0", transport=cohort.Transport.http(tls=cohort.TLS("nowhere.pem", "nowhere.pem", "nowhere.key"))
        )


def test_limits_are_checked() -> None:
    cohort.Transport.http(max_connections_per_peer=4, connect_timeout=0.5, idle_timeout=1, request_timeout=5)
    with pytest.raises(ValueError, match=r"^max_connections_per_peer: 0; it must be from 1 to"):
        cohort.Transport.http(max_connections_per_peer=0)
    with pytest.raises(ValueError, match=r"^connect_timeout: milliseconds 0; it must be from 1 to"):
        cohort.Transport.http(connect_timeout=0)


@pytest.mark.parametrize("kind", ["function", "coroutine"])
def test_a_transport_that_carries_calls(kind: str) -> None:
    members: dict[str, cohort.Group[bytes]] = {}
    ops: list[cohort.Op] = []

    def answer(request: cohort.Request) -> Any:
        ops.append(request.op)
        if request.peer not in members:
            raise ConnectionError(f"nobody is called {request.peer}")
        group = members[request.peer]
        assert request.group == "g"
        assert request.time_left > 0
        match request.op:
            case cohort.Op.GET:
                try:
                    entry = group.local_get(request.key)
                except RuntimeError as error:
                    raise cohort.LoadError(str(error)) from error
                return cohort.Expiring(entry.value, expires_at=entry.expires_at)
            case cohort.Op.SET:
                group.local_set(request.key, request.data, expires_at=request.expires_at)
            case _:
                for key in request.keys:
                    group.local_remove(key)

    async def aanswer(request: cohort.Request) -> Any:
        if request.op is not cohort.Op.GET or request.peer not in members:
            return answer(request)
        ops.append(request.op)
        try:
            entry = await members[request.peer].alocal_get(request.key)
        except RuntimeError as error:
            raise cohort.LoadError(str(error)) from error
        return cohort.Expiring(entry.value, expires_at=entry.expires_at)

    def getter(key: str) -> Any:
        if key.startswith("missing"):
            raise cohort.NotFound(key)
        if key.startswith("fail"):
            raise RuntimeError(key)
        return cohort.Expiring(key.encode(), ttl=60)

    transport = cohort.Transport.calls(answer if kind == "function" else aanswer)
    names = ["first", "second"]
    nodes = [cohort.Instance(transport=transport, logger=None) for _ in names]
    try:
        for name, node in zip(names, nodes, strict=True):
            node.set_peers([*names, "gone"], name)
            members[name] = node.new_group("g", getter)

        def key_of(owner: str, prefix: str) -> str:
            return next(key for i in range(10_000) if nodes[0].owner(key := f"{prefix}{i}-key") == owner)

        asker = members["first"]
        entry = asker.get_entry(key_of("second", "k"))
        assert (entry.value, entry.source) == (key_of("second", "k").encode(), cohort.Source.PEER)
        assert entry.expires_at is not None
        with pytest.raises(cohort.NotFound):
            asker.get(key_of("second", "missing"))
        with pytest.raises(cohort.LoadError, match="fail"):
            asker.get(key_of("second", "fail"))
        assert asker.get(key_of("gone", "k")) == key_of("gone", "k").encode(), "it is loaded here"
        with pytest.raises(cohort.Unreachable, match="gone"):
            asker.set(key_of("second", "k"), b"set")
        assert members["second"].peek(key_of("second", "k")) == b"set"
        with pytest.raises(cohort.Unreachable, match="gone"):
            asker.remove_many([key_of("second", "k")])
        assert members["second"].peek(key_of("second", "k")) is None
        assert {cohort.Op.GET, cohort.Op.SET, cohort.Op.REMOVE_KEYS} <= set(ops)
    finally:
        for node in nodes:
            node.close(0)


def test_a_transport_that_carries_http_requests() -> None:
    members: dict[str, cohort.Instance] = {}

    def send(request: cohort.Request) -> cohort.Response:
        assert request.op is cohort.Op.RAW
        assert request.target.startswith("/_groupcache/") or request.target.startswith("/_cohort")
        return members[request.peer].handle_request(request.method, request.target, request.headers, request.data)

    transport = cohort.Transport.raw(send)
    names = ["first", "second"]
    try:
        for name in names:
            members[name] = cohort.Instance(transport=transport)
            members[name].set_peers(names, name)
        groups = {
            name: node.new_group("g", lambda key, name=name: f"{name}:{key}".encode()) for name, node in members.items()
        }
        for i in range(20):
            owner = members["first"].owner(f"k{i}")
            assert {group.get(f"k{i}") for group in groups.values()} == {f"{owner}:k{i}".encode()}
        groups["first"].set("k1", b"set")
        assert groups["second"].get("k1") == b"set"
    finally:
        for node in members.values():
            node.close(0)


def test_lines_go_to_logging(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("test.cohort")
    with caplog.at_level(logging.WARNING, "test.cohort"):
        nobody = free_address()
        with cohort.Instance("127.0.0.1:0", logger=logger) as node:
            node.set_peers([node.address, nobody])
            group = node.new_group("g", lambda key: b"v")
            key = next(f"k{i}-key" for i in range(1000) if node.owner(f"k{i}-key") == nobody)
            assert group.get(key) == b"v"
            wait_until(lambda: nobody in caplog.text, "the log names the peer that cannot be reached")
    assert {record.name for record in caplog.records} == {"test.cohort"}
    assert {record.levelno for record in caplog.records} <= {logging.WARNING, logging.ERROR}


def test_peers_change_while_gets_run() -> None:
    with Cluster(3, logger=None) as cluster:
        groups = cluster.new_group("g", lambda member: lambda key: key.encode())

        async def main() -> None:
            async def gets(worker: int) -> None:
                for i in range(300):
                    assert await groups[0].aget(f"{worker}-{i}") == b"%d-%d" % (worker, i)

            async def changes() -> None:
                for count in (1, 3, 2, 3, 1, 3):
                    for member in range(count):
                        cluster[member].set_peers(cluster.addresses[:count], cluster.addresses[member])
                    await asyncio.sleep(0.005)

            await asyncio.gather(changes(), *(gets(worker) for worker in range(5)))

        asyncio.run(main())


def test_a_member_without_a_getter_reads_what_others_load() -> None:
    with Cluster(2) as cluster:
        reader = cluster[0].new_group("g")
        cluster[1].new_group("g", lambda key: b"v")
        assert reader.get(cluster.key_of(1)) == b"v"
        with pytest.raises(cohort.NoGetter):
            reader.get(cluster.key_of(0))


def test_a_name_is_taken_once(node: cohort.Instance) -> None:
    node.new_group("g")
    with pytest.raises(cohort.AlreadyExists, match="'g'"):
        node.new_group("g")
    with pytest.raises(cohort.InvalidArgument):
        node.new_group("a/b")
