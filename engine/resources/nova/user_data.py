"""User data as cloud-init takes it (heat.md ENGA-22)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import Any

from engine.model.value import Value

#: Made before anything else runs on the guest, so that the part handler has where to write.
_BOOT_HOOK = """#!/bin/sh
for place in /var/lib/heat-cfntools /var/log/heat-config; do
    [ -d "$place" ] || mkdir -p -m 0700 "$place"
done
"""

#: Writes every `text/x-cfninitdata` part under its file name to where cfn-init looks for it.
_PART_HANDLER = """#part-handler
import os


def list_types():
    return ["text/x-cfninitdata"]


def handle_part(data, ctype, filename, payload):
    if ctype in ("__begin__", "__end__"):
        return
    place = "/var/lib/cloud/data" if filename == "cfn-userdata" else "/var/lib/heat-cfntools"
    if not os.path.isdir(place):
        os.makedirs(place, 0o700)
    if isinstance(payload, str):
        payload = payload.encode()
    handle = os.open(os.path.join(place, filename), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o700)
    with os.fdopen(handle, "wb") as out:
        out.write(payload)
"""

#: Runs the user's data as a script, once, and says in a log how it went.
_RUN_USER_DATA = """#!/bin/sh
exec >>/var/log/heat-provision.log 2>&1
date
chmod 0700 /var/lib/cloud/data/cfn-userdata
/var/lib/cloud/data/cfn-userdata
status=$?
echo "Provision done: exit status $status"
if [ $status -eq 0 ]; then date >/var/lib/heat-cfntools/provision-finished; fi
exit $status
"""


def user_data(text: str, form: str, metadata: Mapping[str, Value]) -> str | None:
    """Return what goes into the server's `user_data`, in base64; None for nothing."""
    match form:
        case "RAW":
            content = text
        case "SOFTWARE_CONFIG":
            content = _software_config(text)
        case _:
            content = _cfn_tools(text, metadata)
    return base64.b64encode(content.encode()).decode() if content else None


def _cfn_tools(text: str, metadata: Mapping[str, Value]) -> str:
    """A message of parts: the user's data run as a script, the resource's metadata for cfn-init."""
    if not text and not metadata:
        return ""
    parts: list[Message] = [
        _part(_BOOT_HOOK, "cloud-boothook", "boothook.sh"),
        _part(_PART_HANDLER, "part-handler", "part-handler.py"),
    ]
    if text:
        parts.append(_part(text, "x-cfninitdata", "cfn-userdata"))
        parts.append(_part(_RUN_USER_DATA, "x-shellscript", "loguserdata.sh"))
    if metadata:
        parts.append(_part(json.dumps(metadata, sort_keys=True), "x-cfninitdata", "cfn-init-data"))
    return _message(parts)


def _software_config(text: str) -> str:
    """The config as it is when it is a message of parts or Ignition already; else as the one part."""
    if not text or text.startswith(("Content-Type:", "MIME-Version:", "{")):
        return text
    kind = next((sub for mark, sub in _KINDS if text.startswith(mark)), "plain")
    return _message([_part(text, kind, "user-data")])


_KINDS = (
    ("#cloud-config", "cloud-config"),
    ("#cloud-boothook", "cloud-boothook"),
    ("#part-handler", "part-handler"),
    ("#include", "x-include-url"),
    ("#!", "x-shellscript"),
)


def _part(text: str, kind: str, name: str) -> Message:
    part = MIMEText(text, kind)
    part.add_header("Content-Disposition", "attachment", filename=name)
    return part


def _message(parts: list[Any]) -> str:
    # A fixed boundary: the same properties give the same user data.
    return MIMEMultipart(boundary="===============isotherm==", _subparts=parts).as_string()
