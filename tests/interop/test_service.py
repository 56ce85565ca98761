"""cygnetd where charon-systemd was: a set-up written for that program (strongswan.conf with plugins and logs, loaded by
swanctl once the service manager has heard READY=1) serves both, word for word. And the log's sinks."""

import fcntl
import os
import re
import signal
import socket
import termios
import threading
import time
import unittest

from rig import conf
from rig.certs import Authority
from rig.net import World, pair, run, wait_for
from rig.peer import BIN, ROOT, Cygnet, StrongSwan

# As people have it; cygnetd takes from it what it has a use for.
SETTINGS = """
charon {{
  load = random nonce openssl pem pkcs1 pkcs8 x509 pubkey constraints revocation kdf hmac gcm socket-default kernel-libipsec kernel-netlink updown counters vici
  load_modular = no
  threads = 16
  piddir = {home}
  retransmit_tries = 4
  install_routes = yes
  dns1 = 10.1.0.77
  user = root
  plugins {{
    include {home}/strongswan.d/*.conf
    kernel-netlink {{ fwmark = !0x42 }}
    socket-default {{ fwmark = 0x42 }}
    kernel-libipsec {{ allow_peer_ts = yes }}
    eap-radius {{ servers {{ a {{ address = 192.0.2.66
      secret = not for the log }} }} }}
  }}
  filelog {{
    main {{
      path = {home}/charon.log
      time_format = %b %e %T
      ike_name = yes
      append = no
      default = 1
      ike = 2
      net = -1
      flush_line = yes
    }}
  }}
  syslog {{
    identifier = charon-custom
    daemon {{ }}
    auth {{ default = -1 }}
  }}
}}
charon-systemd {{ journal {{ default = 0 }} }}
"""

# A /dev of its own, where syslog's socket is the test's; and a place for the journal's.
_OWN_DEV = """set -e
dev=$(mktemp -d); mount -t tmpfs none $dev
for one in null zero full random urandom tty; do touch $dev/$one; mount --bind /dev/$one $dev/$one; done
if [ -d /dev/net ]; then mkdir $dev/net; mount --bind /dev/net $dev/net; fi
ln -s /proc/self/fd $dev/fd
touch $dev/log; mount --bind {home}/syslog $dev/log
mount --move $dev /dev; rmdir $dev
mkdir -p /run/systemd/journal; mount -t tmpfs none /run/systemd/journal
{journal}
exec "$@"
"""


class Ear:
    """A datagram socket of the service manager, of syslog or of the journal. It listens all the time: charon waits until
    somebody has heard it."""

    def __init__(self, path, deaf=False):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.path = path
        self.heard = []
        self.thread = threading.Thread(target=self._listen)
        self.deaf = deaf
        if not deaf:
            self.listen()

    def listen(self):
        self.deaf = False
        self.thread.start()

    def fill(self):
        """Until it takes no more."""
        while True:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
                one.setblocking(False)
                try:
                    one.sendto(b"filler", self.path)
                except BlockingIOError:
                    return

    def _listen(self):
        while datagram := self.socket.recv(262144):
            self.heard.append(datagram.decode(errors="surrogateescape"))

    def wait(self, pattern):
        return wait_for(lambda: next((one for one in self.heard if re.search(pattern, one)), None),
                        f"'{pattern}' at {self.path}: {self.heard[-20:]}")

    def close(self):
        if self.deaf:
            return self.socket.close()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.path)
        self.thread.join()
        self.socket.close()


