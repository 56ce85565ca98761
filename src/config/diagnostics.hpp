// Everything that is wrong with a configuration, each fault at its place.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "config/section.hpp"

namespace cygnet::config {

enum class Severity : std::uint8_t { error, warning };

struct Diagnostic {
  Place place;
  Severity severity = Severity::error;
  std::string text;

  /// "file:line:column: error: text".
  [[nodiscard]] std::string line() const;
  friend auto operator<=>(const Diagnostic&, const Diagnostic&) = default;
};

/// Most diagnostics that are kept; the rest are counted.
inline constexpr std::size_t kDiagnosticsMax = 1000;

/// Collects faults; a configuration with errors must not be used.
class Diagnostics {
 public:
  void error(const Place& place, std::string text);
  void warning(const Place& place, std::string text);

  /// True when there is an error (warnings do not count).
  [[nodiscard]] bool has_errors() const { return errors_ != 0; }
  [[nodiscard]] std::size_t error_count() const { return errors_; }
  [[nodiscard]] bool empty() const { return all_.empty(); }
  /// By place, each once: a fault in an inherited section shows up once however many inherit it.
  [[nodiscard]] std::vector<Diagnostic> sorted() const;
  /// The sorted lines, each ended by a line feed.
  [[nodiscard]] std::string text() const;

 private:
  void add(Diagnostic diagnostic);

  std::vector<Diagnostic> all_;
  std::size_t errors_ = 0;
  std::size_t dropped_ = 0;
};

}  // namespace cygnet::config
