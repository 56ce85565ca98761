#include "config/diagnostics.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/text_file.hpp"

namespace cygnet::config {
namespace {

/// Octets of a text; of longer ones the middle is left out, since the end says what to do.
constexpr std::size_t kTextHeadMax = 700;
constexpr std::size_t kTextTailMax = 250;

/// What a log, a terminal and a client of vici can be given: values stand in it as they were
/// written.
std::string one_line(const std::string& text) {
  std::string out;
  for (const char one : text) {
    if (control(one)) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(one));
    } else {
      out += one;
    }
  }
  if (out.size() <= kTextHeadMax + kTextTailMax) return out;
  return out.substr(0, kTextHeadMax) + "..." + out.substr(out.size() - kTextTailMax);
}

}  // namespace

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
  diagnostic.text = one_line(diagnostic.text);
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
