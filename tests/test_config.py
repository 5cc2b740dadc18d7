import re
from dataclasses import replace
from pathlib import Path

import pytest

from mailnode.clustered import ClusterAt
from mailnode.config import (
    BARE_NEWLINE,
    FILE,
    Config,
    ConfigError,
    Listener,
    MetricsAt,
    Relay,
    Service,
    TracesAt,
    load,
)
from mailnode.config_text import text_of
from mailnode.domain import Domain
from mailnode.limits import Limits
from protocols.smtp.profile import BareNewline

SMALL = """
hostname = "mail.example.test"
[listeners]
imap = 143
[[domain]]
name = "example.test"
"""


ENDPOINTS = "endpoints = ['127.0.0.1:2379']"


def _load(directory: Path, text: str) -> Config:
    (directory / FILE).write_text(text)
    return load(directory)


def test_a_small_file_leaves_the_rest_to_defaults(tmp_path: Path) -> None:
    config = _load(tmp_path, SMALL)
    assert config.hostname == "mail.example.test"
    assert config.domains == (
        Domain("example.test", separator="+", scram=True, dkim="", report_address="postmaster@example.test"),
    )
    assert config.listeners == (Listener(Service.IMAP, "127.0.0.1", 143),)
    assert config.certificate == tmp_path / "tls" / "cert.pem"
    assert config.pop3_marks_seen and not config.allow_plaintext_auth and not config.imap_literal_minus
    assert (config.pop3_expire_days, config.pop3_login_delay_seconds) == (-1, 0)
    assert config.relay is None
    assert config.lmtp_socket is None
    assert config.bare_newline == BARE_NEWLINE
    assert config.shard.parent == config.admin_socket.parent == tmp_path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    config = replace(
        _load(tmp_path, SMALL),
        domains=(
            Domain("example.test", "-", False, "m1", 10**10, 5, 10**12),
            Domain("xn--bcher-kva.test", "", True, ""),
        ),
        listeners=tuple(Listener(service, "::1", port) for port, service in enumerate(Service, start=10_001)),
        allow_plaintext_auth=True,
        imap_literal_minus=True,
        foreign_from=True,
        hide_client=True,
        pop3_marks_seen=False,
        pop3_expire_days=30,
        pop3_login_delay_seconds=60,
        lmtp_socket=tmp_path / "run" / "lmtp",
        bare_newline=dict.fromkeys(BARE_NEWLINE, BareNewline.REJECT),
        memory_octets=64 * 1024 * 1024,
        log_level="debug",
        log_format="json",
        user="mail",
        metrics=MetricsAt("::1", 9, ""),
        traces=TracesAt("https://collector.test/v1/traces", ""),
        cluster=ClusterAt(
            ("10.0.0.1:2379", "[::1]:2379", "etcd.test:2379"),
            *("node1", "host1", "rack1", "dc1", 50, "10.0.0.1:10070", "mail", "me"),
            authority=tmp_path / "ca.pem",
            certificate=tmp_path / "etcd.pem",
            key=tmp_path / "key.pem",
        ),
        limits=replace(Limits(), smtp_recipients_max=500),
    )
    assert _load(tmp_path, text_of(config)) == config


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("hostname = ", "host_name = ", "hostname: found nothing, expected a domain name such as"),
        (
            '"mail.example.test"',
            '"Mail.example.test"',
            "found 'Mail.example.test', expected a domain name in",
        ),
        ('"mail.example.test"', "7", "hostname: found 7, expected a string"),
        ("143", "70000", "listeners.imap: found 70000, expected a port from 1 to 65535"),
        ("143", "true", "listeners.imap: found True, expected a port"),
        ("imap = 143", "", "listeners: found nothing, expected one or more of lmtp, smtp, submission,"),
        ("imap = 143", "imap = 143\nimapx = 1", "listeners.imapx: found 1, expected only host, lmtp, smtp"),
        ("[[domain]]", "[domain]", "domain: found {'name': 'example.test'}, expected one or more tables"),
        ('name = "example.test"', 'name = "bücher.test"', "domain[0].name: found 'bücher.test', expected"),
        ('name = "example.test"', "separator = 1", "domain[0].separator: found 1, expected a string"),
        ('name = "example.test"', "", "domain[0].name: found nothing, expected"),
        (
            'name = "example.test"',
            'name = "example.test"\n[[domain]]\nname = "example.test"',
            "domain[1].name: found 'example.test', expected each name once",
        ),
        (
            "[listeners]",
            "memory_octets = 1\n[listeners]",
            "memory_octets: found 1, expected a number, 16777216",
        ),
        ("[listeners]", "allow_plaintext_auth = 1\n[listeners]", "found 1, expected true or false"),
        ("imap = 143", "imap = 143\nlmtp_socket = 7", "listeners.lmtp_socket: found 7, expected a string"),
        (
            "[[domain]]",
            "[bare_newline]\nsmtp = 'keep'\n[[domain]]",
            'bare_newline.smtp: found \'keep\', expected "normalize" or "reject"',
        ),
        (
            "[[domain]]",
            "[bare_newline]\nimap = 'reject'\n[[domain]]",
            "bare_newline.imap: found 'reject', expected",
        ),
        ("[listeners]", "tls = 1\n[listeners]", "tls: found 1, expected a table [tls]"),
        (
            'name = "example.test"',
            'name = "example.test"\ndkim = "M 1"',
            "domain[0].dkim: found 'M 1', expected",
        ),
        (
            "[listeners]",
            "log_level = 'loud'\n[listeners]",
            "log_level: found 'loud', expected one of debug, info",
        ),
        (
            "[listeners]",
            "[limits]\nimap_idle_seconds_max = 60\n[listeners]",
            "expected a number, 1800 or more",
        ),
        (
            "[listeners]",
            "[limits]\nhops = 1\n[listeners]",
            "limits.hops: found 1, expected only connections_max",
        ),
        ("[listeners]", "colour = 'red'\n[listeners]", "colour: found 'red', expected only"),
        ("[listeners]", "[relay]\nport = 0\n[listeners]", "relay.port: found 0, expected a port from"),
        (
            "[listeners]",
            "[dns]\nservers = 'x'\n[listeners]",
            "dns.servers: found 'x', expected a list of strings",
        ),
        (
            "[listeners]",
            "[dns]\nservers = ['ns.test']\n[listeners]",
            "dns.servers: found 'ns.test', expected addr",
        ),
        (
            "[listeners]",
            "[mailauth]\nexempt = ['here']\n[listeners]",
            "mailauth.exempt: found 'here', expected networks such as",
        ),
        (
            "[listeners]",
            "[mailauth]\nsealers = ['Lists.test']\n[listeners]",
            "mailauth.sealers: found 'Lists.test', expected domain names",
        ),
        ("[listeners]", "[relay]\nsmart = 1\n[listeners]", "relay.smart: found 1, expected only"),
        *(
            ("[listeners]", f"[cluster]\n{told}\n[listeners]", f"cluster.{complaint}")
            for told, complaint in (
                ("name = 'a'", "endpoints: found nothing, expected etcd's members, such as"),
                ("endpoints = ['etcd']\nname = 'a'", "endpoints: found ['etcd'], expected etcd's members"),
                (f"{ENDPOINTS}", "name: found nothing, expected a name such as node1"),
                (f"{ENDPOINTS}\nname = 'A 1'", "name: found 'A 1', expected a name such as node1"),
                (f"{ENDPOINTS}\nname = 'a'\nlisten = '7'", "listen: found '7', expected \"unix:/PATH\" or"),
                (f"{ENDPOINTS}\nname = 'a'\nweight = 0", "weight: found 0, expected a number, 1 or more"),
                (f"{ENDPOINTS}\nname = 'a'\nkey = 'k'", "key: found nothing, expected certificate and key"),
            )
        ),
        ("hostname = ", "hostname ", "is not TOML: "),
    ],
)
def test_a_mistake_is_named_with_file_key_what_was_found_and_what_would_be_right(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    assert old in SMALL
    with pytest.raises(ConfigError) as raised:
        _load(tmp_path, SMALL.replace(old, new))
    text = str(raised.value)
    assert text.startswith(f"{tmp_path / FILE}: ")
    assert complaint in text
    assert "\n" not in text


def test_what_init_writes_shows_every_key(tmp_path: Path) -> None:
    """Each table names all that may stand in it, set or as a remark."""
    text = text_of(replace(_load(tmp_path, SMALL), relay=Relay(25), lmtp_socket=tmp_path / "lmtp.sock"))
    told = re.sub(r"^# (\w+ = |\[)", r"\1", text, flags=re.MULTILINE)
    told = told.replace(
        "[listeners]",
        "[listeners]" + "".join(f"\n{name} = 1" for name in Service if name not in ("imap", "mta_sts")),
    )
    for folder in ("tls", "cluster"):
        (tmp_path / folder).mkdir()
    for secret in ("metrics.token", "traces.authorization", "tls/key.password", "cluster/etcd.password"):
        (tmp_path / secret).write_text("secret\n")
    assert _load(tmp_path, told).limits == Limits()
    for table in (
        "",
        "[tls]",
        "[listeners]",
        "[bare_newline]",
        "[relay]",
        "[metrics]",
        "[cluster]",
        "[limits]",
        "[[domain]]",
    ):
        lines = told.splitlines()
        lines.insert(
            lines.index(next(line for line in lines if line.startswith(table))) + bool(table), "odd = 1"
        )
        with pytest.raises(ConfigError) as raised:
            _load(tmp_path, "\n".join(lines))
        (known,) = re.findall(r"expected only (.*) here", str(raised.value))
        for key in known.split(", "):
            assert re.search(rf"^(\[+{key}\]+|{key} = )", told, re.MULTILINE), f"{table} does not show {key}"


def test_a_domain_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "domains.d").mkdir()
    second = tmp_path / "domains.d" / "second.test.toml"
    second.write_text('name = "second.test"\nseparator = "-"\n')
    config = _load(tmp_path, SMALL)
    assert [(domain.name, domain.separator) for domain in config.domains] == [
        ("example.test", "+"),
        ("second.test", "-"),
    ]
    second.write_text('name = "example.test"\n')
    with pytest.raises(ConfigError) as raised:
        load(tmp_path)
    assert str(raised.value) == f"{second}: name: found 'example.test', expected each name once"


