"""ENVELOPE, BODY and BODYSTRUCTURE as they are stored."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from mailnode.mailbox.forms import Forms, columns_of, form_row, is_form_row
from mailnode.mailbox.rows import MAIL, longs
from mailnode.mailbox.verbs import ALL_UIDS, Account, Want
from mailnode.pb.change_pb2 import Add, Intent
from mailnode.store import keys
from mailnode.store.keys import Family
from protocols.mime.digest import digest
from tests.mailbox.house import ACCOUNT, Ticking, add, create, opened
from tests.store.faulty_shard import FaultyShard

UNREADABLE = b"not four columns"
MESSAGES = st.builds(
    b"Subject: %b\r\nContent-Type: text/plain; name=%b\r\n\r\n%b".__mod__,
    st.tuples(st.binary(max_size=30), st.binary(max_size=30), st.binary(max_size=30)),
)


@given(st.lists(MESSAGES, max_size=4))
def test_what_was_rendered_of_any_messages_comes_back_as_columns(messages: list[bytes]) -> None:
    read = [digest(octets) for octets in messages]
    rows = [form_row(each) for each in read]
    assert all(map(is_form_row, rows))
    assert columns_of(rows) == Forms(
        envelopes=[each.envelope for each in read],
        bodies=[each.body for each in read],
        structures=[each.body_structure for each in read],
        hiding=[b"%d" % len(each.head) if each.needs_utf8 else b"" for each in read],
    )


def test_a_message_whose_forms_cannot_be_read_is_left_out() -> None:
    shard = FaultyShard()

    async def test(account: Account) -> None:
        messages = [add("INBOX", b"m%d" % number) for number in range(5)]
        for number, message in enumerate(messages):
            message.forms = form_row(digest(b"Subject: %d\r\n\r\n" % number))
        await account.apply(Intent(add=Add(messages=messages)))
        ids = [
            mail async for run in account.messages(1, ALL_UIDS, Want.ENTRIES) for mail in _mails(run.entries)
        ]
        shard.write([(Family.FORM, keys.mail(ACCOUNT, ids[1]), UNREADABLE)], sync=True)
        shard.write([(Family.FORM, keys.mail(ACCOUNT, ids[3]), None)], sync=True)
        (run,) = [run async for run in account.messages(1, ALL_UIDS, Want.FORMS | Want.MAILS)]
        assert run.uids.tolist() == [1, 3, 5] and [mail.mail for mail in run.mails] == ids[::2]
        assert [envelope[:9] for envelope in run.forms.envelopes] == [b'(NIL "%d" ' % n for n in (0, 2, 4)]

    async def body() -> None:
        with opened(shard, Ticking()) as (accounts, _):
            account = await accounts.open(ACCOUNT)
            await account.apply(create())
            await test(account)

    asyncio.run(body())


def _mails(entries: bytes) -> list[int]:
    return longs(entries, MAIL).tolist()
