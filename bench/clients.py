"""Requests prepared and signed beforehand where that is the client's cost, sent over kept-alive connections."""

from __future__ import annotations

import json
import urllib.request
from typing import Any
from urllib.parse import urlencode, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def signed(env: dict[str, str], **parameters: str) -> tuple[str, bytes, dict[str, str]]:
    """(URL, body, headers) of one CloudFormation request, signed now."""
    body = urlencode({"Version": "2010-05-15", **parameters}).encode()
    url = env["AWS_ENDPOINT_URL_CLOUDFORMATION"].rstrip("/") + "/"
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    request = AWSRequest("POST", url, headers=headers, data=body)
    credentials = Credentials(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(credentials, "cloudformation", env["AWS_DEFAULT_REGION"]).add_auth(request)
    return url, body, {**dict(request.headers), "Host": urlsplit(url).netloc}


def token(cloud: dict[str, Any]) -> tuple[str, str]:
    """(token, project id) by password."""
    auth = cloud["auth"]
    user = {"name": auth["username"], "password": auth["password"],
            "domain": {"name": auth.get("user_domain_name", "Default")}}  # fmt: skip
    scope = {"project": {"name": auth["project_name"], "domain": {"name": auth.get("project_domain_name", "Default")}}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    url = auth["auth_url"].rstrip("/").removesuffix("/v3") + "/v3/auth/tokens"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return reply.headers["X-Subject-Token"], json.load(reply)["token"]["project"]["id"]
