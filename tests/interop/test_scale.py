"""Ten thousand connections, a thousand tunnels: clients of the control socket that read slowly hold
nobody up, and a change of one connection touches that one."""

import os
import re
import threading
import time
import unittest

from rig import conf
from rig.figures import tell
from rig.net import World, wait_for
from rig.peer import BIN, Cygnet
from rig.vici import EVENT, Vici

SANITIZED = "CYGNET_SANITIZED" in os.environ
LOADED = 2_000 if SANITIZED else 10_000  # connections
UP = 200 if SANITIZED else 1_000  # tunnels...
OF_FILE = 50  # ... of which so many have their connection in the daemon's file
SUITE = ("aes256gcm16-prfsha384-x25519", "aes256gcm16-x25519")
NETWORK = "10.1.0.0/24"
SMALLER = "10.1.0.0/25"
SITES = {"s0": "203.0.113.2", "s1": "203.0.113.3"}  # that the gateway calls


def _ends(local, remote):
    return {"local": {"auth": "psk", "id": local}, "remote": {"auth": "psk", "id": remote}}


def site(name, local_ts=NETWORK):
    """The gateway's connection to a site; it is up as long as it is configured."""
    return {name: {
        "proposals": [SUITE[0]], "remote_addrs": [SITES[name]],
        **_ends("gw.example", f"{name}.example"),
        "children": {"net": {"local_ts": [local_ts], "remote_ts": [f"{SITES[name]}/32"],
                             "esp_proposals": [SUITE[1]], "start_action": "start"}}}}


def sites_text():
    """What the sites' own daemon is configured with: it takes what it is called for."""
    return text({"connections": {name: {
        "proposals": SUITE[0], "local_addrs": address, **_ends(f"{name}.example", "gw.example"),
        "children": {"net": {"local_ts": f"{address}/32", "remote_ts": NETWORK,
                             "esp_proposals": SUITE[1]}}}
        for name, address in SITES.items()}}) + conf.PSK


def connection(number, local_ts=NETWORK):
    """For the client that `crowd` calls c<number>.example; as vici carries it."""
    return {f"c{number}": {
        "proposals": [SUITE[0]], "pools": ["p4"],
        **_ends("gw.example", f"c{number}.example"),
        "children": {"net": {"local_ts": [local_ts], "esp_proposals": [SUITE[1]]}}}}


def text(section, indent=""):
    """The same in a file."""
    out = ""
    for key, value in section.items():
        if isinstance(value, dict):
            out += f"{indent}{key} {{\n{text(value, indent + '  ')}{indent}}}\n"
        else:
            out += f"{indent}{key} = {','.join(value) if isinstance(value, list) else value}\n"
    return out


def file_text(changed=None):
    """The daemon's own file, perhaps with one connection changed: a site, or that of a client."""
    pick = lambda one: SMALLER if one == changed else NETWORK
    connections = site("s0", pick("s0"))
    for number in range(OF_FILE):
        connections |= connection(number, pick(number))
    return text({"connections": connections, "pools": {"p4": {"addrs": "10.9.0.0/16"}}}) + conf.PSK


class Slow:
    """A client that asks for a list and then reads one octet a second."""

    def __init__(self, path, command, event):
        self.vici = Vici(path)
        self._enough = threading.Event()
        self.octets = 0
        self.parts = 0
        self._thread = threading.Thread(target=self._read, args=(command, event))
        self._thread.start()

    def _read(self, command, event):
        whole = self.vici._exactly

        def slowly(count):
            out = b""
            while len(out) < count and not self._enough.is_set():
                out += whole(1)
                self.octets += 1
                self._enough.wait(1.0)
            return out + whole(count - len(out))

        self.vici.subscribe(event)
        self.vici.ask(command)
        self.vici._exactly = slowly
        while self.vici.next_kind() == EVENT:
            self.parts += 1

    def rest(self):
        """Reads on as fast as anybody; the length of the list."""
        self._enough.set()
        self._thread.join()
        self.vici.close()
        return self.parts


