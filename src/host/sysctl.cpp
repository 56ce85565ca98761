// The kernel's switches under /proc/sys that concern a tunnel.
#include "host/sysctl.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace cygnet::host {
namespace {

std::string path_of(std::string_view name) { return fmt::format("/proc/sys/{}", name); }

int number_of(std::string_view name) {
  const auto text = read_sysctl(name);
  int out = 0;
  // A switch that is absent is a switch that is off.
  if (text) std::from_chars(text->data(), text->data() + text->size(), out);
  return out;
}

/// The kernel uses the larger of `all` and the interface's own value.
int reverse_path_filter(std::string_view device) {
  return std::max(number_of("net/ipv4/conf/all/rp_filter"),
                  number_of(fmt::format("net/ipv4/conf/{}/rp_filter", device)));
}

void set_if_needed(std::vector<std::string>& notes, const std::string& name,
                   std::string_view value) {
  const auto now = read_sysctl(name);
  // Absent: the kernel lacks that family or feature, so there is nothing to switch.
  if (!now || *now == value) return;
  if (const auto done = write_sysctl(name, value); !done) {
    notes.push_back(
        fmt::format("{} stays {} instead of {}: {}", name, *now, value, done.error().text()));
  }
}

}  // namespace

Result<std::string> read_sysctl(std::string_view name) {
  const std::string path = path_of(name);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::unexpected(errno_error("open " + path));
  char buffer[256];
  const ssize_t size = ::read(file, buffer, sizeof buffer);
  const int code = errno;
  ::close(file);
  if (size < 0) return std::unexpected(Error{"read " + path, code, {}});
  std::string out(buffer, static_cast<std::size_t>(size));
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
  return out;
}

Result<void> write_sysctl(std::string_view name, std::string_view value) {
  const std::string path = path_of(name);
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return std::unexpected(errno_error("open " + path));
  const ssize_t size = ::write(file, value.data(), value.size());
  const int code = errno;
  ::close(file);
  if (size < 0) return std::unexpected(Error{"write " + path, code, {}});
  return {};
}

Result<bool> forwarding(IpFamily family) {
  CYG_TRY(
      const std::string value,
      read_sysctl(family == IpFamily::v4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding"));
  return value != "0";
}

std::vector<std::string> prepare_device(std::string_view device) {
  std::vector<std::string> notes;
  set_if_needed(notes, fmt::format("net/ipv4/conf/{}/disable_policy", device), "1");
  set_if_needed(notes, fmt::format("net/ipv6/conf/{}/disable_policy", device), "1");
  set_if_needed(notes, fmt::format("net/ipv6/conf/{}/addr_gen_mode", device), "1");
  if (reverse_path_filter(device) == 1) {
    set_if_needed(notes, fmt::format("net/ipv4/conf/{}/rp_filter", device), "2");
  }
  return notes;
}

Result<std::vector<std::string>> strict_interfaces(std::string_view device) {
  std::vector<std::string> out;
  struct if_nameindex* const all = ::if_nameindex();
  if (all == nullptr) return std::unexpected(errno_error("list interfaces"));
  for (const struct if_nameindex* at = all; at->if_index != 0; ++at) {
    const std::string_view name = at->if_name;
    if (name == device || name == "lo") continue;
    if (reverse_path_filter(name) == 1) out.emplace_back(name);
  }
  ::if_freenameindex(all);
  std::ranges::sort(out);
  return out;
}

}  // namespace cygnet::host
