"""What is there from the beginning, as on a test cloud. Ids are derived from names: the same in every new cloud."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulator.ids import stable_hex, stable_id
from simulator.settings import Settings
from simulator.store import Obj

if TYPE_CHECKING:
    from simulator.services import Services

_USER_ROLES = ("member", "reader", "heat_stack_owner", "creator", "load-balancer_member", "swiftoperator")
_ROLES = ("admin", "service", *_USER_ROLES, "heat_stack_user", "ResellerAdmin")
_IMMUTABLE = frozenset({"admin", "member", "reader"})
_PROJECTS = ("admin", "service", "demo", "alt_demo")
_IMAGES = ("cirros", "cirros-0.3.5", "ubuntu-22.04", "ubuntu-24.04", "debian-12")
#: name, id, MiB, GiB, processors: DevStack's.
_FLAVORS = (
    ("m1.tiny", "1", 512, 1, 1), ("m1.small", "2", 2048, 20, 1), ("m1.medium", "3", 4096, 40, 2),
    ("m1.large", "4", 8192, 80, 4), ("m1.xlarge", "5", 16384, 160, 8), ("m1.nano", "42", 192, 1, 1),
    ("m1.micro", "84", 256, 1, 1),
)  # fmt: skip
_PUBLIC_KEY = "ssh-rsa " + base64.b64encode(
    b"\x00\x00\x00\x07ssh-rsa\x00\x00\x00\x03\x01\x00\x01\x00\x00\x01\x01\x00\x88" + bytes(254) + b"\x01"
).decode() + " simulated"  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seed:
    """Who and what is there, for those who write `clouds.yaml` and the like."""

    region: str = "RegionOne"
    domain_id: str = "default"
    users: dict[str, str] = field(default_factory=dict)  # name → id
    passwords: dict[str, str] = field(default_factory=dict, repr=False)
    projects: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    service_user: str = "isotherm"
    ec2_access: str = ""
    ec2_secret: str = field(default="", repr=False)
    networks: dict[str, str] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    flavors: dict[str, str] = field(default_factory=dict)


def make_seed(settings: Settings) -> Seed:
    """The names and ids for these settings."""
    passwords = {
        "admin": "secret", "demo": "demo", "alt_demo": "demo", settings.service_user: settings.service_password,
    }  # fmt: skip
    return Seed(
        region=settings.region,
        users={name: stable_hex(f"user/{name}") for name in passwords},
        passwords=passwords,
        projects={name: stable_hex(f"project/{name}") for name in _PROJECTS},
        roles={name: stable_hex(f"role/{name}") for name in _ROLES},
        service_user=settings.service_user,
        ec2_access=settings.ec2_access,
        ec2_secret=settings.ec2_secret,
        networks={name: stable_id(f"network/{name}") for name in ("public", "private")},
        images={name: stable_id(f"image/{name}") for name in _IMAGES},
        flavors={name: flavor_id for name, flavor_id, *_ in _FLAVORS},
    )


def plant(services: Services, seed: Seed) -> None:
    """Fill an empty cloud; in one that has been used only passwords of the settings are set anew."""
    world = services.world
    identity = services.identity
    fresh = "done" not in world.table("seed")
    if fresh:
        _plant_identity(services, seed)
        _plant_network(services, seed)
        _plant_compute(services, seed)
        _plant_images(services, seed)
        _plant_volumes(services)
        world.table("seed").put({"id": "done"})
    from simulator.identity.auth import password_hash

    user = identity.users.get(seed.users[seed.service_user])
    if user is not None:
        user["_password"] = password_hash(user["id"], seed.passwords[seed.service_user])
        identity.users.put(user)
    identity.credentials.add_key(seed.users["demo"], seed.projects["demo"], seed.ec2_access, seed.ec2_secret)
    for kind, name, url in (
        ("identity", "keystone", "{base}/identity/v3"),
        ("compute", "nova", "{base}/compute/v2.1"),
        ("network", "neutron", "{base}/networking"),
        ("image", "glance", "{base}/image"),
        ("volumev3", "cinderv3", "{base}/volume/v3/%(project_id)s"),
        ("block-storage", "cinder", "{base}/volume/v3/%(project_id)s"),
        ("object-store", "swift", "{base}/object-store/v1/AUTH_%(project_id)s"),
        ("placement", "placement", "{base}/placement"),
        ("key-manager", "barbican", "{base}/key-manager/v1"),
    ):
        identity.put_service(kind, name, url)


def _plant_identity(services: Services, seed: Seed) -> None:
    from simulator.identity.auth import password_hash

    identity = services.identity
    identity.domains.put(
        {
            "id": "default",
            "name": "Default",
            "description": "The default domain",
            "enabled": True,
            "tags": [],
            "options": {},
        }
    )
    identity.region_list.table.put({"id": seed.region, "description": "", "parent_region_id": None})
    for name, role_id in seed.roles.items():
        options = {"immutable": True} if name in _IMMUTABLE else {}
        row: Obj = {"id": role_id, "name": name, "domain_id": None, "description": None, "options": options}
        identity.roles.put(row)
    for name, project_id in seed.projects.items():
        row = {"id": project_id, "name": name, "domain_id": "default", "description": "", "enabled": True}
        identity.projects.put(row | {"parent_id": "default", "is_domain": False, "tags": [], "options": {}})
    for name, user_id in seed.users.items():
        row = {"id": user_id, "name": name, "domain_id": "default", "enabled": True, "password_expires_at": None}
        identity.users.put(row | {"options": {}, "_password": password_hash(user_id, seed.passwords[name])})

    def give(user: str, project: str, *roles: str) -> None:
        for role in roles:
            identity.assignments.give("users", seed.users[user], "projects", seed.projects[project], seed.roles[role])

    give("admin", "admin", "admin", *_USER_ROLES)
    give("admin", "demo", "admin")
    give("demo", "demo", *_USER_ROLES)
    give("alt_demo", "alt_demo", *_USER_ROLES)
    give(seed.service_user, "service", "admin", "service")
    for role in ("admin", "member"):
        identity.assignments.give(
            "users", seed.users[seed.service_user], "domains", "default", seed.roles[role], inherited=True
        )
    identity.assignments.give("users", seed.users["admin"], "domains", "default", seed.roles["admin"])


def _plant_network(services: Services, seed: Seed) -> None:
    network = services.network
    admin, demo = services.acting("admin", "admin"), services.acting("demo", "demo")

    def make(collection: Any, call: Any, label: str, **values: Any) -> dict[str, Any]:
        made: dict[str, Any] = collection.make(call, values, stable_id(label))
        return made

    public = make(network.networks, admin, "network/public", name="public", mtu=1500,
                  **{"router:external": True, "is_default": True})  # fmt: skip
    make(network.subnets, admin, "subnet/public", name="public-subnet", network_id=public["id"], ip_version=4,
         cidr="172.24.0.0/16", gateway_ip="172.24.0.1", enable_dhcp=False,
         allocation_pools=[{"start": "172.24.0.10", "end": "172.24.255.254"}])  # fmt: skip
    private = make(network.networks, demo, "network/private", name="private")
    subnet = make(network.subnets, demo, "subnet/private", name="private-subnet", network_id=private["id"],
                  ip_version=4, cidr="10.0.0.0/20", gateway_ip="10.0.0.1")  # fmt: skip
    router = make(network.routers, demo, "router/router1", name="router1",
                  external_gateway_info={"network_id": public["id"]})  # fmt: skip
    demo.params = {"id": router["id"]}
    demo.raw = b'{"subnet_id": "' + subnet["id"].encode() + b'"}'
    network.routers.add_interface(demo)


def _plant_compute(services: Services, seed: Seed) -> None:
    for name, flavor_id, ram, disk, processors in _FLAVORS:
        services.compute.flavors.put_flavor(flavor_id, name, ram=ram, disk=disk, vcpus=processors)
    for name in ("default", "dxl-key"):
        services.compute.keypairs.put_key(seed.users["demo"], name, _PUBLIC_KEY)


def _plant_images(services: Services, seed: Seed) -> None:
    for name, image_id in seed.images.items():
        services.image.put_image(image_id, name, owner=seed.projects["admin"], data=b"\0" * 1024)


def _plant_volumes(services: Services) -> None:
    volume = services.volume
    volume.types.put_type(stable_id("volume-type/local"), "local", {}, default=True)
    volume.types.put_type(stable_id("volume-type/multiattach"), "multiattach", {"multiattach": "<is> True"})
