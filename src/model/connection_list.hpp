// The connections of a configuration, in order.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "model/connection.hpp"

namespace cygnet::model {

/// Connections in the order in which they were first put, found by name. A pointer into it lives
/// until its connection is put again or dropped.
class ConnectionList {
  using Places = std::map<std::uint64_t, Connection>;

 public:
  class Iterator {
   public:
    using value_type = Connection;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    explicit Iterator(Places::const_iterator at) : at_(at) {}
    const Connection& operator*() const { return at_->second; }
    const Connection* operator->() const { return &at_->second; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    Iterator operator++(int) { return Iterator{at_++}; }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    Places::const_iterator at_;
  };

  ConnectionList() = default;
  ConnectionList(std::initializer_list<Connection> connections) {
    for (const Connection& one : connections) put(one);
  }

  /// Takes the place of the connection of that name, or the last one.
  void put(Connection connection);
  /// False when there is none of that name.
  bool drop(std::string_view name);
  /// Puts those of these names in front, in this order; the others follow as they are. True when
  /// that changed anything.
  bool arrange(const std::vector<std::string>& names);
  /// Null when there is none.
  [[nodiscard]] const Connection* find(std::string_view name) const;

  [[nodiscard]] Iterator begin() const { return Iterator{places_.begin()}; }
  [[nodiscard]] Iterator end() const { return Iterator{places_.end()}; }
  [[nodiscard]] std::size_t size() const { return places_.size(); }
  [[nodiscard]] bool empty() const { return places_.empty(); }

 private:
  Places places_;
  std::map<std::string, std::uint64_t, std::less<>> by_name_;
  std::uint64_t next_ = 0;
};

}  // namespace cygnet::model
