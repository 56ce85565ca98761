// What the parts of the conversion share. Internal to config.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/conversion_note.hpp"
#include "config/fields.hpp"
#include "config/files.hpp"
#include "config/ipsec_convert.hpp"
#include "model/identity.hpp"

namespace cygnet::config {

/// A certificate in ipsec.d/cacerts.
struct CaFile {
  std::string path;
  model::Identity subject;
};

/// A pool that rightsourceip asked for.
struct PlannedPool {
  std::string name;  ///< of its section
  std::string dns;
  Place place;
};

/// Borrowed for one conversion.
struct Conversion {
  Files& files;
  Diagnostics& diags;
  const std::vector<IpAddress>& own_addresses;
  std::string folder;  ///< "/etc/ipsec.d"
  Key unique;          ///< what `uniqueids` makes of each connection
  std::optional<Key> revocation;
  std::vector<CaFile> ca_files;
  std::map<std::string, PlannedPool, std::less<>> pools;  ///< by what was written
  std::set<std::string, std::less<>> pool_names;
  Section pool_sections{.name = "pools", .place = {}, .keys = {}, .sections = {}};
  std::vector<ConversionNote> notes;

  void inform(const Place& place, std::string text) {
    note({place, NoteSeverity::info, std::move(text)});
  }
  void warn(const Place& place, std::string text) {
    note({place, NoteSeverity::warning, std::move(text)});
  }
  void note(ConversionNote note) {
    if (notes.size() < kNotesMax) notes.push_back(std::move(note));
  }
};

/// One end of a conn. Its words start with "left" or "right".
struct Side {
  std::string_view prefix;
  const Key* host = nullptr;           ///< left=
  std::vector<std::string> addresses;  ///< without the '%' that allows any; empty for %any
  bool allow_any = false;

  /// The one address or host name that stands there, if there is just one.
  [[nodiscard]] std::optional<std::string> lone() const;
  /// Nothing is said about who it is: %any, in one family or both.
  [[nodiscard]] bool is_anybody() const;
  /// There is an address or a host name to send a request to.
  [[nodiscard]] bool callable() const;
  /// A literal address of the host itself.
  [[nodiscard]] bool is_own(const std::vector<IpAddress>& own_addresses) const;
};

/// One conn, borrowed while it is converted.
struct Conn {
  Conversion& cx;
  const Section& section;
  Fields& fields;
  Side local;
  Side remote;
  bool shunt = false;  ///< type=passthrough or drop: nothing is negotiated

  /// "leftcert" of the side that is local, say; null when it is not set.
  [[nodiscard]] const Key* find(const Side& side, std::string_view word) const {
    return fields.find(std::string{side.prefix} + std::string{word});
  }
  [[nodiscard]] std::optional<bool> flag(const Side& side, std::string_view word) const {
    return fields.maybe(std::string{side.prefix} + std::string{word}, kBoolean);
  }
};

/// Adds `name` with the source's value as it stands there.
void copy_key(Section& to, std::string_view name, const Key& source);
/// With another value. Without a source ipsec.conf's default is written out, at `to`'s place.
void make_key(Section& to, std::string_view name, std::string value, const Key* source);
/// A list of parts of the source's value; as it stands there where nothing was changed.
void make_list(Section& to, std::string_view name, const std::vector<std::string>& items,
               const Key& source);

/// ike, esp or ah: strongSwan adds its default proposals unless the list ends with '!'.
void add_proposals(Section& to, std::string_view name, const Key& source);

/// `left` or `right` with its leftallowany.
[[nodiscard]] Side read_side(Fields& fields, std::string_view prefix);

/// The connection with its child, or nothing when the conn is not to be loaded.
[[nodiscard]] std::optional<Section> convert_conn(Conversion& cx, const Section& section);
/// The authentication rounds: the sections local, remote, and those of a second round.
void add_rounds(const Conn& conn, Section& connection);
[[nodiscard]] Section convert_child(const Conn& conn);
/// reauth_time or rekey_time of the IKE_SA, with their margins.
void add_ike_lifetime(const Conn& conn, Section& connection);
void add_child_lifetime(const Conn& conn, Section& child);
/// The virtual addresses that the local end asks for.
void add_vips(const Conn& conn, Section& connection);
/// The pools that the peer's addresses come from.
void add_pools(const Conn& conn, Section& connection);

/// The certificates in ipsec.d/cacerts.
void read_ca_files(Conversion& cx);
/// Authorities from the ca sections and from the files none of them names.
[[nodiscard]] Section convert_authorities(Conversion& cx, const std::vector<Section>& cas);

}  // namespace cygnet::config
