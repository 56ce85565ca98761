"""Certificates for the tests, made by the openssl program."""

import os

from .net import run

_CONFIG = """
[ca]
default_ca = this
[this]
database = {dir}/index.txt
new_certs_dir = {dir}
rand_serial = yes
unique_subject = no
default_md = sha384
policy = any
copy_extensions = none
[any]
countryName = optional
organizationName = optional
organizationalUnitName = optional
commonName = supplied
[req]
distinguished_name = dn
prompt = no
[dn]
"""

_KEYS = {
    "p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "rsa3072": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
    "rsa1024": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],  # too weak
    "ed25519": ["-algorithm", "ED25519"],
}
VALID = ("20200101000000Z", "20460101000000Z")
EXPIRED = ("20200101000000Z", "20210101000000Z")
NOT_YET = ("20450101000000Z", "20460101000000Z")


class Authority:
    """A CA in a folder of its own, self-signed or issued by `parent`. `more` are further lines of
    extensions."""

    def __init__(self, folder, name, key="p384", parent=None, constraints="CA:TRUE", more=""):
        self.folder = os.path.join(folder, name)
        self.key_kind = key
        os.makedirs(self.folder, exist_ok=True)
        self.config = self.path("ca.cnf")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(_CONFIG.format(dir=self.folder))
        open(self.path("index.txt"), "w", encoding="utf-8").close()
        self.cert, self.key = self.path("ca.crt"), self.path("ca.key")
        extensions = (f"basicConstraints=critical,{constraints}\n"
                      "keyUsage=critical,keyCertSign,cRLSign\n"
                      f"subjectKeyIdentifier=hash\n{more}")
        self._make(parent or self, f"/C=CH/O=cygnet test/CN={name}", self.key, self.cert,
                   extensions, VALID, key, selfsign=parent is None)

    def path(self, name):
        return os.path.join(self.folder, name)

    def issue(self, name, san="", key=None, valid=VALID, dn=None, usage="serverAuth,clientAuth",
              key_usage="digitalSignature", digest=None):
        """(certificate, key) files of an end entity; `san` as openssl writes it: "DNS:a.example"."""
        extensions = f"basicConstraints=CA:FALSE\nkeyUsage=critical,{key_usage}\n"
        if usage:
            extensions += f"extendedKeyUsage={usage}\n"
        if san:
            extensions += f"subjectAltName={san}\n"
        cert, key_file = self.path(f"{name}.crt"), self.path(f"{name}.key")
        self._make(self, dn or f"/C=CH/O=cygnet test/CN={name}", key_file, cert, extensions, valid,
                   key or self.key_kind, digest=digest)
        return cert, key_file

    @staticmethod
    def _make(issuer, dn, key_file, cert, extensions, valid, key, selfsign=False,
              digest=None):
        run(["openssl", "genpkey", *_KEYS[key], "-out", key_file])
        request = cert + ".csr"
        # Without a message digest Ed25519 keys sign as well.
        run(["openssl", "req", "-new", "-config", issuer.config, "-key", key_file, "-subj", dn,
             "-out", request])
        ext = cert + ".ext"
        with open(ext, "w", encoding="utf-8") as file:
            file.write(extensions)
        command = ["openssl", "ca", "-batch", "-notext", "-config", issuer.config,
                   "-startdate", valid[0], "-enddate", valid[1], "-extfile", ext, "-in", request,
                   "-out", cert, "-keyfile", key_file if selfsign else issuer.key]
        if issuer.key_kind == "ed25519":
            command += ["-md", "default"]
        elif digest:
            command += ["-md", digest]
        command += ["-selfsign"] if selfsign else ["-cert", issuer.cert]
        run(command)
