// What both roles of IKE_AUTH share.                              RFC 7296 §2.15, §3.6, §3.7
#include "ike/exchange/ike_auth_common.hpp"

#include <algorithm>

#include "ike/limits.hpp"
#include "ike/select.hpp"

namespace cygnet::ike {
namespace {

constexpr std::size_t kAuthoritySize = 20;  // SHA-1

}  // namespace

void add_certificate_request(const IkeSa& sa, Context& cx, std::vector<wire::Payload>& out) {
  const bool wanted =
      sa.initiator
          ? sa.connection.send_certreq && sa.connection.remote.method == model::AuthClass::pubkey
          : may_want_certificate(cx.shared.connections, sa.local, sa.remote);
  if (!wanted) return;
  wire::CertReqPayload request;
  std::size_t count = 0;
  for (const Bytes& authority : cx.shared.authorities) {
    if (authority.size() != kAuthoritySize) continue;
    if (++count > kAuthoritiesSentMax) break;
    append(request.authorities, authority);
  }
  if (count > 0) out.emplace_back(std::move(request));
}

void learn_authorities(IkeSa& sa, const std::vector<wire::Payload>& payloads) {
  for (const wire::Payload& payload : payloads) {
    const auto* request = std::get_if<wire::CertReqPayload>(&payload);
    if (request == nullptr || request->encoding != CertEncoding::x509_signature) continue;
    const ByteView all = request->authorities;
    for (std::size_t at = 0; at + kAuthoritySize <= all.size(); at += kAuthoritySize) {
      if (sa.peer.authorities.size() >= kAuthoritiesMax) return;
      sa.peer.authorities.push_back(to_bytes(all.subspan(at, kAuthoritySize)));
    }
  }
}

model::Identity own_identity(const IkeSa& sa) {
  return sa.connection.local.id.value_or(model::Identity::address(sa.local.address));
}

Result<Bytes> octets_to_sign(const IkeSa& sa, Context& cx, const Handshake& handshake,
                             const model::Identity& id, bool of_initiator) {
  return signed_octets(
      cx.crypto, sa.suite.prf,
      {.own_message = of_initiator ? handshake.init_request : handshake.init_response,
       .other_nonce = of_initiator ? handshake.nonce_r : handshake.nonce_i,
       .sk_p = of_initiator ? handshake.keys.pi : handshake.keys.pr,
       .id = id});
}

Result<AskId> ask_own_proof(IkeSa& sa, Context& cx, const Handshake& handshake) {
  sa.local_id = own_identity(sa);
  CYG_TRY(Bytes octets, octets_to_sign(sa, cx, handshake, *sa.local_id, sa.initiator));
  const AskId id = cx.next_ask(sa.id);
  if (sa.connection.local.method == model::AuthClass::psk) {
    cx.out.emplace_back(
        Ask{.id = id,
            .what = ask::SharedKeyMac{.connection = sa.connection.name,
                                      .local = *sa.local_id,
                                      .remote = sa.remote_id ? *sa.remote_id : expected_remote(sa),
                                      .prf = sa.suite.prf,
                                      .octets = std::move(octets)}});
  } else {
    cx.out.emplace_back(Ask{.id = id,
                            .what = ask::Sign{.connection = sa.connection.name,
                                              .octets = std::move(octets),
                                              .digital_signature = sa.peer.digital_signature,
                                              .hashes = sa.peer.hashes,
                                              .authorities = sa.peer.authorities}});
  }
  return id;
}

model::Identity expected_remote(const IkeSa& sa) {
  return sa.connection.remote.id.value_or(model::Identity::address(sa.remote.address));
}

Result<AskId> ask_judgement(IkeSa& sa, Context& cx, const Handshake& handshake,
                            const std::vector<wire::Payload>& payloads,
                            const model::Identity& identity) {
  const AskId id = cx.next_ask(sa.id);
  if (sa.connection.remote.method == model::AuthClass::psk) {
    CYG_TRY(Bytes octets, octets_to_sign(sa, cx, handshake, identity, !sa.initiator));
    cx.out.emplace_back(Ask{.id = id,
                            .what = ask::SharedKeyMac{.connection = sa.connection.name,
                                                      .local = own_identity(sa),
                                                      .remote = identity,
                                                      .prf = sa.suite.prf,
                                                      .octets = std::move(octets)}});
    return id;
  }
  ask::CheckCertificates check{
      .connection = sa.connection.name, .remote = identity, .initiator = sa.initiator};
  std::size_t bytes = 0;
  for (const wire::Payload& payload : payloads) {
    const auto* cert = std::get_if<wire::CertPayload>(&payload);
    if (cert == nullptr || cert->encoding != CertEncoding::x509_signature) continue;
    bytes += cert->data.size();
    if (check.chain.size() == kCertificatesMax || bytes > kCertificateBytesMax) {
      return cygnet::fail("certificates", "the peer sent too many");
    }
    check.chain.push_back(cert->data);
  }
  cx.out.emplace_back(Ask{.id = id, .what = std::move(check)});
  return id;
}

std::expected<PeerAuthenticated, FailureRecord> judge_peer(
    IkeSa& sa, Context& cx, const Handshake& handshake, const std::vector<wire::Payload>& payloads,
    const model::Identity& identity, const Answer& answer) {
  if (const auto* refused = std::get_if<answer::Refused>(&answer.result)) {
    FailureRecord record = record_of(*refused);
    if (record.reason == Reason::certificate_missing) record.field = "remote.certs";  // not ours
    return std::unexpected(std::move(record));
  }
  const auto* auth = first_of<wire::AuthPayload>(payloads);
  auto octets = octets_to_sign(sa, cx, handshake, identity, !sa.initiator);
  if (auth == nullptr || !octets) {
    return std::unexpected(FailureRecord{.reason = Reason::internal, .theirs = "no AUTH payload"});
  }
  if (const auto* cert = std::get_if<answer::CertificateOk>(&answer.result)) {
    return authenticate(cx.crypto,
                        {.auth = *auth,
                         .identity = identity,
                         .octets = *octets,
                         .proof = PublicKeyProof{.public_key = cert->public_key,
                                                 .rule = sa.connection.remote.rules.auth}});
  }
  if (const auto* mac = std::get_if<answer::Mac>(&answer.result)) {
    return authenticate(cx.crypto, {.auth = *auth,
                                    .identity = identity,
                                    .octets = *octets,
                                    .proof = SharedKeyProof{.expected = mac->value.reveal()}});
  }
  return std::unexpected(
      FailureRecord{.reason = Reason::internal, .theirs = "an answer of the wrong kind"});
}

FailureRecord record_of(const answer::Refused& refused) {
  return {.reason = refused.reason,
          .field = std::string{field_of(refused.reason)},
          .ours = refused.ours,
          .theirs = refused.theirs,
          .advice = refused.advice};
}

std::expected<std::vector<wire::Payload>, FailureRecord> proof_payloads(const IkeSa& sa,
                                                                        const Answer& answer) {
  std::vector<wire::Payload> out;
  out.emplace_back(wire::IdPayload{.initiator = sa.initiator, .id = *sa.local_id});
  if (const auto* refused = std::get_if<answer::Refused>(&answer.result)) {
    FailureRecord record = record_of(*refused);
    if (record.reason == Reason::auth_rule) record.field = "local.auth";
    return std::unexpected(std::move(record));
  }
  if (const auto* made = std::get_if<answer::Signed>(&answer.result)) {
    const bool wanted =
        sa.connection.send_cert == model::SendCert::always ||
        (sa.connection.send_cert == model::SendCert::if_asked && !sa.peer.authorities.empty());
    if (wanted) {
      for (const Bytes& cert : made->chain) out.emplace_back(wire::CertPayload{.data = cert});
    }
    out.emplace_back(
        wire::AuthPayload{.method = made->signature.method, .data = made->signature.auth_data});
    return out;
  }
  if (const auto* mac = std::get_if<answer::Mac>(&answer.result)) {
    out.emplace_back(
        wire::AuthPayload{.method = AuthMethod::shared_key, .data = to_bytes(mac->value.reveal())});
    return out;
  }
  return std::unexpected(
      FailureRecord{.reason = Reason::internal, .theirs = "an answer of the wrong kind"});
}

}  // namespace cygnet::ike
