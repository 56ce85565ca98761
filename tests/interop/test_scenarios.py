"""docs/scenarios: each set-up with the files that stand there, run by cygnet in both formats and, in
either role, by strongSwan. `CYGNET_FULL=1` runs both roles of each.

When a page no longer tells what is seen: UPDATE_GOLDEN=1 python3 -m unittest test_scenarios"""

import unittest

from rig.certs import Authority
from rig.networks import INTERNET_HOST, PRINTER, sites, warriors
from rig.scenario import STRONGSWAN_ANSWERS, STRONGSWAN_CALLS, check_table, issue_usual, scenario, scenarios

SERVER, SERVER_2, SERVER_IPV6 = "10.1.0.10", "10.1.1.10", "fd00:1::10"
DESK, DESK_2, TILL, TILL_2 = "10.1.0.10", "10.1.1.10", "10.2.0.10", "10.2.1.10"
OFFICE, BRANCH, LAPTOP = "192.0.2.1", "203.0.113.1", "198.51.100.1"
NO_TRAPS = "its userspace plane does not tell when traffic wants a tunnel"
CHILD_OF_THE_SAME = "it becomes a child of that connection"


class Cloud(unittest.TestCase):
    @scenario(warriors("laptop", behind_nat=["t520"], inner=["10.9.0.1/32"]), watch="laptop",
              told=["[reachable-only-when-used]"],
              remarks={STRONGSWAN_CALLS: f"yes, t520 by hand: {NO_TRAPS}"})
    def test_media_server(self, run):
        if run.ours("t520"):
            run.wakes("t520", "10.9.0.1")
        else:
            run.up("t520", "vpn")
        run.expect("t520", "vpn: 10.9.2.1/32 <-> 10.9.0.0/16")
        run.up("laptop", "vpn")
        run.expect("laptop", "vpn: 10.9.1.1/32 <-> 0.0.0.0/0")
        run.expect("gateway", "roadwarriors: 0.0.0.0/0 <-> 10.9.1.1/32",
                   "t520: 10.9.0.0/16 <-> 10.9.2.1/32")
        run.reaches("laptop", "10.9.2.1", INTERNET_HOST)
        run.reaches("t520", "10.9.1.1", INTERNET_HOST)


def chain_of_rsa(root, node):
    """Each end has a chain of its own."""
    first = Authority(root.folder, f"first-{node}", "rsa3072", parent=root)
    second = Authority(root.folder, f"second-{node}", "rsa3072", parent=first)
    return (*issue_usual(second, node), first.cert, second.cert)


class Roadwarrior(unittest.TestCase):
    def proves_a_tunnel(self, run):
        run.up("laptop", "home")
        run.expect("laptop", f"home: {LAPTOP}/32 <-> 10.1.0.0/24")
        run.expect("gateway", f"home: 10.1.0.0/24 <-> {LAPTOP}/32")
        run.reaches("laptop", SERVER)
        run.reaches("server", LAPTOP)

    @scenario(warriors("laptop"))
    def test_certificates(self, run):
        self.proves_a_tunnel(run)

    @scenario(warriors("laptop"))
    def test_psk(self, run):
        self.proves_a_tunnel(run)

    @scenario(warriors("laptop", mtu=1280), issue=chain_of_rsa, key="rsa3072")
    def test_intermediate_ca(self, run):
        self.proves_a_tunnel(run)

    @scenario(warriors("laptop"), strongswan="make_before_break = yes")
    def test_reauthentication(self, run):
        run.up("laptop", "home")
        run.reauthenticate("laptop", "home")
        run.expect("laptop", f"home: {LAPTOP}/32 <-> 10.1.0.0/24")
        run.expect("gateway", f"home: 10.1.0.0/24 <-> {LAPTOP}/32")
        run.reaches("laptop", SERVER)


class Pool(unittest.TestCase):
    @scenario(warriors("laptop"))
    def test_ipv4(self, run):
        run.up("laptop", "home")
        run.expect("laptop", "home: 10.9.0.1/32 <-> 10.1.0.0/24")
        run.expect("gateway", "home: 10.1.0.0/24 <-> 10.9.0.1/32")
        run.reaches("laptop", SERVER)
        run.reaches("server", "10.9.0.1")

    @scenario(warriors("laptop", ipv6=True))
    def test_ipv6(self, run):
        run.up("laptop", "home")
        run.expect("laptop", "home: fd00:9::1/128 <-> fd00:1::/64")
        run.reaches("laptop", SERVER_IPV6)
        run.reaches("server", "fd00:9::1")

    @scenario(warriors("laptop", ipv6=True))
    def test_both_families(self, run):
        run.up("laptop", "home")
        run.expect("laptop", "home: 10.9.0.1/32, fd00:9::1/128 <-> 10.1.0.0/24, fd00:1::/64")
        run.reaches("laptop", SERVER, SERVER_IPV6)
        run.reaches("server", "10.9.0.1", "fd00:9::1")

    @scenario(warriors("laptop", "phone"))
    def test_fixed_address(self, run):
        for device, address in (("phone", "10.9.0.22"), ("laptop", "10.9.0.21")):
            run.up(device, "home")
            run.expect(device, f"home: {address}/32 <-> 10.1.0.0/24")
            run.reaches(device, SERVER)
            run.reaches("server", address)
        run.expect("gateway", "laptop: 10.1.0.0/24 <-> 10.9.0.21/32",
                   "phone: 10.1.0.0/24 <-> 10.9.0.22/32")


