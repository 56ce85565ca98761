"""A flood of IKE_SA_INIT from addresses that do not exist, while real clients connect."""

import json
import os
import re
import unittest

from rig import conf
from rig.net import World, wait_for
from rig.peer import BIN, Cygnet

CLIENTS = 100
SANITIZED = "CYGNET_SANITIZED" in os.environ
RATE = 5_000 if SANITIZED else 50_000  # datagrams a second
SECONDS = 20
EXTRA_KIB_MAX = 1024


class Flood(unittest.TestCase):
    def connect(self, rate, seconds):
        """What `crowd` reports, and the gateway's peak of resident memory in KiB."""
        with World() as world:
            gw, crowd = world.node("gw"), world.node("crowd")
            world.link(gw, "e0", crowd, "e0")
            gw.address("e0", "192.0.2.1/24")
            gw.address("lo", "10.1.0.1/24")
            gw.route("default", "via", "192.0.2.2")
            crowd.address("e0", "192.0.2.2/24")
            for number in range(CLIENTS):
                crowd.address("lo", f"198.51.100.{1 + number}/32")
            crowd.route("default", "via", "192.0.2.1")
            suite = ("aes256gcm16-prfsha384-x25519", "aes256gcm16-x25519")
            gateway = Cygnet(gw, conf.gateway(auth="psk", suite=suite)).start(level="info")
            done = crowd.run(os.path.join(BIN, "crowd"), "192.0.2.1", "198.51.100.1", str(CLIENTS),
                             "a shared secret of the tests", str(rate), str(seconds), "e0",
                             timeout=180)
            wait_for(lambda: len(gateway.children()) == CLIENTS, "all clients at the gateway", 30)
            pid = int(gw.run("pgrep", "-P", str(gateway.process.pid), check=False).stdout or
                      gateway.process.pid)
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                peak = int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1])
            return json.loads(done.stdout), peak

    def test_flood(self):
        calm, peak_calm = self.connect(0, 0)
        flooded, peak = self.connect(RATE, SECONDS)
        print(f"calm: {calm}, peak {peak_calm} KiB\nflooded: {flooded}, peak {peak} KiB")
        self.assertEqual(calm["up"], CLIENTS)
        self.assertEqual(flooded["up"], CLIENTS)
        self.assertLess(flooded["seconds"], 60)
        self.assertGreater(flooded["sent"], RATE * SECONDS * 0.8, "the flood was as strong as meant")
        self.assertEqual(flooded["much_larger"], 0)
        if not SANITIZED:  # a sanitizer keeps freed memory back
            self.assertLessEqual(peak - peak_calm, EXTRA_KIB_MAX)


if __name__ == "__main__":
    unittest.main()
