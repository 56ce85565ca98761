"""swanctl.conf texts for a gateway and a client; both daemons read them."""

SUITE = ("aes256gcm16-prfsha384-ecp384", "aes256gcm16-ecp384")
PSK = 'secrets { ike { secret = "a shared secret of the tests" } }\n'


def _auth(kind, identity):
    return f"auth = {kind}\n    {f'id = {identity}' if identity else ''}"


def gateway(auth="pubkey", suite=SUITE, pool=True, local_id="gw.example", remote_id=None,
            conn="", child="", local_ts="10.1.0.0/24", pools=None, remote="", secrets=None):
    """`conn`, `child` and `remote` are further lines of those sections."""
    if pools is None:
        pools = "pools { p4 { addrs = 10.9.0.0/24\n  dns = 10.1.0.53 } }\n" if pool else ""
    return f"""connections {{ rw {{
  version = 2
  proposals = {suite[0]}
  {'pools = p4' if pool else ''}
  {conn}
  local {{
    {_auth(auth, local_id)}
  }}
  remote {{
    {_auth(auth, remote_id)}
    {remote}
  }}
  children {{ net {{
    local_ts = {local_ts}
    esp_proposals = {suite[1]}
    {child}
  }} }}
}} }}
{pools}{secrets if secrets is not None else PSK if auth == 'psk' else ''}"""


def client(auth="pubkey", suite=SUITE, vip=True, local_id="cl.example", remote_id="gw.example",
           conn="", child="", remote_ts="10.1.0.0/24", remote_addrs="192.0.2.1", remote="",
           secrets=None):
    return f"""connections {{ home {{
  version = 2
  proposals = {suite[0]}
  remote_addrs = {remote_addrs}
  {'vips = 0.0.0.0' if vip else ''}
  {conn}
  local {{
    {_auth(auth, local_id)}
  }}
  remote {{
    {_auth(auth, remote_id)}
    {remote}
  }}
  children {{ net {{
    remote_ts = {remote_ts}
    esp_proposals = {suite[1]}
    {child}
  }} }}
}} }}
{secrets if secrets is not None else PSK if auth == 'psk' else ''}"""


def credentials(authority, issued, chain=(), chain_folder="x509ca"):
    """The folders for one side: its certificate and key, the CA of both, and the CAs between,
    which strongSwan finds in x509ca only; we trust those there and take the rest from x509."""
    cert, key = issued
    folders = {"x509": [cert], "private": [key], "x509ca": [authority.cert]}
    folders[chain_folder] = folders[chain_folder] + [ca.cert for ca in chain]
    return folders
