"""Named limits of heat.md §3.5 (TK-01)."""

from __future__ import annotations

import pytest

from engine.model.template import Constraint
from engine.model.value import UNKNOWN
from engine.resources.constraints import cloud_kind, violation


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("ip_addr", "2001:db8::1", "10.0.0"),
        ("net_cidr", "10.0.0.0/24", "10.0.0.0/33"),
        ("net_cidr", "182.168.1.1/24", "10.0.0.0"),
        ("ip_or_cidr", "10.0.0.1", "ten"),
        ("mac_addr", "fa:16:3e:00:11:22", "fa:16:3e"),
        ("dns_name", "web-1.example.org", "-web"),
        ("rel_dns_name", "web", "web.example."),
        ("dns_domain", "example.org.", "example.org"),
        ("json_string", "{}", "{"),
        ("iso_8601", "2026-11-23T07:00:00+00:00", "yesterday"),
        ("timezone", "Europe/Paris", "Mars/Base"),
    ],
)
def test_tk_01_is_checked_here(name: str, good: str, bad: str) -> None:
    limit = Constraint(custom=name)
    assert cloud_kind(name) is None
    assert violation(limit, good) is None
    assert violation(limit, bad) is not None


def test_others_are_asked_of_the_cloud() -> None:
    assert cloud_kind("neutron.network") == "network"
    assert violation(Constraint(custom="neutron.network"), "anything") is None


def test_numbers_are_allowed_as_text() -> None:
    limit = Constraint(allowed_values=(6, "tcp"))
    assert violation(limit, "6") is None
    assert violation(limit, "tcp") is None
    assert violation(limit, "sctp") is not None


def test_a_constraint_may_bring_its_own_words() -> None:
    assert violation(Constraint(range=(1, 2), description="one or two"), 3) == "one or two"


def test_unknown_breaks_nothing() -> None:
    assert violation(Constraint(pattern="a+"), UNKNOWN) is None


@pytest.mark.parametrize(
    "text", ["* * * * *", "*/15 0-23/2 1,15 jan-mar MON", "0 0 l * *", "0 9 * * fri#2", "0 0 * * * 30", "@daily"]
)
def test_cron_expressions_tk_01(text: str) -> None:
    assert violation(Constraint(custom="cron_expression"), text) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("* * * *", "it has 4 fields"), ("60 * * * *", "60 is no minute"), ("* 1-24 * * *", "1-24 is no hour"),
        ("* * 0 * *", "0 is no day of the month"), ("* * * foo *", "foo is no month"), ("* * * * */0", "is no day"),
        ("*-5 * * * *", "is no minute"), ("", ""),
    ],
)  # fmt: skip
def test_what_is_no_cron_expression_is_told_tk_01(text: str, sentence: str) -> None:
    found = violation(Constraint(custom="cron_expression"), text)
    assert (found is None) if not text else sentence in (found or "")
