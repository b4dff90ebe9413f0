"""Stable pseudonyms of authors.

The key of an author is an HMAC-SHA-256 (RFC 2104) of who they are, under the company's secret: the same author gets
the same key in every run and table, and without the secret no key can be computed from a guessed mail address.

**Rotation.** A key starts with the id of the secret that made it (``k3f9a1c2-…``), itself derived from the secret. To
rotate, set the new secret and run the ingest: new rows carry the new id. Rows of an old secret are found by their id
(``author_key LIKE 'k3f9a1c2-%'``) and are re-keyed by reading the source again, or are left as they are when old and
new feedback need not be joined. To find an author in both, compute the key under each secret (:func:`author_keys`).
After a leak of the secret, re-key and then throw the old secret away.
"""

import hashlib
import hmac
import unicodedata
from collections.abc import Iterable

_MIN_SECRET = 16
_KEY_BYTES = 16  # 128 bits: no two of a billion authors collide in practice


def _digest(secret: bytes, purpose: str, message: str) -> str:
    if len(secret) < _MIN_SECRET:
        raise ValueError(f"the pseudonym secret needs at least {_MIN_SECRET} bytes, this one has {len(secret)}")
    return hmac.new(secret, f"klang:{purpose}:{message}".encode(), hashlib.sha256).hexdigest()


def _canonical(identity: str) -> str:
    """One spelling for the same person: mail addresses differ in case and stray spaces between systems."""
    return unicodedata.normalize("NFKC", identity).strip().casefold()


def key_id(secret: bytes) -> str:
    """The short public name of a secret: ``k`` and 8 hexadecimal digits."""
    return "k" + _digest(secret, "key-id", "")[:8]


def author_key(secret: bytes, identity: str) -> str:
    """The pseudonym of ``identity`` (a mail address or a vendor's id): 42 characters, ``<key id>-<32 hex digits>``.

    Raises ValueError when the secret is shorter than 16 bytes or the identity is empty.
    """
    canonical = _canonical(identity)
    if not canonical:
        raise ValueError("an author without an identity has no key: leave author_key empty")
    return f"{key_id(secret)}-{_digest(secret, 'author', canonical)[: 2 * _KEY_BYTES]}"


def author_keys(secrets: Iterable[bytes], identity: str) -> list[str]:
    """The pseudonyms of one author under several secrets, for erasure and look-up across a rotation."""
    return [author_key(secret, identity) for secret in secrets]
