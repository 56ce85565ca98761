"""A gateway in the cloud and a home server with ipsec.conf on both ends, steered by `ipsec`. What is expected of its output is
what strongSwan 5.9.8 printed for this set-up, but for the numbers."""

import os
import re
import shutil
import signal
import unittest

from rig.certs import Authority
from rig.net import World, pair, wait_for
from rig.peer import BIN
from rig.traffic import ping

GATEWAY = """
conn %default
    keyexchange=ikev2
    ike=aes256gcm16-prfsha384-ecp384,aes256-sha384-ecp384!
    esp=aes256gcm16-ecp384!
    dpdaction=clear
    dpddelay=300s
    rekey=no
    left=%any
    leftcert=gw.crt
    leftid=vpn.heap.ovh
    leftsubnet=0.0.0.0/0
    right=%any
conn roadwarriors
    rightsourceip=10.9.1.0/24
    rightdns=1.1.1.1
    auto=add
conn t520
    rightid="C=DE, O=heap.ovh, CN=t520"
    rightsourceip=10.9.2.1
    auto=add
"""
CLIENT = """
conn %default
    keyexchange=ikev2
    ike=aes256gcm16-prfsha384-ecp384,aes256-sha384-ecp384!
    esp=aes256gcm16-ecp384!
    dpdaction=restart
    left=%any
    leftsourceip=%config
    right=192.0.2.1
    rightid=vpn.heap.ovh
    rightsubnet=10.9.0.0/16
conn ovh
    leftcert=t520.crt
    leftid="C=DE, O=heap.ovh, CN=t520"
    auto=route
conn laptop
    leftcert=laptop.crt
    leftid=laptop@heap.ovh
    auto=add
"""


class Machine:
    """A node with ipsec.conf and all that lies beside it."""

    def __init__(self, node, text, authority, issued):
        self.node = node
        self.home = node.world.folder(f"{node.name}-ipsec")
        self.conf = os.path.join(self.home, "ipsec.conf")
        self.uri = f"unix://{self.home}/vici"
        self.write(text)
        for folder in ("cacerts", "certs", "private"):
            os.makedirs(os.path.join(self.home, "ipsec.d", folder))
        shutil.copy(authority.cert, os.path.join(self.home, "ipsec.d", "cacerts"))
        with open(os.path.join(self.home, "ipsec.secrets"), "w", encoding="utf-8") as secrets:
            for cert, key in issued:
                shutil.copy(cert, os.path.join(self.home, "ipsec.d", "certs"))
                shutil.copy(key, os.path.join(self.home, "ipsec.d", "private"))
                secrets.write(f": ECDSA {os.path.basename(key)}\n")

    def write(self, text):
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write(text)

    def ipsec(self, *words):
        """Its CompletedProcess."""
        return self.node.run(os.path.join(BIN, "ipsec"), "--vici", self.uri, *words, check=False)

    def start(self, verb="start"):
        # This machine's own swanctl.conf is none of our business.
        empty = os.path.join(self.home, "swanctl.conf")
        open(empty, "w", encoding="utf-8").close()
        return self.ipsec(verb, "--conf", self.conf, "--logfile", os.path.join(self.home, "log"),
                          "--", "--config", empty)


def plain(text):
    """Without what no two runs share: numbers of SAs, SPIs, times, and what statusall says of the process."""
    text = re.sub(r"[0-9a-f]{8,16}(?=_[io*r])", "SPI", text)
    text = re.sub(r"\{\d+\}", "{N}", re.sub(r"(?<=\w)\[\d+\](?=:)", "[N]", text))
    text = re.sub(r"reqid \d+", "reqid N", text)
    return re.sub(r"\d+ (second|minute|hour)s?", "N units", text)


