"""Starts that must not succeed: each ends with a message that names what is
wrong and what to do, changes nothing that is there, and disturbs nobody (S10:
one coordinator, however many start).
"""
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import tempfile
import unittest

import grpc
from cluster import (
    COORDINATOR, Cluster, PATIENCE, State, VIGIL, WORKER, refused, wait_until)
from vigil.v1 import job_service_pb2, job_service_pb2_grpc


def start(*flags, prefix=()):
    """Runs a coordinator that is to end by itself."""
    return subprocess.run([*prefix, COORDINATOR, *flags],
                          stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=PATIENCE,
                          check=False)


class BadStartTest(unittest.TestCase):

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="b")
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)

    def assert_refused(self, *flags, says, prefix=()):
        ended = start(*flags, prefix=prefix)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        for text in says:
            self.assertIn(text, ended.stderr)

    def flags(self, **flags):
        """Good flags, some of them replaced."""
        flags = {"listen": f"unix:{self.dir}/s", "data_dir": self.dir / "data",
                 **flags}
        return [f"--{name}={value}" for name, value in flags.items()]

    # --- a second coordinator
    def assert_serves(self, cluster):
        job, out, _ = cluster.run(cluster.command("/bin/echo", "still here"))
        self.assertEqual((job.state, out),
                         (State.STATE_SUCCEEDED, b"still here\n"))

    def test_S10_a_second_coordinator_on_a_data_directory_names_the_first(
            self):
        with Cluster(local_slots=1) as cluster:
            pid = str(cluster.coordinator.pid)
            running = cluster.submit(cluster.talker("600*0.1"))
            for _ in range(3):
                self.assert_refused(
                    *self.flags(data_dir=cluster.data_dir),
                    says=[str(cluster.data_dir), pid])
            self.assertFalse((self.dir / "s").exists())
            self.assertEqual(cluster.get(running).state, State.STATE_RUNNING)
            cluster.cancel(running)
            cluster.finish(running)
            self.assert_serves(cluster)

    def test_S10_a_second_coordinator_on_a_socket_is_refused(self):
        with Cluster(local_slots=1) as cluster:
            self.assert_refused(
                *self.flags(listen=cluster.address),
                says=["--listen", f"{cluster.dir}/s", "already"])
            self.assert_serves(cluster)

    def test_S10_of_many_that_start_at_once_one_serves(self):
        starting = [subprocess.Popen(
            [COORDINATOR, *self.flags(listen=f"unix:{self.dir}/s{i}")],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                    for i in range(6)]
        try:
            wait_until(
                lambda: sum(process.poll() is None
                            for process in starting) <= 1,
                "all but one have given up")
        finally:
            served = [process for process in starting
                      if process.poll() is None]
            for process in served:
                process.send_signal(signal.SIGTERM)
            logs = {process: process.communicate(timeout=PATIENCE)[1]
                    for process in starting}
        self.assertEqual(len(served), 1)
        for process in set(starting) - set(served):
            self.assertEqual(process.returncode, 1)
            self.assertIn(f"{self.dir}/data", logs[process])
            self.assertIn(str(served[0].pid), logs[process])

    def test_S10_a_dead_coordinators_lock_and_socket_are_no_obstacle(self):
        with Cluster(local_slots=1) as cluster:
            cluster.kill()
            cluster.start()
            self.assert_serves(cluster)

    def test_S10_a_second_worker_on_a_data_directory_is_refused(self):
        with Cluster(local_slots=0) as cluster:
            first = cluster.start_worker("w")
            job_id = cluster.submit(cluster.command("/bin/true"))
            cluster.finish(job_id)
            second = subprocess.run(
                [WORKER, f"--coordinator={cluster.address}",
                 f"--data_dir={cluster.dir}/w"], capture_output=True,
                stdin=subprocess.DEVNULL, text=True, timeout=PATIENCE,
                check=False)
            self.assertNotEqual(second.returncode, 0)
            self.assertIn(str(first.pid), second.stderr)
            self.assert_serves(cluster)

    # --- catalogs
    def assert_bad_catalog(self, text, *says, name="catalog.textproto"):
        path = self.dir / name
        path.write_text(text)
        self.assert_refused(*self.flags(catalog=path, local_slots=1),
                            says=[str(path), *says])
        self.assertFalse((self.dir / "data").exists())
        self.assertFalse((self.dir / "s").exists())

    def test_a_bad_catalog_is_named_with_line_and_field(self):
        good = 'task_types {\n  name: "a"\n  argv: "/bin/true"\n'
        self.assert_bad_catalog(good + "  colour: 7\n}\n", ":4:", "colour")
        self.assert_bad_catalog(good, ":4:")
        self.assert_bad_catalog('task_types {\n  name: "a"\n}\n', ":1",
                                "task_types[0]", "argv")
        self.assert_bad_catalog(
            good + "  timeouts {\n    inactivity_timeout { seconds: -1 }\n"
            "  }\n}\n", ":5", "task_types[0].timeouts.inactivity_timeout",
            "positive")
        self.assert_bad_catalog(
            good + '}\ntask_types {\n  name: "a"\n  argv: "x"\n}\n', ":6",
            "task_types[1].name", "twice")
        self.assert_bad_catalog(
            good + "  exit_reasons {\n    key: 300\n"
            "    value: REASON_TASK_ERROR\n  }\n}\n", "exit_reasons", "300")
        self.assert_bad_catalog('{"taskTypes": [{"nam": 1}]}', "nam",
                                name="catalog.json")

    def test_a_catalog_that_is_not_there_is_named(self):
        self.assert_refused(
            *self.flags(catalog=self.dir / "none", local_slots=1),
            says=[str(self.dir / "none")])

    # --- the store
    def make_data(self, jobs=1):
        """A data directory with an ended job in it, and others that wait."""
        with Cluster(local_slots=1) as cluster:
            cluster.finish(cluster.submit(cluster.command("/bin/true")))
            cluster.terminate()
            cluster.flags[0] = "--local_slots=0"
            cluster.slots = 0
            cluster.start()
            request = job_service_pb2.SubmitJobsRequest()
            for _ in range(jobs):
                request.jobs.append(cluster.command("/bin/true"))
            cluster.jobs.SubmitJobs(request)
            # The log stays, as after any crash.
            cluster.kill()
            cluster.data_dir.rename(self.dir / "data")
        return self.dir / "data" / "jobs.db"

    def make_whole_data(self, jobs=1):
        """The same, stopped in an orderly way: one file, without a log."""
        database = self.make_data(jobs)
        with sqlite3.connect(database) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        self.assertFalse(self.log_of(database).exists())
        return database

    @staticmethod
    def log_of(database):
        """The write-ahead log."""
        return database.with_name("jobs.db-wal")

    @staticmethod
    def content(database):
        """What is in the files of a database."""
        return {path.name: path.read_bytes()
                for path in database.parent.glob("jobs.db*")
                if not path.name.endswith("-shm")}

    def assert_damage_is_refused(self, damage, *says, jobs=1):
        database = self.make_whole_data(jobs)
        damage(database)
        before = self.content(database)
        for _ in range(2):
            self.assert_refused(*self.flags(), says=[str(database), *says])
        after = self.content(database)
        # Nothing is written to a log either.
        self.assertEqual(after.pop("jobs.db-wal", b""), b"")
        self.assertEqual(before, after)

    def test_a_database_that_is_none_is_refused_and_left_alone(self):
        self.assert_damage_is_refused(
            lambda path: path.write_bytes(b"a diary, not a database\n" * 500),
            "move it away")

    def test_an_empty_database_is_refused_and_left_alone(self):
        self.assert_damage_is_refused(lambda path: path.write_bytes(b""),
                                      "restore")

    def test_a_database_with_damaged_pages_is_refused_and_left_alone(self):
        def damage(path):
            data = bytearray(path.read_bytes())
            # Everything behind the header of the file.
            data[100:] = b"\xa5" * (len(data) - 100)
            path.write_bytes(data)
        self.assert_damage_is_refused(damage, "move it away")

    def test_a_database_with_a_damaged_header_is_refused_and_left_alone(self):
        self.assert_damage_is_refused(
            lambda path: path.write_bytes(
                b"\xa5" * 100 + path.read_bytes()[100:]),
            "is no database", "move it away")

    def test_damage_that_shows_when_jobs_are_loaded_is_refused_and_left_alone(
            self):
        def damage(path):
            data = bytearray(path.read_bytes())
            # The tables and indexes begin before that.
            data[40 * 4096:] = b"\xa5" * (len(data) - 40 * 4096)
            path.write_bytes(data)
        self.assert_damage_is_refused(damage, "damaged", "restore", jobs=1000)

    def test_a_log_without_its_database_is_refused_and_left_alone(self):
        database = self.make_data()
        database.unlink()
        before = self.content(database)
        self.assertGreater(len(before["jobs.db-wal"]), 0)
        self.assert_refused(
            *self.flags(), says=[str(self.log_of(database)),
                                 "the database is gone", "move the log away"])
        self.assertEqual(before, self.content(database))

    def test_a_database_of_a_newer_release_is_refused_and_left_alone(self):
        def replace(path):
            with sqlite3.connect(path) as connection:
                connection.execute("PRAGMA user_version = 99")
                connection.execute("PRAGMA journal_mode = DELETE")
            connection.close()
        self.assert_damage_is_refused(replace, "a newer release",
                                      "schema 99", "start that release again")

    def without_override(self):
        """What runs a program without root's right to write to any file."""
        if os.geteuid() != 0:
            return []
        return ["setpriv", "--bounding-set=-dac_override",
                "--inh-caps=-dac_override"]

    def test_a_database_that_may_not_be_written_is_refused(self):
        database = self.make_whole_data()
        database.chmod(0o400)
        self.assert_refused(*self.flags(), prefix=self.without_override(),
                            says=[str(database), "make the file writable"])

    def test_a_directory_that_may_not_be_written_is_refused(self):
        database = self.make_whole_data()
        database.parent.chmod(0o500)
        self.addCleanup(database.parent.chmod, 0o700)
        self.assert_refused(
            *self.flags(), prefix=self.without_override(),
            says=[str(database), "let this user read and write",
                  "their directory"])

    def test_a_file_system_that_is_read_only_is_named(self):
        database = self.make_whole_data()
        command = ["unshare", "--mount", "/bin/sh", "-c",
                   'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" '
                   '&& exec "$@"', str(database.parent)]
        tried = subprocess.run([*command, "/bin/true"], capture_output=True,
                               text=True, check=False)
        if tried.returncode != 0:
            self.skipTest("mounting needs root: " + tried.stderr.strip())
        self.assert_refused(*self.flags(), prefix=command,
                            says=[str(database.parent), "Read-only"])

    def test_a_database_cut_short_is_refused_and_left_alone(self):
        self.assert_damage_is_refused(
            lambda path: path.write_bytes(path.read_bytes()[:5000]),
            "move it away")

    def test_a_database_of_another_program_is_refused_and_left_alone(self):
        def replace(path):
            path.unlink()
            with sqlite3.connect(path) as connection:
                connection.execute("CREATE TABLE songs (name TEXT)")
            connection.close()
        self.assert_damage_is_refused(replace, "another program")

    # --- where to listen
    def test_a_socket_path_that_is_too_long_is_refused(self):
        path = f"{self.dir}/{'x' * 100}"
        self.assert_refused(*self.flags(listen=f"unix:{path}"),
                            says=["--listen", path, "107"])
        ended = subprocess.run(
            [VIGIL, "status", f"--address=unix:{path}"], capture_output=True,
            stdin=subprocess.DEVNULL, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(ended.returncode, 125)
        self.assertIn(path, ended.stderr)

    def test_an_address_beyond_loopback_is_refused_without_insecure(self):
        for address in ("0.0.0.0:0", "192.0.2.1:0", "[::]:0", "example.org:0"):
            self.assert_refused(*self.flags(listen=address),
                                says=["--listen", address, "--insecure"])
        for address in ("nonsense", "127.0.0.1:99999", "unix:relative", ":"):
            self.assert_refused(*self.flags(listen=address),
                                says=["--listen", address])

    def test_http_is_served_on_loopback_unless_told_otherwise(self):
        for address in ("0.0.0.0:0", "192.0.2.1:0", "[::]:0", "example.org:0"):
            self.assert_refused(*self.flags(http_listen=address),
                                says=["--http_listen", address, "--insecure"])
        for address in ("nonsense", "127.0.0.1:99999", "unix:/tmp/s", ":"):
            self.assert_refused(*self.flags(http_listen=address),
                                says=["--http_listen", address])

    def test_a_port_that_is_taken_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.assert_refused(*self.flags(listen=address), says=[address])
            self.assert_refused(*self.flags(http_listen=address),
                                says=["--http_listen", address])

    def test_commands_over_tcp_are_refused_and_task_types_are_not(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            tcp = f"127.0.0.1:{free.getsockname()[1]}"
        cluster = Cluster(
            local_slots=1,
            catalog='task_types { name: "t" argv: "/bin/true" }')
        cluster.flags.append(f"--listen={cluster.address},{tcp}")
        with cluster:
            with grpc.insecure_channel(tcp) as channel:
                jobs = job_service_pb2_grpc.JobServiceStub(channel)
                error = refused(jobs.SubmitJob, cluster.command("/bin/true"))
                self.assertEqual(error.code(),
                                 grpc.StatusCode.PERMISSION_DENIED)
                self.assertIn("unix socket", error.details())
                request = job_service_pb2.SubmitJobRequest()
                request.spec.task_type = "t"
                job_id = jobs.SubmitJob(request).job.job_id
            self.assertEqual(cluster.finish(job_id).state,
                             State.STATE_SUCCEEDED)
            self.assert_serves(cluster)

    def test_commands_are_refused_where_they_are_not_allowed(self):
        with Cluster(local_slots=1, flags=["--allow_commands=false"]
                     ) as cluster:
            error = refused(cluster.jobs.SubmitJob,
                            cluster.command("/bin/true"))
            self.assertEqual(error.code(), grpc.StatusCode.PERMISSION_DENIED)
            self.assertIn("--allow_commands", error.details())

    def test_flags_that_contradict_each_other_are_refused(self):
        for flag, value, says in (
                ("heartbeat_interval", "20s", "--lease"),
                ("lease_margin", "1699ms", "at least 1.7s"),
                ("inactivity", "25h", "--timeout_max"),
                ("local_slots", "-1", "--local_slots"),
                ("allow_commands", "perhaps", "allow_commands"),
                ("maximum_attempts", "0", "--maximum_attempts"),
                ("telemetry_window", "59s", "--telemetry_window"),
                ("warning_rate", "10.1", "--action_rate"),
                ("action_rate", "101", "--action_rate")):
            self.assert_refused(*self.flags(**{flag: value}), says=[says])


if __name__ == "__main__":
    unittest.main()
