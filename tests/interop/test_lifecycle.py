"""Tunnels that do not die by themselves: rekeys by the hundred, addresses that change, lines that
are cut, gateways that are killed (requirements S23-S27).

CYGNET_FULL=1 cuts the line for ten minutes instead of 75 seconds."""

import os
import threading
import time
import unittest

from rig import conf
from rig.figures import tell
from rig.net import World, pair, wait_for
from rig.peer import Cygnet, StrongSwan
from rig.traffic import Ping, ping, transfer

FULL = os.environ.get("CYGNET_FULL") == "1"
CHILD_REKEYS = 1000
IKE_REKEYS = 100
CUT_SECONDS = 600 if FULL else 75
RETURN_SECONDS = 30
REAUTHENTICATIONS = 3
TRANSFER = 200_000_000  # octets


class Marathon(unittest.TestCase):
    """Rekeys started by both sides in turn, under pings: none is lost."""

    def run_marathon(self, gateway_type, client_type):
        world = self.enterContext(World())
        gw, cl = pair(world)
        suite = ("aes256gcm16-prfsha384-x25519", "aes256gcm16-x25519")
        gateway = gateway_type(gw, conf.gateway(auth="psk", suite=suite)).start()
        client = client_type(cl, conf.client(auth="psk", suite=suite)).start()
        client.up()

        def children():
            return [child["spi-in"] for child in client.children()]

        def sas():
            return [sa["initiator-spi"] for _, sa in client.established()]

        def settled():
            return (len(gateway.children()) == len(client.children()) == 1
                    and len(gateway.sas()) == len(client.sas()) == 1)

        flood = Ping(cl, "10.1.0.1", 10_000_000, 0.002)
        started = time.monotonic()
        every = CHILD_REKEYS // IKE_REKEYS
        for number in range(CHILD_REKEYS):
            before = children()
            (client if number % 2 else gateway).rekey_child()
            wait_for(lambda: children() and children() != before, "a new child")
            wait_for(settled, "the old child's end", 15)
            if number % every == 0:
                before = sas()
                if number // every % 2:
                    client.rekey_ike("home")
                else:
                    gateway.rekey_ike("rw")
                wait_for(lambda: sas() and sas() != before, "a new IKE_SA")
                wait_for(settled, "the old IKE_SA's end", 15)
        took = time.monotonic() - started
        flood.stop()
        sent, received = flood.counts()
        tell(f"marathon, {gateway.kind} as the gateway: {CHILD_REKEYS} CHILD and {IKE_REKEYS} IKE "
             f"rekeys in {took:.0f} s, {sent} pings, {sent - received} lost")
        self.assertEqual(sent - received, 0)

    def test_gateway(self):
        self.run_marathon(Cygnet, StrongSwan)

    def test_client(self):
        self.run_marathon(StrongSwan, Cygnet)


class Reauthentication(unittest.TestCase):
    """A new IKE_SA is made before the old one goes, and the address stays. Ours as a gateway waits
    for the first packet on the new child before it sends there: nothing is lost, whoever calls.
    strongSwan as a gateway sends on the new child before its answer has told the initiator the
    keys: what crosses that answer is lost."""

    def reauthenticate(self, gateway_type, client_type, lost_each_max, **client_options):
        world = self.enterContext(World())
        gw, cl = pair(world)
        suite = ("aes256gcm16-prfsha384-x25519", "aes256gcm16-x25519")
        gateway = gateway_type(gw, conf.gateway(auth="psk", suite=suite)).start()
        # strongSwan gives the old IKE_SA over_time after reauth_time, by default a tenth: not a second.
        client = client_type(cl, conf.client(
            auth="psk", suite=suite,
            conn="reauth_time = 9s\n  over_time = 9s\n  rand_time = 0s")).start(**client_options)
        client.up()

        def sas():
            return [sa["initiator-spi"] for _, sa in client.established()]

        flood = Ping(cl, "10.1.0.1", 10_000_000, 0.002)
        for _ in range(REAUTHENTICATIONS):
            before = sas()
            address = client.sas()[-1][1]["local-vips"]
            wait_for(lambda: set(sas()) - set(before), "a new IKE_SA", 20)
            wait_for(lambda: len(client.sas()) == len(gateway.sas()) == 1, "the old one's end", 15)
            self.assertEqual(client.sas()[0][1]["local-vips"], address)
        flood.stop()
        sent, received = flood.counts()
        tell(f"{REAUTHENTICATIONS} reauthentications of {client.kind} at {gateway.kind}: "
             f"{sent} pings, {sent - received} lost")
        self.assertLessEqual(sent - received, REAUTHENTICATIONS * lost_each_max)

    def test_with_cygnet(self):
        self.reauthenticate(Cygnet, Cygnet, 0)

    def test_of_strongswan(self):
        self.reauthenticate(Cygnet, StrongSwan, 0, settings="make_before_break = yes")

    def test_with_strongswan(self):
        self.reauthenticate(StrongSwan, Cygnet, 2)  # pings, two milliseconds apart