class Nat(unittest.TestCase):
    @scenario(warriors(behind_nat=["laptop"]))
    def test_one_client(self, run):
        run.up("laptop", "home")
        run.expect("laptop", "home: 10.9.0.1/32 <-> 10.1.0.0/24")
        run.reaches("laptop", SERVER)
        run.reaches("server", "10.9.0.1")
        self.assertEqual(run.sa("gateway", "home")["remote-host"], "203.0.113.1")

    @scenario(warriors(behind_nat=["laptop", "phone"]))
    def test_two_clients(self, run):
        for device, address in (("laptop", "10.9.0.1"), ("phone", "10.9.0.2")):
            run.up(device, "home")
            run.expect(device, f"home: {address}/32 <-> 10.1.0.0/24")
        run.expect("gateway", "home: 10.1.0.0/24 <-> 10.9.0.1/32", "home: 10.1.0.0/24 <-> 10.9.0.2/32")
        run.reaches("laptop", SERVER)
        run.reaches("phone", SERVER)
        run.reaches("server", "10.9.0.1", "10.9.0.2")


class Site(unittest.TestCase):
    def proves_two_networks(self, run):
        run.reaches("till", DESK)
        run.reaches("desk", TILL)
        run.expect("branch", "sites: 10.2.0.0/24 <-> 10.1.0.0/24")
        run.expect("office", "sites: 10.1.0.0/24 <-> 10.2.0.0/24")

    def proves_two_networks_that_come_up(self, run):
        run.expect("branch", "sites: 10.2.0.0/24 <-> 10.1.0.0/24")
        run.expect("office", "sites: 10.1.0.0/24 <-> 10.2.0.0/24")
        self.proves_two_networks(run)

    @scenario(sites())
    def test_certificates(self, run):
        self.proves_two_networks_that_come_up(run)

    @scenario(sites())
    def test_psk(self, run):
        self.proves_two_networks_that_come_up(run)

    @scenario(sites(), remarks={STRONGSWAN_CALLS: f"no: {NO_TRAPS}"})
    def test_trap(self, run):
        run.expect("branch")
        self.proves_two_networks(run)
        if run.ours("office"):
            run.down("branch", "sites")
            run.reaches("desk", TILL)
            self.proves_two_networks(run)

    @scenario(sites(), told=[CHILD_OF_THE_SAME])
    def test_two_children(self, run):
        run.expect("branch", "servers: 10.2.0.0/24 <-> 10.1.0.0/24", "phones: 10.2.1.0/24 <-> 10.1.1.0/24")
        run.expect("office", "servers: 10.1.0.0/24 <-> 10.2.0.0/24", "phones: 10.1.1.0/24 <-> 10.2.1.0/24")
        run.reaches("till", DESK, source=TILL)
        run.reaches("till", DESK_2, source=TILL_2)
        run.reaches("desk", TILL_2, source=DESK_2)

    @scenario(sites())
    def test_several_subnets(self, run):
        run.expect("branch", "sites: 10.2.0.0/24, 10.2.1.0/24 <-> 10.1.0.0/24, 10.1.1.0/24")
        run.expect("office", "sites: 10.1.0.0/24, 10.1.1.0/24 <-> 10.2.0.0/24, 10.2.1.0/24")
        for source in (TILL, TILL_2):
            run.reaches("till", DESK, DESK_2, source=source)
        run.reaches("desk", TILL, source=DESK_2)

    @scenario(sites(ipv6=True))
    def test_over_ipv6(self, run):
        self.proves_two_networks_that_come_up(run)
        self.assertEqual(run.sa("office", "sites")["remote-host"], "2001:db8:2::1")

    @scenario(sites("laptop", inner=["10.9.0.1/32"]), remarks={STRONGSWAN_ANSWERS: (
        "no: its userspace plane takes no tunnel between networks in which it has no address")})
    def test_hub(self, run):
        run.expect("branch", "office: 10.2.0.0/24 <-> 10.1.0.0/24, 10.9.0.0/16")
        run.up("laptop", "office")
        run.expect("laptop", "office: 10.9.1.1/32 <-> 10.1.0.0/24, 10.2.0.0/24")
        run.reaches("laptop", DESK, TILL)
        run.reaches("till", "10.9.1.1", DESK)


