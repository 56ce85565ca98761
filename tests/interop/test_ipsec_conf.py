"""cygnetd reads strongSwan's ipsec.conf, beside a swanctl.conf of its own."""

import os
import unittest

from rig import conf
from rig.net import World, pair, wait_for
from rig.peer import Cygnet, StrongSwan

SPARE = """connections { spare {
  remote_addrs = 192.0.2.9
  local { auth = psk
    id = gw.example }
  remote { auth = psk
    id = spare.example }
  children { net { } }
} }
""" + conf.PSK

IPSEC = f"""conn %default
    ike={conf.SUITE[0]}!
    esp={conf.SUITE[1]}!
    authby=secret

conn rw
    left=192.0.2.1
    leftid=gw.example
    leftsubnet=10.1.0.0/24
    right=%any
    rightsourceip=10.9.0.0/24
    auto=add
"""


class BesideSwanctlConf(unittest.TestCase):
    def setUp(self):
        self.world = self.enterContext(World())
        gateway_node, client_node = pair(self.world)
        self.gateway = Cygnet(gateway_node, SPARE)
        self.ipsec_conf = os.path.join(self.gateway.home, "ipsec.conf")
        self.write("ipsec.conf", IPSEC)
        self.write("ipsec.secrets", ': PSK "a shared secret of the tests"\n')
        self.gateway.start("--ipsec-conf", self.ipsec_conf)
        self.client = StrongSwan(client_node, conf.client(auth="psk")).start()

    def write(self, name, text):
        with open(os.path.join(self.gateway.home, name), "w", encoding="utf-8") as file:
            file.write(text)

    def test_both_are_there(self):
        self.assertEqual([name for conn in self.conns() for name in conn], ["spare", "rw"])
        self.client.up()
        ((name, sa),) = self.gateway.sas()
        self.assertEqual((name, sa["remote-vips"]), ("rw", ["10.9.0.1"]))

    def test_same_name_in_both(self):
        """Neither is loaded; both places are told, and what is up stays up."""
        self.client.up()
        self.write("ipsec.conf", IPSEC.replace("conn rw", "conn spare"))
        done = self.gateway.cli("reload", check=False)
        self.assertEqual(done.returncode, 1)
        for words in (f"{self.ipsec_conf}:6:6: error: connection 'spare' is configured at ",
                      "swanctl.conf:1:15: error: connection 'spare' is configured at "):
            self.assertIn(words, done.stdout)
        self.assertEqual(len(self.gateway.established()), 1)
        self.write("ipsec.conf", IPSEC.replace("10.1.0.0", "10.2.0.0"))
        self.gateway.cli("reload")
        wait_for(lambda: "10.2.0.0" in str(self.conns()), "the new configuration")

    def test_swanctl_leaves_alone_what_is_ipsec_confs(self):
        """It unloads what its own files do not have, as far as it is told of it."""
        self.assertEqual(self.gateway.call("get-conns"), {"conns": ["spare"]})
        self.assertEqual(self.gateway.call("get-pools"), {})
        self.assertEqual(self.gateway.call("get-shared"), {"keys": ["ike"]})
        other = self.world.folder("other-swanctl")
        open(os.path.join(other, "swanctl.conf"), "w", encoding="utf-8").close()
        self.gateway.node.run("env", f"SWANCTL_DIR={other}", "swanctl", "--load-all", "--noprompt",
                              "--uri", f"unix://{self.gateway.socket}", check=False)
        self.assertEqual([name for conn in self.conns() for name in conn], ["rw"])
        self.assertEqual(self.gateway.call("get-shared"), {"keys": []})
        self.client.up()  # with the secret of ipsec.secrets and an address of rightsourceip
        self.assertEqual([name for name, _ in self.gateway.sas()], ["rw"])
        self.gateway.cli("reload")
        self.assertEqual([name for conn in self.conns() for name in conn], ["spare", "rw"])

    def conns(self):
        with self.gateway.vici() as vici:
            return vici.stream("list-conns", "list-conn")


if __name__ == "__main__":
    unittest.main()
