"""Pseudonyms are stable, keyed, and survive a rotation."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.pseudonym import author_key, author_keys, key_id

SECRET = b"a secret of the company, 2026"
NEXT_SECRET = b"the secret after the rotation"


def test_a_key_never_changes() -> None:
    assert author_key(SECRET, "mette@example.dk") == "k58f5cdd0-0a5d9027991f32668b0b4cd28fd6bc98"


@pytest.mark.parametrize("spelling", ["Mette@Example.dk", " mette@example.dk ", "ｍｅｔｔｅ@example.dk"])
def test_one_author_has_one_key_however_the_address_is_spelt(spelling: str) -> None:
    assert author_key(SECRET, spelling) == author_key(SECRET, "mette@example.dk")


@given(st.sets(st.text(alphabet="abcdefghij0123456789@.", min_size=1), min_size=2, max_size=20))
def test_different_authors_have_different_keys(identities: set[str]) -> None:
    assert len({author_key(SECRET, identity) for identity in identities}) == len(identities)


def test_the_key_shows_neither_the_identity_nor_the_secret() -> None:
    key = author_key(SECRET, "mette@example.dk")
    assert re.fullmatch(r"k[0-9a-f]{8}-[0-9a-f]{32}", key)
    assert key != author_key(NEXT_SECRET, "mette@example.dk")


def test_a_rotation_is_seen_in_the_key_and_an_author_is_found_in_both() -> None:
    old, new = author_keys([SECRET, NEXT_SECRET], "mette@example.dk")
    assert old.startswith(key_id(SECRET))
    assert new.startswith(key_id(NEXT_SECRET))
    assert key_id(SECRET) != key_id(NEXT_SECRET)
    assert old == author_key(SECRET, "mette@example.dk")


@pytest.mark.parametrize(("secret", "identity"), [(b"short", "mette@example.dk"), (SECRET, "  ")])
def test_a_weak_secret_or_no_identity_is_refused(secret: bytes, identity: str) -> None:
    with pytest.raises(ValueError, match=r"secret|identity"):
        author_key(secret, identity)