def test_a_secret_is_read_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def token(told: str) -> str:
        metrics = _load(
            tmp_path, SMALL.replace("[[domain]]", f"[metrics]\ntoken = {told}\n[[domain]]")
        ).metrics
        assert metrics is not None
        return metrics.token

    (tmp_path / "token").write_text("from a file\n")
    monkeypatch.setenv("MAILNODE_TOKEN", "from the environment")
    assert token('{ file = "token" }') == "from a file"
    assert token('{ env = "MAILNODE_TOKEN" }') == "from the environment"
    for wrong in ('"written here"', '{ env = "NOT_SET" }', '{ file = "none" }', "{ file = 1 }"):
        with pytest.raises(ConfigError, match=r"metrics\.token: found .*, expected \{"):
            token(wrong)
    with pytest.raises(ConfigError) as raised:
        token('"written here"')
    assert "written here" not in str(raised.value)


def test_dns_servers_have_port_53_unless_they_say_another(tmp_path: Path) -> None:
    dns = "['192.0.2.1', '2001:db8::1', '192.0.2.2:5353', '[::1]:54']"
    servers = _load(tmp_path, SMALL.replace("[listeners]", f"[dns]\nservers = {dns}\n[listeners]")).dns
    assert servers == (("192.0.2.1", 53), ("2001:db8::1", 53), ("192.0.2.2", 5353), ("::1", 54))


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is none; `mailnode init"):
        load(tmp_path)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not TOML"):
        load(tmp_path)