class Host(unittest.TestCase):
    @scenario(sites())
    def test_to_host(self, run):
        run.expect("office", f"servers: {OFFICE}/32 <-> {BRANCH}/32")
        run.expect("branch", f"servers: {BRANCH}/32 <-> {OFFICE}/32")
        run.reaches("branch", OFFICE)
        run.reaches("office", BRANCH)
        run.connects("branch", "office", OFFICE, 80)


class Traffic(unittest.TestCase):
    @scenario(warriors("laptop", printer=True), watch="laptop", remarks={STRONGSWAN_CALLS: (
        "yes, but for the printer: its userspace plane leads into the tunnel what a shunt lets pass")})
    def test_full_tunnel(self, run):
        run.up("laptop", "home")
        run.expect("laptop", "home: 10.9.0.1/32 <-> 0.0.0.0/0")
        run.reaches("laptop", SERVER, INTERNET_HOST)
        if run.ours("laptop"):
            run.reaches("laptop", PRINTER)
            run.reaches("printer", "192.168.7.2")
        source = run.connects("laptop", "internet", INTERNET_HOST, 80)
        self.assertEqual(source, "192.0.2.1")

    @scenario(warriors("laptop"), watch="laptop")
    def test_split_tunnel(self, run):
        run.up("laptop", "home")
        run.expect("laptop", "home: 10.9.0.1/32 <-> 10.1.0.0/24, 10.1.1.0/24")
        run.reaches("laptop", SERVER, SERVER_2)
        run.clear = {"ICMP"}
        run.reaches("laptop", INTERNET_HOST)

    @scenario(warriors("laptop"), told=[CHILD_OF_THE_SAME])
    def test_ports(self, run):
        for child in ("speed", "pings"):
            run.up("laptop", child)
        run.expect("laptop", f"speed: {LAPTOP}/32[tcp] <-> 10.1.0.0/24[tcp/5201]",
                   f"pings: {LAPTOP}/32[icmp] <-> 10.1.0.0/24[icmp]")
        run.reaches("laptop", SERVER)
        run.connects("laptop", "server", SERVER, 5201)
        run.connects_not("laptop", SERVER, 5202)

    @scenario(warriors("laptop"), watch="laptop")
    def test_drop(self, run):
        run.reaches_not("laptop", SERVER)
        run.up("laptop", "home")
        run.expect("laptop", f"home: {LAPTOP}/32 <-> 10.1.0.0/24")
        run.reaches("laptop", SERVER)


def mail_addresses(authority, node):
    names = {"gateway": "DNS:vpn.example.org", "laptop": "email:anna@example.org",
             "phone": "email:bob@elsewhere.example"}
    return authority.issue(node, names[node])


def departments(authority, node):
    units = {"laptop": "OU=Research/", "phone": "OU=Sales/"}
    return authority.issue(node, "DNS:vpn.example.org" if node == "gateway" else "",
                           dn=f"/C=CH/O=Example/{units.get(node, '')}CN={node}")


class Identity(unittest.TestCase):
    @scenario(warriors("laptop", "phone"), issue=mail_addresses)
    def test_wildcard(self, run):
        run.up("laptop", "home")
        run.refused("phone", "home")
        run.expect("laptop", "home: 10.9.0.1/32 <-> 10.1.0.0/24")
        run.expect("gateway", "home: 10.1.0.0/24 <-> 10.9.0.1/32")
        run.reaches("laptop", SERVER)

    @scenario(warriors("laptop", "phone"), issue=departments)
    def test_departments(self, run):
        run.up("laptop", "home")
        run.up("phone", "home")
        run.expect("laptop", "home: 10.9.1.1/32 <-> 10.1.0.0/24")
        run.expect("phone", "home: 10.9.2.1/32 <-> 10.1.1.0/24")
        run.expect("gateway", "research: 10.1.0.0/24 <-> 10.9.1.1/32",
                   "sales: 10.1.1.0/24 <-> 10.9.2.1/32")
        run.reaches("laptop", SERVER)
        run.reaches("phone", SERVER_2)


class Library(unittest.TestCase):
    def test_table(self):
        """Every folder is run, and the table tells how."""
        check_table(self, scenarios(Cloud, Roadwarrior, Pool, Nat, Site, Host, Traffic, Identity))


if __name__ == "__main__":
    unittest.main()
