"""The demo behind scripts/demo: numbered steps; a failure names its step."""

import json
import os
import secrets
import sys

from rig.certs import Authority
from rig.net import RigError, World, run, wait_for
from rig.peer import Cygnet
from rig.traffic import Capture, Ping, transfer

IKE = "aes256gcm16-prfsha384-ecp384"
ESP = "aes256gcm16-ecp384"
GATEWAY = "192.0.2.1"
INTERNET_HOST = "198.18.0.1"
T520 = "10.9.1.20"
DNS = "10.9.255.53"
DN = "/C=CH/O=cygnet demo/CN={}"

GATEWAY_CONFIG = f"""
connections {{
  roadwarriors : defaults {{
    pools = roadwarriors
    children {{ all : child {{ local_ts = 0.0.0.0/0 }} }}
  }}
  t520 : defaults {{
    pools = t520
    remote {{ id = "C=CH, O=cygnet demo, CN=t520" }}
    children {{ home : child {{ local_ts = 10.9.0.0/16 }} }}
  }}
}}
defaults {{
  version = 2
  proposals = {IKE}
  local {{ id = gateway.example }}
}}
child {{ esp_proposals = {ESP} }}
pools {{
  roadwarriors {{ addrs = 10.9.0.0/24
    dns = {DNS} }}
  t520 {{ addrs = {T520}/32
    dns = {DNS} }}
}}
"""

CLIENT_CONFIG = """
connections {{ home {{
  version = 2
  proposals = {ike}
  remote_addrs = {gateway}
  vips = 0.0.0.0
  local {{ {identity} }}
  remote {{ id = gateway.example }}
  children {{ net {{
    remote_ts = {remote_ts}
    esp_proposals = {esp}
    start_action = start
  }} }}
}} }}
"""


def need(condition, text):
    if not condition:
        raise RigError(text)


