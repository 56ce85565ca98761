"""Debian's unmodified swanctl drives cygnetd: what it prints and is told is compared with what charon
answers in the same set-up. What differs stands here, and with its reason in docs/compatibility.md."""

import os
import re
import shutil
import unittest

from rig import conf
from rig.certs import Authority
from rig.net import World, pair, wait_for
from rig.peer import Cygnet, StrongSwan

AUTHORITIES = ("authorities { corp { cacert = root-ca.crt\n"
               "  crl_uris = http://crl.example/c } }\n")

# Beyond charon's keys, path by path; * stands for names that are not fixed.
MORE = {
    "list-sa": {"*/dns", "*/proposal", "*/child-sas/*/proposal"},
    "list-conn": {"*/local_port", "*/remote_port"},
    "stats": {"cygnet-wakes", "cygnet-limits"},
}


def paths(message, names=(), at=""):
    """The keys of a message, nested ones as a/b; below a path of `names` each key is a *."""
    out = set()
    for key, value in message.items():
        path = f"{at}/{'*' if at in names else key}".lstrip("/")
        out.add(path)
        if isinstance(value, dict):
            out |= paths(value, names, path)
    return out


def top_only(found, prefixes):
    """Without what lies below one of these paths."""
    return {path for path in found if not any(path.startswith(f"{one}/") for one in prefixes)}


class Drives(unittest.TestCase):
    def setUp(self):
        self.world = self.enterContext(World())
        self.gateway_node, self.client_node = pair(self.world)
        self.root = Authority(self.world.folder("pki"), "root")
        self.text = conf.gateway() + AUTHORITIES
        self.issued = {}

    def files(self, name):
        """The same each time: both gateways are one."""
        if name not in self.issued:
            self.issued[name] = self.root.issue(name, f"DNS:{name}.example")
        return conf.credentials(self.root, self.issued[name])

    def cygnet(self):
        """A gateway with nothing but what swanctl brings: it has no file of its own."""
        peer = Cygnet(self.gateway_node, self.text, self.files("gw"))
        own = os.path.join(peer.home, "empty.conf")
        open(own, "w", encoding="utf-8").close()
        peer.start(config=own)
        self.swanctl(peer, "--load-all", "--noprompt")
        return peer

    def charon(self):
        return StrongSwan(self.gateway_node, self.text, self.files("gw")).start()

    def call_in(self):
        """A client of strongSwan's that is connected."""
        client = StrongSwan(self.client_node, conf.client(), self.files("cl")).start()
        client.up()
        return client

    def swanctl(self, peer, *words, check=True):
        done = peer.node.run("env", f"SWANCTL_DIR={peer.swanctl}", "swanctl", *words, "--uri",
                             f"unix://{peer.socket}", check=check)
        self.assertNotIn("(null)", done.stdout, words)
        return done.stdout

    def each(self, run):
        """What `run` finds out about cygnet and about charon, one after the other."""
        out = []
        for start in (self.cygnet, self.charon):
            peer = start()
            out.append(run(peer))
            peer.stop()
        return out

    def assert_same_keys(self, ours, theirs, kind, names):
        """`names`: paths whose keys are names and not the protocol's."""
        ours, theirs = paths(ours, names), paths(theirs, names)
        more = MORE.get(kind, set())
        self.assertLessEqual(top_only(ours - theirs, more), more, f"{kind}: keys that charon lacks")
        self.assertEqual(theirs - ours, set(), f"{kind}: keys that we lack")


