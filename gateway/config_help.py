"""What each option of isotherm.conf means, by section. Times are seconds unless said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

DEFAULT: Final[Mapping[str, str]] = {
    "region": "Name of the region; by default the cloud's.",
    "cloud_name": "Entry of clouds.yaml; --cloud goes before it.",
    "transport_url": "RabbitMQ, rabbit://user:password@host:port/vhost; for `isotherm api` and `isotherm engine`.",
    "transport_prefix": "What the names of queue and exchange on RabbitMQ begin with.",
    "database": "SQLAlchemy URL of the database: postgresql+asyncpg://USER:PASSWORD@HOST/NAME, or "
    "sqlite+aiosqlite:////PATH; by default SQLite in the state directory.",
    "auth_encryption_key": "Keys that seal secrets, url-safe base64 of 32 bytes each. The first one seals, all of them "
    "open. By default a key that is made in the state directory.",
    "environment_dir": "Folder of environments whose resource_registry holds for every stack, as Heat's environment.d.",
    "mapping_dirs": "Folders of mapping rows that add to or override the shipped ones.",
    "policy_file": "oslo.policy file.",
    "allow_custom_resource_urls": "Whether templates may write an http or https URL as the ServiceToken of a custom "
    "resource; allowed_template_networks says which of the inside it may lead to.",
    "allowed_template_networks": "Networks (CIDR) that template URLs may lead to although they are private, loopback "
    "or link-local.",
    "heat_waitcondition_server_url": "How servers of the cloud reach this gateway, for signal URLs; by default its "
    "own address.",
    "simulator_build_seconds": "How long the embedded simulator takes to build a server.",
    "control_exchange": "Exchange that notifications go to.",
    "default_publisher_id": "Who notifications come from; by default orchestration. and the host's name.",
    "default_notification_level": "Level of notifications that are no errors.",
}

ENGINE: Final[Mapping[str, str]] = {
    "stack_action_timeout": "How long an action on a stack may take when the request does not say it.",
    "lease": "How long an engine owns a run without renewing. After that, and `grace`, another one takes it over.",
    "grace": "What an engine waits before it goes on with the run of a dead one, whose last calls may still be under "
    "way: at least [cloud] request_timeout.",
    "settle": "How long looking up an object whose create got no answer may stay empty before the create is repeated; "
    "on the embedded simulator at most 2.",
    "sweep_interval": "How often an engine looks for work that no message told it of.",
    "create_retries": "How often a call that failed for the moment, or a create without an answer, is repeated.",
    "action_retry_limit": "How often an object that went to ERROR while it was built is made again.",
    "delete_in_use_timeout": "How long a delete waits for what still uses the object.",
    "max_nested_stack_depth": "How deep stacks may be nested.",
    "max_resources_per_stack": "How many resources a stack may have with all that are nested in it; -1: any number.",
    "max_stacks_per_tenant": "How many stacks a project may have, nested ones not counted; -1: any number.",
    "max_snapshots_per_stack": "How many snapshots a stack may have; -1: any number.",
    "max_events_per_stack": "How many events of a stack are kept, those of its last operation in any case; -1: all.",
    "max_concurrent_runs": "How many runs an engine has at a time; nested stacks do not count, their parents wait for "
    "them.",
    "enable_stack_adopt": "Whether stacks may be made from objects that there are.",
    "enable_stack_abandon": "Whether stacks may be forgotten while their objects are kept.",
    "observe_on_update": "Whether every update compares with the live objects and not only with what was last written.",
    "hidden_stack_tags": "Stacks with one of these tags are only listed when asked for.",
    "retry_base": "The first pause before a step is tried again; it doubles each time.",
    "retry_limit": "The longest pause before a step is tried again.",
    "report_interval": "How often an engine says that it lives (`openstack orchestration service list`).",
    "stop_grace": "How long a stopping engine waits for calls under way.",
}

CLOUD: Final[Mapping[str, str]] = {
    "connect_timeout": "For a connection to be made.",
    "request_timeout": "Of one attempt, from asking for a connection to the last byte of the answer.",
    "idle_connection_timeout": "After which an idle connection is closed: below the service's own (5 in Apache), so "
    "that no POST meets a closing connection.",
    "max_connections": "Of one process, to all services together.",
    "max_concurrent_requests": "Requests at a time to one service; goes down by itself when the service says 429 or "
    "503.",
    "max_response_bytes": "Longer answers are refused. Bytes.",
    "retry_attempts": "Attempts of a request that is safe to repeat, the first one included.",
    "retry_base_delay": "The first pause between attempts at most; it doubles each time.",
    "retry_max_delay": "The longest pause between attempts.",
    "retry_after_limit": "A longer Retry-After is cut to this.",
    "token_renew_margin": "A token is renewed when it has less than this to live.",
    "poll_fast_interval": "The shortest time between two looks at something that is not ready.",
    "poll_slow_interval": "The longest time between two looks at something that is not ready.",
    "poll_direct_limit": "Up to so many objects of a kind are looked at one by one, more of them by listing the kind.",
    "cache_seconds": "How long names, facts, validated tokens, keys and role lists are remembered.",
    "negative_cache_seconds": "How long it is remembered that a token or key was refused.",
    "token_cache_size": "How many tokens, keys and role lists are remembered at most.",
    "name_cache_size": "How many names are remembered at most.",
    "max_contexts": "How many projects and trusts have their tokens kept at most.",
    "auth_threads": "Threads that sign in.",
    "service_user_extra_roles": "Roles that the configured user may have where the caller has not, and still act for "
    "him.",
    "remote_clouds": "Whether stacks may be made in other clouds by credentials that users bring (OS::Heat::Stack, "
    "context). The engine then connects to whatever addresses they name.",
    "external_network": "Name or id of the network that floating IPs come from; by default the cloud's only one.",
    "microversions": "The highest microversion asked for, by service type (compute:2.79,placement:1.30); others stay "
    "as they are.",
}

MAPPING: Final[Mapping[str, str]] = {
    "public_subnet_snat": "Whether instances without a public address in public subnets can reach out: allow or deny.",
    "network_acl": "What becomes of the rules of network ACLs. warn: they are kept and not enforced; error: they are "
    "refused.",
}

NOTIFICATIONS: Final[Mapping[str, str]] = {
    "driver": "How beginnings and ends of stacks' actions are told: messagingv2 (RabbitMQ, as listeners of "
    "oslo.messaging expect it), messaging (the same without envelope), log or noop, the default. May be given several "
    "times.",
    "topics": "Topics on RabbitMQ; the queues are named <topic>.info and <topic>.error.",
    "transport_url": "RabbitMQ for notifications; by default that of [DEFAULT].",
}

RABBIT: Final[Mapping[str, str]] = {
    "amqp_durable_queues": "Whether exchange and queues of notifications that are not there yet are made so that they "
    "outlive the broker. Only for notifications.",
    "rabbit_quorum_queue": "Whether queues of notifications that are not there yet are made as quorum queues. Only "
    "for notifications.",
}
