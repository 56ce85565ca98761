// What the readers of the sections share. Internal to config.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/fields.hpp"
#include "config/load.hpp"

namespace cygnet::config {

/// Borrowed for one load. With a listing nothing is loaded: every reader only notes its options.
struct Loader {
  Files& files;
  std::string_view directory;
  Diagnostics& diags;
  std::vector<OptionInfo>* listing = nullptr;

  [[nodiscard]] Fields fields(const Section& section, std::string path) const {
    return Fields{section, diags, listing, std::move(path)};
  }
  /// An error when the section's name is none for a `kind` of thing, as "connection".
  void check_name(const Section& section, std::string_view kind) const;
};

/// The certificates that an option names: file names (relative ones start in `folder`), or, from
/// vici, the certificates themselves. Of each bundle the first; the rest goes to `more`.
[[nodiscard]] std::vector<Bytes> read_certificates(const Loader& loader, Fields& fields,
                                                   std::string_view option, CertificateKind folder,
                                                   std::vector<CertificateFile>* more);

[[nodiscard]] std::optional<model::Connection> read_connection(const Loader& loader,
                                                               const Section& section,
                                                               std::vector<CertificateFile>* more);
[[nodiscard]] model::ChildTemplate read_child(const Loader& loader, const Section& section);
[[nodiscard]] model::Pool read_pool(const Loader& loader, const Section& section);
[[nodiscard]] Authority read_authority(const Loader& loader, const Section& section);
/// The section `secrets` and the key files it names.
void read_secrets(const Loader& loader, const Section* secrets, Loaded& out);
/// The credential folders; key files that are loaded already are passed over.
void read_folders(const Loader& loader, Loaded& out);

}  // namespace cygnet::config
