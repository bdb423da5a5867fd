"""OpenStack's types with one property more: `tied_to`, whatever makes a new object when it changes.

OpenStack can change in place what must mean a new object elsewhere (a router has no address block, a server can be led
to another network); whoever knows better ties the object to it.
"""

from __future__ import annotations

from typing import Any

from engine.resources.base import Operation, Property
from engine.resources.declare import anything
from engine.resources.neutron.net import Net as NeutronNet
from engine.resources.neutron.router import Router as NeutronRouter
from engine.resources.neutron.subnet_pool import SubnetPool as NeutronSubnetPool
from engine.resources.nova.server import Server as NovaServer

TIED_TO: Property = anything(body="")


class Net(NeutronNet):
    name = "Isotherm::Neutron::Net"
    properties = {**NeutronNet.properties, "tied_to": TIED_TO}


class Router(NeutronRouter):
    name = "Isotherm::Neutron::Router"
    properties = {**NeutronRouter.properties, "tied_to": TIED_TO}


class SubnetPool(NeutronSubnetPool):
    name = "Isotherm::Neutron::SubnetPool"
    properties = {**NeutronSubnetPool.properties, "tied_to": TIED_TO}


class Server(NovaServer):
    """Volumes may be added to a server that boots from its image: Nova wants the image among the devices then."""

    name = "Isotherm::Nova::Server"
    properties = {**NovaServer.properties, "tied_to": TIED_TO}

    async def body(self, op: Operation) -> dict[str, Any]:
        body = await super().body(op)
        devices, image = body.get("block_device_mapping_v2"), body.get("imageRef")
        if devices and image and all(device.get("boot_index") != 0 for device in devices):
            root = {"uuid": image, "source_type": "image", "destination_type": "local", "boot_index": 0}
            body["block_device_mapping_v2"] = [{**root, "delete_on_termination": True}, *devices]
        return body
