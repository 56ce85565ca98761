"""Scenarios of docs/scenarios: each folder's files are run as they stand, by cygnet and by strongSwan,
and its page tells what was seen."""

import functools
import os
import re
import shutil
import tempfile

from . import page
from .certs import Authority
from .net import RigError, World, wait_for
from .networks import beyond
from .peer import ROOT, Cygnet, StrongSwan, ViciError
from .traffic import Capture, ping, transfer

LIBRARY = os.path.join(ROOT, "docs", "scenarios")
FULL = os.environ.get("CYGNET_FULL") == "1"
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"
HOW_TO_UPDATE = "cd tests/interop && UPDATE_GOLDEN=1 python3 -m unittest test_scenarios"
ANSWERING = ("gateway", "office")
MARK = "<!-- What follows is written by tests/interop/test_scenarios.py. -->\n"


class Form:
    """Who runs which end, by which of the files."""

    def __init__(self, name, answering, calling, syntax="swanctl"):
        self.name, self.answering, self.calling, self.syntax = name, answering, calling, syntax

    def ours_only(self):
        return self.answering is self.calling is Cygnet


SWANCTL = Form("swanctl.conf", Cygnet, Cygnet)
IPSEC = Form("ipsec.conf", Cygnet, Cygnet, "ipsec")
STRONGSWAN_CALLS = Form("strongSwan calls", Cygnet, StrongSwan)
STRONGSWAN_ANSWERS = Form("strongSwan answers", StrongSwan, Cygnet)
FORMS = (SWANCTL, IPSEC, STRONGSWAN_CALLS, STRONGSWAN_ANSWERS)


class Scenario:
    """A folder of the library, and all that is needed to run it."""

    def __init__(self, name, network, prove, issue=None, remarks=None, watch=None, strongswan="",
                 told=(), key="p384"):
        self.name, self.network, self.prove = name, network, prove
        self.folder = os.path.join(LIBRARY, name)
        self.issue = issue or issue_usual
        self.remarks = remarks or {}  # {form: what the table says in place of "yes"}
        self.watch, self.strongswan, self.key = watch, strongswan, key
        self.told = tuple(told)  # ends of what `cygnet check` finds, and the page tells

    def read(self, file):
        with open(os.path.join(self.folder, file), encoding="utf-8") as text:
            return text.read()

    def files(self, ending):
        """{node: file}, whoever answers first."""
        names = [name for name in os.listdir(self.folder) if name.endswith(ending)]
        names.sort(key=lambda name: (name.split(".")[0] not in ANSWERING, name))
        return {name.split(".")[0]: name for name in names}

    def head(self):
        return self.read("README.md").split(MARK)[0].rstrip("\n")

    def title(self):
        return re.match(r"# (.*)\n", self.head())[1]

    def cell(self, form):
        """Of the table."""
        return self.remarks.get(form, "yes")

    def forms(self):
        """Those to run: in the short form one of the two with strongSwan, in turn."""
        forms = [form for form in FORMS if not self.cell(form).startswith("no")]
        mixed = [form for form in forms if not form.ours_only()]
        if not FULL and len(mixed) > 1:
            forms.remove(mixed[len(self.name) % 2])
        return forms


def scenario(network, **options):
    """Makes a test of a method that brings a Run up and proves what it must: it is done in each form,
    and the page is held against what was seen. The folder is called class-method."""
    def decorate(prove):
        @functools.wraps(prove)
        def test(self):
            run_scenario(self, test.scenario(type(self)))
        def described(cls):
            name = f"{cls.__name__.lower()}-{prove.__name__.removeprefix('test_').replace('_', '-')}"
            return Scenario(name, network, prove, **options)
        test.scenario = described
        return test
    return decorate


def scenarios(*classes):
    return [getattr(cls, name).scenario(cls) for cls in classes
            for name in vars(cls) if hasattr(getattr(cls, name), "scenario")]


def run_scenario(test, described):
    seen = {}
    credentials = Credentials(described, test.enterContext(tempfile.TemporaryDirectory()))
    for form in described.forms():
        with test.subTest(form=form.name), Run(test, described, form, credentials) as run:
            described.prove(test, run)
            seen[form] = run.finish()
    for form in (SWANCTL, IPSEC):
        if form not in seen:
            return  # it has failed already
    test.maxDiff = None
    # The logs differ in what is said of the files.
    for what in ("console", "wire"):
        test.assertEqual(seen[IPSEC][what], seen[SWANCTL][what], "the two formats mean the same")
    check_text(test, os.path.join(described.folder, "README.md"),
               described.head() + "\n\n" + MARK + page_of(described, seen[SWANCTL]))


