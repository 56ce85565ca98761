// A whole swanctl.conf: parsed, resolved, loaded; faults have places and no secret.
// Modules: config
#include "config/load.hpp"
#include "config/swanctl_parser.hpp"
#include "fuzz_target.hpp"

namespace cygnet {
namespace {

class NoFiles final : public config::Files {
 public:
  Result<std::string> read(const std::string& path) override { return fail("open " + path); }
  std::vector<std::string> glob(const std::string& /*pattern*/) override { return {}; }
};

}  // namespace

void fuzz_swanctl_conf(ByteView input) {
  NoFiles files;
  config::Diagnostics diags;
  config::Section root = config::parse_swanctl_text(to_string(input), "fuzz", files, diags);
  const config::Loaded loaded = config::load_swanctl(root, files, "/nowhere", diags);
  for (const config::Diagnostic& diagnostic : diags.sorted()) CYG_CHECK(!diagnostic.text.empty());
  for (const model::Connection& connection : loaded.connections) {
    CYG_CHECK(!connection.proposals.empty());
  }
  config::wipe_secrets(root);
}

}  // namespace cygnet
