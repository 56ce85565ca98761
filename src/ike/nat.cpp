#include "ike/nat.hpp"

#include "base/writer.hpp"

namespace cygnet::ike {

Bytes nat_hash(const crypto::Provider& crypto, IkeSpi spi_i, IkeSpi spi_r,
               const Endpoint& endpoint) {
  Writer input;
  input.be(spi_i);
  input.be(spi_r);
  input.put(endpoint.address.bytes());
  input.be(endpoint.port);
  return crypto.hash(HashId::sha1, input.view());
}

std::vector<wire::Payload> nat_notifies(const crypto::Provider& crypto, Rng& rng,
                                        const wire::Header& header, const Endpoint& local,
                                        const Endpoint& remote, bool force) {
  Bytes source = nat_hash(crypto, header.spi_i, header.spi_r, local);
  if (force) rng.fill(source);
  return {
      wire::NotifyPayload{.type = NotifyType::nat_detection_source_ip, .data = std::move(source)},
      wire::NotifyPayload{.type = NotifyType::nat_detection_destination_ip,
                          .data = nat_hash(crypto, header.spi_i, header.spi_r, remote)}};
}

NatVerdict judge_nat(const crypto::Provider& crypto, const wire::Header& header,
                     const std::vector<wire::Payload>& payloads, const Endpoint& local,
                     const Endpoint& remote) {
  const Bytes source = nat_hash(crypto, header.spi_i, header.spi_r, remote);
  const Bytes destination = nat_hash(crypto, header.spi_i, header.spi_r, local);
  bool source_seen = false;
  bool source_match = false;
  bool destination_seen = false;
  bool destination_match = false;
  for (const wire::Payload& payload : payloads) {
    const auto* notify = std::get_if<wire::NotifyPayload>(&payload);
    if (notify == nullptr) continue;
    if (notify->type == NotifyType::nat_detection_source_ip) {
      // A multihomed sender may send several; one that matches is enough.
      source_seen = true;
      source_match = source_match || notify->data == source;
    } else if (notify->type == NotifyType::nat_detection_destination_ip) {
      destination_seen = true;
      destination_match = destination_match || notify->data == destination;
    }
  }
  return {.supported = source_seen && destination_seen,
          .local = destination_seen && !destination_match,
          .remote = source_seen && !source_match};
}

}  // namespace cygnet::ike
