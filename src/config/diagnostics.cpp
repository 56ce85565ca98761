#include "config/diagnostics.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cygnet::config {

std::string Diagnostic::line() const {
  return fmt::format("{}: {}: {}", place.text(), severity == Severity::error ? "error" : "warning",
                     text);
}

void Diagnostics::error(const Place& place, std::string text) {
  ++errors_;
  add({place, Severity::error, std::move(text)});
}

void Diagnostics::warning(const Place& place, std::string text) {
  add({place, Severity::warning, std::move(text)});
}

void Diagnostics::add(Diagnostic diagnostic) {
  if (all_.size() >= kDiagnosticsMax) {
    ++dropped_;
    return;
  }
  all_.push_back(std::move(diagnostic));
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<Diagnostic> out = all_;
  std::ranges::sort(out);
  const auto twins = std::ranges::unique(out);
  out.erase(twins.begin(), twins.end());
  return out;
}

std::string Diagnostics::text() const {
  std::string out;
  for (const Diagnostic& diagnostic : sorted()) out += diagnostic.line() + "\n";
  if (dropped_ != 0) out += fmt::format("and {} more\n", dropped_);
  return out;
}

}  // namespace cygnet::config