class Scale(unittest.TestCase):
    def setUp(self):
        self.world = self.enterContext(World())
        gw, self.crowd, sites = (self.world.node(name) for name in ("gw", "crowd", "sites"))
        self.world.link(gw, "e0", self.crowd, "e0")
        self.world.link(gw, "e1", sites, "e0")
        gw.address("e1", "203.0.113.1/24")
        sites.address("e0", *(f"{address}/24" for address in SITES.values()))
        gw.address("e0", "192.0.2.1/24")
        gw.address("lo", "10.1.0.1/24")
        gw.route("default", "via", "192.0.2.2")
        self.crowd.address("e0", "192.0.2.2/24")
        self.crowd.address("lo", "198.18.0.1/16")  # all of it, on lo
        Cygnet(sites, sites_text()).start(level="info")
        self.gateway = Cygnet(gw, file_text()).start(level="info")

    def timed(self, what, run):
        start = time.monotonic()
        out = run()
        self.figures.append(f"{what} {time.monotonic() - start:.1f} s")
        return out

    def load(self):
        with self.gateway.vici() as vici:
            for number in range(OF_FILE, LOADED):
                vici.demand("load-conn", connection(number))
            vici.demand("load-conn", site("s1"))

    def connect(self):
        return self.crowd.run(os.path.join(BIN, "crowd"), "192.0.2.1", "198.18.1.1", str(UP),
                              "a shared secret of the tests", "0", "120", "e0", timeout=240).stdout

    def swanctl(self, *words):
        return self.gateway.node.run("swanctl", *words, "--uri", f"unix://{self.gateway.socket}").stdout

    def ids(self):
        """{connection: uniqueid} of what is up."""
        return dict(re.findall(r"^(\S+): #(\d+), ESTABLISHED", self.swanctl("--list-sas"), re.M))

    def memory(self):
        listeners = self.gateway.node.run("ss", "-xlpH", "src", self.gateway.socket).stdout
        pid = re.search(r"pid=(\d+)", listeners)[1]
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            return int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1]) // 1024

    def local_ts(self, name):
        """Of its child, as it is configured."""
        with self.gateway.vici() as vici:
            (event,) = vici.stream("list-conns", "list-conn", {"ike": name})
        return event[name]["children"]["net"]["local-ts"]

    def changes(self, name, change, stays):
        """`change` changes the configuration of that connection alone. Its tunnel stays until it is
        made anew, or is made anew now; all others are the same ones as before."""
        tunnels = self.ids()
        self.assertEqual(self.local_ts(name), [NETWORK])
        change()
        self.assertEqual(self.local_ts(name), [SMALLER])
        if not stays:
            wait_for(lambda: self.ids().get(name, tunnels[name]) != tunnels[name], "a new tunnel")
        after = self.ids()
        self.assertEqual(after[name] == tunnels[name], stays)
        self.assertEqual({**after, name: None}, {**tunnels, name: None})

    def test_ten_thousand(self):
        self.figures = []
        self.timed("load", self.load)
        self.assertEqual(len(self.gateway.call("get-conns")["conns"]), LOADED + len(SITES))
        wait_for(lambda: set(self.ids()) == set(SITES), "the sites")
        loaded = self.memory()
        said = self.timed("connect", self.connect)
        self.assertIn(f'"up": {UP},', said)
        slow = [Slow(self.gateway.socket, "list-sas", "list-sa"),
                Slow(self.gateway.socket, "list-conns", "list-conn")]
        wait_for(lambda: all(one.octets > 0 for one in slow), "the slow readers")
        listing = self.timed("swanctl --list-sas", lambda: self.swanctl("--list-sas"))
        self.assertEqual(listing.count("ESTABLISHED"), UP + len(SITES))
        self.assertEqual(listing.count("INSTALLED"), UP + len(SITES))
        self.timed("swanctl --list-conns", lambda: self.swanctl("--list-conns"))
        self.assertTrue(all(one.octets < 1000 for one in slow), "they still read")
        sas, conns = (one.rest() for one in slow)
        self.assertEqual((sas, conns), (UP + len(SITES), LOADED + len(SITES)),
                         "slow readers lose nothing")
        self.figures.append(f"memory {loaded} MiB, with tunnels {self.memory()} MiB")
        tell(f"{LOADED} connections, {UP} up: {', '.join(self.figures)}")

        def load(fresh):
            self.gateway.call("load-conn", connection(OF_FILE))  # nothing new
            self.gateway.call("load-conn", fresh)

        def reload(changed):
            self.gateway.configure(file_text(changed))
            self.gateway.cli("reload")

        client = OF_FILE + 1
        self.changes(f"c{client}", lambda: load(connection(client, SMALLER)), stays=True)
        self.changes("s1", lambda: load(site("s1", SMALLER)), stays=False)
        self.changes("c0", lambda: reload(0), stays=True)
        reload(None)
        self.changes("s0", lambda: reload("s0"), stays=False)


if __name__ == "__main__":
    unittest.main()
