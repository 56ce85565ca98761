"""One fault at a time in a sound set-up: `cygnet why` or `cygnet check` names the field and the fix.

The faults are docs/faults.md as well: each kind holds its part of that page against what the programs
say. `UPDATE_GOLDEN=1 python3 -m unittest test_single_faults` writes the page anew.
"""

import itertools
import os
import unittest

from rig import conf
from rig.certs import EXPIRED, NOT_YET
from rig.faults import (HASTY, Check, Live, Pki, Sound, check, client_says, gateway_says,
                        read_document, run_check, run_live, write_section)
from rig.figures import tell
from rig.net import World, pair, run
from rig.peer import Cygnet, StrongSwan

# --- what is sound ---
GATEWAY = """connections { rw {
  version = 2
  proposals = aes256gcm16-prfsha384-ecp384, aes256-sha384-ecp384
  pools = p4
  unique = never
  local { auth = psk
    id = gw.example
  }
  remote { auth = psk }
  children { net {
    local_ts = 10.1.0.0/24
    esp_proposals = aes256gcm16-ecp384
  } }
} }
pools { p4 { addrs = 10.9.0.0/24
  dns = 10.1.0.53 } }
secrets { ike { secret = "a shared secret of the tests" } }
"""
CLIENT = """connections { home {
  remote_addrs = 192.0.2.1
  proposals = aes256gcm16-prfsha384-ecp384
  vips = 0.0.0.0
  local { auth = psk
    id = cl.example
  }
  remote { auth = psk
    id = gw.example
  }
  children { net {
    remote_ts = 10.1.0.0/24
    esp_proposals = aes256gcm16-ecp384
    rekey_time = 1h
    keep_up = yes
  } }
} }
secrets { ike { secret = "a shared secret of the tests" } }
"""
CERTIFICATE = """connections { rw {
  version = 2
  proposals = aes256gcm16-prfsha384-ecp384, aes256-sha384-ecp384
  pools = p4, other
  local { id = gw.example
    certs = gw.pem
  }
  children { net {
    local_ts = 10.1.0.0/24
    esp_proposals = aes256gcm16-ecp384
  } }
} }
pools { p4 { addrs = 10.9.0.0/24 }
  other { addrs = 10.8.0.0/24 } }
"""
IPSEC = """config setup
  uniqueids=never

conn %default
  keyexchange=ikev2
  ike=aes256gcm16-prfsha384-ecp384,aes256-sha384-ecp384!
  esp=aes256gcm16-ecp384!
  authby=secret

conn rw
  left=192.0.2.1
  leftid=gw.example
  leftsubnet=10.1.0.0/24
  right=%any
  rightsourceip=10.9.0.0/24
  auto=add
"""
SECRETS = ': PSK "a shared secret of the tests"\n'


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def own(**options):
    """The certificate, key and CA of the gateway."""
    def beside(pki):
        files = pki.issue("gw", **options)
        return {"x509/gw.pem": text_of(files["x509"][0]),
                "private/gw.key": text_of(files["private"][0]),
                "x509ca/ca.pem": text_of(files["x509ca"][0])}
    return beside


ON_GATEWAY = Sound("swanctl/swanctl.conf", GATEWAY)
ON_CLIENT = Sound("swanctl/swanctl.conf", CLIENT)
WITH_CERTIFICATE = Sound("swanctl/swanctl.conf", CERTIFICATE, own())
WITH_IPSEC = Sound("ipsec.conf", IPSEC, lambda pki: {"ipsec.secrets": SECRETS})
SOUND = (ON_GATEWAY, ON_CLIENT, WITH_CERTIFICATE, WITH_IPSEC)


# --- faults in files ---
def first_change(before, after):
    """The first line that is another or new; or the one that is gone."""
    pairs = list(itertools.zip_longest(before.splitlines(), after.splitlines(), fillvalue=""))
    old, new = next(pair for pair in pairs if pair[0] != pair[1])
    gone = len(after.splitlines()) < len(before.splitlines())
    return f"without {old.strip()}" if gone or not new else new.strip()


def in_file(sound, name, place, old, new, *says, **more):
    """`old` became `new`."""
    change = more.pop("change", None) or first_change(sound.text, sound.text.replace(old, new))
    return Check(name, change, place, says, sound, old, new, **more)


def on_gateway(*words, **more):
    return in_file(ON_GATEWAY, *words, **more)


def on_client(*words, **more):
    return in_file(ON_CLIENT, *words, **more)


def on_ipsec(*words, **more):
    return in_file(WITH_IPSEC, *words, **more)


def secrets(name, place, text, *says):
    return Check(name, "ipsec.secrets: " + text.splitlines()[-1], "ipsec.secrets:" + place, says,
                 WITH_IPSEC, beside=lambda pki: {"ipsec.secrets": text})


def beside(name, change, place, files, *says, old="", new=""):
    """A fault in what lies beside the file."""
    return Check(name, change, place, says, WITH_CERTIFICATE, old, new, files)


def encrypted_key(pki):
    key = pki.gateway()["private"][0]
    run(["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:right", "-out", key + ".enc"])
    return {"private/gw.key": text_of(key + ".enc")}


def key_for_all(pki):
    return {"private/gw.key": (text_of(pki.gateway()["private"][0]), 0o644)}


# --- faults between two daemons ---
def psk(name, change, *says, gateway=None, client=None, **more):
    """Both ends with the same pre-shared key."""
    return Live(name, change, says, {"auth": "psk", **(gateway or {})},
                {"auth": "psk", **(client or {})}, **more)


