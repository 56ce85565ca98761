#include "daemon/sources.hpp"

#include <unistd.h>

#include <filesystem>

namespace cygnet::daemon {
namespace {

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

/// As it is when the working folder cannot be told: then reading it says what is wrong.
std::filesystem::path absolute(const std::string& path) {
  std::error_code failed;
  std::filesystem::path out = std::filesystem::absolute(path, failed);
  return failed ? std::filesystem::path{path} : out;
}

}  // namespace

config::Sources sources_of(const Options& options, const std::vector<IpAddress>& own_addresses) {
  config::Sources out;
  if (options.config) {
    out.swanctl_conf = absolute(*options.config);
  } else if (exists(options.default_config)) {
    out.swanctl_conf = options.default_config;
  }
  if (!options.ipsec_conf) return out;
  const std::filesystem::path conf = absolute(*options.ipsec_conf);
  config::IpsecInput& ipsec = out.ipsec.emplace(
      config::IpsecInput{.conf_path = conf, .secrets_path = {}, .own_addresses = own_addresses});
  if (options.ipsec_secrets) {
    ipsec.secrets_path = absolute(*options.ipsec_secrets);
  } else if (const std::string beside = conf.parent_path() / "ipsec.secrets"; exists(beside)) {
    ipsec.secrets_path = beside;
  }
  return out;
}

}  // namespace cygnet::daemon
