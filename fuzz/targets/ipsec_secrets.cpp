// A whole ipsec.secrets: parsed into swanctl.conf's secrets, printed, loaded. No message repeats a
// secret.
// Modules: config
#include "config/ipsec_secrets.hpp"
#include "config/load.hpp"
#include "config/section_text.hpp"
#include "config/swanctl_parser.hpp"
#include "fuzz_target.hpp"
#include "one_file.hpp"

namespace cygnet {
namespace {

/// A secret that the input does not hold elsewhere.
std::string secret_for(const std::string& input) {
  std::string out = "hidden-0";
  while (input.find(out) != std::string::npos) out += '0';
  return out;
}

}  // namespace

void fuzz_ipsec_secrets(ByteView input) {
  const std::string before = to_string(input);
  const std::string secret = secret_for(before);
  OneFile files{before + "\n: PSK \"" + secret + "\"\n", ".secrets"};
  config::Diagnostics diags;
  std::vector<config::ConversionNote> notes;
  config::Section root;
  root.sections.push_back(config::parse_ipsec_secrets("/etc/ipsec.secrets", "/etc/ipsec.d/private",
                                                      files, diags, notes));
  for (const config::Section& entry : root.sections.front().sections) {
    CYG_CHECK(!entry.keys.empty());
    for (const config::Key& key : entry.keys) CYG_CHECK(!key.value.empty());
  }
  const auto text = config::section_text(root, config::Secrets::written);
  CYG_CHECK(text.has_value());
  if (text->size() <= config::kFileOctetsMax) {
    config::Diagnostics none;
    const config::Section back = config::parse_swanctl_text(*text, "fuzz", files, none);
    CYG_CHECK(none.empty());
    CYG_CHECK(config::same_values(back, root));
  }
  const auto shown = config::section_text(root, config::Secrets::left_out);
  CYG_CHECK(shown.has_value() && shown->find(secret) == std::string::npos);
  static_cast<void>(config::load_sections(root, files, "/etc/ipsec.d", diags));
  for (const config::Diagnostic& one : diags.sorted()) {
    CYG_CHECK(one.text.find(secret) == std::string::npos);
  }
  for (const config::ConversionNote& note : notes) {
    CYG_CHECK(note.text.find(secret) == std::string::npos);
  }
  config::wipe_secrets(root);
}

}  // namespace cygnet
