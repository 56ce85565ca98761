"""What is wrong is refused, with one line in the log that names the reason and the field."""

import os
import unittest

from rig import conf
from rig.certs import EXPIRED, Authority
from rig.net import World, pair, run, wait_for
from rig.peer import BIN, Cygnet, StrongSwan, ViciError


class Refusals(unittest.TestCase):
    def setUp(self):
        self.world = self.enterContext(World())
        self.gateway_node, self.client_node = pair(self.world)
        self.root = Authority(self.world.folder("pki"), "root")

    def issue(self, name, authority=None, **options):
        authority = authority or self.root
        return conf.credentials(
            self.root, authority.issue(name, f"DNS:{name}.example", **options))

    def run_pair(self, gateway_type, client_type, gateway=None, client=None, gateway_files=None,
                 client_files=None):
        """Starts both with certificates unless told otherwise; the client calls and must fail."""
        options = {"gateway": gateway or {}, "client": client or {}}
        pubkey = options["gateway"].get("auth", "pubkey") != "psk"
        if pubkey:
            gateway_files = gateway_files or self.issue("gw")
            client_files = client_files or self.issue("cl")
        self.gateway = gateway_type(self.gateway_node, conf.gateway(**options["gateway"]),
                                    gateway_files).start()
        self.client = client_type(self.client_node, conf.client(**options["client"]),
                                  client_files).start()
        with self.assertRaises(ViciError) as caught:
            self.client.up()
        self.assertNotIn("timeout", str(caught.exception))

    def assert_explained(self, peer, reason, *words):
        """Exactly one warning, with the reason and these words."""
        wait_for(peer.warnings, "a line in the log")
        (line,) = peer.warnings()
        for word in (f": {reason};", *words):
            self.assertIn(word, line)
        # The same record, in full, for people.
        self.assertIn(reason, peer.cli("why").stdout)


class Gateway(Refusals):
    """cygnet refuses a client."""

    def refuse(self, **options):
        self.run_pair(Cygnet, StrongSwan, **options)
        self.assertFalse(self.gateway.children())

    def test_key_that_the_rule_does_not_allow(self):
        self.refuse(gateway={"auth": "rsa-3072"})
        self.assert_explained(self.gateway, "auth_rule", "field: remote.auth", "ours: rsa-3072",
                              "theirs: \"ECDSA P-384 of 384 bits")

    def test_expired_certificate(self):
        self.refuse(client_files=self.issue("cl", valid=EXPIRED))
        self.assert_explained(self.gateway, "certificate_expired", "2021-01-01", "peer_id: cl.example",
                              "field: ", "connection: rw")

    def test_wrong_ca(self):
        other = Authority(self.world.folder("pki"), "other")
        files = conf.credentials(self.root, other.issue("cl", "DNS:cl.example"))
        self.refuse(client_files=files)
        self.assert_explained(self.gateway, "certificate_untrusted", "CN=other", "field: ")

    def test_identity_not_in_certificate(self):
        """strongSwan does not say so; a peer of ours does: IDi boss.example, cl's certificate."""
        cert, key = self.root.issue("cl", "DNS:cl.example")
        der = f"{cert}.der"
        run(["openssl", "x509", "-in", cert, "-outform", "DER", "-out", der])
        self.gateway = Cygnet(self.gateway_node, conf.gateway(
            suite=(f"{conf.SUITE[0]}, aes128gcm16-prfsha256-x25519", conf.SUITE[1])),
            self.issue("gw")).start()
        done = self.client_node.run(os.path.join(BIN, "bad_peer"), "192.0.2.2", "192.0.2.1",
                                    "identity", "1", "none", der, key)
        self.assertEqual(done.stdout, "refused\n")
        self.assert_explained(self.gateway, "identity_not_in_certificate", "ours: boss.example",
                              "cl.example", "field: certificate subjectAltName")
        self.assertFalse(self.gateway.sas())

    def test_wrong_psk(self):
        self.refuse(gateway={"auth": "psk"},
                    client={"auth": "psk", "secrets": 'secrets { ike { secret = "another" } }\n'})
        self.assert_explained(self.gateway, "psk_wrong", "field: ", "peer_id: cl.example")

    def test_no_common_ike_proposal(self):
        self.refuse(client={"suite": ("aes128-sha256-modp3072", conf.SUITE[1])})
        self.assert_explained(self.gateway, "no_common_proposal", "field: proposals", "AES_CBC_128")

    def test_no_common_esp_proposal(self):
        self.refuse(client={"suite": (conf.SUITE[0], "aes128-sha256")})
        self.assert_explained(self.gateway, "no_common_proposal", "esp_proposals", "AES_CBC_128")

    def test_selectors(self):
        self.refuse(client={"remote_ts": "10.2.0.0/24"})
        self.assert_explained(self.gateway, "no_common_selectors", "field: ", "10.2.0.0/24",
                              "10.1.0.0/24")

    def test_identity_nobody_accepts(self):
        self.refuse(gateway={"remote_id": "other.example"})
        self.assert_explained(self.gateway, "identity_mismatch", "field: remote.id",
                              "ours: other.example", "theirs: cl.example")

    def test_pool_exhausted(self):
        second_node = self.world.node("second")
        self.world.link(self.gateway_node, "e1", second_node, "e0")
        self.gateway_node.address("e1", "198.51.100.1/24")
        second_node.address("e0", "198.51.100.2/24")
        second_node.route("default", "via", "198.51.100.1")
        gateway = Cygnet(self.gateway_node, conf.gateway(
            pools="pools { p4 { addrs = 10.9.0.7/32 } }\n"), self.issue("gw")).start()
        first = StrongSwan(self.client_node, conf.client(), self.issue("cl")).start()
        first.up()
        second = StrongSwan(second_node, conf.client(
            local_id="second.example", remote_addrs="198.51.100.1"), self.issue("second")).start()
        with self.assertRaises(ViciError):
            second.up()
        self.assert_explained(gateway, "pool_exhausted", "field: ", "p4", "1 of 1")
        self.assertEqual(len(gateway.children()), 1)