def check_text(test, path, text):
    if UPDATE:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return
    with open(path, encoding="utf-8") as file:
        test.assertEqual(file.read(), text,
                         f"{os.path.relpath(path, ROOT)} does not tell what was seen. "
                         f"If that is meant to change: {HOW_TO_UPDATE}")


def check_table(test, library):
    """docs/scenarios/README.md ends with a row for each scenario: `library`, in this order."""
    test.assertEqual(sorted(one.name for one in library), sorted(
        name for name in os.listdir(LIBRARY) if os.path.isdir(os.path.join(LIBRARY, name))))
    path = os.path.join(LIBRARY, "README.md")
    with open(path, encoding="utf-8") as file:
        head = file.read().split(MARK)[0]
    table = f"| | {' | '.join(form.name for form in FORMS)} |\n|---|{'---|' * len(FORMS)}\n"
    for one in library:
        cells = " | ".join(one.cell(form) for form in FORMS)
        table += f"| [{one.title()}]({one.name}/README.md) | {cells} |\n"
    check_text(test, path, f"{head}{MARK}\n{table}")


def page_of(described, seen):
    out = ""
    for format_name in ("swanctl", "ipsec"):
        out += f"\n## Configuration in {format_name}.conf\n"
        for file in [*described.files(f".{format_name}.conf").values(),
                     *described.files(f".{format_name}.secrets").values()]:
            out += f"\n[{file}]({file}):\n\n```\n{described.read(file)}```\n"
    out += "\n## Status, routes and rules\n"
    for node, text in seen["console"].items():
        out += f"\nOn {node}:\n\n```\n{text}```\n"
    out += "\n## Log\n"
    for node, text in seen["log"].items():
        out += f"\nOf {node}:\n\n```\n{text}```\n"
    out += f"\n## On the wire\n\nSeen on {seen['watched']}:\n\n```\n{seen['wire']}```\n"
    return out


def issue_usual(authority, node):
    """The usual certificate of a node: (certificate, key), and the CAs between if there are any."""
    name = "vpn" if node in ANSWERING else node
    return authority.issue(node, f"DNS:{name}.example.org", dn=f"/C=CH/O=Example/CN={node}")


class Credentials:
    """The CA of a scenario and what it has issued, the same in each form; nothing with pre-shared keys."""

    def __init__(self, described, folder):
        nodes = described.files(".swanctl.conf")
        self.issued = {}
        if any("certs" in described.read(file) for file in nodes.values()):
            self.authority = Authority(folder, "ca", described.key)
            self.issued = {node: described.issue(self.authority, node) for node in nodes}

    def place(self, node, home, folders):
        """`folders` are those for its certificate, its key and CAs."""
        if node not in self.issued:
            return
        cert, key, *between = self.issued[node]
        for folder in folders:
            os.makedirs(os.path.join(home, folder), exist_ok=True)
        for file, folder in zip((cert, key, self.authority.cert), folders):
            shutil.copy(file, os.path.join(home, folder))
        for file in between:
            name = f"{os.path.basename(os.path.dirname(file))}.crt"
            shutil.copy(file, os.path.join(home, folders[-1], name))


