"""The networks of the scenarios: an Internet in the middle, and around it what people have."""

INTERNET_HOST = "198.18.0.1"
PRINTER = "192.168.7.9"
_PUBLIC = {"gateway": "192.0.2", "office": "192.0.2", "laptop": "198.51.100", "phone": "203.0.113",
           "branch": "203.0.113", "nat": "203.0.113"}


def beyond(node):
    """The router at the other end of its wan."""
    return f"{_PUBLIC[node]}.254"


def _internet(world, ipv6, mtu):
    node = world.node("internet", ipv6)
    node.mtu = mtu
    node.address("lo", f"{INTERNET_HOST}/32")
    node.forward()
    if ipv6:
        node.sysctl("net.ipv6.conf.all.forwarding", 1)
    return node


def _connect(internet, node):
    """Its line is called wan; its address ends in .1, 2001:db8:x::1 where there is IPv6."""
    interface = f"to-{node.name}"
    internet.world.link(internet, interface, node, "wan", internet.mtu)
    net = _PUBLIC[node.name]
    internet.address(interface, f"{beyond(node.name)}/24")
    node.address("wan", f"{net}.1/24")
    node.route("default", "via", beyond(node.name))


def _connect_ipv6(internet, node, number):
    internet.address(f"to-{node.name}", f"2001:db8:{number}::ff/64")
    node.address("wan", f"2001:db8:{number}::1/64")
    node.route("default", "via", f"2001:db8:{number}::ff")


def _lan(router, host, number, ipv6=False):
    """The networks 10.NUMBER.0.0/24 and 10.NUMBER.1.0/24, perhaps fd00:NUMBER::/64, of a router with one
    host in each."""
    router.world.link(router, "lan", host, "lan")
    for net in range(2):
        router.address("lan", f"10.{number}.{net}.1/24")
        host.address("lan", f"10.{number}.{net}.10/24")
    host.route("default", "via", f"10.{number}.0.1")
    router.forward()
    # What one device sends another comes and goes by the tunnel's interface.
    router.run("sh", "-c", "cd /proc/sys/net/ipv4/conf; "
                           "echo 0 > all/send_redirects; echo 0 > default/send_redirects")
    if ipv6:
        router.sysctl("net.ipv6.conf.all.forwarding", 1)
        router.address("lan", f"fd00:{number}::1/64")
        host.address("lan", f"fd00:{number}::10/64")
        host.route("default", "via", f"fd00:{number}::1")


def warriors(*devices, behind_nat=(), ipv6=False, mtu=1500, inner=(), printer=False):
    """A gateway with a server behind it, and devices on the Internet or behind a NAT router; `inner` are
    the gateway's own addresses in the VPN; `printer` stands beside the laptop."""
    def build(world):
        internet = _internet(world, False, mtu)
        gateway = world.node("gateway", ipv6)
        _connect(internet, gateway)
        gateway.address("lo", *inner)
        gateway.masquerade("wan")
        _lan(gateway, world.node("server", ipv6), 1, ipv6)
        for device in devices:
            _connect(internet, world.node(device, ipv6))
        if printer:
            laptop, other = world.nodes["laptop"], world.node("printer")
            world.link(laptop, "lan", other, "lan")
            laptop.address("lan", "192.168.7.2/24")
            other.address("lan", f"{PRINTER}/24")
        if behind_nat:
            router = world.node("nat")
            _connect(internet, router)
            router.forward()
            router.masquerade("wan")
            for number, device in enumerate(behind_nat, 1):
                node = world.node(device)
                world.link(router, f"to-{device}", node, "lan")
                router.address(f"to-{device}", f"10.0.{number}.1/24")
                node.address("lan", f"10.0.{number}.2/24")
                node.route("default", "via", f"10.0.{number}.1")
    return build


def sites(*devices, ipv6=False, inner=()):
    """An office (10.1.0.0/24) and a branch (10.2.0.0/24), each a router with one host, and devices;
    `inner` are the office's own addresses in the VPN."""
    def build(world):
        internet = _internet(world, ipv6, 1500)
        for number, (name, host) in enumerate((("office", "desk"), ("branch", "till")), 1):
            router = world.node(name, ipv6)
            _connect(internet, router)
            if ipv6:
                _connect_ipv6(internet, router, number)
            _lan(router, world.node(host), number)
        world.nodes["office"].address("lo", *inner)
        for device in devices:
            _connect(internet, world.node(device))
    return build
