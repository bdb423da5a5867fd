"""What contract stories stand on: a project of a cloud, and the promise that it is left as it was found.

A story runs alike on the simulator and on the cloud that OS_CLOUD names; where they differ, the simulator is wrong.
"""

from __future__ import annotations

import contextlib
import os
import time

import pytest

REAL = bool(os.environ.get("OS_CLOUD"))
SECONDS = 240.0 if REAL else 30.0
EVERY = 0.5 if REAL else 0.05


def pytest_collection_modifyitems(items):
    for item in items:
        if "contract" in item.path.parts and not item.get_closest_marker("cloud_only"):
            item.add_marker(pytest.mark.cloud)


def bears(row, name):
    """Whether an object says that it belongs to the stack: by its name, or its mark where it has no name."""
    return name in " ".join(
        [row.name or "", getattr(row, "description", None) or "", *(getattr(row, "tags", ()) or ())]
    )


class Project:
    """One project of the cloud, its stacks through both APIs, and its objects through the SDK."""

    def __init__(self, server, **auth):
        self.server, self.sdk = server, server.sdk(**auth)
        self.heat = self.sdk.orchestration
        self._aws = None

    @property
    def aws(self):
        self._aws = self._aws or self.server.boto3()
        return self._aws

    def inventory(self, name):
        """(kind, id) of everything of the project that the stacks of a story could have made.

        On a real cloud others may work in the project at the same time: there, what bears the story's name.
        """
        mine = {"project_id": self.sdk.current_project_id}
        net = self.sdk.network
        kinds = {
            "networks": net.networks(**mine), "subnets": net.subnets(**mine), "routers": net.routers(**mine),
            "subnet pools": net.subnet_pools(**mine), "floating ips": net.ips(**mine),
            "security groups": net.security_groups(**mine), "servers": self.sdk.compute.servers(),
            "key pairs": self.sdk.compute.keypairs(), "server groups": self.sdk.compute.server_groups(),
            "volumes": self.sdk.block_storage.volumes(),
            "ports": (p for p in net.ports(**mine) if p.device_owner != "network:dhcp"),
        }  # fmt: skip
        return {(kind, row.id) for kind, rows in kinds.items() for row in rows if not REAL or bears(row, name)}

    def wait(self, name, status, seconds=SECONDS):
        """The stack, once it has the status. Another final status fails the story, with the reason."""
        deadline = time.monotonic() + seconds
        while True:
            stack = self.heat.get_stack(name)
            if stack.status == status:
                return stack
            going_on = stack.status.endswith("IN_PROGRESS") or stack.status.split("_")[0] != status.split("_")[0]
            assert going_on, f"{name} is {stack.status}: {stack.status_reason}\n{self.failures(name)}"
            assert time.monotonic() < deadline, f"{name} is still {stack.status} after {seconds} s"
            time.sleep(EVERY)

    def failures(self, name):
        rows = self.heat.get(f"/stacks/{name}/{self.heat.get_stack(name).id}/resources?nested_depth=5").json()
        return [
            (r["resource_name"], r["resource_status_reason"])
            for r in rows["resources"]
            if "FAILED" in r["resource_status"]
        ]

    def create(self, name, template, **options):
        self.heat.create_stack(name=name, template=template, **options)
        return self.wait(name, "CREATE_COMPLETE")

    def update(self, name, template, **options):
        stack = self.heat.get_stack(name)
        answer = self.heat.put(f"/stacks/{name}/{stack.id}", json={"template": template, **options})
        assert answer.status_code == 202, answer.text
        return self.wait(name, "UPDATE_COMPLETE")

    def delete(self, name, seconds=SECONDS):
        stack = self.heat.find_stack(name)
        if stack is None:
            return
        self.heat.delete_stack(stack)
        deadline = time.monotonic() + seconds
        while (gone := self.heat.find_stack(name)) is not None:
            assert gone.status != "DELETE_FAILED", f"{name}: {gone.status_reason}\n{self.failures(name)}"
            assert time.monotonic() < deadline, f"{name} is not deleted after {seconds} s"
            time.sleep(EVERY)

    def resources(self, name):
        return {row.name: row for row in self.heat.resources(self.heat.get_stack(name))}

    def show(self, name, resource):
        """The resource's live attributes."""
        stack = self.heat.get_stack(name)
        answer = self.heat.get(f"/stacks/{name}/{stack.id}/resources/{resource}")
        assert answer.ok, answer.text
        return answer.json()["resource"]["attributes"]

    def outputs(self, name):
        return {row["output_key"]: row["output_value"] for row in self.heat.get_stack(name).outputs or ()}


@pytest.fixture(scope="module")
def project(cloud_target):
    return Project(cloud_target)


@pytest.fixture(scope="module")
def admins_project(cloud_target):
    """The administrator's project; where there is none to be had, the story is skipped."""
    if REAL and os.environ["OS_CLOUD"] != "admin":
        pytest.skip("needs an administrator: OS_CLOUD=admin")
    return (
        Project(cloud_target)
        if REAL
        else Project(cloud_target, username="admin", password="secret", project_name="admin")
    )


@pytest.fixture
def story(project, name):
    """A project and a stack name; afterwards the stack is deleted and nothing is left of it."""
    with left_as_found(project, name):
        yield project


@contextlib.contextmanager
def left_as_found(project, name):
    """Stacks whose names begin so are deleted in the end, and the project holds what it held before."""
    before = project.inventory(name)
    yield
    stacks = [row for row in project.heat.stacks() if row.name.startswith(name)]
    for stack in stacks:  # all begin before the first one is waited for
        project.heat.delete_stack(stack)
    for stack in stacks:
        project.delete(stack.name)
    deadline = time.monotonic() + 15
    while left := project.inventory(name) - before:
        assert time.monotonic() < deadline, f"left over: {sorted(left)}"
        time.sleep(EVERY)


@pytest.fixture
def denying(fresh_server):
    """`denying(**auth)`: a project of a server with public_subnet_snat = deny."""

    def start(**auth):
        server = fresh_server(
            cloud=os.environ.get("OS_CLOUD"), settle=20.0 if REAL else 2.0,
            more="[mapping]\npublic_subnet_snat = deny",
        )  # fmt: skip
        return Project(server, **auth)

    return start


@pytest.fixture
def nothing_refused(cloud_target):
    """The cloud refuses nothing that is asked from here to the end of the story. Looking for what may not be there,
    deleting what has gone with something else, and trying whether anything is left in the pool of the fabric networks
    are no refusals. Only the simulator tells."""
    if REAL:
        yield
        return
    cloud_target.simulator("reset-requests", "POST")
    yield
    rows = cloud_target.simulator("requests", params={"min_status": 400})["requests"]
    assert [
        (row["method"], row["path"], row["status"])
        for row in rows
        if row["method"] != "GET"
        and (row["method"], row["status"]) != ("DELETE", 404)
        and (row["method"], row["path"].rpartition("/")[0], row["status"]) != ("DELETE", "/v2.0/subnetpools", 400)
    ] == []
