"""The house rules that a compiler does not see (docs/architecture.md).

    python3 check.py ROOT        prints each violation; exit 1 when there is one
    python3 check.py --self-test

Modules, their dependencies and their purity are read from src/CMakeLists.txt.
"""

import os
import re
import sys
import tempfile

# What "pure" forbids: sockets, files, threads, clocks, environment, global randomness, and
# unordered containers, whose order would leak into behaviour.
IMPURE_HEADERS = re.compile(
    r"^\s*#\s*include\s*<(sys/(socket|epoll|ioctl|stat|mman|timerfd|eventfd|uio|random|un)\.h|"
    r"net/.*|netinet/.*|arpa/.*|netdb\.h|unistd\.h|fcntl\.h|poll\.h|pthread\.h|signal\.h|time\.h|"
    r"linux/.*|fstream|iostream|filesystem|thread|mutex|shared_mutex|condition_variable|future|"
    r"random|ctime|unordered_map|unordered_set|asio.*|CLI/.*)>", re.M)
IMPURE_CALLS = re.compile(
    r"\b(std::(getenv|rand|srand|time|clock|this_thread|chrono::(system|steady|high_resolution)_clock)"
    r"|(?<![\w>])::(open|read|write|socket|time|clock_gettime|getenv|getrandom|fopen)\s*\(|"
    r"std::unordered_\w+)")
# Files of pure modules that use such a name all the same, and why that does no harm.
EXCEPTIONS = {
    "base/ip.cpp": "inet_pton and inet_ntop only convert text",
    "esp/tables.hpp": "its unordered_map is looked up in, never iterated",
}
FILE_LINES_MAX = 600
HEADER_LINES_MAX = 250
FUNCTION_LINES_MAX = 70
# Folders beside src/ for which the sizes count too; tests and tables are exempt.
SIZED = ("apps", "fuzz", "sim")
# What was too long when the rule came, as {"src/ike/engine.cpp": {"the file", "Engine::f"}}.
# Nothing is added, and what has shrunk is taken out.
LONG = {}
BANNED = [
    (re.compile(r"\busing namespace\b"), "using namespace"),
    (re.compile(r"^\s*throw\b", re.M), "throw"),
    (re.compile(r"\bsleep(_for|_until)?\s*\("), "sleep"),
]


class Module:
    def __init__(self, name, pure, folders, depends):
        self.name, self.pure, self.folders, self.depends = name, pure, folders, depends

    def folder_names(self):
        return [self.name] + [f"{self.name}/{folder}" for folder in self.folders]


def read_modules(root):
    with open(os.path.join(root, "src", "CMakeLists.txt"), encoding="utf-8") as file:
        text = re.sub(r"#.*", "", file.read())
    modules, order = {}, []
    for body in re.findall(r"cygnet_module\(([^)]*)\)", text):
        words = body.split()
        lists, at = {"": []}, ""
        for word in words[1:]:
            if word in ("PURE", "FOLDERS", "DEPENDS", "LIBRARIES"):
                at = word
                lists.setdefault(at, [])
            else:
                lists[at].append(word)
        modules[words[0]] = Module(words[0], "PURE" in lists, lists.get("FOLDERS", []),
                                   lists.get("DEPENDS", []))
        order.append(words[0])
    return modules, order


