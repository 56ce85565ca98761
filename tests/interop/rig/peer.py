"""Daemons under test and their peers: one interface, steered through vici."""

import os
import re
import shutil
import signal

from .net import RigError, wait_for
from .vici import Vici, ViciError

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
BIN = os.environ.get("CYGNET_BIN", os.path.join(ROOT, "build", "release", "bin"))


class Peer:
    """A daemon in `node`. `config` is the text of swanctl.conf; `credentials` maps a folder
    (x509, x509ca, private...) to the files to copy there."""

    def __init__(self, node, config, credentials=None):
        self.node = node
        self.home = node.world.folder(f"{node.name}-{self.kind}")
        self.swanctl = os.path.join(self.home, "swanctl")
        self.socket = os.path.join(self.home, "vici")
        self.log_file = os.path.join(self.home, "log")
        self.process = None
        self.log_start = 0  # of this run, in the log
        os.makedirs(self.swanctl, exist_ok=True)
        self.configure(config, credentials)

    def configure(self, config, credentials=None):
        path = os.path.join(self.swanctl, "swanctl.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        os.chmod(path, 0o600)  # it may have secrets
        for folder, files in (credentials or {}).items():
            target = os.path.join(self.swanctl, folder)
            os.makedirs(target, exist_ok=True)
            for path in files:
                name = f"{os.path.basename(os.path.dirname(path))}-{os.path.basename(path)}"
                shutil.copy(path, os.path.join(target, name))

    # --- the process ---
    def stop(self):
        """Ends it kindly; True when it obeyed within five seconds."""
        return self.node.world.stop(self.process)

    def kill(self):
        """The machine loses power: nobody is told."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def log(self):
        """Of the present run."""
        with open(self.log_file, "rb") as file:
            file.seek(self.log_start)
            return file.read().decode(errors="replace")

    def wait_log(self, pattern, timeout=10.0):
        return wait_for(lambda: self._search(pattern), f"'{pattern}' in the log of {self.node.name}",
                        timeout)

    def _search(self, pattern):
        if self.process.poll() is not None:
            raise RigError(f"{self.kind} in {self.node.name} has ended:\n{self.log()[-3000:]}")
        return re.search(pattern, self.log())

    # --- commands ---
    def vici(self):
        return Vici(self.socket)

    def call(self, command, message=None, timeout=60.0):
        with Vici(self.socket, timeout) as vici:
            return vici.demand(command, message)

    def up(self, child="net", timeout=30.0):
        self.call("initiate", {"child": child, "timeout": int(timeout * 1000)}, timeout + 5)

    def down(self, **what):
        self.call("terminate", {**what, "timeout": 10000})

    def rekey_child(self, child="net"):
        self.call("rekey", {"child": child})

    def rekey_ike(self, ike):
        self.call("rekey", {"ike": ike})

    def sas(self):
        """[(connection, its list-sa section)]"""
        with Vici(self.socket) as vici:
            return [entry for event in vici.stream("list-sas", "list-sa")
                    for entry in event.items()]

    def established(self):
        return [(name, sa) for name, sa in self.sas() if sa["state"] == "ESTABLISHED"]

    def children(self):
        """list-sa sections of all installed children."""
        return [child for _, sa in self.sas() for child in sa.get("child-sas", {}).values()
                if child["state"] == "INSTALLED"]


class Cygnet(Peer):
    kind = "cygnet"
    chain_folder = "x509"

    def start(self, *options, level="debug", config=None):
        """`config` is read instead of the configuration, which swanctl can bring then."""
        if os.path.exists(self.log_file):
            self.log_start = os.path.getsize(self.log_file)
        self.process = self.node.start(
            os.path.join(BIN, "cygnetd"),
            "--config", config or os.path.join(self.swanctl, "swanctl.conf"),
            "--data-plane", "esp", "--vici", f"unix://{self.socket}", "--log-level", level, *options,
            log=self.log_file)
        self.wait_log("cygnetd ready")
        return self

    def cli(self, *words, check=True):
        """The `cygnet` command; its CompletedProcess."""
        return self.node.run(os.path.join(BIN, "cygnet"), "--vici", f"unix://{self.socket}", *words,
                             check=check)

    def warnings(self):
        return [line for line in self.log().splitlines() if " warning: " in line]


class StrongSwan(Peer):
    kind = "strongswan"
    chain_folder = "x509ca"

    def _listens(self):
        if self.process.poll() is not None:
            raise RigError(f"charon has ended:\n{self.log()[-3000:]}")
        try:
            Vici(self.socket).close()
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        return True

    def start(self, retransmit=None, settings=""):
        """`settings` are further lines of charon's section of strongswan.conf."""
        run_dir = os.path.join(self.home, "run")
        os.makedirs(run_dir, exist_ok=True)
        settings_file = os.path.join(self.home, "strongswan.conf")
        retransmit_lines = "" if retransmit is None else (
            f"retransmit_timeout = {retransmit[0]}\n  retransmit_base = {retransmit[1]}\n"
            f"  retransmit_tries = {retransmit[2]}")
        # The fwmark keeps IKE and ESP-in-UDP out of the tunnel.
        with open(settings_file, "w", encoding="utf-8") as file:
            file.write(f"""charon-systemd {{
  load = random nonce openssl pem pkcs1 pkcs8 x509 pubkey constraints revocation kdf hmac gcm curve25519 chapoly socket-default kernel-libipsec kernel-netlink updown counters vici
  piddir = {run_dir}
  {retransmit_lines}
  {settings}
  plugins {{
    vici {{ socket = unix://{self.socket} }}
    socket-default {{ fwmark = 0x42 }}
    kernel-netlink {{ fwmark = !0x42 }}
    kernel-libipsec {{ allow_peer_ts = yes }}
  }}
  filelog {{ log {{ path = {self.log_file}
    default = 1
    cfg = 2
    flush_line = yes }} }}
}}
""")
        open(self.log_file, "a", encoding="utf-8").close()
        self.process = self.node.start("charon-systemd", log=os.path.join(self.home, "out"),
                                       env={"STRONGSWAN_CONF": settings_file})
        wait_for(self._listens, "charon's socket")
        done = self.node.run("env", f"SWANCTL_DIR={self.swanctl}", "swanctl", "--load-all", "--uri",
                             f"unix://{self.socket}", "--noprompt")
        if "loaded connection" not in done.stdout or "failed to load" in done.stdout:
            raise RigError(f"swanctl --load-all:\n{done.stdout}")
        return self


__all__ = ["Cygnet", "Peer", "StrongSwan", "ViciError"]
