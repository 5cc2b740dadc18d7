"""What an operator types while no node runs; tests/node has the rest."""

import asyncio
import imaplib
import json
import random
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from mailnode import node
from mailnode.cli import main
from mailnode.cli.printing import octets, text
from mailnode.clock import SystemClock
from mailnode.config import FILE, load
from mailnode.directory.lookup import Recipients, Resolution
from tests.directory.asking import verified
from tests.mailbox.asks import add, expunge, intent, message
from tests.wire.server import free_base_port

DOMAIN = ("--domain", "example.test")
ALICE = ("--account", "alice@example.test:open: sesame")


def _resolve(directory: Path, address: str) -> Resolution:
    async def scenario() -> Resolution:
        async with node.house(load(directory), SystemClock()) as parts:
            return await parts.people.lookup.resolve(address)

    return asyncio.run(scenario())


def test_init_makes_a_directory_for_its_owner_alone(tmp_path: Path) -> None:
    made = tmp_path / "deep" / "node"
    assert main(["init", str(made), "--domain", "Bücher.test", "--account", "a@BÜCHER.test:b"]) == 0
    assert made.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in made.parent.iterdir()] == ["node"]
    config = load(made)
    assert config.hostname == "mail.xn--bcher-kva.test"
    assert config.certificate.is_file() and config.key.stat().st_mode & 0o777 == 0o600
    assert {listener.host for listener in config.listeners} == {"127.0.0.1"}
    assert not config.allow_plaintext_auth
    assert isinstance(_resolve(made, "postmaster@bücher.test"), Recipients)


def test_a_password_may_have_colons(tmp_path: Path) -> None:
    async def verify(password: str) -> int | None:
        async with node.house(load(tmp_path / "node"), SystemClock()) as parts:
            return await verified(parts.people.verification, "alice@example.test", password)

    assert main(["init", str(tmp_path / "node"), *DOMAIN, *ALICE]) == 0
    assert asyncio.run(verify("open: sesame")) is not None


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--domain", "bad_domain"), "--domain: the domain 'bad_domain' is not a name of hosts"),
        ((*DOMAIN, "--account", "alice"), "--account 'alice': expected ADDRESS:PASSWORD"),
        ((*DOMAIN, "--account", "alice@elsewhere.test:x"), "elsewhere.test is none of this node's domains"),
        ((*DOMAIN, "--account", "al ice@example.test:x"), "'al ice@example.test': the part before the @"),
        ((*DOMAIN, *ALICE, *ALICE), "alice@example.test exists"),
    ],
)
def test_a_refused_init_says_why_in_one_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], complaint: str
) -> None:
    assert main(["init", str(tmp_path / "node"), *words]) == 1
    told = capsys.readouterr()
    assert told.err.startswith("mailnode: ") and complaint in told.err
    assert told.err.count("\n") == 1 and told.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("port", ["64541", "-1", "x"])
def test_a_base_port_that_leaves_no_room_is_a_wrong_word(tmp_path: Path, port: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["init", str(tmp_path / "node"), *DOMAIN, "--base-port", port])
    assert ended.value.code == 2


def test_init_touches_nothing_that_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "precious").write_text("data")
    assert main(["init", str(tmp_path), *DOMAIN]) == 1
    assert "is there already, and not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_a_path_too_long_for_the_admin_socket_is_said_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path / ("d" * 110)), *DOMAIN]) == 1
    assert "longer than the 107 octets" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_alias_is_added_while_no_node_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = str(tmp_path / "node")
    assert main(["init", made, *DOMAIN, *ALICE]) == 0
    assert main(["alias", "add", "@example.test", "ALICE@example.test", "--dir", made]) == 0
    assert capsys.readouterr().out == "@example.test was added\n"
    assert main(["alias", "add", "x@example.test", "a@elsewhere.test", "--dir", made]) == 1
    assert "elsewhere.test is none of this node's domains" in capsys.readouterr().err
    found = _resolve(Path(made), "whoever@example.test")
    assert isinstance(found, Recipients)
    assert [recipient.address for recipient in found.accounts] == ["alice@example.test"]


def test_a_missing_directory_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", str(tmp_path / "none")]) == 1
    assert "there is none; `mailnode init" in capsys.readouterr().err


def test_what_the_demonstration_prints_is_enough_to_log_in_and_its_data_stay(tmp_path: Path) -> None:
    base_port = free_base_port(random.Random())
    command = [
        sys.executable,
        "-m",
        "mailnode",
        "demo",
        str(tmp_path / "data"),
        "--base-port",
        str(base_port),
    ]
    uid_validities = set()
    for _ in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
            assert demo.stdout is not None
            printed = ""
            for line in demo.stdout:
                if line.startswith("ready"):
                    break
                printed += line
            try:
                user, password = printed.splitlines()[1].split()
                host, port = "127.0.0.1", base_port + 993
                assert f"IMAP {host} port {port} with TLS" in printed
                trusting = ssl.create_default_context(cafile=str(tmp_path / "data" / "tls" / "cert.pem"))
                client = imaplib.IMAP4_SSL(host, port, ssl_context=trusting)
                client.login(user, password)
                client.select()
                uid_validities.add(client.response("UIDVALIDITY")[1][0])
                client.logout()
            finally:
                demo.terminate()
        assert demo.returncode == 0
    assert len(uid_validities) == 1