class Messages(Drives):
    """Keys of answers and of streamed events."""

    def test_list_sas(self):
        def run(peer):
            client = self.call_in()
            ((name, sa),) = peer.sas()
            ((_, child),) = sa["child-sas"].items()
            client.stop()
            return {name: sa}, child
        (ours, our_child), (theirs, their_child) = self.each(run)
        self.assert_same_keys(ours, theirs, "list-sa", ("", "*/child-sas"))
        varying = re.compile(r"spi|time|established|uniqueid|reqid|port|bytes|packets|use-")
        for mine, other in ((ours["rw"], theirs["rw"]), (our_child, their_child)):
            for key, value in other.items():
                if not isinstance(value, dict) and not varying.search(key):
                    self.assertEqual(mine[key], value, key)

    def test_list_conns(self):
        def run(peer):
            with peer.vici() as vici:
                return vici.stream("list-conns", "list-conn")[0]
        ours, theirs = self.each(run)
        self.assert_same_keys(ours, theirs, "list-conn", ("", "*/children"))
        # The certificate that we choose when none is named.
        self.assertEqual(ours["rw"]["local-1"].pop("certs"), ["C=CH, O=cygnet test, CN=gw"])
        theirs["rw"]["local-1"].pop("certs")
        for key in theirs["rw"]:
            self.assertEqual(ours["rw"][key], theirs["rw"][key], key)

    def test_stats(self):
        def run(peer):
            return peer.call("stats")
        ours, theirs = self.each(run)
        self.assert_same_keys(ours, theirs, "stats", ())

    def test_the_rest(self):
        """Keys and values are charon's."""
        def run(peer):
            with peer.vici() as vici:
                return {
                    "pools": peer.call("get-pools", {"leases": "yes"}),
                    "authorities": vici.stream("list-authorities", "list-authority"),
                    "authority names": peer.call("get-authorities"),
                    "conns": peer.call("get-conns"),
                    "keys": peer.call("get-keys"),
                    "shared": peer.call("get-shared"),
                    "flush": peer.call("flush-certs"),
                    "settings": peer.call("reload-settings"),
                    "certs": sorted(one["flag"] for one in vici.stream("list-certs", "list-cert")),
                    "counters": sorted(peer.call("get-counters")["counters"][""]),
                    "policies": vici.stream("list-policies", "list-policy"),
                    "version": sorted(peer.call("version")),
                }
        ours, theirs = self.each(run)
        self.assertEqual(ours["pools"]["p4"].pop("base"), "10.9.0.1")
        self.assertEqual(theirs["pools"]["p4"].pop("base"), "10.9.0.0")
        for what, answer in theirs.items():
            self.assertEqual(ours[what], answer, what)


class Prints(Drives):
    """swanctl's own pages."""

    def pages(self, peer):
        return {words: self.swanctl(peer, *words.split())
                for words in ("--list-conns", "--list-pools", "--list-authorities", "--list-certs",
                              "--list-pols", "--list-sas", "--flush-certs", "--reload-settings",
                              "--load-all --noprompt")}

    def test_pages(self):
        """But for file names and dates they are charon's, letter by letter."""
        ours, theirs = self.each(self.pages)
        def plain(page):
            page = re.sub(r"gw-(cygnet|strongswan)", "gw", page)
            page = re.sub(r"    certs: .*\n", "", page)  # that we choose when none is named
            page = page.replace("10.9.0.1 ", "10.9.0.0 ")  # the pool's base
            return re.sub(r"expires in \d+ days", "", page)
        for words, page in theirs.items():
            self.assertEqual(plain(ours[words]), plain(page), words)

    def test_numbers(self):
        """Those pages whose content is each daemon's own: the same lines, other figures."""
        def run(peer):
            return {words: self.swanctl(peer, *words.split())
                    for words in ("--stats", "--counters", "--version")}
        ours, theirs = self.each(run)
        for words, page in theirs.items():
            def labels(text):
                return [re.sub(r"\d+ (seconds?|minutes?)", "0 s", line.split(":")[0])
                        for line in text.strip().splitlines()]
            mine = labels(ours[words])
            self.assertEqual(mine, labels(page), words)

    def test_raw_and_pretty(self):
        peer = self.cygnet()
        for words in ("--stats", "--list-conns", "--list-certs", "--list-pools", "--list-algs",
                      "--counters", "--list-authorities", "--flush-certs", "--reload-settings",
                      "--list-sas", "--list-pols", "--load-all"):
            for form in ("--raw", "--pretty"):
                self.assertIn("reply", self.swanctl(peer, words, form), words)


class Loads(Drives):
    """What --load-all brings, changes and takes away."""

    def assert_same(self, run):
        ours, theirs = self.each(run)
        self.assertEqual(ours, theirs)

    def names(self, peer):
        answers = {"conns": peer.call("get-conns")["conns"], "pools": list(peer.call("get-pools")),
                   "secrets": peer.call("get-shared")["keys"],
                   "keys": peer.call("get-keys")["keys"],
                   "authorities": peer.call("get-authorities")["authorities"]}
        return {what: sorted(names) for what, names in answers.items()}

    def test_what_is_gone_is_taken_away(self):
        """A shared key and a pool in place of a certificate and a CA; then nothing."""
        def run(peer):
            out = [self.names(peer)]
            shutil.rmtree(os.path.join(peer.swanctl, "private"))
            for text in (conf.gateway(auth="psk").replace("p4", "p5").replace("rw", "other"), ""):
                peer.configure(text)
                self.swanctl(peer, "--load-all", "--noprompt", check=False)
                out.append(self.names(peer))
            return out
        self.assert_same(run)

    def test_secrets_of_all_kinds(self):
        def run(peer):
            peer.configure("secrets { ike-a { id = a.example\n secret = 0x0102 }\n"
                           "eap-b { id = b\n secret = x } }\n")
            self.swanctl(peer, "--load-creds", "--noprompt")
            return self.names(peer)
        self.assert_same(run)

    def test_shared_key_that_swanctl_brought(self):
        self.text = conf.gateway(auth="psk")
        peer = self.cygnet()
        client = StrongSwan(self.client_node, conf.client(auth="psk")).start()
        client.up()
        self.assertEqual(len(peer.established()), 1)

    def test_faults_are_told(self):
        def run(peer):
            peer.configure("connections { bad { proposals = aes999-sha1-modp1\n"
                           "children { net { } } } }\n")
            done = peer.node.run("env", f"SWANCTL_DIR={peer.swanctl}", "swanctl", "--load-conns",
                                 "--uri", f"unix://{peer.socket}", check=False)
            self.assertIn("loading connection 'bad' failed: ", done.stdout)
            return done.returncode, self.names(peer)
        self.assert_same(run)

    def test_a_tunnel_stays_up(self):
        """The same configuration once more, as after every edit of another part."""
        def run(peer):
            client = self.call_in()
            ((_, before),) = peer.sas()
            self.swanctl(peer, "--load-all", "--noprompt")
            ((_, after),) = peer.sas()
            client.stop()
            return before["uniqueid"] == after["uniqueid"], list(after["child-sas"])
        self.assert_same(run)