class Client(Refusals):
    """cygnet refuses a gateway, or explains why it was refused."""

    def refuse(self, **options):
        self.run_pair(StrongSwan, Cygnet, **options)
        self.assertFalse(self.client.children())

    def test_expired_certificate(self):
        self.refuse(gateway_files=self.issue("gw", valid=EXPIRED))
        self.assert_explained(self.client, "certificate_expired", "2021-01-01", "field: ")

    def test_wrong_ca(self):
        other = Authority(self.world.folder("pki"), "other")
        self.refuse(gateway_files=conf.credentials(self.root, other.issue("gw", "DNS:gw.example")))
        self.assert_explained(self.client, "certificate_untrusted", "CN=other", "field: ")

    def test_other_identity(self):
        self.refuse(client={"remote_id": "vpn.example"})
        self.assert_explained(self.client, "peer_refused", "remote.id", "vpn.example")

    def test_certificate_for_clients_only(self):
        """One client must not stand in for the gateway."""
        self.refuse(gateway_files=self.issue("gw", usage="clientAuth"))
        self.assert_explained(self.client, "certificate_profile", "serverAuth", "field: ")

    def test_wrong_psk(self):
        self.refuse(gateway={"auth": "psk"},
                    client={"auth": "psk", "secrets": 'secrets { ike { secret = "another" } }\n'})
        self.assert_explained(self.client, "peer_refused", "AUTHENTICATION_FAILED")

    def test_no_common_ike_proposal(self):
        self.refuse(client={"suite": ("aes128-sha256-modp3072", conf.SUITE[1])})
        self.assert_explained(self.client, "no_common_proposal", "NO_PROPOSAL_CHOSEN",
                              "field: proposals", "AES_CBC_128")

    def test_no_common_esp_proposal(self):
        self.refuse(client={"suite": (conf.SUITE[0], "aes128-sha256")})
        self.assert_explained(self.client, "no_common_proposal", "NO_PROPOSAL_CHOSEN",
                              "field: esp_proposals", "AES_CBC_128")

    def test_selectors(self):
        self.refuse(client={"remote_ts": "10.2.0.0/24"})
        self.assert_explained(self.client, "no_common_selectors", "TS_UNACCEPTABLE",
                              "field: local_ts, remote_ts", "10.2.0.0/24")


del Refusals

if __name__ == "__main__":
    unittest.main()
