"""A small vici client: it steers our daemon and strongSwan's alike."""

import socket
import struct

REQUEST, RESPONSE, UNKNOWN, REGISTER, UNREGISTER, CONFIRM, EVENT_UNKNOWN, EVENT = range(8)
SECTION_START, SECTION_END, KEY_VALUE, LIST_START, LIST_ITEM, LIST_END = range(1, 7)


class ViciError(Exception):
    pass


def _name(text):
    raw = text.encode()
    return struct.pack("!B", len(raw)) + raw


def _value(value):
    raw = value if isinstance(value, bytes) else str(value).encode()
    return struct.pack("!H", len(raw)) + raw


def encode(message):
    out = b""
    for key, value in message.items():
        if isinstance(value, dict):
            out += bytes([SECTION_START]) + _name(key) + encode(value) + bytes([SECTION_END])
        elif isinstance(value, list):
            items = b"".join(bytes([LIST_ITEM]) + _value(item) for item in value)
            out += bytes([LIST_START]) + _name(key) + items + bytes([LIST_END])
        else:
            out += bytes([KEY_VALUE]) + _name(key) + _value(value)
    return out


class _Decoder:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        out = self.data[self.at:self.at + count]
        self.at += count
        return out

    def name(self):
        return self.take(self.take(1)[0]).decode()

    def value(self):
        (size,) = struct.unpack("!H", self.take(2))
        return self.take(size).decode(errors="replace")

    def section(self):
        out = {}
        while self.at < len(self.data):
            kind = self.take(1)[0]
            if kind == SECTION_END:
                break
            key = self.name()
            if kind == SECTION_START:
                out[key] = self.section()
            elif kind == KEY_VALUE:
                out[key] = self.value()
            elif kind == LIST_START:
                out[key] = []
                while self.take(1)[0] == LIST_ITEM:
                    out[key].append(self.value())
        return out


class Vici:
    def __init__(self, path, timeout=60.0):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _send(self, packet):
        self.socket.sendall(struct.pack("!I", len(packet)) + packet)

    def _exactly(self, count):
        out = b""
        while len(out) < count:
            more = self.socket.recv(count - len(out))
            if not more:
                raise ViciError("the daemon closed the connection")
            out += more
        return out

    def _receive(self):
        (size,) = struct.unpack("!I", self._exactly(4))
        packet = self._exactly(size)
        return packet[0], packet[1:]

    def ask(self, command, message=None):
        """One command, whose answer is to be read."""
        self._send(bytes([REQUEST]) + _name(command) + encode(message or {}))

    def subscribe(self, event):
        self._send(bytes([REGISTER]) + _name(event))
        kind, _ = self._receive()
        if kind != CONFIRM:
            raise ViciError(f"{event}: packet type {kind}")

    def next_kind(self):
        """The type of the next packet, whatever is in it."""
        return self._receive()[0]

    def call(self, command, message=None):
        """One command; the answer as a dict."""
        self.ask(command, message)
        kind, data = self._receive()
        if kind != RESPONSE:
            raise ViciError(f"{command}: packet type {kind}")
        return _Decoder(data).section()

    def demand(self, command, message=None):
        """call(), and an error when the answer says so."""
        answer = self.call(command, message)
        if answer.get("success", "yes") != "yes":
            raise ViciError(f"{command}: {answer.get('errmsg')}")
        return answer

    def stream(self, command, event, message=None):
        """A command that answers by events: a list of dicts."""
        self.subscribe(event)
        self.ask(command, message)
        out = []
        while True:
            kind, data = self._receive()
            if kind == RESPONSE:
                return out
            if kind != EVENT:
                raise ViciError(f"{command}: packet type {kind}")
            decoder = _Decoder(data)
            decoder.name()
            out.append(decoder.section())
