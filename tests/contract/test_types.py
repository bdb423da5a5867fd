"""5: each OS type: made, shown, changed in place or replaced as its schema says, deleted."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NET = {"type": "OS::Neutron::Net"}
SUBNET = {
    "type": "OS::Neutron::Subnet",
    "properties": {"network": {"get_resource": "net"}, "cidr": "10.77.0.0/24"},
}
ROUTER = {"type": "OS::Neutron::Router", "properties": {"external_gateway_info": {"network": "public"}}}
INTERFACE = {
    "type": "OS::Neutron::RouterInterface",
    "properties": {"router": {"get_resource": "router"}, "subnet": {"get_resource": "subnet"}},
}
PORT = {
    "type": "OS::Neutron::Port",
    "properties": {"network": {"get_resource": "net"}, "fixed_ips": [{"subnet": {"get_resource": "subnet"}}]},
}
SERVER = {
    "type": "OS::Nova::Server",
    "properties": {"image": "cirros", "flavor": "m1.tiny", "networks": [{"port": {"get_resource": "port"}}]},
}
NETWORKED = {"net": NET, "subnet": SUBNET}
ROUTED = {**NETWORKED, "router": ROUTER, "interface": INTERFACE}
KEY = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() + " story"


@dataclass(frozen=True)
class Story:
    """A resource `it` of a type: its properties, what changes, and what must be seen of it before and after."""

    type: str
    before: dict[str, Any] = field(default_factory=dict)
    change: dict[str, Any] = field(default_factory=dict)
    in_place: bool = True
    around: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, tuple[Any, Any]] = field(default_factory=dict)  # attribute: (before, after)

    def template(self, changed=False):
        properties = {**self.before, **(self.change if changed else {})}
        it = {"type": self.type, "properties": properties}
        return json.dumps({"heat_template_version": "2018-08-31", "resources": {**self.around, "it": it}})


def ref(name):
    return {"get_resource": name}


STORIES = [
    Story("OS::Neutron::Net", {"name": "story-a"}, {"name": "story-b"}, seen={"name": ("story-a", "story-b")}),
    Story("OS::Neutron::Net", {"name": "story", "port_security_enabled": True}, {"port_security_enabled": False},
          seen={"port_security_enabled": (True, False)}),
    Story("OS::Neutron::Subnet", {"network": ref("net"), "cidr": "10.78.0.0/24", "name": "a"}, {"name": "b"},
          around={"net": NET}, seen={"name": ("a", "b"), "cidr": ("10.78.0.0/24", "10.78.0.0/24")}),
    Story("OS::Neutron::Subnet", {"network": ref("net"), "cidr": "10.78.0.0/24"}, {"cidr": "10.79.0.0/24"}, False,
          around={"net": NET}, seen={"cidr": ("10.78.0.0/24", "10.79.0.0/24")}),
    Story("OS::Neutron::Port", {"network": ref("net"), "name": "a"}, {"name": "b"}, around=NETWORKED,
          seen={"name": ("a", "b")}),
    Story("OS::Neutron::Router", {"name": "a"}, {"name": "b", "external_gateway_info": {"network": "public"}},
          seen={"name": ("a", "b")}),
    Story("OS::Neutron::RouterInterface", {"router": ref("router"), "subnet": ref("subnet")},
          around={**NETWORKED, "router": ROUTER}),
    Story("OS::Neutron::FloatingIP", {"floating_network": "public"}, around={}),
    Story("OS::Neutron::FloatingIP", {"floating_network": "public"}, {"port_id": ref("port")},
          around={**ROUTED, "port": {**PORT, "depends_on": "interface"}}),
    Story("OS::Neutron::FloatingIPAssociation", {"floatingip_id": ref("ip"), "port_id": ref("port")},
          around={**ROUTED, "port": PORT,
                  "ip": {"type": "OS::Neutron::FloatingIP", "properties": {"floating_network": "public"}}}),
    Story("OS::Neutron::SecurityGroup", {"name": "story-a", "rules": [{"protocol": "tcp", "port_range_min": 22,
                                                                     "port_range_max": 22}]},
          {"name": "story-b", "rules": [{"protocol": "icmp"}]}, seen={"name": ("story-a", "story-b")}),
    Story("OS::Neutron::SecurityGroupRule", {"security_group": ref("group"), "protocol": "tcp", "port_range_min": 80,
                                           "port_range_max": 80},
          {"port_range_min": 81, "port_range_max": 81}, False,
          around={"group": {"type": "OS::Neutron::SecurityGroup"}}, seen={"port_range_min": (80, 81)}),
    Story("OS::Nova::Server", {**SERVER["properties"], "name": "story-a", "metadata": {"a": "1"}},
          {"name": "story-b", "metadata": {"b": "2"}}, around={**NETWORKED, "port": PORT},
          seen={"name": ("story-a", "story-b"), "metadata": ({"a": "1"}, {"b": "2"})}),
    Story("OS::Nova::Server", {**SERVER["properties"], "networks": [{"network": ref("net")}]}, {"image": "cirros-0.3.5",
          "image_update_policy": "REPLACE"}, False, around=NETWORKED),
    Story("OS::Nova::KeyPair", {"name": "story-key-a", "public_key": KEY}, {"name": "story-key-b"}, False,
          seen={"name": ("story-key-a", "story-key-b")}),
    Story("OS::Nova::ServerGroup", {"name": "story", "policies": ["anti-affinity"]}, {"policies": ["affinity"]}, False),
    Story("OS::Cinder::Volume", {"size": 1, "name": "a"}, {"size": 2, "name": "b"},
          seen={"name": ("a", "b"), "size": (1, 2)}),
    Story("OS::Cinder::VolumeAttachment", {"volume_id": ref("volume"), "instance_uuid": ref("server")},
          around={**NETWORKED, "port": PORT, "server": SERVER,
                  "volume": {"type": "OS::Cinder::Volume", "properties": {"size": 1}}}),
    Story("OS::Heat::ResourceGroup", {"count": 1, "resource_def": NET}, {"count": 3}),
    Story("OS::Heat::RandomString", {"length": 8}, {"length": 12}, False),
    Story("OS::Heat::Value", {"value": "a"}, {"value": "b"}),
]  # fmt: skip


@pytest.mark.parametrize(
    "one", STORIES, ids=lambda one: f"{one.type.replace('::', '_')}-{'-'.join(one.change) or 'as_is'}"
)
def test_5_a_resource_is_made_shown_changed_and_deleted(story, name, one):
    story.create(name, one.template())
    made = story.resources(name)["it"]
    assert (made.status, made.resource_type) == ("CREATE_COMPLETE", one.type)
    told(story, name, {attribute: values[0] for attribute, values in one.seen.items()})
    if one.change:
        story.update(name, one.template(changed=True))
        told(story, name, {attribute: values[1] for attribute, values in one.seen.items()})
        same = story.resources(name)["it"].physical_resource_id == made.physical_resource_id
        assert same is one.in_place
    again = story.resources(name)["it"].status
    assert again in ("UPDATE_COMPLETE", "CREATE_COMPLETE")
    story.delete(name)


def told(story, name, wanted):
    shown = story.show(name, "it")
    shown = {**shown, **(shown.get("show") or {})}  # attributes of Heat's own are text where the service's are not
    assert {key: shown.get(key) for key in wanted} == wanted


@pytest.mark.parametrize(
    "one",
    [
        Story("OS::Nova::Flavor", {"name": "story-a", "ram": 64, "vcpus": 1, "disk": 1}, {"extra_specs": {"a": "b"}}),
        Story(
            "OS::Keystone::User",
            {"name": "story-user", "password": "Sup3r-secret", "description": "a"},
            {"description": "b"},
        ),
    ],
    ids=lambda one: one.type.replace("::", "_"),
)
def test_5_an_administrator_s_resource(admins_project, name, one):
    try:
        admins_project.create(name, one.template())
        made = admins_project.resources(name)["it"]
        admins_project.update(name, one.template(changed=True))
        assert admins_project.resources(name)["it"].physical_resource_id == made.physical_resource_id
    finally:
        admins_project.delete(name)


def test_5_a_container(story, name):
    if not story.sdk.has_service("object-store"):
        pytest.skip("this cloud has no object store")
    one = Story("OS::Swift::Container", {"name": "story-container", "X-Container-Meta": {"web-index": "a"}})
    story.create(name, one.template())
    assert "story-container" in {row.name for row in story.sdk.object_store.containers()}
    story.delete(name)
    assert "story-container" not in {row.name for row in story.sdk.object_store.containers()}


def test_te_22_files_in_a_container_are_as_good_as_files_in_the_body(story, name):
    if not story.sdk.has_service("object-store"):
        pytest.skip("this cloud has no object store")
    store = story.sdk.object_store
    store.create_container(name=name)
    texts = {"one.txt": "from the container", "dir/two é.txt": "zwei", "three.txt": "hidden by the body"}
    try:
        for key, text in texts.items():
            store.upload_object(container=name, name=key, data=text.encode())
        told = {key: {"value": {"get_file": key}} for key in texts}
        template = json.dumps({"heat_template_version": "2018-08-31", "outputs": told})
        body = {"stack_name": name, "template": template, "files": {"three.txt": "body"}, "files_container": name}
        assert story.heat.post("/stacks", json=body).status_code == 201
        story.wait(name, "CREATE_COMPLETE")
        assert story.outputs(name) == {**texts, "three.txt": "body"}
        missing = story.heat.post("/stacks", json={**body, "files_container": f"{name}-none"})
        assert (missing.status_code, "Could not fetch files" in missing.text) == (404, True)
        store.upload_object(container=name, name="large", data=b"x" * (1024 * 1024))
        large = story.heat.post("/stacks", json={**body, "stack_name": f"{name}-2"})
        assert (large.status_code, "exceeds maximum allowed" in large.text) == (400, True)
    finally:
        for row in store.objects(name):
            store.delete_object(row, ignore_missing=True)
        store.delete_container(name)


def test_tr_08_an_external_object_must_be_there(story, name):
    def template(network_id):
        text = {"type": "OS::Neutron::Net", "external_id": network_id}
        return json.dumps({"heat_template_version": "2018-08-31", "resources": {"it": text}})

    missing = "00000000-1111-2222-3333-444444444444"
    answer = story.heat.post("/stacks", json={"stack_name": name, "template": template(missing)})
    assert answer.status_code == 400
    assert f"Resource {missing} (OS::Neutron::Net) can not be found" in answer.text
    public = next(row.id for row in story.sdk.network.networks() if row.is_router_external)
    story.create(name, template(public))
    assert story.resources(name)["it"].physical_resource_id == public


def test_5_nothing_is_made_by_os_heat_none(story, name):
    one = Story("OS::Heat::None", {"anything": "goes"})
    story.create(name, one.template())
