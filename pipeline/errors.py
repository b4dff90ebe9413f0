"""What can go wrong, by what is to be done about it.

KlangError
├── TransientError    try again later: the network, a rate limit, a locked database
├── RecordError       this one record does not fit: quarantine it and go on
└── PermanentError    stop: trying again changes nothing
    └── ConfigError   the configuration or the command line is wrong (exit code 2)

Every message is one line that says what is wrong and how to mend it, and never holds a secret.
"""


class KlangError(Exception):
    """Root of all errors that Klang raises on purpose."""

    exit_code = 1


class TransientError(KlangError):
    """May succeed later; `wait` is the number of seconds the other side asked for, if it did."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class RecordError(KlangError):
    """One record cannot be used. It goes to quarantine with this message as the reason."""


class PermanentError(KlangError):
    """The work cannot be done, now or later, until somebody mends what the message names."""


class ConfigError(PermanentError):
    """The configuration or the arguments are wrong."""

    exit_code = 2
