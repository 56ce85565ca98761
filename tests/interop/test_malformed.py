"""Ten thousand malformed datagrams of each class: the gateway serves on and does not grow."""

import os
import re
import subprocess
import unittest

from rig import conf
from rig.certs import Authority
from rig.figures import tell
from rig.net import World, pair, run
from rig.peer import BIN, Cygnet
from rig.traffic import ping

COUNT = 10_000
GROWTH_KIB_MAX = 256
SECRET = "a shared secret of the tests"


def resident_kib(process):
    with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1])


class Malformed(unittest.TestCase):
    def attack(self, kind):
        world = self.enterContext(World())
        gateway_node, client_node = pair(world)
        ca = Authority(world.folder("pki"), "root")
        cert, key = ca.issue("cl", "DNS:cl.example")
        der = f"{cert}.der"
        run(["openssl", "x509", "-in", cert, "-outform", "DER", "-out", der])
        # The hostile peer knows the shared secret of its own connection.
        own = (f"\nconnections {{ bad {{\n  proposals = aes128gcm16-prfsha256-x25519\n"
               f"  local {{ auth = psk\n id = gw.example }}\n"
               f"  remote {{ auth = psk\n id = bad.example }}\n"
               f"  children {{ any {{ esp_proposals = aes128gcm16, aes128gcm16-x25519 }} }} }} }}\n"
               f'secrets {{ ike {{ secret = "{SECRET}" }} }}\n')
        suite = (f"{conf.SUITE[0]}, aes128gcm16-prfsha256-x25519", conf.SUITE[1])
        gateway = Cygnet(gateway_node, conf.gateway(suite=suite) + own,
                         conf.credentials(ca, ca.issue("gw", "DNS:gw.example"))).start(level="info")
        # A gateway in use: what a first client makes it load is not growth.
        client = Cygnet(client_node, conf.client(), conf.credentials(ca, (cert, key)))
        self.serve(client)
        attacker = subprocess.Popen(
            ["ip", "netns", "exec", client_node.netns, os.path.join(BIN, "bad_peer"),
             "192.0.2.2", "192.0.2.1", kind, str(COUNT), SECRET, der],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        world.processes.append(attacker)
        with attacker.stdin, attacker.stdout:
            self.assertEqual(attacker.stdout.readline().strip(), "tenth")
            early = resident_kib(gateway.process)
            attacker.stdin.write("go\n")
            attacker.stdin.flush()
            last = attacker.stdout.readline()
        self.assertRegex(last, rf"^sent {COUNT} with \d+ IKE_SAs")
        self.assertEqual(attacker.wait(10), 0)
        late = resident_kib(gateway.process)
        tell(f"hostile peer, {kind}: {last.strip()}; resident {early} KiB after a tenth, {late} KiB "
             "at the end")
        # A sanitizer keeps freed memory back; there only leaks and errors count, at its exit.
        if "CYGNET_SANITIZED" not in os.environ:
            self.assertLessEqual(late - early, GROWTH_KIB_MAX)
        self.serve(client)
        self.assertTrue(gateway.stop())
        self.assertEqual(gateway.process.returncode, 0, gateway.log()[-3000:])

    def serve(self, client):
        """The client connects, gets its pings back and leaves."""
        client.start(level="info")
        client.up()
        self.assertEqual(ping(client.node, "10.1.0.1"), 0)
        self.assertTrue(client.stop())

    def test_header(self):
        self.attack("header")

    def test_payload_chain(self):
        self.attack("chain")

    def test_sa(self):
        self.attack("sa")

    def test_ke_and_nonce(self):
        self.attack("ke_nonce")

    def test_id_and_certificates(self):
        self.attack("id_cert")

    def test_auth_and_eap(self):
        self.attack("auth")

    def test_notify_and_delete(self):
        self.attack("notify_delete")

    def test_selectors_and_configuration(self):
        self.attack("ts_cp")


if __name__ == "__main__":
    unittest.main()
