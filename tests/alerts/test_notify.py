"""Notifications leave through Apprise and arrive at a real mail server."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from pipeline.alerts.evidence import Message
from pipeline.alerts.notify import send
from pipeline.errors import ConfigError, TransientError

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise imports it
MESSAGE = Message("Flere klager: country=SE", ("12 of 20 negative", "“Paketet kom <b>aldrig</b> & ingen svarar.”"))


class Inbox:
    """Takes every mail; refuses those to `refused@…`."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if address.startswith("refused@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def server() -> Iterator[Controller]:
    controller = Controller(Inbox(), hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller
    controller.stop()


def url_of(port: int, to: str = "kim@shop.example") -> str:
    return f"mailto://127.0.0.1:{port}?from=klang@shop.example&to={to}&mode=insecure"


def test_a_mail_arrives_as_text_with_its_lines(server: Controller) -> None:
    """As HTML the lines would run together, and the customer's words could be markup."""
    send(url_of(server.port), MESSAGE)
    (mail,) = server.handler.mails
    assert (mail["Subject"], mail["To"]) == (MESSAGE.title, "kim@shop.example")
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().splitlines()[:2] == list(MESSAGE.lines)


def test_a_mail_that_is_refused_is_tried_again(server: Controller) -> None:
    with pytest.raises(TransientError, match="next run"):
        send(url_of(server.port, "refused@shop.example"), MESSAGE)


def test_a_server_that_is_down_is_tried_again() -> None:
    with pytest.raises(TransientError, match="next run"):
        send(url_of(free_port()), MESSAGE)


@pytest.mark.parametrize("url", ["", "hunter2", "hunter2://x", "mailto://"])
def test_what_is_no_apprise_url_is_not_shown(url: str) -> None:
    with pytest.raises(ConfigError, match="not an Apprise URL") as caught:
        send(url, MESSAGE)
    assert "hunter2" not in str(caught.value)