def without_comments(text):
    text = re.sub(r'"(\\.|[^"\\\n])*"', '""', text)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def functions_of(text):
    """(name, first line, number of lines) of each function, lambdas counted with what holds them. A
    counter of braces: outside of functions a brace belongs to a namespace, a type, an initializer
    or a function, and what stands before it says which."""
    # Line breaks stay, so that lines keep their numbers.
    text = re.sub(r'"(\\.|[^"\\\n])*"', '""', text)
    text = re.sub(r"//[^\n]*", "", text)
    text = re.sub(r"^#.*(\\\n.*)*", lambda found: "\n" * found[0].count("\n"), text, flags=re.M)
    text = re.sub(r"'(\\.|[^'\\])'", "' '", text)
    out, open_braces, head_at = [], [], 0
    for at in (found.start() for found in re.finditer(r"[;{}]", text)):
        head = text[head_at:at]
        if text[at] == "{":
            words = head.split()
            inside = bool(open_braces) and open_braces[-1][0] != "scope"
            if inside:
                kind = "inside"
            elif re.match(r"(template <.*> )?(inline )?(namespace|class|struct|union|enum|extern)\b",
                          " ".join(words)):
                kind = "scope"
            else:
                # A body follows parameters; after a member's initializer in braces nothing.
                bare = re.sub(r"[<(\[].*?[>)\]]", "", " ".join(words))
                kind = "inside" if "=" in bare or (words and ")" not in head) else "function"
            open_braces.append((kind, head, head_at + len(head) - len(head.lstrip())))
        elif text[at] == "}" and open_braces:
            kind, before, start = open_braces.pop()
            if kind == "function":
                name = re.search(r"([\w:~]+)\s*\(", before)
                line = text.count("\n", 0, start) + 1
                out.append((name[1] if name else "?", line, text.count("\n", start, at) + 1))
        head_at = at + 1
    return out


def owner_of(path, modules):
    """The module that a path below src/ belongs to: the longest folder that fits."""
    folder = os.path.dirname(path)
    while folder:
        for module in modules.values():
            if folder in module.folder_names():
                return module
        folder = os.path.dirname(folder)
    return None


def check_dependencies(modules, order, complain):
    for place, name in enumerate(order):
        for needed in modules[name].depends:
            if needed not in order[:place]:
                complain(f"src/CMakeLists.txt: {name} depends on {needed}, which has no lower rank")


def check_file(root, path, modules, complain):
    with open(os.path.join(root, "src", path), encoding="utf-8") as file:
        text = file.read()
    where = f"src/{path}"
    module = owner_of(path, modules)
    if module is None:
        return complain(f"{where}: belongs to no module of src/CMakeLists.txt")
    for line, included in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*"([^"]+)"', included)
        if not found:
            continue
        target = owner_of(found[1], modules)
        if target is None:
            complain(f"{where}:{line}: \"{found[1]}\" is in no module")
        elif target is not module and target.name not in module.depends:
            complain(f"{where}:{line}: {module.name} does not declare {target.name}")
    code = without_comments(text)
    if module.pure and path not in EXCEPTIONS:
        for rule in (IMPURE_HEADERS, IMPURE_CALLS):
            for found in rule.finditer(code if rule is IMPURE_CALLS else text):
                line = (code if rule is IMPURE_CALLS else text).count("\n", 0, found.start()) + 1
                complain(f"{where}:{line}: {module.name} is pure: {found[0].strip()}")
    for rule, name in BANNED:
        for found in rule.finditer(code):
            complain(f"{where}:{code.count(chr(10), 0, found.start()) + 1}: {name}")
    # These stand in strings and comments.
    for found in re.finditer(r"/work/|/tmp/|/home/", text):
        complain(f"{where}:{text.count(chr(10), 0, found.start()) + 1}: a path of somebody's machine")
    check_sizes(where, text, complain)
    if path.endswith(".hpp") and "#pragma once" not in text:
        complain(f"{where}: no #pragma once")
    if not text.startswith(("//", '#include "')):
        complain(f"{where}: its first line does not say what it is")


def check_sizes(where, text, complain):
    known = LONG.get(where, set())
    found = set()
    lines = text.count("\n")
    limit = HEADER_LINES_MAX if where.endswith(".hpp") else FILE_LINES_MAX
    if lines > limit:
        found.add("the file")
        if "the file" not in known:
            complain(f"{where}: {lines} lines; more than {limit} are hard to read")
    for name, line, lines in functions_of(text):
        if lines > FUNCTION_LINES_MAX:
            found.add(name)
            if name not in known:
                complain(f"{where}:{line}: {name} has {lines} lines; more than {FUNCTION_LINES_MAX} "
                         "are hard to read")
    for name in sorted(known - found):
        complain(f"{where}: {name} is short enough now: take it out of LONG in check.py")