class Service(unittest.TestCase):
    """One gateway's files, a program that serves them, and a client of strongSwan's."""

    def setUp(self):
        self.world = self.enterContext(World())
        self.gateway_node, self.client_node = pair(self.world)
        root = Authority(self.world.folder("pki"), "root")
        self.issued = {name: conf.credentials(root, root.issue(name, f"DNS:{name}.example"))
                       for name in ("gw", "cl")}
        self.runs = 0

    def ear(self, path, deaf=False):
        ear = Ear(path, deaf)
        self.addCleanup(ear.close)
        return ear

    def begin(self, *command, journal=False, settings=SETTINGS, env=None, deaf=False):
        """Starts a program with the gateway's set-up in a folder of its own, and returns when it has told READY=1."""
        self.runs += 1
        self.home = self.world.folder(f"service{self.runs}")
        os.makedirs(f"{self.home}/strongswan.d")
        with open(f"{self.home}/strongswan.d/vici.conf", "w", encoding="utf-8") as file:
            file.write(f"vici {{ load = yes\n socket = unix://{self.home}/vici }}\n")
        self.settings_file = f"{self.home}/strongswan.conf"
        self.write_settings(settings)
        # The holder of swanctl's files; it is not started.
        self.files = StrongSwan(self.gateway_node, conf.gateway(), self.issued["gw"])
        self.files.socket = f"{self.home}/vici"
        self.manager = self.ear(f"{self.home}/notify")
        self.syslog = self.ear(f"{self.home}/syslog", deaf)
        self.journal = None
        bind = ""
        if journal:
            os.makedirs(f"{self.home}/journal")
            self.journal = self.ear(f"{self.home}/journal/socket")
            bind = f"mount --bind {self.home}/journal /run/systemd/journal"
        script = _OWN_DEV.format(home=self.home, journal=bind)
        self.process = self.gateway_node.start(
            "unshare", "-m", "sh", "-c", script, "sh", *command, log=f"{self.home}/out",
            env={"NOTIFY_SOCKET": self.manager.path, "STRONGSWAN_CONF": self.settings_file, **(env or {})})
        wait_for(self.is_ready, "READY=1")

    def is_ready(self):
        if self.process.poll() is not None:
            self.fail(f"it has ended: {self.text('out')[-3000:]}")
        return any("READY=1" in one for one in self.manager.heard)

    def write_settings(self, text):
        with open(self.settings_file, "w", encoding="utf-8") as file:
            file.write(text.format(home=self.home))

    def text(self, name):
        with open(f"{self.home}/{name}", encoding="utf-8") as file:
            return file.read()

    def swanctl(self, *words):
        """As the set-up has it: swanctl finds the socket in strongswan.conf, too."""
        return self.gateway_node.run("env", f"SWANCTL_DIR={self.files.swanctl}",
                                     f"STRONGSWAN_CONF={self.settings_file}", "swanctl", *words,
                                     "--uri", f"unix://{self.home}/vici").stdout

    def load(self):
        self.assertIn("loaded connection 'rw'", self.swanctl("--load-all", "--noprompt"))

    def client(self, kind=StrongSwan):
        client = kind(self.client_node, conf.client(), self.issued["cl"]).start()
        client.up()
        self.assertEqual(len(client.established()), 1)
        return client

    def end(self):
        """SIGTERM; the seconds that it took to end well."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(10), 0)
        return time.monotonic() - began


class Replaces(Service):
    def serve(self, *command):
        """The whole life of the set-up; what swanctl has said, without what varies."""
        self.begin(*command)
        self.load()
        client = self.client()
        ((_, sa),) = client.sas()
        listed = self.swanctl("--list-conns"), self.swanctl("--list-pools")
        self.assertIn("rw: #1, ESTABLISHED, IKEv2", self.swanctl("--list-sas"))
        self.swanctl("--reload-settings")
        seconds = self.end()
        # It has been told: nothing else would make it forget the gateway so soon.
        wait_for(lambda: not client.sas(), "the client has been told")
        client.stop()
        self.assertIn("gw.example", sa["remote-id"])
        return listed, seconds

    def test_charon_systemd_first_then_cygnetd(self):
        theirs, _ = self.serve("charon-systemd")
        self.syslog.wait(r"<30>.*charon-custom: ")
        ours, seconds = self.serve(os.path.join(BIN, "cygnetd"), "--vici", f"unix://{self.world.directory}/service2/vici")
        self.assertLess(seconds, 2.0, "the requirement, not a matter of speed")
        strip = re.compile(r"(?m)^ *certs:.*\n")  # we tell the one that we have chosen
        self.assertEqual(strip.sub("", ours[0]), strip.sub("", theirs[0]))
        self.assertIn("p4", ours[1])
        # Ours as theirs: filelog, syslog, and the levels of each.
        log = self.text("charon.log")
        self.assertRegex(log, r"notice: rw\[1\]: IKE_SA established; peer: 192\.0\.2\.2\[\d+\]; peer_id: cl\.example")
        self.assertRegex(log, r"notice: shutting down")
        self.syslog.wait(r"^<29>.*charon-custom\[\d+\]: rw\[1\]: IKE_SA established")
        self.assertFalse([one for one in self.syslog.heard if one.startswith("<3")], "auth has level -1")
        # journal { default = 0 } of charon-systemd is for the place that is there anyway: here stderr.
        self.assertIn("IKE_SA established", self.text("out"))
        self.assertNotIn(" info: ", self.text("out"))
        for text in (log, self.text("out"), "".join(self.syslog.heard)):
            self.assertNotIn("not for the log", text)
        self.assertTrue(any("STOPPING=1" in one for one in self.manager.heard))

    def test_silent_peer_does_not_hold_the_end_up(self):
        # The socket of strongswan.conf is taken without --vici.
        self.begin(os.path.join(BIN, "cygnetd"))
        self.load()
        self.client()
        self.client_node.ip("link", "set", "e0", "down")
        self.assertLess(self.end(), 2.0, "the requirement, not a matter of speed")
        self.assertIn("some peers did not answer the farewell", self.text("charon.log"))

    def test_dns_of_strongswan_conf(self):
        self.begin(os.path.join(BIN, "cygnetd"))
        self.load()
        client = self.client(Cygnet)
        ((_, sa),) = client.sas()
        self.assertEqual(sa["dns"], ["10.1.0.53", "10.1.0.77"], "of the pool, then of strongswan.conf")

    def test_other_ports(self):
        """A gateway at ports of its own, which its client knows."""
        self.begin(os.path.join(BIN, "cygnetd"),
                   settings=SETTINGS.replace("threads = 16", "port = 1500\n port_nat_t = 1501"))
        self.load()
        client = Cygnet(self.client_node, conf.client(conn="remote_port = 1501\n local_port = 4500\n encap = yes"),
                        self.issued["cl"]).start()
        client.up()
        self.client_node.run("ping", "-c", "2", "-W", "3", "10.1.0.1")
        self.end()


class Secrets(Service):
    def test_no_level_shows_one(self):
        """All that is ever told, of a tunnel and of a refusal for the secret."""
        secret, other = "correct horse battery staple", "another one altogether"
        def secrets(text):
            return f'secrets {{ ike {{ secret = "{text}" }} }}\n'
        gateway = Cygnet(self.gateway_node, conf.gateway("psk", secrets=secrets(secret))).start(level="trace")
        client = Cygnet(self.client_node, conf.client("psk", secrets=secrets(secret))).start(level="trace")
        client.up()
        client.rekey_child()
        client.rekey_ike("home")
        client.down(ike="home")
        client.configure(conf.client("psk", secrets=secrets(other)))
        client.cli("reload")
        self.assertNotEqual(client.cli("up", "home", check=False).returncode, 0)
        gateway.wait_log("psk_wrong")
        for text in (gateway.log(), client.log(), gateway.cli("why").stdout, client.cli("why").stdout):
            self.assertTrue(text)
            for word in (secret, other):
                self.assertNotIn(word, text)
                self.assertNotIn(word.encode().hex(), text.lower())


class Settings(Service):
    """strongswan.conf, read again."""

    def test_reload_settings(self):
        self.begin(os.path.join(BIN, "cygnetd"))
        self.load()
        def log():
            return self.text("charon.log")
        self.assertNotIn(" debug: ", log())
        self.write_settings(SETTINGS.replace("default = 1", "default = 2").replace("threads = 16", "threads = 7"))
        self.swanctl("--reload-settings")
        self.assertIn("warning: strongswan.conf: threads counts from the next start of cygnetd on", log())
        self.client()
        self.assertRegex(log(), r"debug: rw\[1\]: received IKE_AUTH ")
        # A fault changes nothing, and says where it is.
        self.write_settings(SETTINGS.replace("ike = 2", "ike = 9"))
        done = self.gateway_node.run("swanctl", "--reload-settings", "--uri", f"unix://{self.home}/vici", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"strongswan\.conf:\d+:\d+: error: ike: '9' is no level")
        # SIGHUP: the same file, and the log's files anew.
        os.rename(f"{self.home}/charon.log", f"{self.home}/charon.log.1")
        self.write_settings(SETTINGS)
        self.process.send_signal(signal.SIGHUP)
        wait_for(lambda: os.path.exists(f"{self.home}/charon.log") and "configuration read again" in log(),
                 "the new file")
        def told():
            return [word for one in self.manager.heard for word in ("RELOADING=1", "READY=1") if word in one]
        wait_for(lambda: told() == ["READY=1", "RELOADING=1", "READY=1"], f"what systemd hears: {told()}")

    def test_charondebug(self):
        self.begin(os.path.join(BIN, "cygnetd"), settings="")
        self.end()
        ipsec = f"{self.home}/ipsec.conf"
        with open(ipsec, "w", encoding="utf-8") as file:
            file.write('config setup\n  charondebug="cfg -1, dmn 0"\n')
        home = self.home
        self.begin(os.path.join(BIN, "cygnetd"), "--ipsec-conf", ipsec, "--vici", f"unix://{home}/vici2", settings="")
        self.process.send_signal(signal.SIGHUP)  # told by cfg, which is silent
        wait_for(lambda: len([one for one in self.manager.heard if "READY=1" in one]) == 2, "read again")
        self.assertIn("cygnetd ready", self.text("out"))
        self.assertNotIn("read again", self.text("out"))


class Journal(Service):
    """systemd's journal, as far as it can be had without systemd: its socket."""

    @staticmethod
    def fields(datagram):
        return dict(line.split("=", 1) for line in datagram.splitlines() if "=" in line)

    def test_fields(self):
        self.begin(os.path.join(BIN, "cygnetd"), "--log", "journal", journal=True)
        self.load()
        self.client()
        up = self.fields(self.journal.wait("CYGNET_EVENT=child-up"))
        self.assertEqual(up["PRIORITY"], "5")
        self.assertEqual(up["SYSLOG_IDENTIFIER"], "charon-custom")
        for name, value in (("CONNECTION", "rw"), ("CHILD", "net"), ("IKE_ID", "1"), ("PEER_ID", "cl.example"),
                            ("GROUP", "chd")):
            self.assertEqual(up[f"CYGNET_{name}"], value)
        self.assertRegex(up["CYGNET_PEER"], r"^192\.0\.2\.2\[\d+\]$")
        self.assertTrue(up["MESSAGE"].startswith("rw[1]: child net["), up["MESSAGE"])

    def test_failure(self):
        self.begin(os.path.join(BIN, "cygnetd"), "--log", "journal", journal=True)
        self.load()
        stranger = Cygnet(self.client_node, conf.client(suite=("aes128-sha256-modp2048", "aes128-sha256")),
                          self.issued["cl"]).start()
        stranger.cli("up", "home", check=False)
        failure = self.fields(self.journal.wait("CYGNET_EVENT=failure"))
        self.assertEqual(failure["PRIORITY"], "4")
        self.assertEqual(failure["CYGNET_REASON"], "no_common_proposal")
        self.assertEqual(failure["CYGNET_FIELD"], "proposals")
        self.assertEqual(failure["CYGNET_PHASE"], "IKE_SA_INIT")

    def test_collector_that_hangs(self):
        """It takes no line any more, and no tunnel with it; afterwards the log says how many are lost."""
        self.begin(os.path.join(BIN, "cygnetd"), deaf=True)
        self.load()
        client = self.client()
        self.syslog.fill()
        client.down(ike="home")
        client.up()
        self.syslog.listen()
        wait_for(lambda: self.syslog.heard and not self.waiting(), "it is read")
        client.down(ike="home")
        self.syslog.wait(r"^<28>.*: \d+ lines of this log are lost$")
        self.end()

    def waiting(self):
        """Octets that wait to be heard."""
        return int.from_bytes(fcntl.ioctl(self.syslog.socket, termios.FIONREAD, bytes(4)), "little")

    def test_without_a_journal_it_says_so(self):
        done = self.gateway_node.run("unshare", "-m", "sh", "-c",
                                     "mkdir -p /run/systemd/journal; mount -t tmpfs none /run/systemd/journal; exec "
                                     f"{BIN}/cygnetd --data-plane none --log journal", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/run/systemd/journal/socket", done.stdout)

    def test_stderr_that_leads_to_the_journal(self):
        """systemd says so by its device and inode: then fields, or with --log stderr priorities."""
        log = f"{self.world.folder('service1')}/out"
        open(log, "a", encoding="utf-8").close()
        info = os.stat(log)
        stream = {"JOURNAL_STREAM": f"{info.st_dev}:{info.st_ino}"}
        self.begin(os.path.join(BIN, "cygnetd"), journal=True, env=stream)
        self.journal.wait("MESSAGE=cygnetd ready")
        self.assertEqual(self.text("out"), "")
        self.end()
        log = f"{self.world.folder('service2')}/out"
        open(log, "a", encoding="utf-8").close()
        stream = {"JOURNAL_STREAM": f"{info.st_dev}:{os.stat(log).st_ino}"}
        self.begin(os.path.join(BIN, "cygnetd"), "--log", "stderr", journal=True, env=stream)
        wait_for(lambda: "<5>cygnetd ready\n" in self.text("out"), "the line on stderr")
        self.assertEqual(self.journal.heard, [])


class Unit(Service):
    """packaging/cygnet.service."""

    FILE = os.path.join(ROOT, "packaging", "cygnet.service")

    def test_systemd_understands_it(self):
        with open(self.FILE, encoding="utf-8") as file:
            text = file.read()
        unit = os.path.join(self.world.directory, "cygnet.service")
        with open(unit, "w", encoding="utf-8") as file:
            file.write(text.replace("/usr/sbin/cygnetd", os.path.join(BIN, "cygnetd")))
        self.assertEqual(run(["systemd-analyze", "verify", "--man=no", unit]).stdout, "")
        # Exposure in tenths; charon-systemd's own unit has 96.
        run(["systemd-analyze", "security", "--offline=true", "--threshold=30", "--no-pager", unit])

    def test_its_capabilities_suffice(self):
        with open(self.FILE, encoding="utf-8") as file:
            names = re.search(r"(?m)^CapabilityBoundingSet=(.*)$", file.read())[1].split()
        kept = ",".join("+" + name.removeprefix("CAP_").lower() for name in names)
        self.begin("setpriv", "--no-new-privs", "--inh-caps=-all", f"--bounding-set=-all,{kept}",
                   os.path.join(BIN, "cygnetd"))
        self.load()
        self.client()
        self.client_node.run("ping", "-c", "2", "-W", "3", "10.1.0.1")
        self.assertNotIn(" error: ", self.text("charon.log"))
        self.assertNotIn(" warning: ", self.text("charon.log"))
        self.end()


if __name__ == "__main__":
    unittest.main()