def pubkey(name, change, *says, gateway=None, client=None, **more):
    """Both ends with certificates of the same CA."""
    return Live(name, change, says, gateway or {}, client or {}, **more)


def suite(ike=conf.SUITE[0], esp=conf.SUITE[1]):
    return {"suite": (ike, esp)}


def cert(name, **options):
    return lambda pki: pki.issue(name, **options)


def of_other_ca(name):
    return lambda pki: pki.issue(name, pki.authority("other"))


def below_root(name):
    """Issued by a CA below the root, which nobody hands out."""
    return lambda pki: pki.issue(name, pki.authority("sub", parent=pki.root))


def trusting(name, **options):
    """The gateway's own credentials; it trusts this CA as well."""
    def files(pki):
        out = dict(pki.gateway())
        out["x509ca"] = [*out["x509ca"], pki.authority(name, **options).cert]
        return out
    return files


def chain_client(pki):
    """A client below a CA that is not allowed below its root."""
    sub = pki.authority("below flat", parent=pki.authority("flat", constraints=FLAT))
    out = pki.issue("cl", sub)
    return {**out, "x509": [*out["x509"], sub.cert]}


def named_client(pki):
    return pki.issue("cl", pki.authority("narrow", more=NARROW))


def faulty_ca(pki):
    return pki.issue("cl", pki.authority("no CA", constraints="CA:FALSE"))


def two_clients(client):
    client.call("initiate", {"ike": "first", "child": "net", "timeout": 30000})
    client.call("initiate", {"ike": "home", "child": "net", "timeout": 30000})


def rekey_child(client):
    client.up()
    client.rekey_child()


FLAT = "CA:TRUE,pathlen:0"
NARROW = "nameConstraints=critical,permitted;DNS:corp.example\n"
REFUSED = "local.id, local.certs, secrets, remote.id"
ISSUER = "certificate issuer, remote.cacerts"
EXTENSIONS = "certificate extensions"