def sources(root, top):
    """The sources below root/top, relative to it."""
    out = []
    for folder, _, files in os.walk(os.path.join(root, top)):
        out += [os.path.relpath(os.path.join(folder, name), os.path.join(root, top))
                for name in files if name.endswith((".cpp", ".hpp"))]
    return sorted(out)


def check(root):
    problems = []
    modules, order = read_modules(root)
    check_dependencies(modules, order, problems.append)
    if not sources(root, "src"):
        problems.append(f"no sources below {root}/src")
    for path in sources(root, "src"):
        check_file(root, path, modules, problems.append)
    for top in SIZED:
        for path in sources(root, top):
            with open(os.path.join(root, top, path), encoding="utf-8") as file:
                check_sizes(f"{top}/{path}", file.read(), problems.append)
    return problems


def self_test():
    """Each rule finds what is planted, and a clean tree passes."""
    table = "cygnet_module(base PURE)\ncygnet_module(io DEPENDS base)\ncygnet_module(ike PURE DEPENDS base)\n"
    def function(lines, head="int f()"):
        return "// F.\nnamespace n {\n" + head + " {\n" + "  { g('{'); }\n" * lines + "}\n}\n"

    clean = {"base/a.hpp": "// A.\n#pragma once\n", "io/b.cpp": '// B.\n#include "base/a.hpp"\n#include <unistd.h>\n',
             "ike/c.cpp": '// C: the time(s) it takes.\n#include "base/a.hpp"\n',
             "io/e.cpp": function(60), "../sim/e.cpp": function(60),
             "io/t.cpp": function(90, "const int kTable[] =")}
    planted = [
        ("ike/d.cpp", '// D.\n#include "io/b.hpp"\n', "does not declare io"),
        ("ike/d.cpp", "// D.\n#include <sys/socket.h>\n", "pure"),
        ("ike/d.cpp", "// D.\nauto t = std::chrono::steady_clock::now();\n", "pure"),
        ("ike/d.cpp", "// D.\nstd::unordered_map<int, int> m;\n", "pure"),
        ("base/d.cpp", '// D.\n#include "ike/c.hpp"\n', "does not declare ike"),
        ("io/d.cpp", "// D.\nusing namespace std;\n", "using namespace"),
        ("io/d.cpp", '// D.\nconst char* p = "/tmp/x";\n', "somebody's machine"),
        ("io/d.hpp", "// D.\n", "pragma once"),
        ("io/d.cpp", "// D.\n" + "\n" * 700, "lines"),
        ("other/d.cpp", "// D.\n", "no module"),
        ("io/d.cpp", "int x;\n", "first line"),
        ("../sim/d.cpp", "// D.\n" + "\n" * 700, "sim/d.cpp: 701 lines"),
        ("../fuzz/deep/d.hpp", "// D.\n" + "\n" * 300, "lines"),
        ("io/d.cpp", function(90), "f has 92 lines"),
        ("../apps/d.cpp", function(90, "struct S {\n  S(int a = 1)\n    : b(2), c{3}"), "lines"),
    ]
    def problems_of(files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in {"CMakeLists.txt": table, **files}.items():
                target = os.path.join(root, "src", path)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with open(target, "w", encoding="utf-8") as file:
                    file.write(text)
            return check(root)
    failures = []
    LONG["sim/once.cpp"] = {"World::fault"}
    planted.append(("../sim/once.cpp", function(9), "World::fault is short enough now"))
    if problems_of(clean):
        failures.append(f"a clean tree is refused: {problems_of(clean)}")
    for path, text, words in planted:
        found = problems_of({**clean, path: text})
        if not any(words in problem for problem in found):
            failures.append(f"not found: {words} in {path}: {found}")
    return failures


def main():
    problems = self_test() if sys.argv[1:] == ["--self-test"] else check(sys.argv[1])
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
