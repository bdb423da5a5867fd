"""isotherm.conf: what it says reaches the rooms, what it must not say is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from oslo_config import cfg

from gateway.config import Settings, load
from gateway.listening import StartError
from gateway.notifications import NotificationSettings, notifier_of
from mappings import OPTIONS, Mappings


def _load(folder: Path, text: str) -> Settings:
    file = folder / "isotherm.conf"
    file.write_text(text, encoding="utf-8")
    return load(Settings(), str(file))


def test_without_a_file_nothing_changes() -> None:
    assert load(Settings(port=9), None) == Settings(port=9)


def test_a_section_for_each_room(tmp_path: Path) -> None:
    found = _load(
        tmp_path,
        "[DEFAULT]\nregion = North\n[engine]\nmax_resources_per_stack = 7\n[cloud]\nmax_concurrent_requests = 3\n"
        "[mapping]\npublic_subnet_snat = deny\n",
    )
    assert found.region == "North"
    assert found.engine.max_resources_per_stack == 7
    assert found.clouds.max_concurrent_requests == 3
    assert Mappings(options=found.mapping).options == {**OPTIONS, "public_subnet_snat": "deny"}


def test_a_choice_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(cfg.ConfigFileValueError, match=r"network_acl.*maybe"):
        _load(tmp_path, "[mapping]\nnetwork_acl = maybe\n")


def test_notifications_are_configured_as_in_heat_conf(tmp_path: Path) -> None:
    found = _load(
        tmp_path,
        "[DEFAULT]\ncontrol_exchange = openstack\ndefault_publisher_id = me\ndefault_notification_level = audit\n"
        "[oslo_messaging_notifications]\ndriver = messagingv2\ndriver = log\ntopics = notifications,billing\n"
        "transport_url = rabbit://other/\n[oslo_messaging_rabbit]\nrabbit_quorum_queue = true\n",
    ).notifications
    assert found == NotificationSettings(
        driver=("messagingv2", "log"), topics=("notifications", "billing"), transport_url="rabbit://other/",
        control_exchange="openstack", default_publisher_id="me", default_notification_level="AUDIT",
        rabbit_quorum_queue=True,
    )  # fmt: skip


def test_a_driver_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(cfg.ConfigFileValueError, match=r"driver.*kafka"):
        _load(tmp_path, "[oslo_messaging_notifications]\ndriver = kafka\n")


def test_notifications_need_a_broker() -> None:
    with pytest.raises(StartError, match=r"driver = messagingv2 needs a broker"):
        notifier_of(NotificationSettings(driver=("messagingv2",)), None)


def test_notifications_go_to_rabbitmq_only() -> None:
    with pytest.raises(StartError, match=r"transport_url: a URL of RabbitMQ is expected"):
        notifier_of(NotificationSettings(driver=("messaging",), transport_url="kafka://one"), "rabbit://two/")
