"""The knobs: faults, delays, the request log, counts of objects."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.simulator.conftest import Cloud, User


async def _knob(cloud: Cloud, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    async with cloud.session.request(method, f"{cloud.sim.url}/simulator{path}", json=body) as response:
        return response.status, await response.json() if response.content_length else None


async def test_status_for_the_second_and_third_request_only(cloud: Cloud, demo: User) -> None:
    fault = {"service": "network", "method": "POST", "path": "/networks$", "status": 429, "retry_after": 2,
             "skip": 1, "count": 2}  # fmt: skip
    assert (await _knob(cloud, "POST", "/faults", fault))[0] == 201
    answers = [await demo.net("POST", "/networks", {"network": {"name": f"n{n}"}}) for n in range(4)]
    assert [answer.status for answer in answers] == [201, 429, 429, 201]
    assert answers[1].headers["retry-after"] == "2"
    assert len((await demo.net("GET", "/networks")).body["networks"]) == 4  # with private and public


async def test_lost_answer_is_carried_out(cloud: Cloud, demo: User) -> None:
    fault = {"effect": "lost_answer", "service": "network", "method": "POST", "count": 1}
    await _knob(cloud, "POST", "/faults", fault)
    with pytest.raises(aiohttp.ClientError):
        await demo.net("POST", "/networks", {"network": {"name": "made"}})
    assert len((await demo.net("GET", "/networks?name=made")).body["networks"]) == 1


async def test_hanging_request_is_not_carried_out(cloud: Cloud, demo: User) -> None:
    fault = {"effect": "hang", "seconds": 0.01, "service": "network", "method": "POST", "count": 1}
    await _knob(cloud, "POST", "/faults", fault)
    with pytest.raises(aiohttp.ClientError):
        await demo.net("POST", "/networks", {"network": {"name": "made"}})
    assert (await demo.net("GET", "/networks?name=made")).body["networks"] == []


async def test_half_done_server_goes_to_error_with_its_reason(cloud: Cloud, demo: User) -> None:
    fault = {"effect": "half_done", "service": "compute", "method": "POST", "path": "/servers$", "message": "No host."}
    await _knob(cloud, "POST", "/faults", fault)
    seed = cloud.sim.seed
    body = {"name": "s", "imageRef": seed.images["cirros"], "flavorRef": "1",
            "networks": [{"uuid": seed.networks["private"]}]}  # fmt: skip
    server = (await demo.ok("POST", "/compute/v2.1/servers", {"server": body}))["server"]["id"]
    cloud.clock.advance(1)
    shown = (await demo.ok("GET", f"/compute/v2.1/servers/{server}"))["server"]
    assert (shown["status"], shown["fault"]["message"]) == ("ERROR", "No host.")


async def test_faults_are_listed_and_removed(cloud: Cloud, demo: User) -> None:
    number = (await _knob(cloud, "POST", "/faults", {"service": "network"}))[1]["id"]
    assert (await demo.net("GET", "/networks")).status == 503
    assert (await _knob(cloud, "GET", "/faults"))[1]["faults"][0]["hit"] == 1
    await _knob(cloud, "DELETE", f"/faults/{number}")
    assert (await demo.net("GET", "/networks")).status == 200


@pytest.mark.parametrize("fault", [{"bogus": 1}, {"effect": "zz"}, {"path": "("}, []])
async def test_bad_faults_are_refused(cloud: Cloud, fault: Any) -> None:
    assert (await _knob(cloud, "POST", "/faults", fault))[0] == 400


async def test_request_log(cloud: Cloud, demo: User) -> None:
    await _knob(cloud, "POST", "/reset-requests")
    await demo.net("GET", "/networks?name=a")
    await demo.net("GET", "/networks/none")
    rows = (await _knob(cloud, "GET", "/requests"))[1]["requests"]
    assert [(row["method"], row["path"], row["status"]) for row in rows] == [
        ("GET", "/v2.0/networks", 200), ("GET", "/v2.0/networks/none", 404)]  # fmt: skip
    assert len((await _knob(cloud, "GET", "/requests?min_status=400"))[1]["requests"]) == 1


async def test_counts_of_a_project(cloud: Cloud, demo: User) -> None:
    before = (await _knob(cloud, "GET", "/objects?project=demo"))[1]["objects"]
    network = await demo.make("/networks", name="n")
    during = (await _knob(cloud, "GET", "/objects?project=demo"))[1]["objects"]
    await demo.net("DELETE", f"/networks/{network['id']}")
    after = (await _knob(cloud, "GET", "/objects?project=demo"))[1]["objects"]
    assert during["network/networks"] == before["network/networks"] + 1
    assert after == before


async def test_build_time_can_be_set(cloud: Cloud, demo: User) -> None:
    await _knob(cloud, "PUT", "/settings", {"build_seconds": 0})
    volume = (await demo.ok("POST", f"/volume/v3/{demo.project_id}/volumes", {"volume": {"size": 1}}))["volume"]["id"]
    shown = await demo.ok("GET", f"/volume/v3/{demo.project_id}/volumes/{volume}")
    assert shown["volume"]["status"] == "available"