def test_answers_are_tables_for_people_and_json_for_scripts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = str(tmp_path / "node")
    assert main(["init", made, *DOMAIN, *ALICE]) == 0
    assert main(["account", "list", "--dir", made]) == 0
    title, row = capsys.readouterr().out.splitlines()
    assert title.split() == [
        *("ADDRESS", "STATE", "MAILBOXES", "MESSAGES", "SIZE", "MAX-MESSAGES", "MAX-SIZE", "QUOTA")
    ]
    assert row.split() == ["alice@example.test", "active", "6", "0", "0", "B", "-", "-", "domain"]
    assert main(["account", "show", "alice@example.test", "--dir", made, "--json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)
    assert shown["octets"] == 0 and isinstance(shown["account"], int) and shown["suspended"] is False
    assert main(["mailbox", "list", "alice@example.test", "--dir", made]) == 0
    assert "Drafts" in capsys.readouterr().out
    assert main(["queue", "list", "--dir", made]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_what_was_done_is_said_for_people_or_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = str(tmp_path / "node")
    assert main(["init", made, *DOMAIN, *ALICE]) == 0
    for words, answer in (
        (("alias", "add", "x@example.test", "alice@example.test"), {"address": "x@example.test"}),
        (("alias", "remove", "X@example.test"), {"address": "x@example.test"}),
        (("account", "suspend", "alice@example.test"), {"address": "alice@example.test"}),
        (("account", "rename", "alice@example.test", "al@example.test"), {"address": "al@example.test"}),
    ):
        capsys.readouterr()
        assert main([*words, "--dir", made, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == answer


def test_a_quota_is_its_domains_until_the_account_is_told_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "node"
    assert main(["init", str(made), *DOMAIN, *ALICE]) == 0
    file = made / FILE
    file.write_text(file.read_text().replace("quota_octets = 0", "quota_octets = 5000000", 1))
    at = ["alice@example.test", "--dir", str(made)]
    capsys.readouterr()

    def shown() -> tuple[int, int, bool]:
        assert main(["account", "show", *at, "--json"]) == 0
        (account,) = json.loads(capsys.readouterr().out)
        return account["quota_octets"], account["quota_messages"], account["quota_own"]

    assert shown() == (5_000_000, 0, False)
    assert main(["account", "quota", *at, "--storage", "10G", "--messages", "100"]) == 0
    assert capsys.readouterr().out == "alice@example.test has a new quota\n"
    assert shown() == (10_000_000_000, 100, True)
    assert main(["account", "quota", *at, "--storage", "none"]) == 0
    assert main(["account", "quota", *at, "--messages", "domain"]) == 0
    capsys.readouterr()
    assert shown() == (0, 0, True)
    assert main(["account", "quota", *at]) == 1
    assert "expected --storage or --messages" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["account", "quota", *at, "--storage", "10Q"])
    assert "'10Q': expected a number of octets such as" in capsys.readouterr().err


def test_what_was_expunged_is_listed_and_brought_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "node"
    assert main(["init", str(made), *DOMAIN, *ALICE]) == 0
    at = ["alice@example.test", "--dir", str(made)]

    async def lose_two() -> None:
        async with node.house(load(made), SystemClock()) as parts:
            owner = await parts.people.lookup.owner("alice@example.test")
            assert owner is not None
            account = await parts.accounts.open(owner.account)
            await account.apply(intent(add(message("Drafts"), message("Drafts"), message("Sent"))))
            for mailbox in (await account.mailboxes()).rows:
                await account.apply(intent(expunge(mailbox, whatever_flags=True)))

    asyncio.run(lose_two())
    capsys.readouterr()
    assert main(["mailbox", "expunged", *at]) == 0
    title, *rows = capsys.readouterr().out.splitlines()
    assert title.split() == ["EXPUNGED", "UNTIL", "MAILBOX", "MESSAGES", "SIZE"]
    assert sorted(row.split()[4:6] for row in rows) == [["Drafts", "2"], ["Sent", "1"]]
    for words, count in (
        (("Drafts", "--since", "2999-01-31 12:00"), 0),
        (("Drafts", "--since", "10m"), 2),
        (("--since", "2026-01-31T12:00+01:00"), 1),
        ((), 0),
    ):
        assert main(["mailbox", "undelete", at[0], *words, *at[1:]]) == 0
        assert capsys.readouterr().out == f"{count} messages came back\n"
    with pytest.raises(SystemExit):
        main(["mailbox", "undelete", *at, "--since", "yesterday"])
    assert "'yesterday': expected a time such as" in capsys.readouterr().err


def test_a_new_password_is_read_from_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = str(tmp_path / "node")
    assert main(["init", made, *DOMAIN, *ALICE]) == 0
    command = [sys.executable, "-m", "mailnode", "account", "passwd", "alice@example.test", "--dir", made]
    done = subprocess.run(command, input="other\n", capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "alice@example.test has a new password\n")
    assert main(["account", "suspend", "alice@example.test", "--dir", made]) == 0
    assert main(["account", "resume", "alice@example.test", "--dir", made]) == 0
    assert main(["account", "suspend", "carol@example.test", "--dir", made]) == 1
    assert "'carol@example.test' is no account of this node" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (123_456, "123 kB"), (2 * 10**15, "2000.0 TB")],
)
def test_sizes_have_three_digits(value: int, words: str) -> None:
    assert octets(value) == words


def test_what_others_chose_cannot_play_with_the_terminal() -> None:
    assert text("a\x1b[2Jb\n") == "a?[2Jb?"


def test_dns_says_what_a_zone_shall_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = tmp_path / "node"
    assert main(["init", str(made), *DOMAIN]) == 0
    assert main(["dns", "Example.test", "--dir", str(made)]) == 0
    lines = capsys.readouterr().out.splitlines()
    records = [line.split("\t") for line in lines if not line.startswith(";")]
    assert [(name, kind) for name, _, kind, _ in records] == [
        ("example.test.", "MX"),
        ("example.test.", "TXT"),
        ("m1._domainkey.example.test.", "TXT"),
        ("_dmarc.example.test.", "TXT"),
        ("_smtp._tls.example.test.", "TXT"),
        ("_mta-sts.example.test.", "TXT"),
        ("_submissions._tcp.example.test.", "SRV"),
        ("_submission._tcp.example.test.", "SRV"),
        ("_imaps._tcp.example.test.", "SRV"),
        ("_imap._tcp.example.test.", "SRV"),
        ("_pop3s._tcp.example.test.", "SRV"),
        ("_pop3._tcp.example.test.", "SRV"),
        ("_25._tcp.mail.example.test.", "TLSA"),
    ]
    assert records[0][3] == "10 mail.example.test."
    assert records[8][3] == "0 1 10993 mail.example.test."
    assert records[3][3] == '"v=DMARC1; p=quarantine; rua=mailto:postmaster@example.test"'
    assert records[-1][3].endswith("in a zone that is signed (DNSSEC)")
    assert all(len(string) <= 255 for line in lines for string in line.split('"')[1::2])
    policy = ["version: STSv1", "mode: testing", "mx: mail.example.test", "max_age: 1209600"]
    assert lines[-4:] == [f";\t{line}" for line in policy]
    assert "https://mta-sts.example.test/.well-known/mta-sts.txt" in lines[-5]
    assert main(["dns", "elsewhere.test", "--dir", str(made)]) == 1
    (key,) = (made / "dkim").iterdir()
    key.chmod(0o644)
    assert main(["dns", "example.test", "--dir", str(made)]) == 1
    assert "others may read this key, expected mode 600" in capsys.readouterr().err


def test_dns_follows_the_listeners_and_what_the_domain_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "node"
    assert main(["init", str(made), *DOMAIN, "--base-port", "0"]) == 0
    file = made / FILE

    def said() -> tuple[dict[str, str], dict[str, str]]:
        capsys.readouterr()
        assert main(["dns", "example.test", "--dir", str(made), "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        return {f"{each['kind']} {each['name']}": each["data"] for each in told["records"]}, told["policy"]

    before, policy = said()
    text = file.read_text()
    for old, new in (
        ("\npop3 = 110", "\nmta_sts = 443"),
        ('mta_sts = "testing"', 'mta_sts = "enforce"'),
        ('report_address = "postmaster@example.test"', 'report_address = "r@reports.test"'),
    ):
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)
    after, enforced = said()
    assert after["SRV _pop3._tcp.example.test."] == "0 0 0 ."
    assert after["SRV _pop3s._tcp.example.test."] == "20 1 995 mail.example.test."
    assert after["CNAME mta-sts.example.test."] == "mail.example.test."
    assert (policy["served"], enforced["served"]) == (False, True)
    assert enforced["text"] == policy["text"].replace("testing", "enforce")
    assert before["TXT _mta-sts.example.test."] != after["TXT _mta-sts.example.test."]
    assert after["TXT _smtp._tls.example.test."] == '"v=TLSRPTv1; rua=mailto:r@reports.test"'
    assert after["TXT example.test._report._dmarc.reports.test."] == '"v=DMARC1;"'
    file.write_text(text.replace('"r@reports.test"', '""'))
    silent, _ = said()
    assert "TXT _smtp._tls.example.test." not in silent
    assert silent["TXT _dmarc.example.test."] == '"v=DMARC1; p=quarantine"'
