// Who a peer is: the body of an ID payload.                      RFC 7296 §3.5
#pragma once

#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "registry/registry.hpp"

namespace cygnet::model {

/// An identity as it travels: a type and its octets. A DN is DER (pki turns it from and into
/// text); a wildcard pattern has the same form with `*` in it (pki::match_identity).
struct Identity {
  IdType type = IdType::key_id;
  Bytes data;

  [[nodiscard]] static Identity address(const IpAddress& ip);
  friend auto operator<=>(const Identity&, const Identity&) = default;
};

/// What a connection accepts as the peer's identity; empty accepts any (%any).
using IdentityPattern = std::optional<Identity>;

}  // namespace cygnet::model
