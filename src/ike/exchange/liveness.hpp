// An empty INFORMATIONAL: are you there?                          RFC 7296 §2.4
//
//    HDR, SK {}  -->
//                <--  HDR, SK {}
#pragma once

#include "ike/exchange/spec.hpp"
#include "ike/sa.hpp"

namespace cygnet::ike {

inline constexpr ExchangeSpec kInformational{.type = ExchangeType::informational, .request = {}};

}  // namespace cygnet::ike
