// The kinds of values an option can have: how each is called, parsed and printed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/ip.hpp"
#include "base/time.hpp"
#include "model/connection.hpp"
#include "model/suggest.hpp"

namespace cygnet::config {

/// `name` is what the reference calls the kind. Errors quote the culprit in '...', so that it can
/// be pointed at.
template <class T>
struct ValueType {
  std::string_view name;
  Result<T> (*parse)(std::string_view text);
  std::string (*text)(const T& value);
};

/// One word of an enumeration; synonyms follow the word that is printed.
template <class T>
struct Word {
  std::string_view text;
  T value;
};

template <class T, const auto& kTable>
Result<T> parse_word(std::string_view text) {
  std::vector<std::string_view> known;
  std::string list;
  for (const Word<T>& word : kTable) {
    if (word.text == text) return word.value;
    known.push_back(word.text);
    list += list.empty() ? "" : ", ";
    list += word.text;
  }
  return fail("unknown value '" + std::string{text} + "'" + model::did_you_mean(text, known),
              "known are " + list);
}

template <class T, const auto& kTable>
std::string word_text(const T& value) {
  for (const Word<T>& word : kTable) {
    if (word.value == value) return std::string{word.text};
  }
  return {};
}

inline constexpr Word<bool> kBooleanWords[] = {
    {"yes", true},     {"no", false},       {"true", true}, {"false", false},
    {"enabled", true}, {"disabled", false}, {"1", true},    {"0", false}};
inline constexpr Word<model::Fragmentation> kFragmentationWords[] = {
    {"yes", model::Fragmentation::yes},
    {"accept", model::Fragmentation::accept},
    {"no", model::Fragmentation::no},
    {"force", model::Fragmentation::yes}};
inline constexpr Word<model::SendCert> kSendCertWords[] = {{"ifasked", model::SendCert::if_asked},
                                                           {"always", model::SendCert::always},
                                                           {"never", model::SendCert::never}};
inline constexpr Word<model::Uniqueness> kUniquenessWords[] = {
    {"no", model::Uniqueness::no},
    {"never", model::Uniqueness::never},
    {"keep", model::Uniqueness::keep},
    {"replace", model::Uniqueness::replace}};
inline constexpr Word<model::Childless> kChildlessWords[] = {{"allow", model::Childless::allow},
                                                             {"prefer", model::Childless::prefer},
                                                             {"force", model::Childless::force},
                                                             {"never", model::Childless::never}};
inline constexpr Word<model::Revocation> kRevocationWords[] = {
    {"relaxed", model::Revocation::relaxed},
    {"ifuri", model::Revocation::ifuri},
    {"strict", model::Revocation::strict}};
inline constexpr Word<model::ChildMode> kModeWords[] = {{"tunnel", model::ChildMode::tunnel},
                                                        {"transport", model::ChildMode::transport},
                                                        {"pass", model::ChildMode::pass},
                                                        {"drop", model::ChildMode::drop}};
inline constexpr Word<model::CopyDscp> kCopyDscpWords[] = {{"out", model::CopyDscp::out},
                                                           {"in", model::CopyDscp::in},
                                                           {"yes", model::CopyDscp::yes},
                                                           {"no", model::CopyDscp::no}};

/// What strongSwan takes for all three of start_action, dpd_action and close_action.
[[nodiscard]] Result<model::ChildAction> parse_action(std::string_view text);
[[nodiscard]] Result<Duration> parse_time(std::string_view text);
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);
[[nodiscard]] Result<std::uint64_t> parse_count(std::string_view text);
[[nodiscard]] Result<std::uint16_t> parse_port(std::string_view text);
[[nodiscard]] Result<std::uint16_t> parse_local_port(std::string_view text);
[[nodiscard]] Result<unsigned> parse_tries(std::string_view text);
[[nodiscard]] Result<std::uint32_t> parse_window(std::string_view text);
[[nodiscard]] Result<int> parse_version(std::string_view text);
[[nodiscard]] Result<std::string> parse_text(std::string_view text);
[[nodiscard]] Result<std::string> parse_uri(std::string_view text);
[[nodiscard]] Result<std::string> parse_domain(std::string_view text);
[[nodiscard]] Result<model::AddressPattern> parse_address(std::string_view text);
[[nodiscard]] Result<model::Identity> parse_id(std::string_view text);
[[nodiscard]] Result<model::IdentityPattern> parse_id_pattern(std::string_view text);
[[nodiscard]] Result<std::vector<model::Proposal>> parse_ike_proposals(std::string_view text);
[[nodiscard]] Result<std::vector<model::Proposal>> parse_esp_proposals(std::string_view text);
/// A pool's addresses: of a block without its first and last address when it has more than two;
/// host bits say where it starts; "a-b"; one address.
[[nodiscard]] Result<IpRange> parse_pool_range(std::string_view text);
[[nodiscard]] Result<Prefix> parse_prefix(std::string_view text);
[[nodiscard]] Result<IpAddress> parse_ip(std::string_view text);

