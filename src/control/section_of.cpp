#include "control/section_of.hpp"

namespace cygnet::control {

config::Section section_of(std::string name, const vici::Message& message,
                           const std::string& origin) {
  const config::Place place{.file = origin};
  config::Section out{.name = std::move(name), .place = place, .keys = {}, .sections = {}};
  for (const vici::Item& item : message.items()) {
    if (const auto* section = std::get_if<vici::Message>(&item.content)) {
      out.sections.push_back(section_of(item.name, *section, origin));
      continue;
    }
    config::Key key{
        .name = item.name, .value = {}, .items = {}, .place = place, .value_place = place};
    if (const auto* list = std::get_if<vici::List>(&item.content)) {
      key.items = *list;
    } else {
      key.value = std::get<std::string>(item.content);
    }
    out.keys.push_back(std::move(key));
  }
  return out;
}

}  // namespace cygnet::control
