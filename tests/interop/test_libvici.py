"""A program on strongSwan's packaged libvici steers cygnetd, and hears of it what it hears of charon."""

import os
import re
import unittest

from rig import conf
from rig.net import World, pair
from rig.peer import BIN, Cygnet, StrongSwan

SPARE = """connections { spare {
  remote_addrs = 192.0.2.9
  local { auth = psk
    id = cl.example }
  remote { auth = psk
    id = spare.example }
  children { other { } }
} }
"""

SAID = """\
version is known
register list-conn: yes
register list-sa: yes
load-shared
  success = yes
load-conn
  success = yes
get-conns
  conns = spare
  conns = libvici
list-conns
event list-conn
  libvici
    version = IKEv2
    local-1
      id = cl.example
      class = pre-shared key
    remote-1
      id = gw.example
      class = pre-shared key
    children
      net
        mode = TUNNEL
        local-ts = dynamic
        remote-ts = 10.1.0.0/24
initiate
  success = yes
list-sas
event list-sa
  libvici
    version = 2
    state = ESTABLISHED
    local-id = cl.example
    remote-id = gw.example
    local-vips = 10.9.0.1
    child-sas
      net-N
        state = INSTALLED
        mode = TUNNEL
        local-ts = 10.9.0.1/32
        remote-ts = 10.1.0.0/24
initiate
  success = no
unload-conn
  success = yes
get-conns
  conns = spare
terminate
  success = yes
  matches = 1
  terminated = 1
list-sas
nosuch
  none: unknown
"""


class Session(unittest.TestCase):
    """From the client's end, towards a gateway of strongSwan's."""

    def setUp(self):
        self.world = self.enterContext(World())
        gateway, self.node = pair(self.world)
        StrongSwan(gateway, conf.gateway(auth="psk")).start()

    def session(self, peer):
        done = self.node.run(os.path.join(BIN, "libvici_session"), f"unix://{peer.socket}")
        said = "\n".join(line for line in done.stdout.splitlines()
                         if not line.startswith("version {"))
        return re.sub(r"net-\d+", "net-N", said) + "\n"

    def test_cygnet(self):
        self.assertEqual(self.session(Cygnet(self.node, SPARE + conf.PSK).start()), SAID)

    def test_charon(self):
        """That the program is right."""
        self.assertEqual(self.session(StrongSwan(self.node, SPARE).start()), SAID)


if __name__ == "__main__":
    unittest.main()
