"""3: a stack of one Isotherm makes stacks in another one: in another cloud, and in another region (heat.md ENGN-09)."""

from __future__ import annotations

import json

import pytest
import yaml
from openstack.exceptions import ResourceNotFound

CHILD = """\
heat_template_version: 2018-08-31
parameters:
  word: {type: string}
  fail: {type: boolean, default: false}
  wait: {type: number, default: 0}
resources:
  thing:
    type: OS::Heat::TestResource
    properties: {value: {get_param: word}, fail: {get_param: fail}, wait_secs: {get_param: wait}}
outputs:
  said: {value: {get_attr: [thing, output]}}
"""
PARENT = """\
heat_template_version: 2018-08-31
parameters:
  context: {type: json}
  given: {type: json}
resources:
  far:
    type: OS::Heat::Stack
    properties:
      context: {get_param: context}
      template: {get_file: child.yaml}
      parameters: {get_param: given}
outputs:
  said: {value: {get_attr: [far, outputs, said]}}
  called: {value: {get_attr: [far, stack_name]}}
"""


class Pair:
    """An Isotherm, and the one that its stacks are made by."""

    def __init__(self, here, there, context, until):
        self.server, self.until, self.context = here, until, context
        self.here, self.there = here.sdk().orchestration, there.sdk().orchestration

    def _body(self, **given):
        return {"template": PARENT, "files": {"child.yaml": CHILD},
                "parameters": {"context": self.context, "given": given}}  # fmt: skip

    def create(self, name, **given):
        self.here.create_stack(name=name, disable_rollback=True, **self._body(**given))

    def update(self, name, **given):
        stack = self.here.get_stack(name)
        answer = self.here.put(f"/stacks/{name}/{stack.id}", json=self._body(**given))
        assert answer.status_code == 202, answer.text

    def ends(self, name):
        """The stack once it rests."""
        self.until(lambda: not self.here.get_stack(name).status.endswith("IN_PROGRESS"))
        return self.here.get_stack(name)

    def outputs(self, name):
        return {one["output_key"]: one["output_value"] for one in self.here.get_stack(name).outputs}

    def far(self, name):
        """The stack that `name` has made there: its reference tells which, and there is no other."""
        (resource,) = [one for one in self.here.resources(self.here.get_stack(name)) if one.name == "far"]
        found = [one for one in self.there.stacks() if one.name.startswith(f"{name}-far-")]
        assert [one.id for one in found] in ([], [resource.physical_resource_id])
        return self.there.get_stack(resource.physical_resource_id)

    def state_there(self, far):
        """Of a stack that may be deleted, which openstacksdk does not show."""
        return self.there.get(f"/stacks/{far.name}/{far.id}").json()["stack"]["stack_status"]

    def act(self, name, **action):
        stack = self.here.get_stack(name)
        answer = self.here.post(f"/stacks/{name}/{stack.id}/actions", json=action)
        assert answer.ok, answer.text
        return self.ends(name).status

    def delete(self, name):
        self.here.delete_stack(self.here.get_stack(name))
        self.until(lambda: self.here.find_stack(name) is None)


def _auth(server):
    return yaml.safe_load(server.clouds_yaml.read_text(encoding="utf-8"))["clouds"]["isotherm"]["auth"]


@pytest.fixture
def other_cloud(fresh_server, until):
    here, there = fresh_server(name="here"), fresh_server(name="there")
    credential = {"auth_type": "v3password", "auth": _auth(there)}
    secret = here.sdk().key_manager.create_secret(
        name="there", payload=json.dumps(credential), payload_content_type="text/plain"
    )
    return Pair(here, there, {"credential_secret_id": secret.secret_ref.rpartition("/")[2]}, until)


@pytest.fixture
def other_region(fresh_server, until, monkeypatch):
    """A second Isotherm on the cloud of the first; the catalogue has it in the region North."""
    here = fresh_server(name="here")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(here.clouds_yaml))
    there = fresh_server(cloud="isotherm-admin", name="there", more="region = North")
    admin = here.sdk(username="admin", password="secret", project_name="admin").identity
    admin.create_region(id="North")
    (service,) = [one for one in admin.services() if one.type == "orchestration"]
    admin.create_endpoint(
        service_id=service.id, interface="public", region_id="North", url=f"{there.url}/v1/%(project_id)s"
    )
    pair = Pair(here, there, {"region_name": "North"}, until)
    sdk = here.sdk()
    pair.there = here.sdk().orchestration
    pair.there.endpoint_override = f"{there.url}/v1/{sdk.current_project_id}"
    return pair


