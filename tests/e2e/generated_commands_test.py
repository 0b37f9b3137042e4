"""Every method of the API has a command that does what the method does.

The methods are those of the descriptors, so that a new one without a line in
COMMANDS fails; each command runs once against a live coordinator, and what it
writes as JSON has to be the answer of that method.
"""
import importlib
import pkgutil
import unittest

from google.protobuf import json_format, message_factory
import vigil.v1
from vigil.v1 import (
    batch_pb2,
    batch_service_pb2,
    batch_service_pb2_grpc,
    cli_pb2,
)

from cluster import PYTHON, TASKS, Cluster, wait_until

CATALOG = f"""
task_types {{
  name: "plain"
  argv: "{PYTHON}"
  argv: "{TASKS}/talker.py"
}}
"""

# By method: the words behind `vigil`, with places for what the coordinator has.
COMMANDS = {
    "JobService.SubmitJob": "job submit /bin/echo hi",
    "JobService.SubmitJobs":
        'job submit-many --jobs={"spec":{"task_type":"plain"}}',
    "JobService.RunJob": "job run --priority=3 -- /bin/echo hi",
    "JobService.GetJob": "job get {job}",
    "JobService.ListJobs": "job list --states=succeeded,running --all",
    "JobService.CancelJob": "job cancel {job}",
    "JobService.WatchJob": "job watch {job}",
    "JobService.ReadOutput": "job read-output {job}",
    "BatchService.RunBatch":
        'batch run --job.task-type=plain --items={"arguments":[]} --close',
    "BatchService.CreateBatch":
        "batch create --job.task-type=plain --max-in-flight=2",
    "BatchService.AddItems": 'batch add-items {open_batch} --items={}',
    "BatchService.CloseBatch": "batch close {batch}",
    "BatchService.GetBatch": "batch get {batch}",
    "BatchService.WatchBatch": "batch watch {batch}",
    "BatchService.ListBatches": "batch list --limit=5",
    "BatchService.CancelBatch": "batch cancel {batch}",
    "StatusService.GetStatus": "status",
    "WorkerService.ListWorkers": "worker list",
    "WorkerService.GetWorker": "worker get {worker}",
    "WorkerService.DrainWorker": "worker drain {worker} --stay",
    "WorkerService.SetWorkerSlots": "worker set-slots {worker} --slots=2",
    "WorkerService.ClearWorkerCache":
        "worker clear-cache {worker} --task-type=plain",
    "WorkerService.SweepWorker": "worker sweep {worker} --dry-run",
}


def services():
    """The services of the API that have commands."""
    for module in pkgutil.iter_modules(vigil.v1.__path__):
        if not module.name.endswith("_service_pb2"):
            continue
        found = importlib.import_module(f"vigil.v1.{module.name}")
        for service in found.DESCRIPTOR.services_by_name.values():
            options = service.GetOptions()
            if not options.Extensions[cli_pb2.cli_service].hidden:
                yield service


def methods():
    """The methods that have commands, by the name that COMMANDS has."""
    return {f"{service.name}.{method.name}": method
            for service in services() for method in service.methods}


class GeneratedCommandsTest(unittest.TestCase):

    def make_batch(self, cluster, closed):
        """A batch of one item; returns its id."""
        batches = batch_service_pb2_grpc.BatchServiceStub(cluster.channel)
        request = batch_service_pb2.CreateBatchRequest()
        request.open.spec.job.task_type = "plain"
        batch_id = batches.CreateBatch(request).batch.batch_id
        if closed:
            batches.AddItems(batch_service_pb2.AddItemsRequest(
                batch_id=batch_id, items=[batch_pb2.BatchItem()]))
            batches.CloseBatch(batch_service_pb2.CloseBatchRequest(
                batch_id=batch_id))
        return batch_id

    def places(self, cluster):
        """What stands for the names in braces."""
        job_id = cluster.submit(cluster.command("/bin/echo", "hi"))
        cluster.finish(job_id)
        cluster.start_worker("w", flags=[
            f"--catalog={cluster.dir}/catalog.textproto"])
        wait_until(lambda: cluster.get_status().worker_count == 2, "w is there")
        (worker,) = [worker.worker_id for worker
                     in cluster.get_status().workers if not worker.local]
        return {"{job}": job_id, "{worker}": worker,
                "{batch}": self.make_batch(cluster, closed=True),
                "{open_batch}": self.make_batch(cluster, closed=False)}

    @staticmethod
    def answers(method, text):
        """The messages that were written as JSON; fails if they are others."""
        make = message_factory.MessageFactory().GetPrototype(
            method.output_type)
        # A document is indented; messages of a stream have a line each.
        texts = [text] if text.startswith("{\n") else text.splitlines()
        return [json_format.Parse(each, make()) for each in texts]

    def test_every_method_has_a_command_that_makes_its_call(self):
        found = methods()
        self.assertEqual(sorted(COMMANDS), sorted(found))
        with Cluster(local_slots=2, catalog=CATALOG) as cluster:
            places = self.places(cluster)
            for name, method in found.items():
                words = [places.get(word, word)
                         for word in COMMANDS[name].split(" ")]
                with self.subTest(method=name):
                    # Behind the verb, before what may be a program.
                    verb = 1 if words[0] == "status" else 2
                    ran = cluster.vigil(*words[:verb], "-o", "json",
                                        *words[verb:])
                    self.assertEqual(ran.returncode, 0, ran.stderr)
                    answers = self.answers(method, ran.stdout.decode())
                    self.assertGreater(len(answers), 0)
                    if method.output_type.fields:
                        self.assertTrue(answers[0].ListFields())
                    shown = cluster.vigil(*words[:verb], "--help")
                    self.assertEqual(shown.returncode, 0)
                    self.assertTrue(shown.stdout.decode().startswith(
                        "usage: vigil " + " ".join(words[:verb])))

    def test_the_services_that_are_nobodys_to_call_have_none(self):
        with Cluster(local_slots=0) as cluster:
            for words in (["dispatch"], ["dispatch", "attach"]):
                self.assertEqual(cluster.vigil(*words).returncode, 125)


if __name__ == "__main__":
    unittest.main()
