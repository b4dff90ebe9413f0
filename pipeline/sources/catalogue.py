"""Which kinds of source there are. Cheap to import: the parsing of DAGs and of klang.toml reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Kind:
    """A kind of source: `module` holds its class `Source`, `options` its own keys in klang.toml with their meaning."""

    module: str
    summary: str
    channel: str
    options: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    needs_connection: str = ""  # what the connection holds; empty: none is needed
    base_url: str | None = None


CHANNELS = ("review", "email", "ticket", "survey", "social")
OPTION_TYPES: Mapping[str, type] = {"fields": dict, "messages": dict, "own_domains": list}  # of texts; else text

FILE_OPTIONS = {
    "path": "a path or glob from the folder of klang.toml: CSV, JSONL or Parquet, told by its ending",
    "fields": 'a table of ours = theirs, as { text = "body" }; a dot goes inside, as "requester.email"',
}

KINDS: dict[str, Kind] = {
    "file": Kind(
        module="pipeline.sources.file",
        summary="CSV, JSONL and Parquet files, one item a row",
        channel="review",
        options=FILE_OPTIONS
        | {
            "channel": "review, email, ticket, survey or social",
            "messages": "for conversations: a table of the list of messages and its fields",
        },
        required=("path", "fields"),
    ),
    "survey": Kind(
        module="pipeline.sources.survey",
        summary="survey answers (NPS, CSAT, smileys) from files",
        channel="survey",
        options=FILE_OPTIONS | {"score": "nps (0 to 10), csat (1 to 5) or smiley (1 to 3)"},
        required=("path", "fields", "score"),
    ),
    "mailbox": Kind(
        module="pipeline.sources.mailbox",
        summary="an mbox file or a Maildir folder of customers' mails",
        channel="email",
        options={
            "path": "the mbox file or the Maildir folder, from the folder of klang.toml",
            "own_domains": "mail domains of your own: their mails are not feedback",
        },
        required=("path",),
    ),
}