CERTIFICATES = [
    pubkey("the client's certificate comes from another CA", "client: certificate of a CA 'other'",
           gateway_says("certificate_untrusted", ISSUER, "CN=other", "x509ca"),
           client_says("peer_refused", REFUSED, "cygnet why there"), client_files=of_other_ca("cl")),
    pubkey("the gateway's certificate comes from another CA", "gateway: certificate of a CA 'other'",
           client_says("certificate_untrusted", ISSUER, "CN=other", "x509ca"),
           gateway_files=of_other_ca("gw")),
    pubkey("an intermediate CA is not sent", "client: certificate of a CA below ours",
           gateway_says("certificate_untrusted", ISSUER, "CN=sub", "missing intermediate"),
           client_files=below_root("cl")),
    pubkey("the client does not send its certificate", "client: send_cert = never",
           gateway_says("certificate_missing", "remote.certs", "send_cert = always"),
           client={"conn": "send_cert = never"}),
    pubkey("the client's certificate has expired", "client: certificate until 2021",
           gateway_says("certificate_expired", "certificate notAfter", "2021-01-01", "renew"),
           client_files=cert("cl", valid=EXPIRED)),
    pubkey("the gateway's certificate has expired", "gateway: certificate until 2021",
           client_says("certificate_expired", "certificate notAfter", "2021-01-01", "renew"),
           gateway_files=cert("gw", valid=EXPIRED)),
    pubkey("the gateway's clock is behind", "client: certificate from 2045 on",
           gateway_says("certificate_not_yet_valid", "certificate notBefore", "2045-01-01", "clocks"),
           client_files=cert("cl", valid=NOT_YET)),
    pubkey("the client's clock is behind", "gateway: certificate from 2045 on",
           client_says("certificate_not_yet_valid", "certificate notBefore", "2045-01-01", "clocks"),
           gateway_files=cert("gw", valid=NOT_YET)),
    pubkey("the gateway's certificate has no subjectAltName", "gateway: no SAN, and no local.id",
           gateway_says("identity_mismatch", "local.id", "CN=gw", "subjectAltName"),
           gateway={"local_id": None}, gateway_files=cert("gw", san="")),
    pubkey("the gateway shows its certificate's subject", "gateway: no SAN, and no local.id; client: "
           "remote.id = *.example",
           client_says("identity_mismatch", "remote.id", "CN=gw", "subjectAltName"),
           gateway={"local_id": None}, gateway_files=cert("gw", san=""),
           client={"remote_id": "*.example"}),
    pubkey("the gateway's certificate is for clients only", "gateway: extendedKeyUsage clientAuth",
           client_says("certificate_profile", EXTENSIONS, "serverAuth"),
           gateway_files=cert("gw", usage="clientAuth")),
    pubkey("the client's certificate is for something else", "client: extendedKeyUsage codeSigning",
           gateway_says("certificate_profile", EXTENSIONS, "clientAuth"),
           client_files=cert("cl", usage="codeSigning")),
    pubkey("the client's certificate is not for signatures", "client: keyUsage keyAgreement",
           gateway_says("certificate_profile", EXTENSIONS, "digitalSignature"),
           client_files=cert("cl", key_usage="keyAgreement")),
    pubkey("the CA is none", "CA: basicConstraints CA:FALSE",
           gateway_says("certificate_profile", EXTENSIONS, "CN=no CA", "CA:TRUE"),
           client_files=faulty_ca, gateway_files=trusting("no CA", constraints="CA:FALSE")),
    pubkey("the CA may have none below it", "CA: basicConstraints pathlen:0; client: certificate of "
           "a CA below it",
           gateway_says("certificate_profile", EXTENSIONS, "CN=flat", "pathlen"),
           client_files=chain_client, gateway_files=trusting("flat", constraints=FLAT)),
    pubkey("the CA may not name the client", "CA: nameConstraints permitted;DNS:corp.example",
           gateway_says("certificate_profile", EXTENSIONS, "CN=cl", "nameConstraints"),
           client_files=named_client, gateway_files=trusting("narrow", more=NARROW)),
    pubkey("the client's key is too short", "client (strongSwan): RSA of 1024 bits",
           gateway_says("certificate_profile", EXTENSIONS, "2048 bits", "stronger key"),
           client_files=cert("cl", key="rsa1024"), client_type=StrongSwan),
    pubkey("the client's certificate is signed with SHA-1", "client: certificate signed with SHA-1",
           gateway_says("certificate_profile", EXTENSIONS, "SHA-2", "hash"),
           client_files=cert("cl", digest="sha1")),
    beside("the key is another certificate's", "private/gw.key of another certificate",
           "connection 'rw'", lambda pki: {"private/gw.key": text_of(pki.client()["private"][0])},
           "no private key", "CN=gw", "private"),
    beside("the key is encrypted and its passphrase is nowhere", "private/gw.key encrypted",
           "private/gw.key", encrypted_key, "encrypted", "passphrase in secrets"),
    beside("the key's passphrase is wrong", "private { file = gw.key, secret = wrong }",
           "swanctl.conf:13:11", encrypted_key, "gw.key", "passphrase in secrets is wrong",
           old="pools { p4", new="secrets { private { file = gw.key\n secret = wrong } }\npools { p4"),
    beside("the key is too short", "private/gw.key: RSA of 1024 bits", "private/gw.key",
           own(key="rsa1024"), "2048 bits"),
    beside("everybody may read the key", "chmod 644 private/gw.key", "private/gw.key", key_for_all,
           "chmod 600", "[readable-secret]"),
    beside("the certificate's file is not there", "certs = gate.pem", "swanctl.conf:6:13", None,
           "certs", "x509/gate.pem", "No such file", old="gw.pem", new="gate.pem"),
    beside("a file in x509 is no certificate", "x509/notes.txt", "x509/notes.txt",
           lambda pki: {"x509/notes.txt": "renewed in May\n"}, "certificate", "DER", "PEM"),
    beside("an end certificate lies among the CAs", "x509ca/cl.pem", "x509ca/cl.pem",
           lambda pki: {"x509ca/cl.pem": text_of(pki.client()["x509"][0])}, "CN=cl", "CA:TRUE",
           "x509", "[no-ca]"),
    beside("there is no CA", "x509ca is empty", "swanctl.conf:1:15",
           lambda pki: {"x509ca/ca.pem": None}, "no CA", "x509ca", "[no-authority]"),
    beside("our own certificate has expired", "gateway: certificate until 2021", "swanctl.conf:6:5",
           own(valid=EXPIRED), "CN=gw", "2021-01-01", "renew", "[certificate-dates]"),
    beside("our own clock is behind", "gateway: certificate from 2045 on", "swanctl.conf:6:5",
           own(valid=NOT_YET), "CN=gw", "2045-01-01", "clock", "[certificate-dates]"),
    beside("our own certificate has no subjectAltName", "gateway: no SAN", "connection 'rw'",
           own(san=""), "local.id 'gw.example'", "subjectAltName"),
    beside("the certificate is not for servers (Windows 13801)", "gateway: no extendedKeyUsage",
           "swanctl.conf:6:5", own(usage=""), "13801", "serverAuth", "[certificate-usage]"),
    beside("the certificate is of a kind that Windows refuses", "gateway: Ed25519",
           "swanctl.conf:6:5", own(key="ed25519"), "Ed25519", "ECDSA P-384", "[certificate-kind]"),
]

IDENTITIES = [
    pubkey("the client has another name than the gateway expects", "gateway: remote.id = boss.example",
           gateway_says("identity_mismatch", "remote.id", "boss.example", "cl.example"),
           client_says("peer_refused", REFUSED, "cl.example"), gateway={"remote_id": "boss.example"}),
    pubkey("the client calls another gateway", "client: remote.id = vpn.example",
           gateway_says("identity_mismatch", "local.id", "gw.example", "vpn.example"),
           client_says("peer_refused", REFUSED, "vpn.example"), client={"remote_id": "vpn.example"}),
    pubkey("the gateway answers with another name", "client: remote.id = *.vpn.example",
           client_says("identity_mismatch", "remote.id", "*.vpn.example", "gw.example"),
           client={"remote_id": "*.vpn.example"}),
    psk("the name is right and its type is not", "client: local.id = keyid:cl.example",
        gateway_says("identity_mismatch", "remote.id", "ID_FQDN here and ID_KEY_ID there",
                     "keyid:cl.example"),
        gateway={"remote_id": "cl.example"}, client={"local_id": "keyid:cl.example"}),
    psk("a distinguished name comes as text (Apple)",
        'client: local.id = "fqdn:C=CH, O=cygnet test, CN=cl"',
        gateway_says("identity_mismatch", "remote.id", "ID_DER_ASN1_DN here and ID_FQDN there"),
        gateway={"remote_id": '"C=CH, O=cygnet test, CN=cl"'},
        client={"local_id": '"fqdn:C=CH, O=cygnet test, CN=cl"'}),
    pubkey("a distinguished name is written backwards",
           'gateway: remote.id = "CN=cl, O=cygnet test, C=CH"',
           gateway_says("identity_mismatch", "remote.id", "another order",
                        'remote.id = "C=CH, O=cygnet test, CN=cl"'),
           gateway={"remote_id": '"CN=cl, O=cygnet test, C=CH"'}, client={"local_id": None}),
    psk("the client has no local.id", "client: no local.id, with a pre-shared key",
        gateway_says("identity_mismatch", "remote.id", "192.0.2.2", "local.id = cl.example there"),
        gateway={"remote_id": "cl.example"}, client={"local_id": None}),
    beside("our name is not in our certificate", "gateway: local.id = vpn.example", "connection 'rw'",
           None, "local.id 'vpn.example'", "gw.example", "set local.id",
           old="id = gw.example", new="id = vpn.example"),
]

