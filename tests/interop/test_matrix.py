"""cygnet with Debian's strongSwan, as gateway and as client."""

import os
import unittest

from rig import conf
from rig.certs import Authority
from rig.net import World, pair, wait_for
from rig.peer import Cygnet, StrongSwan
from rig.traffic import Capture, Ping, ping

SUITES = {
    "aes256gcm16_prfsha384_ecp384": ("aes256gcm16-prfsha384-ecp384", "aes256gcm16-ecp384"),
    "aes256_sha384_ecp384": ("aes256-sha384-ecp384", "aes256-sha384-ecp384"),
    "chacha20poly1305_prfsha256_x25519": ("chacha20poly1305-prfsha256-x25519",
                                          "chacha20poly1305-x25519"),
    "aes128_sha256_modp3072": ("aes128-sha256-modp3072", "aes128-sha256-modp3072"),
}
FLOOD = 1500  # pings, two milliseconds apart
SKF = 53      # RFC 7383


class Matrix:
    """What holds in either role; `gateway_type` and `client_type` say who is who."""

    def make(self, auth="pubkey", key="p384", nat=False, mtu=1500, long_chain=False,
             gateway=None, client=None, start=True, **options):
        """Starts both; the client has not called yet."""
        self.world = self.enterContext(World())
        gateway_node, client_node = pair(self.world, nat, mtu)
        gateway_files = client_files = None
        if auth != "psk":
            folder = self.world.folder("pki")
            root = Authority(folder, "root", key)
            issuer, more = root, []
            if long_chain:
                first = Authority(folder, "first", "rsa3072", parent=root)
                issuer = Authority(folder, "second", "rsa3072", parent=first)
                more = [first, issuer]
            leaf_key = "p384" if long_chain else key
            gateway_files = conf.credentials(
                root, issuer.issue("gw", "DNS:gw.example", key=leaf_key), more,
                self.gateway_type.chain_folder)
            client_files = conf.credentials(
                root, issuer.issue("cl", "DNS:cl.example", key=leaf_key), more,
                self.client_type.chain_folder)
        self.gateway = self.gateway_type(
            gateway_node, conf.gateway(auth, **{**options, **(gateway or {})}), gateway_files)
        vip = options.pop("pool", True)
        self.client = self.client_type(
            client_node, conf.client(auth, vip=vip, **{**options, **(client or {})}), client_files)
        self.ours, self.theirs = ((self.gateway, self.client) if isinstance(self.gateway, Cygnet)
                                  else (self.client, self.gateway))
        if start:
            self.gateway.start()
            self.client.start()

    def connect(self):
        self.client.up()
        self.assertEqual(len(self.client.children()), 1)
        wait_for(lambda: len(self.gateway.children()) == 1, "the gateway's child")

    def assert_works(self):
        self.assertEqual(ping(self.client.node, "10.1.0.1"), 0)

    def connect_and_ping(self, **options):
        self.make(**options)
        self.connect()
        self.assert_works()

    # --- authentication ---
    def test_auth_ecdsa_p384(self):
        self.connect_and_ping(key="p384")

    def test_auth_rsa_3072(self):
        self.connect_and_ping(key="rsa3072")

    def test_auth_ed25519(self):
        self.connect_and_ping(key="ed25519")

    def test_auth_rule(self):
        """Both ends ask for P-384 and SHA-384, in certificates and in AUTH."""
        self.connect_and_ping(key="p384", auth="ecdsa-384-sha384")

    def test_auth_psk(self):
        self.connect_and_ping(auth="psk")

    # --- paths ---
    def test_nat(self):
        self.make(nat=True)
        capture = Capture(self.gateway.node, "e0")
        self.connect()
        self.assert_works()
        seen = capture.stop().packets()
        self.assertTrue(seen)
        self.assertTrue(all(packet.is_ipsec() for packet in seen))
        _, sa = self.gateway.established()[0]
        self.assertEqual(sa["remote-host"], "192.0.2.254")
        self.assertEqual(sa["nat-remote"], "yes")

    def test_virtual_ip(self):
        self.make()
        self.connect()
        _, sa = self.client.established()[0]
        (address,) = sa["local-vips"]
        self.assertRegex(address, r"^10\.9\.0\.\d+$")
        self.assertEqual(self.gateway.established()[0][1]["remote-vips"], [address])
        self.assertEqual(self.client.children()[0]["local-ts"], [f"{address}/32"])
        self.assertIn(address, self.client.node.ip("addr").stdout)
        self.assertEqual(ping(self.gateway.node, address, source="10.1.0.1"), 0)

    def test_without_virtual_ip(self):
        self.make(pool=False)
        self.connect()
        self.assert_works()

    def test_fragmentation(self):
        self.make(mtu=1280, long_chain=True)
        capture = Capture(self.gateway.node, "e0")
        self.connect()
        self.assert_works()
        messages = [packet.ike() for packet in capture.stop().packets()]
        fragments = [message for message in messages if message and message[16] == SKF]
        senders = {message[19] & 0x20 for message in fragments}  # the Response flag
        self.assertEqual(len(senders), 2, "both sides send fragments")
        self.assertFalse(any(packet.fragment for packet in capture.packets()))

    # --- rekeying under traffic ---
    def rekey_under_traffic(self, rekey, identify):
        self.make()
        self.connect()
        before = identify()
        flood = Ping(self.client.node, "10.1.0.1", FLOOD)
        for _ in range(3):
            last = identify()
            rekey()
            wait_for(lambda: identify() and identify() != last, "new keys")
            # The old SA goes before the next turn.
            wait_for(lambda: len(self.gateway.children()) == len(self.client.children()) == 1
                     and len(self.gateway.sas()) == len(self.client.sas()) == 1, "the old SA's end")
        self.assertTrue(flood.running(), "the rekeys took longer than the pings")
        self.assertEqual(flood.lost(), 0)
        self.assertNotEqual(identify(), before)

    def child_spis(self):
        return [child["spi-in"] for child in self.client.children()]

    def ike_spis(self):
        return [sa["initiator-spi"] for _, sa in self.client.established()]

    def test_rekey_child_by_cygnet(self):
        self.rekey_under_traffic(lambda: self.ours.rekey_child(), self.child_spis)

    def test_rekey_child_by_strongswan(self):
        self.rekey_under_traffic(lambda: self.theirs.rekey_child(), self.child_spis)

    def ike_name(self, peer):
        return "rw" if peer is self.gateway else "home"

    def test_rekey_ike_by_cygnet(self):
        self.rekey_under_traffic(lambda: self.ours.rekey_ike(self.ike_name(self.ours)),
                                 self.ike_spis)

    def test_rekey_ike_by_strongswan(self):
        self.rekey_under_traffic(lambda: self.theirs.rekey_ike(self.ike_name(self.theirs)),
                                 self.ike_spis)

    # --- the end ---
    def deleted_by(self, peer, other):
        peer.down(ike=self.ike_name(peer))
        wait_for(lambda: not peer.sas() and not other.sas(), "the end of the IKE_SA on both sides")

    def child_deleted_by(self, peer, other):
        peer.down(child="net")
        wait_for(lambda: not peer.children() and not other.children(), "the end of the child")

    def test_delete_by_cygnet(self):
        self.make()
        self.connect()
        self.child_deleted_by(self.ours, self.theirs)
        self.client.up()
        self.deleted_by(self.ours, self.theirs)

    def test_delete_by_strongswan(self):
        self.make()
        self.connect()
        self.child_deleted_by(self.theirs, self.ours)
        self.client.up()
        self.deleted_by(self.theirs, self.ours)