class Verbs(unittest.TestCase):
    def setUp(self):
        self.world = self.enterContext(World())
        gateway_node, client_node = pair(self.world)
        gateway_node.address("lo", "10.9.0.1/32")
        root = Authority(self.world.folder("pki"), "root")
        issue = lambda name, san="": root.issue(name, san, dn=f"/C=DE/O=heap.ovh/CN={name}")
        self.gateway = Machine(gateway_node, GATEWAY, root, [issue("gw", "DNS:vpn.heap.ovh")])
        self.client = Machine(client_node, CLIENT, root,
                              [issue("t520"), issue("laptop", "email:laptop@heap.ovh")])
        for machine in (self.gateway, self.client):
            self.addCleanup(machine.ipsec, "stop")

    def start_both(self):
        for machine in (self.gateway, self.client):
            done = machine.start()
            self.assertEqual(done.returncode, 0, done.stdout)

    def says(self, machine, words, expected):
        done = machine.ipsec(*words.split())
        self.assertEqual(plain(done.stdout), expected)
        self.assertEqual(done.returncode, 0)

    def last_line(self, machine, words):
        return machine.ipsec(*words.split()).stdout.splitlines()[-1]

    def test_tunnel_from_start_to_stop(self):
        self.start_both()
        self.says(self.client, "status", """\
Routed Connections:
         ovh{N}:  ROUTED, TUNNEL, reqid N
         ovh{N}:   192.0.2.2/32 === 10.9.0.0/16
Security Associations (0 up, 0 connecting):
  none
""")
        self.assertEqual(self.last_line(self.client, "up ovh"),
                         "connection 'ovh' established successfully")
        self.assertEqual(ping(self.client.node, "10.9.0.1"), 0)
        self.says(self.client, "status", """\
Routed Connections:
         ovh{N}:  ROUTED, TUNNEL, reqid N
         ovh{N}:   192.0.2.2/32 === 10.9.0.0/16
Security Associations (1 up, 0 connecting):
         ovh[N]: ESTABLISHED N units ago, 192.0.2.2[C=DE, O=heap.ovh, CN=t520]...192.0.2.1[vpn.heap.ovh]
         ovh{N}:  INSTALLED, TUNNEL, reqid N, ESP in UDP SPIs: SPI_i SPI_o
         ovh{N}:   10.9.2.1/32 === 10.9.0.0/16
""")
        listing = plain(self.gateway.ipsec("statusall").stdout)
        # The packets that the ping has sent; the times are rounded down.
        listing = re.sub(r"\d+ (bytes_[io]) \(\d+ pkts, \d+s ago\)", r"N \1", listing)
        self.assertTrue(listing.startswith("Status of IKE cygnetd daemon (cygnet "), listing)
        self.assertEqual(listing[listing.index("Virtual IP pools"):], """\
Virtual IP pools (size/online/offline):
  roadwarriors: 254/0/0
  t520: 1/1/0
Listening IP addresses:
  192.0.2.1
Connections:
roadwarriors:  %any...%any  IKEv2, dpddelay=300s
roadwarriors:   local:  [vpn.heap.ovh] uses public key authentication
roadwarriors:    cert:  "C=DE, O=heap.ovh, CN=gw"
roadwarriors:   remote: uses public key authentication
roadwarriors:   child:  0.0.0.0/0 === dynamic TUNNEL, dpdaction=none
        t520:  %any...%any  IKEv2, dpddelay=300s
        t520:   local:  [vpn.heap.ovh] uses public key authentication
        t520:    cert:  "C=DE, O=heap.ovh, CN=gw"
        t520:   remote: [C=DE, O=heap.ovh, CN=t520] uses public key authentication
        t520:   child:  0.0.0.0/0 === dynamic TUNNEL, dpdaction=none
Security Associations (1 up, 0 connecting):
        t520[N]: ESTABLISHED N units ago, 192.0.2.1[vpn.heap.ovh]...192.0.2.2[C=DE, O=heap.ovh, CN=t520]
        t520[N]: IKEv2 SPIs: SPI_i SPI_r*, rekeying disabled
        t520[N]: IKE proposal: AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_384
        t520{N}:  INSTALLED, TUNNEL, reqid N, ESP in UDP SPIs: SPI_i SPI_o
        t520{N}:  AES_GCM_16_256, N bytes_i, N bytes_o, rekeying disabled
        t520{N}:   10.9.0.0/16 === 10.9.2.1/32
""")
        self.says(self.gateway, "leases t520", """\
Leases in pool 't520', usage: 1/1, 1 online
         10.9.2.1   online   'C=DE, O=heap.ovh, CN=t520'
""")
        self.assertRegex(self.last_line(self.client, "down ovh"), r"^IKE_SA \[\d+\] closed successfully$")
        self.says(self.gateway, "status", "Security Associations (0 up, 0 connecting):\n  none\n")
        for machine in (self.gateway, self.client):
            self.assertEqual(machine.ipsec("stop").returncode, 0)
            self.assertEqual(machine.ipsec("status").returncode, 3)

    def test_routes_and_children(self):
        self.start_both()
        self.says(self.client, "unroute ovh", "trap policy 'ovh' unrouted\n")
        self.says(self.client, "unroute ovh", "configuration 'ovh' not found\n")
        self.says(self.client, "route laptop", "'laptop' routed\n")
        self.says(self.client, "route nosuch", "no config named 'nosuch'\n")
        self.says(self.client, "unroute laptop", "trap policy 'laptop' unrouted\n")
        self.assertEqual(self.last_line(self.client, "up laptop"),
                         "connection 'laptop' established successfully")
        self.assertRegex(self.last_line(self.client, "down laptop{*}"),
                         r"^CHILD_SA \{\d+\} closed successfully$")
        self.says(self.client, "status laptop", """\
Security Associations (1 up, 0 connecting):
      laptop[N]: ESTABLISHED N units ago, 192.0.2.2[laptop@heap.ovh]...192.0.2.1[vpn.heap.ovh]
""")
        self.assertRegex(self.last_line(self.client, "purgeike"), r"^IKE_SA \[\d+\] closed successfully$")
        self.assertIn("ikeOutAuthReq                 1\n", self.client.ipsec("listcounters").stdout)

    def test_failure_says_why(self):
        self.gateway.write(GATEWAY.replace("aes256gcm16-prfsha384-ecp384,aes256-sha384-ecp384!",
                                           "aes256-sha256-ecp256!"))
        self.start_both()
        done = self.client.ipsec("up", "laptop")
        self.assertIn("NO_PROPOSAL_CHOSEN", done.stdout)
        self.assertEqual(done.stdout.splitlines()[-1], "establishing connection 'laptop' failed")
        self.says(self.client, "up nosuch", "no config named 'nosuch'\n")

    def test_faulty_configuration_does_not_start_nor_change_anything(self):
        self.client.write(CLIENT + "    bogus=1\n")
        done = self.client.start()
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"ipsec\.conf:\d+:5: error: unknown keyword 'bogus'")
        self.assertEqual(self.client.ipsec("status").returncode, 3)
        self.client.write(CLIENT)
        self.assertEqual(self.client.start().returncode, 0)
        self.client.write(CLIENT + "    bogus=1\n")
        done = self.client.ipsec("reload")
        self.assertEqual(done.returncode, 1)
        self.assertIn("unknown keyword 'bogus'", done.stdout)
        self.assertIn("ovh{", self.client.ipsec("status").stdout)

    def test_reload_brings_what_is_new(self):
        self.start_both()
        self.client.write(CLIENT + "conn again\n    also=laptop\n    auto=route\n")
        self.assertEqual(self.client.ipsec("reload").returncode, 0)
        wait_for(lambda: "again{" in self.client.ipsec("status").stdout, "the new conn's trap")

    def test_exit_codes(self):
        for words, code in (("status", 3), ("statusall", 3), ("up ovh", 7), ("down ovh", 7),
                            ("reload", 7), ("leases", 7), ("listall", 7), ("stop", 0), ("up", 2),
                            ("route a b", 2), ("nosuch", 2), ("--nosuch", 2), ("version", 0),
                            ("--vici nowhere status", 2)):
            self.assertEqual(self.client.ipsec(*words.split()).returncode, code, words)
        self.assertEqual(self.client.start().returncode, 0)
        second = self.client.start()
        self.assertIn("already running", second.stdout)
        self.assertEqual(second.returncode, 0)
        # The machine loses power: the socket is left.
        listeners = self.client.node.run("ss", "-xlpH", "src", f"{self.client.home}/vici").stdout
        pid = re.search(r"pid=(\d+)", listeners)
        os.kill(int(pid[1]), signal.SIGKILL)
        wait_for(lambda: not os.path.exists(f"/proc/{pid[1]}"), "the daemon's end")
        self.assertEqual(self.client.ipsec("status").returncode, 1)
        again = self.client.start()
        self.assertEqual(again.returncode, 0, again.stdout)
        self.assertEqual(self.client.start("restart").returncode, 0)

    def test_by_either_name(self):
        link = self.client.ipsec("version").stdout
        self.assertRegex(link, r"^Linux cygnet U[0-9.]+/K")
        program = self.client.node.run(os.path.join(BIN, "cygnet"), "ipsec", "version")
        self.assertEqual(program.stdout, link)


