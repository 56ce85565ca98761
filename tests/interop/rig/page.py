"""What a run of a scenario showed, as the text of its page: without what no two runs share."""

import re
import struct

EXCHANGES = {34: "IKE_SA_INIT", 35: "IKE_AUTH", 36: "CREATE_CHILD_SA", 37: "INFORMATIONAL"}
SKF = 53  # RFC 7383
_NEIGHBOURS = range(130, 144)  # ICMPv6 of the link itself


def plain(text, counted=True):
    """Times and ports that nobody chose are replaced; with `counted` false, figures of packets too."""
    text = re.sub(r"\b\d+ (?:s|min|days|h \d+ min)\b", "TIME", text)
    text = re.sub(r"(\d+\.\d+\.\d+\.\d+):(?!4?500\b)\d+", r"\1:PORT", text)
    text = re.sub(r"(\d+\.\d+\.\d+\.\d+)\[(?!4?500\])\d+\]", r"\1[PORT]", text)
    if not counted:
        text = re.sub(r"\b(in|out) [0-9.]+ k?B \(\d+ packets\)", r"\1 N B (N packets)", text)
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def console(peer, counted):
    """What an operator sees on this machine: status, and our part of routes and rules."""
    out = f"# cygnet status\n{peer.cli('status').stdout}"
    for family in ((), ("-6",)):
        rules = peer.node.ip(*family, "rule").stdout
        if "220" not in rules:
            continue
        ip = " ".join(("ip", *family))
        out += f"\n# {ip} rule\n{rules}"
        for table in ("220", "221"):
            routes = peer.node.run("ip", *family, "route", "show", "table", table, check=False)
            if routes.returncode == 0 and routes.stdout:
                out += f"\n# {ip} route show table {table}\n{routes.stdout}"
    return plain(out, counted)


def log(peer):
    return plain(re.sub(r"(?m)^[\d-]+ [\d:.]+ ", "", peer.log()))


def _ike_text(message):
    exchange, flags = message[18], message[19]
    (number,) = struct.unpack_from("!I", message, 20)
    text = f"{EXCHANGES.get(exchange, exchange)} {'response' if flags & 0x20 else 'request'} {number}"
    if message[16] == SKF:
        part, parts = struct.unpack_from("!HH", message, 32)
        text += f", fragment {part} of {parts}"
    return text


def _address(raw, version):
    if version == 4:
        return ".".join(str(octet) for octet in raw)
    groups = ":".join(f"{group:x}" for group in struct.unpack("!8H", raw))
    return re.sub(r"(?:\b0\b:?){3,}", ":", groups, count=1).replace(":::", "::")


def _ends(packet):
    start, size = (12, 4) if packet.version == 4 else (8, 16)
    return [_address(packet.raw[at:at + size], packet.version) for at in (start, start + size)]


def in_the_clear(packet):
    """What it is when it is neither IKE nor ESP: "TCP port 80"; None otherwise."""
    if packet.is_ipsec():
        return None
    if packet.protocol == 6:
        return f"TCP port {min(packet.ports)}"
    if packet.version == 6 and packet.raw[24] == 0xFF:
        return None  # to a group of the link
    if packet.protocol == 58 and packet.payload[0] in _NEIGHBOURS:
        return None
    return {1: "ICMP", 17: "UDP", 50: "ESP", 58: "ICMPv6"}.get(packet.protocol, "other")


def wire(packets, counted):
    """A line for each IKE message in its first copy, one for each flow of other packets."""
    messages, lines, flows = set(), [], {}
    for packet in packets:
        source, target = _ends(packet)
        message = packet.ike()
        if message:
            if packet.payload[8:] in messages:
                continue  # repeated, for want of time
            messages.add(packet.payload[8:])
            lines.append((source, target, packet.ports, _ike_text(message)))
            continue
        if packet.is_ipsec() and len(packet.payload) == 9:
            continue  # a keepalive
        what = in_the_clear(packet) or ("ESP in UDP" if packet.is_ipsec() else None)
        if not what:
            continue
        flow = (source, target, packet.ports if packet.is_ipsec() else None, what)
        if flow not in flows:
            lines.append(flow)
        flows[flow] = flows.get(flow, 0) + 1
    return "".join(_wire_line(line, flows.get(line), counted) for line in lines)


def _wire_line(line, count, counted):
    source, target, ports, what = line
    if what.startswith("ESP"):
        ports = None
    names = [f"{end}:{port}" if ports else end
             for end, port in zip((source, target), ports or (0, 0))]
    names = [re.sub(r":(?!4?500$)\d+$", ":PORT", name) if ports else name for name in names]
    if count is not None:
        what += ", in the clear" if not what.startswith("ESP") else ""
        what += f", {count if counted else 'N'} packet{'' if count == 1 and counted else 's'}"
    return f"{names[0]:<19} > {names[1]:<19} {what}\n"
