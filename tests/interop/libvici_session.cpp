// A session of a program on strongSwan's libvici: it configures, connects, looks and takes down.
//    libvici_session URI
//
// libvici's header is not packaged: what is called here is declared here. It prints what it was
// answered, in words that do not depend on who answers.
#include <dlfcn.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "program.hpp"

namespace {

using namespace cygnet;  // a program of its own: nothing includes it
using program::die;

constexpr const char* kLibrary = "/usr/lib/ipsec/libvici.so.0";

// --- libvici -------------------------------------------------------------------------------------

struct Connection;  // vici_conn_t
struct Request;     // vici_req_t
struct Response;    // vici_res_t
using EventCall = void (*)(void* user, char* name, Response* event);
using SectionCall = int (*)(void* user, Response* response, char* name);
using ValueCall = int (*)(void* user, Response* response, char* name, void* value, int size);

/// The functions that are called, by their names.
struct Library {
  Library() : handle(::dlopen(kLibrary, RTLD_NOW)) {
    if (handle == nullptr) die(::dlerror());
    find(init, "vici_init");
    find(deinit, "vici_deinit");
    find(connect, "vici_connect");
    find(disconnect, "vici_disconnect");
    find(begin, "vici_begin");
    find(begin_section, "vici_begin_section");
    find(end_section, "vici_end_section");
    find(add_value, "vici_add_key_valuef");
    find(begin_list, "vici_begin_list");
    find(add_item, "vici_add_list_itemf");
    find(end_list, "vici_end_list");
    find(submit, "vici_submit");
    find(free_request, "vici_free_req");
    find(free_response, "vici_free_res");
    find(find_text, "vici_find_str");
    find(find_number, "vici_find_int");
    find(parse, "vici_parse_cb");
    find(dump, "vici_dump");
    find(listen, "vici_register");
  }

  void* handle;
  void (*init)();
  void (*deinit)();
  Connection* (*connect)(const char* uri);
  void (*disconnect)(Connection*);
  Request* (*begin)(const char* command);
  void (*begin_section)(Request*, const char* name);
  void (*end_section)(Request*);
  void (*add_value)(Request*, const char* key, const char* format, ...);
  void (*begin_list)(Request*, const char* name);
  void (*add_item)(Request*, const char* format, ...);
  void (*end_list)(Request*);
  Response* (*submit)(Request*, Connection*);
  void (*free_request)(Request*);
  void (*free_response)(Response*);
  const char* (*find_text)(Response*, const char* otherwise, const char* format, ...);
  int (*find_number)(Response*, int otherwise, const char* format, ...);
  int (*parse)(Response*, SectionCall, ValueCall value, ValueCall item, void* user);
  int (*dump)(Response*, const char* label, bool pretty, std::FILE* to);
  int (*listen)(Connection*, const char* event, EventCall, void* user);