class HomeServerAndRoadwarriors(unittest.TestCase):
    """The home server, which keeps its address, and two roadwarriors at once, each on a line of its own."""

    DEVICES = {"t520": ('"C=DE, O=heap.ovh, CN=t520"', "", "192.0.2"),
               "laptop": ("laptop@heap.ovh", "email:laptop@heap.ovh", "198.51.100"),
               "phone": ("phone.heap.ovh", "DNS:phone.heap.ovh", "203.0.113")}

    def setUp(self):
        self.world = self.enterContext(World())
        gateway_node = self.world.node("gw")
        gateway_node.forward()
        gateway_node.address("lo", "10.9.0.1/32")
        root = Authority(self.world.folder("pki"), "root")
        issue = lambda name, san: root.issue(name, san, dn=f"/C=DE/O=heap.ovh/CN={name}")
        self.gateway = Machine(gateway_node, GATEWAY, root, [issue("gw", "DNS:vpn.heap.ovh")])
        self.devices = {}
        for number, (name, (identity, san, net)) in enumerate(self.DEVICES.items()):
            node = self.world.node(name)
            self.world.link(gateway_node, f"e{number}", node, "e0")
            gateway_node.address(f"e{number}", f"{net}.1/24")
            node.address("e0", f"{net}.2/24")
            node.route("default", "via", f"{net}.1")
            text = CLIENT[:CLIENT.index("conn ovh")] + (
                f"conn ovh\n    leftcert={name}.crt\n    leftid={identity}\n    auto=route\n")
            self.devices[name] = Machine(node, text, root, [issue(name, san)])
        for machine in (self.gateway, *self.devices.values()):
            self.addCleanup(machine.ipsec, "stop")
            done = machine.start()
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_home_server_and_two_roadwarriors(self):
        for machine in self.devices.values():
            done = machine.ipsec("up", "ovh")
            self.assertEqual(done.stdout.splitlines()[-1],
                             "connection 'ovh' established successfully")
        addresses = {"t520": "10.9.2.1", "laptop": "10.9.1.1", "phone": "10.9.1.2"}
        for name, machine in self.devices.items():
            for target in ("10.9.0.1", *addresses.values()):
                self.assertEqual(ping(machine.node, target, count=2), 0, f"{name} to {target}")
        self.assertEqual(plain(self.devices["phone"].ipsec("status").stdout), """\
Routed Connections:
         ovh{N}:  ROUTED, TUNNEL, reqid N
         ovh{N}:   203.0.113.2/32 === 10.9.0.0/16
Security Associations (1 up, 0 connecting):
         ovh[N]: ESTABLISHED N units ago, 203.0.113.2[phone.heap.ovh]...192.0.2.1[vpn.heap.ovh]
         ovh{N}:  INSTALLED, TUNNEL, reqid N, ESP in UDP SPIs: SPI_i SPI_o
         ovh{N}:   10.9.1.2/32 === 10.9.0.0/16
""")
        self.assertEqual(plain(self.gateway.ipsec("status").stdout), """\
Security Associations (3 up, 0 connecting):
        t520[N]: ESTABLISHED N units ago, 192.0.2.1[vpn.heap.ovh]...192.0.2.2[C=DE, O=heap.ovh, CN=t520]
        t520{N}:  INSTALLED, TUNNEL, reqid N, ESP in UDP SPIs: SPI_i SPI_o
        t520{N}:   10.9.0.0/16 === 10.9.2.1/32
roadwarriors[N]: ESTABLISHED N units ago, 192.0.2.1[vpn.heap.ovh]...198.51.100.2[laptop@heap.ovh]
roadwarriors{N}:  INSTALLED, TUNNEL, reqid N, ESP in UDP SPIs: SPI_i SPI_o
roadwarriors{N}:   10.9.0.0/16 === 10.9.1.1/32
roadwarriors[N]: ESTABLISHED N units ago, 192.0.2.1[vpn.heap.ovh]...203.0.113.2[phone.heap.ovh]
roadwarriors{N}:  INSTALLED, TUNNEL, reqid N, ESP in UDP SPIs: SPI_i SPI_o
roadwarriors{N}:   10.9.0.0/16 === 10.9.1.2/32
""")
        listing = plain(self.gateway.ipsec("statusall").stdout)
        for lines in ("""\
Virtual IP pools (size/online/offline):
  roadwarriors: 254/2/0
  t520: 1/1/0
Listening IP addresses:
  192.0.2.1
  198.51.100.1
  203.0.113.1
""", "Security Associations (3 up, 0 connecting):\n",
                      "roadwarriors[N]: IKE proposal: AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_384\n",
                      "roadwarriors{N}:   10.9.0.0/16 === 10.9.1.2/32\n"):
            self.assertIn(lines, listing)
        self.assertEqual(self.gateway.ipsec("leases").stdout, """\
Leases in pool 'roadwarriors', usage: 2/254, 2 online
         10.9.1.1   online   'laptop@heap.ovh'
         10.9.1.2   online   'phone.heap.ovh'
Leases in pool 't520', usage: 1/1, 1 online
         10.9.2.1   online   'C=DE, O=heap.ovh, CN=t520'
""")


if __name__ == "__main__":
    unittest.main()
