// What a reload changes: told before (`cygnet plan`) or as it is done (`cygnet apply`).
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/configuration.hpp"
#include "control/effects.hpp"
#include "control/pools.hpp"
#include "control/supervisor.hpp"
#include "vici/message.hpp"

namespace cygnet::control {

/// Tells one Change, in answer to cygnet-plan and cygnet-reload.
inline constexpr std::string_view kChangeEvent = "cygnet-change";

/// One option that is other than before; empty where there was or will be none.
struct OptionChange {
  std::string option;
  std::string before;
  std::string after;
  friend bool operator==(const OptionChange&, const OptionChange&) = default;
};

/// One thing that is new, other than before, or gone.
struct Change {
  enum class Kind : std::uint8_t { added, changed, removed } kind = Kind::changed;
  std::string
      what;  ///< connection, pool, authority, secret, key, certificate, CA certificate, or order
  std::string name;                     ///< never a value: of secrets their section, of keys a hash
  std::vector<OptionChange> options{};  ///< of what is changed
  std::vector<std::string> ends{};      ///< children that are up and are taken down
  std::vector<std::string> unrouted{};  ///< children whose trap or shunt is taken away
};

/// Everything that `staged` and the pools of the same file change, as it would be carried out.
[[nodiscard]] std::vector<Change> plan_of(const Configuration::Staged& staged,
                                          const std::vector<PoolChange>& pools,
                                          const std::set<ChildKey>& routed, const View& view);

/// Which options of a connection are others.
[[nodiscard]] std::vector<OptionChange> option_changes(const model::Connection& before,
                                                       const model::Connection& after);

/// The message of kChangeEvent.
[[nodiscard]] vici::Message message_of(const Change& change);

}  // namespace cygnet::control
