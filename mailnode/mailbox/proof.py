"""How a row is known to be wrong by the others of its account: which of two copies is right. Blocking."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.message import DecodeError

from mailnode.mailbox.checking import WRONG_FORMS, wrong_content, wrong_state
from mailnode.mailbox.forms import is_form_row
from mailnode.mailbox.rows import BLOB_CHUNK_OCTETS
from mailnode.pb.row_pb2 import MailRow
from mailnode.store import keys
from mailnode.store.keys import Blob, Family
from mailnode.store.view import View

_KEY_OCTETS_MIN = len(keys.state(0, 0))


def wrong(view: View, family: str, key: bytes) -> str:
    """How the row, or the lack of one, is wrong; empty where nothing tells. Raises Unreadable."""
    if len(key) < _KEY_OCTETS_MIN:
        return "no key of any row"
    if family == Family.STATE:
        value = view.get(family, key)
        return "" if value is None else wrong_state(key, value)
    account = keys.account_of(key)
    row = _mail(view, account, family, key)
    if isinstance(row, str):
        return row
    if row is None:
        return ""
    if family == Family.FORM:
        forms = view.get(family, key)
        return WRONG_FORMS if forms is None or not is_form_row(forms) else ""
    head = view.get(Family.HEAD, keys.mail(account, row.mail))
    found = dict(wrong_content(row, head, _chunks(view, account, row)))
    # A row of the mail that names another checksum is as wrong as octets that have another.
    return found.get(Family.BLOB, "") if family == Family.MAIL else found.get(family, "")


def _mail(view: View, account: int, family: str, key: bytes) -> MailRow | str | None:
    """The row that tells of it; or how that is wrong."""
    if family == Family.BLOB and keys.kind_of(key) == Blob.UPLOAD:
        return _of_upload(view, account, keys.blob_of(key))
    if family not in (Family.MAIL, Family.HEAD, Family.FORM, Family.BLOB):
        return None
    mail = keys.blob_of(key) if family == Family.BLOB else keys.mail_of(key)
    value = view.get(Family.MAIL, keys.mail(account, mail))
    try:
        return MailRow.FromString(value) if value is not None else None
    except DecodeError as error:
        return str(error) if family == Family.MAIL else None


def _of_upload(view: View, account: int, upload: int) -> MailRow | None:
    start = keys.account_id(account)
    for _, value in view.scan(Family.MAIL, start, keys.after(start)):
        try:
            row = MailRow.FromString(value)
        except DecodeError:
            continue
        if row.upload == upload:
            return row
    return None


def _chunks(view: View, account: int, row: MailRow) -> Iterator[bytes]:
    kind, blob = (Blob.UPLOAD, row.upload) if row.upload else (Blob.MAIL, row.mail)
    for chunk in range(-(-row.size // BLOB_CHUNK_OCTETS)):
        octets = view.get(Family.BLOB, keys.blob(account, kind, blob, chunk))
        if octets is not None:
            yield octets
