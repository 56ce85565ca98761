// The configuration as clients bring it, item by item.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/values.hpp"
#include "control/commands.hpp"
#include "control/section_of.hpp"

namespace cygnet::control {
namespace {

/// Clients send contents, never file names.
class NoFiles final : public config::Files {
 public:
  Result<std::string> read(const std::string& path) override {
    return fail("'" + path + "': a client of the control socket sends contents, not file names");
  }
  std::vector<std::string> glob(const std::string& /*pattern*/) override { return {}; }
};

config::Section section_of(const vici::Item& item, std::string_view what) {
  return control::section_of(item.name, std::get<vici::Message>(item.content),
                             fmt::format("{} '{}'", what, item.name));
}

}  // namespace

/// The section of a load-... request, which has one; answers when it has not.
const vici::Item* Commands::only_section(std::string_view what) {
  const vici::Item* found = nullptr;
  for (const vici::Item& item : request.items()) {
    if (!std::holds_alternative<vici::Message>(item.content)) continue;
    if (found != nullptr) {
      refuse(fmt::format("more than one {} in a request: send one after the other", what));
      return nullptr;
    }
    found = &item;
  }
  if (found == nullptr) {
    refuse(fmt::format("a section with the {}'s name is missing", what));
    return nullptr;
  }
  if (const auto fault = config::name_fault(found->name)) {
    refuse(fmt::format("{}: {}", what, *fault));
    return nullptr;
  }
  return found;
}

void Commands::load_conn() {
  const vici::Item* item = only_section("connection");
  if (item == nullptr) return;
  NoFiles files;
  config::Diagnostics diags;
  std::vector<config::CertificateFile> more;
  auto connection =
      config::load_connection(section_of(*item, "connection"), files, {}, diags, &more);
  if (!connection) {
    static_cast<void>(refuse_faults(diags));
    return;
  }
  bool added_some = false;
  for (const config::CertificateFile& one : more) {
    const auto added = self.configuration_.credentials().add_certificate(one.data, false);
    if (!added) warn(added.error().text());
    added_some = added_some || added.value_or(false);
  }
  const ConnectionChanges changes = self.configuration_.put(*std::move(connection), diags);
  if (refuse_faults(diags)) return;
  done();
  self.apply(changes, now, out);
  if (added_some) self.credentials_changed(now, out);
}

void Commands::unload_conn() {
  const std::string_view name = request.text("name");
  if (self.find(name) == nullptr) return refuse(fmt::format("no connection '{}'", name));
  if (!self.configuration_.is_managed(name)) {
    return refuse(
        fmt::format("connection '{}' is ipsec.conf's: take it out there and reload", name));
  }
  done();
  self.apply(self.configuration_.drop(name), now, out);
}

// --- credentials ---------------------------------------------------------------------------------

void Commands::load_cert() {
  const std::string type = upper_case(request.text("type"));
  const std::string flag = upper_case(request.text("flag", "NONE"));
  const std::string* data = request.value("data");
  if (data == nullptr) return refuse("'data' is missing");
  if (type == "X509_CRL") {
    warn("a CRL was loaded: revocation is not checked yet");
    return done();
  }
  if (type != "X509")
    return refuse(fmt::format("certificates of type '{}' are not supported", type));
  if (flag != "NONE" && flag != "CA") {
    return refuse(fmt::format("certificates with flag '{}' are not supported yet", flag));
  }
  const auto added =
      self.configuration_.credentials().add_certificate(as_bytes(*data), flag == "CA");
  if (!added) return refuse(added.error().text());
  done();
  if (*added) self.credentials_changed(now, out);
}

void Commands::load_key() {
  const std::string* data = request.value("data");
  if (data == nullptr) return refuse("'data' is missing");
  const auto added = self.configuration_.credentials().add_key(as_bytes(*data));
  if (!added) return refuse(added.error().text());
  vici::Message answer;
  answer.add_flag("success", true).add("id", std::string_view{added->id});
  respond(std::move(answer));
  if (added->fresh) self.credentials_changed(now, out);
}

void Commands::unload_key() {
  const std::string_view id = request.text("id");
  if (!self.configuration_.credentials().drop_key(id))
    return refuse(fmt::format("no key '{}'", id));
  done();
  self.credentials_changed(now, out);
}

void Commands::get_keys() {
  vici::Message answer;
  answer.add("keys", self.configuration_.credentials().key_ids());
  respond(std::move(answer));
}

void Commands::load_token() { refuse("PKCS#11 tokens are not supported: put the key into a file"); }

void Commands::load_shared() {
  const std::string type = upper_case(request.text("type"));
  const std::string* data = request.value("data");
  if (data == nullptr) return refuse("'data' is missing");
  if (data->empty()) return refuse("'data' is empty");
  static constexpr std::string_view kOthers[] = {"EAP", "XAUTH", "NTLM", "PPK"};
  const bool ike = type == "IKE";
  if (!ike && std::ranges::find(kOthers, type) == std::end(kOthers)) {
    return refuse(fmt::format("secrets of type '{}' are unknown", type));
  }
  config::SharedSecret secret{.name = std::string{request.text("id")},
                              .owners = {},
                              .value = cygnet::Secret{as_bytes(*data)},
                              .place = {},
                              .usable = ike};
  if (const vici::List* owners = request.list("owners")) {
    for (const std::string& owner : *owners) {
      auto id = config::parse_id_pattern(owner);
      if (!id) return refuse(fmt::format("owners: {}", id.error().text()));
      secret.owners.push_back(*std::move(id));
    }
  }
  if (!ike) warn(fmt::format("secret '{}' of type {} is kept and not used yet", secret.name, type));
  self.configuration_.credentials().put_secret(std::move(secret));
  done();
}

void Commands::unload_shared() {
  const std::string_view id = request.text("id");
  if (!self.configuration_.credentials().drop_secret(id)) {
    return refuse(fmt::format("no secret '{}'", id));
  }
  done();
}

void Commands::get_shared() {
  vici::Message answer;
  answer.add("keys", self.configuration_.credentials().secret_names());
  respond(std::move(answer));
}

void Commands::flush_certs() { done(); }  // nothing is kept of what peers have sent

void Commands::clear_creds() {
  self.configuration_.credentials().clear_clients();
  done();
  self.credentials_changed(now, out);
}

void Commands::load_authority() {
  const vici::Item* item = only_section("authority");
  if (item == nullptr) return;
  NoFiles files;
  config::Diagnostics diags;
  config::Section section = section_of(*item, "authority");
  // The certificate itself: octets, not words.
  for (config::Key& key : section.keys) {
    if (key.name == "cacert" && key.items.empty()) key.items = {std::exchange(key.value, {})};
  }
  auto authority = config::load_authority(section, files, {}, diags);
  if (refuse_faults(diags)) return;
  const auto changed = self.configuration_.credentials().put_authority(*std::move(authority));
  if (!changed) return refuse(changed.error().text());
  done();
  if (*changed) self.credentials_changed(now, out);
}

void Commands::unload_authority() {
  const std::string_view name = request.text("name");
  if (!self.configuration_.credentials().drop_authority(name)) {
    return refuse(fmt::format("no authority '{}'", name));
  }
  done();
  self.credentials_changed(now, out);
}

// --- pools ---------------------------------------------------------------------------------------

void Commands::load_pool() {
  const vici::Item* item = only_section("pool");
  if (item == nullptr) return;
  config::Diagnostics diags;
  auto pool = config::load_pool(section_of(*item, "pool"), diags);
  if (refuse_faults(diags)) return;
  self.pools_.put(*std::move(pool));
  done();
}

void Commands::unload_pool() { answer(self.pools_.drop(request.text("name"))); }

}  // namespace cygnet::control
