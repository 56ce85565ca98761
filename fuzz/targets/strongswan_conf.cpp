// A whole strongswan.conf: parsed and read as the daemon's settings, all of which are in bounds.
// Modules: config
#include "config/settings.hpp"
#include "config/swanctl_parser.hpp"
#include "fuzz_target.hpp"
#include "one_file.hpp"

namespace cygnet {
namespace {

void check_between(const std::optional<double>& value, double least, double most) {
  if (value) CYG_CHECK(*value >= least && *value <= most);
}

}  // namespace

void fuzz_strongswan_conf(ByteView input) {
  OneFile files{to_string(input), ".conf"};
  config::Diagnostics diags;
  const config::Section root = config::parse_swanctl_text(to_string(input), "fuzz", files, diags);
  const config::Settings settings = config::load_settings(root, diags);
  for (const config::Diagnostic& one : diags.sorted()) CYG_CHECK(!one.text.empty());
  check_between(settings.retransmit_timeout, 0, 60);
  check_between(settings.retransmit_base, 1, 10);
  check_between(settings.retransmit_limit, 0, 3600);
  if (settings.retransmit_tries) {
    CYG_CHECK(*settings.retransmit_tries >= 1 && *settings.retransmit_tries <= 50);
  }
  if (settings.keep_alive) CYG_CHECK(*settings.keep_alive >= Duration{0});
  if (settings.half_open_timeout) CYG_CHECK(*settings.half_open_timeout >= Duration{0});
}

}  // namespace cygnet
