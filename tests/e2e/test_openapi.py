"""The OpenAPI document held against a real Home Assistant by somebody who believes it.

Schemathesis asks what the document allows, and what it does not, and compares each answer.
"""

import asyncio
from pathlib import Path
import sys

import aiohttp
import pytest

from .instance import Client, Instance, demo
from .living_aquarium import complaints

pytestmark = pytest.mark.e2e

EXAMPLES = 12
SEED = 20_260_301
LONGEST = 150
NOT_OURS = (
    # A batch is answered item by item: what is wrong in one of them is no wrong request.
    "negative_data_rejection",
    # What a device can do narrows what is documented for all of them.
    "positive_data_acceptance",
)
FILTER = "components.http.security_filter"
"""Home Assistant warns of addresses that it does not let through."""

CONFIGURATION = """
[parameters]
"path.address" = "{address}"
"path.id" = "known"
"query.device_id" = "{address}"
"""


async def prepared(client: Client) -> str:
    """Set the demo aquarium up with some history; return the id of its doser."""
    await client.flow("aquarist", demo.SIMULATED_ANSWERS)
    await client.call("aquarist", "set_settings", {"rate_limit": 10_000})
    async with client.websocket() as websocket:
        devices = (await websocket.command("aquarist/devices/list"))["devices"]
    for device in devices:
        await client.ask(
            "aquarist",
            "send_command",
            {
                "device_id": device["device_id"],
                "action": "request_status",
                "id": "known",
                "execution": "sync",
            },
        )
    doser = next(one for one in devices if "doser" in one["kind"])
    found: str = doser["device_id"]
    return found


async def test_the_document_is_kept_to(
    instance: Instance, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """No error of the server and no answer that is not documented."""
    instance.start()
    client = await instance.ready(session)
    address = await prepared(client)
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION.format(address=address))
    assert client.tokens is not None

    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        f"--config-file={configuration}",
        "run",
        f"{instance.address}/api/aquarist/openapi.json",
        f"--header=Authorization: Bearer {client.tokens.access_token}",
        "--phases=examples,coverage,fuzzing",
        f"--max-examples={EXAMPLES}",
        f"--exclude-checks={','.join(NOT_OURS)}",
        f"--seed={SEED}",
        "--generation-deterministic",
        "--request-timeout=30",
        "--no-color",
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(LONGEST):
        output, _ = await process.communicate()

    assert process.returncode == 0, output.decode()
    ours = [one for one in complaints(instance.log()) if FILTER not in one]
    assert ours == []