for _name, _suite in SUITES.items():
    def _test(self, suite=_suite):
        self.connect_and_ping(suite=suite)
    setattr(Matrix, f"test_suite_{_name}", _test)

FAST = ("--retransmit-timeout", "0.3", "--retransmit-tries", "2")


class Gateway(Matrix, unittest.TestCase):
    """cygnet is the gateway, strongSwan the client."""
    gateway_type, client_type = Cygnet, StrongSwan

    def test_dpd(self):
        """The peer loses power: the gateway notices and frees the address."""
        self.make(start=False, gateway={"conn": "dpd_delay = 1s"})
        self.gateway.start(*FAST)
        self.client.start()
        self.connect()
        self.client.kill()
        wait_for(lambda: not self.gateway.sas(), "the dead peer's end", 15)
        self.assertIn("no_response", self.gateway.log())
        pool = self.gateway.call("get-pools")["p4"]
        self.assertEqual(pool["online"], "0")


class Client(Matrix, unittest.TestCase):
    """cygnet is the client, strongSwan the gateway."""
    gateway_type, client_type = StrongSwan, Cygnet

    def test_dpd(self):
        """The gateway loses power and comes back: the tunnel does too, by itself."""
        self.make(start=False, client={"conn": "dpd_delay = 1s", "child": "dpd_action = restart"})
        self.gateway.start()
        self.client.start(*FAST)
        self.connect()
        before = self.ike_spis()
        self.gateway.kill()
        wait_for(lambda: self.ike_spis() != before, "the dead gateway noticed", 15)

        os.unlink(self.gateway.socket)
        self.gateway.start()
        wait_for(lambda: self.client.children(), "the tunnel back up", 30)
        self.assert_works()


    def test_trap(self):
        """The first packet brings the tunnel up, and is not lost."""
        self.make(pool=False, client={"child": "start_action = trap"})
        wait_for(lambda: self.client.cli("status").stdout.count("waits for traffic") == 1, "the trap")
        self.assertFalse(self.client.sas())
        self.assertEqual(ping(self.client.node, "10.1.0.1", count=1), 0)
        self.assertEqual(len(self.client.children()), 1)
        # Taken down, it waits again.
        self.client.down(child="net")
        wait_for(lambda: not self.client.children(), "the child's end")
        self.assertEqual(ping(self.client.node, "10.1.0.1", count=1), 0)


if __name__ == "__main__":
    unittest.main()
