"""A flood of IKE_SA_INIT from addresses that do not exist, while real clients connect and a tunnel
that was there before is in use."""

import json
import os
import re
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

from rig import conf
from rig.figures import tell
from rig.net import World, wait_for
from rig.peer import BIN, Cygnet
from rig.traffic import Ping

CLIENTS = 100
SANITIZED = "CYGNET_SANITIZED" in os.environ
RATE = 5_000 if SANITIZED else 50_000  # datagrams a second
SECONDS = 20
EXTRA_KIB_MAX = 1024
LOST_SHARE_MAX = 0.01
SUITE = ("aes256gcm16-prfsha384-x25519", "aes256gcm16-x25519")


class InUse:
    """A tunnel that carries pings all the time and is rekeyed every second."""

    def __init__(self, node, gateway):
        config = conf.client(auth="psk", suite=SUITE, local_id="user.example", remote_addrs=gateway)
        self.client = Cygnet(node, config).start(level="info")
        self.client.up()
        self.sa = self._sa()
        self.rekeys = 0
        self._pings = Ping(node, "10.1.0.1", 10_000_000, 0.01)
        self._enough = threading.Event()
        self._pool = ThreadPoolExecutor(1)
        self._rekeying = self._pool.submit(self._rekey)

    def _sa(self):
        return [sa["initiator-spi"] for _, sa in self.client.established()]

    def _rekey(self):
        while not self._enough.wait(1.0):
            before = [child["spi-in"] for child in self.client.children()]
            self.client.rekey_child()

            def replaced():
                after = [child["spi-in"] for child in self.client.children()]
                return len(after) == 1 and after != before

            wait_for(replaced, "a new child in place of the old")
            self.rekeys += 1

    def stop(self):
        """Whether it is still the same tunnel, the pings sent and those that were lost."""
        self._enough.set()
        with self._pool:
            self._rekeying.result()
        self._pings.stop()
        sent, received = self._pings.counts()
        return self._sa() == self.sa, sent, sent - received


class Flood(unittest.TestCase):
    def connect(self, rate, seconds):
        """What `crowd` reports, the gateway's peak of resident memory in KiB, and the tunnel that
        was in use meanwhile: rekeys, pings sent and lost."""
        with World() as world:
            gw, crowd, user = (world.node(name) for name in ("gw", "crowd", "user"))
            world.link(gw, "e0", crowd, "e0")
            world.link(gw, "e1", user, "e0")
            gw.address("e0", "192.0.2.1/24")
            gw.address("e1", "203.0.113.1/24")
            gw.address("lo", "10.1.0.1/24")
            gw.route("default", "via", "192.0.2.2")
            crowd.address("e0", "192.0.2.2/24")
            for number in range(CLIENTS):
                crowd.address("lo", f"198.51.100.{1 + number}/32")
            crowd.route("default", "via", "192.0.2.1")
            user.address("e0", "203.0.113.2/24")
            user.route("default", "via", "203.0.113.1")
            gateway = Cygnet(gw, conf.gateway(auth="psk", suite=SUITE)).start(level="info")
            tunnel = InUse(user, "203.0.113.1")
            done = crowd.run(os.path.join(BIN, "crowd"), "192.0.2.1", "198.51.100.1", str(CLIENTS),
                             "a shared secret of the tests", str(rate), str(seconds), "e0",
                             timeout=180)
            same, sent, lost = tunnel.stop()
            self.assertTrue(same, "the tunnel in use has lived")
            wait_for(lambda: len(gateway.children()) == CLIENTS + 1, "all clients at the gateway", 30)
            pid = int(gw.run("pgrep", "-P", str(gateway.process.pid), check=False).stdout or
                      gateway.process.pid)
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                peak = int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1])
            return json.loads(done.stdout), peak, (tunnel.rekeys, sent, lost)

    def test_flood(self):
        calm, peak_calm, _ = self.connect(0, 0)
        flooded, peak, (rekeys, sent, lost) = self.connect(RATE, SECONDS)
        rate = flooded["sent"] / SECONDS
        tell(f"{CLIENTS} clients: {calm['seconds']} s in calm, peak {peak_calm} KiB; under a flood of "
             f"{rate:.0f}/s {flooded['seconds']} s, peak {peak} KiB")
        tell(f"answers to the flood's {flooded['request']} octets: {flooded['stateless']} stateless of "
             f"at most {flooded['stateless_max']}, {flooded['full']} full of at most "
             f"{flooded['full_max']}; {flooded['missed']} not seen")
        tell(f"the tunnel in use under the flood: {rekeys} rekeys, {sent} pings, {lost} lost")
        self.assertEqual(calm["up"], CLIENTS)
        self.assertEqual(flooded["up"], CLIENTS)
        self.assertLess(flooded["seconds"], 60)
        self.assertGreater(flooded["sent"], RATE * SECONDS * 0.8, "the flood was as strong as meant")
        self.assertEqual(flooded["missed"], 0, "every answer was seen")
        self.assertEqual(flooded["too_large"], 0)
        self.assertEqual(flooded["other"], 0)
        self.assertGreater(flooded["stateless"], 0)
        self.assertGreater(rekeys, SECONDS // 2)
        self.assertLessEqual(lost, sent * LOST_SHARE_MAX)
        if not SANITIZED:  # a sanitizer keeps freed memory back
            self.assertLessEqual(peak - peak_calm, EXTRA_KIB_MAX)


if __name__ == "__main__":
    unittest.main()
