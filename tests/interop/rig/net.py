"""Network namespaces, links, processes; everything a World makes goes when it closes."""

import atexit
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time


class RigError(Exception):
    """What went wrong, with the output of whatever was run."""


def run(command, check=True, **options):
    """Runs a command (a list) and returns its CompletedProcess; output is text."""
    options.setdefault("timeout", 60)
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, **options)
    if check and done.returncode != 0:
        raise RigError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}")
    return done


def wait_for(condition, what, timeout=10.0):
    """Polls `condition` until it is true; its value is returned."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise RigError(f"not within {timeout:g} s: {what}")
        time.sleep(0.02)


class Node:
    """One machine: a network namespace."""

    def __init__(self, world, name, ipv6):
        self.world = world
        self.name = name
        self.netns = f"{world.prefix}-{name}"
        run(["ip", "netns", "add", self.netns])
        # Captures would show neighbour discovery, and an address of the link turns up a second late.
        settings = ({"default/accept_dad": 0} if ipv6 else
                    {"all/disable_ipv6": 1, "default/disable_ipv6": 1})
        self.run("sh", "-c", "; ".join(["ip link set lo up"] + [
            f"echo {value} > /proc/sys/net/ipv6/conf/{key}" for key, value in settings.items()]))

    def ip(self, *words):
        return run(["ip", "-n", self.netns, *words])

    def run(self, *command, **options):
        return run(["ip", "netns", "exec", self.netns, *command], **options)

    def start(self, *command, log, env=None):
        """A process that is ended with the world at the latest; its output goes to the file."""
        with open(log, "ab") as output:
            process = subprocess.Popen(["ip", "netns", "exec", self.netns, *command],
                                       stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=subprocess.STDOUT,
                                       env={**os.environ, **(env or {})})
        self.world.processes.append(process)
        return process

    def sysctl(self, key, value):
        self.run("sh", "-c", f"echo {value} > /proc/sys/{key.replace('.', '/')}")

    def address(self, interface, *addresses):
        for address in addresses:
            extra = ["nodad"] if ":" in address else []
            self.ip("addr", "add", address, "dev", interface, *extra)

    def route(self, *words):
        self.ip("route", "add", *words)

    def nft(self, rules):
        self.run("nft", "-f", "-", input=rules)

    def forward(self):
        """Makes it a router."""
        self.sysctl("net.ipv4.ip_forward", 1)

    def masquerade(self, interface):
        self.nft("add table ip nat\n"
                 "add chain ip nat post { type nat hook postrouting priority 100; }\n"
                 f'add rule ip nat post oifname "{interface}" masquerade\n')


class World:
    """Use as a context manager. Names carry the process id, so worlds can live side by side."""

    _numbers = itertools.count()

    def __init__(self, keep=False):
        self.prefix = f"cyg{os.getpid()}{'abcdefghijklmnop'[next(self._numbers) % 16]}"
        self.directory = tempfile.mkdtemp(prefix="cygnet-rig-")
        self.keep = keep
        self.nodes = {}
        self.processes = []
        self.closed = False
        atexit.register(self.close)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def node(self, name, ipv6=False):
        self.nodes[name] = Node(self, name, ipv6)
        return self.nodes[name]

    def folder(self, name):
        path = os.path.join(self.directory, name)
        os.makedirs(path, exist_ok=True)
        return path

    def link(self, a, a_interface, b, b_interface, mtu=1500):
        """A cable between two nodes."""
        a.ip("link", "add", a_interface, "type", "veth", "peer", "name", b_interface,
             "netns", b.netns)
        for node, interface in ((a, a_interface), (b, b_interface)):
            node.ip("link", "set", interface, "mtu", str(mtu), "up")

    def stop(self, process, how=signal.SIGTERM, timeout=5.0):
        """Ends a process; SIGKILL when it does not obey in time. True when it did."""
        if process.poll() is None:
            process.send_signal(how)
        try:
            process.wait(timeout)
            return True
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False

    def close(self):
        if self.closed:
            return
        self.closed = True
        for process in reversed(self.processes):
            self.stop(process)
        for node in self.nodes.values():
            run(["ip", "netns", "del", node.netns], check=False)
        if not self.keep:
            shutil.rmtree(self.directory, ignore_errors=True)


def pair(world, nat=False, mtu=1500):
    """A gateway with the protected network 10.1.0.0/24 and a client, perhaps behind a NAT router.

    Returns (gateway, client); the gateway is 192.0.2.1.
    """
    gateway, client = world.node("gw"), world.node("cl")
    if nat:
        router = world.node("nat")
        world.link(gateway, "e0", router, "out", mtu)
        world.link(client, "e0", router, "in", mtu)
        router.address("out", "192.0.2.254/24")
        router.address("in", "10.0.7.1/24")
        router.forward()
        router.masquerade("out")
        client.address("e0", "10.0.7.2/24")
        client.route("default", "via", "10.0.7.1")
    else:
        world.link(gateway, "e0", client, "e0", mtu)
        client.address("e0", "192.0.2.2/24")
        client.route("default", "via", "192.0.2.1")
    gateway.address("e0", "192.0.2.1/24")
    gateway.address("lo", "10.1.0.1/24")
    return gateway, client
