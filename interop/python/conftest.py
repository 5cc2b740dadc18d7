"""A session of imaplib for each test."""

import imaplib
from collections.abc import Iterator

import pytest

from interop.witness import Account


@pytest.fixture
def session(account: Account) -> Iterator[imaplib.IMAP4_SSL]:
    with account.session() as session:
        yield session
