#include "cli/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "config/ipsec_convert.hpp"
#include "config/load.hpp"
#include "config/section_text.hpp"
#include "config/swanctl_parser.hpp"
#include "control/credentials.hpp"

namespace cygnet::cli {
namespace {

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string secrets_beside(const std::string& path, config::Files& files) {
  std::string out = folder_of(path) + "/ipsec.secrets";
  return files.glob(out).empty() ? "" : out;
}

/// The first words that are not in a comment.
std::string_view first_word(std::string_view text) {
  while (!text.empty()) {
    const std::size_t start = text.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos) return {};
    text.remove_prefix(start);
    if (text.front() != '#') return text.substr(0, text.find_first_of(" \t\r\n{=#:"));
    text.remove_prefix(std::min(text.size(), text.find('\n')));
  }
  return {};
}

/// A configuration, with the tree that says where things stand.
struct Parsed {
  config::Section root;
  config::Loaded loaded;
  std::vector<config::ConversionNote> notes;
};

Parsed parse(const std::string& path, Format format, const std::vector<IpAddress>& own_addresses,
             config::Files& files, config::Diagnostics& diags) {
  Parsed out;
  if (format == Format::ipsec) {
    const config::IpsecInput input{.conf_path = path,
                                   .secrets_path = secrets_beside(path, files),
                                   .own_addresses = own_addresses};
    config::Converted converted = config::convert_ipsec(input, files, diags);
    out.root = std::move(converted.root);
    out.notes = std::move(converted.notes);
    out.loaded = config::load_converted(input, out.root, files, diags);
  } else {
    out.root = config::parse_swanctl(path, files, diags);
    out.loaded = config::load_swanctl(out.root, files, folder_of(path), diags);
  }
  return out;
}

/// Keys that fit, certificates that can be read: what only the daemon would find.
void complete(config::Loaded& loaded, config::Diagnostics& diags) {
  control::Credentials credentials;
  static_cast<void>(credentials.exchange_file(control::CredentialSet::from(loaded, diags)));
  for (model::Connection& one : loaded.connections) credentials.complete(one, diags);
  loaded.shared_secrets = std::move(credentials.exchange_file({}).secrets);
}

std::string count(std::size_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

}  // namespace

Result<Format> format_of(const std::string& path, config::Files& files) {
  CYG_TRY(const std::string text, files.read(path));
  if (path.ends_with("swanctl.conf")) return Format::swanctl;
  const std::string_view word = first_word(text);
  static constexpr std::array<std::string_view, 4> kIpsec{"config", "conn", "ca", "version"};
  static constexpr std::array<std::string_view, 4> kSwanctl{"connections", "secrets", "pools",
                                                            "authorities"};
  if (std::ranges::find(kIpsec, word) != kIpsec.end()) return Format::ipsec;
  if (std::ranges::find(kSwanctl, word) != kSwanctl.end()) return Format::swanctl;
  // A file that only includes others, or starts with a section of its own.
  return path.ends_with("ipsec.conf") ? Format::ipsec : Format::swanctl;
}

CheckReport check_file(const std::string& path, Format format, const config::Host& host,
                       config::Files& files) {
  config::Diagnostics diags;
  Parsed parsed = parse(path, format, host.addresses, files, diags);
  std::vector<config::Finding> findings;
  if (!diags.has_errors()) {
    complete(parsed.loaded, diags);
    findings = config::lint(parsed.root, parsed.loaded, host, files);
  }
  config::wipe_secrets(parsed.root);
  CheckReport out{.text = diags.text(), .usable = !diags.has_errors()};
  for (const config::ConversionNote& note : parsed.notes) out.text += note.line() + "\n";
  for (const config::Finding& one : findings) out.text += one.line() + "\n";
  const std::vector<config::Diagnostic> all = diags.sorted();
  const auto errors = static_cast<std::size_t>(
      std::ranges::count(all, config::Severity::error, &config::Diagnostic::severity));
  out.text += fmt::format("{}: {}, {}; {}, {}\n", path,
                          count(parsed.loaded.connections.size(), "connection"),
                          count(errors, "error"), count(all.size() - errors, "warning"),
                          count(findings.size() + parsed.notes.size(), "note"));
  return out;
}

ConvertReport convert_file(const std::string& path, const std::string& secrets_path,
                           bool with_secrets, const std::vector<IpAddress>& own_addresses,
                           config::Files& files) {
  config::Diagnostics diags;
  config::Converted converted = config::convert_ipsec(
      {.conf_path = path,
       .secrets_path = secrets_path.empty() ? secrets_beside(path, files) : secrets_path,
       .own_addresses = own_addresses},
      files, diags);
  ConvertReport out{.text = {}, .notes = diags.text()};
  for (const config::ConversionNote& note : converted.notes) out.notes += note.line() + "\n";
  if (!diags.has_errors()) {
    const auto text = config::section_text(
        converted.root, with_secrets ? config::Secrets::written : config::Secrets::left_out);
    if (text) {
      out.text = *text;
    } else {
      out.notes += text.error().text() + "\n";
    }
  }
  config::wipe_secrets(converted.root);
  return out;
}

}  // namespace cygnet::cli
