// A whole ipsec.conf: parsed, converted, loaded. What was converted without an error can be printed
// as swanctl.conf, and reads back as the same tree.
// Modules: config
#include "config/ipsec_convert.hpp"
#include "config/section_text.hpp"
#include "config/swanctl_parser.hpp"
#include "fuzz_target.hpp"
#include "one_file.hpp"

namespace cygnet {
namespace {

bool on_one_line(const std::string& text) {
  return !text.empty() && text.find('\n') == std::string::npos;
}

}  // namespace

void fuzz_ipsec_conf(ByteView input) {
  OneFile files{to_string(input), ".conf"};
  const config::IpsecInput paths{.conf_path = "/etc/ipsec.conf",
                                 .secrets_path = {},
                                 .own_addresses = {IpAddress::v4(0xC0000202)}};
  config::Diagnostics diags;
  const config::Converted converted = config::convert_ipsec(paths, files, diags);
  for (const config::ConversionNote& note : converted.notes) CYG_CHECK(!note.text.empty());
  if (!diags.has_errors()) {
    const auto text = config::section_text(converted.root, config::Secrets::written);
    CYG_CHECK(text.has_value());
    config::Diagnostics none;
    const config::Section back = config::parse_swanctl_text(*text, "fuzz", files, none);
    // A file of 4 MiB can become a longer one, which the parser does not take.
    if (text->size() <= config::kFileOctetsMax) {
      CYG_CHECK(none.empty());
      CYG_CHECK(config::same_values(back, converted.root));
    }
  }
  OneFile again{to_string(input), ".conf"};
  config::Diagnostics more;
  const config::LoadedIpsec loaded = config::load_ipsec(paths, again, more);
  CYG_CHECK(more.error_count() >= diags.error_count());
  for (const config::Diagnostic& one : more.sorted()) CYG_CHECK(on_one_line(one.text));
  for (const model::Connection& connection : loaded.loaded.connections) {
    CYG_CHECK(!connection.proposals.empty());
    CYG_CHECK(!connection.children.empty());
  }
}

}  // namespace cygnet
