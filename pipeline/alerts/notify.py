"""Sending: one message to one target, through Apprise (Slack, Teams, e-mail, webhooks and a hundred more)."""

from __future__ import annotations

from pipeline.alerts.evidence import Message
from pipeline.errors import ConfigError, PermanentError, TransientError


def send(url: str, message: Message) -> None:
    """Send `message` to the Apprise `url`. TransientError where the other side did not take it."""
    try:
        import apprise
    except ImportError:
        raise PermanentError("notifications need Apprise: pip install 'klang-feedback[notify]'") from None
    sender = apprise.Apprise()
    if not sender.add(url):
        raise ConfigError(
            "a target of [[alerts.notify]] is not an Apprise URL; see the list of services in Apprise's documentation"
        )
    # Customers wrote some of it: as text it keeps its lines, and is escaped where the service wants HTML.
    if not sender.notify(title=message.title, body=message.body, body_format=apprise.NotifyFormat.TEXT):
        raise TransientError("the notification was not accepted; it is tried again on the next run")
