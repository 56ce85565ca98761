"""Packets through the tunnel, and what is seen of them outside."""

import itertools
import re
import signal
import struct
import subprocess

from .net import RigError, wait_for


def ping(node, target, count=3, interval=0.2, size=56, pattern=None, source=None):
    """Sends pings and returns how many were lost."""
    return Ping(node, target, count, interval, size, pattern, source).lost()


class Ping:
    """Pings in the background; lost() waits for the end."""

    _numbers = itertools.count()

    def __init__(self, node, target, count, interval=0.002, size=56, pattern=None, source=None):
        options = ["-p", pattern] if pattern else []
        options += ["-I", source] if source else []
        self.stopped = False
        # -W: a late answer is not a lost one; the last is waited for.
        self.log = f"{node.world.directory}/ping-{node.name}-{next(self._numbers)}"
        self.process = node.start("ping", "-i", str(interval), "-c", str(count), "-s", str(size),
                                  "-W", "3", *options, target, log=self.log)

    def running(self):
        return self.process.poll() is None

    def stop(self):
        """Sends no more. The ping that is under way just then counts as lost for `ping`, not here."""
        if self.running():
            self.stopped = True
            self.process.send_signal(signal.SIGINT)

    def counts(self, timeout=120.0):
        self.process.wait(timeout)
        with open(self.log, encoding="utf-8") as file:
            output = file.read()
        found = re.search(r"(\d+) packets transmitted, (\d+) received", output)
        if not found:
            raise RigError(f"ping: {output}")
        sent, received = int(found[1]), int(found[2])
        if self.stopped:
            answered = re.findall(r"icmp_seq=(\d+) ttl", output)
            # The numbers have 16 bits: only the tail matters.
            if answered and (sent - int(answered[-1])) % 65536 == 1:
                sent -= 1
        return sent, received

    def lost(self, timeout=120.0):
        sent, received = self.counts(timeout)
        return sent - received


_SERVER = """
import socket, sys
s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], int(sys.argv[2]))); s.listen(1); print('listening', flush=True)
c, a = s.accept(); n = 0
data = (bytes.fromhex(sys.argv[3]) * (int(sys.argv[4]) // 32 + 1))[:int(sys.argv[4])]
if sys.argv[5] == 'push':
    while d := c.recv(65536): n += d in data and len(d)
    c.shutdown(socket.SHUT_WR)
else:
    c.sendall(data); c.shutdown(socket.SHUT_WR); c.recv(1)
print(a[0], n, flush=True)
"""
_CLIENT = """
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=20); n = 0
s.settimeout(240)  # for all that sendall() sends: a machine may have other things to do
data = (bytes.fromhex(sys.argv[3]) * (int(sys.argv[4]) // 32 + 1))[:int(sys.argv[4])]
if sys.argv[5] == 'push':
    s.sendall(data); s.shutdown(socket.SHUT_WR); s.recv(1)
else:
    while d := s.recv(65536): n += d in data and len(d)
print(n)
"""


def transfer(caller, listener, address, marker, size=2_000_000, port=7777, way="push"):
    """A TCP connection that carries `size` octets made of the 32-octet `marker`: from the caller
    ("push") or to it ("pull"). Returns the caller's address as the listener saw it and the octets
    that arrived and were right."""
    words = [address, str(port), marker.hex(), str(size), way]
    server = subprocess.Popen(
        ["ip", "netns", "exec", listener.netns, "python3", "-c", _SERVER, *words],
        stdout=subprocess.PIPE, text=True)
    listener.world.processes.append(server)
    with server.stdout:
        if server.stdout.readline().strip() != "listening":
            raise RigError(f"no server at {address}")
        pulled = caller.run("python3", "-c", _CLIENT, *words, timeout=260).stdout
        source, pushed = server.stdout.readline().split()
    server.wait(10)
    return source, int(pushed) if way == "push" else int(pulled)


class Capture:
    """Records an interface; packets() are IP packets after stop()."""

    _END = b"end-of-capture"

    def __init__(self, node, interface):
        self.file = f"{node.world.directory}/{node.name}-{interface}.pcap"
        self.log = f"{self.file}.log"
        self.node = node
        self.process = node.start("tcpdump", "--immediate-mode", "-U", "-B", "65536", "-s", "2048", "-i", interface,
                                  "-w", self.file, log=self.log)
        wait_for(lambda: "listening on" in self._output(), "tcpdump")

    def _output(self):
        with open(self.log, encoding="utf-8") as file:
            return file.read()

    def drain(self, neighbour):
        """Waits until all that has crossed is recorded: packets() end before the datagram that goes to
        the neighbour's port 9 now."""
        self.node.run("bash", "-c", f"echo -n {self._END.decode()} > /dev/udp/{neighbour}/9")
        def recorded():
            with open(self.file, "rb") as file:
                return self._END in file.read()
        wait_for(recorded, "the end of the capture")

    def stop(self):
        self.node.world.stop(self.process, signal.SIGINT)
        dropped = re.search(r"(\d+) packets? dropped by kernel", self._output())
        if not dropped or dropped[1] != "0":
            raise RigError(f"the capture is incomplete: {self._output()}")
        return self

    def packets(self):
        with open(self.file, "rb") as file:
            data = file.read()
        out, at = [], 24
        while at + 16 <= len(data):
            size, whole = struct.unpack_from("<II", data, at + 8)
            if size != whole:
                raise RigError(f"a packet of {whole} octets was cut to {size}")
            frame = data[at + 16:at + 16 + size]
            at += 16 + size
            ethertype = struct.unpack_from("!H", frame, 12)[0]
            if self._END in frame:
                break
            if ethertype in (0x0800, 0x86DD):
                out.append(Packet(frame[14:]))
        return out


class Packet:
    """An IP packet as it was on the wire."""

    def __init__(self, raw):
        self.raw = raw
        self.version = raw[0] >> 4
        if self.version == 4:
            header = (raw[0] & 15) * 4
            self.protocol = raw[9]
            self.fragment = struct.unpack_from("!H", raw, 6)[0] & 0x3FFF != 0
        else:
            header, self.protocol = 40, raw[6]
            self.fragment = self.protocol == 44
        self.payload = raw[header:]
        self.ports = struct.unpack_from("!HH", self.payload) if self.protocol in (6, 17) else None

    def is_ipsec(self):
        """UDP of IKE or of ESP in UDP."""
        return self.protocol == 17 and not self.fragment and bool({500, 4500} & set(self.ports))

    def ike(self):
        """The IKE message, without non-ESP marker; None when it is none."""
        if not self.is_ipsec():
            return None
        body = self.payload[8:]
        if 4500 in self.ports:
            return body[4:] if body[:4] == bytes(4) and len(body) > 32 else None
        return body
