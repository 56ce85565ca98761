"""The command `cygnet` and its daemon: status --watch, plan and apply."""

import json
import os
import pty
import select
import signal
import unittest

from rig import conf
from rig.certs import Authority
from rig.net import World, pair, wait_for
from rig.peer import BIN, Cygnet, StrongSwan


class Command(unittest.TestCase):
    def setUp(self):
        self.world = self.enterContext(World())
        gateway, client = pair(self.world)
        self.root = Authority(self.world.folder("pki"), "root")
        self.gateway = StrongSwan(gateway, conf.gateway(), self.issue("gw")).start()
        self.client = Cygnet(client, conf.client(), self.issue("cl")).start()

    def issue(self, name):
        return conf.credentials(self.root, self.root.issue(name, f"DNS:{name}.example"))

    def watch(self, *words):
        """`cygnet status --watch`; the process and what it has written so far."""
        path = os.path.join(self.client.home, f"watch{len(self.world.processes)}")
        process = self.client.node.start(os.path.join(BIN, "cygnet"), "--vici",
                                         f"unix://{self.client.socket}", "status", "--watch", *words,
                                         log=path)

        def written():
            with open(path, encoding="utf-8") as file:
                return file.read()
        return process, written

    def test_watch(self):
        # A pause that is longer than the test: what is seen was caused by events.
        text, text_written = self.watch("600")
        lines, lines_written = self.watch("600", "--json")

        def last_state():
            whole = lines_written().rpartition("\n")[0]
            return json.loads(whole.splitlines()[-1])

        wait_for(lambda: "no tunnel is up" in text_written(), "the first state")
        wait_for(lines_written, "the first state")
        self.assertEqual(last_state()["ike_sas"], [])
        self.client.up()
        wait_for(lambda: "home (established" in text_written() and "net (installed)" in text_written(),
                 "the tunnel in the picture")
        wait_for(lambda: [one["state"] for sa in last_state()["ike_sas"] for one in sa["children"]]
                 == ["installed"], "the tunnel in a line")
        self.assertNotIn("\x1b", text_written())  # this is no terminal

        before = last_state()["ike_sas"][0]["children"][0]["spi_in"]
        self.client.rekey_child()
        wait_for(lambda: [one["spi_in"] for sa in last_state()["ike_sas"] for one in sa["children"]]
                 not in ([before], []), "other keys in a line")
        self.client.down(ike="home")
        wait_for(lambda: last_state()["ike_sas"] == [], "no tunnel in a line")
        wait_for(lambda: text_written().endswith("no tunnel is up\n"), "no tunnel in the picture")

        lines.send_signal(signal.SIGINT)
        self.assertEqual(lines.wait(10), 0)
        self.assertTrue(self.client.stop())
        self.assertEqual(text.wait(10), 3)

    def test_watch_at_a_terminal(self):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = self.client.node.start(os.path.join(BIN, "cygnet"), "--vici",
                                         f"unix://{self.client.socket}", "status", "--watch", "600",
                                         log=os.ttyname(theirs))
        os.close(theirs)
        seen = b""

        def shows(what):
            nonlocal seen
            if select.select([ours], [], [], 0)[0]:
                seen += os.read(ours, 65536)
            return what in seen
        wait_for(lambda: shows(b"\x1b[H\x1b[Jno tunnel is up\r\n"), "a cleared screen")
        self.client.up()
        wait_for(lambda: shows(b"\x1b[H\x1b[Jhome (established"), "a cleared screen with the tunnel")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(10), 0)

    def test_watch_counts(self):
        # Without a pause of its own it looks every two seconds.
        _, written = self.watch("--json")
        wait_for(lambda: written().count("\n") >= 3, "three states of which nothing tells")

    def test_plan_and_apply(self):
        self.assertEqual(self.client.cli("plan").stdout, "nothing would change\n")
        self.client.up()
        uniqueid = self.client.established()[0][1]["uniqueid"]

        # What only counts from the next time on takes nothing down.
        self.client.configure(conf.client(conn="dpd_delay = 20s\n") + "connections { more {\n"
                              "local { id = cl.example } } }\n")
        plan = self.client.cli("plan").stdout
        self.assertIn("+ connection more\n", plan)
        self.assertIn("~ connection home\n    dpd_delay: 0s -> 20s\n", plan)
        self.assertTrue(plan.endswith("plan: 1 added, 1 changed, 0 removed; 0 tunnels go down\n"))
        self.assertEqual(self.client.cli("plan").stdout, plan)  # nothing was done
        done = json.loads(self.client.cli("apply", "--json").stdout)
        self.assertTrue(done["applied"])
        self.assertEqual([(one["change"], one["what"], one["name"]) for one in done["changes"]],
                         [("changed", "connection", "home"), ("added", "connection", "more")])
        self.assertEqual(self.client.cli("apply").stdout, "nothing has changed\n")
        self.assertEqual(self.client.established()[0][1]["uniqueid"], uniqueid)

        # A fault: told at its place, and the tunnel stays.
        self.client.configure(conf.client(conn="rekey_time = soon"))
        for command in ("plan", "apply"):
            done = self.client.cli(command, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stdout, r"swanctl\.conf:\d+:\d+: error: rekey_time")
        self.assertEqual(self.client.established()[0][1]["uniqueid"], uniqueid)

    def test_plan_tells_which_tunnels_go_down(self):
        self.client.configure(conf.client(child="start_action = start"))
        self.client.cli("apply")
        wait_for(self.client.children, "the tunnel")
        self.client.configure(conf.client(child="start_action = start", remote_ts="10.1.0.0/25"))
        plan = self.client.cli("plan").stdout
        self.assertIn("children.net.remote_ts: 10.1.0.0/24 -> 10.1.0.0/25\n    goes down: net\n", plan)
        self.assertTrue(self.client.children())
        self.assertIn("1 tunnel taken down", self.client.cli("reload").stdout)
        wait_for(lambda: [one["remote-ts"] for one in self.client.children()] == [["10.1.0.0/25"]],
                 "the tunnel as it is configured now")

    def test_names_for_completions(self):
        self.assertEqual(self.client.cli("complete-names").stdout, "home\nhome/net\n")


if __name__ == "__main__":
    unittest.main()