AUTHENTICATION = [
    psk("the pre-shared keys differ", "client: another secret",
        gateway_says("psk_wrong", "secrets", "cl.example", "the same key"),
        client_says("peer_refused", REFUSED, "secret"),
        client={"secrets": 'secrets { ike { secret = "another" } }\n'}),
    psk("the gateway's secret is for somebody else", "gateway: secrets { ike { id = boss.example } }",
        gateway_says("psk_missing", "secrets", "cl.example", "those here are for boss.example"),
        gateway={"secrets": 'secrets { ike { id = boss.example\n secret = "a shared secret" } }\n'}),
    psk("the client has no secret", "client: no secrets",
        client_says("psk_missing", "secrets", "gw.example", "secrets.ike"), client={"secrets": "\n"}),
    pubkey("a pre-shared key where a certificate is wanted", "client: local.auth = psk",
           gateway_says("auth_method_mismatch", "remote.auth", "pubkey", "psk"),
           client={"auth": "psk"}),
    pubkey("a certificate where a pre-shared key is wanted", "gateway: remote.auth = psk",
           gateway_says("auth_method_mismatch", "remote.auth", "pubkey", "psk"),
           gateway={"auth": "psk"}),
    psk("the gateway proves itself with a pre-shared key, a certificate is wanted",
        "client: remote.auth = pubkey",
        client_says("auth_method_mismatch", "remote.auth", "pubkey", "PSK"),
        client={"remote": "auth = pubkey"}),
    pubkey("the client wants EAP", "client (strongSwan): local.auth = eap",
           gateway_says("auth_method_mismatch", "remote.auth", "EAP", "certificate"),
           client={"auth": "eap", "secrets": ""}, client_type=StrongSwan),
    on_gateway("EAP is configured", "swanctl.conf:9:19", "remote { auth = psk }",
               "remote { auth = eap-mschapv2 }", "auth", "eap-mschapv2", "pubkey and psk"),
    on_gateway("XAuth is configured", "swanctl.conf:9:19", "remote { auth = psk }",
               "remote { auth = xauth }", "auth", "'xauth'", "pubkey and psk"),
    on_gateway("there is no secret", "swanctl.conf:1:15",
               'secrets { ike { secret = "a shared secret of the tests" } }', "", "secret",
               "[no-secret]"),
    on_client("the secret is for another peer", "swanctl.conf:1:15", "secrets { ike {",
              "secrets { ike { id = other.example\n", "gw.example", "[no-secret]", change="secrets { ike { id = other.example ..."),
    on_gateway("the secret can be guessed", "swanctl.conf:17:11", "a shared secret of the tests",
               "swordfish", "random", "20", "[short-secret]"),
    on_gateway("the secret is no hexadecimal", "swanctl.conf:17:27", "a shared secret of the tests",
               "0xsecret", "secret", "hexadecimal"),
    on_gateway("devices share an identity", "swanctl.conf:1:15", "  unique = never\n", "", "unique",
               "[shared-identity]"),
]

