#include "ike/failure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace cygnet::ike {

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::no_connection:
      return "no_connection";
    case Reason::no_common_proposal:
      return "no_common_proposal";
    case Reason::no_common_selectors:
      return "no_common_selectors";
    case Reason::identity_mismatch:
      return "identity_mismatch";
    case Reason::identity_not_in_certificate:
      return "identity_not_in_certificate";
    case Reason::certificate_expired:
      return "certificate_expired";
    case Reason::certificate_not_yet_valid:
      return "certificate_not_yet_valid";
    case Reason::certificate_untrusted:
      return "certificate_untrusted";
    case Reason::certificate_profile:
      return "certificate_profile";
    case Reason::certificate_revoked:
      return "certificate_revoked";
    case Reason::certificate_missing:
      return "certificate_missing";
    case Reason::auth_method_mismatch:
      return "auth_method_mismatch";
    case Reason::auth_rule:
      return "auth_rule";
    case Reason::psk_missing:
      return "psk_missing";
    case Reason::psk_wrong:
      return "psk_wrong";
    case Reason::signature_wrong:
      return "signature_wrong";
    case Reason::pool_exhausted:
      return "pool_exhausted";
    case Reason::no_pool:
      return "no_pool";
    case Reason::unreachable:
      return "unreachable";
    case Reason::no_response:
      return "no_response";
    case Reason::peer_refused:
      return "peer_refused";
    case Reason::malformed:
      return "malformed";
    case Reason::limit:
      return "limit";
    case Reason::childless_only:
      return "childless_only";
    case Reason::transport_mode:
      return "transport_mode";
    case Reason::install_failed:
      return "install_failed";
    case Reason::internal:
      return "internal";
  }
  return "unknown";
}

std::string_view field_of(Reason reason) {
  switch (reason) {
    case Reason::identity_not_in_certificate:
      return "certificate subjectAltName";
    case Reason::certificate_expired:
      return "certificate notAfter";
    case Reason::certificate_not_yet_valid:
      return "certificate notBefore";
    case Reason::certificate_untrusted:
      return "certificate issuer, remote.cacerts";
    case Reason::certificate_profile:
      return "certificate extensions";
    case Reason::certificate_revoked:
      return "certificate serial";
    case Reason::certificate_missing:
      return "local.certs";
    case Reason::auth_method_mismatch:
      return "auth";
    case Reason::auth_rule:
      return "remote.auth";
    case Reason::psk_missing:
    case Reason::psk_wrong:
      return "secrets";
    case Reason::pool_exhausted:
    case Reason::no_pool:
      return "pools";
    default:
      return {};
  }
}

namespace {

/// In quotes when it would not end where it ends, so that a program can cut the line up again and
/// no peer can write fields of its own: \" and \\ inside, other octets as \xHH.
std::string field_text(std::string_view value) {
  const auto is_control = [](char one) {
    return static_cast<unsigned char>(one) < 0x20 || one == 0x7f;
  };
  // What the line itself puts between values.
  static constexpr std::string_view kMarks[] = {";", "(", ")", ", theirs: ", " because of "};
  const auto has = [value](std::string_view mark) {
    return value.find(mark) != std::string_view::npos;
  };
  const bool bare = !value.empty() && value.front() != ' ' && value.back() != ' ' && !has("\"") &&
                    !has("\\") && std::ranges::none_of(kMarks, has) &&
                    std::ranges::none_of(value, is_control);
  if (bare) return std::string{value};
  std::string out = "\"";
  for (const char one : value) {
    if (is_control(one)) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(one));
      continue;
    }
    if (one == '"' || one == '\\') out += '\\';
    out += one;
  }
  return out + "\"";
}

}  // namespace

std::string FailureRecord::line() const {
  std::string out = fmt::format("{} {} {}: {}", initiator ? "could not connect to" : "refused",
                                remote.text(), phase, to_string(reason));
  const auto add = [&out](std::string_view name, const std::string& value) {
    if (!value.empty()) out += fmt::format("; {}: {}", name, field_text(value));
  };
  add("connection", connection);
  add("peer_id", remote_identity);
  add("product", product);
  add("field", field);
  add("ours", ours);
  add("theirs", theirs);
  for (const Candidate& candidate : candidates) {
    out += fmt::format("; not {} because of {} (ours: {}, theirs: {})",
                       field_text(candidate.connection), field_text(candidate.field),
                       field_text(candidate.ours), field_text(candidate.theirs));
  }
  add("fix", advice);
  return out;
}

FailureRecord shortened(FailureRecord record) {
  constexpr std::size_t kTextMax = 1024;
  constexpr std::size_t kCandidateTextMax = 256;
  const auto cut = [](std::string& text, std::size_t most) {
    static constexpr std::string_view kMore = "...";
    if (text.size() > most) text.replace(most - kMore.size(), std::string::npos, kMore);
  };
  for (std::string* text :
       {&record.remote_identity, &record.field, &record.ours, &record.theirs, &record.advice}) {
    cut(*text, kTextMax);
  }
  for (Candidate& one : record.candidates) {
    for (std::string* text : {&one.field, &one.ours, &one.theirs}) cut(*text, kCandidateTextMax);
  }
  return record;
}

bool same_failure(const FailureRecord& a, const FailureRecord& b) {
  const auto told = [](const FailureRecord& one) {
    return std::tie(one.local, one.remote, one.connection, one.remote_identity, one.product,
                    one.initiator, one.phase, one.reason, one.field, one.ours, one.theirs,
                    one.advice, one.candidates);
  };
  return told(a) == told(b);
}

}  // namespace cygnet::ike
