#include "ike/child_table.hpp"

#include <algorithm>

#include "ike/limits.hpp"

namespace cygnet::ike {
namespace {

template <class Value, class Field>
Child* find_where(std::vector<Child>& children, Value value, Field field) {
  const auto at = std::ranges::find(children, value, field);
  return at == children.end() ? nullptr : &*at;
}

}  // namespace

Child* ChildTable::find(model::ChildId id) { return find_where(children_, id, &Child::id); }
Child* ChildTable::find_by_spi_out(EspSpi spi) {
  return find_where(children_, spi, &Child::spi_out);
}
bool ChildTable::full() const { return children_.size() >= kChildrenMax; }
Child& ChildTable::add(Child child) { return children_.emplace_back(std::move(child)); }
void ChildTable::erase(model::ChildId id) {
  std::erase_if(children_, [id](const Child& child) { return child.id == id; });
}

}  // namespace cygnet::ike