/// "4h", "90s"; the largest unit that divides it.
[[nodiscard]] std::string time_text(const Duration& time);
[[nodiscard]] std::string address_text(const model::AddressPattern& address);

inline constexpr ValueType<bool> kBoolean{"yes | no", parse_word<bool, kBooleanWords>,
                                          word_text<bool, kBooleanWords>};
inline constexpr ValueType<model::Fragmentation> kFragmentation{
    "yes | accept | no | force", parse_word<model::Fragmentation, kFragmentationWords>,
    word_text<model::Fragmentation, kFragmentationWords>};
inline constexpr ValueType<model::SendCert> kSendCert{"ifasked | always | never",
                                                      parse_word<model::SendCert, kSendCertWords>,
                                                      word_text<model::SendCert, kSendCertWords>};
inline constexpr ValueType<model::Uniqueness> kUniqueness{
    "no | never | keep | replace", parse_word<model::Uniqueness, kUniquenessWords>,
    word_text<model::Uniqueness, kUniquenessWords>};
inline constexpr ValueType<model::Childless> kChildless{
    "allow | prefer | force | never", parse_word<model::Childless, kChildlessWords>,
    word_text<model::Childless, kChildlessWords>};
inline constexpr ValueType<model::Revocation> kRevocation{
    "relaxed | ifuri | strict", parse_word<model::Revocation, kRevocationWords>,
    word_text<model::Revocation, kRevocationWords>};
inline constexpr ValueType<model::CopyDscp> kCopyDscp{"out | in | yes | no",
                                                      parse_word<model::CopyDscp, kCopyDscpWords>,
                                                      word_text<model::CopyDscp, kCopyDscpWords>};

[[nodiscard]] std::string action_text(const model::ChildAction& action);
inline constexpr ValueType<model::ChildAction> kAction{"none | trap | start", parse_action,
                                                       action_text};
[[nodiscard]] Result<model::ChildMode> parse_mode(std::string_view text);
inline constexpr ValueType<model::ChildMode> kMode{"tunnel | transport | pass | drop", parse_mode,
                                                   word_text<model::ChildMode, kModeWords>};
inline constexpr ValueType<Duration> kTime{"time (s, m, h, d)", parse_time, time_text};

template <class T>
std::string number_text(const T& value) {
  return std::to_string(value);
}
[[nodiscard]] std::string same_text(const std::string& value);

inline constexpr ValueType<std::uint64_t> kSize{"octets (k, m, g)", parse_size,
                                                number_text<std::uint64_t>};
inline constexpr ValueType<std::uint64_t> kCount{"number", parse_count, number_text<std::uint64_t>};
inline constexpr ValueType<std::uint16_t> kPort{"port", parse_port, number_text<std::uint16_t>};
inline constexpr ValueType<std::uint16_t> kLocalPort{"500 | 4500", parse_local_port,
                                                     number_text<std::uint16_t>};
inline constexpr ValueType<unsigned> kTries{"number (0 = for ever)", parse_tries,
                                            number_text<unsigned>};
inline constexpr ValueType<std::uint32_t> kWindow{"packets", parse_window,
                                                  number_text<std::uint32_t>};
inline constexpr ValueType<int> kVersion{"0 | 2", parse_version, number_text<int>};
inline constexpr ValueType<std::string> kText{"text", parse_text, same_text};
inline constexpr ValueType<std::string> kFileName{"file", parse_text, same_text};
inline constexpr ValueType<std::string> kName{"name", parse_text, same_text};
inline constexpr ValueType<std::string> kUri{"URI", parse_uri, same_text};
inline constexpr ValueType<std::string> kDomain{"domain", parse_domain, same_text};

inline constexpr ValueType<model::AddressPattern> kAddress{"address", parse_address, address_text};
inline constexpr ValueType<IpAddress> kIp{"address", parse_ip, nullptr};
inline constexpr ValueType<Prefix> kPrefix{"prefix", parse_prefix, nullptr};
inline constexpr ValueType<IpRange> kPoolRange{"prefix or range", parse_pool_range, nullptr};
inline constexpr ValueType<model::Identity> kIdentity{"identity", parse_id, nullptr};
inline constexpr ValueType<model::IdentityPattern> kIdentityPattern{"identity", parse_id_pattern,
                                                                    nullptr};
inline constexpr ValueType<model::SelectorTemplate> kSelector{"traffic selector",
                                                              model::parse_selector, nullptr};
inline constexpr ValueType<std::vector<model::Proposal>> kIkeProposals{
    "proposals", parse_ike_proposals, nullptr};
inline constexpr ValueType<std::vector<model::Proposal>> kEspProposals{
    "proposals", parse_esp_proposals, nullptr};

}  // namespace cygnet::config
