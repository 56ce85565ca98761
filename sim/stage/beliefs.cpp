#include "sim/stage/beliefs.hpp"

#include <algorithm>
#include <iterator>

namespace cygnet::sim {
namespace {

std::vector<model::ChildId> ids_of(const std::vector<ike::ChildStatus>& children) {
  std::vector<model::ChildId> out;
  for (const ike::ChildStatus& child : children) out.push_back(child.id);
  std::ranges::sort(out);
  return out;
}

}  // namespace

std::string misbelief(const ike::Status& status, const Plane& plane) {
  for (const ike::IkeStatus& sa : status.sas) {
    for (const ike::ChildStatus& child : sa.children) {
      const auto view = plane.find(child.id);
      if (!view) {
        if (plane.refused(child.id)) continue;
        return "a child is believed in that is not installed";
      }
      if (view->spi_in != child.spi_in || (view->spi_out && *view->spi_out != child.spi_out)) {
        return "a child is installed with other SPIs than it is believed to have";
      }
    }
  }
  if (ids_of(status.routed) != plane.traps()) return "traps are not those that are believed in";
  return {};
}

std::vector<model::ChildId> unowned(const ike::Status& status, const Plane& plane) {
  std::vector<model::ChildId> believed;
  for (const ike::IkeStatus& sa : status.sas) {
    for (const ike::ChildStatus& child : sa.children) believed.push_back(child.id);
  }
  std::ranges::sort(believed);
  std::vector<model::ChildId> installed;
  for (const Plane::View& view : plane.children()) installed.push_back(view.id);
  std::vector<model::ChildId> out;
  std::ranges::set_difference(installed, believed, std::back_inserter(out));
  return out;
}

bool same_keys(const Plane& one, const Plane& other) {
  return std::ranges::all_of(one.children(), [&other](const Plane::View& own) {
    const auto peer = own.spi_out ? other.find(*own.spi_out) : std::nullopt;
    if (!peer || peer->spi_out != own.spi_in) return true;
    return own.key_in == peer->key_out && own.key_out == peer->key_in;
  });
}

}  // namespace cygnet::sim