class Roaming(unittest.TestCase):
    """The client leaves one network for another while a TCP connection carries data (MOBIKE)."""

    def roam(self, gateway_type, client_type):
        world = self.enterContext(World())
        gw, net, cl = (world.node(name) for name in ("gw", "net", "cl"))
        world.link(gw, "e0", net, "core")
        world.link(cl, "wifi", net, "near")
        world.link(cl, "lte", net, "far")
        gw.address("e0", "192.0.2.1/24")
        gw.address("lo", "10.1.0.1/24")
        gw.route("default", "via", "192.0.2.254")
        net.address("core", "192.0.2.254/24")
        net.address("near", "198.51.100.1/24")
        net.address("far", "203.0.113.1/24")
        net.forward()
        cl.address("wifi", "198.51.100.2/24")
        cl.route("default", "via", "198.51.100.1")
        suite = ("aes256gcm16-prfsha384-x25519", "aes256gcm16-x25519")
        gateway = gateway_type(gw, conf.gateway(auth="psk", suite=suite)).start()
        client = client_type(cl, conf.client(auth="psk", suite=suite)).start()
        client.up()
        before = [sa["initiator-spi"] for _, sa in client.established()]

        results = []
        carrier = threading.Thread(target=lambda: results.append(
            transfer(cl, gw, "10.1.0.1", bytes(range(32)), size=TRANSFER)))
        carrier.start()
        carried = lambda: int(client.children()[0]["bytes-out"])
        wait_for(lambda: carried() > TRANSFER // 20, "the transfer's beginning")
        cl.ip("addr", "del", "198.51.100.2/24", "dev", "wifi")
        cl.address("lte", "203.0.113.2/24")
        cl.route("default", "via", "203.0.113.1")
        at_move = carried()
        carrier.join()
        self.assertLess(at_move, TRANSFER, "it moved in the middle")
        self.assertEqual(results[0][1], TRANSFER)
        self.assertEqual([sa["initiator-spi"] for _, sa in client.established()], before)
        self.assertEqual(gateway.established()[0][1]["remote-host"], "203.0.113.2")

    def test_client(self):
        self.roam(StrongSwan, Cygnet)

    def test_gateway(self):
        self.roam(Cygnet, StrongSwan)

    def test_both(self):
        self.roam(Cygnet, Cygnet)


class OtherPaths(unittest.TestCase):
    """A gateway with an IPv4 and an IPv6 address. The client leaves a network that has only IPv4 for
    one that has only IPv6, or the way to the address it uses dies without a word."""

    def build(self, gateway_type, both):
        world = self.enterContext(World())
        gw, net, cl = (world.node(name, ipv6=True) for name in ("gw", "net", "cl"))
        world.link(gw, "e0", net, "core")
        world.link(cl, "wifi", net, "near")
        world.link(cl, "lte", net, "far")
        gw.address("e0", "192.0.2.1/24", "2001:db8::1/64")
        gw.address("lo", "10.1.0.1/24")
        gw.route("default", "via", "192.0.2.254")
        gw.route("default", "via", "2001:db8::254")
        net.address("core", "192.0.2.254/24", "2001:db8::254/64")
        net.address("near", "198.51.100.1/24")
        net.address("far", "2001:db8:1::1/64")
        net.forward()
        net.sysctl("net.ipv6.conf.all.forwarding", 1)
        cl.address("wifi", "198.51.100.2/24")
        cl.route("default", "via", "198.51.100.1")
        self.cl, self.gw, self.net = cl, gw, net
        if both:
            self.reach_ipv6()
        suite = ("aes256gcm16-prfsha384-x25519", "aes256gcm16-x25519")
        self.gateway = gateway_type(gw, conf.gateway(auth="psk", suite=suite)).start()
        self.client = Cygnet(cl, conf.client(auth="psk", suite=suite, conn="dpd_delay = 5s")).start()
        self.client.up()
        self.before = [sa["initiator-spi"] for _, sa in self.client.established()]

    def reach_ipv6(self):
        self.cl.address("lte", "2001:db8:1::2/64")
        self.cl.route("default", "via", "2001:db8:1::1")

    def expect_moved(self):
        self.assertEqual([sa["initiator-spi"] for _, sa in self.client.established()], self.before)
        self.assertEqual(self.client.established()[0][1]["remote-host"], "2001:db8::1")
        self.assertEqual(self.gateway.established()[0][1]["remote-host"], "2001:db8:1::2")
        self.assertEqual(ping(self.cl, "10.1.0.1", count=3), 0)

    def leave_ipv4(self, gateway_type):
        self.build(gateway_type, both=False)
        results = []
        carrier = threading.Thread(target=lambda: results.append(
            transfer(self.cl, self.gw, "10.1.0.1", bytes(range(32)), size=TRANSFER)))
        carrier.start()
        carried = lambda: int(self.client.children()[0]["bytes-out"])
        wait_for(lambda: carried() > TRANSFER // 20, "the transfer's beginning")
        self.cl.ip("addr", "del", "198.51.100.2/24", "dev", "wifi")
        self.reach_ipv6()
        at_move = carried()
        carrier.join()
        self.assertLess(at_move, TRANSFER, "it moved in the middle")
        self.assertEqual(results[0][1], TRANSFER)
        self.expect_moved()

    def test_from_ipv4_to_ipv6(self):
        self.leave_ipv4(Cygnet)

    def test_from_ipv4_to_ipv6_at_strongswan(self):
        self.leave_ipv4(StrongSwan)

    def test_silent_path(self):
        self.build(Cygnet, both=True)
        self.net.ip("addr", "del", "198.51.100.1/24", "dev", "near")
        started = time.monotonic()
        wait_for(lambda: ping(self.cl, "10.1.0.1", count=1, interval=0.2) == 0,
                 "the other path", RETURN_SECONDS)
        tell(f"the path goes silent: the other one after {time.monotonic() - started:.1f} s")
        self.expect_moved()


SECRETS = 'secrets { ike { secret = "a shared secret of the tests" } }\n'
GATEWAY = """connections {
  warriors {
    pools = warriors
    dpd_delay = 30s
    local { auth = psk
      id = gw.example }
    remote { auth = psk }
    children { net { local_ts = 10.1.0.0/24, 10.9.0.0/24 } }
  }
  media {
    pools = media
    dpd_delay = 30s
    local { auth = psk
      id = gw.example }
    remote { auth = psk
      id = t520.example }
    children { net { local_ts = 10.1.0.0/24, 10.9.0.0/24 } }
  }
}
pools {
  warriors { addrs = 10.9.0.64/26 }
  media { addrs = 10.9.0.5 }
}
""" + SECRETS


def device(name, gateway):
    return f"""connections {{ home {{
  remote_addrs = {gateway}
  vips = 0.0.0.0
  local {{ auth = psk
    id = {name} }}
  remote {{ auth = psk
    id = gw.example }}
  children {{ net {{
    remote_ts = 10.1.0.0/24, 10.9.0.0/24
    keep_up = yes
  }} }}
}} }}
""" + SECRETS


class MediaServer(unittest.TestCase):
    """t520 at home behind a NAT router keeps its tunnel up though its applications send nothing;
    a laptop elsewhere reaches it again soon after whatever happened."""

    def setUp(self):
        world = self.enterContext(World())
        gw, router, t520, laptop = (world.node(name) for name in ("gw", "nat", "t520", "lap"))
        world.link(gw, "e0", router, "out")
        world.link(gw, "e1", laptop, "e0")
        world.link(t520, "e0", router, "in")
        gw.address("e0", "192.0.2.1/24")
        gw.address("e1", "198.51.100.1/24")
        gw.address("lo", "10.1.0.1/24")
        gw.forward()
        router.address("out", "192.0.2.254/24")
        router.address("in", "10.0.7.1/24")
        router.forward()
        router.masquerade("out")
        t520.address("e0", "10.0.7.2/24")
        t520.route("default", "via", "10.0.7.1")
        laptop.address("e0", "198.51.100.2/24")
        laptop.route("default", "via", "198.51.100.1")
        self.router, self.laptop_node = router, laptop
        self.gateway = Cygnet(gw, GATEWAY).start()
        self.t520 = Cygnet(t520, device("t520.example", "192.0.2.1")).start()
        self.laptop = Cygnet(laptop, device("laptop.example", "198.51.100.1")).start()
        for peer in (self.t520, self.laptop):
            wait_for(peer.children, f"the tunnel of {peer.node.name}")
        self.assertTrue(self.reaches())

    def reaches(self):
        return ping(self.laptop_node, "10.9.0.5", count=1, interval=0.2) == 0

    def expect_reached_again(self, what):
        started = time.monotonic()
        wait_for(self.reaches, "t520 is reached again", RETURN_SECONDS)
        took = time.monotonic() - started
        tell(f"{what}: t520 reached again after {took:.1f} s")
        self.assertLess(took, RETURN_SECONDS)

    def test_router_gets_another_address(self):
        before = [sa["initiator-spi"] for _, sa in self.t520.established()]
        self.router.ip("addr", "del", "192.0.2.254/24", "dev", "out")
        self.router.address("out", "192.0.2.77/24")
        self.expect_reached_again("the router has another address")
        after = [sa["initiator-spi"] for _, sa in self.t520.established()]
        self.assertEqual(before, after, "t520 notices nothing")
        self.assertNotIn("down", "".join(self.t520.warnings()))

    def test_line_is_cut(self):
        self.router.ip("link", "set", "out", "down")
        time.sleep(CUT_SECONDS)  # the length of the cut is what is tested
        self.router.ip("link", "set", "out", "up")
        self.expect_reached_again(f"the line was cut for {CUT_SECONDS} s")

    def test_gateway_is_killed(self):
        self.gateway.kill()
        self.gateway.start()
        self.expect_reached_again("the gateway was killed and restarted")


if __name__ == "__main__":
    unittest.main()
