import pytest

from mailnode.limits import Limits
from mailnode.listeners.admission import Admission, is_local

LIMITS = Limits(connections_max=3, connections_per_address_max=2)


def test_an_address_has_its_share_and_gets_it_back() -> None:
    admission = Admission(LIMITS)
    assert [admission.admit("192.0.2.1") for _ in range(3)] == [True, True, False]
    assert admission.admit("192.0.2.2")
    admission.leave("192.0.2.1")
    assert admission.admit("192.0.2.1")


def test_all_addresses_together_have_a_limit() -> None:
    admission = Admission(LIMITS)
    assert [admission.admit(f"192.0.2.{host}") for host in range(4)] == [True, True, True, False]
    assert admission.total == 3
    admission.leave("192.0.2.0")
    assert admission.admit("192.0.2.9")


def test_a_network_of_64_bits_is_one_address() -> None:
    admission = Admission(LIMITS)
    hosts = ["2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1", "2001:db8::2"]
    assert [admission.admit(host) for host in hosts] == [True, True, True, False]


def test_a_mapped_address_is_the_address_itself() -> None:
    admission = Admission(LIMITS)
    hosts = ["::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"]
    assert [admission.admit(host) for host in hosts] == [True, True, False]
    admission.leave("::ffff:192.0.2.1")
    admission.leave("192.0.2.1")
    assert admission.total == 0


def test_unix_sockets_have_a_limit_only_together_with_all() -> None:
    admission = Admission(LIMITS)
    assert [admission.admit("") for _ in range(4)] == [True, True, True, False]
    admission.leave("")
    assert admission.admit("")


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("", True),
        ("192.0.2.1", False),
        ("10.0.0.1", False),
        ("::ffff:192.0.2.1", False),
        ("2001:db8::1", False),
    ],
)
def test_who_is_on_this_machine(host: str, local: bool) -> None:
    assert is_local(host) is local
