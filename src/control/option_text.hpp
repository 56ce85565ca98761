// What is configured, in the words of swanctl.conf.
#pragma once

#include <string>
#include <vector>

#include "model/connection.hpp"

namespace cygnet::control {

/// One option of a connection, "children.net.remote_ts", and its value.
struct OptionText {
  std::string option;
  std::string value;
  friend bool operator==(const OptionText&, const OptionText&) = default;
};

/// All of them, those of its children behind its own. Connections that are not equal differ here.
[[nodiscard]] std::vector<OptionText> options_of(const model::Connection& connection);
[[nodiscard]] std::vector<OptionText> options_of(const model::Pool& pool);

/// "192.0.2.1", "10.0.0.0/8", "gw.example", "%any".
[[nodiscard]] std::vector<std::string> address_list(
    const std::vector<model::AddressPattern>& addresses);
/// The subjects of certificates in DER.
[[nodiscard]] std::vector<std::string> subjects(const std::vector<Bytes>& certificates);

}  // namespace cygnet::control
