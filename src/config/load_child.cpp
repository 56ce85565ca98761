// connections.<conn>.children.<child>
#include <fmt/format.h>

#include "config/loader.hpp"

namespace cygnet::config {
namespace {

/// Of one side: an exchange can carry 255, and `dynamic` stands for several addresses.
constexpr std::size_t kSelectorsMax = 100;

/// Options without a meaning for a userspace plane, or whose turn has not come.
constexpr Unsupported kUnsupported[] = {
    {"ah_proposals", "proposals", "", "", Severity::error, "use ESP"},
    {"sha256_96", "yes | no", "no", "no", Severity::error,
     "the 96-bit truncation of SHA-256 is not in any standard"},
    {"updown", "file", "", "", Severity::warning, "the script is not run"},
    {"hostaccess", "yes | no", "no", "no", Severity::warning, "only updown scripts use it"},
    {"policies", "yes | no", "yes", "yes", Severity::error, "policies are always installed"},
    {"policies_fwd_out", "yes | no", "no", "no", Severity::warning, "it has no effect here"},
    {"ipcomp", "yes | no", "no", "no", Severity::warning, "packets are not compressed"},
    {"reqid", "number", "0", "0", Severity::warning, "it has no effect here"},
    {"priority", "number", "0", "0", Severity::error, "selectors are ranked by how exact they are"},
    {"interface", "name", "", "", Severity::error, "policies hold on all interfaces"},
    {"mark_in", "mark", "0", "0|0/0x00000000", Severity::error, "packets are not marked"},
    {"mark_in_sa", "yes | no", "no", "no", Severity::error, "packets are not marked"},
    {"mark_out", "mark", "0", "0|0/0x00000000", Severity::error, "packets are not marked"},
    {"set_mark_in", "mark", "0", "0|0/0x00000000", Severity::error, "packets are not marked"},
    {"set_mark_out", "mark", "0", "0|0/0x00000000", Severity::error, "packets are not marked"},
    {"if_id_in", "number", "0", "0", Severity::error, "xfrm interfaces need the kernel's plane"},
    {"if_id_out", "number", "0", "0", Severity::error, "xfrm interfaces need the kernel's plane"},
    {"label", "text", "", "", Severity::error, "there are no security labels"},
    {"label_mode", "system | simple | selinux", "system", "system", Severity::error,
     "there are no security labels"},
    {"tfc_padding", "octets", "0", "0", Severity::warning, "packets are not padded"},
    {"per_cpu_sas", "yes | no | encap", "no", "no", Severity::warning, "one SA pair is made"},
    {"hw_offload", "yes | no | auto", "no", "no|auto", Severity::warning, "nothing is offloaded"},
    {"icmp", "yes | no", "no", "no", Severity::warning, "ICMP errors must match the selectors"},
};

/// A soft limit, a hard one and the span between which the soft one is chosen: whatever is left
/// out follows from the others as in strongSwan (10 % apart).
template <class T>
struct Limits {
  T soft{};
  T hard{};
  T spread{};
};

template <class T>
Limits<T> limits_of(Fields& fields, const std::string& unit, const ValueType<T>& type,
                    std::string_view soft_name, T fallback) {
  const std::string life = "life_" + unit;
  const auto soft = fields.maybe(soft_name, type, "life - 10 %");
  const auto hard = fields.maybe(life, type, "rekey + 10 %");
  const auto spread = fields.maybe("rand_" + unit, type, "life - rekey");
  Limits<T> out;
  if (soft) {
    out.soft = *soft;
  } else {
    out.soft = hard ? *hard - *hard / 10 : fallback;
  }
  out.hard = hard ? *hard : out.soft + out.soft / 10;
  out.spread = spread ? *spread : (out.hard > out.soft ? out.hard - out.soft : T{});
  return out;
}

}  // namespace

model::ChildTemplate read_child(const Loader& loader, const Section& section) {
  Fields fields = loader.fields(section, "connections.<conn>.children.<child>");
  model::ChildTemplate out;
  loader.check_name(section, "child");
  out.name = section.name;
  out.esp_proposals =
      fields.optional("esp_proposals", kEspProposals, model::default_proposals(ProtocolId::esp));
  out.local_ts = fields.list("local_ts", kSelector, out.local_ts, "dynamic");
  out.remote_ts = fields.list("remote_ts", kSelector, out.remote_ts, "dynamic");
  for (const std::string_view side : {"local_ts", "remote_ts"}) {
    const std::size_t count = side == "local_ts" ? out.local_ts.size() : out.remote_ts.size();
    if (count <= kSelectorsMax) continue;
    loader.diags.error(fields.at(side), fmt::format("{}: more than {} selectors; use ranges or "
                                                    "several children",
                                                    side, kSelectorsMax));
  }
  out.mode = fields.optional("mode", kMode, out.mode);

  const auto time = limits_of<Duration>(fields, "time", kTime, "rekey_time", out.lifetime.rekey);
  const auto bytes = limits_of<std::uint64_t>(fields, "bytes", kSize, "rekey_bytes", 0);
  const auto packets = limits_of<std::uint64_t>(fields, "packets", kCount, "rekey_packets", 0);
  out.lifetime = {.rekey = time.soft,
                  .life = time.hard,
                  .jitter = time.spread,
                  .rekey_bytes = bytes.soft,
                  .life_bytes = bytes.hard,
                  .rekey_packets = packets.soft,
                  .life_packets = packets.hard};
  if (time.hard != Duration{0} && time.soft > time.hard) {
    loader.diags.error(fields.at("rekey_time"), "rekey_time must be less than life_time");
  }

  out.start_action = fields.optional("start_action", kAction, out.start_action);
  out.dpd_action = fields.optional("dpd_action", kAction, out.dpd_action);
  out.close_action = fields.optional("close_action", kAction, out.close_action);
  out.keep_up = fields.optional("keep_up", kBoolean, out.keep_up);
  out.inactivity = fields.optional("inactivity", kTime, out.inactivity);
  if (out.keep_up && out.inactivity != Duration{0}) {
    loader.diags.error(fields.at("inactivity"),
                       "inactivity ends what keep_up = yes keeps up: choose one");
  }
  out.replay_window = fields.optional("replay_window", kWindow, out.replay_window);
  out.copy_df = fields.optional("copy_df", kBoolean, out.copy_df);
  out.copy_ecn = fields.optional("copy_ecn", kBoolean, out.copy_ecn);
  out.copy_dscp = fields.optional("copy_dscp", kCopyDscp, out.copy_dscp);
  for (const Unsupported& option : kUnsupported) fields.unsupported(option);
  fields.reject_unknown();

  if (out.is_shunt() && out.start_action == model::ChildAction::start) {
    out.start_action = model::ChildAction::trap;  // a shunt is installed, never negotiated
  }
  return out;
}

}  // namespace cygnet::config