class Steers(Drives):
    """From the client's end: cygnet there, charon as its gateway."""

    def client(self):
        peer = Cygnet(self.client_node, conf.client(), self.files("cl"))
        own = os.path.join(peer.home, "empty.conf")
        open(own, "w", encoding="utf-8").close()
        peer.start(config=own)
        self.swanctl(peer, "--load-all", "--noprompt")
        return peer

    def test_up_rekey_and_down(self):
        gateway = self.charon()
        client = self.client()
        said = self.swanctl(client, "--initiate", "--child", "net")
        self.assertIn("[IKE]", said)
        self.assertIn("initiate completed successfully", said)
        self.assertIn("ESTABLISHED", self.swanctl(client, "--list-sas"))
        for what in (("--child", "net"), ("--ike", "home")):
            self.assertIn("rekey completed successfully", self.swanctl(client, "--rekey", *what))
        self.assertEqual(len(gateway.established()), 1)
        self.assertIn("terminate completed successfully",
                      self.swanctl(client, "--terminate", "--ike", "home"))
        wait_for(lambda: not gateway.sas(), "the end at the gateway")
        self.assertIn("terminate failed",
                      self.swanctl(client, "--terminate", "--ike", "home", check=False))

    def test_traps(self):
        self.charon()
        client = self.client()
        self.assertIn("install completed successfully",
                      self.swanctl(client, "--install", "--child", "net"))
        self.assertRegex(self.swanctl(client, "--list-pols"),
                         r"home/net, TUNNEL\s+local:  192.0.2.2/32\s+remote: 10.1.0.0/24")
        self.assertIn("uninstall completed successfully",
                      self.swanctl(client, "--uninstall", "--child", "net"))
        self.assertEqual(self.swanctl(client, "--list-pols").strip(), "")

    def test_refusals(self):
        client = self.client()
        for words in (("--initiate", "--child", "no"), ("--terminate", "--ike", "no"),
                      ("--rekey", "--child", "no"), ("--install", "--child", "no"),
                      ("--uninstall", "--child", "no"),
                      ("--redirect", "--ike", "home", "--gateway", "192.0.2.9")):
            done = client.node.run("swanctl", *words, "--uri", f"unix://{client.socket}",
                                   check=False)
            self.assertNotEqual(done.returncode, 0, words)
            self.assertIn(f"{words[0][2:]} failed: ", done.stdout)

    def test_listeners(self):
        """--log and --monitor-sa hear of a connection, with charon's keys."""
        self.charon()
        client = self.client()
        logs = {}
        for name, words in (("log", ["--log", "--raw"]), ("sa", ["--monitor-sa", "--raw"])):
            logs[name] = os.path.join(client.home, f"heard-{name}")
            # It writes at its end only, unless told otherwise.
            client.node.start("stdbuf", "-oL", "swanctl", *words, "--uri",
                              f"unix://{client.socket}", log=logs[name])
        def heard(name):
            with open(logs[name], encoding="utf-8") as file:
                return file.read()
        # They register for one event after the other, and a connection may come in between.
        def connects():
            client.up()
            client.down(ike="home")
            return "ike-updown event {up=yes" in heard("sa") and \
                "child-updown event {up=yes" in heard("sa") and "log" in heard("log")
        wait_for(connects, "what the listeners hear")
        self.assertRegex(heard("log"), r"group=\w+ level=\d thread=\d+ ikesa-name=home "
                                       r"ikesa-uniqueid=\d+ msg=")
        self.assertRegex(heard("sa"), r"ike-updown event \{up=yes home \{uniqueid=")
        self.assertRegex(heard("sa"), r"child-updown event \{up=yes home \{uniqueid=.*child-sas \{net-")


if __name__ == "__main__":
    unittest.main()