IKE_SUITE = "aes256gcm16-prfsha384-ecp384,"
PROPOSALS = [
    psk("no common encryption", "client: proposals = aes128gcm16-prfsha384-ecp384",
        gateway_says("no_common_proposal", "proposals", "AES_GCM_16_128", "ENCR"),
        client_says("no_common_proposal", "proposals", "NO_PROPOSAL_CHOSEN"),
        client=suite(ike="aes128gcm16-prfsha384-ecp384")),
    psk("no common group", "client: proposals = aes256gcm16-prfsha384-modp2048",
        gateway_says("no_common_proposal", "proposals", "MODP_2048", "differ in KE"),
        client=suite(ike="aes256gcm16-prfsha384-modp2048")),
    psk("no common PRF", "client: proposals = aes256gcm16-prfsha256-ecp384",
        gateway_says("no_common_proposal", "proposals", "PRF_HMAC_SHA2_256", "differ in PRF"),
        client=suite(ike="aes256gcm16-prfsha256-ecp384")),
    psk("a Windows that was set up by hand", "client (strongSwan): proposals as Windows has them",
        gateway_says("no_common_proposal", "proposals", "MODP_1024",
                     "product     strongSwan", "Set-VpnConnectionIPsecConfiguration"),
        client=suite(ike="3des-sha1-modp1024, aes256-sha256-modp1024"), client_type=StrongSwan),
    psk("no common encryption of the child", "client: esp_proposals = aes128-sha256",
        gateway_says("no_common_proposal", "esp_proposals", "AES_CBC_128", "differ in ENCR"),
        client_says("no_common_proposal", "esp_proposals", "NO_PROPOSAL_CHOSEN"),
        client=suite(esp="aes128-sha256")),
    psk("another key length of the child", "client: esp_proposals = aes128gcm16",
        gateway_says("no_common_proposal", "esp_proposals", "AES_GCM_16_128", "AES_GCM_16_256"),
        client=suite(esp="aes128gcm16")),
    psk("another group for rekeying (PFS)", "client: esp_proposals = aes256gcm16-modp2048",
        gateway_says("no_common_proposal", "esp_proposals", "MODP_2048", "differ in KE"),
        client_says("no_common_proposal", "esp_proposals", "MODP_2048"),
        client=suite(esp="aes256gcm16-modp2048"), steps=rekey_child),
    on_gateway("a misspelt algorithm", "swanctl.conf:3:15", IKE_SUITE,
               "aes256gmc16-prfsha384-ecp384,", "proposals", "did you mean 'aes256gcm16'"),
    on_gateway("AEAD with an integrity algorithm", "swanctl.conf:3:15", IKE_SUITE,
               "aes256gcm16-sha384-ecp384,", "proposals", "write 'prfsha384' for 'sha384'"),
    on_gateway("a cipher without integrity", "swanctl.conf:3:15", IKE_SUITE,
               "aes256-prfsha384-ecp384,", "proposals", "'aes256'", "add one, such as sha256"),
    on_gateway("AEAD and CBC in one proposal", "swanctl.conf:3:15", IKE_SUITE,
               "aes256gcm16-aes256-prfsha384-ecp384,", "proposals", "two proposals", "comma"),
    on_gateway("no group for the IKE_SA", "swanctl.conf:3:15", IKE_SUITE, "aes256gcm16-prfsha384,",
               "proposals", "key exchange", "x25519"),
    on_gateway("a broken group", "swanctl.conf:3:37", IKE_SUITE, "aes256gcm16-prfsha384-modp1024,",
               "proposals", "modp1024", "modp2048"),
    on_gateway("weak algorithms", "swanctl.conf:3:3", IKE_SUITE, "3des-sha1-modp2048,", "3DES_CBC",
               "leave it out", "[weak-algorithm]"),
    on_gateway("a group for rekeying is refused (Windows, Apple)", "swanctl.conf:12:5",
               "aes256gcm16-ecp384\n", "aes256gcm16\n", "PfsGroup", "[esp-without-group]"),
    beside("Windows offers AES-CBC", "proposals = aes256gcm16-prfsha384-ecp384", "swanctl.conf:3:3",
           None, "add aes256-sha384-ecp384", "[gcm-only]", old=", aes256-sha384-ecp384"),
]

SELECTORS = [
    psk("the client wants a network that the gateway does not have", "client: remote_ts = 10.2.0.0/24",
        gateway_says("no_common_selectors", "local_ts", "10.2.0.0/24", "10.1.0.0/24"),
        client_says("no_common_selectors", "local_ts, remote_ts", "TS_UNACCEPTABLE", "10.2.0.0/24"),
        client={"remote_ts": "10.2.0.0/24"}),
    psk("the client brings a network that the gateway does not know",
        "client: local_ts = 192.168.7.0/24",
        gateway_says("no_common_selectors", "remote_ts", "192.168.7.0/24", "local_ts"),
        client={"child": "local_ts = 192.168.7.0/24"}),
    psk("another protocol", "gateway: local_ts = 10.1.0.0/24[tcp]; client: remote_ts = 10.1.0.0/24[udp]",
        gateway_says("no_common_selectors", "local_ts", "[tcp]", "[udp]", "protocol"),
        gateway={"local_ts": "10.1.0.0/24[tcp]"}, client={"remote_ts": "10.1.0.0/24[udp]"}),
    psk("another port", "gateway: local_ts = 10.1.0.0/24[tcp/443]; client: remote_ts = "
        "10.1.0.0/24[tcp/80]",
        gateway_says("no_common_selectors", "local_ts", "[tcp/443]", "[tcp/80]", "port"),
        gateway={"local_ts": "10.1.0.0/24[tcp/443]"}, client={"remote_ts": "10.1.0.0/24[tcp/80]"}),
    psk("another address family", "client: remote_ts = ::/0",
        gateway_says("no_common_selectors", "local_ts", "::/0", "IPv6"), client={"remote_ts": "::/0"}),
    psk("the client asks for no address", "gateway: remote_ts = 10.9.0.0/24; client: no vips",
        gateway_says("no_common_selectors", "remote_ts", "10.9.0.0/24", "192.0.2.2",
                     "vips = 0.0.0.0"),
        gateway={"child": "remote_ts = 10.9.0.0/24"}, client={"vip": False}),
    on_gateway("a host's address for a network", "swanctl.conf:11:5", "10.1.0.0/24", "10.1.0.1/24",
               "local_ts", "10.1.0.0/24", "[host-bits]"),
    on_gateway("a prefix that is too long", "swanctl.conf:11:16", "10.1.0.0/24", "10.1.0.0/33",
               "local_ts", "10.1.0.0/33", "0 to 32"),
    on_gateway("a comma for a dot", "swanctl.conf:11:16", "10.1.0.0/24", "10.1.0,0/24", "local_ts",
               "'10.1.0'", more=True),
    on_gateway("a misspelt protocol", "swanctl.conf:11:28", "10.1.0.0/24", "10.1.0.0/24[tpc/443]",
               "local_ts", "did you mean 'tcp'"),
    on_gateway("both ends have the same network", "swanctl.conf:12:5", "local_ts = 10.1.0.0/24",
               "local_ts = 10.1.0.0/24\n    remote_ts = 10.1.0.0/24", "10.1.0.0/24",
               "other addresses", "[same-network]"),
]

