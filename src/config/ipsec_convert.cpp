#include "config/ipsec_convert.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/ipsec_conversion.hpp"
#include "config/ipsec_parser.hpp"
#include "config/ipsec_secrets.hpp"
#include "config/ipsec_values.hpp"
#include "config/log_settings.hpp"
#include "config/swanctl_parser.hpp"
#include "config/text_file.hpp"

namespace cygnet::config {
namespace {

/// What is the same for all connections.
void read_setup(Conversion& cx, const Section& setup,
                std::optional<model::LogLevels>& charon_debug) {
  Fields fields{setup, cx.diags, nullptr, {}};
  Section made{.name = {}, .place = setup.place, .keys = {}, .sections = {}};
  const auto unique = fields.maybe("uniqueids", kTranslated<kUniqueIdsWords>);
  make_key(made, "unique", std::string{unique.value_or("replace")}, fields.find("uniqueids"));
  cx.unique = made.keys.back();
  if (const auto policy = fields.maybe("strictcrlpolicy", kTranslated<kCrlPolicyWords>)) {
    make_key(made, "revocation", std::string{*policy}, fields.find("strictcrlpolicy"));
    cx.revocation = made.keys.back();
  }
  if (fields.optional("cachecrls", kBoolean, false)) {
    cx.inform(fields.at("cachecrls"), "'cachecrls' has no effect: no CRL is fetched yet");
  }
  charon_debug = fields.maybe("charondebug", kCharonDebug);
}

/// All names and values but those of the children: conns that are equal in it share an IKE_SA.
void add_fingerprint(const Section& section, std::string& to) {
  const auto add = [&to](const std::string& text) {
    to += text;
    to += '\0';
  };
  for (const Key& key : section.keys) {
    add(key.name);
    add(key.value);
  }
  for (const Section& inner : section.sections) {
    if (inner.name == "children") continue;
    add(inner.name);
    add_fingerprint(inner, to);
  }
}

bool is_shunt(const Section& connection) {
  const Section& child = connection.find_section("children")->sections.front();
  const Key* mode = child.find_key("mode");
  return mode != nullptr && (mode->value == "pass" || mode->value == "drop");
}

Section convert_conns(Conversion& cx, const std::vector<Section>& conns) {
  Section out{.name = "connections", .place = {}, .keys = {}, .sections = {}};
  std::map<std::string, std::size_t> known;  // connections by their fingerprint
  for (const Section& conn : conns) {
    auto connection = convert_conn(cx, conn);
    if (!connection) continue;
    std::string fingerprint;
    add_fingerprint(*connection, fingerprint);
    if (is_shunt(*connection)) fingerprint += conn.name;  // it has no IKE_SA to share
    const auto [at, fresh] = known.emplace(std::move(fingerprint), out.sections.size());
    if (fresh) {
      out.sections.push_back(*std::move(connection));
      continue;
    }
    Section& first = out.sections[at->second];
    cx.inform(conn.place, fmt::format("conn '{}' has the peer and the authentication of '{}': it "
                                      "becomes a child of that connection",
                                      conn.name, first.name));
    first.find_section("children")
        ->sections.push_back(std::move(connection->find_section("children")->sections.front()));
  }
  return out;
}

void look_for_crls(Conversion& cx) {
  const std::string folder = cx.folder + "/crls";
  if (cx.files.glob(folder + "/*").empty()) return;
  cx.warn({.file = folder},
          "strongSwan checked the CRLs in this folder; they are not looked at yet, so a revoked "
          "certificate is still accepted");
}

/// swanctl.conf bounds values, and file names grow by their folder.
void check_lengths(const Section& section, Diagnostics& diags) {
  for (const Key& key : section.keys) {
    if (key.value.size() <= kValueOctetsMax) continue;
    diags.error(key.value_place,
                fmt::format("{}: becomes longer than {} octets", key.shown(), kValueOctetsMax));
  }
  for (const Section& inner : section.sections) check_lengths(inner, diags);
}

std::vector<ConversionNote> sorted(std::vector<ConversionNote> notes) {
  std::ranges::sort(notes);
  const auto twins = std::ranges::unique(notes);  // one inherited word, many heirs
  notes.erase(twins.begin(), twins.end());
  return notes;
}

}  // namespace

Converted convert_ipsec(const IpsecInput& input, Files& files, Diagnostics& diags) {
  Converted out;
  out.root.place = {input.conf_path, 0, 0};
  if (!input.conf_path.starts_with('/')) {
    diags.error(out.root.place, "the path of ipsec.conf must be absolute");
    return out;
  }
  const IpsecConf conf = parse_ipsec(input.conf_path, files, diags);
  if (conf.foreign) return out;
  Conversion cx{.files = files,
                .diags = diags,
                .own_addresses = input.own_addresses,
                .folder = directory_of(input.conf_path) + "ipsec.d"};
  read_setup(cx, conf.setup, out.charon_debug);
  read_ca_files(cx);
  look_for_crls(cx);
  Section connections = convert_conns(cx, conf.conns);
  Section authorities = convert_authorities(cx, conf.cas);
  Section secrets{.name = "secrets", .place = {}, .keys = {}, .sections = {}};
  if (!input.secrets_path.empty()) {
    secrets =
        parse_ipsec_secrets(input.secrets_path, cx.folder + "/private", files, diags, cx.notes);
  }
  for (Section* section : {&connections, &cx.pool_sections, &secrets, &authorities}) {
    if (section->place.file.empty()) section->place = out.root.place;
    if (!section->sections.empty()) out.root.sections.push_back(std::move(*section));
  }
  check_lengths(out.root, diags);
  out.notes = sorted(std::move(cx.notes));
  return out;
}

Loaded load_converted(const IpsecInput& input, const Section& root, Files& files,
                      Diagnostics& diags) {
  Loaded out = load_sections(root, files, directory_of(input.conf_path) + "ipsec.d", diags);
  for (const model::Connection& one : out.connections) out.ipsec_connections.insert(one.name);
  for (const model::Pool& one : out.pools) out.ipsec_pools.insert(one.name);
  for (SharedSecret& one : out.shared_secrets) one.origin = Origin::ipsec;
  for (KeyFile& one : out.keys) one.origin = Origin::ipsec;
  for (Authority& one : out.authorities) one.origin = Origin::ipsec;
  return out;
}

LoadedIpsec load_ipsec(const IpsecInput& input, Files& files, Diagnostics& diags) {
  Converted converted = convert_ipsec(input, files, diags);
  LoadedIpsec out;
  out.loaded = load_converted(input, converted.root, files, diags);
  wipe_secrets(converted.root);
  out.notes = std::move(converted.notes);
  out.charon_debug = std::move(converted.charon_debug);
  return out;
}

}  // namespace cygnet::config
