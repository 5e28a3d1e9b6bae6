"""Every case of the shared list of behaviours, through both halves of the face; proof that the runner can fail."""

import asyncio
import json
import pathlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from behaviours import Awaiting, Blocking, Case, Failed
from network import NETWORKS

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "tests" / "behaviours"
CASES = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))["cases"]
MUST_FAIL = json.loads((FOLDER / "must_fail.json").read_text(encoding="utf-8"))["cases"]
# One member alone has no network.
CASES_AND_NETWORKS = [
    pytest.param(case, network, id=f"{case['name']}-{network}")
    for case in CASES
    for network in (NETWORKS if case.get("nodes", 1) > 1 else NETWORKS[:1])
]
FACES = [pytest.param(Blocking, id="blocking"), pytest.param(Awaiting, id="awaiting")]


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop

    async def end() -> None:
        await loop.shutdown_asyncgens()

    asyncio.run_coroutine_threadsafe(end(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(("case", "network"), CASES_AND_NETWORKS)
def test_behaviour(case: dict[str, Any], network: str, face: type[Blocking], loop: asyncio.AbstractEventLoop) -> None:
    if case["name"] in face.skipped:
        print(f"skipped: {case['name']}: {face.skipped[case['name']]}")
        pytest.skip(face.skipped[case["name"]])
    Case(case, face(loop), network).run()


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("case", MUST_FAIL, ids=lambda case: case["name"])
def test_the_runner_fails_where_it_must(
    case: dict[str, Any], face: type[Blocking], loop: asyncio.AbstractEventLoop
) -> None:
    with pytest.raises(Failed) as failed:
        Case(case, face(loop), limit=0.5).run()
    assert failed.value.step == case["fails_at"]