POOLS = [
    psk("no address is left", "gateway: addrs = 10.9.0.7/32; two clients",
        gateway_says("pool_exhausted", "pools", "'p4': 1 of 1", "enlarge"),
        client_says("pool_exhausted", "vips", "0.0.0.0", "INTERNAL_ADDRESS_FAILURE", "enlarge"),
        gateway={"pools": "pools { p4 { addrs = 10.9.0.7/32 } }\n"},
        client={"secrets": conf.client(auth="psk", local_id="first.example")
                .replace("{ home {", "{ first {")}, steps=two_clients),
    psk("the gateway gives no addresses", "gateway: no pools",
        client_says("no_pool", "vips", "pool", "remove vips"), gateway={"pool": False}),
    psk("no IPv6 address is given", "client: vips = ::",
        gateway_says("no_pool", "pools", "add a pool of IPv6 addresses"),
        client_says("pool_exhausted", "vips", "::", "of that family"),
        client={"vip": False, "conn": "vips = ::"}),
    on_gateway("a pool that is not there", "swanctl.conf:4:11", "pools = p4", "pools = p5", "pools",
               "did you mean 'p4'"),
    on_gateway("a pool that nobody uses", "swanctl.conf:14:9", "  pools = p4\n", "",
               "write pools = p4", "[unused-pool]"),
    beside("two pools with the same addresses", "addrs = 10.9.0.128/25", "swanctl.conf:14:19", None,
           "addrs", "'10.9.0.0/24'", "disjoint", old="10.8.0.0/24", new="10.9.0.128/25"),
    on_gateway("the pool has the gateway's own address", "swanctl.conf:15:14", "10.9.0.0/24",
               "192.0.2.0/24", "192.0.2.1", "leave it out", "[pool-has-own-address]",
               change="addrs = 192.0.2.0/24"),
    on_gateway("a pool without addresses", "swanctl.conf:15:9", "addrs = 10.9.0.0/24\n", "", "'p4'",
               "needs 'addrs'", change="p4 without addrs"),
    on_gateway("a range the wrong way round", "swanctl.conf:15:22", "10.9.0.0/24",
               "10.9.0.200-10.9.0.100", "addrs", "must ascend",
               change="addrs = 10.9.0.200-10.9.0.100"),
    on_gateway("an IPv6 pool without a route", "swanctl.conf:4:3", "10.9.0.0/24", "fd00::/120",
               "local_ts", "::/0", "[ipv6-pool-without-selector]", change="addrs = fd00::/120"),
    on_client("%config for an address", "swanctl.conf:4:10", "vips = 0.0.0.0", "vips = %config",
              "vips", "write 0.0.0.0"),
]

ADDRESSES = [
    psk("the gateway's name has no address", "client: remote_addrs = gw.invalid",
        client_says("unreachable", "remote_addrs", "gw.invalid", "DNS"),
        client={"remote_addrs": "gw.invalid"}),
    psk("there is no way to the gateway", "client: remote_addrs = 2001:db8::1, without IPv6",
        client_says("unreachable", "remote_addrs", "2001:db8::1", "routes"),
        client={"remote_addrs": "2001:db8::1"}),
    psk("nobody answers at that address", "client: remote_addrs = 192.0.2.9",
        client_says("no_response", "remote_addrs", "192.0.2.9", "UDP 500 and 4500"),
        client={"remote_addrs": "192.0.2.9"}, options=HASTY),
    psk("another port", "client: remote_port = 4444",
        client_says("no_response", "remote_addrs, remote_port", "remote_port = 4444", "UDP 500"),
        client={"conn": "remote_port = 4444"}, options=HASTY),
    psk("a firewall drops UDP 4500", "gateway: its firewall",
        client_says("no_response", "UDP 4500", "answered IKE_SA_INIT", "firewall", "fragments"),
        filter="udp dport 4500", options=HASTY),
    psk("the gateway does not admit the client's address", "gateway: remote_addrs = 198.51.100.0/24",
        gateway_says("no_connection", "remote_addrs", "198.51.100.0/24", "192.0.2.2"),
        client_says("no_common_proposal", "proposals", "remote_addrs"),
        gateway={"conn": "remote_addrs = 198.51.100.0/24"}),
    psk("the client calls another address of the gateway", "gateway: local_addrs = 198.51.100.1",
        gateway_says("no_connection", "local_addrs", "198.51.100.1", "192.0.2.1"),
        gateway={"conn": "local_addrs = 198.51.100.1"}),
    on_client("an address that is none", "swanctl.conf:2:18", "192.0.2.1", "192.0.2.300",
              "remote_addrs", "'192.0.2.300'"),
    on_client("there is nobody to call", "swanctl.conf:14:5", "  remote_addrs = 192.0.2.1\n", "",
              "remote_addrs", "[trap-without-peer]"),
    on_client("a port that is none", "swanctl.conf:3:17", "  proposals",
              "  remote_port = 70000\n  proposals", "remote_port", "1 to 65535"),
    on_client("a port that the daemon has not", "swanctl.conf:3:16", "  proposals",
              "  local_port = 4444\n  proposals", "local_port", "500 or 4500"),
    on_client("a dead gateway is not noticed", "swanctl.conf:1:15", "keep_up = yes",
              "start_action = start", "dpd_delay", "30s", "[no-liveness]"),
    on_client("nobody can reach this machine before it has sent", "swanctl.conf:15:5",
              "keep_up = yes", "start_action = trap", "keep_up = yes", "[reachable-only-when-used]"),
]

