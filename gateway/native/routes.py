"""Every route of the API, in the order in which they are tried (heat.md §1.1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from gateway.native import (
    absent,
    definitions,
    events,
    knowledge,
    listing,
    lookup,
    resources,
    snapshots,
    stacks,
    validation,
)
from gateway.native.call import Call

Handler = Callable[[Call], Awaitable[web.Response]]
_STACK = "/stacks/{stack_name}/{stack_id}"
# Members of a lowered resource are called `<resource>/<member>`; the words that end a path are no members.
_RESOURCE = _STACK + "/resources/{resource_name:[^/]+(?:/(?!(?:metadata|signal|events)(?:/|$))[^/]+)*}"
_ANY = ("GET", "POST", "PUT", "PATCH", "DELETE")
_GET_TAILS = "resources|events|template|actions|environment|files"
_POST_TAILS = "resources|events|template|actions"

WITHOUT_OPTIONS = ("/services",)  # APIX-01, APIX-02


@dataclass(frozen=True, slots=True)
class Route:
    """`path` is below `/v1/{tenant}`; `rule` the policy that must allow it, None when the handler asks for the rule
    that fits what the body says."""

    methods: tuple[str, ...]
    path: str
    handler: Handler
    rule: str | None


def _route(methods: str | tuple[str, ...], path: str, handler: Handler, rule: str | None) -> Route:
    return Route((methods,) if isinstance(methods, str) else methods, path, handler, rule)


ROUTES: tuple[Route, ...] = (
    _route("POST", "/validate", validation.validate, "stacks:validate_template"),
    _route("GET", "/resource_types", knowledge.resource_types, "stacks:list_resource_types"),
    _route("GET", "/resource_types/{type_name}", knowledge.resource_schema, "stacks:resource_schema"),
    _route("GET", "/resource_types/{type_name}/template", knowledge.resource_template, "stacks:generate_template"),
    _route("GET", "/template_versions", knowledge.template_versions, "stacks:list_template_versions"),
    _route("GET", "/template_versions/{template_version}/functions", knowledge.template_functions,
           "stacks:list_template_functions"),
    _route("GET", "/build_info", knowledge.build_info, "build_info:build_info"),
    _route("GET", "/services", knowledge.services, "service:index"),
    _route(("GET", "POST"), "/software_configs", absent.software_configs, "software_configs:index"),
    _route(("GET", "DELETE"), "/software_configs/{config_id}", absent.software_configs, "software_configs:index"),
    _route(("GET", "POST"), "/software_deployments", absent.software_deployments, "software_deployments:index"),
    _route("GET", "/software_deployments/metadata/{server_id}", absent.software_deployments,
           "software_deployments:index"),
    _route(("GET", "PUT", "DELETE"), "/software_deployments/{deployment_id}", absent.software_deployments,
           "software_deployments:index"),
    _route("GET", "/stacks", listing.index, "stacks:index"),
    _route("POST", "/stacks", stacks.create, "stacks:create"),
    _route("POST", "/stacks/preview", stacks.preview, "stacks:preview"),
    _route("GET", "/stacks/detail", listing.detail, "stacks:detail"),
    _route(_ANY, "/stacks/{arn:arn:.+}", lookup.by_arn, "stacks:lookup"),
    _route(_ANY, "/stacks/{stack_name}", lookup.by_name, "stacks:lookup"),
    _route("GET", "/stacks/{stack_name}/{sub:" + _GET_TAILS + "}", lookup.by_name, "stacks:lookup"),
    _route("POST", "/stacks/{stack_name}/{sub:" + _POST_TAILS + "}", lookup.by_name, "stacks:lookup"),
    _route("GET", _STACK, stacks.show, "stacks:show"),
    _route("PUT", _STACK, stacks.update, "stacks:update"),
    _route("PATCH", _STACK, stacks.update_patch, None),
    _route("DELETE", _STACK, stacks.delete, "stacks:delete"),
    _route("PUT", _STACK + "/preview", stacks.preview_update, "stacks:preview_update"),
    _route("PATCH", _STACK + "/preview", stacks.preview_update_patch, "stacks:preview_update_patch"),
    _route("DELETE", _STACK + "/abandon", stacks.abandon, "stacks:abandon"),
    _route("GET", _STACK + "/export", stacks.export, "stacks:export"),
    _route("GET", _STACK + "/template", definitions.template, "stacks:template"),
    _route("GET", _STACK + "/environment", definitions.environment, "stacks:environment"),
    _route("GET", _STACK + "/files", definitions.files, "stacks:files"),
    _route("GET", _STACK + "/outputs", definitions.outputs, "stacks:list_outputs"),
    _route("GET", _STACK + "/outputs/{output_key}", definitions.output, "stacks:show_output"),
    _route("GET", _STACK + "/snapshots", snapshots.index, "stacks:list_snapshots"),
    _route("POST", _STACK + "/snapshots", snapshots.take, "stacks:snapshot"),
    _route("GET", _STACK + "/snapshots/{snapshot_id}", snapshots.show, "stacks:show_snapshot"),
    _route("DELETE", _STACK + "/snapshots/{snapshot_id}", snapshots.delete, "stacks:delete_snapshot"),
    _route("POST", _STACK + "/snapshots/{snapshot_id}/restore", snapshots.restore, "stacks:restore_snapshot"),
    _route("POST", _STACK + "/actions", stacks.action, None),
    _route("GET", _STACK + "/resources", resources.index, "resource:index"),
    _route("GET", _RESOURCE, resources.show, "resource:show"),
    _route("PATCH", _RESOURCE, resources.mark_unhealthy, "resource:mark_unhealthy"),
    _route("GET", _RESOURCE + "/metadata", resources.metadata, "resource:metadata"),
    _route("POST", _RESOURCE + "/signal", resources.signal, "resource:signal"),
    _route("GET", _RESOURCE + "/events", events.of_resource, "events:index"),
    _route("GET", _RESOURCE + "/events/{event_id}", events.show, "events:show"),
    _route("GET", _STACK + "/events", events.index, "events:index"),
)  # fmt: skip