class Run:
    """One form of a scenario, while it runs."""

    def __init__(self, test, described, form, credentials):
        self.test, self.described, self.form = test, described, form
        self.credentials = credentials
        self.world = World()
        self.peers, self.counted = {}, True
        self.clear = set()  # what may cross the wire unprotected

    def __enter__(self):
        try:
            self.described.network(self.world)
            files = self.described.files(".swanctl.conf")
            self.answering = next(iter(files))
            self.watched = self.described.watch or self.answering
            self.capture = Capture(self.world.nodes[self.watched], "wan")
            for name in files:
                self.peers[name] = self._start(name)
        except BaseException:
            self.world.close()
            raise
        return self

    def __exit__(self, kind, error, _):
        if error:
            error.add_note("".join(f"--- the end of {name}'s log\n{peer.log()[-2000:]}\n"
                                   for name, peer in self.peers.items() if peer.process))
        self.world.close()

    # --- what a proof asks for ---
    def up(self, node, child):
        self.peers[node].up(child)

    def down(self, node, name):
        self.peers[node].down(ike=name)
        self._wait_until_down()

    def _wait_until_down(self):
        wait_for(lambda: not any(peer.sas() for peer in self.peers.values()), "the end of all IKE_SAs")

    def refused(self, node, child):
        with self.test.assertRaises(ViciError):
            self.peers[node].up(child)
        self.test.assertFalse(self.peers[node].children())

    def reauthenticate(self, node, name):
        """By a new IKE_SA, which then is the only one at every end."""
        before = self.sa(node, name)["initiator-spi"]
        self.peers[node].call("rekey", {"ike": name, "reauth": "yes"})
        for peer in self.peers.values():
            wait_for(lambda peer=peer: [sa["initiator-spi"] for _, sa in peer.sas()
                                        if sa["initiator-spi"] != before] and len(peer.sas()) == 1,
                     "the new IKE_SA in place of the old one")

    def expect(self, node, *children):
        """Exactly these children, each "NAME: OURS <-> THEIRS", are installed there soon."""
        def there():
            return sorted(_child_text(child) for child in self.peers[node].children())
        try:
            wait_for(lambda: there() == sorted(children), "")
        except RigError:
            self.test.assertEqual(there(), sorted(children), f"the children of {node}")

    def reaches(self, node, *targets, source=None):
        for target in targets:
            lost = ping(self.world.nodes[node], target, count=2, interval=0.05, source=source)
            self.test.assertEqual(lost, 0, f"pings of {node} to {target}")

    def reaches_not(self, node, target):
        self.test.assertNotIn(" 1 received", self._ping_once(node, target))

    def wakes(self, node, target):
        """A packet for a trap. It is lost where the tunnel brings another address: it has the old one."""
        self._ping_once(node, target)

    def _ping_once(self, node, target):
        return self.world.nodes[node].run("ping", "-c", "1", "-W", "0.3", target, check=False).stdout

    def connects(self, node, listener, address, port):
        """A TCP connection from the one to the other carries data."""
        self.counted = False
        source, size = transfer(self.world.nodes[node], self.world.nodes[listener], address,
                                bytes(range(32)), size=10_000, port=port)
        self.test.assertEqual(size, 10_000)
        return source

    def connects_not(self, node, address, port):
        done = self.world.nodes[node].run(
            "python3", "-c", f"import socket; socket.create_connection(('{address}', {port}), 1)",
            check=False)
        self.test.assertRegex(done.stdout, "unreachable|timed out", f"{node} reached {address}:{port}")

    def ours(self, node):
        return isinstance(self.peers[node], Cygnet)

    def sa(self, node, name):
        """list-sa's section of the one established IKE_SA of that name."""
        (found,) = [sa for conn, sa in self.peers[node].established() if conn == name]
        return found

    # --- start and end ---
    def finish(self):
        """What there is to see; then all goes down in order."""
        ours = {name: peer for name, peer in self.peers.items() if isinstance(peer, Cygnet)}
        seen = {"console": {name: page.console(peer, self.counted) for name, peer in ours.items()}}
        for name, peer in self.peers.items():
            if name != self.answering:
                for conn, _ in peer.established():
                    peer.down(ike=conn)
        self._wait_until_down()
        self.capture.drain(beyond(self.watched))
        packets = self.capture.stop().packets()
        clear = {page.in_the_clear(packet) for packet in packets} - {None}
        self.test.assertEqual(clear, self.clear, "what crossed the wire in the clear")
        for name, peer in self.peers.items():
            self.test.assertTrue(peer.stop(), f"{name} did not end in time")
        seen["log"] = {name: page.log(peer) for name, peer in ours.items()}
        seen["wire"] = page.wire(packets, self.counted)
        seen["watched"] = f"{self.watched}'s wan"
        return seen

    def _start(self, name):
        kind = self.form.answering if name == self.answering else self.form.calling
        peer = kind(self.world.nodes[name], self.described.read(f"{name}.swanctl.conf"))
        if self.form.syntax == "ipsec":
            return self._start_ipsec(peer, name)
        self.credentials.place(name, peer.swanctl, ("x509", "private", "x509ca"))
        if isinstance(peer, StrongSwan):
            return peer.start(settings=self.described.strongswan)
        peer.start(level="info")
        self._check(peer, os.path.join(peer.swanctl, "swanctl.conf"))
        return peer

    def _start_ipsec(self, peer, name):
        home = os.path.join(peer.home, "etc")
        os.makedirs(home)
        for kind in ("conf", "secrets"):
            file = os.path.join(self.described.folder, f"{name}.ipsec.{kind}")
            if os.path.exists(file):
                shutil.copy(file, os.path.join(home, f"ipsec.{kind}"))
                os.chmod(os.path.join(home, f"ipsec.{kind}"), 0o600)
        self.credentials.place(name, os.path.join(home, "ipsec.d"), ("certs", "private", "cacerts"))
        peer.configure("")
        conf = os.path.join(home, "ipsec.conf")
        peer.start("--ipsec-conf", conf, level="info")
        self._check(peer, conf)
        return peer

    def _check(self, peer, file):
        """What people copy has no hazard but those that its page tells of."""
        findings = peer.cli("check", file, check=False).stdout.splitlines()[:-1]
        unexpected = [line for line in findings if not line.endswith(self.described.told)]
        self.test.assertFalse(unexpected)


def _child_text(child):
    sides = (", ".join(child[f"{side}-ts"]) for side in ("local", "remote"))
    return f"{child['name']}: {' <-> '.join(sides)}"