CHILDREN = CLIENT[CLIENT.index("  children {"):CLIENT.index("} }\nsecrets")]
SYNTAX = [
    on_client("a misspelt option", "swanctl.conf:4:3", "vips = 0.0.0.0", "vip = 0.0.0.0", "'vip'",
              "did you mean 'vips'"),
    on_client("a misspelt section", "swanctl.conf:11:3", "children {", "childern {", "'childern'",
              "did you mean 'children'"),
    on_client("a misspelt section of the file", "swanctl.conf:18:1", "secrets {", "secret {",
              "'secret'", "did you mean 'secrets'"),
    on_client("a brace is missing", "swanctl.conf:1:1", "    keep_up = yes\n  } }\n} }",
              "    keep_up = yes\n  } }\n}", "'connections'", "'}' is missing", more=True,
              change="} of connections left out"),
    on_client("a brace too many", "swanctl.conf:18:61", 'tests" } }', 'tests" } } }', "'}'",
              "without a section"),
    on_client("a quote is missing", "swanctl.conf:18:26", 'tests" } }', "tests } }", "quote",
              "'\"' is missing", more=True),
    on_client("a line break is missing", "swanctl.conf:5:18", "auth = psk\n    id = cl.example",
              "auth = psk id = cl.example", "auth", "a line of its own",
              change="local { auth = psk id = cl.example"),
    on_client("no equals sign", "swanctl.conf:4:3", "vips = 0.0.0.0", "vips 0.0.0.0",
              "expected '='", "'vips'"),
    on_client("an option outside of its section", "swanctl.conf:1:1", "connections {",
              "version = 2\nconnections {", "'version'", "outside of any section"),
    on_client("an unknown value", "swanctl.conf:15:15", "keep_up = yes", "keep_up = maybe",
              "keep_up", "'maybe'", "known are yes, no"),
    on_client("a time of an unknown unit", "swanctl.conf:14:18", "rekey_time = 1h",
              "rekey_time = 1hour", "rekey_time", "s, m, h or d"),
    on_client("rekeying later than the end", "swanctl.conf:14:18", "rekey_time = 1h",
              "rekey_time = 1h\n    life_time = 30m", "rekey_time", "less than life_time"),
    on_client("an option twice", "swanctl.conf:15:5", "rekey_time = 1h",
              "rekey_time = 1h\n    rekey_time = 2h", "'rekey_time'", "line 14", "remove one"),
    on_client("nothing to inherit from", "swanctl.conf:1:22", "home {", "home : defaults {",
              "'defaults'", "inherit", change="home : defaults {"),
    on_client("an included file is not there", "swanctl.conf:1:9", "connections {",
              "include conf.d/mine.conf\nconnections {", "/etc/swanctl/conf.d/mine.conf",
              "No such file"),
    on_client("IKEv1", "swanctl.conf:2:13", "  remote_addrs", "  version = 1\n  remote_addrs",
              "version", "write 2"),
    on_client("what is kept up may not end when idle", "swanctl.conf:16:18", "keep_up = yes",
              "keep_up = yes\n    inactivity = 10m", "inactivity", "choose one"),
    on_client("no child", "swanctl.conf:1:15", CHILDREN, "", "children", "[no-child]", change="without children"),
    on_client("a second authentication round", "swanctl.conf:8:3", "  remote { auth",
              "  local-2 { auth = psk }\n  remote { auth", "'local-2'", "not supported"),
]

IPSEC_CONF = [
    on_ipsec("a misspelt keyword", "ipsec.conf:13:3", "leftsubnet=", "leftsubent=", "'leftsubent'",
             "did you mean 'leftsubnet'"),
    on_ipsec("a keyword is not indented", "ipsec.conf:12:1", "  leftid=", "leftid=", "'leftid'",
             "indented"),
    on_ipsec("a conn is indented", "ipsec.conf:10:8", "conn rw", "  conn rw", "'conn'",
             "must not be indented"),
    on_ipsec("a misspelt section", "ipsec.conf:10:1", "conn rw", "con rw", "'con'",
             "did you mean 'conn'"),
    on_ipsec("an unknown value", "ipsec.conf:16:8", "auto=add", "auto=ad", "auto",
             "did you mean 'add'"),
    on_ipsec("also names nobody", "ipsec.conf:16:8", "  auto=add", "  also=common\n  auto=add",
             "also", "'conn common'"),
    on_ipsec("the conn is never loaded", "ipsec.conf:10:6", "  auto=add\n", "", "'rw'",
             "write auto=add"),
    on_ipsec("a trap without a peer to call", "ipsec.conf:16:3", "auto=add", "auto=route",
             "auto=route", "right"),
    on_ipsec("a subnet that is none", "ipsec.conf:13:14", "10.1.0.0/24", "10.1.0.0/33",
             "leftsubnet", "0 to 32"),
    on_ipsec("a time of an unknown unit", "ipsec.conf:16:12", "  auto=add",
             "  lifetime=1hour\n  auto=add", "lifetime", "s, m, h or d"),
    on_ipsec("IKEv1", "ipsec.conf:5:15", "keyexchange=ikev2", "keyexchange=ikev1", "keyexchange",
             "write ikev2"),
    on_ipsec("XAuth", "ipsec.conf:8:10", "authby=secret", "authby=xauthpsk", "authby",
             "write pubkey or psk"),
    on_ipsec("libreswan's file", "ipsec.conf:16:3", "  auto=add", "  ikev2=insist\n  auto=add",
             "libreswan", "'ikev2'", "swanctl.conf"),
    on_ipsec("a firewall script", "ipsec.conf:16:3", "  auto=add", "  leftfirewall=yes\n  auto=add",
             "leftfirewall", "firewall must let them pass"),
    on_ipsec("a keyword without effect", "ipsec.conf:16:3", "  auto=add", "  pfs=yes\n  auto=add",
             "'pfs'", "esp=aes256gcm16-ecp384"),
    on_ipsec("addresses by DHCP", "ipsec.conf:15:17", "rightsourceip=10.9.0.0/24",
             "rightsourceip=%dhcp", "rightsourceip", "10.9.1.0/24"),
    on_ipsec("the certificate's file is not there", "ipsec.conf:8:12", "authby=secret",
             "leftcert=gw.pem", "leftcert", "/etc/ipsec.d/certs/gw.pem"),
    secrets("no colon", "1:1", SECRETS.replace(": ", "gw.example "), "blanks around the ':'"),
    secrets("no quotes", "1:9", SECRETS.replace('"', ""), "quote a secret that has blanks"),
    secrets("a misspelt kind of secret", "1:3", SECRETS.replace("PSK", "PKS"),
            "did you mean 'PSK'"),
    secrets("the key's file is not there", "2:7", SECRETS + ": RSA gw.key\n",
            "/etc/ipsec.d/private/gw.key"),
    Check("everybody may read the secrets", "chmod 644 ipsec.secrets", "ipsec.secrets",
          ("chmod 600", "[readable-secret]"), WITH_IPSEC,
          beside=lambda pki: {"ipsec.secrets": (SECRETS, 0o644)}),
]