class Demo:
    def __init__(self, world):
        self.world = world
        self.step_name = "start"
        self.number = 0
        pattern = secrets.token_bytes(16)
        self.pattern = pattern.hex()
        self.marker = pattern * 2
        self.peers = {}

    def step(self, name):
        self.number += 1
        self.step_name = name
        print(f"\n[{self.number}] {name}", flush=True)

    def run(self):
        self.network()
        self.certificates()
        self.daemons()
        self.addresses()
        self.traffic()
        self.show()
        self.stop()

    # --- steps ---
    def network(self):
        self.step("make the network: gateway, NAT router, laptop, t520, phone, an Internet host")
        node = self.world.node
        self.gateway, self.internet, self.router = node("gateway"), node("internet"), node("router")
        self.laptop, self.t520, self.phone = node("laptop"), node("t520"), node("phone")
        for other, interface, net in ((self.gateway, "wan", "192.0.2"),
                                      (self.router, "wan", "198.51.100"),
                                      (self.phone, "wan", "203.0.113")):
            self.world.link(self.internet, f"to-{other.name}", other, interface)
            self.internet.address(f"to-{other.name}", f"{net}.254/24")
            other.address(interface, f"{net}.1/24")
            other.route("default", "via", f"{net}.254")
        for other, net in ((self.laptop, "10.0.7"), (self.t520, "10.0.8")):
            self.world.link(self.router, f"to-{other.name}", other, "lan")
            self.router.address(f"to-{other.name}", f"{net}.1/24")
            other.address("lan", f"{net}.2/24")
            other.route("default", "via", f"{net}.1")
        self.internet.address("lo", f"{INTERNET_HOST}/32")
        for one in (self.internet, self.router, self.gateway):
            one.forward()
        self.router.masquerade("wan")
        self.gateway.masquerade("wan")

    def certificates(self):
        self.step("make a CA and certificates (ECDSA P-384)")
        self.ca = Authority(self.world.folder("pki"), "demo-ca", "p384")
        self.issued = {name: self.ca.issue(name, f"DNS:{name}.example", dn=DN.format(name))
                       for name in ("gateway", "laptop", "t520", "phone")}

    def daemons(self):
        self.step(f"start cygnetd on each; clients connect by themselves ({IKE}, {ESP})")
        self.captures = [Capture(self.router, "wan"), Capture(self.phone, "wan")]
        self.start(self.gateway, GATEWAY_CONFIG)
        # The laptop and the phone send everything through the tunnel; t520 keeps its Internet.
        for node, identity, remote_ts in (
                (self.laptop, "id = laptop.example", "0.0.0.0/0"),
                (self.phone, "id = phone.example", "0.0.0.0/0"),
                (self.t520, "", "10.9.0.0/16")):
            self.start(node, CLIENT_CONFIG.format(ike=IKE, esp=ESP, gateway=GATEWAY,
                                                  identity=identity, remote_ts=remote_ts))
        for name in ("laptop", "phone", "t520"):
            wait_for(lambda one=self.peers[name]: one.children(), f"the tunnel of {name}")

    def start(self, node, config):
        cert, key = self.issued[node.name]
        self.peers[node.name] = Cygnet(node, config, {
            "x509": [cert], "private": [key], "x509ca": [self.ca.cert]}).start(level="info")

    def addresses(self):
        self.step("look at addresses and DNS")
        self.vips = {}
        for name in ("laptop", "phone", "t520"):
            (sa,) = json.loads(self.peers[name].cli("status", "--json").stdout)["ike_sas"]
            need(sa["proposal"] == "AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_384", sa["proposal"])
            need(sa["dns"] == [DNS], f"{name} has DNS {sa['dns']}")
            (self.vips[name],) = sa["virtual_ips"]
            print(f"    {name}: {self.vips[name]}, DNS {sa['dns'][0]}, we are '{sa['local']['id']}'")
        need(self.vips["t520"] == T520, f"t520 has {self.vips['t520']}, not its fixed address")
        for name in ("laptop", "phone"):
            need(self.vips[name].startswith("10.9.0."), f"{name} has {self.vips[name]}")

    def traffic(self):
        self.step("ping and transfer each way: to the Internet through the gateway, to t520")
        for caller, listener, address in (
                (self.laptop, self.internet, INTERNET_HOST),
                (self.phone, self.internet, INTERNET_HOST),
                (self.laptop, self.t520, T520),
                (self.t520, self.laptop, self.vips["laptop"]),
                (self.phone, self.laptop, self.vips["laptop"])):
            lost = Ping(caller, address, 10, 0.05, size=120, pattern=self.pattern).lost()
            need(lost == 0, f"{caller.name} to {address}: {lost} of 10 pings lost")
            for way in ("push", "pull"):
                size = 5_000_000
                source, right = transfer(caller, listener, address, self.marker, size, way=way)
                need(right == size, f"{caller.name} {way} {address}: {right} of {size} octets")
                expected = GATEWAY if listener is self.internet else self.vips[caller.name]
                need(source == expected, f"{caller.name} was seen as {source}, not {expected}")
            print(f"    {caller.name} -> {listener.name} ({address}): 10 pings, 5 MB each way, "
                  f"seen as {source}")

    def show(self):
        self.step("look at the wire: nothing but IKE and ESP, and the marker nowhere")
        for capture in self.captures:
            packets = capture.stop().packets()
            need(len(packets) > 1000, f"only {len(packets)} packets were captured")
            for packet in packets:
                need(packet.is_ipsec(), f"a packet that is not IPsec: {packet.raw[:60].hex()}")
                need(self.marker not in packet.raw, "the marker went over the wire in the clear")
            print(f"    {capture.node.name}: {len(packets)} packets, all UDP 500 or 4500, "
                  "no marker")
        self.step("cygnet status on the gateway and on the laptop")
        for name in ("gateway", "laptop"):
            print(f"--- {name}\n{self.peers[name].cli('status').stdout}", end="")

    def stop(self):
        self.step("stop the daemons: nothing of theirs stays")
        for peer in reversed(self.peers.values()):
            need(peer.stop(), f"cygnetd on {peer.node.name} did not end in time")
            need(peer.process.returncode == 0, f"cygnetd on {peer.node.name} failed")
            node = peer.node
            need("220" not in node.ip("rule").stdout, f"a rule stays on {node.name}")
            # An empty table may be unknown to the kernel.
            routes = run(["ip", "-n", node.netns, "route", "show", "table", "220"], check=False)
            need("dev" not in routes.stdout, f"a route stays on {node.name}: {routes.stdout}")
            rest = node.ip("addr").stdout
            need("cygnet0" not in rest and "10.9." not in rest, f"an address stays on {node.name}")

    def explain(self):
        for name, peer in self.peers.items():
            print(f"\n--- the end of {name}'s log\n{peer.log()[-2500:]}", file=sys.stderr)


def host_state():
    """What the demo must leave as it was."""
    return {what: run(["ip", *what.split()]).stdout
            for what in ("netns", "rule", "-6 rule", "route show table all", "-o link")}


def processes_of(world):
    return [one.pid for one in world.processes if one.poll() is None]


def main():
    before = host_state()
    world = World(keep="--keep" in sys.argv)
    demo = Demo(world)
    failed = None
    try:
        with world:
            try:
                demo.run()
            except Exception:
                demo.explain()
                raise
            demo.step("tear the network down")
        need(not processes_of(world), f"processes stay: {processes_of(world)}")
        after = host_state()
        for what, text in before.items():
            need(text == after[what], f"'ip {what}' is not as it was:\n{after[what]}")
    except (Exception, KeyboardInterrupt) as error:  # whatever it is, the step is named
        failed = error
    if world.keep:
        print(f"logs and configurations: {world.directory}")
    if failed is not None:
        print(f"\ndemo: FAIL in step {demo.number}, {demo.step_name}: {failed}")
        return 1
    print("demo: PASS")
    return 0


if __name__ == "__main__":
    os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.exit(main())