 private:
  template <class F>
  void find(F& function, const char* name) const {
    function = reinterpret_cast<F>(::dlsym(handle, name));
    if (function == nullptr) die(::dlerror());
  }
};

// --- what is told --------------------------------------------------------------------------------

/// A message as it is walked through: paths of its sections, and the values that are asked for.
struct Walk {
  const Library& vici;
  std::set<std::string> wanted;  ///< keys
  std::string out;
  int depth = 0;
};

void add_line(Walk& walk, const std::string& text) {
  walk.out += std::string(2 * static_cast<std::size_t>(walk.depth + 1), ' ') + text + "\n";
}

int on_value(void* user, Response*, char* name, void* value, int size) {
  auto& walk = *static_cast<Walk*>(user);
  if (!walk.wanted.contains(name)) return 0;
  const std::string_view text{static_cast<const char*>(value), static_cast<std::size_t>(size)};
  add_line(walk, fmt::format("{} = {}", name, text));
  return 0;
}

int on_section(void* user, Response* response, char* name) {
  auto& walk = *static_cast<Walk*>(user);
  add_line(walk, name);
  ++walk.depth;
  const int result = walk.vici.parse(response, on_section, on_value, on_value, user);
  --walk.depth;
  return result;
}

std::string told(const Library& vici, Response* response, std::set<std::string> wanted) {
  Walk walk{.vici = vici, .wanted = std::move(wanted), .out = {}};
  if (vici.parse(response, on_section, on_value, on_value, &walk) != 0)
    die("a message that is none");
  return walk.out;
}

/// Events come on a thread of libvici's.
struct Heard {
  const Library& vici;
  std::mutex lock;
  std::string text;
};

void on_event(void* user, char* name, Response* event) {
  if (event == nullptr) return;  // the connection has ended
  auto& heard = *static_cast<Heard*>(user);
  const std::string text = told(heard.vici, event,
                                {"state", "local-id", "remote-id", "local-ts", "remote-ts",
                                 "remote-vips", "local-vips", "mode", "version", "class", "id"});
  const std::lock_guard hold{heard.lock};
  heard.text += fmt::format("event {}\n{}", name, text);
}

// --- the session ---------------------------------------------------------------------------------

class Session {
 public:
  explicit Session(const char* uri) {
    vici_.init();
    connection_ = vici_.connect(uri);
    if (connection_ == nullptr) die(fmt::format("{}: {}", uri, std::strerror(errno)));
  }
  ~Session() {
    vici_.disconnect(connection_);
    vici_.deinit();
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void run() {
    version();
    hear("list-conn");
    hear("list-sa");
    load_shared();
    load_connection();
    ask("get-conns", {"conns"});
    ask("list-conns", {}, "ike", "libvici");
    ask("initiate", {"success"}, "child", "net");
    ask("list-sas", {}, "ike", "libvici");
    ask("initiate", {"success"}, "child", "nosuch");
    ask("unload-conn", {"success"}, "name", "libvici");
    ask("get-conns", {"conns"});
    ask("terminate", {"success", "matches", "terminated"}, "ike", "libvici");
    ask("list-sas", {});
    ask("nosuch", {});
    vici_.free_request(vici_.begin("stats"));  // begun and thought better of
  }

 private:
  void version() {
    Response* answer = vici_.submit(vici_.begin("version"), connection_);
    if (answer == nullptr) die("version");
    const bool known = *vici_.find_text(answer, "", "daemon") != '\0' &&
                       *vici_.find_text(answer, "", "version") != '\0' &&
                       vici_.find_number(answer, -1, "no.such.number") == -1;
    fmt::print("version {}\n", known ? "is known" : "is not known");
    vici_.dump(answer, "version", false, stderr);
    vici_.free_response(answer);
  }

  void hear(const char* event) {
    const int failed = vici_.listen(connection_, event, on_event, &heard_);
    fmt::print("register {}: {}\n", event, failed == 0 ? "yes" : "no");
  }

  void load_shared() {
    Request* request = vici_.begin("load-shared");
    vici_.add_value(request, "id", "%s", "ike-libvici");
    vici_.add_value(request, "type", "IKE");
    vici_.add_value(request, "data", "%s", "a shared secret of the tests");
    list(request, "owners", {"gw.example", "cl.example"});
    send("load-shared", request, {"success"});
  }

  void load_connection() {
    Request* request = vici_.begin("load-conn");
    vici_.begin_section(request, "libvici");
    vici_.add_value(request, "version", "%d", 2);
    list(request, "proposals", {"aes256gcm16-prfsha384-ecp384"});
    list(request, "remote_addrs", {"192.0.2.1"});
    list(request, "vips", {"0.0.0.0"});
    round(request, "local", "cl.example");
    round(request, "remote", "gw.example");
    vici_.begin_section(request, "children");
    vici_.begin_section(request, "net");
    list(request, "remote_ts", {"10.1.0.0/24"});
    list(request, "esp_proposals", {"aes256gcm16-ecp384"});
    for (int i = 0; i < 3; ++i) vici_.end_section(request);
    send("load-conn", request, {"success"});
  }

  void round(Request* request, const char* side, const char* id) {
    vici_.begin_section(request, side);
    vici_.add_value(request, "auth", "psk");
    vici_.add_value(request, "id", "%s", id);
    vici_.end_section(request);
  }

  void list(Request* request, const char* name, std::initializer_list<const char*> items) {
    vici_.begin_list(request, name);
    for (const char* item : items) vici_.add_item(request, "%s", item);
    vici_.end_list(request);
  }

  /// A command with one value or none.
  void ask(const char* command, std::set<std::string> wanted, const char* key = nullptr,
           const char* value = nullptr) {
    Request* request = vici_.begin(command);
    if (key != nullptr) vici_.add_value(request, key, "%s", value);
    send(command, request, std::move(wanted));
  }

  void send(const char* command, Request* request, std::set<std::string> wanted) {
    Response* answer = vici_.submit(request, connection_);
    const std::lock_guard hold{heard_.lock};
    fmt::print("{}\n{}", command, std::exchange(heard_.text, {}));
    if (answer == nullptr) {
      fmt::print("  none: {}\n", errno == ENOENT ? "unknown" : std::strerror(errno));
      return;
    }
    fmt::print("{}", told(vici_, answer, std::move(wanted)));
    vici_.free_response(answer);
  }

  Library vici_;
  Heard heard_{.vici = vici_, .lock = {}, .text = {}};
  Connection* connection_ = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
  program::name = "libvici_session";
  if (argc != 2) die("usage: libvici_session URI");
  Session{argv[1]}.run();
  return 0;
}
