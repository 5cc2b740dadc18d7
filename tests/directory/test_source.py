import pytest

from mailnode.directory.source import source_of


@pytest.mark.parametrize(
    ("host", "address", "network", "is_local"),
    [
        ("192.0.2.77", "c000024d", "c00002", False),
        ("::ffff:192.0.2.77", "c000024d", "c00002", False),
        ("2001:db8:1:2:3::4", "20010db800010002", "20010db80001", False),
        ("fe80::1%eth0", "fe80000000000000", "fe8000000000", False),
        ("127.0.0.1", "7f000001", "7f0000", True),
        ("::1", "0000000000000000", "000000000000", True),
        ("", "", "", True),
    ],
)
def test_a_host_is_of_an_address_and_a_network(host: str, address: str, network: str, is_local: bool) -> None:
    source = source_of(host)
    assert (source.host, source.address.hex(), source.network.hex()) == (host, address, network)
    assert source.is_local is is_local
