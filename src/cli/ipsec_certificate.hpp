// What a certificate says, as the listings of `ipsec` need it.
#pragma once

#include "base/error.hpp"
#include "vici/message.hpp"

namespace cygnet::cli {

/// A list-cert event with what its `data` says: subject, issuer, not-before and not-after (seconds
/// since 1970), serial, alt-names, flags, subject-key-id, key, key-id, key-sha1. Fails for data
/// that is no X.509 certificate.
[[nodiscard]] Result<vici::Message> with_details(const vici::Message& event);

}  // namespace cygnet::cli
