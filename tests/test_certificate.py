import datetime
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from mailnode.certificate import check, write_self_signed
from mailnode.clock import SystemClock
from mailnode.config import ConfigError


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    """A whole TLS handshake in memory."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    while ends:
        for end in tuple(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                continue


def test_a_client_that_trusts_the_certificate_reaches_every_name(tmp_path: Path) -> None:
    chain, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    write_self_signed(chain, key, ["mail.example.test", "example.test"], SystemClock())
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain, key)
    client = ssl.create_default_context(cafile=str(chain))
    for name in ("mail.example.test", "example.test", "localhost", "127.0.0.1", "::1"):
        _shake_hands(server, client, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        _shake_hands(server, client, "elsewhere.test")


@pytest.mark.parametrize("spoilt", ["cert.pem", "key.pem"])
@pytest.mark.parametrize("how", ["gone", "garbage", "another's", "encrypted"])
def test_files_that_are_no_pair_are_named_in_one_line(tmp_path: Path, spoilt: str, how: str) -> None:
    chain, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    write_self_signed(chain, key, ["mail.example.test"], SystemClock())
    check(chain, key, "")
    if how == "gone":
        (tmp_path / spoilt).unlink()
    elif how == "garbage":
        (tmp_path / spoilt).write_bytes(b"\xff garbage")
    elif how == "another's":
        (tmp_path / "other").mkdir()
        write_self_signed(tmp_path / "other/cert.pem", tmp_path / "other/key.pem", ["other"], SystemClock())
        (tmp_path / "other" / spoilt).replace(tmp_path / spoilt)
    else:
        private = load_pem_private_key(key.read_bytes(), None)
        locked = BestAvailableEncryption(b"secret")
        key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    with pytest.raises(ConfigError) as raised:
        check(chain, key, "")
    assert str(tmp_path / spoilt) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_key_is_its_owners_alone_and_never_written_over(tmp_path: Path) -> None:
    chain, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    write_self_signed(chain, key, ["mail.example.test"], SystemClock())
    assert key.stat().st_mode & 0o777 == 0o600
    made = key.read_bytes(), chain.read_bytes()
    with pytest.raises(FileExistsError):
        write_self_signed(chain, key, ["mail.example.test"], SystemClock())
    assert made == (key.read_bytes(), chain.read_bytes())


def test_the_certificate_holds_for_the_days_that_clients_accept(tmp_path: Path) -> None:
    write_self_signed(
        tmp_path / "cert.pem", tmp_path / "key.pem", ["a" * 63 + ".example.test"], SystemClock()
    )
    certificate = x509.load_pem_x509_certificate((tmp_path / "cert.pem").read_bytes())
    lasts = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert lasts == datetime.timedelta(days=825)
