// A long answer, told part by part, so that others are served in between.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "ike/status.hpp"
#include "vici/message.hpp"

namespace cygnet::control {

/// Parts of a listing that are told at once.
inline constexpr std::size_t kPartsAtOnce = 64;

namespace part {
/// Passed over when it is gone by then.
struct Connection {
  std::string name;
};
struct Certificate {
  Bytes der;
  std::string_view flag;  ///< "NONE", "CA"
  bool has_key = false;
};
struct Sa {
  ike::IkeStatus status;
};
struct Policy {
  ike::ChildStatus routed;
};
struct Change {
  vici::Message told;
};
}  // namespace part

/// What a client has asked for and not been told yet.
struct Listing {
  using Part =
      std::variant<part::Connection, part::Certificate, part::Sa, part::Policy, part::Change>;
  std::string event;
  std::deque<Part> parts;
  vici::Message last;  ///< the answer, after all parts
};

}  // namespace cygnet::control
