"""What the shells and man make of what cygnet prints of itself."""

import os
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BIN = os.environ.get("CYGNET_BIN", os.path.join(ROOT, "build", "release", "bin"))
CYGNET = os.path.join(BIN, "cygnet")
COMMANDS = {"up", "down", "rekey", "status", "why", "reload", "plan", "apply", "check", "convert", "version", "ipsec",
            "completion", "manual"}


def output(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, timeout=60, **options)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}"
    return done.stdout


class Shells(unittest.TestCase):
    """`cygnet` in the PATH is a program that knows two tunnels, and tells what it was asked."""

    NAMES = "home\nhome/net\n$(touch injected)\n"

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cygnet-shell-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.asked = os.path.join(self.folder, "asked")
        program = os.path.join(self.folder, "cygnet")
        with open(program, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\necho "$@" >>{self.asked}\n'
                       f"cat <<'END'\n{self.NAMES}END\necho complaint >&2\n")
        os.chmod(program, 0o755)
        with open(os.path.join(self.folder, "some.conf"), "w", encoding="utf-8"):
            pass
        self.env = {**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}",
                    "HOME": self.folder, "XDG_CONFIG_HOME": self.folder, "TERM": "dumb"}

    def script(self, shell):
        path = os.path.join(self.folder, f"completion.{shell}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(output(CYGNET, "completion", shell))
        return path

    def was_asked(self):
        with open(self.asked, encoding="utf-8") as file:
            return file.read().splitlines()

    def check_offers(self, offers):
        """What every shell has to offer; `offers` takes what has been typed."""
        self.assertEqual(offers("cygnet "), COMMANDS)
        self.assertEqual(offers("cygnet re"), {"rekey", "reload"})
        self.assertEqual(offers("cygnet rekey "), {"ike", "child"})
        self.assertEqual(offers("cygnet --vici unix:///x/y rekey child home/"), {"home/net"})
        self.assertEqual(self.was_asked()[-1], "--vici unix:///x/y complete-names")
        self.assertEqual(offers("cygnet up --timeout 5 ho"), {"home", "home/net"})
        self.assertEqual(self.was_asked()[-1], "complete-names")
        self.assertEqual(offers("cygnet check --format sw"), {"swanctl"})
        self.assertEqual(offers("cygnet check so"), {"some.conf"})
        self.assertFalse(offers("cygnet up home ") & {"home", "home/net"})
        self.assertFalse(os.path.exists(os.path.join(self.folder, "injected")))


class Bash(Shells):
    def offers(self, line):
        """As readline would call it: words are cut at blanks, colons and equals signs."""
        words = re.findall(r"[^\s:=]+|[:=]+", line)
        if line.endswith(" "):
            words.append("")
        quoted = " ".join("'" + word + "'" for word in words)
        done = output("bash", "--norc", "-c",
                      f"source {self.script('bash')}; COMP_WORDS=({quoted}); "
                      f"COMP_CWORD={len(words) - 1}; _cygnet cygnet; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
                      env=self.env, cwd=self.folder)
        return set(done.split("\n")) - {""}

    def test_offers(self):
        self.check_offers(self.offers)
        self.assertEqual(self.offers("cygnet up --"), {"--timeout", "--quiet", "--help"})
        self.assertEqual(self.offers("cygnet check --format=sw"), {"swanctl"})
        self.assertEqual(self.offers("cygnet check --format="), {"swanctl", "ipsec"})

    def test_names_that_a_shell_would_run_are_only_words(self):
        self.assertIn(r"\$\(touch\ injected\)", self.offers("cygnet up "))
        self.assertFalse(os.path.exists(os.path.join(self.folder, "injected")))

    def test_nothing_without_a_daemon(self):
        os.unlink(os.path.join(self.folder, "cygnet"))
        os.symlink(CYGNET, os.path.join(self.folder, "cygnet"))
        self.assertEqual(self.offers("cygnet --vici unix:///nowhere up "), set())


class Fish(Shells):
    def offers(self, line):
        done = output("fish", "--no-config", "-c", f"source {self.script('fish')}; complete -C '{line}'",
                      env=self.env, cwd=self.folder)
        return {row.split("\t")[0] for row in done.splitlines()}

    def test_offers(self):
        self.check_offers(self.offers)
        self.assertEqual(self.offers("cygnet up --t"), {"--timeout"})

    def test_syntax(self):
        output("fish", "--no-execute", self.script("fish"))


class Zsh(Shells):
    """Zsh completes only at a terminal: this is one."""

    def setUp(self):
        super().setUp()
        os.mkdir(os.path.join(self.folder, "functions"))
        shutil.copy(self.script("zsh"), os.path.join(self.folder, "functions", "_cygnet"))
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(self.folder)
            os.execvpe("zsh", ["zsh", "-f", "-i"], {**self.env, "TERM": "vt100", "COLUMNS": "500"})
        self.addCleanup(self.end)
        # What can be chosen comes as <word>, with nothing but a line before it.
        self.say("PS1=; unsetopt zle_bracketed_paste; fpath=($PWD/functions $fpath)\n"
                 "autoload -Uz compinit && compinit -u -d $PWD/dump\n"
                 "compadd() { builtin compadd -O shown \"$@\"; local one; "
                 "for one in $shown; do print -r -- \"<$one>\" >>$PWD/shown; done }\n"
                 "finish() { zle -I; print -r -- done >>$PWD/shown; zle kill-buffer }; zle -N finish\n"
                 "bindkey '^X' finish; setopt no_list_beep; bindkey '^I' complete-word\n"
                 "print rea''dy\n")
        self.wait(lambda: "ready" in self.seen)

    seen = ""

    def end(self):
        os.close(self.terminal)
        os.waitpid(self.process, 0)

    def say(self, text):
        os.write(self.terminal, text.encode())

    def wait(self, condition, timeout=20):
        end = time.monotonic() + timeout
        while not condition():
            self.assertLess(time.monotonic(), end, self.seen)
            if select.select([self.terminal], [], [], 0.05)[0]:
                self.seen += os.read(self.terminal, 65536).decode(errors="replace")

    def offers(self, line):
        path = os.path.join(self.folder, "shown")

        def shown():
            if not os.path.exists(path):
                return []
            with open(path, encoding="utf-8") as file:
                return file.read().splitlines()

        self.say(line + "\t\x18")
        self.wait(lambda: "done" in shown())
        out = {row[1:-1] for row in shown() if row != "done"}
        os.unlink(path)
        return out

    def test_offers(self):
        self.check_offers(self.offers)
        self.assertIn("--timeout", self.offers("cygnet up --t"))

    def test_syntax(self):
        output("zsh", "-n", self.script("zsh"))


class Manual(unittest.TestCase):
    PAGES = {"cygnet(1)": (CYGNET, "manual"),
             "cygnetd(8)": (os.path.join(BIN, "cygnetd"), "--manual")}

    def test_no_warning(self):
        for page, command in self.PAGES.items():
            with self.subTest(page):
                text = output(*command)
                with tempfile.NamedTemporaryFile("w", suffix=".1") as file:
                    file.write(text)
                    file.flush()
                    done = subprocess.run(
                        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", file.name],
                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
                        timeout=60, env={**os.environ, "MANROFFSEQ": "", "MANWIDTH": "80"})
                    self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_reads_well(self):
        for page, command in self.PAGES.items():
            with self.subTest(page):
                text = output("man", "-E", "UTF-8", "-l", "-", input=output(*command),
                              env={**os.environ, "MANWIDTH": "80", "MAN_KEEP_FORMATTING": ""})
                text = re.sub(".\b", "", text)
                for word in ("NAME", "SYNOPSIS", "EXIT STATUS", "FILES", page.split("(")[0]):
                    self.assertIn(word, text)
                self.assertNotIn("\\f", text)
