import pytest
from django.core.exceptions import ImproperlyConfigured

from catsdogs.networks import read_networks


def test_networks_and_single_addresses_are_read():
    found = read_networks("NETWORKS", ["10.0.0.0/8", " 192.0.2.1", "::1/128", ""])

    assert [str(network) for network in found] == ["10.0.0.0/8", "192.0.2.1/32", "::1/128"]


@pytest.mark.parametrize("text", ["everywhere", "10.0.0.1/8", "10.0.0.0/33", "localhost"])
def test_what_is_none_stops_the_start_with_the_setting_s_name(text):
    with pytest.raises(ImproperlyConfigured, match="NETWORKS names networks.*10.0.0.0/8"):
        read_networks("NETWORKS", [text])
