"""One fault in an otherwise sound set-up, and who must explain it; for test_single_faults."""

import dataclasses
import os
import re
import shutil

from . import conf
from .certs import Authority
from .net import wait_for
from .peer import BIN, ROOT, Cygnet, ViciError

# In a namespace without a name server nobody need wait for one.
os.environ["RES_OPTIONS"] = "timeout:1 attempts:1"

DOCUMENT = os.path.join(ROOT, "docs", "faults.md")
_LABELS = ("during", "connection", "peer", "product", "field", "ours", "theirs", "what to do")


# Repeats come soon, and still for so long that a busy machine answers in time.
PATIENT = ("--retransmit-timeout", "0.1")
# Where nobody will answer.
HASTY = (*PATIENT, "--retransmit-tries", "4")


@dataclasses.dataclass(frozen=True)
class Says:
    """What `cygnet why` of one end must tell: the reason, the field, words of the rest."""

    end: str  # "gateway" or "client"
    reason: str
    field: str
    words: tuple = ()


def gateway_says(reason, field, *words):
    return Says("gateway", reason, field, words)


def client_says(reason, field, *words):
    return Says("client", reason, field, words)


@dataclasses.dataclass(frozen=True)
class Live:
    """A fault between two daemons. `change` is what somebody has done, for the document; `gateway` and
    `client` are arguments of rig.conf, `gateway_files` and `client_files` make credentials of a Pki."""

    name: str
    change: str
    says: tuple
    gateway: dict = dataclasses.field(default_factory=dict)
    client: dict = dataclasses.field(default_factory=dict)
    gateway_files: object = None
    client_files: object = None
    gateway_type: type = Cygnet
    client_type: type = Cygnet
    filter: str = ""             # what the gateway's firewall drops, as nftables says it
    options: tuple = PATIENT     # of a cygnet client
    settings: str = "send_vendor_id = yes"  # of a strongSwan client
    steps: object = None         # instead of the client's call: steps(client), which must fail


@dataclasses.dataclass(frozen=True)
class Sound:
    """A set-up without fault for `cygnet check`: a file below /etc, and what lies beside it."""

    path: str
    text: str
    beside: object = None    # beside(pki): {path from that file's folder: content}


@dataclasses.dataclass(frozen=True)
class Check:
    """A fault that `cygnet check` finds: `old` in the sound file became `new`, or `beside` is other.
    The one line it prints must begin with the place and have these words."""

    name: str
    change: str
    place: str               # "swanctl.conf:4:3", or the end of what stands in front of ": error"
    says: tuple
    sound: Sound
    old: str = ""
    new: str = ""
    beside: object = None
    more: bool = False       # what follows from it is complained of as well


class Failure(Exception):
    """A fault that was not explained."""


def expect(condition, what):
    if not condition:
        raise Failure(what)


# --- live ---
def parse_why(text):
    """The records of `cygnet why`, as dictionaries."""
    out = []
    for line in text.splitlines():
        head = re.fullmatch(r"\d+ s ago, ((?:calling|refused).*): (\w+)(?:, \d+ times)?", line)
        if head:
            out.append({"head": head[1], "reason": head[2], "lines": []})
            continue
        if not out:
            continue
        out[-1]["lines"].append(line.strip())
        for label in _LABELS:
            if line.startswith(f"  {label} "):
                out[-1][label] = line[len(label) + 2:].strip()
    return out


def _record(peer, says):
    wait_for(lambda: "reason" in str(parse_why(peer.cli("why").stdout)),
             f"a record at the {says.end}")
    text = peer.cli("why").stdout
    records = parse_why(text)
    expect(len(records) == 1, f"{says.end}: {len(records)} records instead of one:\n{text}")
    (record,) = records
    expect(record["reason"] == says.reason, f"{says.end}: not {says.reason}:\n{text}")
    expect(record.get("field") == says.field, f"{says.end}: field is not {says.field}:\n{text}")
    expect(record.get("what to do"), f"{says.end}: no fix:\n{text}")
    for word in says.words:
        expect(word in text, f"{says.end}: not a word of '{word}':\n{text}")
    return record


def _told(says, record):
    """The record for the document: what differs from run to run is left out."""
    lines = [f"{record['head']}: {record['reason']}"]
    lines += [f"  {re.sub('valid at 20[-0-9T:]+Z', 'valid now', line)}" for line in record["lines"]]
    return f"{says.end.capitalize()}:\n\n" + "".join(f"    {line}\n" for line in lines)


def _fresh(kind, node, config, files):
    shutil.rmtree(node.world.folder(f"{node.name}-{kind.kind}"))
    return kind(node, config, files)