def test_3_engn_09_a_stack_in_another_cloud_from_its_making_to_its_end(other_cloud, name):
    pair = other_cloud
    pair.create(name, word="hello")
    assert pair.ends(name).status == "CREATE_COMPLETE"
    far = pair.far(name)
    assert (far.status, pair.outputs(name)) == ("CREATE_COMPLETE", {"said": "hello", "called": far.name})

    pair.update(name, word="bye")
    pair.until(lambda: pair.here.get_stack(name).status == "UPDATE_COMPLETE")
    assert pair.outputs(name)["said"] == "bye"
    assert (pair.far(name).id, pair.far(name).status) == (far.id, "UPDATE_COMPLETE")

    for action in ("suspend", "resume", "check"):
        assert pair.act(name, **{action: None}) == f"{action.upper()}_COMPLETE"
        assert pair.far(name).status == f"{action.upper()}_COMPLETE"

    pair.delete(name)
    assert pair.state_there(far) == "DELETE_COMPLETE"
    assert pair.there.find_stack(far.name) is None


def test_3_engn_09_what_fails_there_is_told_here(other_cloud, name):
    pair = other_cloud
    pair.create(name, word="x", fail=True)
    failed = pair.ends(name)
    assert failed.status == "CREATE_FAILED"
    assert "resources.far: The stack " in failed.status_reason
    assert (
        "went to CREATE_FAILED: Resource CREATE failed: resources.thing: Test Resource failed" in failed.status_reason
    )
    pair.delete(name)
    assert [one for one in pair.there.stacks() if one.name.startswith(name)] == []


def test_3_engn_09_a_template_that_is_refused_there(other_cloud, name):
    pair = other_cloud
    pair.create(name, no_such_parameter="x")
    failed = pair.ends(name)
    assert failed.status == "CREATE_FAILED"
    assert "Heat refused POST /stacks" in failed.status_reason
    assert "word" in failed.status_reason


def test_3_engn_09_a_snapshot_reaches_there_and_back(other_cloud, name):
    pair = other_cloud
    pair.create(name, word="then")
    pair.ends(name)
    stack = pair.here.get_stack(name)
    taken = pair.here.post(f"/stacks/{name}/{stack.id}/snapshots", json={"name": "s"}).json()
    assert pair.ends(name).status == "SNAPSHOT_COMPLETE"
    far = pair.far(name)
    snapshots = f"/stacks/{far.name}/{far.id}/snapshots"
    assert len(pair.there.get(snapshots).json()["snapshots"]) == 1
    pair.update(name, word="now")
    pair.until(lambda: pair.here.get_stack(name).status == "UPDATE_COMPLETE")
    assert pair.outputs(name)["said"] == "now"
    pair.here.post(f"/stacks/{name}/{stack.id}/snapshots/{taken['id']}/restore")
    pair.until(lambda: pair.here.get_stack(name).status == "RESTORE_COMPLETE")
    assert pair.outputs(name)["said"] == "then"
    pair.here.delete(f"/stacks/{name}/{stack.id}/snapshots/{taken['id']}")
    assert pair.there.get(snapshots).json()["snapshots"] == []
    pair.delete(name)


def test_3_engn_09_killed_in_the_middle_it_goes_on_and_nothing_is_made_twice(other_cloud, name):
    pair = other_cloud
    pair.create(name, word="x", wait=3)
    pair.until(lambda: [one for one in pair.there.stacks() if one.name.startswith(name)])
    pair.server.kill9()
    pair.server.start()
    pair.here = pair.server.sdk().orchestration
    assert pair.ends(name).status == "CREATE_COMPLETE"
    assert pair.far(name).status == "CREATE_COMPLETE"


def test_3_engn_09_a_secret_that_there_is_not_is_told(other_cloud, name):
    pair = other_cloud
    pair.context = {"credential_secret_id": "11111111-2222-3333-4444-555555555555"}
    pair.create(name, word="x")
    assert "Barbican refused" in pair.ends(name).status_reason


def test_3_engn_09_a_stack_in_another_region(other_region, name):
    pair = other_region
    pair.create(name, word="hello")
    assert pair.ends(name).status == "CREATE_COMPLETE"
    assert pair.outputs(name)["said"] == "hello"
    far = pair.far(name)
    with pytest.raises(ResourceNotFound):
        pair.here.get_stack(far.id)
    pair.delete(name)
    assert pair.state_there(far) == "DELETE_COMPLETE"


def test_3_engn_09_another_place_is_another_stack(other_region, name):
    pair = other_region
    pair.create(name, word="hello")
    pair.ends(name)
    far = pair.far(name)
    pair.context = {}
    pair.update(name, word="hello")
    pair.until(lambda: pair.here.get_stack(name).status == "UPDATE_COMPLETE")
    assert pair.outputs(name)["said"] == "hello"
    assert pair.state_there(far) == "DELETE_COMPLETE"
    (resource,) = pair.here.resources(pair.here.get_stack(name))
    assert pair.here.get_stack(resource.physical_resource_id).name.startswith(f"{name}-far-")


def test_3_engn_09_a_region_that_there_is_not_is_told(server, name, until):
    pair = Pair(server, server, {"region_name": "Atlantis"}, until)
    pair.create(name, word="x")
    assert "no orchestration service in region Atlantis" in pair.ends(name).status_reason