KINDS = {
    "Certificates and keys": CERTIFICATES,
    "Identities": IDENTITIES,
    "Authentication": AUTHENTICATION,
    "Proposals": PROPOSALS,
    "Traffic selectors": SELECTORS,
    "Virtual addresses": POOLS,
    "Addresses and ports": ADDRESSES,
    "swanctl.conf": SYNTAX,
    "ipsec.conf and ipsec.secrets": IPSEC_CONF,
}
HEAD = """# What goes wrong, and what cygnet says to it

Search this page for the message you have. Each fault was made, alone, in a set-up that works; below it is what cygnet
said. Lines that begin with a file are what `cygnet check` prints (the daemon says the same when it loads the file); the
others are what `cygnet why` prints at the gateway or the client. Whoever calls often hears only AUTHENTICATION_FAILED or
NO_PROPOSAL_CHOSEN, because a gateway must not tell strangers more: ask `cygnet why` there.

The gateway is 192.0.2.1 and `gw.example`, has the network 10.1.0.0/24 and gives addresses of 10.9.0.0/24; the client is
192.0.2.2 and `cl.example`. `tests/interop/test_single_faults.py` makes the faults and holds this page against what is
said; `UPDATE_GOLDEN=1 python3 -m unittest test_single_faults` in that folder writes it anew.

"""
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"
TITLES = ["", *KINDS]


class SingleFaults(unittest.TestCase):
    maxDiff = None

    def test_document(self):
        """At least 60, each with a name of its own, and the page has nothing else."""
        names = [(kind, case.name) for kind, cases in KINDS.items() for case in cases]
        self.assertGreaterEqual(len(names), 60)
        self.assertEqual(len(names), len(set(names)))
        if UPDATE:
            write_section("", HEAD, TITLES)
        document = read_document()
        self.assertEqual(document[""], HEAD)
        self.assertEqual(list(document), TITLES)

    def test_sound(self):
        """Without a fault nothing is complained of, in files or between daemons."""
        with World() as world:
            nodes = pair(world)
            pki = Pki(world.folder("pki"), nodes[0])
            for sound in SOUND:
                self.assertEqual(check(sound, world.folder("check"), pki), [])
            for options, gateway_files, client_files in (({"auth": "psk"}, None, None),
                                                         ({}, pki.gateway(), pki.client())):
                gateway = Cygnet(nodes[0], conf.gateway(**options), gateway_files).start()
                client = Cygnet(nodes[1], conf.client(**options), client_files).start()
                client.up()
                client.rekey_child()
                for peer in (gateway, client):
                    self.assertIn("nothing was refused", peer.cli("why").stdout)
                    self.assertEqual(peer.warnings(), [])
                    peer.stop()

    def explain(self, kind):
        rows, texts, failed = [], [], []
        with World() as world:
            nodes = pair(world)
            pki = Pki(world.folder("pki"), nodes[0])
            for case in KINDS[kind]:
                try:
                    row, text = (run_live(case, nodes, pki) if isinstance(case, Live) else
                                 run_check(case, world.folder("check"), pki))
                except Exception as error:  # pylint: disable=broad-except
                    failed.append(f"{case.name}: {error}")
                    continue
                rows.append(row)
                texts.append(f"**{case.name}** (`{case.change}`)\n\n{text}")
        for row in rows:
            print(" | ".join(row))
        tell(f"single faults, {kind}: {len(rows)} of {len(KINDS[kind])} explained")
        self.assertFalse(failed, "\n\n".join(failed))
        section = "\n" + "\n".join(texts) + "\n"
        if UPDATE:
            write_section(kind, section, TITLES)
        self.assertEqual(read_document().get(kind), section,
                         "docs/faults.md is not what cygnet says now; UPDATE_GOLDEN=1 writes it")

    def test_certificates(self):
        self.explain("Certificates and keys")

    def test_identities(self):
        self.explain("Identities")

    def test_authentication(self):
        self.explain("Authentication")

    def test_proposals(self):
        self.explain("Proposals")

    def test_selectors(self):
        self.explain("Traffic selectors")

    def test_virtual_addresses(self):
        self.explain("Virtual addresses")

    def test_addresses(self):
        self.explain("Addresses and ports")

    def test_swanctl_conf(self):
        self.explain("swanctl.conf")

    def test_ipsec_conf(self):
        self.explain("ipsec.conf and ipsec.secrets")


if __name__ == "__main__":
    unittest.main()
