"""The IMAP session: what is understood, what is refused and how, and that nothing desynchronises it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.imap import event as events
from protocols.imap.answer import Bad, GoOn, Greeting, No, Ok
from protocols.imap.capability import Policy
from protocols.imap.command import State
from protocols.imap.limits import ImapLimits
from protocols.imap.server import Session

LIMITS = ImapLimits(
    line_octets_max=1000,
    command_octets_max=4000,
    message_octets_max=50_000,
    swallow_octets_max=2000,
    chunk_octets_max=64,
    events_open_max=4,
    errors_max=200,
    depth_max=20,
    sequence_ranges_max=50,
    list_patterns_max=5,
    search_keys_max=50,
    keyword_octets_max=128,
)
OPEN = Policy(tls=False, starttls=True, plaintext_login=True, mechanisms=("PLAIN", "LOGIN"))
STRICT = Policy(tls=False, starttls=True, plaintext_login=False, mechanisms=())
CONTENTS = events.Chunk | events.LastChunk | events.AppendBroken


class Peer:
    """A listener that says yes to everything, at once."""

    def __init__(self, policy: Policy = OPEN) -> None:
        self.session = Session(LIMITS, policy)
        self.said = self.session.send(None, Greeting("ready"))
        self.events: list[object] = []

    def feed(self, octets: bytes) -> Peer:
        self.session.feed(octets)
        while (event := self.session.next()) is not None:
            self.events.append(event)
            self._answer(event)
        return self

    def _answer(self, event: events.Event) -> None:
        if isinstance(event, events.Reply | events.Goodbye | events.AppendBroken):
            self.said += self.session.send(event, event.answer)
        elif isinstance(event, events.Append | events.Idle):
            self.said += self.session.send(event, GoOn())
        elif not isinstance(event, events.Chunk):
            self.said += self.session.send(event, Ok("done"))

    @property
    def lines(self) -> list[bytes]:
        return self.said.split(b"\r\n")[1:-1]


def selected() -> Peer:
    peer = Peer().feed(b"a login u p\r\nb select inbox\r\n")
    peer.events.clear()
    return peer


UNDERSTOOD = [
    (b"noop", events.Noop),
    (b"NoOp", events.Noop),
    (b"check", events.Noop),
    (b"id nil", events.Id),
    (b'id ("name" "x" "v" nil)', events.Id),
    (b"examine INBOX", events.Select),
    (b'select "a b"', events.Select),
    (b"create a/b/", events.Create),
    (b"create a (use (\\Sent))", events.Create),
    (b"delete a", events.Delete),
    (b"rename a b", events.Rename),
    (b"subscribe a", events.Subscribe),
    (b"unsubscribe a", events.Unsubscribe),
    (b'list "" *', events.List),
    (b'list (subscribed) "" (a b%) return (children status (messages))', events.List),
    (b'lsub "" "*"', events.Lsub),
    (b"namespace", events.Namespace),
    (b"getquota x", events.GetQuota),
    (b"getquotaroot x", events.GetQuotaRoot),
    (b"status a (messages unseen uidnext uidvalidity recent)", events.Status),
    (b"close", events.Close),
    (b"unselect", events.Unselect),
    (b"expunge", events.Expunge),
    (b"uid expunge 1:3,7", events.Expunge),
    (b"search all", events.Search),
    (b"search charset utf-8 or (from a) not subject b 1:*", events.Search),
    (b"uid search return (min max count) undeleted since 1-Feb-2020", events.Search),
    (b"search header x-a b larger 10 keyword $x", events.Search),
    (b"fetch 1 flags", events.Fetch),
    (b"fetch 1:*,3 (uid body.peek[header.fields (from to)]<0.10> bodystructure)", events.Fetch),
    (b"uid fetch 1:* all", events.Fetch),
    (b"fetch 2 body[1.2.mime]", events.Fetch),
    (b"fetch * rfc822.size", events.Fetch),
    (b"store 1 +flags (\\Seen $a)", events.Store),
    (b"uid store 1:2 -flags.silent \\Deleted", events.Store),
    (b"store 1 flags ()", events.Store),
    (b"copy 1:2 a", events.Copy),
    (b"uid copy 1 {1+}\r\na", events.Copy),
    (b"move 1 a", events.Move),
    (b"uid move 1 a", events.Move),
    (b"logout", events.Logout),
]


@pytest.mark.parametrize(("command", "kind"), UNDERSTOOD)
def test_a_command_is_understood(command: bytes, kind: type) -> None:
    peer = selected().feed(b"t " + command + b"\r\n")
    assert [type(each) for each in peer.events] == [kind]
    assert peer.lines[-1].startswith(b"t OK")


REFUSED = [
    b"",
    b"frobnicate",
    b"noop x",
    b"select",
    b'select "a',
    b"select a b",
    b"select &-&",
    b"fetch",
    b"fetch 0 flags",
    b"fetch 1:2:3 flags",
    b"fetch a flags",
    b"fetch 1 (flags",
    b"fetch 1 flags)",
    b"fetch 1 body[",
    b"fetch 1 body[0]",
    b"fetch 1 body[mime]",
    b"fetch 1 body[]<1>",
    b"fetch 1 nothing",
    b"fetch 4294967296 flags",
    b"store 1 flag (\\Seen)",
    b"store 1 +flags (\\Recent \\",
    b"copy 1",
    b"search",
    b"search from",
    b"search 1 or all",
    b"search since 31-Foo-2020",
    b"search charset",
    b"uid noop",
    b"uid",
    b"status a ()",
    b"status a messages",
    b"login u p",
    b"starttls",
    b"authenticate plain",
    b'list "" ' + b"(" * 30,
    b"search " + b"(" * 30 + b"all" + b")" * 30,
    b"search " + b"not " * 100 + b"all",
    b"fetch " + b",".join([b"1"] * 60) + b" flags",
    b"noop" + b" " * 1100,
    b"select a\x00b",
    b"append inbox",
]


@pytest.mark.parametrize("command", REFUSED)
def test_a_wrong_command_is_refused_and_the_next_is_understood(command: bytes) -> None:
    peer = selected().feed(b"t " + command + b"\r\nu noop\r\n")
    assert [line[:4] for line in peer.lines[-2:]] in (
        [b"t BA", b"u OK"],
        [b"t NO", b"u OK"],
        [b"* BA", b"u OK"],
    )


BEFORE_LOGIN = [
    b"select a",
    b"list a b",
    b"fetch 1 flags",
    b"append a {3}",
    b"idle",
    b"namespace",
    b"enable x",
]


@pytest.mark.parametrize("command", BEFORE_LOGIN)
def test_nothing_of_a_user_is_touched_before_login(command: bytes) -> None:
    peer = Peer().feed(b"t " + command + b"\r\n")
    assert peer.lines[-1].startswith(b"t BAD")
    assert all(isinstance(each, events.Reply) for each in peer.events)


def test_a_password_is_refused_where_tls_is_asked_for() -> None:
    peer = Peer(STRICT).feed(b"a login u p\r\nb authenticate plain AGEAYg==\r\nc capability\r\n")
    assert [line[:4] for line in peer.lines[:2]] == [b"a NO", b"b NO"]
    assert b"LOGINDISABLED" in peer.said and b"AUTH=" not in peer.said


def test_an_append_streams_its_message_and_swallows_none_of_what_follows() -> None:
    message = b"Subject: x\r\n\r\n" + b"body\r\n" * 40
    peer = selected().feed(b"t append inbox (\\Seen) {%d}\r\n" % len(message))
    assert peer.lines[-1] == b"+ OK"
    peer.feed(message + b"\r\nu noop\r\n")
    contents = [each.octets for each in peer.events if isinstance(each, events.Chunk | events.LastChunk)]
    assert b"".join(contents) == message
    assert [line[:4] for line in peer.lines[-2:]] == [b"t OK", b"u OK"]


def test_a_message_with_a_bare_lf_is_made_whole_and_one_with_nul_is_refused() -> None:
    peer = selected().feed(b"t append a {4+}\r\na\nb\n\r\nu append a {3+}\r\na\0b\r\nv noop\r\n")
    contents = [each.octets for each in peer.events if isinstance(each, events.LastChunk)]
    assert contents[0] == b"a\r\nb\r\n"
    assert [line[:4] for line in peer.lines[-3:]] == [b"t OK", b"u NO", b"v OK"]


def test_a_literal_too_large_is_refused_before_it_comes() -> None:
    peer = selected().feed(b"t append a {999999}\r\nu noop\r\n")
    assert b"t NO [TOOBIG]" in peer.said and peer.lines[-1].startswith(b"u OK")
    peer.feed(b"v append a {999999+}\r\n")
    assert peer.lines[-1].startswith(b"* BYE [TOOBIG]")
    assert peer.session.state is State.LOGOUT


def test_idle_ends_with_done_and_with_nothing_else() -> None:
    peer = selected().feed(b"t idle\r\ndone\r\nu idle\r\nx noop\r\nv noop\r\n")
    assert [line[:5] for line in peer.lines[-5:]] == [b"+ OK", b"t OK ", b"+ OK", b"u BAD", b"v OK "]


def test_what_is_told_while_idle_is_told_before_its_end_though_done_was_read() -> None:
    session = selected().session
    session.feed(b"t idle\r\n")
    asked = session.next()
    session.send(asked, GoOn("idling"))
    session.feed(b"done\r\nu fetch 1 flags\r\n")
    done = session.next()
    assert isinstance(done, events.IdleDone)
    assert session.send(None, b"* 1 EXPUNGE\r\n") == b"* 1 EXPUNGE\r\n"
    assert session.send(done, Ok("Idled")).startswith(b"t OK")


def test_only_so_many_mistakes_are_answered() -> None:
    peer = Peer()
    for number in range(LIMITS.errors_max + 1):
        peer.feed(b"%d what\r\n" % number)
    assert peer.lines[-1].startswith(b"* BYE")


TOKENS = (
    *(
        b"a ",
        b"login u p\r\n",
        b"select inbox\r\n",
        b"fetch 1 ",
        b"body[",
        b"]",
        b"{3}\r\n",
        b"{3+}\r\n",
        b"abc",
    ),
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b'"',
        b"(",
        b")",
        b"idle\r\n",
        b"DONE\r\n",
        b"append inbox ",
        b"uid ",
        b"search ",
    ),
    *(
        b"\0",
        b"\xff",
        b"{99999999999}\r\n",
        b"~{2}\r\n",
        b"authenticate plain\r\n",
        b"*",
        b"1:*",
        b"flags",
        b"\\",
    ),
)
DIALOGUES = st.lists(st.sampled_from(TOKENS), max_size=40).map(b"".join)


@given(DIALOGUES, st.lists(st.integers(1, 9), max_size=40))
@settings(max_examples=400)
def test_any_octets_in_any_cuts_give_the_same_dialogue(octets: bytes, cuts: list[int]) -> None:
    whole = Peer().feed(octets)
    pieces, start = Peer(), 0
    for cut in cuts:
        pieces.feed(octets[start : start + cut])
        start += cut
    pieces.feed(octets[start:])
    assert pieces.said == whole.said
    assert contents(pieces.events) == contents(whole.events)


def contents(found: list[object]) -> list[object]:
    """Events without how a message was cut into chunks."""
    joined: list[object] = []
    for event in found:
        octets = event.octets if isinstance(event, events.Chunk | events.LastChunk) else b""
        if isinstance(event, CONTENTS) and joined and isinstance(joined[-1], bytes):
            joined[-1] = joined[-1] + octets
        elif isinstance(event, CONTENTS):
            joined.append(octets)
        else:
            joined.append(type(event))
    return joined


def test_with_literal_minus_a_longer_literal_that_comes_unasked_is_refused_and_swallowed() -> None:
    """RFC 7888 §5; behind an announced one, too, in an APPEND of several messages."""
    limits = replace(LIMITS, message_octets_max=10_000, command_octets_max=10_000)
    session = Session(
        limits, Policy(tls=True, starttls=False, plaintext_login=True, mechanisms=(), literal_minus=True)
    )
    session.feed(b"a LOGIN ann sesame\r\n")
    login = session.next()
    session.send(login, Ok("Logged in"))
    session.feed(b"b SELECT {4097+}\r\n" + b"x" * 4097 + b"\r\nc SELECT {4096+}\r\n" + b"x" * 4096 + b"\r\n")
    refused = session.next()
    assert isinstance(refused, events.Reply)
    assert isinstance(refused.answer, Bad)
    assert refused.answer.code == "TOOBIG"
    session.send(refused, refused.answer)
    selected = session.next()
    assert isinstance(selected, events.Select)
    session.send(selected, No("No such mailbox"))
    session.feed(b"d APPEND x {1+}\r\na {4097+}\r\n" + b"x" * 4097 + b"\r\n")
    append = session.next()
    assert isinstance(append, events.Append)
    session.send(append, GoOn())
    broken = session.next()
    assert isinstance(broken, events.AppendBroken)
    assert isinstance(broken.answer, Bad)
