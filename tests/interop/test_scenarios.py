"""docs/scenarios: each set-up with the files that stand there, run by cygnet in both formats and, in
either role, by strongSwan. `CYGNET_FULL=1` runs both roles of each.

When a page no longer tells what is seen: UPDATE_GOLDEN=1 python3 -m unittest test_scenarios"""

import unittest

from rig.networks import INTERNET_HOST, sites, warriors
from rig.scenario import check_table, scenario, scenarios

SERVER = "10.1.0.10"
DESK, TILL = "10.1.0.10", "10.2.0.10"
LAPTOP = "198.51.100.1"


class Cloud(unittest.TestCase):
    @scenario(warriors("laptop", behind_nat=["t520"], inner=["10.9.0.1/32"]), watch=("laptop", "wan"),
              lints=["reachable-only-when-used"])
    def test_media_server(self, run):
        if run.holds_traps("t520"):
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


class Site(unittest.TestCase):
    def proves_two_networks(self, run):
        run.expect("branch", "sites: 10.2.0.0/24 <-> 10.1.0.0/24")
        run.expect("office", "sites: 10.1.0.0/24 <-> 10.2.0.0/24")
        run.reaches("till", DESK)
        run.reaches("desk", TILL)

    @scenario(sites())
    def test_certificates(self, run):
        self.proves_two_networks(run)

    @scenario(sites())
    def test_psk(self, run):
        self.proves_two_networks(run)


class Library(unittest.TestCase):
    def test_table(self):
        """Every folder is run, and the table tells how."""
        check_table(self, scenarios(Cloud, Roadwarrior, Site))


if __name__ == "__main__":
    unittest.main()