def run_live(case, nodes, pki):
    """Both daemons with the fault. Returns a row for the table and the text for the document."""
    ends = {}
    try:
        if case.filter:
            nodes[0].nft("add table inet fault\nadd chain inet fault input "
                         "{ type filter hook input priority 0; }\n"
                         f"add rule inet fault input {case.filter} drop\n")
        gateway_files = case.gateway_files or (Pki.gateway if _pubkey(case.gateway) else None)
        client_files = case.client_files or (Pki.client if _pubkey(case.client) else None)
        ends["gateway"] = _fresh(case.gateway_type, nodes[0], conf.gateway(**case.gateway),
                                 gateway_files and gateway_files(pki)).start()
        ends["client"] = _fresh(case.client_type, nodes[1], conf.client(**case.client),
                                client_files and client_files(pki))
        if case.client_type is Cygnet:
            ends["client"].start(*case.options)
        else:
            ends["client"].start(settings=case.settings)
        try:
            (case.steps or Cygnet.up)(ends["client"])
        except ViciError as error:
            expect("timeout" not in str(error), f"the client goes on trying: {error}")
        else:
            raise Failure("it works in spite of the fault")
        records = [(says, _record(ends[says.end], says)) for says in case.says]
    finally:
        for peer in ends.values():
            if peer.process:
                peer.stop()
        if case.filter:
            nodes[0].nft("delete table inet fault")
    says, record = records[0]
    return ((case.name, says.end, record["reason"], record["field"], record["what to do"]),
            "\n".join(_told(*one) for one in records))


def _pubkey(options):
    return options.get("auth", "pubkey") == "pubkey"


class Pki:
    """Certificates of the set-up, each made when it is first asked for."""

    def __init__(self, folder, node):
        self.folder = folder
        self.node = node  # where programs run
        self.root = Authority(folder, "root")
        self.made = {}

    def authority(self, name, parent=None, **options):
        if name not in self.made:
            self.made[name] = Authority(self.folder, name, parent=parent, **options)
        return self.made[name]

    def issue(self, name, authority=None, **options):
        """Credentials of one side: its certificate for `name`.example, and the root CA."""
        authority = authority or self.root
        key = (name, authority.cert, repr(options))
        if key not in self.made:
            options.setdefault("san", f"DNS:{name}.example")
            options.setdefault("dn", f"/C=CH/O=cygnet test/CN={name}")
            self.made[key] = authority.issue(f"{name}{len(self.made)}", **options)
        return conf.credentials(self.root, self.made[key])

    def gateway(self):
        return self.issue("gw")

    def client(self):
        return self.issue("cl")


# --- check ---
def check(sound, folder, pki, text=None, beside=None):
    """The lines of `cygnet check` but for the last, which counts them, as if the file were in /etc."""
    files = {**(sound.beside(pki) if sound.beside else {}), **(beside(pki) if beside else {})}
    files[os.path.basename(sound.path)] = sound.text if text is None else text
    shutil.rmtree(folder)
    path = os.path.join(folder, sound.path)
    for name, content in files.items():
        if content is not None:
            _write(os.path.join(os.path.dirname(path), name), content)
    done = pki.node.run(os.path.join(BIN, "cygnet"), "check", path, check=False)
    return done.stdout.replace(folder, "/etc").splitlines()[:-1]


def _write(path, content):
    content, mode = content if isinstance(content, tuple) else (content, 0o600)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(content)
    os.chmod(path, mode)


def run_check(case, folder, pki):
    """The fault in the sound file. Returns a row for the table and the text for the document."""
    count = case.sound.text.count(case.old) if case.old else 1
    expect(count == 1, f"'{case.old}' stands {count} times in the sound file")
    text = case.sound.text.replace(case.old, case.new) if case.old else None
    lines = check(case.sound, folder, pki, text, case.beside)
    output = "\n".join(lines)
    expect(len(lines) == 1 or case.more, f"{len(lines)} complaints instead of one:\n{output}")
    (line, *_) = [one for one in lines if f"{case.place}: " in one] or [""]
    expect(line, f"not at {case.place}:\n{output}")
    for word in case.says:
        expect(word in line, f"not a word of '{word}':\n{output}")
    place, kind, fix = re.fullmatch(r"(.*?): (error|warning|note): (.*)", line).groups()
    return (case.name, "check", kind, place, fix), f"    {line}\n"


# --- the document ---
def sections(document):
    """{title: text} of the parts that begin with "## "; what stands before has the title ""."""
    head, *parts = re.split(r"(?m)^## ", document)
    return {"": head, **dict(part.split("\n", 1) for part in parts)}


def read_document():
    with open(DOCUMENT, encoding="utf-8") as file:
        return sections(file.read())


def write_section(title, text, titles):
    """Replaces one part; `titles` is their order."""
    parts = read_document() if os.path.exists(DOCUMENT) else {}
    parts[title] = text
    with open(DOCUMENT, "w", encoding="utf-8") as file:
        file.write("".join((f"## {one}\n" if one else "") + parts[one]
                           for one in titles if one in parts))
